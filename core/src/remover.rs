//! The front door: a [`Remover`] that is built once, and the jobs it does.

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::control::{CancelToken, Control, Progress, Stage};
use crate::cutout::CutOut;
use crate::engine::{self, Engine, EngineChoice, EngineInfo, Provider, Runtime, Weights};
use crate::error::{Error, Problem, Result};
use crate::gate::Gate;
use crate::input::{self, Checked, Input};
use crate::limits::Limits;
use crate::models::{self, MODELS, Model, Recipe, Store};
use crate::options::{self, Format, Options};
use crate::pipeline::{Finished, Shop, Wanted, Watch};
use crate::pixels::{Layout, Pixels};
use crate::segment;
use crate::views::{self, PixelViewMut};

/// What a [`Remover`] is built from. The default runs the bundled model on
/// ONNX Runtime where one is found and on the built-in engine elsewhere.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// Which model to run. Default: the bundled one.
    pub model: Model,
    /// Which engine runs it. Default: the best that is found.
    pub engine: EngineChoice,
    /// What ONNX Runtime computes on, by preference: the first that the loaded
    /// library offers and that can be set up is used, and [`EngineInfo::fallback`]
    /// tells why those before it are not. It is an error when none can be. Anything
    /// but [`Provider::Cpu`] in the list needs ONNX Runtime: no other engine steps in.
    /// Default: empty, which is CUDA, ROCm or OpenVINO where the library offers it
    /// and it can be set up, else the CPU.
    pub providers: Vec<Provider>,
    /// Threads of one inference. Default: 0, one for each core this process may use.
    pub threads: usize,
    /// Removals that may hold a picture in memory at once; others wait.
    /// Default: 0, one more than there are threads.
    pub in_flight: usize,
    /// Bounds on each request.
    pub limits: Limits,
    /// An ONNX Runtime library, or a folder that holds one. Default: look for it.
    pub onnxruntime: Option<PathBuf>,
    /// More places to look for ONNX Runtime, after those of the environment.
    pub onnxruntime_hints: Vec<PathBuf>,
}

/// Removes backgrounds. Built once, used for many pictures.
///
/// `Send + Sync`: any number of threads may call through one `&Remover`. At
/// most [`Config::in_flight`] of them hold a picture at once, and one inference
/// runs at a time, on [`Config::threads`] threads of the engine's own; the others
/// wait their turn and notice a cancellation while they do. So memory stays
/// bounded by what that many pictures need, and decoding and encoding, which
/// run on the callers' threads, overlap with inference. A progress callback may
/// call back into the same remover. Several removers share nothing: each has its
/// own threads.
///
/// After a `fork` the child has the remover but not its threads: there every
/// removal is an error of code [`EngineFailed`](crate::Code::EngineFailed), and a
/// remover of the child's own works.
pub struct Remover {
    engine: Arc<dyn Engine>,
    process: u32,
    recipe: Recipe,
    limits: Limits,
    model: String,
    gate: Gate,
}

impl Remover {
    /// Loads the model and the engine: tens to hundreds of milliseconds.
    ///
    /// # Errors
    /// Of kind [`Model`](crate::ErrorKind::Model) when the model is unknown, not
    /// on this machine or damaged; of kind [`Engine`](crate::ErrorKind::Engine)
    /// when the engine asked for is not to be had.
    pub fn new(config: Config) -> Result<Self> {
        let Config { model, engine, providers, threads, in_flight, limits, onnxruntime, onnxruntime_hints } = config;
        let (name, recipe, weights) = resolve(model)?;
        let runtime = Runtime { path: onnxruntime.as_deref(), hints: &onnxruntime_hints, providers: &providers };
        let engine = engine::open(engine, &weights, threads, &runtime)?;
        segment::check_input(&recipe, &*engine)?;
        let places = if in_flight == 0 { engine.info().threads + 1 } else { in_flight };
        let (engine, process) = (Arc::from(engine), std::process::id());
        Ok(Self { engine, process, recipe, limits, model: name, gate: Gate::new(places) })
    }

    /// The name of the model, or the path of its file.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What the model runs on.
    #[must_use]
    pub fn engine(&self) -> &EngineInfo {
        self.engine.info()
    }

    /// The bounds on each request.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many removals may hold a picture at once, at least 1:
    /// [`Config::in_flight`], or what its default came to.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.gate.places()
    }

    /// Removes the background of one picture.
    ///
    /// ```
    /// # use remrembg::{Config, Options, Pixels, Layout, Remover};
    /// # let picture = Pixels::filled(8, 6, Layout::Rgb8, 200);
    /// let remover = Remover::new(Config::default())?;
    /// let output = remover.remove(picture.view(), &Options::default())?;
    /// assert_eq!((output.width, output.height, output.mime()), (8, 6, "image/webp"));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Job::run`].
    pub fn remove<'a>(&'a self, input: impl Into<Input<'a>>, options: &Options) -> Result<Output> {
        self.job(input).options(options).run()
    }

    fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    fn check_process(&self) -> Result<()> {
        if self.is_of_this_process() { Ok(()) } else { Err(engine::left_behind()) }
    }

    /// Describes a removal that is followed, stopped, or asked for in text.
    pub fn job<'a>(&'a self, input: impl Into<Input<'a>>) -> Job<'a> {
        let (options, problems) = (Options::default(), Vec::new());
        Job {
            remover: self,
            input: input.into(),
            options,
            problems,
            wanted: Wanted::default(),
            control: Control::default(),
        }
    }
}

/// In the child of a fork, an engine would wait for threads that it does not have.
impl Drop for Remover {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            mem::forget(Arc::clone(&self.engine));
        }
    }
}

impl std::fmt::Debug for Remover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remover").field("model", &self.model).field("engine", self.engine()).finish_non_exhaustive()
    }
}

