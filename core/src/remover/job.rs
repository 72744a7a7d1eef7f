//! One removal: what is asked of it, and how it runs.

use std::time::Duration;

use super::{Output, PixelOutput, Remover};
use crate::alpha::mask;
use crate::codec::limits::Limits;
use crate::error::{Code, Error, Problem, Result};
use crate::exec::control::{CancelToken, Control, Progress, Stage};
use crate::exec::permits::Permits;
use crate::image::pixels::{Layout, Matte};
use crate::image::views::{self, PixelViewMut};
use crate::input::{self, Checked, Input};
use crate::models::MODELS;
use crate::options::{self, Options};
use crate::pipeline::{Finished, Shop, Wanted, Watch};
use crate::remover::cost::{self, Made};

/// One removal, described step by step and then run.
#[derive(Debug)]
#[must_use = "a job does nothing until it is run"]
pub struct Job<'a> {
    remover: &'a Remover,
    input: Input<'a>,
    mask: Option<Input<'a>>,
    options: Options,
    problems: Vec<Problem>,
    wanted: Wanted,
    more_formats: bool,
    control: Control<'a>,
}

impl<'a> Job<'a> {
    pub(super) fn new(remover: &'a Remover, input: Input<'a>) -> Self {
        Self {
            remover,
            input,
            mask: None,
            options: Options::default(),
            problems: Vec::new(),
            wanted: Wanted::default(),
            more_formats: false,
            control: Control::default(),
        }
    }

    /// Sets the options.
    pub fn options(mut self, options: &Options) -> Self {
        self.problems = options::validate(options);
        self.options = options.clone();
        self
    }

