//! The C interface. The comments on everything `pub` are the documentation that
//! C programmers read: cbindgen copies them into `include/remrembg.h`.
//!
//! Handles are pointers to reference-counted values, and every live one is in
//! `handle`'s register: a pointer is looked up there before it is followed, so
//! a stale or foreign one is an error and not undefined behaviour.

// The names are those of C, so that what one reads here is what one calls.
#![allow(non_camel_case_types)]
// Nobody calls these functions from Rust, and every pointer is checked inside.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

mod argument;
mod boundary;
mod guard;
mod handle;
mod text;

// In the order of the header, for which each has a paragraph of its own.
mod codes;

mod options;

mod pixels;

mod remover;

mod remove;

mod output;

mod error;

use std::ffi::c_char;

pub use codes::*;
pub use error::*;
pub use options::*;
pub use output::*;
pub use pixels::{remrembg_pixels, remrembg_target};
pub use remove::*;
pub use remover::*;

/// The version of the library in use, as `"1.2.3"`: REMREMBG_VERSION of the
/// header that it was built with. Before 1.0 two minor versions do not mix.
///
/// Any thread. The text is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
