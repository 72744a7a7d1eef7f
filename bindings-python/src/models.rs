//! Weights that are fetched by name.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use remrembg::models::{CUSTOM, FetchEvent, FetchOptions, MODELS, ModelSpec, Store, find};
use remrembg::{CancelToken, Code, Error};

use crate::errors::Failure;
use crate::exit;

/// How often a download looks for signals, such as Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// The names of the models that can be asked for, the one inside first.
#[pyfunction]
pub(crate) fn models() -> Vec<&'static str> {
    MODELS.iter().map(|spec| spec.name).collect()
}

/// rembg's names for an ONNX file of the caller's own, and the recipe of each.
#[pyfunction]
pub(crate) fn custom_models() -> Vec<(&'static str, &'static str)> {
    CUSTOM.to_vec()
}

/// What to know of a model's licence before it is fetched.
#[pyfunction]
pub(crate) fn notice(name: &str) -> PyResult<Option<String>> {
    Ok(find(name).map_err(Failure::from)?.notice())
}

/// Fetch a model, unless it is on this machine, and give its path.
#[pyfunction]
pub(crate) fn fetch(py: Python<'_>, name: &str, progress: Option<Py<PyAny>>) -> PyResult<PathBuf> {
    let spec = find(name).map_err(Failure::from)?;
    Ok(exit::detached(py, || followed(spec, progress.as_ref()))??)
}

enum News {
    Bytes(u64, u64),
    End(remrembg::Result<PathBuf>),
}

/// The connection has a thread of its own, so that a server that is silent holds
/// up neither Ctrl-C nor the end of the interpreter.
fn followed(spec: &'static ModelSpec, progress: Option<&Py<PyAny>>) -> Result<PathBuf, Failure> {
    let (token, (tell, told)) = (CancelToken::new(), mpsc::channel());
    let (stop, counts) = (token.clone(), progress.is_some());
    let run = move || {
        let path = Store::from_env().fetch(spec, &options(&stop, &|event| count(&tell, event, counts)));
        // Nobody listens any more when the caller was interrupted.
        let _ = tell.send(News::End(path));
    };
    let thread = thread::Builder::new().name("remrembg-fetch".to_owned()).spawn(run);
    thread.map_err(|error| Error::new(Code::Internal).because(error))?;
    let path = listen(&told, progress);
    token.cancel();
    path
}

fn options<'a>(stop: &'a CancelToken, on_event: &'a dyn Fn(FetchEvent)) -> FetchOptions<'a> {
    FetchOptions { on_event: Some(on_event), cancel: Some(stop), ..FetchOptions::default() }
}

fn count(tell: &Sender<News>, event: FetchEvent, counts: bool) {
    if let (FetchEvent::Progress { bytes, total }, true) = (event, counts) {
        let _ = tell.send(News::Bytes(bytes, total));
    }
}

fn listen(told: &Receiver<News>, progress: Option<&Py<PyAny>>) -> Result<PathBuf, Failure> {
    loop {
        match (told.recv_timeout(LOOK), progress) {
            (Ok(News::End(path)), _) => return Ok(path?),
            (Ok(News::Bytes(bytes, total)), Some(progress)) => {
                Python::attach(|py| progress.call1(py, (bytes, total)).map(drop))?;
            }
            (Err(RecvTimeoutError::Disconnected), _) => return Err(Error::new(Code::Internal).into()),
            _ => {
                exit::check()?;
                Python::attach(|py| py.check_signals())?;
            }
        }
    }
}
