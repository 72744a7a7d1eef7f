#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::io::Cursor;

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::error::{Code, ErrorKind, Result};
use crate::exec::Pool;
use crate::exec::control::{CancelToken, Control, Progress, Stage};
use crate::image::pixels::{Layout, Pixels};
use crate::options::{Compression, Format};

use super::How;

const FREE: Control<'_> = Control { progress: None, cancel: None, stop: None };
const FORMATS: [(Format, ImageFormat); 4] = [
    (Format::Webp, ImageFormat::WebP),
    (Format::Png, ImageFormat::Png),
    (Format::Jpeg, ImageFormat::Jpeg),
    (Format::Bmp, ImageFormat::Bmp),
];

/// With the quality that the format has of its own.
fn encode(pixels: &Pixels, format: Format, icc: Option<&[u8]>, control: &Control<'_>) -> Result<Vec<u8>> {
    // A PNG tells of its progress after as many strips as there are threads.
    let threads = if format == Format::Webp { 2 } else { 1 };
    super::encode(pixels, &how(format), icc, &Pool::of(threads), control)
}

const fn how(format: Format) -> How {
    How { format, quality: None, compression: Compression::Default, keep_colors: false }
}

/// Slow waves of colour, a soft alpha, and nothing under what is clear.
fn waves(side: u32, layout: Layout) -> Pixels {
    let wave = |x: u32, y: u32, turn: f64| (127.0 + 120.0 * (f64::from(x) * turn + f64::from(y) * 0.04).sin()) as u8;
    let at = |i: u32| {
        let (x, y) = (i % side, i / side);
        match (x * 4 * 255 / side).min(255) as u8 {
            0 => [0; 4],
            alpha => [wave(x, y, 0.03), wave(x, y, 0.05), wave(x, y, 0.02), alpha],
        }
    };
    let data = (0..side * side).flat_map(|i| at(i).into_iter().take(layout.bytes())).collect();
    Pixels::known(side, side, layout, data)
}

fn decode(bytes: &[u8], format: ImageFormat) -> DynamicImage {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap();
    assert_eq!(reader.format(), Some(format));
    reader.decode().unwrap()
}

fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap();
    reader.into_decoder().unwrap().icc_profile().unwrap()
}

