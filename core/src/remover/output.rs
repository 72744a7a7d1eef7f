//! What a removal gives.

use std::time::Duration;

use crate::alpha::found::Found;
use crate::exec::control::Stage;
use crate::image::pixels::Pixels;
use crate::options::Format;

/// An encoded cut-out, or mask.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Output {
    /// The encoded file.
    pub data: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Width and height of the upright picture that it was made from.
    pub upright: (u32, u32),
    /// The alpha at the upright picture's size ([`Layout::Gray8`](crate::Layout::Gray8)),
    /// where [`Job::with_alpha`](crate::Job::with_alpha) asked for it.
    pub alpha: Option<Pixels>,
    /// How much was found, where, and how surely.
    pub found: Found,
    /// How long each stage took, in the order in which they ran.
    pub times: Vec<(Stage, Duration)>,
}

impl Output {
    /// The MIME type of [`data`](Self::data).
    #[must_use]
    pub fn mime(&self) -> &'static str {
        self.format.mime()
    }
}

/// A cut-out, or mask, as pixels.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PixelOutput {
    /// The picture.
    pub pixels: Pixels,
    /// As [`Output::alpha`].
    pub alpha: Option<Pixels>,
    /// As [`Output::found`].
    pub found: Found,
    /// As [`Output::times`].
    pub times: Vec<(Stage, Duration)>,
}
