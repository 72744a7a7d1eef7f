//! Decoded pictures and what is computed on their pixels: layouts, views, resampling, turning, grids and box sums.
//!
//! Knows nothing of options, files or models.

pub(crate) mod hidden;
pub(crate) mod lanczos;
pub(crate) mod layout;
pub(crate) mod pixels;
pub(crate) mod small;
pub(crate) mod spans;
mod taps;
pub(crate) mod transform;
pub(crate) mod views;
