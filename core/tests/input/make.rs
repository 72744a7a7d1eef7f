//! Makers of image files, byte by byte where no encoder writes the variant.

use std::io::Cursor;

use image::codecs::bmp::BmpEncoder;
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// Four colours, one to a quarter of 16 × 16 pixels: red, green over blue, white.
pub(crate) const QUARTERS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

/// The colour of the quarters at a point.
pub(crate) fn quarter(x: u32, y: u32) -> [u8; 3] {
    QUARTERS[(y / 8 * 2 + x / 8) as usize]
}

/// The bytes that `pixel` gives, rows from the top.
pub(crate) fn rows(size: (u32, u32), pixel: impl Fn(u32, u32) -> Vec<u8>) -> Vec<u8> {
    (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect()
}

/// The quarters as RGB.
pub(crate) fn quarters() -> Vec<u8> {
    rows((16, 16), |x, y| quarter(x, y).to_vec())
}

pub(crate) fn jpeg(size: (u32, u32), data: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, 90).write_image(data, size.0, size.1, color).expect("encodes");
    out
}

pub(crate) fn webp(size: (u32, u32), data: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Vec::new();
    WebPEncoder::new_lossless(&mut out).write_image(data, size.0, size.1, color).expect("encodes");
    out
}

pub(crate) fn bmp(size: (u32, u32), data: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    BmpEncoder::new(&mut out).write_image(data, size.0, size.1, color).expect("encodes");
    out.into_inner()
}

/// A GIF of these frames, as RGBA of at most 256 colours.
pub(crate) fn gif(frames: &[((u32, u32), &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    for ((width, height), data) in frames {
        encoder.encode(data, *width, *height, ExtendedColorType::Rgba8).expect("encodes");
    }
    drop(encoder);
    out
}

/// The same frames on a canvas of another size.
pub(crate) fn on_canvas(mut gif: Vec<u8>, (width, height): (u32, u32)) -> Vec<u8> {
    let side = |side: u32| u16::try_from(side).expect("short").to_le_bytes();
    gif[6..8].copy_from_slice(&side(width));
    gif[8..10].copy_from_slice(&side(height));
    gif
}

/// A TIFF with the low byte first, not compressed.
pub(crate) fn tiff(size: (u32, u32), data: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    TiffEncoder::new(&mut out).write_image(data, size.0, size.1, color).expect("encodes");
    out.into_inner()
}

/// Where the entry of a tag is in a TIFF with the low byte first.
pub(crate) fn tiff_entry(file: &[u8], tag: u16) -> usize {
    let long = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    let directory = long(4);
    let count = usize::from(u16::from_le_bytes([file[directory], file[directory + 1]]));
    let entries = (0..count).map(|number| directory + 2 + 12 * number);
    entries.into_iter().find(|&at| file[at..at + 2] == tag.to_le_bytes()).expect("it has the tag")
}

/// A TIFF whose tags are these beside those that every one has: type, values; RGB as 8 bits unless they say otherwise.
pub(crate) fn tiff_with(size: (u32, u32), data: &[u8], tags: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    let short = |value: u16| value.to_le_bytes().to_vec();
    let long = |value: usize| u32::try_from(value).expect("short").to_le_bytes().to_vec();
    let mut all = vec![
        (256, 4, size.0.to_le_bytes().to_vec()),
        (257, 4, size.1.to_le_bytes().to_vec()),
        (258, 3, [8_u16.to_le_bytes(); 3].concat()),
        (259, 3, short(1)),
        (262, 3, short(2)),
        (273, 4, long(8)),
        (277, 3, short(3)),
        (278, 4, size.1.to_le_bytes().to_vec()),
        (279, 4, long(data.len())),
    ];
    all.retain(|(tag, ..)| tags.iter().all(|(other, ..)| other != tag));
    all.extend(tags.iter().cloned());
    all.sort_by_key(|(tag, ..)| *tag);
    let directory = 8 + data.len().next_multiple_of(2);
    let mut file = [&b"II*\0"[..], &long(directory), data].concat();
    file.resize(directory, 0);
    let mut behind = Vec::new();
    let start = directory + 2 + 12 * all.len() + 4;
    file.extend(short(u16::try_from(all.len()).expect("few")));
    for (tag, kind, values) in all {
        let each = match kind {
            1 | 7 => 1,
            3 => 2,
            16 => 8,
            _ => 4,
        };
        file.extend([short(tag), short(kind), long(values.len() / each)].concat());
        if values.len() <= 4 {
            file.extend(values.iter().copied().chain([0; 4]).take(4));
        } else {
            file.extend(long(start + behind.len()));
            behind.extend(values);
        }
    }
    file.extend([0; 4]);
    file.extend(behind);
    file
}

/// A profile for four inks whose colours a person can follow: lighter is less ink, and each ink has its hue (ICC.1:2010,
/// 10.8, lut8Type with a grid of two points for each ink).
pub(crate) fn cmyk_profile() -> Vec<u8> {
    let lab = |[c, m, y, k]: [f64; 4]| {
        let light = 1.0 - k;
        let l = 100.0 * light * (1.0 - 0.35 * c - 0.45 * m - 0.1 * y);
        let (a, b) = (light * (-35.0 * c + 70.0 * m - 5.0 * y), light * (-45.0 * c - 5.0 * m + 90.0 * y));
        [l * 255.0 / 100.0, a + 128.0, b + 128.0].map(|value| value.round() as u8)
    };
    let corners = (0..16).flat_map(|corner: u8| lab([8, 4, 2, 1].map(|bit| f64::from(corner / bit % 2))));
    let straight: Vec<u8> = (0..=255).collect();
    let matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1].map(|one: u32| (one << 16).to_be_bytes()).concat();
    let head = [&b"mft1\0\0\0\0\x04\x03\x02\0"[..], &matrix, &straight.repeat(4)].concat();
    let table = [head, corners.collect(), straight.repeat(3)].concat();
    let length = u32::try_from(table.len()).expect("short");
    let mut profile = icc(b"CMYK");
    profile.truncate(128);
    profile[8..10].copy_from_slice(&[2, 0x40]);
    profile[12..16].copy_from_slice(b"prtr");
    profile[20..24].copy_from_slice(b"Lab ");
    // The white of D50.
    profile[68..80].copy_from_slice(&[63190, 65536, 54061].map(u32::to_be_bytes).concat());
    profile.extend([&1_u32.to_be_bytes()[..], b"A2B0", &144_u32.to_be_bytes(), &length.to_be_bytes(), &table].concat());
    let whole = u32::try_from(profile.len()).expect("short").to_be_bytes();
    profile[..4].copy_from_slice(&whole);
    profile
}

/// A compressed PNG, as most are.
pub(crate) fn png_compressed(size: (u32, u32), data: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Vec::new();
    PngEncoder::new(&mut out).write_image(data, size.0, size.1, color).expect("encodes");
    out
}

/// A PNG whose data are stored, not compressed.
pub(crate) struct Png<'a> {
    pub(crate) size: (u32, u32),
    pub(crate) depth: u8,
    /// 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA.
    pub(crate) color: u8,
    pub(crate) interlaced: bool,
    /// Chunks between IHDR and IDAT, then those between IDAT and IEND.
    pub(crate) chunks: [Vec<Vec<u8>>; 2],
    /// The bytes of one pixel of at least 8 bits.
    pub(crate) pixel: &'a dyn Fn(u32, u32) -> Vec<u8>,
}

