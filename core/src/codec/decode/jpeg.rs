//! JPEG segments (ITU-T T.81, annex B).

use std::borrow::Cow;

use super::bytes::{array, part};
use super::tables::TYPICAL;

/// Start of scan: entropy-coded data follows.
const SOS: u8 = 0xda;
/// Tables of Huffman codes, and what stands in their place in arithmetic coding.
const DHT: u8 = 0xc4;
const DAC: u8 = 0xcc;
/// Start of frame, progressive.
const SOF2: u8 = 0xc2;

/// Scans of a progressive picture, and pixels that all of them have together: 20 scans of 100 megapixels. Encoders make about 10.
const MOST_SCANS: u64 = 100;
const MOST_SCANNED: u64 = 2_000_000_000;

/// Width and height, from the frame header.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let frame = frame(bytes)?.data;
    let side = |at| array(frame, at).map(u16::from_be_bytes).map(u32::from);
    Some((side(3)?, side(1)?))
}

/// The output, the decoder's copies of the file, and all coefficients at once
/// where the picture comes in several scans.
pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let frame = frame(bytes)?;
    let sampling = sampling(frame.data);
    let pixels = u64::from(width) * u64::from(height);
    let grey = sampling.len() == 1;
    let coefficients = if frame.marker == SOF2 || comes_in_parts(bytes, sampling.len()) {
        128 * blocks((u64::from(width), u64::from(height)), &sampling)
    } else {
        0
    };
    let pixel = match sampling.len() {
        1 => 1,
        // As stored, and as RGB.
        4 => 7,
        _ => 3,
    };
    let decoding = pixels * pixel + coefficients + 3 * bytes.len() as u64;
    Some(if grey { decoding.max(4 * pixels) } else { decoding })
}

/// Whether the end marker follows the start of the picture. In entropy-coded
/// data the two bytes mean nothing else.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let scan = segments(bytes).find(|segment| segment.marker == SOS);
    let rest = scan.and_then(|scan| bytes.get(scan.end..)).unwrap_or_default();
    rest.windows(2).rev().any(|two| two == [0xff, 0xd9])
}

/// Whether it has more scans than a picture needs, each of which takes time, however short it is: of one that is not
/// progressive those that bring a component each, of others so many, and fewer where it is large.
pub(super) fn has_too_many_scans(bytes: &[u8]) -> bool {
    let (Some((width, height)), Some(frame)) = (size(bytes), frame(bytes)) else { return false };
    let most = if frame.marker == SOF2 {
        let pixels = u64::from(width) * u64::from(height);
        MOST_SCANS.min(MOST_SCANNED / pixels.max(1))
    } else {
        sampling(frame.data).len() as u64
    };
    all_segments(bytes).filter(|segment| segment.marker == SOS).count() as u64 > most
}

/// The file with Huffman tables: a frame of Motion JPEG has none, and means the typical ones.
pub(super) fn with_tables(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has_tables = segments(bytes).any(|segment| matches!(segment.marker, DHT | DAC));
    if has_tables || bytes.len() < 2 {
        return Cow::Borrowed(bytes);
    }
    let tables = TYPICAL.concat();
    // It counts its own two bytes.
    let length = (tables.len() as u16 + 2).to_be_bytes();
    let (start, rest) = bytes.split_at(2);
    Cow::Owned([start, &[0xff, DHT], &length, &tables, rest].concat())
}

/// What is wrong with the kind of JPEG, where it is one that nothing here reads.
pub(super) fn kind_that_is_not_read(bytes: &[u8]) -> Option<&'static str> {
    let frame = bytes.starts_with(&[0xff, 0xd8]).then(|| frame(bytes)).flatten()?;
    match frame.marker {
        0xc3 | 0xc7 | 0xcb | 0xcf => Some("this JPEG is lossless, which is not read"),
        0xc9 | 0xca | 0xcd | 0xce => Some("this JPEG has arithmetic coding, which is not read"),
        _ if *frame.data.first()? != 8 => Some("this JPEG has more than 8 bits a channel, which is not read"),
        _ => None,
    }
}

/// Whether it has four channels, which are those of inks.
pub(super) fn has_inks(bytes: &[u8]) -> bool {
    frame(bytes).is_some_and(|frame| sampling(frame.data).len() == 4)
}

/// The first EXIF segment.
pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    segments(bytes).find(|segment| segment.marker == 0xe1 && segment.data.starts_with(b"Exif\0\0")).map(|s| s.data)
}

struct Segment<'a> {
    marker: u8,
    data: &'a [u8],
    end: usize,
}

/// The segments up to the first scan.
fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut is_over = false;
    all_segments(bytes).take_while(move |segment| !std::mem::replace(&mut is_over, segment.marker == SOS))
}

/// The segments up to the end of the picture. Bytes between segments, and those of scans, are passed over, as decoders do.
fn all_segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    std::iter::from_fn(move || {
        let segment = next_segment(bytes, at)?;
        at = segment.end;
        Some(segment)
    })
}

fn next_segment(bytes: &[u8], from: usize) -> Option<Segment<'_>> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += bytes.get(at..)?.iter().position(|&byte| byte != 0xff)?;
        match *bytes.get(at)? {
            0xd9 => return None,
            // Stuffing, TEM, restarts and a second start carry no length.
            0x00 | 0x01 | 0xd0..=0xd8 => at += 1,
            marker => {
                let length = usize::from(u16::from_be_bytes(array(bytes, at + 1)?));
                let data = part(bytes, at + 3, length.checked_sub(2)?);
                return Some(Segment { marker, data, end: at + 1 + length });
            }
        }
    }
}

fn frame(bytes: &[u8]) -> Option<Segment<'_>> {
    segments(bytes)
        .find(|segment| matches!(segment.marker, 0xc0..=0xcf if !matches!(segment.marker, 0xc4 | 0xc8 | 0xcc)))
}

/// Horizontal and vertical sampling of each component.
fn sampling(frame: &[u8]) -> Vec<(u64, u64)> {
    let components = part(frame, 6, 3 * usize::from(frame.get(5).copied().unwrap_or_default()));
    let factors = components.chunks_exact(3).map(|component| component[1]);
    factors.map(|both| (u64::from(both >> 4).max(1), u64::from(both & 15).max(1))).collect()
}

/// 8 × 8 blocks of all components, padded to whole units.
fn blocks((width, height): (u64, u64), sampling: &[(u64, u64)]) -> u64 {
    let across = if sampling.len() > 1 { sampling.iter().map(|both| both.0).max().unwrap_or(1) } else { 1 };
    let down = if sampling.len() > 1 { sampling.iter().map(|both| both.1).max().unwrap_or(1) } else { 1 };
    let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
    sampling.iter().map(|(h, v)| units * h * v).sum()
}

/// Whether the first scan holds fewer components than the frame.
fn comes_in_parts(bytes: &[u8], components: usize) -> bool {
    let scan = segments(bytes).find(|segment| segment.marker == SOS);
    scan.and_then(|scan| scan.data.first().copied()).is_some_and(|count| usize::from(count) != components)
}
