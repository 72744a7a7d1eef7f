//! The end of the interpreter, which must find nobody at work: a daemon thread
//! that comes back to an interpreter that has gone crashes the process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How long the end waits for what cannot be stopped at once.
const PATIENCE: Duration = Duration::from_secs(10);

static AT_WORK: AtomicUsize = AtomicUsize::new(0);
static OVER: AtomicBool = AtomicBool::new(false);

/// Runs `work` without holding the interpreter, which does not end meanwhile.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    let _place = Place::take();
    py.detach(work)
}

/// Whether the interpreter is about to end.
pub(crate) fn is_over() -> bool {
    OVER.load(Ordering::Acquire)
}

struct Place;

impl Place {
    fn take() -> Self {
        AT_WORK.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Stop all removals, and wait until they have ended.
#[pyfunction]
pub(crate) fn stop_all(py: Python<'_>) {
    OVER.store(true, Ordering::Release);
    let start = Instant::now();
    py.detach(|| {
        while AT_WORK.load(Ordering::Acquire) > 0 && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// In the child of a fork, nobody is at work.
#[pyfunction]
pub(crate) fn forked() {
    AT_WORK.store(0, Ordering::Release);
}
