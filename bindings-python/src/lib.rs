//! The native module of the Python package. It converts, calls core and
//! converts back; what Python programmers see is in `python/remrembg`.

mod errors;
mod exit;
mod input;
mod job;
mod memory;
mod models;
mod remover;

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

/// remrembg's core. The package remrembg is its face.
#[pymodule]
mod _remrembg {
    use super::*;

    #[pymodule_export]
    use crate::exit::{forked, stop_all};
    #[pymodule_export]
    use crate::job::CancelToken;
    #[pymodule_export]
    use crate::models::{custom_models, fetch, models, notice};
    #[pymodule_export]
    use crate::remover::{Picture, Raw, Remover};

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    const NOTHING_FOUND: &str = remrembg::Found::NOTHING;

    /// Key, type, default, range and help of each option.
    #[pyfunction]
    fn options() -> Vec<[&'static str; 5]> {
        remrembg::OPTIONS.iter().map(|spec| [spec.key, spec.kind.name(), spec.default, spec.range, spec.help]).collect()
    }

    /// Key, default, range and help of each setting of a remover.
    #[pyfunction]
    fn settings() -> Vec<[&'static str; 4]> {
        remrembg::SETTINGS.iter().map(|spec| [spec.key, spec.default, spec.range, spec.help]).collect()
    }

    /// `ONNX Runtime`'s names for what an engine can be asked to compute on.
    #[pyfunction]
    fn providers() -> Vec<&'static str> {
        remrembg::Provider::ALL.iter().map(|provider| provider.name()).collect()
    }

    /// Run the command line with these words, the program's name first, and with
    /// places where ONNX Runtime may be; give the exit status.
    #[pyfunction]
    fn run(py: Python<'_>, words: Vec<OsString>, hints: Vec<PathBuf>) -> PyResult<u8> {
        let host = remrembg_cli::Host { onnxruntime_hints: hints };
        exit::detached(py, || remrembg_cli::run_with(words, &host))
    }
}
