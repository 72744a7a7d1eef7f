//! GIF and TIFF, for those who have them read.

use image::ExtendedColorType::{L8, Rgb8, Rgb16, Rgba8};
use remrembg::{Code, Control, Decoded, Error, Layout, Limits, Orientation, check_input, decode_input};

use crate::make;
use crate::samples::{self, hex};

fn every_format() -> Limits {
    let mut limits = Limits::default();
    limits.more_formats = true;
    limits
}

fn decoded(file: &[u8]) -> Decoded {
    decode_input(file, &every_format(), &Control::default()).expect("it is a picture")
}

fn refused(file: &[u8]) -> Error {
    decode_input(file, &every_format(), &Control::default()).expect_err("it is refused")
}

fn short(value: u16) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

#[test]
fn they_are_refused_where_nobody_asked_for_them() {
    for (file, what) in [
        (make::gif(&[((1, 1), &[1, 2, 3, 255])]), "this is a GIF picture"),
        (make::tiff((1, 1), &[1, 2, 3], Rgb8), "this is a TIFF picture"),
    ] {
        let error = check_input(&file, &Limits::default()).expect_err("the hosted API does not read it");
        assert_eq!((error.code(), error.reason()), (Code::CorruptImage, Some(what)));
        assert_eq!(check_input(&file, &every_format()).ok(), Some((1, 1)));
    }
}

#[test]
fn of_a_gif_the_first_frame_is_the_picture() {
    let (red, blue) = ([255, 0, 0, 255].repeat(64), [0, 0, 255, 255].repeat(64));
    let pixels = decoded(&make::gif(&[((8, 8), &red), ((8, 8), &blue)])).pixels;
    assert_eq!((pixels.width(), pixels.height(), pixels.layout()), (8, 8, Layout::Rgb8));
    assert_eq!(pixels.data(), [255, 0, 0].repeat(64));
}

#[test]
fn around_a_frame_that_is_smaller_than_its_canvas_a_gif_is_transparent() {
    let red = [255, 0, 0, 255].repeat(4);
    let pixels = decoded(&make::on_canvas(make::gif(&[((2, 2), &red)]), (3, 4))).pixels;
    assert_eq!((pixels.width(), pixels.height(), pixels.layout()), (3, 4, Layout::Rgba8));
    let alphas: Vec<_> = pixels.data().chunks(3 * 4).map(|row| [row[3], row[7], row[11]]).collect();
    assert_eq!(alphas, [[255, 255, 0], [255, 255, 0], [0, 0, 0], [0, 0, 0]]);
}

#[test]
fn a_tiff_has_its_colours_its_alpha_and_its_depth() {
    let (size, quarters) = ((16, 16), make::quarters());
    assert_eq!(decoded(&make::tiff(size, &quarters, Rgb8)).pixels.data(), quarters);
    assert_eq!(decoded(&make::tiff_with(size, &quarters, &[])).pixels.data(), quarters);
    assert_eq!(decoded(&hex(samples::TIFF_LZW)).pixels.data(), quarters);
    let near = |got: &[u8]| got.iter().zip(&quarters).all(|(got, expected)| got.abs_diff(*expected) <= 1);
    assert!(near(decoded(&hex(samples::TIFF_CMYK)).pixels.data()), "inks without a profile");
    let grey = decoded(&make::tiff((2, 1), &[7, 200], L8)).pixels;
    assert_eq!((grey.layout(), grey.data()), (Layout::Rgb8, &[7, 7, 7, 200, 200, 200][..]));
    let alpha = decoded(&make::tiff((1, 1), &[1, 2, 3, 4], Rgba8)).pixels;
    assert_eq!((alpha.layout(), alpha.data()), (Layout::Rgba8, &[1, 2, 3, 4][..]));
    let wide: Vec<u8> = [0x1234_u16, 0x8000, 0xffff].iter().flat_map(|value| value.to_ne_bytes()).collect();
    assert_eq!(decoded(&make::tiff((1, 1), &wide, Rgb16)).pixels.data(), [18, 128, 255]);
}

