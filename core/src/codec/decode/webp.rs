//! WebP containers (RFC 9649).

use std::borrow::Cow;

use super::bytes::{array, length, part};
use super::vp8l;

/// Where the first chunk begins.
const FIRST: usize = 12;
/// Where the flags of a VP8X chunk are, when it is the first.
const FLAGS: usize = 20;
const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

/// Width and height of the canvas.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (kind, data) = chunks(bytes.get(FIRST..)?).next()?;
    match &kind {
        b"VP8X" => Some((u24(data, 4)? + 1, u24(data, 7)? + 1)),
        _ => frame_size(kind, data),
    }
}

/// Every picture that the decoder holds at once, all of whose sizes must fit
/// the canvas, and the tables of its codes. `None` also when the file has no picture.
pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let canvas = u64::from(width).checked_mul(u64::from(height))?;
    let frame = first_frame(bytes);
    let (kind, data) = chunks(frame).find(|(kind, _)| is_picture(*kind))?;
    let (frame_width, frame_height) = frame_size(kind, data)?;
    let animated = flags(bytes) & ANIMATION != 0;
    let fits = frame_width <= width && frame_height <= height;
    if !fits || !animated && (frame_width, frame_height) != (width, height) {
        return None;
    }
    let pixels = u64::from(frame_width) * u64::from(frame_height);
    let alpha = if is_extended(bytes) { flags(bytes) & ALPHA != 0 } else { lossless_alpha(kind, data) };
    let output = canvas.checked_mul(if alpha { 4 } else { 3 })?;
    let picture = match (kind == *b"VP8L", chunk(frame, *b"ALPH").is_some()) {
        // Its own sub-images; RGBA besides, where the output is not that.
        (true, _) if alpha && !animated => pixels,
        (true, _) => 5 * pixels,
        // Luma and chroma, then alpha as a lossless picture and by itself.
        (false, true) => pixels * 3 / 2 + 5 * pixels,
        (false, false) => pixels * 3 / 2,
    };
    // What cannot be read so far is refused by the decoder, there.
    let codes = match (kind == *b"VP8L", chunk(frame, *b"ALPH")) {
        (true, _) => vp8l::memory(data),
        (false, Some([flags, stream @ ..])) if flags & 3 == 1 => {
            vp8l::memory_of_alpha(stream, (frame_width, frame_height))
        }
        _ => None,
    };
    let composed = if animated { canvas.checked_mul(4)? + 4 * pixels } else { 0 };
    let rest = picture.checked_add(composed)?.checked_add(codes.unwrap_or(0))?;
    output.checked_add(rest)?.checked_add(2 * bytes.len() as u64)
}

/// Whether all the bytes are there that the file says it has.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let stated = array(bytes, 4).map(u32::from_le_bytes).map(length);
    stated.and_then(|size| size.checked_add(8)).is_some_and(|size| size <= bytes.len())
}

/// The file, its flags corrected where they announce a chunk that is absent.
/// The decoder refuses such files, which other software writes and reads.
pub(super) fn without_false_flags(bytes: &[u8]) -> Cow<'_, [u8]> {
    let lacks = |kind| chunk(bytes.get(FIRST..).unwrap_or_default(), kind).is_none();
    let mut wrong = 0;
    for (flag, kind) in [(EXIF, *b"EXIF"), (XMP, *b"XMP "), (ALPHA, *b"ALPH")] {
        let needed = flag != ALPHA || flags(bytes) & ANIMATION == 0 && !lacks(*b"VP8 ");
        if flags(bytes) & flag != 0 && needed && lacks(kind) {
            wrong |= flag;
        }
    }
    if wrong == 0 {
        return Cow::Borrowed(bytes);
    }
    let mut tidy = bytes.to_vec();
    if let Some(flags) = tidy.get_mut(FLAGS) {
        *flags &= !wrong;
    }
    Cow::Owned(tidy)
}

pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    chunk(bytes.get(FIRST..)?, *b"EXIF")
}

pub(super) fn icc(bytes: &[u8]) -> Option<Vec<u8>> {
    chunk(bytes.get(FIRST..)?, *b"ICCP").map(<[u8]>::to_vec)
}

/// The chunks of the first frame: those of the file, or of its first ANMF.
fn first_frame(bytes: &[u8]) -> &[u8] {
    let all = bytes.get(FIRST..).unwrap_or_default();
    if flags(bytes) & ANIMATION == 0 {
        return all;
    }
    chunk(all, *b"ANMF").and_then(|frame| frame.get(16..)).unwrap_or_default()
}

fn is_extended(bytes: &[u8]) -> bool {
    bytes.get(FIRST..FIRST + 4) == Some(b"VP8X")
}

/// The flags of a VP8X chunk; other files have none.
fn flags(bytes: &[u8]) -> u8 {
    bytes.get(FLAGS).copied().filter(|_| is_extended(bytes)).unwrap_or_default()
}

/// What a lossless picture says of itself where no VP8X chunk does.
fn lossless_alpha(kind: [u8; 4], data: &[u8]) -> bool {
    kind == *b"VP8L" && data.get(4).is_some_and(|bits| bits & 0x10 != 0)
}

fn is_picture(kind: [u8; 4]) -> bool {
    matches!(&kind, b"VP8 " | b"VP8L")
}

fn frame_size(kind: [u8; 4], data: &[u8]) -> Option<(u32, u32)> {
    match &kind {
        b"VP8 " if data.get(3..6)? == [0x9d, 0x01, 0x2a] => {
            let side = |at| array(data, at).map(|two| u32::from(u16::from_le_bytes(two) & 0x3fff));
            Some((side(6)?, side(8)?))
        }
        b"VP8L" if data.first() == Some(&0x2f) => {
            let bits = u32::from_le_bytes(array(data, 1)?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => None,
    }
}

fn u24(data: &[u8], at: usize) -> Option<u32> {
    array::<3>(data, at).map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]))
}

fn chunk(chunks_of: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    chunks(chunks_of).find(|(kind, _)| *kind == wanted).map(|(_, data)| data)
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let kind = array(bytes, at)?;
        let size = length(u32::from_le_bytes(array(bytes, at + 4)?));
        let data = part(bytes, at + 8, size);
        at = at.checked_add(size)?.checked_add(8 + size % 2)?;
        Some((kind, data))
    })
}
