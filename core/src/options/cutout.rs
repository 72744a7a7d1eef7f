//! How a mask becomes the alpha of a picture: choices that the options of
//! the hosted API do not have.

use super::regions::Prompts;

/// How the subject is found and cut out.
///
/// ```
/// use remrembg::{CutOut, Matting, Options, Preset};
///
/// let plain = CutOut::default().with(|c| (c.refine, c.decontaminate) = (false, false));
/// assert_eq!(Options::from_pairs([("refine", "off"), ("decontaminate", "off")])?.cut_out, plain);
///
/// let hair = CutOut::default().with(|c| c.matting = Some(Matting { erode_size: 15, ..Matting::default() }));
/// assert_eq!(Options::from_pairs([("matting", "on"), ("matting_erode_size", "15")])?.cut_out, hair);
/// assert_eq!(hair.preset, Preset::Balanced);
/// # Ok::<(), remrembg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOut {
    /// How much work goes into the subject and its edges. Default: [`Preset::Balanced`].
    pub preset: Preset,
    /// Lays the mask's edge onto
    /// the picture's own, which the model sees too small: a colour guided filter from
    /// coarse to fine. Where the mask is unsure over a wide area it stays soft. The bundled model runs on several views of the picture, see [`Preset`]. Of a mask that the caller brings it changes the edge alone. Takes some 15 ms per megapixel, less for large pictures.
    /// Without it the mask is rembg's. Default: true.
    pub refine: bool,
    /// What is done with a picture on a flat background. Not where the caller brings the mask, or without `refine`.
    /// Default: [`Flat::Auto`].
    pub flat: Flat,
    /// Takes the background's colour out of soft edges, as matting does in any
    /// case, so that no fringe of it shows on a new background. Not with
    /// `keep_colors`. Takes some 8 ms for one megapixel, less for each of more. What
    /// rembg calls `decontaminate`. Default: true.
    pub decontaminate: bool,
    /// Says that the mask that the caller brings is a trimap: 0 is surely background,
    /// 255 surely subject, and of all else the alpha is estimated from the picture as
    /// by `matting`, instead of being refined. Default: false.
    pub trimap: bool,
    /// Removes stray islands from the mask, which are small and of which the model is
    /// not sure, and fills such pinholes in the subject, before refinement. A second
    /// subject stays, and so does a hole through which the background is seen, be it
    /// a ring's or between the legs of a chair. Not of a trimap. Default: false.
    pub clean_mask: bool,
    /// What the caller says of the subject: what to keep of what is found, and what to
    /// drop. With boxes to keep, the model sees what is around them alone. Before
    /// refinement; not of a trimap. Default: nothing.
    pub prompts: Prompts,
    /// Makes the mask hard with smooth outlines, after refinement: a morphological
    /// opening with a 3×3 cross, a Gaussian blur of σ = 2 pixels, then 255 where
    /// that is at least 127 and 0 elsewhere. What rembg calls `post_process_mask`.
    /// Default: false.
    pub smooth_mask: bool,
    /// Turns the mask round, before matting and all else that follows: the background
    /// is kept and the subject becomes transparent. With
    /// [`Options::mask`](crate::Options::mask) the background is white. "Subject" is
    /// then, wherever this documentation says it, what the inverted mask keeps. What
    /// is transparent in the picture stays transparent. Default: false.
    pub invert_mask: bool,
    /// Estimates the alpha along the outline, and the subject's colours without
    /// the background's, from the picture itself. What rembg calls `alpha_matting`.
    /// With [`Options::mask`](crate::Options::mask) the mask is the alpha that is
    /// estimated. Takes a second or more per megapixel. Memory: up
    /// to 1 GB for the alpha, for which an outline of more than 1.3 million pixels is
    /// estimated at half the size, then for the colours some 15 bytes per pixel of the
    /// picture. Default: none.
    pub matting: Option<Matting>,
    /// Keeps colours also where the alpha is 0. Without it they are black there, so
    /// that no file carries the background, but for a few pixels beyond the edge, which have the colour of the subject beside
    /// them: a program that grows, blurs or scales the alpha gets no dark outline. What rembg calls `putalpha`. Default: false.
    pub keep_colors: bool,
    /// Keeps the alpha channel, 255 throughout, where an opaque
    /// [`Options::bg_color`](crate::Options::bg_color) would drop it. JPEG and
    /// buffers of RGB have none all the same, and a WebP file stores none that
    /// is 255 throughout. Default: false.
    pub keep_alpha: bool,
}

