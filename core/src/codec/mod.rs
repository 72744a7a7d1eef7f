//! Files to pixels and pixels to files, within limits.
//!
//! Knows formats and what their headers say. Knows nothing of paths, streams or what a picture shows.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod limits;
pub(crate) mod profile;