    /// Sets the options from text, as [`Options::from_pairs`] reads it. Problems
    /// are kept, to be told together with the picture's when the job runs.
    pub fn pairs<K: AsRef<str>, V: AsRef<str>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        (self.options, self.problems) = options::parse(pairs);
        self
    }

    /// Takes the mask from a picture instead of from the model, which then does
    /// not run: one that was kept, painted, or made by other means. White is
    /// subject, black is background, what is between is partly transparent. All
    /// else follows as ever, as the options have it, `mask` too: its edge is laid onto
    /// the picture's, however coarse or hard it is, unless
    /// [`CutOut::refine`](crate::CutOut::refine) is off, which takes it as it is;
    /// details finer than a thousandth of its longer side follow the picture. With
    /// [`CutOut::trimap`](crate::CutOut::trimap) it says what is known.
    ///
    /// It is any picture that the job itself would take, under the same limits,
    /// turned upright as its EXIF asks. Of one with alpha that is not 255
    /// throughout, such as a cut-out, the alpha is the mask; of every other, the
    /// brightness (luma of ITU-R BT.601). Where its size is not the upright
    /// picture's it is stretched to that, which takes some 10 bytes of memory per
    /// pixel of the larger.
    ///
    /// Its problems have the field `mask` and are told after the picture's.
    /// [`Input::Missing`] is a problem too: to let the model make the mask, do not
    /// call this.
    ///
    /// ```
    /// # use remrembg::{Config, Layout, Pixels, Remover};
    /// # let picture = Pixels::filled(8, 6, Layout::Rgb8, 200);
    /// let remover = Remover::new(Config::default())?;
    /// let left = Pixels::new(2, 1, Layout::Gray8, vec![255, 0])?;
    /// let cutout = remover.job(picture.view()).mask_from(left.view()).run_to_pixels()?.pixels;
    /// assert_eq!((cutout.data()[3], cutout.data()[7 * 4 + 3]), (255, 0));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    pub fn mask_from(mut self, input: impl Into<Input<'a>>) -> Self {
        self.mask = Some(input.into());
        self
    }

    /// Reads GIF and TIFF too, as a remover with [`Limits::more_formats`] does for every job; a mask that is brought as well.
    pub fn more_formats(mut self) -> Self {
        self.more_formats = true;
        self
    }

    /// Asks for the full-size alpha beside the picture: the alpha that the cut-out
    /// has, or the mask.
    pub fn with_alpha(mut self) -> Self {
        self.wanted.alpha = true;
        self
    }

    /// Calls `progress` on this thread, between stages and inside long ones. The removal waits for it.
    pub fn progress(mut self, progress: &'a dyn Fn(Progress)) -> Self {
        self.control.progress = Some(progress);
        self
    }

    /// Stops soon after `token` is cancelled.
    pub fn cancel(mut self, token: &'a CancelToken) -> Self {
        self.control.cancel = Some(token);
        self
    }

    /// Stops soon after `stop` answers `true`. It is asked on this thread, every
    /// few milliseconds, also while this thread waits.
    pub fn cancel_when(mut self, stop: &'a dyn Fn() -> bool) -> Self {
        self.control.stop = Some(stop);
        self
    }

    /// Runs and encodes.
    ///
    /// # Errors
    /// Of kind [`Validation`](crate::ErrorKind::Validation) with every problem of
    /// the options and the first one of the picture, and of the mask where one is
    /// brought; [`OverBudget`](crate::Code::OverBudget) for one that would take more than
    /// [`Config::memory`](crate::Config::memory); [`Cancelled`](crate::Code::Cancelled);
    /// [`CannotRead`](crate::Code::CannotRead) for a path; of kind
    /// [`Engine`](crate::ErrorKind::Engine) when inference fails.
    pub fn run(mut self) -> Result<Output> {
        (self.wanted.opaque, self.wanted.file) = (!self.options.format.keeps_alpha(), true);
        let wanted = self.wanted;
        self.checked(Made::File, |shop, Request { input, mask, options }, mut watch| {
            let finished = shop.make(&input, mask.as_ref(), &options, wanted, &mut watch)?;
            let data = finished.encode(&options, shop.pool, &mut watch)?;
            let (width, height) = (finished.pixels.width(), finished.pixels.height());
            let Finished { upright, alpha, found, .. } = finished;
            Ok(Output { data, format: options.format, width, height, upright, alpha, found, times: watch.times })
        })
    }

    /// Says where the pixels of [`run_to_pixels`](Self::run_to_pixels) will go:
    /// a buffer of this layout and, where it is known, of this size. What cannot
    /// go there is refused before the model runs, and a cut-out for a buffer
    /// without alpha is put on white.
    pub fn for_buffer(mut self, layout: Layout, size: Option<(u32, u32)>) -> Self {
        self.wanted.buffer = Some((layout, size));
        self
    }

    /// Runs, and gives pixels instead of an encoded file: straight RGBA, RGB
    /// when an opaque `bg_color` was asked for without [`CutOut::keep_alpha`](crate::CutOut::keep_alpha),
    /// grey when the mask was.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`BadPixels`](crate::Code::BadPixels) for what
    /// [`for_buffer`](Self::for_buffer) rules out.
    pub fn run_to_pixels(mut self) -> Result<PixelOutput> {
        let buffer = self.wanted.buffer.map(|(layout, _)| layout);
        let made = if self.options.mask { Layout::Gray8 } else { Layout::Rgb8 };
        buffer.map_or(Ok(()), |layout| views::expect_channels(layout, made))?;
        self.wanted.opaque = buffer.is_some_and(|layout| !layout.has_alpha());
        let wanted = self.wanted;
        self.checked(Made::Pixels, |shop, Request { input, mask, options }, mut watch| {
            let finished = shop.make(&input, mask.as_ref(), &options, wanted, &mut watch)?;
            let Finished { pixels, alpha, found, .. } = finished;
            Ok(PixelOutput { pixels, alpha, found, times: watch.times })
        })
    }

    /// Runs, and fills the caller's buffer, which must have the result's size
    /// ([`output_size`](crate::output_size) tells it). RGBA holds every result;
    /// an RGB buffer gets a cut-out on white; a grey one holds a mask alone.
    /// Gives how long each stage took.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`BadPixels`](crate::Code::BadPixels) for a
    /// buffer of another size, before the model runs, or of too few channels.
    /// The buffer is left as it is on every error.
    pub fn run_into(self, target: &mut PixelViewMut<'_>) -> Result<Vec<(Stage, Duration)>> {
        let made = self.for_buffer(target.layout(), Some(target.size())).run_to_pixels()?;
        target.copy_from(&made.pixels).map(|()| made.times)
    }

    /// Runs the model alone, and gives what it makes of the picture: 1 is subject, 0 is
    /// background, at the size at which the model saw the upright picture, to be
    /// stretched over it. Of the options `preset` and `refine` have a say, as the
    /// model sees the picture as they ask.
    ///
    /// ```
    /// # use remrembg::{Config, Layout, Pixels, Remover};
    /// # let picture = Pixels::filled(8, 6, Layout::Rgb8, 200);
    /// let remover = Remover::new(Config::default())?;
    /// let matte = remover.job(picture.view()).run_to_matte()?;
    /// assert_eq!(matte.data.len(), matte.width as usize * matte.height as usize);
    /// assert!(matte.data.iter().all(|value| (0.0..=1.0).contains(value)));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_to_matte(mut self) -> Result<Matte> {
        (self.mask, self.options.cut_out.trimap) = (None, false);
        self.checked(Made::Matte, |shop, request, mut watch| {
            shop.matte(&request.input, &request.options.cut_out, &mut watch)
        })
    }

    /// Reads and checks all there is to check, waits for a permit, and does the work on one of the remover's threads.
    fn checked<T: Send>(
        self,
        made: Made,
        work: impl FnOnce(Shop<'_>, Request<'_>, Watch<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let Self { remover, input, mask, options, problems, more_formats, control, .. } = self;
        remover.check_process()?;
        let limits = &Limits { more_formats: more_formats || remover.limits.more_formats, ..remover.limits };
        let input = input::check(input, limits, &control);
        let mask = match mask {
            None if options.cut_out.trimap => Some(Input::Missing),
            mask => mask,
        };
        let mask = mask.map(|mask| mask::check(mask, limits, &control)).transpose();
        let (input, mask) = collect(input, mask, problems)?;
        let needed = cost::of_job(&input, mask.as_ref(), &options, made);
        let _permit = permits(remover, needed)?.enter(needed, &control)?;
        let quick = remover.model == MODELS[0].name;
        let shop = Shop { engine: &*remover.engine, recipe: &remover.recipe, quick, limits, pool: &remover.pool };
        remover.threads.run(&control, |control| work(shop, Request { input, mask, options }, Watch::new(control)))
    }
}