impl Default for CutOut {
    fn default() -> Self {
        Self {
            preset: Preset::Balanced,
            refine: true,
            flat: Flat::Auto,
            decontaminate: true,
            trimap: false,
            clean_mask: false,
            prompts: Prompts::default(),
            smooth_mask: false,
            invert_mask: false,
            matting: None,
            keep_colors: false,
            keep_alpha: false,
        }
    }
}

impl CutOut {
    /// The same, changed. Later versions may add fields, so that none is made in one expression.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Whether the subject's own colours are wanted where matting did not bring them.
    pub(crate) fn estimates_colors(&self) -> bool {
        !self.keep_colors && (self.decontaminate || self.matting.is_some())
    }
}

/// What is done with a picture whose border has one colour, such as a logo or a drawing: its
/// alpha then follows from how far each colour is from the background's, and holes are cut out too. JPEG's noise and a
/// faint gradient count to the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Flat {
    /// So for lines and areas of few colours where the border is nearly all of one colour, and the caller does
    /// not say where the subject is. A picture whose background is transparent already keeps its alpha: at least half of its border is transparent, and
    /// most of what is opaque is found to be subject, or that is little.
    #[default]
    Auto,
    /// So for any picture where at least half of the border is of one colour, even if it is noisy, such as a product
    /// on white. Soft shadows count to the background; what is enclosed is what the model takes it for.
    On,
    /// Never.
    Off,
}

impl Flat {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// The name that the option `flat` takes: `auto`, `on`, `off`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// How much work goes into the subject and its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Preset {
    /// The model runs once, on the squeezed picture; edges are refined on a smaller picture: half the time for them.
    Fast,
    /// The bundled model runs on two views of the picture, squeezed and half squeezed (of a square one, mirrored), and
    /// the mean is refined (test-time augmentation). A subject whose box is small is seen once more, from closer by;
    /// otherwise, where the model is not sure, a picture that is not square is seen once more half squeezed, mirrored.
    /// Any other model runs once. Edges are refined up to half the picture's side.
    #[default]
    Balanced,
    /// Any model runs on up to five views: also both mirrored, and not squeezed; and on three of a small subject's box.
    Best,
}

impl Preset {
    /// Every preset, from the quickest to the finest.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Balanced, Self::Best];

    /// The name that the option `preset` takes: `fast`, `balanced`, `best`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Best => "best",
        }
    }
}

/// From which mask values matting starts. They make a trimap: sure subject,
/// sure background, and a band between them whose alpha is estimated. Any
/// integer will do; where one leaves no sure subject or no sure background, the
/// cut-out is made without it, as with `decontaminate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matting {
    /// Sure subject is where the mask is greater than this. The mask has 0 to 255,
    /// so useful values are 0 to 254. Default: 240.
    pub foreground_threshold: i64,
    /// Sure background is where the mask is less than this. Useful values are 1
    /// to 255. Default: 10.
    pub background_threshold: i64,
    /// Side of the square, in pixels, by which both sure regions are eroded: the
    /// band grows by half of it on either side. 0 and less erode by a 3×3 cross.
    /// Default: 10.
    pub erode_size: i64,
}

impl Default for Matting {
    fn default() -> Self {
        Self { foreground_threshold: 240, background_threshold: 10, erode_size: 10 }
    }
}
