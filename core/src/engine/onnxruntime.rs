//! ONNX Runtime, loaded at run time. The only file that names `ort`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::coreml::{ComputeUnits, ModelFormat};
use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::{RunOptions, Session};
use ort::value::{Outlet, TensorElementType};

use super::locate::{self, Place};
use super::worker::Worker;
use super::{Engine, EngineInfo, Provider, Runtime, Tensor, Weights, failed, other_input, other_output, unreadable};
use crate::error::{Code, Error, Result};
use crate::exec::control::Control;
use crate::exec::guard::caught;

const NAME: &str = "ONNX Runtime";

struct OnnxRuntime {
    info: EngineInfo,
    input: Vec<Option<usize>>,
    worker: Worker,
    session: Arc<Mutex<Session>>,
}

/// What rembg prefers to the CPU, in its order.
const AUTOMATIC: [Provider; 3] = [Provider::Cuda, Provider::Rocm, Provider::OpenVino];

/// The library of this process. Its environment lives as long as the process:
/// ONNX Runtime allows no second one, and taking it down at exit crashes in
/// some versions.
struct Library {
    environment: Environment,
    path: PathBuf,
    version: String,
}

static LIBRARY: Mutex<Option<Arc<Library>>> = Mutex::new(None);

pub(super) fn open(weights: &Weights, threads: usize, runtime: &Runtime<'_>) -> Result<Box<dyn Engine>> {
    let library = library(runtime.path, runtime.hints)?;
    let (session, provider, fallback) = choose(&library, weights, threads, runtime.providers)?;
    let input = input_dimensions(session.inputs())?;
    match session.outputs().first().map(Outlet::dtype) {
        Some(kind) if kind.tensor_type() == Some(TensorElementType::Float32) => {}
        Some(kind) => return Err(other_output(format_args!("an output of type {kind}"))),
        None => return Err(other_output("no output")),
    }
    let info = EngineInfo {
        name: "onnxruntime",
        version: library.version.clone(),
        provider: provider.name().to_owned(),
        library: Some(library.path.clone()),
        threads,
        fallback,
    };
    let session = Arc::new(Mutex::new(session));
    Ok(Box::new(OnnxRuntime { info, input, worker: Worker::start(NAME)?, session }))
}

/// The first of the providers that can be set up, and why those before it cannot.
fn choose(
    library: &Library,
    weights: &Weights,
    threads: usize,
    asked: &[Provider],
) -> Result<(Session, Provider, Option<String>)> {
    let mut refused = String::new();
    for provider in preferences(asked) {
        let told = (!refused.is_empty()).then(|| format!("A preferred provider cannot be used. Tried:{refused}"));
        if provider == Provider::Cpu {
            return Ok((on_cpu(library, weights, threads)?, provider, told));
        }
        match accelerated(library, weights, threads, provider) {
            Ok(session) => return Ok((session, provider, told)),
            Err(why) => refused += &format!("\n  {provider}: {why}"),
        }
    }
    // Where the CPU fails too, it is the model's fault.
    on_cpu(library, weights, threads)?;
    let message = format!("No provider that was asked for can be used. Tried:{refused}");
    Err(Error::with_message(Code::EngineUnavailable, message))
}

fn preferences(asked: &[Provider]) -> Vec<Provider> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    AUTOMATIC.into_iter().filter(|provider| is_offered(*provider)).chain([Provider::Cpu]).collect()
}

fn on_cpu(library: &Library, weights: &Weights, threads: usize) -> Result<Session> {
    caught(|| session(&library.environment, weights, threads, None))
        .map_err(|panic| failed(NAME, panic))?
        .map_err(|error| unreadable(NAME, &error).because(error))
}

fn accelerated(
    library: &Library,
    weights: &Weights,
    threads: usize,
    provider: Provider,
) -> std::result::Result<Session, String> {
    if !is_offered(provider) {
        return Err(format!("{} does not offer it", library.path.display()));
    }
    let accelerator = accelerator(provider, threads);
    caught(|| session(&library.environment, weights, threads, accelerator))?.map_err(|error| said(&error))
}

/// Without the place in its own source that ONNX Runtime may put before it.
fn said(error: &ort::Error) -> String {
    let text = error.to_string();
    let coded = text.rsplit_once("[ONNXRuntimeError] : ").and_then(|(_, coded)| coded.splitn(3, " : ").nth(2));
    coded.unwrap_or(&text).trim().to_owned()
}

fn is_offered(provider: Provider) -> bool {
    let told = match provider {
        Provider::Cpu => Ok(true),
        Provider::Cuda => ep::CUDA::is_available(),
        Provider::Rocm => ep::ROCm::is_available(),
        Provider::OpenVino => ep::OpenVINO::is_available(),
        Provider::CoreMl => ep::CoreML::is_available(),
        Provider::DirectMl => ep::DirectML::is_available(),
    };
    told.unwrap_or(false)
}

/// Left to themselves, these compute with fewer bits where the hardware can, and
/// masks move: CUDA in TF32, OpenVINO in 16 bits on graphics and, by its version, on
/// processors with bfloat16, Core ML in 16 bits on Apple's neural engine and in its
/// older format.
fn accelerator(provider: Provider, threads: usize) -> Option<ExecutionProviderDispatch> {
    let dispatch = match provider {
        Provider::Cpu => return None,
        Provider::Cuda => ep::CUDA::default().with_tf32(false).build(),
        Provider::Rocm => ep::ROCm::default().build(),
        Provider::OpenVino => ep::OpenVINO::default().with_precision("FP32").with_num_threads(threads).build(),
        Provider::CoreMl => {
            let core_ml = ep::CoreML::default().with_model_format(ModelFormat::MLProgram);
            core_ml.with_compute_units(ComputeUnits::CPUAndGPU).build()
        }
        Provider::DirectMl => ep::DirectML::default().build(),
    };
    Some(dispatch.error_on_failure())
}

