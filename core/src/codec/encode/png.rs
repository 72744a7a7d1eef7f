//! PNG, in strips of rows that are filtered and compressed on several threads. Together
//! they are one stream of zlib's, the same whatever the number of threads: each strip
//! ends on a whole byte (a sync flush) and looks back into the one before it, as pigz
//! has it.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Compress, CompressError, Compression as Level, FlushCompress, Status};
use png::{BitDepth, ColorType, Encoder, EncodingError, Info, chunk};
use simd_adler32::Adler32;

use super::filter::Filter;
use super::sink::Sink;
use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::exec::control::{Control, Stage};
use crate::image::pixels::{Layout, Pixels};
use crate::options::Compression;

/// zlib's level. At 4 cut-outs come out as small as zlib's default makes them, in a fifth of its time.
const fn level(compression: Compression) -> u32 {
    match compression {
        Compression::Fast => 1,
        Compression::Default => 4,
        Compression::Small => 8,
    }
}

/// What begins a stream of that level with the largest window (RFC 1950, 2.2).
const fn header(level: u32) -> [u8; 2] {
    match level {
        0..=1 => [0x78, 0x01],
        2..=5 => [0x78, 0x5e],
        6 => [0x78, 0x9c],
        _ => [0x78, 0xda],
    }
}

/// Bytes that a strip has at least, unless it is the last.
const STRIP: usize = 1 << 19;
/// How far back a stream looks.
const WINDOW: usize = 1 << 15;
/// Room for what is compressed grows by this.
const ROOM: usize = 1 << 16;

pub(super) fn encode(
    pixels: &Pixels,
    compression: Compression,
    icc: Option<&[u8]>,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Vec<u8>> {
    let mut sink = Sink::new(control);
    write(pixels, level(compression), icc, pool, &mut sink, control).map_err(|error| match error {
        Failure::Stopped(error) => error,
        Failure::Encoder(source) => control.check().err().unwrap_or_else(|| Error::new(Code::Internal).because(source)),
        Failure::Compressor(source) => Error::new(Code::Internal).because(source),
    })?;
    Ok(sink.into_bytes())
}

enum Failure {
    Stopped(Error),
    Encoder(EncodingError),
    Compressor(CompressError),
}

impl From<EncodingError> for Failure {
    fn from(error: EncodingError) -> Self {
        Self::Encoder(error)
    }
}

fn write(
    pixels: &Pixels,
    level: u32,
    icc: Option<&[u8]>,
    pool: &Pool,
    sink: &mut Sink<'_>,
    control: &Control<'_>,
) -> std::result::Result<(), Failure> {
    let mut info = Info::with_size(pixels.width(), pixels.height());
    info.icc_profile = icc.map(Cow::Borrowed);
    let mut encoder = Encoder::with_info(sink, info)?;
    encoder.set_color(color_type(pixels.layout()));
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let height = pixels.height() as usize;
    let rows = STRIP.div_ceil(Filter::length(pixels));
    let strips: Vec<Range<usize>> = (0..height).step_by(rows).map(|y| y..(y + rows).min(height)).collect();
    let mut sum = Sum::default();
    for batch in strips.chunks(pool.threads()) {
        let done = batch.first().map_or(0, |rows| rows.start);
        control.report(Stage::Encode, done as f32 / height as f32).map_err(Failure::Stopped)?;
        let mut made: Vec<_> = batch.iter().map(|rows| (rows, None)).collect();
        pool.for_each(made.iter_mut(), |(rows, made)| *made = Some(strip(pixels, level, rows)));
        for made in made.into_iter().filter_map(|(_, made)| made) {
            let (data, of_strip) = made.map_err(Failure::Compressor)?;
            sum = sum.with(of_strip);
            writer.write_chunk(chunk::IDAT, &data)?;
        }
    }
    writer.write_chunk(chunk::IDAT, &sum.adler.to_be_bytes())?;
    Ok(writer.finish()?)
}

/// A strip's part of the stream, and the sum of what it holds.
fn strip(pixels: &Pixels, level: u32, rows: &Range<usize>) -> std::result::Result<(Vec<u8>, Sum), CompressError> {
    let mut filter = Filter::new(pixels);
    let mut compress = Compress::new(Level::new(level), false);
    let before = WINDOW.div_ceil(Filter::length(pixels)).min(rows.start);
    let mut seen = Vec::new();
    (rows.start - before..rows.start).for_each(|y| seen.extend_from_slice(filter.row(y)));
    if !seen.is_empty() {
        compress.set_dictionary(&seen[seen.len().saturating_sub(WINDOW)..])?;
    }
    let mut data = if rows.start == 0 { header(level).to_vec() } else { Vec::new() };
    let mut adler = Adler32::new();
    for y in rows.clone() {
        let row = filter.row(y);
        adler.write(row);
        feed(&mut compress, row, FlushCompress::None, &mut data)?;
    }
    let is_last = rows.end == pixels.height() as usize;
    feed(&mut compress, &[], if is_last { FlushCompress::Finish } else { FlushCompress::Sync }, &mut data)?;
    Ok((data, Sum { adler: adler.finish(), length: compress.total_in() }))
}

/// Compresses all of `bytes`, and writes what the flush asks for.
fn feed(
    compress: &mut Compress,
    mut bytes: &[u8],
    flush: FlushCompress,
    data: &mut Vec<u8>,
) -> std::result::Result<(), CompressError> {
    loop {
        if data.capacity() - data.len() < ROOM / 2 {
            data.reserve(ROOM);
        }
        let taken = compress.total_in();
        let status = compress.compress_vec(bytes, data, flush)?;
        bytes = &bytes[(compress.total_in() - taken) as usize..];
        // With room left nothing is held back that the flush asks for.
        if status == Status::StreamEnd || (bytes.is_empty() && data.len() < data.capacity()) {
            return Ok(());
        }
    }
}

/// Adler-32 of so many bytes (RFC 1950).
#[derive(Clone, Copy)]
struct Sum {
    adler: u32,
    length: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { adler: 1, length: 0 }
    }
}

impl Sum {
    const PRIME: u64 = 65_521;

    /// That of these bytes and of more behind them.
    fn with(self, more: Self) -> Self {
        let halves = |sum: Self| (u64::from(sum.adler & 0xffff), u64::from(sum.adler >> 16));
        let ((a, b), (more_a, more_b)) = (halves(self), halves(more));
        // Each byte behind them adds what the first half was, less the 1 that it starts with.
        let low = (a + more_a + Self::PRIME - 1) % Self::PRIME;
        let high = (b + more_b + (a + Self::PRIME - 1) % Self::PRIME * (more.length % Self::PRIME)) % Self::PRIME;
        Self { adler: (high << 16 | low) as u32, length: self.length + more.length }
    }
}

const fn color_type(layout: Layout) -> ColorType {
    match layout {
        Layout::Gray8 => ColorType::Grayscale,
        Layout::Rgb8 => ColorType::Rgb,
        Layout::Rgba8 => ColorType::Rgba,
    }
}