/// # Errors
/// [`Code::OverBudget`] for a job that no permit will ever be large enough for.
fn permits(remover: &Remover, needed: u64) -> Result<&Permits> {
    let budget = remover.permits.budget();
    if needed <= budget {
        return Ok(&remover.permits);
    }
    let (needed, budget) = (Limits::megabytes(needed), Limits::megabytes(budget));
    let message = format!("Image and options need {needed:.0} MB of memory, more than the budget of {budget:.0} MB.");
    Err(Problem::with_message(Problem::IMAGE, Code::OverBudget, message).into())
}

/// What is asked for, once it is checked.
struct Request<'a> {
    input: Checked<'a>,
    mask: Option<Checked<'a>>,
    options: Options,
}

/// Checks a request as [`Job::run`] does before it decodes, without a model: the
/// name, size and header of the picture, and `pairs` as [`Options::from_pairs`].
///
/// # Errors
/// Of kind [`Validation`](crate::ErrorKind::Validation) with every problem of
/// the options and the first one of the picture;
/// [`CannotRead`](crate::Code::CannotRead) for a path.
pub fn check_request<'a, K: AsRef<str>, V: AsRef<str>>(
    input: impl Into<Input<'a>>,
    pairs: impl IntoIterator<Item = (K, V)>,
    limits: &Limits,
) -> Result<Options> {
    let (options, problems) = options::parse(pairs);
    collect(input::check(input.into(), limits, &Control::default()), Ok(None), problems)?;
    Ok(options)
}

/// Joins the pictures' problems with those of the options, in the contract's
/// order. A picture that cannot be read is no fault of the request's, and is told
/// alone.
fn collect<'a>(
    input: Result<Checked<'a>>,
    mask: Result<Option<Checked<'a>>>,
    problems: Vec<Problem>,
) -> Result<(Checked<'a>, Option<Checked<'a>>)> {
    match (input, mask) {
        (Err(error), _) | (_, Err(error)) if error.details().is_empty() => Err(error),
        (input, mask) => {
            let refused = input.as_ref().err().into_iter().chain(mask.as_ref().err());
            let pictures = refused.flat_map(|error| error.details().iter().cloned());
            Error::from_problems(pictures.chain(problems).collect()).map_or(Ok(()), Err)?;
            Ok((input?, mask?))
        }
    }
}
