//! Inference of plain convolutional networks on the CPU, in 32-bit floats; with AMX partly in numbers of 16 bits.
//!
//! It knows the operators of U²-Net and reads an ONNX file with one input of a fixed size. See `docs/engine.md`.
//!
//! ```text
//! onnx (the file) → plan, fuse, memory → network (runs it) → convolution, matrix, shallow, single, winograd → kernels
//! ```
//!
//! Besides, [`widened`] has plain loops of others run on wider registers, and [`Pool`] is the threads for all that computes.

#![deny(unsafe_code)]

mod buffer;
mod convolution;
mod fuse;
mod kernels;
mod matrix;
mod measure;
mod memory;
mod network;
mod onnx;
mod plan;
mod planner;
mod pool;
mod resize;
mod shallow;
mod single;
#[cfg(test)]
mod tests;
mod waves;
mod widened;
mod winograd;

use std::fmt;

use kernels::Kernels;
pub use measure::Layer;
pub use network::Network;
pub use plan::Shape;
pub use pool::Pool;
pub use widened::Avx2;

/// Why a network cannot be had.
#[derive(Debug)]
pub enum Error {
    /// The file is damaged, or its network is of a kind that is not known. The text says where.
    Model(String),
    /// No kernels of that name can run here, but those of the second list.
    Kernels(String, Vec<&'static str>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(why) => f.write_str(why),
            Self::Kernels(name, there) => {
                write!(f, "there are no kernels '{name}' that can run here, but {}", there.join(", "))
            }
        }
    }
}

impl std::error::Error for Error {}

/// The names of the kernels that can run here, the fastest first, and last `bfloat16`, which shows what `amx` computes.
/// Where the processor has the registers of `amx`, the system is asked for them; docs/engine.md tells what that changes.
#[must_use]
pub fn kernels() -> Vec<&'static str> {
    Kernels::all().filter(Kernels::may_run).map(|kernels| kernels.name).collect()
}
