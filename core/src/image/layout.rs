//! What the bytes of a picture mean, and which way it is to be seen.

/// The channels of a pixel, 8 bits each, in memory order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One channel: grey, a mask or an alpha.
    Gray8,
    /// Red, green, blue.
    Rgb8,
    /// Red, green, blue and straight (not premultiplied) alpha.
    Rgba8,
}

impl Layout {
    /// Bytes in one pixel.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }

    /// Its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gray8 => "grey",
            Self::Rgb8 => "RGB",
            Self::Rgba8 => "RGBA",
        }
    }

    /// Whether a pixel says how opaque it is.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::Rgba8)
    }
}

/// How a stored picture is to be turned for display: the values of the EXIF
/// tag 0x0112 (CIPA DC-008, 4.6.4.A). Turns are clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Orientation {
    /// As stored.
    #[default]
    Normal = 1,
    /// Mirrored left to right.
    FlipH = 2,
    /// Turned by half.
    Rotate180 = 3,
    /// Mirrored top to bottom.
    FlipV = 4,
    /// Mirrored on the diagonal that runs from the top left.
    Transpose = 5,
    /// Turned by a quarter.
    Rotate90 = 6,
    /// Mirrored on the diagonal that runs from the top right.
    Transverse = 7,
    /// Turned by three quarters.
    Rotate270 = 8,
}

impl Orientation {
    /// The meaning of the tag's value; values that the standard does not have
    /// mean [`Normal`](Self::Normal).
    #[must_use]
    pub const fn from_exif(value: u8) -> Self {
        match value {
            2 => Self::FlipH,
            3 => Self::Rotate180,
            4 => Self::FlipV,
            5 => Self::Transpose,
            6 => Self::Rotate90,
            7 => Self::Transverse,
            8 => Self::Rotate270,
            _ => Self::Normal,
        }
    }
}
