//! What a caller sees: pictures that read back, profiles that stay, work that
//! stops when asked.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use image_webp::WebPDecoder;
use remrembg_webp::{Encoder, Error, Layout, MAX_SIDE, Picture};

const SIDE: u32 = 96;

fn pixels(layout: Layout) -> Vec<u8> {
    let mut data = Vec::new();
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let rgba = [x * 2, y * 2, (x + y) % 200, (x * 7 + y * 3) % 256].map(|v| v as u8);
        match layout {
            Layout::Rgb => data.extend_from_slice(&rgba[..3]),
            Layout::Rgba => data.extend_from_slice(&rgba),
        }
    }
    data
}

fn picture(data: &[u8], layout: Layout) -> Picture<'_> {
    let stride = data.len() / SIDE as usize;
    Picture { data, width: SIDE, height: SIDE, stride, layout }
}

fn encode(encoder: &Encoder, data: &[u8], layout: Layout, icc: Option<&[u8]>) -> Vec<u8> {
    encoder.encode(&picture(data, layout), icc, &mut |_| true).unwrap()
}

/// The channels that the file has, and its pixels.
fn decode(webp: &[u8]) -> (usize, Vec<u8>) {
    let mut decoder = WebPDecoder::new(Cursor::new(webp)).unwrap();
    assert_eq!(decoder.dimensions(), (SIDE, SIDE));
    let mut data = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut data).unwrap();
    (if decoder.has_alpha() { 4 } else { 3 }, data)
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

#[test]
fn lossy_keeps_alpha_exact_and_colours_close() {
    let data = pixels(Layout::Rgba);
    let (channels, got) = decode(&encode(&Encoder::default(), &data, Layout::Rgba, None));
    assert_eq!(channels, 4);
    assert!(got.chunks(4).zip(data.chunks(4)).all(|(got, px)| got[3] == px[3]));
    let opaque = pixels(Layout::Rgb);
    let (channels, got) = decode(&encode(&Encoder::default(), &opaque, Layout::Rgb, None));
    assert_eq!(channels, 3);
    assert!(mean_difference(&got, &opaque) < 4.0);
}

#[test]
fn what_takes_too_much_room_at_the_quickest_method_is_made_with_a_slower_one() {
    let (width, height) = (6000, 4000);
    let mut state = 1_u32;
    let tile: Vec<u8> = (0..512 * width * 3)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let data: Vec<u8> = tile.iter().copied().cycle().take(width * height * 3).collect();
    let picture =
        Picture { data: &data, width: width as u32, height: height as u32, stride: width * 3, layout: Layout::Rgb };
    let mut last = 0;
    let mut progress = |percent| {
        assert!(percent >= last, "{percent} after {last}");
        last = percent;
        true
    };
    let quick = Encoder { method: 0, quality: 100.0, ..Encoder::default() };
    let webp = quick.encode(&picture, None, &mut progress).unwrap();
    assert_eq!(WebPDecoder::new(Cursor::new(webp)).unwrap().dimensions(), (6000, 4000));
}

#[test]
fn lossless_is_exact_where_visible() {
    let lossless = Encoder { lossless: true, exact: true, ..Encoder::default() };
    for layout in [Layout::Rgb, Layout::Rgba] {
        let data = pixels(layout);
        assert_eq!(decode(&encode(&lossless, &data, layout, None)).1, data);
    }
}

#[test]
fn padding_between_rows_is_left_out() {
    let data = pixels(Layout::Rgb);
    let row = SIDE as usize * 3;
    let mut padded: Vec<u8> = data.chunks(row).flat_map(|row| [row, &[99; 7]].concat()).collect();
    padded.truncate(padded.len() - 7);
    let lossless = Encoder { lossless: true, ..Encoder::default() };
    let picture = Picture { stride: row + 7, ..picture(&padded, Layout::Rgb) };
    assert_eq!(decode(&lossless.encode(&picture, None, &mut |_| true).unwrap()).1, data);
}

#[test]
fn a_profile_is_found_again_in_every_kind_of_file() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        for (lossless, profile) in [(false, &b"odd profile"[..]), (true, b"even profile")] {
            let encoder = Encoder { lossless, ..Encoder::default() };
            let data = pixels(layout);
            let (plain, tagged) =
                (encode(&encoder, &data, layout, None), encode(&encoder, &data, layout, Some(profile)));
            let mut decoder = WebPDecoder::new(Cursor::new(&tagged)).unwrap();
            assert_eq!(decoder.icc_profile().unwrap().as_deref(), Some(profile));
            assert_eq!(decode(&tagged), decode(&plain), "{layout:?} lossless {lossless}");
        }
    }
}

