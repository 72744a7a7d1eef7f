//! One removal from start to end, one line a stage:
//!
//! ```text
//! bytes → decode → upright → segment → refine → cut out → resize → rotate → background → encode → bytes
//! ```

use std::time::{Duration, Instant};

use crate::alpha::found::Found;
use crate::alpha::mask;
use crate::alpha::matting::{self, Matted};
use crate::alpha::refine::{self, Maker, Refined};
use crate::codec::decode::{Decoded, Grey};
use crate::codec::encode;
use crate::codec::limits::Limits;
use crate::codec::profile;
use crate::compose;
use crate::compose::colors;
use crate::compose::spread;
use crate::engine::Engine;
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::{Control, Stage};
use crate::image::hidden;
use crate::image::pixels::{Layout, Matte, Orientation, Pixels};
use crate::image::transform;
use crate::image::views;
use crate::input::Checked;
use crate::models::Recipe;
use crate::options::cutout::CutOut;
use crate::options::geometry;
use crate::options::{Color, Options};
use crate::segment::{self, Plan};

/// Everything that stays the same from one removal to the next.
pub(crate) struct Shop<'a> {
    pub(crate) engine: &'a dyn Engine,
    pub(crate) recipe: &'a Recipe,
    /// Whether the model is so small that several views cost little.
    pub(crate) quick: bool,
    pub(crate) limits: &'a Limits,
    pub(crate) pool: &'a Pool,
}

/// What the caller wants besides the picture.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// The full-size alpha.
    pub(crate) alpha: bool,
    /// A picture without alpha: a cut-out is put on white.
    pub(crate) opaque: bool,
    /// A file, which can have a profile.
    pub(crate) file: bool,
    /// What the caller's own buffer holds, and its size. A result that does not
    /// fit is refused as soon as that is known, before the model runs.
    pub(crate) buffer: Option<(Layout, Option<(u32, u32)>)>,
}

/// What a removal makes before it is encoded.
pub(crate) struct Finished {
    pub(crate) pixels: Pixels,
    /// The upright picture's size.
    pub(crate) upright: (u32, u32),
    pub(crate) alpha: Option<Pixels>,
    pub(crate) found: Found,
    icc: Option<Vec<u8>>,
}

