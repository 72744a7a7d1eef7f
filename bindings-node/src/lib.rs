//! The native module of the Node package. It converts, calls core on threads of
//! its own and converts back; what JavaScript programmers see is in `ts`.

#![expect(unreachable_pub, reason = "napi exports what is pub, whatever its module is")]
#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing where the lints look at tests"))]

mod errors;
mod models;
mod news;
mod picture;
mod remover;
mod work;

use std::path::PathBuf;

use napi_derive::napi;

/// The version of the package.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to warn of an empty result.
#[napi(js_name = "NOTHING_FOUND")]
pub const NOTHING_FOUND: &str = remrembg::Found::NOTHING;

/// Runs the command line with these words, the program's name first, and with
/// places where ONNX Runtime may be; gives the exit status. Blocks the thread.
#[napi]
pub fn run(words: Vec<String>, hints: Vec<String>) -> u8 {
    let host = remrembg_cli::Host { onnxruntime_hints: hints.into_iter().map(PathBuf::from).collect() };
    remrembg_cli::run_with(words, &host)
}
