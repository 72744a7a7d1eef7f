//! PNG chunks (W3C, "Portable Network Graphics", third edition).

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use super::bytes::{array, length, part};
use super::icc;

/// Width and height, from the IHDR chunk, which must be the first.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (kind, header) = chunks(bytes).next()?;
    // The standard ends at 2³¹ − 1.
    let side = |at| array(header, at).map(u32::from_be_bytes).filter(|side| side >> 31 == 0);
    (kind == *b"IHDR").then_some((side(0)?, side(4)?))
}

/// The larger of what the decoder gives and what turning it into 8-bit RGB or
/// RGBA takes: grey is spread into a second buffer, all else happens in place.
pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let [depth, color] = array(chunks(bytes).next()?.1, 8)?;
    let sample = if depth == 16 { 2 } else { 1 };
    let transparent = chunks(bytes).take_while(|(kind, _)| kind != b"IDAT").any(|(kind, _)| kind == *b"tRNS");
    let alpha = u64::from(transparent || color & 4 != 0);
    let grey = color & 2 == 0;
    let pixel = match (grey, hides_default_image(bytes)) {
        // The canvas now and before, a frame as stored and as RGBA, the result.
        (_, true) => 5 * 4,
        (true, false) => (1 + alpha) * sample + 3 + alpha,
        (false, false) => (3 + alpha) * sample,
    };
    // A file that is tidied is there twice, and so is its profile.
    let copy = if lacks_end(bytes) || refused(bytes).next().is_some() { bytes.len() as u64 } else { 0 };
    let mut before = chunks(bytes).take_while(|(kind, _)| kind != b"IDAT");
    let profile = before.find(|(kind, _)| kind == b"iCCP").and_then(|(_, data)| length_of_profile(data));
    let more = copy.checked_add(2 * profile.unwrap_or(0))?;
    u64::from(width).checked_mul(u64::from(height))?.checked_mul(pixel)?.checked_add(more)
}

/// The file with the chunk that ends it, where that alone is missing, and without chunks that say nothing: the picture is
/// whole all the same.
pub(super) fn tidy(bytes: &[u8]) -> Cow<'_, [u8]> {
    const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
    let lacks_end = lacks_end(bytes);
    if !lacks_end && refused(bytes).next().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut tidy = Vec::with_capacity(bytes.len() + END.len());
    let mut kept = 0;
    for Range { start, end } in refused(bytes) {
        tidy.extend_from_slice(&bytes[kept..start]);
        kept = end;
    }
    tidy.extend_from_slice(&bytes[kept..]);
    tidy.extend_from_slice(if lacks_end { END } else { &[] });
    Cow::Owned(tidy)
}

/// Where chunks lie that say nothing: cICP that has another matrix than RGB's, or a range that is none, for which the decoder
/// refuses the picture; and iCCP whose profile cannot be had or is so long that nobody uses it, which the decoder would unpack.
fn refused(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut end = 8;
    let places = chunks(bytes).map(move |(kind, data)| {
        let start = end;
        end += 12 + data.len();
        (kind, data, start..end)
    });
    let seen = places.take_while(|(kind, _, place)| kind != b"IDAT" && place.end <= bytes.len());
    let mut has_profile = false;
    let mut is_refused = move |kind: [u8; 4], data: &[u8]| match &kind {
        b"cICP" => matches!(data, [_, _, matrix, range] if *matrix > 0 || *range > 1),
        // The first counts: to look into each would take long.
        b"iCCP" => std::mem::replace(&mut has_profile, true) || length_of_profile(data).is_none(),
        _ => false,
    };
    seen.filter(move |(kind, data, _)| is_refused(*kind, data)).map(|(.., place)| place)
}

/// Bytes of the profile that an iCCP chunk has, unpacked. `None` where it is damaged, or longer than any that counts.
fn length_of_profile(data: &[u8]) -> Option<u64> {
    // A name of at most 79 bytes, a zero, the method of compression, and what is compressed.
    let name = data.iter().take(80).position(|byte| *byte == 0)?;
    let mut packed = data.get(name + 1..)?.strip_prefix(&[0])?;
    let (mut zlib, mut piece) = (Decompress::new(true), [0; 1 << 14]);
    loop {
        let before = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(packed, &mut piece, FlushDecompress::None).ok()?;
        if zlib.total_out() > icc::LONGEST as u64 {
            return None;
        }
        if status == Status::StreamEnd {
            return Some(zlib.total_out());
        }
        if (zlib.total_in(), zlib.total_out()) == before {
            return None;
        }
        packed = packed.get(length((zlib.total_in() - before.0) as u32)..)?;
    }
}

/// Whether the file ends with a whole chunk that is not the last.
fn lacks_end(bytes: &[u8]) -> bool {
    let (mut at, mut ends) = (8, false);
    for (kind, data) in chunks(bytes) {
        (at, ends) = (at + 12 + data.len(), kind == *b"IEND");
    }
    !ends && at == bytes.len()
}

/// What a file says of what its numbers mean. Of several chunks the first of these counts: cICP, iCCP, sRGB, then gAMA
/// and cHRM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Colors {
    /// Primaries, transfer function, matrix and range as ITU-T H.273 numbers them.
    Code([u8; 4]),
    /// An ICC profile.
    Profile,
    /// sRGB, or nothing.
    Srgb,
    /// The exponent that light has as a sample, where it is told, and x and y of white, red, green and blue.
    Measured { gamma: Option<f64>, chromaticities: Option<[f64; 8]> },
}

/// Reads that; a code that is not known says nothing.
pub(super) fn colors(bytes: &[u8], is_known: fn([u8; 4]) -> bool) -> Colors {
    let find = |wanted: &[u8; 4]| {
        let mut before = chunks(bytes).take_while(|(kind, _)| kind != b"IDAT");
        before.find(|(kind, _)| kind == wanted).map(|(_, data)| data)
    };
    if let Some(code) = find(b"cICP").and_then(|data| array(data, 0)).filter(|code| is_known(*code)) {
        return Colors::Code(code);
    }
    if find(b"iCCP").is_some() {
        return Colors::Profile;
    }
    let gamma = find(b"gAMA").and_then(|data| measure(data, 0));
    let chromaticities = find(b"cHRM").and_then(|data| {
        let all: Option<Vec<f64>> = (0..8).map(|number| measure(data, 4 * number)).collect();
        all?.try_into().ok()
    });
    match (gamma, chromaticities) {
        _ if find(b"sRGB").is_some() => Colors::Srgb,
        (None, None) => Colors::Srgb,
        (gamma, chromaticities) => Colors::Measured { gamma, chromaticities },
    }
}

/// A number that is stored as 100000 times its value.
fn measure(data: &[u8], at: usize) -> Option<f64> {
    array(data, at).map(u32::from_be_bytes).map(|number| f64::from(number) / 100_000.0)
}

/// The eXIf chunk, which may come behind the picture.
pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    chunks(bytes).find(|(kind, _)| kind == b"eXIf").map(|(_, data)| data)
}

/// Whether the picture that stands first is not part of the animation: no
/// frame control comes before it. The first frame is then another one.
pub(super) fn hides_default_image(bytes: &[u8]) -> bool {
    let before = || chunks(bytes).take_while(|(kind, _)| kind != b"IDAT");
    before().any(|(kind, _)| kind == *b"acTL") && !before().any(|(kind, _)| kind == *b"fcTL")
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let size = length(u32::from_be_bytes(array(bytes, at)?));
        let kind = array(bytes, at + 4)?;
        let data = part(bytes, at + 8, size);
        at = at.checked_add(size)?.checked_add(12)?;
        Some((kind, data))
    })
}
