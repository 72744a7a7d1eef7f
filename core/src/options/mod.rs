//! Options: their types and defaults, the table that defines them, their way from text, and the sizes that follow.
//!
//! Knows of pictures only a size. Knows nothing of how an option is done.

mod checks;
mod color;
mod compression;
pub(crate) mod cutout;
mod format;
pub(crate) mod geometry;
mod named_colors;
pub(crate) mod python;
pub(crate) mod regions;
mod spec;
mod table;
mod values;

use std::collections::BTreeSet;

pub use checks::read_integer;
use checks::sort_problems;
pub(crate) use checks::validate;
pub use color::Color;
pub use compression::Compression;
pub use format::Format;
pub use spec::{OptionKind, OptionSpec};
pub use table::{OPTIONS, options_markdown};

use crate::error::{Code, Error, Problem, Result};
use crate::options::cutout::CutOut;

/// The largest width or height that [`Options`] can ask for, in pixels.
pub(crate) const MAX_SIDE: u32 = 10_000;

/// The highest quality of a lossy encoder.
const MAX_QUALITY: u8 = 100;

/// The largest turn, either way, in degrees.
const MAX_ANGLE: f64 = 360.0;

/// How to cut the subject out, and what to make of it. The default keeps the
/// picture's size and answers WebP.
///
/// The size follows from three fields, and rotation comes after it:
///
/// | `w`, `h` | `exact_resize` | result |
/// |---|---|---|
/// | neither | any | the size of the upright picture |
/// | one | any | the other side keeps the aspect ratio, rounded, 1 ..= 10000 |
/// | both | `false` | the largest size inside `w` × `h` with the aspect ratio kept; may enlarge |
/// | both | `true` | exactly `w` × `h`; may distort |
///
/// [`output_size`](crate::output_size) tells the size beforehand.
///
/// ```
/// use remrembg::{Format, Options};
///
/// let navy = "navy".parse()?;
/// let typed = Options::default().with(|o| (o.format, o.w, o.bg_color) = (Format::Png, Some(800), Some(navy)));
/// assert_eq!(Options::from_pairs([("format", "png"), ("w", "800"), ("bg_color", "navy")])?, typed);
/// # Ok::<(), remrembg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// How the result is encoded. Default: [`Format::Webp`].
    pub format: Format,
    /// Width in pixels before rotation, 1 ..= 10000. Default: unset, as is 0.
    pub w: Option<u32>,
    /// Height in pixels before rotation, 1 ..= 10000. Default: unset, as is 0.
    pub h: Option<u32>,
    /// Make the size exactly `w` × `h` instead of fitting inside it. Without
    /// both sides it changes nothing. Default: `false`.
    pub exact_resize: bool,
    /// Return the alpha as a grey picture, white subject on black, instead of
    /// the cut-out. Excludes `bg_color`. Default: `false`.
    pub mask: bool,
    /// Let the canvas grow with the rotation; otherwise it keeps its size and
    /// the corners are cropped. Default: `true`.
    pub expand: bool,
    /// Rotation in degrees, counter-clockwise, −360 ..= 360. Default: 0.
    pub angle: f64,
    /// Laid behind the subject and into the corners that rotation opened.
    /// Excludes `mask`. Default: unset, which leaves them transparent (white
    /// in JPEG).
    pub bg_color: Option<Color>,
    /// How true a JPEG or WebP file is to the cut-out's colours: 1, the smallest
    /// file, to 100, the truest. Alpha is kept exactly, and so is a WebP mask; PNG,
    /// BMP and pixels lose nothing and make no difference of it. Default: unset, which is 90 for JPEG, 80 for WebP.
    pub quality: Option<u8>,
    /// How long PNG and WebP work for a smaller file. Default: [`Compression::Default`].
    pub compression: Compression,
    /// How the subject is found and cut out.
    pub cut_out: CutOut,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::default(),
            w: None,
            h: None,
            exact_resize: false,
            mask: false,
            expand: true,
            angle: 0.0,
            bg_color: None,
            quality: None,
            compression: Compression::default(),
            cut_out: CutOut::default(),
        }
    }
}

impl Options {
    /// The same, changed. Later versions may add fields, so that none is made in one expression.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Reads options as text, keys and values as in the hosted API's form, and
    /// those that it does not have; of several pairs with the same key the last one counts. [`OPTIONS`] tells
    /// which keys there are and what they accept.
    ///
    /// # Errors
    /// All that is wrong, at once: the error's details name each refused key.
    ///
    /// ```
    /// let error = remrembg::Options::from_pairs([("w", "abc"), ("angle", "500")]).unwrap_err();
    /// assert_eq!(error.details()[0].message, "'w' must be an integer, got: 'abc'");
    /// assert_eq!(error.details()[1].field, "angle");
    /// ```
    pub fn from_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        let (options, problems) = parse(pairs);
        Error::from_problems(problems).map_or(Ok(options), Err)
    }

    /// Checks the ranges of typed values, and `mask` against `bg_color`, as a
    /// removal does before it begins.
    ///
    /// # Errors
    /// All that is wrong, at once, in the words of [`from_pairs`](Self::from_pairs).
    pub fn check(&self) -> Result<()> {
        Error::from_problems(validate(self)).map_or(Ok(()), Err)
    }

    /// Checks what depends on the size of the upright picture, as a removal does once
    /// that is decoded.
    ///
    /// # Errors
    /// [`Code::InvalidRegion`] for points and boxes outside it.
    pub fn check_for(&self, size: (u32, u32)) -> Result<()> {
        Error::from_problems(self.cut_out.prompts.check(size)).map_or(Ok(()), Err)
    }
}

/// Reads what can be read; a refused option keeps its default and is among the
/// problems, which are in the order in which they are reported.
pub(crate) fn parse<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> (Options, Vec<Problem>) {
    let (values, unknown) = sort_out(pairs);
    let mut options = Options::default();
    let mut problems = Vec::new();
    for (spec, value) in OPTIONS.iter().zip(&values) {
        let text = value.as_ref().map(V::as_ref);
        problems.extend(text.and_then(|text| (spec.read)(&mut options, text).err()));
    }
    let color_refused = problems.iter().any(|problem| problem.code == Code::InvalidColor);
    problems.extend(checks::mask_with_color(options.mask, options.bg_color.is_some() || color_refused));
    problems.extend(unknown.iter().map(|key| checks::unknown_option(key)));
    sort_problems(&mut problems);
    (options, problems)
}

/// The last value of each row of the table, and the keys without a row, each
/// once, as they came.
fn sort_out<K: AsRef<str>, V>(pairs: impl IntoIterator<Item = (K, V)>) -> (Vec<Option<V>>, Vec<String>) {
    let mut values: Vec<Option<V>> = OPTIONS.iter().map(|_| None).collect();
    let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
    for (key, value) in pairs {
        let row = OPTIONS.iter().position(|spec| spec.key == key.as_ref());
        match row.and_then(|row| values.get_mut(row)) {
            Some(slot) => *slot = Some(value),
            None if seen.insert(key.as_ref().to_owned()) => unknown.push(key.as_ref().to_owned()),
            None => {}
        }
    }
    (values, unknown)
}