impl Png<'_> {
    pub(crate) fn plain(size: (u32, u32), depth: u8, color: u8, pixel: &dyn Fn(u32, u32) -> Vec<u8>) -> Png<'_> {
        Png { size, depth, color, interlaced: false, chunks: [Vec::new(), Vec::new()], pixel }
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let scanlines = if self.interlaced { self.passes() } else { self.lines((0, 0), (1, 1)) };
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        file.extend(ihdr(self.size, self.depth, self.color, self.interlaced));
        self.chunks[0].iter().for_each(|chunk| file.extend(chunk));
        file.extend(chunk(b"IDAT", &zlib_stored(&scanlines)));
        self.chunks[1].iter().for_each(|chunk| file.extend(chunk));
        file.extend(chunk(b"IEND", &[]));
        file
    }

    fn passes(&self) -> Vec<u8> {
        let starts = [(0, 0), (4, 0), (0, 4), (2, 0), (0, 2), (1, 0), (0, 1)];
        let steps = [(8, 8), (8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2)];
        starts.into_iter().zip(steps).flat_map(|(start, step)| self.lines(start, step)).collect()
    }

    fn lines(&self, start: (u32, u32), step: (usize, usize)) -> Vec<u8> {
        let mut out = Vec::new();
        for y in (start.1..self.size.1).step_by(step.1) {
            let row: Vec<u8> = (start.0..self.size.0).step_by(step.0).flat_map(|x| (self.pixel)(x, y)).collect();
            if !row.is_empty() {
                out.push(0);
                out.extend(row);
            }
        }
        out
    }
}

fn ihdr(size: (u32, u32), depth: u8, color: u8, interlaced: bool) -> Vec<u8> {
    let mut data = [size.0.to_be_bytes(), size.1.to_be_bytes()].concat();
    data.extend([depth, color, 0, 0, interlaced.into()]);
    chunk(b"IHDR", &data)
}

/// A PNG chunk.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    let length = u32::try_from(data.len()).expect("short");
    [&length.to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
}