/// The library that is loaded, or else the first that can be.
fn library(runtime: Option<&Path>, hints: &[PathBuf]) -> Result<Arc<Library>> {
    let given = runtime.map(|path| Place::new("given", path));
    let mut slot = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = &*slot {
        // A path that leads nowhere is an error whatever was loaded before.
        let known = |_: &Path| Ok(Arc::clone(library));
        return given.map_or_else(|| Ok(Arc::clone(library)), |place| locate::first(&[place], known).map_err(absent));
    }
    let places = given.map_or_else(|| locate::places(hints), |place| vec![place]);
    let library = Arc::new(locate::first(&places, load).map_err(absent)?);
    *slot = Some(Arc::clone(&library));
    Ok(library)
}

fn absent(tried: locate::Tried) -> Error {
    Error::with_message(Code::EngineUnavailable, tried.to_string())
}

/// Loads a library for good. One that is refused leaves nothing behind, so
/// that another may be tried. From version 1.30 on it tells its maker of its use from the moment that it is loaded, unless
/// `ORT_DISABLE_TELEMETRY` is set, which a library cannot do safely while other threads run; so its doors do.
fn load(path: &Path) -> Result<Library, String> {
    let builder = caught(|| ort::init_from(path))?.map_err(|error| reason(&error))?;
    // Whatever the runtime has to say, it says in its errors.
    let silent = Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| ());
    let environment = caught(|| builder.with_name("remrembg").with_telemetry(false).with_logger(silent).build())?
        .map_err(|error| error.to_string())?;
    environment.set_log_level(LogLevel::Fatal);
    let version = locate::version_in_name(path).filter(|version| version.contains('.'));
    let version = version.or_else(|| ort::util::probe(path).map(|minor| format!("1.{minor}")));
    Ok(Library { environment, path: path.to_owned(), version: version.unwrap_or_default() })
}

fn reason(error: &ort::LoadDynamicError) -> String {
    use ort::LoadDynamicError as Why;
    match error {
        Why::Dlopen { error, .. } => {
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        }
        Why::MissingApi { .. } => "it is not ONNX Runtime (it has no OrtGetApiBase)".to_owned(),
        Why::InvalidVersionString => "it does not tell its version".to_owned(),
        Why::BadVersion { version_str, .. } => {
            format!("version {version_str} is too old, 1.{} or newer is needed", ort::MINOR_VERSION)
        }
    }
}

/// The arena stays on and the memory pattern off. Measured with ONNX Runtime
/// 1.32 and u2netp on 2 threads, eight inferences, peak memory of the process, fastest of the eight on a busy
/// machine:
///
/// | arena | pattern | peak | when idle | fastest |
/// |---|---|---|---|---|
/// | on | on (ONNX Runtime's default) | 522 MB | 535 MB | 293 ms |
/// | on | off | 328 MB, the same after each | 336 MB | 277 ms |
/// | off | on | 316 MB, the same after each | 68 MB | 371 ms |
/// | off | off | 346 to 367 MB, growing | 174 to 274 MB | 316 ms |
///
/// Threads that spin while they have nothing to do would save 5 to 9 % of an
/// inference, and burn the cores on which other pictures decode and encode.
fn session(
    environment: &Environment,
    weights: &Weights,
    threads: usize,
    accelerator: Option<ExecutionProviderDispatch>,
) -> ort::Result<Session> {
    let cpu = ep::CPU::default().with_arena_allocator(true).build();
    let providers: Vec<_> = accelerator.into_iter().chain([cpu]).collect();
    let mut builder = Session::builder(environment)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        .with_execution_providers(providers)?
        .with_config_entry("session.intra_op.allow_spinning", "0")?;
    match weights {
        Weights::Bytes(bytes) => builder.commit_from_memory(bytes),
        Weights::File(path) => builder.commit_from_file(path),
    }
}

fn input_dimensions(inputs: &[Outlet]) -> Result<Vec<Option<usize>>> {
    let [input] = inputs else { return Err(other_input(format_args!("{} inputs", inputs.len()))) };
    let kind = input.dtype();
    match kind.tensor_shape() {
        Some(shape) if kind.tensor_type() == Some(TensorElementType::Float32) => {
            Ok(shape.iter().map(|size| usize::try_from(*size).ok()).collect())
        }
        _ => Err(other_input(format_args!("an input of type {kind}"))),
    }
}

impl Engine for OnnxRuntime {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let options = Arc::new(RunOptions::new().map_err(broken)?);
        let (session, running) = (Arc::clone(&self.session), Arc::clone(&options));
        let work = move || infer(&session, input, &running).map_err(broken);
        // Failing to stop early only means to stop late.
        self.worker.run(control, work, || drop(options.terminate()))
    }
}

fn broken(error: ort::Error) -> Error {
    failed(NAME, &error).because(error)
}

fn infer(session: &Mutex<Session>, input: Tensor, options: &RunOptions) -> ort::Result<Tensor> {
    let input = ort::value::Tensor::from_array((input.shape, input.data))?;
    let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
    let outputs = session.run_with_options(ort::inputs![input], options)?;
    let Some(first) = outputs.values().next() else { return Err(ort::Error::new("the model has no output")) };
    let (shape, data) = first.try_extract_tensor::<f32>()?;
    let shape = shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
    Ok(Tensor { shape, data: data.to_vec() })
}
