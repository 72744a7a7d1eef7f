//! What a caller holds: a [`Remover`] that is built once, its settings, and the jobs it does.
//!
//! Knows of everything who may run it, when, and within which bounds; the work itself is the pipeline's.

mod cost;
mod job;
mod output;
mod settings;

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::limits::Limits;
use crate::engine::{self, Engine, EngineChoice, EngineInfo, Provider, Runtime, Weights};
use crate::error::{self, Result};
use crate::exec::Pool;
use crate::exec::permits::{Load, Permits};
use crate::exec::threads::Threads;
use crate::input::Input;
use crate::models::{self, MODELS, Model, Recipe, Store};
use crate::options::Options;
use crate::segment;
pub use job::{Job, check_request};
pub use output::{Output, PixelOutput};
pub use settings::{SETTINGS, SettingSpec, settings_markdown};

/// What a [`Remover`] is built from. The default runs the bundled model on
/// the engine of our own.
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
    /// Default: empty, which is CUDA, ROCm or OpenVINO where ONNX Runtime runs the model, the
    /// library offers it and it can be set up, else the CPU.
    pub providers: Vec<Provider>,
    /// Threads that work on one picture. Default: 0, one for each core this process may use.
    pub threads: usize,
    /// Removals that may run at once, from decoding to encoding; others wait.
    /// Default: 0, one more than there are threads.
    pub in_flight: usize,
    /// Memory in bytes that the running removals may take together, beside what
    /// the model takes; others wait, and one that would need more by itself is
    /// refused. Default: 0, without a bound.
    pub memory: u64,
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
/// most [`Config::in_flight`] of them work on a picture at once, from decoding to
/// encoding, within [`Config::memory`], and one inference
/// runs at a time; the others
/// wait their turn and notice a cancellation while they do. So memory stays
/// bounded, and decoding and encoding overlap with inference. A removal has a thread that stays with the
/// remover, inference has another, and [`Config::threads`] less one help either. Callbacks are called on the
/// caller's thread. A progress callback may call back into the same remover, and is charged nothing then; in another it waits as anyone
/// does, so that two whose callbacks call each other must not both be at their bound. Removers with as many threads have the same
/// helpers, and share nothing else. ONNX Runtime, rten and libwebp have threads of their own besides.
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
    permits: Permits,
    pool: Pool,
    threads: Threads,
}

#[cfg(feature = "bench")]
impl Remover {
    pub(crate) fn inference(&self) -> &dyn Engine {
        &*self.engine
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        &self.recipe
    }
}

impl Remover {
    /// Loads the model and the engine: tens to hundreds of milliseconds.
    ///
    /// # Errors
    /// Of kind [`Model`](crate::ErrorKind::Model) when the model is unknown, not
    /// on this machine or damaged; of kind [`Engine`](crate::ErrorKind::Engine)
    /// when the engine asked for is not to be had.
    pub fn new(config: Config) -> Result<Self> {
        let Config { model, engine, providers, threads, in_flight, memory, limits, onnxruntime, onnxruntime_hints } =
            config;
        let (name, recipe, weights) = resolve(model)?;
        let pool = Pool::of(threads);
        let runtime = Runtime { path: onnxruntime.as_deref(), hints: &onnxruntime_hints, providers: &providers };
        let engine = engine::open(engine, &weights, &pool, &runtime)?;
        segment::check_input(&recipe, &*engine)?;
        let places = if in_flight == 0 { pool.threads() + 1 } else { in_flight };
        let permits = Permits::new(places, if memory == 0 { u64::MAX } else { memory });
        let (engine, process) = (Arc::from(engine), std::process::id());
        Ok(Self { engine, process, recipe, limits, model: name, permits, pool, threads: Threads::default() })
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

    /// How many removals may run at once, at least 1:
    /// [`Config::in_flight`], or what its default came to.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.permits.places()
    }

    /// What it is busy with now.
    #[must_use]
    pub fn load(&self) -> Load {
        self.permits.load()
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
        if self.is_of_this_process() { Ok(()) } else { Err(error::left_behind()) }
    }

    /// Describes a removal that is followed, stopped, or asked for in text.
    pub fn job<'a>(&'a self, input: impl Into<Input<'a>>) -> Job<'a> {
        Job::new(self, input.into())
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
