//! `rten`, compiled in. The only file that names `rten`.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use rten::{DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueType};
use rten_tensor::Layout;

use super::gate::{Gate, POLL, Turn};
use super::{Engine, EngineInfo, Tensor, Weights, caught, failed, other_input, unreadable};
use crate::control::{CancelToken, Control};
use crate::error::{Code, Error, Result};

const NAME: &str = "rten";

/// The version that `Cargo.lock` holds; the crate does not tell.
const VERSION: &str = "0.27.0";

struct Rten {
    info: EngineInfo,
    input: Vec<Option<usize>>,
    gate: Arc<Gate>,
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
        let (inputs, outputs) = (model.input_ids().len(), model.output_ids().len());
        return Err(other_input(format_args!("{inputs} inputs and {outputs} outputs")));
    };
    let dimensions = input_dimensions(&model, input)?;
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
    Ok(Box::new(Rten { info, input: dimensions, gate: Arc::default(), model }))
}

fn load(weights: &Weights) -> Result<Model> {
    let options = ModelOptions::with_all_ops();
    let loaded = match weights {
        Weights::Bytes(bytes) => options.load(bytes.to_vec()),
        Weights::File(path) if is_named_onnx(path) => options.load_file(path),
        // rten goes by the suffix of a file, but by the content of bytes.
        Weights::File(path) => {
            let bytes = std::fs::read(path).map_err(|error| {
                Error::with_message(Code::CannotRead, format!("Cannot read the model {}: {error}", path.display()))
            })?;
            options.load(bytes)
        }
    };
    loaded.map_err(|error| unreadable(NAME, &error).because(error))
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

    /// A run of `rten` cannot be stopped. With a token to watch it happens on a
    /// thread of its own: who cancels gets the answer at once, while that
    /// thread finishes and only then lets the next inference in.
    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let turn = self.gate.enter(control)?;
        match control.cancel {
            None => self.model.infer(input),
            Some(token) => infer_apart(&self.model, turn, input, token),
        }
    }
}

impl Loaded {
    fn infer(&self, input: Tensor) -> Result<Tensor> {
        caught(|| self.try_infer(input)).unwrap_or_else(|panic| Err(failed(NAME, panic)))
    }

    fn try_infer(&self, input: Tensor) -> Result<Tensor> {
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

fn infer_apart(model: &Arc<Loaded>, turn: Turn, input: Tensor, token: &CancelToken) -> Result<Tensor> {
    let (answer, answered) = mpsc::sync_channel(1);
    let model = Arc::clone(model);
    let work = move || {
        let result = model.infer(input);
        // The next one may start before this answer is read, and the model
        // may go before the answer does.
        drop((turn, model));
        let _ = answer.send(result);
    };
    thread::Builder::new()
        .name("remrembg-rten".to_owned())
        .spawn(work)
        .map_err(|error| failed(NAME, &error).because(error))?;
    loop {
        match answered.recv_timeout(POLL) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err(failed(NAME, "its thread ended early")),
            Err(RecvTimeoutError::Timeout) if token.is_cancelled() => return Err(Error::new(Code::Cancelled)),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
