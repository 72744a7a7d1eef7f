//! Programs in C and C++ against the library as `make install` installs it.

mod build;
mod headers;
mod install;
#[path = "../../../core/src/engine/tests/onnx.rs"]
mod onnx;
mod programs;
mod vectors;
