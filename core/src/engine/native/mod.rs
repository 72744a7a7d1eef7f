//! Our own engine: convolutional networks of few kinds of operators, as the bundled one is, in 32-bit floats.
//!
//! ```text
//! onnx (the file) → plan (steps, memory) → network (runs it) → convolution, single, winograd → kernels
//! ```

mod convolution;
mod kernels;
mod network;
mod onnx;
mod plan;
mod single;
#[cfg(test)]
mod tests;
mod winograd;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPoolBuilder;

use super::worker::Worker;
use super::{Engine, EngineInfo, Tensor, Weights, failed, unreadable};
use crate::control::Control;
use crate::error::{Code, Error, Result};
use kernels::Kernels;
use network::Network;
use onnx::Graph;
use plan::Plan;

const NAME: &str = "native";

struct Native {
    info: EngineInfo,
    input: Vec<Option<usize>>,
    worker: Worker,
    network: Arc<Network>,
}

/// # Errors
/// [`Code::ModelDamaged`] for a file that cannot be read or a network that this engine cannot run,
/// [`Code::EngineUnavailable`] for a name of kernels that this processor has not.
pub(super) fn open(weights: &Weights, threads: usize) -> Result<Box<dyn Engine>> {
    let network = load(&weights.bytes()?, threads, kernels()?)?;
    let plan::Shape { height, width, channels } = network.input();
    let info = EngineInfo {
        name: NAME,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        provider: "CPU".to_owned(),
        library: None,
        threads,
        fallback: None,
    };
    let input = [1, channels, height, width].map(Some).to_vec();
    Ok(Box::new(Native { info, input, worker: Worker::start(NAME)?, network: Arc::new(network) }))
}

/// The fastest kernels of this processor, or those that `REMREMBG_KERNEL` names.
fn kernels() -> Result<Kernels> {
    named(&std::env::var("REMREMBG_KERNEL").unwrap_or_default())
}

/// The fastest for an empty name.
fn named(wanted: &str) -> Result<Kernels> {
    Kernels::all().find(|kernels| wanted.is_empty() || kernels.name == wanted).ok_or_else(|| {
        let names = Kernels::all().map(|kernels| kernels.name).collect::<Vec<_>>().join(", ");
        let message = format!("REMREMBG_KERNEL is '{wanted}', but this processor has {names}");
        Error::with_message(Code::EngineUnavailable, message)
    })
}

fn load(bytes: &[u8], threads: usize, kernels: Kernels) -> Result<Network> {
    let plan = Graph::read(bytes).and_then(|graph| Plan::new(&graph)).map_err(|why| unreadable(NAME, why))?;
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "remrembg-infer".to_owned()).build();
    Ok(Network::new(plan, kernels, pool.map_err(|error| failed(NAME, &error).because(error))?))
}

impl Engine for Native {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let (network, stop) = (Arc::clone(&self.network), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let infer = move || {
            let plan::Shape { height, width, channels } = network.input();
            if input.shape != [1, channels, height, width] || input.data.len() != channels * height * width {
                return Err(failed(NAME, format_args!("its input has the shape {:?}", input.shape)));
            }
            let (shape, data) = network.run(&input.data, &stopped).ok_or_else(|| Error::new(Code::Cancelled))?;
            Ok(Tensor { shape: vec![1, shape.channels, shape.height, shape.width], data })
        };
        self.worker.run(control, infer, move || stop.store(true, Ordering::Relaxed))
    }
}
