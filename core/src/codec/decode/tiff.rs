//! TIFF files (TIFF 6.0, sections 2 and 8), and the directories that EXIF data have of them.

use super::bytes::{array, length};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
/// How strips and tiles are packed: 6 and 7 for JPEG.
const COMPRESSION: u16 = 259;
/// What samples stand for: 0 and 1 for grey, 3 for a palette, 6 for YCbCr.
const PHOTOMETRIC: u16 = 262;
const SAMPLES_PER_PIXEL: u16 = 277;
/// How many bytes each strip or tile has in the file.
const STRIP_BYTE_COUNTS: u16 = 279;
const TILE_BYTE_COUNTS: u16 = 325;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;

/// What the samples behind the colours are: 1 for alpha that those are multiplied by.
const EXTRA_SAMPLES: u16 = 338;
/// What kind of numbers samples are: 1 for those without a sign, 3 for floating-point ones.
const SAMPLE_FORMAT: u16 = 339;
const ICC_PROFILE: u16 = 34675;
/// Private tags begin here; the decoder reads none of them before it knows its limits.
const PRIVATE: u16 = 32768;

/// Width and height of the first picture. `None` where values are said to be more than the file has bytes, as the decoder
/// takes memory for them.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut read = entries(bytes)?.filter(|entry| entry.tag < PRIVATE);
    read.all(|entry| entry.length() <= bytes.len()).then_some(())?;
    Some((value(bytes, WIDTH)?, value(bytes, HEIGHT)?))
}

/// What the decoder reads strips into, its output, and the output as RGB; and a tile, which may be larger than the picture.
pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let samples = u64::from(value(bytes, SAMPLES_PER_PIXEL).unwrap_or(1));
    let bits = u64::from(value(bytes, BITS_PER_SAMPLE).unwrap_or(1));
    let pixel = samples.checked_mul(bits.div_ceil(8))?.checked_mul(2)?.checked_add(if samples < 3 { 4 } else { 0 })?;
    let all = |width: u32, height: u32| u64::from(width).checked_mul(u64::from(height))?.checked_mul(pixel);
    let tile = [TILE_WIDTH, TILE_LENGTH].map(|tag| value(bytes, tag).unwrap_or(0));
    all(width, height)?.checked_add(all(tile[0], tile[1])?)
}

/// What the picture is where it is of a kind that is not read. A JPEG within has sizes of its own, which no limit
/// bounds.
pub(super) fn kind_that_is_not_read(bytes: &[u8]) -> Option<&'static str> {
    let tags = [BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, SAMPLES_PER_PIXEL, SAMPLE_FORMAT, TILE_WIDTH, TILE_LENGTH];
    let counts = [STRIP_BYTE_COUNTS, TILE_BYTE_COUNTS];
    if !tags.into_iter().chain(counts).into_iter().all(|tag| is_clear(bytes, tag)) {
        return Some("a tag of this TIFF is there twice, or is no whole number");
    }
    let of = |tag, default| value(bytes, tag).unwrap_or(default);
    let (photometric, samples, bits) = (of(PHOTOMETRIC, 1), of(SAMPLES_PER_PIXEL, 1), of(BITS_PER_SAMPLE, 1));
    let is_grey = photometric < 2;
    match () {
        // Otherwise each that has them would take its time, again and again.
        () if counts.into_iter().any(|tag| sum(bytes, tag) > bytes.len() as u64) => {
            Some("strips or tiles of this TIFF have more bytes than the file")
        }
        () if matches!(photometric, 3 | 6) => Some("this TIFF has a palette or YCbCr colours, which are not read"),
        () if matches!(of(COMPRESSION, 1), 6 | 7) => Some("this TIFF is packed as JPEG, which is not read"),
        () if of(SAMPLE_FORMAT, 1) == 3 => Some("this TIFF has floating-point samples, which are not read"),
        () if of(SAMPLE_FORMAT, 1) == 2 => Some("this TIFF has samples with a sign, which are not read"),
        () if is_grey && samples > 1 => Some("this TIFF has grey with alpha, which is not read"),
        () if !(matches!(bits, 8 | 16) || bits == 1 && is_grey) => {
            Some("this TIFF has samples of neither 8 nor 16 bits, which are not read")
        }
        () => None,
    }
}

