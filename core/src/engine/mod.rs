//! Inference: one trait, three engines.
//!
//! `native`, our own, and `rten` are compiled in; ONNX Runtime is loaded at run time where one is found. Each engine runs
//! one inference at a time; whoever comes meanwhile waits for a turn, in the order of arrival, so that memory stays that
//! of one inference however many threads call. Knows tensors and threads. Knows nothing of pictures or recipes.

#[cfg(not(any(feature = "onnxruntime", feature = "rten")))]
compile_error!("remrembg needs an engine: turn on the feature `onnxruntime` or the feature `rten`");

#[cfg(feature = "onnxruntime")]
mod locate;
mod native;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod provider;
#[cfg(feature = "rten")]
mod rten;
#[cfg(test)]
pub(crate) mod tests;
mod weights;
mod worker;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use self::provider::Provider;
pub(crate) use self::weights::Weights;
use crate::error::{Code, Error, Result, failed, left_behind};
use crate::exec::Pool;
use crate::exec::control::Control;

/// Which engine to run models with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EngineChoice {
    /// For the bundled model our own engine, unless an ONNX Runtime is named or what only one can compute on. For other
    /// models ONNX Runtime where a library of it is found, else `rten`.
    #[default]
    Auto,
    /// ONNX Runtime, or an error that lists where it was looked for.
    OnnxRuntime,
    /// `rten`, which is compiled in and needs no other file.
    Rten,
    /// The engine of our own, compiled in too: for the bundled model and other plain convolutional networks.
    Native,
}

impl EngineChoice {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Auto, Self::OnnxRuntime, Self::Rten, Self::Native];

    /// A stable name: `auto`, `onnxruntime`, `rten` or `native`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::OnnxRuntime => "onnxruntime",
            Self::Rten => "rten",
            Self::Native => "native",
        }
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineChoice {
    type Err = Error;

    /// Reads a [`name`](Self::name).
    ///
    /// # Errors
    /// [`Code::EngineUnavailable`] with a message that lists the names.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::with_message(Code::EngineUnavailable, format!("Unknown engine '{text}'. Engines: {names}"))
        })
    }
}

/// What models are run with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineInfo {
    /// `onnxruntime`, `rten` or `native`.
    pub name: &'static str,
    /// The engine's version. Of an ONNX Runtime whose file name has none, the
    /// first two numbers.
    pub version: String,
    /// What computes, as the engine calls it: a [`Provider`]'s name, or `CPU`. ONNX
    /// Runtime gives to the processor what another provider cannot do.
    pub provider: String,
    /// The ONNX Runtime library in use. A process loads one and keeps it: this
    /// is not the one that was asked for when another was loaded before it. A
    /// name without a folder was found by the system's loader.
    pub library: Option<PathBuf>,
    /// How many threads compute one inference, at least 1.
    pub threads: usize,
    /// Why something that comes before this in the order of preference is not used:
    /// ONNX Runtime, where [`EngineChoice::Auto`] looks for it in vain, or providers before
    /// this one in [`Config::providers`](crate::Config::providers). Of an automatic
    /// list, only those that the loaded library offers are told.
    pub fallback: Option<String>,
}

/// Name, version, provider and threads, for people.
impl fmt::Display for EngineInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, provider, threads, .. } = self;
        let plural = if *threads == 1 { "" } else { "s" };
        write!(f, "{name} {version} ({provider}, {threads} thread{plural})")
    }
}

/// Numbers with a shape, the last dimension contiguous.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// Which ONNX Runtime is asked for, and what it is to compute on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Runtime<'a> {
    /// The caller's own, a file or a folder, beside which no other is looked for.
    pub(crate) path: Option<&'a Path>,
    /// Places where the binding knows of one.
    #[cfg_attr(not(feature = "onnxruntime"), expect(dead_code, reason = "only ONNX Runtime is looked for"))]
    pub(crate) hints: &'a [PathBuf],
    /// By preference; empty is automatic.
    pub(crate) providers: &'a [Provider],
}

