//! BMP: 32 bits with alpha, 24 bits, or 8 bits of grey. Nothing is compressed.

use std::io::BufWriter;

use image::codecs::bmp::BmpEncoder;

use super::sink::Sink;
use super::{color_type, failed, too_large};
use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;

/// The encoder writes pixel by pixel; the sink is asked once for as many bytes.
const BUFFER: usize = 1 << 16;

pub(super) fn encode(pixels: &Pixels, control: &Control<'_>) -> Result<Vec<u8>> {
    let (width, height) = (pixels.width(), pixels.height());
    if pixels.data().len() >= i32::MAX as usize {
        return Err(too_large(format!("BMP holds at most 2 GiB of pixels, got: {width}×{height}")));
    }
    let mut buffer = BufWriter::with_capacity(BUFFER, Sink::new(control));
    BmpEncoder::new(&mut buffer)
        .encode(pixels.data(), width, height, color_type(pixels.layout()))
        .map_err(|error| failed(error, control))?;
    let sink = buffer.into_inner().map_err(|error| failed(error.into_error().into(), control))?;
    Ok(sink.into_bytes())
}
