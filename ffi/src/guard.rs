//! Panics and cancellations, which must not leave Rust.

use std::panic::{AssertUnwindSafe, catch_unwind};

use remrembg::{Code, Error, Result};

/// Runs the body of a function that cannot fail, or tells by its result that it did.
pub(crate) fn quietly<T>(nothing: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(nothing)
}

pub(crate) fn guarded<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Err(Error::with_message(Code::Internal, format!("Internal error: {}", text.unwrap_or("panicked"))))
    })
}

/// Holds off `pthread_cancel` of this thread: it would unwind through Rust's
/// frames, which ends the process.
pub(crate) struct NotCancelled {
    #[cfg(target_os = "linux")]
    before: std::ffi::c_int,
}

/// cbindgen:ignore
#[cfg(target_os = "linux")]
mod cancellation {
    use std::ffi::c_int;

    pub(super) const DISABLE: c_int = 1;

    unsafe extern "C" {
        pub(super) fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
}

impl NotCancelled {
    #[cfg(target_os = "linux")]
    pub(crate) fn begin() -> Self {
        let mut before = 0;
        // SAFETY: a state that exists, and room for the one before.
        unsafe { cancellation::pthread_setcancelstate(cancellation::DISABLE, &raw mut before) };
        Self { before }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn begin() -> Self {
        Self {}
    }
}

#[cfg(target_os = "linux")]
impl Drop for NotCancelled {
    fn drop(&mut self) {
        // SAFETY: the state that `begin` was given.
        unsafe { cancellation::pthread_setcancelstate(self.before, std::ptr::null_mut()) };
    }
}
