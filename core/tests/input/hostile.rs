//! Files made to do harm: cut short, with flipped bits, or with headers that
//! promise more than any memory holds.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::ExtendedColorType::{L8, Rgb8, Rgb16, Rgba8};
use remrembg::{Code, Control, Decoded, Limits, Result, check_input, decode_input, hush_guarded_panics};

use crate::make;
use crate::memory::peak_of;
use crate::samples;

/// What one file may take, on a machine that does other things too.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// What decoders hold beside the picture and their copies of the file.
pub(crate) const SLACK: usize = 8 << 20;

const SMALL_BUDGET: usize = 64 << 20;

fn small() -> Limits {
    let mut limits = every_format();
    limits.decode_memory = SMALL_BUDGET as u64;
    limits
}

/// The limits of those who have GIF and TIFF read too.
fn every_format() -> Limits {
    let mut limits = Limits::default();
    limits.more_formats = true;
    limits
}

/// Decodes, and holds the outcome to the contract: a picture or the refusal of
/// a file, soon, and in no more memory than allowed.
fn survives(file: &[u8], what: &str) -> Result<Decoded> {
    let start = Instant::now();
    let (outcome, peak) = peak_of(|| decode_input(file, &small(), &Control::default()));
    assert!(start.elapsed() < LONGEST, "{what} took {:?}", start.elapsed());
    assert!(peak <= SMALL_BUDGET + SLACK, "{what} held {peak} bytes");
    if let Err(error) = &outcome {
        let contract =
            [Code::CorruptImage, Code::EmptyFile, Code::ImageTooWide, Code::ImageTooTall, Code::TooMuchMemory];
        assert!(contract.contains(&error.code()), "{what}: {error}");
    }
    outcome
}

#[test]
fn samples_cut_at_each_37th_byte() {
    hush_guarded_panics();
    for (name, file) in samples::all() {
        survives(&file, name).expect("the whole sample is a picture");
        for length in (0..file.len()).step_by(37) {
            let _ = survives(&file[..length], &format!("{name} cut at {length}"));
        }
    }
}

#[test]
fn samples_that_lack_their_second_half_are_refused() {
    for (name, file) in samples::all() {
        // The first frame of an animated PNG is whole in its first half.
        if !name.starts_with("png animated") {
            let error = survives(&file[..file.len() / 2], name).expect_err(name);
            assert_eq!(error.code(), Code::CorruptImage, "{name}");
        }
    }
}

#[test]
fn samples_with_bits_flipped_1000_times() {
    hush_guarded_panics();
    let mut random = Random(37);
    for (name, file) in samples::all() {
        for round in 0..1000 {
            let mut flipped = file.clone();
            for _ in 0..=random.below(8) {
                let bit = random.below(8 * file.len());
                flipped[bit / 8] ^= 1 << (bit % 8);
            }
            let _ = survives(&flipped, &format!("{name}, round {round}"));
        }
    }
}

/// A linear congruential generator (Knuth's MMIX): the same flips each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// Bits, the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, value: usize, count: usize) {
        for bit in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().expect("one is there") |= ((value >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }
}

/// A lossless WebP of one pixel with so many groups of codes, by RFC 9649.
fn webp_of_groups(groups: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // Signature, width and height less one, alpha, version; no transform; a cache of colours of 11 bits; several groups.
    for (value, count) in [(0x2f, 8), (0, 14), (0, 14), (0, 1), (0, 3), (0, 1), (1, 1), (11, 4), (1, 1), (0, 3)] {
        bits.put(value, count);
    }
    // The one pixel of the picture of groups has the number of the last.
    bits.put(0, 1);
    for symbol in [(groups - 1) & 255, (groups - 1) >> 8, 0, 0, 0] {
        [(1, 1), (0, 1), (1, 1), (symbol, 8)].into_iter().for_each(|(value, count)| bits.put(value, count));
    }
    for _ in 0..groups {
        // Of each group 2048 symbols have codes of 11 bits, the other codes are of one symbol.
        bits.put(0, 1);
        bits.put(11, 4);
        (0..15).for_each(|at| bits.put(usize::from(at == 14), 3));
        [(1, 1), (5, 3), (2046, 12)].into_iter().for_each(|(value, count)| bits.put(value, count));
        (0..4).for_each(|_| {
            [(1, 1), (0, 1), (0, 1), (0, 1)].into_iter().for_each(|(value, count)| bits.put(value, count))
        });
    }
    bits.put(0, 43);
    bits.bytes.resize(bits.bytes.len().next_multiple_of(2), 0);
    let size = |length: usize| u32::try_from(length).expect("short").to_le_bytes();
    let chunk = [&b"VP8L"[..], &size(bits.bytes.len()), &bits.bytes].concat();
    [&b"RIFF"[..], &size(chunk.len() + 4), b"WEBP", &chunk].concat()
}

