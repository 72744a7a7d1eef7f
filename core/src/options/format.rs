//! Output formats and what the world calls them.

use std::fmt;
use std::str::FromStr;

use super::checks;
use crate::error::{Error, Problem};

/// How the result is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Lossy WebP with alpha.
    #[default]
    Webp,
    /// Lossless PNG with alpha.
    Png,
    /// JPEG, which has no alpha: without a background colour it is white behind.
    Jpeg,
    /// BMP, 32 bits a pixel where there is alpha.
    Bmp,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Webp, Self::Png, Self::Jpeg, Self::Bmp];

    /// The name that the option `format` takes: `webp`, `png`, `jpeg`, `bmp`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Bmp => "bmp",
        }
    }

    /// The MIME type, as in `image/webp`.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Bmp => "image/bmp",
        }
    }

    /// The usual file suffix, without its dot: `webp`, `png`, `jpg`, `bmp`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            other => other.name(),
        }
    }

    /// Whether a pixel of this format can say how opaque it is.
    #[must_use]
    pub const fn keeps_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }

    /// `text` is the caller's; empty stands for the default.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let name = text.trim();
        if name.is_empty() {
            return Ok(Self::default());
        }
        let called =
            |format: &Self| name.eq_ignore_ascii_case(format.name()) || name.eq_ignore_ascii_case(format.extension());
        Self::ALL.into_iter().find(called).ok_or_else(|| checks::invalid_format(text))
    }
}

/// Reads a name or `jpg`, any case, space around it ignored; empty is the
/// default. Fails with [`Code::InvalidFormat`](crate::Code::InvalidFormat).
impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(Error::from)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