/// One removal, described step by step and then run.
#[derive(Debug)]
#[must_use = "a job does nothing until it is run"]
pub struct Job<'a> {
    remover: &'a Remover,
    input: Input<'a>,
    options: Options,
    problems: Vec<Problem>,
    wanted: Wanted,
    control: Control<'a>,
}

impl<'a> Job<'a> {
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

    /// Says how the subject is cut out: with matting, a smooth mask, all colours
    /// kept. Without it, as the default says.
    pub fn cut_out(mut self, cut_out: CutOut) -> Self {
        self.wanted.cut_out = cut_out;
        self
    }

    /// Asks for the full-size matte beside the picture: the alpha that the cut-out
    /// has, or the mask.
    pub fn keep_matte(mut self) -> Self {
        self.wanted.matte = true;
        self
    }

    /// Calls `progress` on this thread, between stages and inside long ones.
    pub fn progress(mut self, progress: &'a dyn Fn(Progress)) -> Self {
        self.control.progress = Some(progress);
        self
    }

    /// Stops soon after `token` is cancelled.
    pub fn cancel(mut self, token: &'a CancelToken) -> Self {
        self.control.cancel = Some(token);
        self
    }

    /// Stops soon after `stop` answers `true`. It is asked on this thread, between
    /// stages and inside long ones, and while this thread waits.
    pub fn cancel_when(mut self, stop: &'a dyn Fn() -> bool) -> Self {
        self.control.stop = Some(stop);
        self
    }

    /// Runs and encodes.
    ///
    /// # Errors
    /// Of kind [`Validation`](crate::ErrorKind::Validation) with every problem of
    /// the options and the first one of the picture;
    /// [`Cancelled`](crate::Code::Cancelled); [`CannotRead`](crate::Code::CannotRead)
    /// for a path; of kind [`Engine`](crate::ErrorKind::Engine) when inference fails.
    pub fn run(mut self) -> Result<Output> {
        let format = self.options.format;
        self.wanted.opaque = !format.keeps_alpha();
        let mut watch = Watch::new(self.control);
        let finished = self.make(&mut watch)?;
        let data = finished.encode(format, &mut watch)?;
        let (width, height) = (finished.pixels.width(), finished.pixels.height());
        let Finished { upright, matte, .. } = finished;
        Ok(Output { data, format, width, height, upright, matte, times: watch.times })
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
    /// when an opaque `bg_color` was asked for without [`CutOut::keep_alpha`],
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
        let mut watch = Watch::new(self.control);
        let finished = self.make(&mut watch)?;
        Ok(PixelOutput { pixels: finished.pixels, matte: finished.matte, times: watch.times })
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

    fn make(self, watch: &mut Watch) -> Result<Finished> {
        let Self { remover, input, options, problems, wanted, control } = self;
        remover.check_process()?;
        let _place = remover.gate.enter(&control)?;
        let input = collect(input::check(input, &remover.limits), problems)?;
        let shop = Shop { engine: &*remover.engine, recipe: &remover.recipe, limits: &remover.limits };
        shop.make(&input, &options, wanted, watch)
    }
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
    collect(input::check(input.into(), limits), problems)?;
    Ok(options)
}

/// The model's name, how to feed it, and its weights.
fn resolve(model: Model) -> Result<(String, Recipe, Weights)> {
    match model {
        Model::Bundled => bundled(),
        Model::Named(name) if name == MODELS[0].name => bundled(),
        Model::Named(name) => {
            let path = Store::from_env().locate(&name)?;
            let recipe = models::find(&name)?.recipe;
            Ok((name, recipe, Weights::File(path)))
        }
        Model::File { path, recipe } => Ok((path.display().to_string(), recipe, Weights::File(path))),
    }
}

#[cfg(feature = "bundled-model")]
fn bundled() -> Result<(String, Recipe, Weights)> {
    let spec = &MODELS[0];
    Ok((spec.name.to_owned(), spec.recipe, Weights::BUNDLED))
}

/// Without the feature, the same model from the model folders.
#[cfg(not(feature = "bundled-model"))]
fn bundled() -> Result<(String, Recipe, Weights)> {
    let spec = &MODELS[0];
    Ok((spec.name.to_owned(), spec.recipe, Weights::File(Store::from_env().locate(spec.name)?)))
}

/// Joins the picture's problem with those of the options, in the contract's order.
fn collect<'a>(input: Result<Checked<'a>>, mut problems: Vec<Problem>) -> Result<Checked<'a>> {
    match input {
        Err(error) if error.details().is_empty() => Err(error),
        Err(error) => {
            problems.splice(0..0, error.details().iter().cloned());
            Err(Error::from_problems(problems).unwrap_or(error))
        }
        Ok(input) => Error::from_problems(problems).map_or(Ok(input), Err),
    }
}

/// An encoded cut-out, or mask.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Output {
    /// The encoded file.
    pub data: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Width and height of the upright picture that it was made from.
    pub upright: (u32, u32),
    /// The alpha matte at the upright picture's size ([`Layout::Gray8`](crate::Layout::Gray8)),
    /// where [`Job::keep_matte`] asked for it.
    pub matte: Option<Pixels>,
    /// How long each stage took, in the order in which they ran.
    pub times: Vec<(Stage, Duration)>,
}

impl Output {
    /// The MIME type of [`data`](Self::data).
    #[must_use]
    pub fn mime(&self) -> &'static str {
        self.format.mime()
    }
}

/// A cut-out, or mask, as pixels.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PixelOutput {
    /// The picture.
    pub pixels: Pixels,
    /// As [`Output::matte`].
    pub matte: Option<Pixels>,
    /// As [`Output::times`].
    pub times: Vec<(Stage, Duration)>,
}
