//! The wall between C and Rust: results become numbers, panics become errors.

use remrembg::Result;

use crate::argument::Slot;
use crate::codes::remrembg_code;
use crate::error::remrembg_error;
use crate::guard::{NotCancelled, guarded, quietly};
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