/// Whether a tag is not there, or once and as a number that is read here: of others the decoder may have another one.
fn is_clear(bytes: &[u8], tag: u16) -> bool {
    let count = entries(bytes).into_iter().flatten().filter(|entry| entry.tag == tag).count();
    count == 0 || count == 1 && value(bytes, tag).is_some()
}

/// Whether colours are multiplied by their alpha.
pub(super) fn is_multiplied(bytes: &[u8]) -> bool {
    value(bytes, EXTRA_SAMPLES) == Some(1)
}

/// The ICC profile, where there is one.
pub(super) fn icc(bytes: &[u8]) -> Option<Vec<u8>> {
    let entry = entries(bytes)?.find(|entry| entry.tag == ICC_PROFILE && matches!(entry.kind, 1 | 7))?;
    let start = length(Reader::new(bytes).long(entry.at)?);
    Some(bytes.get(start..start.checked_add(entry.length())?)?.to_vec())
}

/// The first value of a tag in the first directory, where it is a whole number.
pub(super) fn value(tiff: &[u8], tag: u16) -> Option<u32> {
    let entry = entries(tiff)?.find(|entry| entry.tag == tag)?;
    let reader = Reader::new(tiff);
    // More than four bytes stand elsewhere.
    let is_here = entry.length() <= 4;
    let at = if is_here { entry.at } else { length(reader.long(entry.at)?) };
    match entry.kind {
        1 => tiff.get(at).copied().map(u32::from),
        3 => reader.short(at).map(u32::from),
        4 => reader.long(at),
        _ => None,
    }
}

/// The sum of a tag's values, which are whole numbers.
fn sum(tiff: &[u8], tag: u16) -> u64 {
    let Some(entry) = entries(tiff).and_then(|mut entries| entries.find(|entry| entry.tag == tag)) else { return 0 };
    let reader = Reader::new(tiff);
    let start = if entry.length() <= 4 { Some(entry.at) } else { reader.long(entry.at).map(length) };
    let values = (0..length(entry.count)).map_while(|number| match entry.kind {
        3 => reader.short(start?.checked_add(2 * number)?).map(u64::from),
        _ => reader.long(start?.checked_add(4 * number)?).map(u64::from),
    });
    values.sum()
}

/// One entry of a directory: so many values of one type, here or where it says.
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    at: usize,
}

impl Entry {
    /// Bytes of all its values.
    fn length(&self) -> usize {
        let size = match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            _ => 8,
        };
        length(self.count).saturating_mul(size)
    }
}

/// The entries of the first directory, as far as the file has them.
fn entries(tiff: &[u8]) -> Option<impl Iterator<Item = Entry>> {
    let reader = Reader::new(tiff);
    let directory = length(reader.long(4)?);
    let places = (0..reader.short(directory)?).map(move |number| directory + 2 + 12 * usize::from(number));
    Some(places.map_while(move |at| {
        let (tag, kind) = (reader.short(at)?, reader.short(at + 2)?);
        Some(Entry { tag, kind, count: reader.long(at + 4)?, at: at + 8 })
    }))
}

struct Reader<'a> {
    tiff: &'a [u8],
    is_little: bool,
}

impl<'a> Reader<'a> {
    fn new(tiff: &'a [u8]) -> Self {
        Self { tiff, is_little: tiff.starts_with(b"II") }
    }

    fn short(&self, at: usize) -> Option<u16> {
        array(self.tiff, at).map(if self.is_little { u16::from_le_bytes } else { u16::from_be_bytes })
    }

    fn long(&self, at: usize) -> Option<u32> {
        array(self.tiff, at).map(if self.is_little { u32::from_le_bytes } else { u32::from_be_bytes })
    }
}
