//! Pixels to bytes, in the format asked for.

mod bmp;
mod filter;
mod jpeg;
mod png;
mod sink;
mod webp;

use image::{ExtendedColorType, ImageError};

use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};
use crate::options::{Compression, Format, Options};

/// What the options say of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    pub(crate) format: Format,
    /// Of JPEG and lossy WebP, 1 ..= 100. Without one they have their own.
    pub(crate) quality: Option<u8>,
    pub(crate) compression: Compression,
    /// Whether colours that nobody sees, under an alpha of 0, are the picture's.
    pub(crate) keep_colors: bool,
}

impl How {
    pub(crate) const fn of(options: &Options) -> Self {
        Self {
            format: options.format,
            quality: options.quality,
            compression: options.compression,
            keep_colors: options.cut_out.keep_colors,
        }
    }
}

/// Encodes a picture. JPEG takes no alpha: flatten the picture first.
///
/// Every format keeps `icc`, unless it describes another kind of picture
/// than this one is: the profile of a grey or CMYK source, or any on a mask.
///
/// The bytes are the same on any number of threads.
///
/// # Errors
/// [`Code::Cancelled`]; [`Code::TooLarge`] when the format cannot hold the
/// picture's size.
pub(crate) fn encode(
    pixels: &Pixels,
    how: &How,
    icc: Option<&[u8]>,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Vec<u8>> {
    let icc = icc.filter(|icc| describes(icc, pixels.layout()));
    match how.format {
        Format::Webp => webp::encode(pixels, how, icc, pool, control),
        Format::Png => png::encode(pixels, how.compression, icc, pool, control),
        Format::Jpeg => jpeg::encode(pixels, how.quality, icc, control),
        Format::Bmp => bmp::encode(pixels, icc, control),
    }
}

/// Bytes 16 ..= 19 of a profile name its colour space (ICC.1, 7.2).
fn describes(icc: &[u8], layout: Layout) -> bool {
    layout != Layout::Gray8 && !icc.is_empty() && !matches!(icc.get(16..20), Some(b"GRAY" | b"CMYK"))
}

const fn color_type(layout: Layout) -> ExtendedColorType {
    match layout {
        Layout::Gray8 => ExtendedColorType::L8,
        Layout::Rgb8 => ExtendedColorType::Rgb8,
        Layout::Rgba8 => ExtendedColorType::Rgba8,
    }
}

fn check_sides(pixels: &Pixels, format: &str, most: u32) -> Result<()> {
    let (width, height) = (pixels.width(), pixels.height());
    if width <= most && height <= most {
        return Ok(());
    }
    Err(too_large(format!("{format} holds at most {most}×{most} pixels, got: {width}×{height}")))
}

fn too_large(message: String) -> Error {
    Error::with_message(Code::TooLarge, message)
}

/// An encoder's error; a stop shows up as a failed write.
fn failed(source: ImageError, control: &Control<'_>) -> Error {
    control.check().err().unwrap_or_else(|| Error::new(Code::Internal).because(source))
}

#[cfg(test)]
mod tests;