#[test]
fn colours_that_were_multiplied_by_their_alpha_are_as_before() {
    let tags = |kind| [(258, 3, [8_u16.to_le_bytes(); 4].concat()), (277, 3, short(4)), (338, 3, short(kind))];
    let data = [128, 0, 0, 128, 40, 40, 40, 255, 0, 0, 0, 0];
    let of = |kind| decoded(&make::tiff_with((3, 1), &data, &tags(kind))).pixels.data().to_vec();
    assert_eq!(of(1), [255, 0, 0, 128, 40, 40, 40, 255, 0, 0, 0, 0]);
    assert_eq!(of(2), data);
}

#[test]
fn a_fax_is_black_on_white() {
    // One bit a pixel, 0 for white: a black pixel, then seven white ones.
    let tags = [(258, 3, short(1)), (262, 3, short(0)), (277, 3, short(1))];
    let pixels = decoded(&make::tiff_with((8, 1), &[0b1000_0000], &tags)).pixels;
    assert_eq!(pixels.data(), [[0; 3], [255; 3], [255; 3], [255; 3], [255; 3], [255; 3], [255; 3], [255; 3]].concat());
}

#[test]
fn a_tiff_is_turned_and_keeps_its_profile() {
    let profile = make::icc(b"RGB ");
    let tags = [(274, 3, short(6)), (34675, 7, profile.clone())];
    let made = decoded(&make::tiff_with((1, 1), &[1, 2, 3], &tags));
    assert_eq!((made.orientation, made.icc), (Orientation::Rotate90, Some(profile)));
}

#[test]
fn what_no_tiff_here_is_read_of_is_told() {
    let float = [(258, 3, [32_u16.to_le_bytes(); 3].concat()), (339, 3, [3_u16.to_le_bytes(); 3].concat())];
    let bits = |kind: u16, samples: u16, bits: u16| {
        [
            (258, 3, [bits.to_le_bytes()].repeat(samples.into()).concat()),
            (262, 3, short(kind)),
            (277, 3, short(samples)),
        ]
    };
    let palette = [(258, 3, short(8)), (262, 3, short(3)), (277, 3, short(1)), (320, 3, vec![0; 3 * 256 * 2])];
    for (tags, data, reason) in [
        (&float[..], 12, "this TIFF has floating-point samples, which are not read"),
        (&palette[..], 1, "this TIFF has a palette or YCbCr colours, which are not read"),
        (&[(259, 3, short(7))], 3, "this TIFF is packed as JPEG, which is not read"),
        (&[(259, 3, short(1)), (259, 3, short(7))], 3, "a tag of this TIFF is there twice, or is no whole number"),
        (&[(259, 16, 7_u64.to_le_bytes().to_vec())], 3, "a tag of this TIFF is there twice, or is no whole number"),
        (&[(339, 3, short(2))], 3, "this TIFF has samples with a sign, which are not read"),
        (&bits(1, 2, 8), 2, "this TIFF has grey with alpha, which is not read"),
        (&bits(1, 1, 4), 1, "this TIFF has samples of neither 8 nor 16 bits, which are not read"),
        (&bits(2, 3, 32), 12, "this TIFF has samples of neither 8 nor 16 bits, which are not read"),
    ] {
        let error = refused(&make::tiff_with((1, 1), &vec![0; data], tags));
        assert_eq!((error.code(), error.reason()), (Code::CorruptImage, Some(reason)));
    }
}

#[test]
fn sides_are_held_to_the_limits() {
    let gif = make::on_canvas(make::gif(&[((1, 1), &[1, 2, 3, 255])]), (10001, 1));
    assert_eq!(refused(&gif).message(), "Image width (10001px) exceeds the maximum allowed width of 10000px.");
    let mut tiff = make::tiff((1, 1), &[1, 2, 3], Rgb8);
    let height = make::tiff_entry(&tiff, 257);
    tiff[height + 8..height + 12].copy_from_slice(&15000_u32.to_le_bytes());
    assert_eq!(refused(&tiff).message(), "Image height (15000px) exceeds the maximum allowed height of 10000px.");
}