/// The frame control of an APNG whose frames cover the canvas.
pub(crate) fn frame_control(sequence: u32, size: (u32, u32)) -> Vec<u8> {
    let numbers = [sequence, size.0, size.1, 0, 0].map(u32::to_be_bytes).concat();
    chunk(b"fcTL", &[&numbers[..], &[0, 1, 0, 10, 0, 0]].concat())
}

/// The data of a further frame of an APNG.
pub(crate) fn frame_data(sequence: u32, scanlines: &[u8]) -> Vec<u8> {
    chunk(b"fdAT", &[&sequence.to_be_bytes()[..], &zlib_stored(scanlines)].concat())
}

/// Says that a PNG is animated.
pub(crate) fn animation_control(frames: u32) -> Vec<u8> {
    chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat())
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

pub(crate) fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let count = data.chunks(65535).len();
    for (index, block) in data.chunks(65535).enumerate() {
        let length = u16::try_from(block.len()).expect("a block is short");
        out.push(u8::from(index + 1 == count));
        out.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        out.extend(block);
    }
    let (a, b) = data.iter().fold((1, 0), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// Puts segments behind the start of a JPEG.
pub(crate) fn jpeg_with(file: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).expect("a segment is short").to_be_bytes();
    [&file[..2], &[0xff, marker], &length, data, &file[2..]].concat()
}

/// A WebP container around chunks.
pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), chunks.concat()].concat();
    riff_chunk(b"RIFF", &body)
}

/// A chunk of a WebP container.
pub(crate) fn riff_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_le_bytes();
    let pad = if data.len() % 2 == 1 { &[0][..] } else { &[] };
    [kind, &length[..], data, pad].concat()
}

/// The header of an extended WebP.
pub(crate) fn vp8x(flags: u8, size: (u32, u32)) -> Vec<u8> {
    let [width, height] = [size.0 - 1, size.1 - 1].map(u32::to_le_bytes);
    riff_chunk(b"VP8X", &[&[flags, 0, 0, 0], &width[..3], &height[..3]].concat())
}

/// A frame of an animated WebP at the top left: the picture chunk of `file`.
pub(crate) fn webp_frame(size: (u32, u32), file: &[u8]) -> Vec<u8> {
    let [width, height] = [size.0 - 1, size.1 - 1].map(u32::to_le_bytes);
    let head = [&[0; 6], &width[..3], &height[..3], &[100, 0, 0, 2]].concat();
    riff_chunk(b"ANMF", &[&head, &file[12..]].concat())
}

/// What an animated WebP says of its frames.
pub(crate) fn webp_animation() -> Vec<u8> {
    riff_chunk(b"ANIM", &[0, 0, 0, 0, 0, 0])
}

/// A TIFF structure with the orientation alone.
pub(crate) fn exif(orientation: u16, big_endian: bool) -> Vec<u8> {
    let entry = [0x0112u16, 3];
    if big_endian {
        let head = b"MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        return [
            head,
            entry.map(u16::to_be_bytes).concat(),
            vec![0, 0, 0, 1],
            orientation.to_be_bytes().to_vec(),
            vec![0; 6],
        ]
        .concat();
    }
    let head = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
    [head, entry.map(u16::to_le_bytes).concat(), vec![1, 0, 0, 0], orientation.to_le_bytes().to_vec(), vec![0; 6]]
        .concat()
}

/// The header of an ICC profile for a colour space, and no tags.
pub(crate) fn icc(space: &[u8; 4]) -> Vec<u8> {
    let mut profile = vec![0; 132];
    profile[..4].copy_from_slice(&132u32.to_be_bytes());
    profile[12..16].copy_from_slice(b"mntr");
    profile[16..20].copy_from_slice(space);
    profile[20..24].copy_from_slice(b"XYZ ");
    profile[36..40].copy_from_slice(b"acsp");
    profile
}

/// A BMP with a header of 40 or more bytes, a palette and rows as they stand.
pub(crate) fn bmp_raw(size: (u32, i32), depth: u16, header: &[u8], palette: &[[u8; 4]], data: &[u8]) -> Vec<u8> {
    let info = 40 + header.len();
    let start = u32::try_from(14 + info + 4 * palette.len()).expect("short");
    let total = start + u32::try_from(data.len()).expect("short");
    let mut file = b"BM".to_vec();
    file.extend([total, 0, start, u32::try_from(info).expect("short"), size.0].map(u32::to_le_bytes).concat());
    file.extend(size.1.to_le_bytes());
    file.extend([1, depth].map(u16::to_le_bytes).concat());
    let colors = u32::try_from(palette.len()).expect("short");
    file.extend([0, 0, 2835, 2835, colors, 0].map(u32::to_le_bytes).concat());
    [file, header.to_vec(), palette.concat(), data.to_vec()].concat()
}
