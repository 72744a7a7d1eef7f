//! JPEG, for pictures without alpha.

use std::io::BufWriter;

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;

use super::sink::Sink;
use super::{check_sides, color_type, failed};
use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;

/// Where the eye stops to see a difference. The encoder keeps colour at full
/// resolution (4:4:4), which a cut-out needs: its hard edge between subject
/// and flat background is where 4:2:0 shows coloured fringes.
const QUALITY: u8 = 90;
const MAX_SIDE: u32 = u16::MAX as u32;
const BUFFER: usize = 1 << 16;

pub(super) fn encode(
    pixels: &Pixels,
    quality: Option<u8>,
    icc: Option<&[u8]>,
    control: &Control<'_>,
) -> Result<Vec<u8>> {
    check_sides(pixels, "JPEG", MAX_SIDE)?;
    let mut buffer = BufWriter::with_capacity(BUFFER, Sink::new(control));
    let mut encoder = JpegEncoder::new_with_quality(&mut buffer, quality.unwrap_or(QUALITY));
    if let Some(icc) = icc {
        // Refused only when it needs more than the 255 segments there are: then the picture goes without.
        let _ = encoder.set_icc_profile(icc.to_vec());
    }
    encoder
        .write_image(pixels.data(), pixels.width(), pixels.height(), color_type(pixels.layout()))
        .map_err(|error| failed(error, control))?;
    let sink = buffer.into_inner().map_err(|error| failed(error.into_error().into(), control))?;
    Ok(sink.into_bytes())
}
