//! Errors of core as the exceptions that `remrembg._errors` defines.

use pyo3::prelude::*;
use remrembg::{Error, ErrorKind};

pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let details: Vec<(&str, &str)> =
        error.details().iter().map(|problem| (problem.field.as_str(), problem.message.as_str())).collect();
    let what = (kind(error.kind()), error.code().name(), error.status(), error.message(), details, error.to_json());
    py.import("remrembg._errors")?.getattr("made")?.call1(what)
}

const fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Validation => "validation",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Model => "model",
        ErrorKind::Engine => "engine",
        ErrorKind::Io => "io",
        _ => "internal",
    }
}
