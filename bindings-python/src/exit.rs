//! The end of the interpreter, which must find nobody at work: a daemon thread
//! that comes back to an interpreter that has gone crashes the process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PySystemExit};
use pyo3::prelude::*;

/// How long the end waits for what cannot be stopped at once.
const PATIENCE: Duration = Duration::from_secs(3);

static AT_WORK: AtomicUsize = AtomicUsize::new(0);
/// [`here`] on the thread that ends the interpreter, once it does; no lock, as a fork may come at any time.
static ENDING: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` without holding the interpreter, which does not end meanwhile.
///
/// # Errors
/// When it is about to end, `SystemExit`, which ends a daemon thread without a word; on the thread that ends it, where
/// functions of `atexit` are called, `RuntimeError`.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    // Counted before it looks, so that either the end waits for it or it sees the end.
    let _place = Place::take();
    check()?;
    Ok(py.detach(work))
}

/// # Errors
/// As [`detached`].
pub(crate) fn check() -> PyResult<()> {
    match ENDING.load(Ordering::SeqCst) {
        0 => Ok(()),
        ending if ending == here() => {
            Err(PyRuntimeError::new_err("the interpreter ends: import remrembg before what atexit calls is registered"))
        }
        _ => Err(PySystemExit::new_err(())),
    }
}

/// What no other thread has at the same time.
fn here() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

struct Place;

impl Place {
    fn take() -> Self {
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

/// What began before a fork is not counted in the child.
impl Drop for Place {
    fn drop(&mut self) {
        let _ = AT_WORK.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// Stop all removals, and wait until they have ended.
#[pyfunction]
pub(crate) fn stop_all(py: Python<'_>) {
    ENDING.store(here(), Ordering::SeqCst);
    let start = Instant::now();
    py.detach(|| {
        while AT_WORK.load(Ordering::SeqCst) > 0 && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// In the child of a fork, nobody is at work, and nothing is over.
#[pyfunction]
pub(crate) fn forked() {
    AT_WORK.store(0, Ordering::SeqCst);
    ENDING.store(0, Ordering::SeqCst);
}
