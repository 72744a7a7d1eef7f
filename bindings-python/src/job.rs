//! One removal: how Python follows and stops it, and what comes out.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use remrembg::{Job, Output, PixelOutput, Progress, Stage};

use crate::errors::raised;

/// How often a removal looks for signals, such as Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// Asks removals to stop, from any thread.
#[pyclass(module = "remrembg", frozen)]
#[derive(Default)]
pub(crate) struct CancelToken {
    pub(crate) token: remrembg::CancelToken,
}

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Ends every removal with this token, running or yet to come, with a
    /// `CancelledError`.
    fn cancel(&self) {
        self.token.cancel();
    }

    /// Whether a stop was asked for.
    #[getter]
    fn cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// An encoded cut-out, or mask.
#[pyclass(module = "remrembg", frozen, get_all)]
pub(crate) struct Encoded {
    /// The file.
    data: Py<PyBytes>,
    /// Its MIME type.
    mime: &'static str,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Seconds that each stage took, in the order in which they ran.
    times: Vec<(&'static str, f64)>,
}

/// A cut-out, or mask, as rows of pixels without gaps.
#[pyclass(module = "remrembg", frozen, get_all)]
pub(crate) struct Picture {
    /// The bytes, row after row.
    data: Py<PyBytes>,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// 1 for grey, 3 for RGB, 4 for RGBA with straight alpha.
    channels: usize,
    /// As `Encoded.times`.
    times: Vec<(&'static str, f64)>,
}

impl Encoded {
    pub(crate) fn new(py: Python<'_>, output: &Output) -> Self {
        let data = PyBytes::new(py, &output.data).unbind();
        let (width, height) = (output.width, output.height);
        Self { data, mime: output.mime(), width, height, times: seconds(&output.times) }
    }
}

impl Picture {
    pub(crate) fn new(py: Python<'_>, output: &PixelOutput) -> Self {
        let pixels = &output.pixels;
        let data = PyBytes::new(py, pixels.data()).unbind();
        let channels = pixels.layout().bytes();
        Self { data, width: pixels.width(), height: pixels.height(), channels, times: seconds(&output.times) }
    }
}

fn seconds(times: &[(Stage, Duration)]) -> Vec<(&'static str, f64)> {
    times.iter().map(|(stage, time)| (stage.name(), time.as_secs_f64())).collect()
}

/// Follows a job for Python: tells of progress, and looks for signals. What
/// either raises ends the job, and comes out of it as it is.
pub(crate) struct Follower {
    progress: Option<Py<PyAny>>,
    raised: RefCell<Option<PyErr>>,
    looked: Cell<Instant>,
}

impl Follower {
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Self {
        Self { progress, raised: RefCell::default(), looked: Cell::new(Instant::now()) }
    }

    /// Runs a job on this thread without holding the interpreter.
    ///
    /// # Errors
    /// What the callback or a signal raised, else the job's own.
    pub(crate) fn run<T>(&self, job: Job<'_>, run: impl FnOnce(Job<'_>) -> remrembg::Result<T>) -> PyResult<T> {
        let (tell, stop) = (|progress| self.tell(progress), || self.look());
        let job = job.progress(&tell).cancel_when(&stop);
        let made = run(job);
        match self.raised.take() {
            Some(error) => Err(error),
            None => made.map_err(|error| Python::attach(|py| raised(py, &error))),
        }
    }

    fn tell(&self, progress: Progress) {
        let Some(callback) = self.progress.as_ref().filter(|_| self.raised.borrow().is_none()) else { return };
        let told = Python::attach(|py| callback.call1(py, (progress.stage.name(), progress.fraction)).map(drop));
        self.keep(told);
    }

    fn look(&self) -> bool {
        if self.looked.get().elapsed() >= LOOK {
            let seen = Python::attach(|py| py.check_signals());
            self.keep(seen);
            self.looked.set(Instant::now());
        }
        self.raised.borrow().is_some()
    }

    fn keep(&self, outcome: PyResult<()>) {
        if let Err(error) = outcome {
            self.raised.replace(Some(error));
        }
    }
}
