//! PNG, row by row, so that a stop is heard between rows.

use std::borrow::Cow;
use std::io::Write;

use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter, Info};

use super::sink::Sink;
use crate::control::{Control, Stage};
use crate::error::{Code, Error, Result};
use crate::pixels::{Layout, Pixels};

/// Cut-outs come out as small as zlib's default makes them, in a fifth of its
/// time. The encoder's own fast mode is three times faster still, and its
/// files a fifth larger.
const LEVEL: u8 = 4;
/// Bytes in a data chunk.
const CHUNK: usize = 1 << 16;
/// Rows between two reports of progress.
const REPORT_EVERY: usize = 16;

pub(super) fn encode(pixels: &Pixels, icc: Option<&[u8]>, control: &Control<'_>) -> Result<Vec<u8>> {
    let mut sink = Sink::new(control);
    write(pixels, icc, &mut sink, control).map_err(|error| match error {
        Failure::Stopped(error) => error,
        Failure::Encoder(source) => control.check().err().unwrap_or_else(|| Error::new(Code::Internal).because(source)),
    })?;
    Ok(sink.into_bytes())
}

enum Failure {
    Stopped(Error),
    Encoder(EncodingError),
}

impl<E: Into<EncodingError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Encoder(error.into())
    }
}

fn write(
    pixels: &Pixels,
    icc: Option<&[u8]>,
    sink: &mut Sink<'_>,
    control: &Control<'_>,
) -> std::result::Result<(), Failure> {
    let mut info = Info::with_size(pixels.width(), pixels.height());
    info.icc_profile = icc.map(Cow::Borrowed);
    let mut encoder = Encoder::with_info(sink, info)?;
    encoder.set_color(color_type(pixels.layout()));
    encoder.set_depth(BitDepth::Eight);
    encoder.set_deflate_compression(DeflateCompression::Level(LEVEL));
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer_with_size(CHUNK)?;
    for (y, row) in pixels.view().rows().enumerate() {
        if y % REPORT_EVERY == 0 {
            control.report(Stage::Encode, y as f32 / pixels.height() as f32).map_err(Failure::Stopped)?;
        }
        stream.write_all(row)?;
    }
    stream.finish()?;
    Ok(writer.finish()?)
}

const fn color_type(layout: Layout) -> ColorType {
    match layout {
        Layout::Gray8 => ColorType::Grayscale,
        Layout::Rgb8 => ColorType::Rgb,
        Layout::Rgba8 => ColorType::Rgba,
    }
}
