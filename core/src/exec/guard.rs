//! The wall around code of others that may panic on hostile data.
//!
//! A panic that the guard catches has already gone through the process's panic
//! hook, which by default writes a line to standard error. The hook belongs to
//! the host (a C, Python or Node process, or a Rust program with a hook of its
//! own), so it is left alone unless the host calls [`hush_guarded_panics`].

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; when it panics, the result is `refusal` with the panic's text
/// as its source. Nothing that `work` was changing is looked at after a panic.
///
/// This cannot help a program that was compiled to abort on panics.
pub(crate) fn guard<T>(refusal: impl FnOnce() -> Error, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|text| Err(refusal().because(format!("panicked: {text}"))))
}

/// Runs `work`; when it panics, the result is the panic's text.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    with_flag(true, work).map_err(|payload| text_of(payload.as_ref()))
}

/// Calls code of the host from inside a guard: its panic is its own, so the
/// hook sees it, and the caller gets the payload to let it go on.
pub(crate) fn host_call<T>(call: impl FnOnce() -> T) -> std::thread::Result<T> {
    with_flag(false, call)
}

fn with_flag<T>(guarded: bool, work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = GUARDED.replace(guarded);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a text".to_owned())
}

/// Keeps panics that remrembg catches and turns into an error from reaching
/// the process's panic hook, and so from standard error. Every other panic
/// reaches the hook that was set before this call.
///
/// This changes the whole process: a hook that is set later replaces it, and
/// [`std::panic::take_hook`] then gives this one. Meant for programs, not for
/// libraries. The first call acts, further ones do nothing; any thread may call.
pub fn hush_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                previous(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::error::Code;

    #[test]
    fn panic_becomes_the_refusal_and_the_hook_hears_only_of_others() {
        let (heard, test) = (Arc::new(AtomicUsize::new(0)), thread::current().id());
        let (counter, previous) = (Arc::clone(&heard), panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == test {
                counter.fetch_add(1, Ordering::SeqCst);
            } else {
                previous(info);
            }
        }));
        hush_guarded_panics();

        let error = guard::<()>(|| Error::new(Code::CorruptImage), || panic!("slip {}", 7)).expect_err("it panicked");
        assert_eq!(error.code(), Code::CorruptImage);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("panicked: slip 7"));
        assert_eq!(heard.load(Ordering::SeqCst), 0, "a guarded panic is not for the hook");

        let host = guard(|| Error::new(Code::Internal), || Ok(host_call(|| panic!("host")).is_err()));
        assert!(host.is_ok_and(|panicked| panicked));
        assert_eq!(heard.load(Ordering::SeqCst), 1, "the host's own panic is");
        assert!(panic::catch_unwind(|| panic!("elsewhere")).is_err());
        assert_eq!(heard.load(Ordering::SeqCst), 2, "and so is any other");
    }
}
