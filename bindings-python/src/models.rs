//! Weights that are fetched by name.

use std::cell::RefCell;
use std::path::PathBuf;

use pyo3::prelude::*;
use remrembg::CancelToken;
use remrembg::models::{FetchEvent, FetchOptions, MODELS, Store, find};

use crate::errors::Failure;
use crate::job::CancelToken as Token;

/// The names of the models that can be asked for, the one inside first.
#[pyfunction]
pub(crate) fn models() -> Vec<&'static str> {
    MODELS.iter().map(|spec| spec.name).collect()
}

/// What to know of a model's licence before it is fetched.
#[pyfunction]
pub(crate) fn notice(name: &str) -> PyResult<Option<String>> {
    Ok(find(name).map_err(Failure::from)?.notice())
}

/// Fetch a model, unless it is on this machine, and give its path.
#[pyfunction]
pub(crate) fn fetch(py: Python<'_>, name: &str, progress: Option<Py<PyAny>>, cancel: Py<Token>) -> PyResult<PathBuf> {
    let token = &cancel.get().token;
    py.detach(|| fetch_following(name, token, progress.as_ref())).map_err(PyErr::from)
}

fn fetch_following(name: &str, token: &CancelToken, progress: Option<&Py<PyAny>>) -> Result<PathBuf, Failure> {
    let raised = RefCell::new(None);
    let tell = |event: FetchEvent<'_>| {
        let (FetchEvent::Progress { bytes, total }, Some(progress)) = (event, progress) else { return };
        if let Err(error) = Python::attach(|py| progress.call1(py, (bytes, total)).map(drop)) {
            raised.replace(Some(error));
            token.cancel();
        }
    };
    let options = FetchOptions { on_event: Some(&tell), cancel: Some(token), ..FetchOptions::default() };
    let path = find(name).and_then(|spec| Store::from_env().fetch(spec, &options));
    raised.take().map_or_else(|| path.map_err(Failure::from), |error| Err(error.into()))
}