fn icc(space: &[u8; 4]) -> Vec<u8> {
    let mut icc: Vec<u8> = (0..1001).map(|i| (i % 255) as u8).collect();
    icc[16..20].copy_from_slice(space);
    icc
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

#[test]
fn pictures_read_back_within_what_the_format_loses() {
    for (format, container) in FORMATS {
        let picture = waves(120, Layout::Rgb8);
        let image = decode(&encode(&picture, format, None, &FREE).unwrap(), container);
        assert_eq!(image.color(), ColorType::Rgb8, "{format:?}");
        let off = mean_difference(image.as_bytes(), picture.data());
        let allowed = match format {
            Format::Webp | Format::Jpeg => 2.0,
            Format::Png | Format::Bmp => 0.0,
        };
        assert!(off <= allowed, "{format:?}: {off}");
    }
}

#[test]
fn a_higher_quality_is_truer_and_larger_where_the_format_is_lossy() {
    let picture = waves(120, Layout::Rgb8);
    let at = |format, quality| {
        super::encode(&picture, &How { quality: Some(quality), ..how(format) }, None, &Pool::of(1), &FREE).unwrap()
    };
    for (format, container, own) in [(Format::Webp, ImageFormat::WebP, 80), (Format::Jpeg, ImageFormat::Jpeg, 90)] {
        let files = [1, own, 100].map(|quality| at(format, quality));
        assert!(files.iter().map(Vec::len).is_sorted_by(|a, b| a < b), "{format:?}");
        let off = files.each_ref().map(|file| mean_difference(decode(file, container).as_bytes(), picture.data()));
        assert!(off.is_sorted_by(|a, b| a > b), "{format:?}: {off:?}");
        assert!(files[1] == encode(&picture, format, None, &FREE).unwrap(), "{format:?} has {own} of its own");
    }
    for format in [Format::Png, Format::Bmp] {
        assert!(at(format, 1) == encode(&picture, format, None, &FREE).unwrap(), "{format:?} loses nothing");
    }
}

#[test]
fn a_smaller_file_shows_the_same() {
    let picture = waves(400, Layout::Rgba8);
    for (format, container) in [(Format::Webp, ImageFormat::WebP), (Format::Png, ImageFormat::Png)] {
        let files = Compression::ALL.map(|compression| {
            super::encode(&picture, &How { compression, ..how(format) }, None, &Pool::of(1), &FREE).unwrap()
        });
        assert!(
            files.iter().map(Vec::len).is_sorted_by(|a, b| a > b),
            "{format:?} {:?}",
            files.each_ref().map(Vec::len)
        );
        let shown = files.map(|file| decode(&file, container).into_bytes());
        let most = if format == Format::Png { 0.0 } else { 2.0 };
        assert!(shown.iter().all(|pixels| mean_difference(pixels, &shown[1]) <= most), "{format:?}");
    }
}

#[test]
fn no_quality_takes_from_alpha_or_from_a_webp_mask() {
    let (picture, mask) = (waves(120, Layout::Rgba8), waves(120, Layout::Gray8));
    let worst = How { quality: Some(1), ..how(Format::Webp) };
    let worst = |pixels| super::encode(pixels, &worst, None, &Pool::of(1), &FREE).unwrap();
    let image = decode(&worst(&picture), ImageFormat::WebP);
    assert!(image.as_bytes().chunks(4).zip(picture.data().chunks(4)).all(|(a, b)| a[3] == b[3]));
    assert!(worst(&mask) == encode(&mask, Format::Webp, None, &FREE).unwrap());
}

#[test]
fn cut_outs_keep_their_alpha_exactly() {
    let picture = waves(120, Layout::Rgba8);
    for (format, container) in FORMATS.into_iter().filter(|&(format, _)| format != Format::Jpeg) {
        let image = decode(&encode(&picture, format, None, &FREE).unwrap(), container);
        assert_eq!(image.color(), ColorType::Rgba8, "{format:?}");
        let got = image.as_bytes();
        assert!(got.chunks(4).zip(picture.data().chunks(4)).all(|(a, b)| a[3] == b[3]), "{format:?}");
        let visible = |data: &[u8]| -> Vec<u8> {
            let weighted = |px: &[u8]| [0, 1, 2].map(|c| (u32::from(px[c]) * u32::from(px[3]) / 255) as u8);
            data.chunks(4).flat_map(weighted).collect()
        };
        let off = mean_difference(&visible(got), &visible(picture.data()));
        assert!(off <= if format == Format::Webp { 2.0 } else { 0.0 }, "{format:?}: {off}");
    }
}

#[test]
fn masks_stay_grey_and_exact() {
    let mask = waves(120, Layout::Gray8);
    for (format, container) in FORMATS {
        let image = decode(&encode(&mask, format, None, &FREE).unwrap(), container);
        assert!(!image.color().has_alpha(), "{format:?}");
        if matches!(format, Format::Png | Format::Jpeg) {
            assert_eq!(image.color(), ColorType::L8);
        }
        let grey: Vec<u8> = image.to_rgb8().pixels().map(|px| px[0]).collect();
        assert!(image.to_rgb8().pixels().all(|px| px[0] == px[1] && px[1] == px[2]), "{format:?}");
        let off = mean_difference(&grey, mask.data());
        assert!(off <= if format == Format::Jpeg { 1.0 } else { 0.0 }, "{format:?}: {off}");
    }
}

#[test]
fn bmp_has_as_many_bits_as_the_picture() {
    for (layout, bits, compression) in [(Layout::Gray8, 8, 0), (Layout::Rgb8, 24, 0), (Layout::Rgba8, 32, 3)] {
        let bmp = encode(&waves(7, layout), Format::Bmp, None, &FREE).unwrap();
        assert_eq!((bmp[28], bmp[30]), (bits, compression));
    }
    let bmp = encode(&waves(7, Layout::Rgba8), Format::Bmp, None, &FREE).unwrap();
    assert_eq!(bmp[66..70], 0xff00_0000_u32.to_le_bytes(), "the alpha mask of the V4 header");
}

#[test]
fn a_profile_is_found_again() {
    let rgb = icc(b"RGB ");
    for format in [Format::Webp, Format::Png, Format::Jpeg] {
        let bytes = encode(&waves(40, Layout::Rgb8), format, Some(&rgb), &FREE).unwrap();
        assert_eq!(profile(&bytes).as_ref(), Some(&rgb), "{format:?}");
    }
    for format in [Format::Webp, Format::Png] {
        let bytes = encode(&waves(40, Layout::Rgba8), format, Some(&rgb), &FREE).unwrap();
        assert_eq!(profile(&bytes).as_ref(), Some(&rgb), "{format:?}");
    }
}

#[test]
fn a_profile_of_another_kind_of_picture_is_left_out() {
    for (layout, space) in [(Layout::Gray8, b"RGB "), (Layout::Rgb8, b"GRAY"), (Layout::Rgb8, b"CMYK")] {
        for format in [Format::Webp, Format::Png, Format::Jpeg] {
            let bytes = encode(&waves(40, layout), format, Some(&icc(space)), &FREE).unwrap();
            assert_eq!(profile(&bytes), None, "{format:?} {space:?}");
        }
    }
}

#[test]
fn a_stop_asked_for_before_or_on_the_way_ends_the_work() {
    for (format, _) in FORMATS {
        let token = CancelToken::new();
        token.cancel();
        let control = Control { progress: None, cancel: Some(&token), ..Control::default() };
        for layout in [Layout::Gray8, Layout::Rgb8] {
            let error = encode(&waves(120, layout), format, None, &control).unwrap_err();
            assert_eq!(error.code(), Code::Cancelled, "{format:?} {layout:?}");
        }
    }
    for format in [Format::Webp, Format::Png] {
        let (token, calls) = (CancelToken::new(), Cell::new(0));
        let progress = |_| {
            calls.set(calls.get() + 1);
            if calls.get() == 3 {
                token.cancel();
            }
        };
        let control = Control { progress: Some(&progress), cancel: Some(&token), ..Control::default() };
        let error = encode(&waves(800, Layout::Rgba8), format, None, &control).unwrap_err();
        assert_eq!((error.code(), calls.get()), (Code::Cancelled, 3), "{format:?}");
    }
}

#[test]
fn a_webp_is_the_same_on_any_number_of_threads() {
    for layout in [Layout::Gray8, Layout::Rgb8, Layout::Rgba8] {
        let picture = waves(300, layout);
        let files = [1, 2].map(|threads| {
            super::encode(&picture, &how(Format::Webp), None, &Pool::of(threads), &FREE).expect("nothing stops it")
        });
        assert!(files[0] == files[1], "{layout:?}");
    }
}

#[test]
fn a_png_of_many_strips_is_the_picture_and_the_same_on_any_number_of_threads() {
    for layout in [Layout::Gray8, Layout::Rgb8, Layout::Rgba8] {
        let picture = waves(1100, layout);
        let files = [1, 2, 3].map(|threads| {
            super::encode(&picture, &how(Format::Png), None, &Pool::of(threads), &FREE).expect("nothing stops it")
        });
        assert!(files[0] == files[1] && files[0] == files[2], "{layout:?}");
        let image = decode(&files[0], ImageFormat::Png);
        assert!(image.as_bytes() == picture.data(), "{layout:?}");
        assert!(files[0].len() < picture.data().len() / 2, "{layout:?}: {} bytes", files[0].len());
    }
}

#[test]
fn progress_rises() {
    for format in [Format::Webp, Format::Png] {
        let seen = RefCell::new(Vec::new());
        let progress = |progress: Progress| {
            assert_eq!(progress.stage, Stage::Encode);
            seen.borrow_mut().push(progress.fraction);
        };
        let control = Control { progress: Some(&progress), ..Control::default() };
        encode(&waves(800, Layout::Rgba8), format, None, &control).unwrap();
        let seen = seen.into_inner();
        assert!(seen.len() > 3 && seen.is_sorted() && seen.last() <= Some(&1.0), "{format:?}: {seen:?}");
    }
}

#[test]
fn a_side_that_the_format_cannot_hold_is_a_refusal_that_names_the_limit() {
    let long = Pixels::filled(16_384, 1, Layout::Gray8, 0);
    let error = encode(&long, Format::Webp, None, &FREE).unwrap_err();
    assert_eq!(error.message(), "WebP holds at most 16383×16383 pixels, got: 16384×1");
    assert_eq!(error.code().kind(), ErrorKind::Validation);
    assert!(encode(&long, Format::Jpeg, None, &FREE).is_ok());
    let longer = Pixels::filled(1, 65_536, Layout::Gray8, 0);
    let error = encode(&longer, Format::Jpeg, None, &FREE).unwrap_err();
    assert_eq!(error.message(), "JPEG holds at most 65535×65535 pixels, got: 1×65536");
    assert!(encode(&longer, Format::Png, None, &FREE).is_ok());
}

#[test]
fn one_pixel_and_thin_lines_are_pictures_too() {
    for (format, container) in FORMATS {
        for (width, height) in [(1, 1), (1, 10_000), (10_000, 1)] {
            for layout in [Layout::Gray8, Layout::Rgb8] {
                let bytes = encode(&Pixels::filled(width, height, layout, 200), format, None, &FREE).unwrap();
                let image = decode(&bytes, container);
                assert_eq!((image.width(), image.height()), (width, height), "{format:?}");
            }
        }
    }
}