/// A lossy WebP whose alpha is packed as this lossless one, but for its header.
fn webp_with_alpha(lossless: &[u8]) -> Vec<u8> {
    let all = samples::all();
    let (_, file) = all.iter().find(|(name, _)| *name == "webp lossy alpha").expect("it is there");
    let at = file.windows(4).position(|four| four == b"ALPH").expect("it has one");
    let length = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
    let size = |length: usize| u32::try_from(length).expect("short").to_le_bytes();
    let mut alpha = [&[1], &lossless[25..]].concat();
    let chunk = [&b"ALPH"[..], &size(alpha.len())].concat();
    alpha.resize(alpha.len().next_multiple_of(2), 0);
    let rest = &file[at + 8 + length(at + 4).next_multiple_of(2)..];
    let made = [&file[8..at], &chunk, &alpha, rest].concat();
    [&b"RIFF"[..], &size(made.len()), &made].concat()
}

#[test]
fn codes_of_a_lossless_webp_count_as_the_memory_that_they_take() {
    survives(&webp_of_groups(100), "a hundred groups").expect("it is a picture");
    let error = survives(&webp_of_groups(8192), "thousands of groups").expect_err("they take half a gigabyte");
    assert_eq!(error.code(), Code::TooMuchMemory);
    let error = survives(&webp_with_alpha(&webp_of_groups(8192)), "thousands of groups of an alpha").expect_err("too");
    assert_eq!(error.code(), Code::TooMuchMemory);
    let limits = least_budget(&webp_of_groups(1000));
    let (decoded, peak) = peak_of(|| decode_input(&webp_of_groups(1000)[..], &limits, &Control::default()));
    decoded.expect("it is a picture");
    assert!(
        peak < limits.decode_memory as usize + SLACK && 2 * peak > limits.decode_memory as usize,
        "{peak} {limits:?}"
    );
}

#[test]
fn a_jpeg_of_more_scans_than_it_needs_is_refused_before_they_are_read() {
    let jpeg = make::jpeg((64, 8), &[90; 64 * 8], L8);
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0];
    let with = |scans: usize| [&jpeg[..jpeg.len() - 2], &scan.repeat(scans), &[0xff, 0xd9]].concat();
    survives(&with(0), "one scan").expect("it is a picture");
    for scans in [1, 100_000] {
        let error = survives(&with(scans), "more scans").expect_err("refused");
        assert_eq!(
            (error.code(), error.reason()),
            (Code::CorruptImage, Some("it has more scans than a picture needs"))
        );
    }
}

#[test]
fn a_tiff_takes_no_more_than_its_size_says() {
    let long = |value: u32| value.to_le_bytes().to_vec();
    let tiles = |side: u32| [(322, 4, long(side)), (323, 4, long(16)), (324, 4, long(8)), (325, 4, long(3))];
    let error = survives(&make::tiff_with((1, 1), &[0; 3], &tiles(1 << 29)), "a wide tile").expect_err("refused");
    assert_eq!(error.code(), Code::TooMuchMemory);
    for counts in [279, 325] {
        let file = make::tiff_with((1, 1), &[0; 3], &[(counts, 4, [long(150), long(200)].concat())]);
        let error = survives(&file, "strips on the same bytes").expect_err("refused");
        let reason = "strips or tiles of this TIFF have more bytes than the file";
        assert_eq!((error.code(), error.reason()), (Code::CorruptImage, Some(reason)));
    }
}

/// The least budget under which a file is decoded.
fn least_budget(file: &[u8]) -> Limits {
    let (mut low, mut high) = (0, 1 << 30);
    let mut limits = every_format();
    while low < high {
        limits.decode_memory = u64::midpoint(low, high);
        let refused = check_input(file, &limits).is_err_and(|error| error.code() == Code::TooMuchMemory);
        (low, high) = if refused { (limits.decode_memory + 1, high) } else { (low, limits.decode_memory) };
    }
    // Above the header's estimate a decoder may take room for tables.
    limits.decode_memory = low + (1 << 20);
    limits
}

#[test]
fn what_decoding_holds_stays_within_the_budget() {
    let size = (2000, 1500);
    let flat = |channels: usize| vec![200; 2000 * 1500 * channels];
    let wide = |_, _| vec![128; 8];
    let files = [
        ("png grey", make::png_compressed(size, &flat(1), L8)),
        ("png rgb", make::png_compressed(size, &flat(3), Rgb8)),
        ("png rgba", make::png_compressed(size, &flat(4), Rgba8)),
        ("png 16-bit", make::Png::plain(size, 16, 6, &wide).file()),
        ("jpeg", make::jpeg(size, &flat(3), Rgb8)),
        ("jpeg grey", make::jpeg(size, &flat(1), L8)),
        ("webp", make::webp(size, &flat(3), Rgb8)),
        ("webp alpha", make::webp(size, &flat(4), Rgba8)),
        ("bmp", make::bmp(size, &flat(3), Rgb8)),
        ("gif", make::gif(&[(size, &flat(4))])),
        ("gif, small on its canvas", make::on_canvas(make::gif(&[((500, 500), &flat(4)[..1_000_000])]), size)),
        ("tiff grey", make::tiff(size, &flat(1), L8)),
        ("tiff rgb", make::tiff(size, &flat(3), Rgb8)),
        ("tiff 16-bit", make::tiff(size, &flat(6), Rgb16)),
    ];
    for (name, file) in files {
        let limits = least_budget(&file);
        let (outcome, peak) = peak_of(|| decode_input(&file, &limits, &Control::default()));
        outcome.expect(name);
        let budget = usize::try_from(limits.decode_memory).expect("it fits");
        assert!(peak <= budget + (1 << 20), "{name} held {peak} bytes of {budget}");
        assert!(budget < 2 * peak, "{name} needs {peak} bytes, but {budget} must be allowed");
    }
}