impl Runtime<'_> {
    /// What only ONNX Runtime can compute on.
    fn accelerator(&self) -> Option<Provider> {
        self.providers.iter().copied().find(|provider| *provider != Provider::Cpu)
    }

    /// Whether another engine may take its place. A caller who names a runtime, or what only one can compute on, wants
    /// that or to hear why not.
    fn is_open(&self) -> bool {
        self.path.is_none() && self.accelerator().is_none()
    }
}

/// A model that is ready to run: one input and, of its outputs, the first.
pub(crate) trait Engine: Send + Sync {
    fn info(&self) -> &EngineInfo;

    /// The input's dimensions, `None` for one that may have any size. Empty
    /// when the model does not tell.
    fn input(&self) -> &[Option<usize>];

    /// Waits for its turn, then infers. May be called from many threads at
    /// once; one inference runs at a time.
    ///
    /// # Errors
    /// [`Code::Cancelled`], at once, while waiting or while inferring. ONNX
    /// Runtime then stops before the next operator of the graph; a run of
    /// `rten`, or of OpenVINO, which makes one operator of them all, cannot be
    /// stopped and goes on to its end unheard, which the next inference waits for. [`Code::EngineFailed`], also for a panic beneath.
    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor>;
}

/// Makes a model ready, to be computed on the threads of a pool, or on as many.
///
/// # Errors
/// [`Code::CannotRead`], [`Code::ModelDamaged`], [`Code::ModelShape`] when the
/// model has no single input of 32-bit floats, and [`Code::EngineUnavailable`].
pub(crate) fn open(
    choice: EngineChoice,
    weights: &Weights,
    pool: &Pool,
    runtime: &Runtime<'_>,
) -> Result<Box<dyn Engine>> {
    weights.check()?;
    let threads = pool.threads();
    if choice == EngineChoice::Rten || choice == EngineChoice::Native {
        runtime.accelerator().map_or(Ok(()), |provider| Err(cpu_alone(choice, provider)))?;
    }
    let is_ours = weights.is_bundled() && runtime.is_open();
    match choice {
        EngineChoice::Rten => return open_rten(weights, threads, None),
        EngineChoice::Native => return native::open(weights, pool),
        EngineChoice::Auto if is_ours => return native::open(weights, pool),
        EngineChoice::Auto | EngineChoice::OnnxRuntime => {}
    }
    match open_onnxruntime(weights, threads, runtime) {
        Err(error) if choice == EngineChoice::Auto && may_fall_back(&error, runtime) => {
            open_rten(weights, threads, Some(error.message().to_owned()))
        }
        opened => opened,
    }
}

fn may_fall_back(error: &Error, runtime: &Runtime<'_>) -> bool {
    cfg!(feature = "rten") && runtime.is_open() && error.code() == Code::EngineUnavailable
}

fn cpu_alone(choice: EngineChoice, provider: Provider) -> Error {
    let message = format!("{choice} computes on the CPU alone. {provider} needs the engine onnxruntime");
    Error::with_message(Code::EngineUnavailable, message)
}

#[cfg(feature = "onnxruntime")]
use self::onnxruntime::open as open_onnxruntime;

#[cfg(not(feature = "onnxruntime"))]
fn open_onnxruntime(_: &Weights, _: usize, _: &Runtime<'_>) -> Result<Box<dyn Engine>> {
    Err(not_built_in("ONNX Runtime"))
}

#[cfg(feature = "rten")]
use self::rten::open as open_rten;

#[cfg(not(feature = "rten"))]
fn open_rten(_: &Weights, _: usize, _: Option<String>) -> Result<Box<dyn Engine>> {
    Err(not_built_in("rten"))
}

#[cfg(not(all(feature = "onnxruntime", feature = "rten")))]
fn not_built_in(engine: &str) -> Error {
    Error::with_message(Code::EngineUnavailable, format!("This remrembg was built without {engine}"))
}

fn unreadable(engine: &str, why: impl fmt::Display) -> Error {
    Error::with_message(Code::ModelDamaged, format!("{engine} cannot read the model: {why}"))
}

fn other_output(got: impl fmt::Display) -> Error {
    let message = format!("The model gives {got}, but 32-bit floats are needed");
    Error::with_message(Code::ModelShape, message)
}

fn other_input(got: impl fmt::Display) -> Error {
    let message = format!("The model has {got}, but needs a single input of 32-bit floats");
    Error::with_message(Code::ModelShape, message)
}