impl Shop<'_> {
    /// Decodes, segments, cuts out and transforms. A mask that the caller brought
    /// stands in for the model.
    pub(crate) fn make(
        &self,
        input: &Checked,
        mask: Option<&Checked>,
        options: &Options,
        wanted: Wanted,
        watch: &mut Watch,
    ) -> Result<Finished> {
        let (decoded, mask) = watch.time(Stage::Decode, |c| self.decode(input, mask, c))?;
        let (pixels, icc) = upright(decoded, watch)?;
        let how = &options.cut_out;
        let size = (pixels.width(), pixels.height());
        if let Some((_, Some(buffer))) = wanted.buffer {
            views::expect_size(buffer, geometry::output_size(size, options))?;
        }
        options.check_for(size)?;
        let (pixels, own) = hidden::neutral(pixels, how.keep_colors);
        let refined = self.alpha(&pixels, mask, how, watch)?;
        let (cut, found) = match (options.mask, how.matting) {
            (true, None) => alone(refined, &pixels),
            _ => watch.time(Stage::CutOut, |c| cut_out(pixels, refined, options, self.pool, c))?,
        };
        let cut = hidden::put_back(cut, own);
        let alpha = wanted.alpha.then(|| compose::alpha_of(&cut));
        let icc = icc.filter(|_| !options.mask);
        // Of a picture's file, pixels alone say nothing of what their numbers mean; a caller's pixels may.
        let told = icc.as_deref().filter(|_| wanted.file || matches!(input, Checked::Pixels(_)));
        let pixels = self.arrange(cut, options, background(options, told), wanted, watch)?;
        Ok(Finished { pixels, upright: size, alpha, found, icc })
    }

    /// What the model makes of a picture, before all else.
    pub(crate) fn matte(&self, input: &Checked, how: &CutOut, watch: &mut Watch) -> Result<Matte> {
        let decoded = watch.time(Stage::Decode, |c| input.decode(Grey::Brightness, self.limits, c))?;
        let (pixels, _) = upright(decoded, watch)?;
        self.segment(&pixels, how, watch)
    }

    /// The picture as stored, and the mask; of two, each is half of the stage.
    fn decode(&self, input: &Checked, mask: Option<&Checked>, control: &Control) -> Result<(Decoded, Option<Pixels>)> {
        let picture = |c: &Control| input.decode(Grey::Brightness, self.limits, c);
        let Some(mask) = mask else { return Ok((picture(control)?, None)) };
        let decoded = control.part((0.0, 0.5), picture)?;
        let mask = control.part((0.5, 1.0), |c| mask::decode(mask, self.limits, c))?;
        Ok((decoded, Some(mask)))
    }

    /// The alpha of a picture: of all of it, or of the part that the caller points at,
    /// which the model then sees larger.
    fn alpha(&self, pixels: &Pixels, mask: Option<Pixels>, how: &CutOut, watch: &mut Watch) -> Result<Refined> {
        let (width, height) = (pixels.width(), pixels.height());
        if let Some(part) = how.prompts.crop((width, height)).filter(|_| mask.is_none()) {
            let inside = CutOut { prompts: how.prompts.within(part), ..how.clone() };
            let Refined { alpha, confidence } = self.alpha_of_all(&pixels.part(part), None, &inside, watch)?;
            let outside = if how.invert_mask { u8::MAX } else { 0 };
            let alpha = Pixels::filled(width, height, Layout::Gray8, outside).with_part(part, &alpha);
            return Ok(Refined { alpha, confidence });
        }
        self.alpha_of_all(pixels, mask, how, watch)
    }

    fn alpha_of_all(&self, pixels: &Pixels, mask: Option<Pixels>, how: &CutOut, watch: &mut Watch) -> Result<Refined> {
        let maker = if mask.is_some() { Maker::Caller } else { Maker::Model };
        let mask = mask.map_or_else(|| refine::mask_of(&self.segment(pixels, how, watch)?), Ok)?;
        watch.time(Stage::Refine, |c| refine::refine(mask, maker, pixels, how, self.pool, c))
    }

    fn segment(&self, pixels: &Pixels, how: &CutOut, watch: &mut Watch) -> Result<Matte> {
        let plan = Plan::for_cut_out(how, self.quick);
        watch.time(Stage::Segment, |c| segment::segment(pixels, plan, self.recipe, self.engine, self.pool, c))
    }

    /// The stages that follow the options alone: resize, rotate, background.
    fn arrange(
        &self,
        cut: Pixels,
        options: &Options,
        background: Option<Color>,
        wanted: Wanted,
        watch: &mut Watch,
    ) -> Result<Pixels> {
        let (opaque, keep_alpha) = (wanted.opaque, options.cut_out.keep_alpha);
        // What gets a colour behind it shows none of those that are hidden.
        let keep_colors = options.cut_out.keep_colors && !opaque && background.is_none();
        let fitted = geometry::fitted_size((cut.width(), cut.height()), options);
        let resize = fitted != (cut.width(), cut.height());
        let cut = watch.time_if(resize, Stage::Resize, cut, |p, c| {
            compose::changed(p, keep_colors, c, |p, c| transform::resize(p, fitted, c))
        })?;
        let turned = geometry::rotated_size(fitted, options.angle, options.expand);
        let rotate = options.angle % 360.0 != 0.0;
        let cut = watch.time_if(rotate, Stage::Rotate, cut, |p, c| {
            compose::changed(p, keep_colors, c, |p, c| transform::rotate(p, options.angle, turned, self.pool, c))
        })?;
        let colors = background.into_iter().chain(opaque.then_some(Color::WHITE));
        let fill = cut.layout() == Layout::Rgba8 && (opaque || background.is_some());
        let filled = watch.time_if(fill, Stage::Background, cut, |cut, _| Ok(colors.fold(cut, compose::fill)))?;
        let filled = if keep_alpha && !opaque { filled.into_rgba() } else { filled };
        let spreads = !fill && !options.mask && !keep_colors;
        if spreads { spread::beyond_the_edge(filled, &watch.control) } else { Ok(filled) }
    }
}

