//! `remrembg_error`: what went wrong, for programs and for people.

use std::ffi::{CString, c_char};
use std::ptr;

use remrembg::Error;

use crate::codes::remrembg_kind;
use crate::guard::quietly;
use crate::handle::{self, Handle};
use crate::text::for_c;

/// What went wrong.
///
/// Made by a function that fails and has somewhere to put it; the caller owns it
/// and frees it with remrembg_error_free(). Never changes: any number of threads
/// may read one at once. Depends on nothing: it outlives the remover and the
/// options.
pub struct remrembg_error {
    kind: remrembg_kind,
    status: u16,
    name: CString,
    message: CString,
    json: CString,
    reason: Option<CString>,
}

impl Handle for remrembg_error {
    const NAME: &'static str = "A remrembg_error";
}

impl remrembg_error {
    pub(crate) fn new(error: &Error) -> Self {
        Self {
            kind: remrembg_kind::of(error.kind()),
            status: error.status(),
            name: for_c(error.code().name()),
            message: for_c(error.message()),
            json: for_c(&error.to_json()),
            reason: error.reason().map(for_c),
        }
    }
}

/// Who has to act. #REMREMBG_KIND_MISUSE for NULL and for what is no live error.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_kind(error: *const remrembg_error) -> remrembg_kind {
    quietly(remrembg_kind::REMREMBG_KIND_MISUSE, || Some(handle::find(error)?.kind))
}

/// A stable name in snake_case, as `"corrupt_image"`, for logs and for programs
/// that compare text; the other faces of remrembg use the same names.
///
/// Any thread. The text belongs to the error and goes with it; NULL for NULL and
/// for what is no live error.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_name(error: *const remrembg_error) -> *const c_char {
    text_of(error, |error| &error.name)
}

/// The HTTP status that the hosted API would answer: 400 to 599. 0 for NULL and
/// for what is no live error.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_status(error: *const remrembg_error) -> u16 {
    quietly(0, || Some(handle::find(error)?.status))
}

/// What happened, for people, in the hosted API's words: UTF-8.
///
/// Any thread. The text belongs to the error and goes with it; NULL for NULL and
/// for what is no live error.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_message(error: *const remrembg_error) -> *const c_char {
    text_of(error, |error| &error.message)
}

/// The body that the hosted API would answer: compact JSON in UTF-8,
/// `{"error":"...","status":400}`, and with two or more problems
/// `{"error":"Multiple validation errors","details":[{"field":"w","message":"..."},...],"status":400}`.
///
/// Any thread. The text belongs to the error and goes with it; NULL for NULL and
/// for what is no live error.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_json(error: *const remrembg_error) -> *const c_char {
    text_of(error, |error| &error.json)
}

/// Why, in words of remrembg's own, where the message is the same for many causes and the cause is known, as
/// `"this is a HEIC picture"`: UTF-8. NULL where nothing more is known.
///
/// Any thread. The text belongs to the error and goes with it; NULL for NULL and
/// for what is no live error.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_reason(error: *const remrembg_error) -> *const c_char {
    quietly(ptr::null(), || Some(handle::find(error)?.reason.as_ref()?.as_ptr()))
}

/// Frees an error, and with it every text that it gave. NULL, and what is no
/// live error, is left alone.
///
/// Any thread, once no other reads the error or its texts.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_error_free(error: *mut remrembg_error) {
    handle::free(error);
}

fn text_of(error: *const remrembg_error, text: fn(&remrembg_error) -> &CString) -> *const c_char {
    quietly(ptr::null(), || Some(text(&*handle::find(error)?).as_ptr()))
}
