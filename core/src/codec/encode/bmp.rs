//! BMP: 32 bits with alpha, 24 bits, or 8 bits of grey. Nothing is compressed. A profile stands behind the pixels, as
//! version 5 of the header tells.

use std::io::{self, BufWriter, Write};

use image::ImageResult;
use image::codecs::bmp::BmpEncoder;

use super::sink::Sink;
use super::{color_type, failed, too_large};
use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};

/// The encoder writes pixel by pixel; the sink is asked once for as many bytes.
const BUFFER: usize = 1 << 16;
/// The header of the file, before that of the picture.
const FILE: usize = 14;
/// The picture's header in version 5.
const V5: usize = 124;

pub(super) fn encode(pixels: &Pixels, icc: Option<&[u8]>, control: &Control<'_>) -> Result<Vec<u8>> {
    let (width, height) = (pixels.width(), pixels.height());
    if pixels.data().len() >= i32::MAX as usize {
        return Err(too_large(format!("BMP holds at most 2 GiB of pixels, got: {width}×{height}")));
    }
    let mut buffer = BufWriter::with_capacity(BUFFER, Sink::new(control));
    match icc {
        None => write(pixels, &mut buffer),
        Some(icc) => {
            let length = head_length(pixels.layout());
            let mut profiled = Profiled { writer: &mut buffer, profile: icc.len(), head: Vec::new(), length };
            write(pixels, &mut profiled).and_then(|()| Ok(buffer.write_all(icc)?))
        }
    }
    .map_err(|error| failed(error, control))?;
    let sink = buffer.into_inner().map_err(|error| failed(error.into_error().into(), control))?;
    Ok(sink.into_bytes())
}

fn write(pixels: &Pixels, writer: &mut impl Write) -> ImageResult<()> {
    BmpEncoder::new(writer).encode(pixels.data(), pixels.width(), pixels.height(), color_type(pixels.layout()))
}

/// How long the headers are that the encoder writes: version 4 with alpha, else version 1.
const fn head_length(layout: Layout) -> usize {
    FILE + if layout.has_alpha() { 108 } else { 40 }
}

/// Passes on what an encoder writes, with its headers in version 5 for a profile of so many bytes.
struct Profiled<W> {
    writer: W,
    profile: usize,
    /// The headers, as far as they were written.
    head: Vec<u8>,
    length: usize,
}

impl<W: Write> Write for Profiled<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.head.len() == self.length {
            return self.writer.write(bytes);
        }
        let taken = bytes.len().min(self.length - self.head.len());
        self.head.extend_from_slice(&bytes[..taken]);
        if self.head.len() == self.length {
            self.writer.write_all(&version_5(&self.head, self.profile)?)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The headers of a file in version 5, with a profile of this length behind its pixels.
fn version_5(head: &[u8], profile: usize) -> io::Result<Vec<u8>> {
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let longer = FILE + V5 - head.len();
    let (pixels_end, profile) = (number(2) as usize + longer, profile);
    let mut head = [head, &vec![0; longer]].concat();
    let mut put = |at: usize, value: usize| -> io::Result<()> {
        let value = u32::try_from(value).map_err(io::Error::other)?;
        head[at..at + 4].copy_from_slice(&value.to_le_bytes());
        Ok(())
    };
    put(2, pixels_end + profile)?;
    put(10, FILE + V5)?;
    put(FILE, V5)?;
    put(FILE + 56, u32::from_be_bytes(*b"MBED") as usize)?;
    // What a picture is for: LCS_GM_IMAGES, perceptual.
    put(FILE + 108, 4)?;
    put(FILE + 112, pixels_end - FILE)?;
    put(FILE + 116, profile)?;
    Ok(head)
}
