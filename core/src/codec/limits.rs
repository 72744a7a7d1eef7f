//! What a request may ask for, in bytes, pixels and memory.

/// Bounds on one request. All are tested before the memory they bound is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Size of the encoded picture, in bytes. Default: 50 MB (50·2²⁰).
    pub max_bytes: u64,
    /// Width and height of the picture as stored, in pixels. Default: 10000.
    pub max_side: u32,
    /// Memory that one decoder may take for its output and its own tables, in
    /// bytes. Default: 1 GiB, enough for 10000 × 10000 pixels of 16-bit RGBA, but as TIFF, which takes twice as much.
    pub decode_memory: u64,
    /// Whether GIF and TIFF are read too, of each the first frame or page. Default: false, as the hosted API refuses
    /// them.
    pub more_formats: bool,
}

impl Limits {
    /// Bytes in one of the megabytes that limits and messages count in.
    pub const MB: u64 = 1 << 20;

    /// A number of bytes in those megabytes.
    pub(crate) fn megabytes(bytes: u64) -> f64 {
        bytes as f64 / Self::MB as f64
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 50 * Self::MB, max_side: 10_000, decode_memory: 1 << 30, more_formats: false }
    }
}
