//! Text on its way in from C, and out.

use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;

use remrembg::Result;

use crate::argument::misuse;

/// Text that has to be there.
///
/// # Errors
/// [`Misuse`](remrembg::Code::Misuse) for NULL.
pub(crate) fn read(text: *const c_char, name: &str) -> Result<String> {
    read_optional(text).ok_or_else(|| misuse(format!("{name} is NULL")))
}

/// Text that may be NULL. It may come from a client of the program's, so what is
/// not UTF-8 is replaced (U+FFFD) and then refused, if at all, in the usual words.
pub(crate) fn read_optional(text: *const c_char) -> Option<String> {
    bytes(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The bytes before the NUL; `None` for NULL.
fn bytes(text: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: not null, and by the contract of every function with such a
    // parameter a text that ends with NUL and stays as it is meanwhile.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}

/// Text for C, which cannot hold a NUL: it ends before one.
pub(crate) fn for_c(text: &str) -> CString {
    let until = text.split('\0').next().unwrap_or_default();
    CString::new(until).unwrap_or_default()
}

/// A path in the system's own bytes; `None` for NULL.
#[cfg(unix)]
pub(crate) fn read_path(path: *const c_char) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    bytes(path).map(|bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
pub(crate) fn read_path(path: *const c_char) -> Option<PathBuf> {
    read_optional(path).map(PathBuf::from)
}