#[test]
fn header_that_promises_much_takes_no_memory() {
    let jpeg = samples::hex("ffd8ffc0001108271027100301220002110103110100");
    let png = make::Png::plain((0, 0), 8, 6, &|_, _| vec![]).file();
    let mut png_large = png.clone();
    png_large[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    let webp = make::riff(&[make::vp8x(0, (10000, 10000)), make::riff_chunk(b"VP8L", &[0x2f, 0, 0, 0, 0])]);
    let bmp = make::bmp_raw((10000, 10000), 24, &[], &[], &[]);
    let gif = make::on_canvas(make::gif(&[((8, 8), &[9; 256])]), (10000, 10000));
    let mut tiff = make::tiff((1, 1), &[1, 2, 3], Rgb8);
    for tag in [256, 257] {
        let at = make::tiff_entry(&tiff, tag) + 8;
        tiff[at..at + 4].copy_from_slice(&10000_u32.to_le_bytes());
    }
    for (name, file) in [("jpeg", jpeg), ("png", png_large), ("webp", webp), ("bmp", bmp), ("gif", gif), ("tiff", tiff)]
    {
        let (outcome, peak) = peak_of(|| survives(&file, name));
        assert!(outcome.is_err(), "{name}");
        assert!(peak < 1 << 20, "{name} held {peak} bytes");
    }
}

#[test]
fn chunk_that_promises_much_takes_no_memory() {
    let lossless = make::webp((16, 16), &make::quarters(), Rgb8);
    let promising = |kind: &[u8; 4]| [&kind[..], &[0xf0, 0xff, 0xff, 0x7f], b"data"].concat();
    for kind in [b"ICCP", b"EXIF", b"XMP "] {
        let chunks = [make::vp8x(0x2c, (16, 16)), lossless[12..].to_vec(), promising(kind)];
        let (outcome, peak) = peak_of(|| survives(&make::riff(&chunks), "WebP"));
        assert!(outcome.is_ok(), "the picture itself is whole");
        assert!(peak < 1 << 20, "held {peak} bytes");
    }
    // A small picture behind a header of its own that says 16383 × 16383.
    let inner = [&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f][..], &[0; 40]].concat();
    let liar = make::riff(&[make::vp8x(0, (16, 16)), make::riff_chunk(b"VP8 ", &inner)]);
    let (outcome, peak) = peak_of(|| survives(&liar, "WebP in WebP"));
    assert!(outcome.is_err() && peak < 1 << 20, "held {peak} bytes");
}

#[test]
fn a_profile_that_unpacks_to_much_takes_no_memory() {
    let mut zlib = ZlibEncoder::new(b"name\0\0".to_vec(), Compression::best());
    zlib.write_all(&vec![0; 64 << 20]).expect("it is packed");
    let profile = make::chunk(b"iCCP", &zlib.finish().expect("it is packed"));
    let pixel = |x, y| make::quarter(x, y).to_vec();
    // Before the palette, where there is one, and behind it; and again and again, where only the first counts.
    let many = vec![profile.clone(); 100];
    for before in [vec![profile.clone()], vec![make::chunk(b"PLTE", &[1, 2, 3]), profile], many] {
        let file = make::Png { chunks: [before, Vec::new()], ..make::Png::plain((2, 2), 8, 2, &pixel) }.file();
        let (outcome, peak) = peak_of(|| survives(&file, "PNG"));
        assert_eq!(outcome.expect("the picture itself is whole").icc, None);
        // A file that is tidied is there twice.
        assert!(peak < file.len() + (2 << 20), "held {peak} bytes of {}", file.len());
    }
}

#[test]
fn progressive_jpeg_with_each_byte_replaced() {
    hush_guarded_panics();
    let mut jpeg = samples::hex(samples::PROGRESSIVE);
    for at in 2..jpeg.len() - 2 {
        for value in [0x00, 0x7f, 0xff] {
            let before = std::mem::replace(&mut jpeg[at], value);
            let _ = survives(&jpeg, &format!("byte {at} as {value}"));
            jpeg[at] = before;
        }
    }
}
