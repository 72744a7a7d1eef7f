//! The native module of the Python package. It converts, calls core and
//! converts back; what Python programmers see is in `python/remrembg`.

mod errors;
mod input;
mod job;
mod remover;

use std::ffi::OsString;

use pyo3::prelude::*;

/// remrembg's core. The package `remrembg` is its face.
#[pymodule]
mod _remrembg {
    use super::*;

    #[pymodule_export]
    use crate::job::{CancelToken, Encoded, Picture};
    #[pymodule_export]
    use crate::remover::Remover;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("STAGES", remrembg::Stage::ALL.map(remrembg::Stage::name))
    }

    /// The fields of a removal: key, type, default, range and help of each.
    #[pyfunction]
    fn options() -> Vec<[&'static str; 5]> {
        remrembg::OPTIONS.iter().map(|spec| [spec.key, spec.kind.name(), spec.default, spec.range, spec.help]).collect()
    }

    /// The settings of a remover: key, default, range and help of each.
    #[pyfunction]
    fn settings() -> Vec<[&'static str; 4]> {
        remrembg::SETTINGS.iter().map(|spec| [spec.key, spec.default, spec.range, spec.help]).collect()
    }

    /// Runs the command line with these words, the program's name first, and
    /// gives the exit status.
    #[pyfunction]
    fn run(py: Python<'_>, words: Vec<OsString>) -> u8 {
        py.detach(|| remrembg_cli::run(words))
    }
}