/// The picture as it is to be seen, and its profile.
fn upright(decoded: Decoded, watch: &mut Watch) -> Result<(Pixels, Option<Vec<u8>>)> {
    let Decoded { pixels, orientation, icc } = decoded;
    let turns = orientation != Orientation::Normal;
    let pixels = watch.time_if(turns, Stage::Upright, pixels, |p, _| Ok(transform::upright(p, orientation)))?;
    Ok((pixels, icc))
}

/// The mask that is asked for.
fn alone(refined: Refined, pixels: &Pixels) -> (Pixels, Found) {
    let alpha = compose::limit_alpha(refined.alpha, pixels);
    let found = Found::of(&alpha, refined.confidence);
    (alpha, found)
}

/// The picture with the mask as alpha, or with what matting makes of both; the alpha alone
/// where a mask is asked for.
fn cut_out(
    pixels: Pixels,
    refined: Refined,
    options: &Options,
    pool: &Pool,
    control: &Control,
) -> Result<(Pixels, Found)> {
    let Refined { alpha: mask, confidence } = refined;
    let how = &options.cut_out;
    let matted = matting::estimate(&pixels, &mask, how, !options.mask, control)?;
    let is_matted = matted.is_some();
    let (colors, mut alpha) = matted.map_or((None, mask), |Matted { colors, alpha }| (colors, alpha));
    if is_matted && !how.trimap {
        how.prompts.clip(&mut alpha, if how.invert_mask { u8::MAX } else { 0 }, control)?;
    }
    let (alpha, found) = alone(Refined { alpha, confidence }, &pixels);
    if options.mask {
        return Ok((alpha, found));
    }
    let colors = match colors {
        Some(colors) => colors,
        None if how.estimates_colors() => colors::of_subject(pixels, &alpha, pool, control)?,
        None => pixels,
    };
    Ok((compose::cut_out(colors, &alpha, how.keep_colors), found))
}

/// The colour behind a cut-out. It is one of sRGB, and put into the profile that tells what the result's numbers mean.
fn background(options: &Options, icc: Option<&[u8]>) -> Option<Color> {
    // A clear one hides nothing.
    let color = options.bg_color.filter(|color| color.a > 0)?;
    let own = icc.and_then(|icc| profile::from_srgb(icc, [color.r, color.g, color.b]));
    Some(own.map_or(color, |[r, g, b]| Color { r, g, b, ..color }))
}

impl Finished {
    /// Encodes. The format must be one that keeps the alpha there is.
    pub(crate) fn encode(&self, options: &Options, pool: &Pool, watch: &mut Watch) -> Result<Vec<u8>> {
        let how = encode::How::of(options);
        watch.time(Stage::Encode, |c| encode::encode(&self.pixels, &how, self.icc.as_deref(), pool, c))
    }
}

/// Times the stages that run, and tells the caller of each.
pub(crate) struct Watch<'a> {
    control: Control<'a>,
    pub(crate) times: Vec<(Stage, Duration)>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(control: Control<'a>) -> Self {
        Self { control, times: Vec::with_capacity(Stage::ALL.len()) }
    }

    fn time<T>(&mut self, stage: Stage, run: impl FnOnce(&Control) -> Result<T>) -> Result<T> {
        self.control.report(stage, 0.0)?;
        let start = Instant::now();
        let made = run(&self.control)?;
        self.times.push((stage, start.elapsed()));
        self.control.report(stage, 1.0)?;
        Ok(made)
    }

    fn time_if<T>(
        &mut self,
        needed: bool,
        stage: Stage,
        value: T,
        run: impl FnOnce(T, &Control) -> Result<T>,
    ) -> Result<T> {
        if needed { self.time(stage, |control| run(value, control)) } else { Ok(value) }
    }
}
