//! Arguments from C: a wrong one is told, and places for values are checked before anything is written to them.

use remrembg::{Code, Error, Result};

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
