//! Errors of core as the exceptions that `remrembg._errors` defines.

use pyo3::prelude::*;
use remrembg::Error;

/// What ends a call: an error of core, or what Python code raised.
pub(crate) enum Failure {
    Core(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Python(error) => error,
            Failure::Core(error) => {
                Python::attach(|py| made(py, &error).map_or_else(|failure| failure, Self::from_value))
            }
        }
    }
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let details: Vec<(&str, &str)> =
        error.details().iter().map(|problem| (problem.field.as_str(), problem.message.as_str())).collect();
    let (code, status, body) = (error.code().name(), error.status(), error.to_json());
    let what = (error.kind().name(), code, status, error.message(), details, body, error.os_error(), error.reason());
    py.import("remrembg._errors")?.getattr("made")?.call1(what)
}