#[test]
fn progress_rises_to_the_end() {
    let data = pixels(Layout::Rgba);
    let mut seen = Vec::new();
    let mut note = |percent| {
        seen.push(percent);
        true
    };
    Encoder::default().encode(&picture(&data, Layout::Rgba), None, &mut note).unwrap();
    assert!(seen.is_sorted() && seen.len() > 3, "{seen:?}");
    assert!(seen.last() >= Some(&90), "{seen:?}");
}

#[test]
fn a_stop_is_heard_at_every_step() {
    let data = pixels(Layout::Rgba);
    for lossless in [false, true] {
        let encoder = Encoder { lossless, ..Encoder::default() };
        let mut stops = 0;
        for steps in 0.. {
            let mut left = steps;
            let mut stop = |_| {
                left -= 1;
                left >= 0
            };
            match encoder.encode(&picture(&data, Layout::Rgba), None, &mut stop) {
                Err(error) => assert_eq!(error, Error::Cancelled),
                Ok(_) => break,
            }
            stops += 1;
        }
        assert!(stops > 3);
    }
}

#[test]
fn a_panic_in_progress_comes_out_once_libwebp_is_done() {
    let data = pixels(Layout::Rgba);
    let caught = std::panic::catch_unwind(|| {
        Encoder::default().encode(&picture(&data, Layout::Rgba), None, &mut |percent| {
            assert!(percent < 20, "told to stop");
            true
        })
    });
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"told to stop"));
}

#[test]
fn pictures_that_cannot_be_are_refused() {
    let good = Picture { data: &[0; 12], width: 2, height: 2, stride: 6, layout: Layout::Rgb };
    let encode = |picture: Picture<'_>| Encoder::default().encode(&picture, None, &mut |_| true);
    assert!(encode(good).is_ok());
    for bad in [
        Picture { width: 0, ..good },
        Picture { height: 0, ..good },
        Picture { height: 3, ..good },
        Picture { stride: 5, ..good },
        Picture { stride: usize::MAX, ..good },
    ] {
        assert_eq!(encode(bad), Err(Error::BadPicture), "{bad:?}");
    }
    let error = encode(Picture { width: MAX_SIDE + 1, ..good }).unwrap_err();
    assert_eq!(error.to_string(), "WebP holds at most 16383×16383 pixels, got: 16384×2");
    let settings = Encoder { method: 7, ..Encoder::default() };
    assert_eq!(settings.encode(&good, None, &mut |_| true), Err(Error::BadSettings));
}

#[test]
fn the_longest_sides_work() {
    let row = vec![128; MAX_SIDE as usize * 3];
    for (width, height) in [(MAX_SIDE, 1), (1, MAX_SIDE)] {
        let picture = Picture { data: &row, width, height, stride: width as usize * 3, layout: Layout::Rgb };
        let webp = Encoder::default().encode(&picture, None, &mut |_| true).unwrap();
        assert_eq!(WebPDecoder::new(Cursor::new(webp)).unwrap().dimensions(), (width, height));
    }
}

#[test]
fn alpha_is_exact_at_any_size_with_and_without_a_thread() {
    for (width, height) in [(1, 1), (1, 70), (70, 1), (33, 17), (64, 130)] {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data: Vec<u8> = places
            .flat_map(|(x, y): (u32, u32)| {
                let soft = (x * 40).saturating_sub(y * 10).min(255) as u8;
                [200, 90, 30, if x % 9 == 0 { 0 } else { soft }]
            })
            .collect();
        let picture = Picture { data: &data, width, height, stride: width as usize * 4, layout: Layout::Rgba };
        let [with, without] = [true, false]
            .map(|threads| Encoder { threads, ..Encoder::default() }.encode(&picture, None, &mut |_| true));
        assert_eq!(with, without, "threads change nothing");
        let mut decoder = WebPDecoder::new(Cursor::new(with.unwrap())).unwrap();
        let mut got = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut got).unwrap();
        assert!(got.chunks(4).zip(data.chunks(4)).all(|(got, px)| got[3] == px[3]), "{width}×{height}");
    }
}

#[test]
fn a_picture_that_is_opaque_throughout_has_no_alpha_in_its_file() {
    let opaque: Vec<u8> = pixels(Layout::Rgba).chunks(4).flat_map(|px| [px[0], px[1], px[2], 255]).collect();
    let webp = encode(&Encoder::default(), &opaque, Layout::Rgba, None);
    assert_eq!(decode(&webp).0, 3);
    assert!(!webp.windows(4).any(|bytes| bytes == b"ALPH"));
}
