//! The wall between C and Rust: results become numbers, panics become errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use remrembg::{Code, Error, Result};

use crate::codes::remrembg_code;
use crate::error::remrembg_error;
use crate::handle;

/// Runs the body of a function that can fail, and answers C.
pub(crate) fn answer(error: *mut *mut remrembg_error, body: impl FnOnce() -> Result<()>) -> remrembg_code {
    let _held = NotCancelled::begin();
    quietly(remrembg_code::REMREMBG_INTERNAL, || {
        let slot = match Slot::optional(error, "error") {
            Ok(slot) => slot,
            Err(error) => return Some(remrembg_code::of(error.code())),
        };
        // For the case that even the error cannot be made.
        slot.put(std::ptr::null_mut());
        Some(match guarded(body) {
            Ok(()) => remrembg_code::REMREMBG_OK,
            Err(error) => {
                slot.put_with(|| handle::give(remrembg_error::new(&error)));
                remrembg_code::of(error.code())
            }
        })
    })
}

/// Runs the body of a function that cannot fail, or tells by its result that it did.
pub(crate) fn quietly<T>(nothing: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(nothing)
}

fn guarded<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Err(Error::with_message(Code::Internal, format!("Internal error: {}", text.unwrap_or("panicked"))))
    })
}

/// Holds off `pthread_cancel` of this thread: it would unwind through Rust's
/// frames, which ends the process.
struct NotCancelled {
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
    fn begin() -> Self {
        let mut before = 0;
        // SAFETY: a state that exists, and room for the one before.
        unsafe { cancellation::pthread_setcancelstate(cancellation::DISABLE, &raw mut before) };
        Self { before }
    }

    #[cfg(not(target_os = "linux"))]
    fn begin() -> Self {
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

/// What a caller did wrong with an argument.
pub(crate) fn misuse(what: impl Into<String>) -> Error {
    Error::with_message(Code::Misuse, what)
}

/// Where a caller wants a value, checked before anything is done for it.
pub(crate) struct Slot<T>(*mut T);

impl<T> Slot<T> {
    /// # Errors
    /// [`Code::Misuse`] for NULL, or for an address that no `T` can have.
    pub(crate) fn new(place: *mut T, name: &str) -> Result<Self> {
        if place.is_null() {
            return Err(misuse(format!("{name} is NULL")));
        }
        Self::optional(place, name)
    }

    /// Takes NULL for a caller who does not want the value.
    ///
    /// # Errors
    /// [`Code::Misuse`] for an address that no `T` can have.
    pub(crate) fn optional(place: *mut T, name: &str) -> Result<Self> {
        if place.is_aligned() { Ok(Self(place)) } else { Err(misuse(format!("{name} is misaligned"))) }
    }

    pub(crate) fn put(&self, value: T) {
        self.put_with(|| value);
    }

    /// Makes the value only where there is somebody who takes it.
    pub(crate) fn put_with(&self, value: impl FnOnce() -> T) {
        if self.0.is_null() {
            return;
        }
        let value = value();
        // SAFETY: not null, aligned, and by the contract of every function with
        // such a parameter valid for writes for as long as it runs.
        unsafe { self.0.write(value) };
    }
}
