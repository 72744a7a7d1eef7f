//! How work is run: side by side, within bounds, followed, stopped, and kept from bringing a process down.
//!
//! Knows nothing of pictures.

pub(crate) mod batch;
pub(crate) mod control;
pub(crate) mod guard;
pub(crate) mod permits;
pub(crate) mod threads;

pub(crate) use remrembg_native::Pool;
