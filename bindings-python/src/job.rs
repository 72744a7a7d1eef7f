//! How Python follows and stops one removal.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use remrembg::{Job, Progress};

use crate::errors::Failure;
use crate::exit;

/// How often a removal looks for signals, such as Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// Asks removals to stop, from any thread.
///
/// One token may be given to many removals. There is no way back: make a new
/// one for the next. A token with a parent is cancelled when the parent is.
#[pyclass(module = "remrembg", frozen)]
pub(crate) struct CancelToken {
    /// Its own, and those of its parents.
    tokens: Vec<remrembg::CancelToken>,
}

#[pymethods]
impl CancelToken {
    #[new]
    #[pyo3(signature = (parent=None))]
    fn new(parent: Option<PyRef<'_, Self>>) -> Self {
        let parents = parent.iter().flat_map(|parent| &parent.tokens).cloned();
        Self { tokens: std::iter::once(remrembg::CancelToken::new()).chain(parents).collect() }
    }

    /// End every removal with this token, running or yet to come, with a
    /// CancelledError.
    fn cancel(&self) {
        self.tokens[0].cancel();
    }

    /// Whether a stop was asked for.
    #[getter]
    fn cancelled(&self) -> bool {
        self.tokens.iter().any(remrembg::CancelToken::is_cancelled)
    }

    fn __repr__(&self) -> &'static str {
        if self.cancelled() { "<CancelToken, cancelled>" } else { "<CancelToken>" }
    }
}

/// Follows a job for Python: tells of progress, and looks for signals. What
/// either raises ends the job, and comes out of it as it is.
pub(crate) struct Follower {
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<CancelToken>>,
    raised: RefCell<Option<PyErr>>,
    looked: Cell<Instant>,
}

impl Follower {
    pub(crate) fn new(progress: Option<Py<PyAny>>, cancel: Option<Py<CancelToken>>) -> Self {
        Self { progress, cancel, raised: RefCell::default(), looked: Cell::new(Instant::now()) }
    }

    /// Runs a job on this thread without holding the interpreter.
    ///
    /// # Errors
    /// What the callback or a signal raised, else the job's own.
    pub(crate) fn run<T>(&self, job: Job<'_>, run: impl FnOnce(Job<'_>) -> remrembg::Result<T>) -> Result<T, Failure> {
        let (tell, stop) = (|progress| self.tell(progress), || self.look());
        let made = run(job.progress(&tell).cancel_when(&stop));
        self.raised.take().map_or_else(|| made.map_err(Failure::from), |error| Err(error.into()))
    }

    fn tell(&self, progress: Progress) {
        let Some(callback) = self.progress.as_ref().filter(|_| self.raised.borrow().is_none()) else { return };
        let told = Python::attach(|py| callback.call1(py, (progress.stage.name(), progress.fraction)).map(drop));
        self.keep(told);
    }

    fn look(&self) -> bool {
        if self.looked.get().elapsed() >= LOOK {
            self.keep(Python::attach(|py| py.check_signals()));
            self.looked.set(Instant::now());
        }
        self.keep(exit::check());
        self.raised.borrow().is_some() || self.cancel.as_ref().is_some_and(|cancel| cancel.get().cancelled())
    }

    fn keep(&self, outcome: PyResult<()>) {
        if let Err(error) = outcome {
            self.raised.replace(Some(error));
        }
    }
}
