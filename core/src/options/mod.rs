//! What a caller may ask for.

/// The formats that come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Lossy colours, exact alpha.
    #[default]
    Webp,
    /// Lossless.
    Png,
    /// Lossy, without alpha.
    Jpeg,
    /// Uncompressed.
    Bmp,
}
