//! `rten`, compiled in. The only file that names `rten`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rten::{DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueType};
use rten_tensor::Layout;

use super::worker::Worker;
use super::{Engine, EngineInfo, Tensor, Weights, failed, other_input, other_output, unreadable};
use crate::error::Result;
use crate::exec::control::Control;
use crate::exec::guard::caught;

const NAME: &str = "rten";

/// The version that `Cargo.lock` holds; the crate does not tell.
const VERSION: &str = "0.27.0";

struct Rten {
    info: EngineInfo,
    input: Vec<Option<usize>>,
    worker: Worker,
    model: Arc<Loaded>,
}

struct Loaded {
    model: Model,
    input: NodeId,
    output: NodeId,
    pool: Arc<ThreadPool>,
}

pub(super) fn open(weights: &Weights, threads: usize, fallback: Option<String>) -> Result<Box<dyn Engine>> {
    let model = caught(|| load(weights)).map_err(|panic| unreadable(NAME, panic))??;
    let (&[input], Some(&output)) = (model.input_ids(), model.output_ids().first()) else {
        return Err(match (model.input_ids().len(), model.output_ids().len()) {
            (0, 0) => unreadable(NAME, "there is no graph"),
            (inputs, outputs) => other_input(format_args!("{inputs} inputs and {outputs} outputs")),
        });
    };
    let dimensions = input_dimensions(&model, input)?;
    match model.node_info(output).and_then(|node| node.dtype()) {
        Some(ValueType::Tensor(DataType::Float)) | None => {}
        Some(other) => return Err(other_output(format_args!("an output of type {other}"))),
    }
    let info = EngineInfo {
        name: "rten",
        version: VERSION.to_owned(),
        provider: "CPU".to_owned(),
        library: None,
        threads,
        fallback,
    };
    let pool = Arc::new(ThreadPool::with_num_threads(threads));
    let model = Arc::new(Loaded { model, input, output, pool });
    Ok(Box::new(Rten { info, input: dimensions, worker: Worker::start(NAME)?, model }))
}

fn load(weights: &Weights) -> Result<Model> {
    let mut options = ModelOptions::with_all_ops();
    options.enable_optimization(has_threads_to_optimize());
    let loaded = match weights {
        Weights::File(path) if is_named_onnx(path) => options.load_file(path),
        // rten goes by the suffix of a file, but by the content of bytes.
        weights => options.load(weights.bytes()?.into_owned()),
    };
    loaded.map_err(|error| unreadable(NAME, &error).because(error))
}

/// rten optimises a graph on threads that it makes once in a process: in the
/// child of a fork they are missing, and it would wait for them for ever.
fn has_threads_to_optimize() -> bool {
    static MADE_IN: OnceLock<u32> = OnceLock::new();
    let process = std::process::id();
    *MADE_IN.get_or_init(|| process) == process
}

fn is_named_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == "onnx")
}

fn input_dimensions(model: &Model, input: NodeId) -> Result<Vec<Option<usize>>> {
    let node = model.node_info(input);
    match node.as_ref().and_then(|node| node.dtype()) {
        Some(ValueType::Tensor(DataType::Float)) | None => {}
        Some(other) => return Err(other_input(format_args!("an input of type {other}"))),
    }
    let shape = node.and_then(|node| node.shape()).unwrap_or_default();
    Ok(shape.iter().map(|size| if let Dimension::Fixed(size) = size { Some(*size) } else { None }).collect())
}

impl Engine for Rten {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let model = Arc::clone(&self.model);
        self.worker.run(control, move || model.infer(input), || ())
    }
}

impl Loaded {
    fn infer(&self, input: Tensor) -> Result<Tensor> {
        let input = Value::from_shape(input.shape.as_slice(), input.data).map_err(|error| failed(NAME, error))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let [output] = self
            .model
            .run_n(vec![(self.input, input.into())], [self.output], Some(options))
            .map_err(|error| failed(NAME, &error).because(error))?;
        let Some(output) = output.into_tensor::<f32>() else {
            return Err(failed(NAME, "the first output is not of 32-bit floats"));
        };
        Ok(Tensor { shape: output.shape().to_vec(), data: output.into_data() })
    }
}
