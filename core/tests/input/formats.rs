//! Each format and variant gives the picture that a person would see.

use image::ExtendedColorType::{L8, Rgb8, Rgba8};
use remrembg::{Code, Control, Input, Layout, Limits, Pixels, check_input, decode_input};

use crate::make::{self, Png, QUARTERS};
use crate::samples::{self, hex};

fn decoded(file: &[u8]) -> Pixels {
    decode_input(file, &Limits::default(), &Control::default()).expect("decodes").pixels
}

/// The middle of each quarter of a 16 × 16 picture.
fn middles(pixels: &Pixels) -> [Vec<u8>; 4] {
    assert_eq!((pixels.width(), pixels.height()), (16, 16));
    let pixel = pixels.layout().bytes();
    [(4, 4), (12, 4), (4, 12), (12, 12)].map(|(x, y)| pixels.data()[(y * 16 + x) * pixel..][..pixel].to_vec())
}

fn assert_near(got: &[u8], expected: &[u8], most: u8, what: &str) {
    let near = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= most);
    assert!(near, "{what}: {got:?} is not near {expected:?}");
}

fn assert_quarters(file: &[u8], most: u8, what: &str) {
    for (got, expected) in middles(&decoded(file)).iter().zip(QUARTERS) {
        assert_near(got, &expected, most, what);
    }
}

#[test]
fn lossless_formats_are_exact() {
    let (size, data) = ((16, 16), make::quarters());
    for file in [make::png_compressed(size, &data, Rgb8), make::webp(size, &data, Rgb8), make::bmp(size, &data, Rgb8)] {
        let pixels = decoded(&file);
        assert_eq!((pixels.layout(), pixels.data()), (Layout::Rgb8, &data[..]));
    }
}

#[test]
fn lossy_formats_are_near() {
    assert_quarters(&make::jpeg((16, 16), &make::quarters(), Rgb8), 4, "baseline");
    assert_quarters(&hex(samples::PROGRESSIVE), 4, "progressive");
    assert_quarters(&hex(samples::WEBP_LOSSY), 12, "WebP");
}

#[test]
fn cmyk_jpeg_shows_the_colours_that_were_meant() {
    assert_quarters(&hex(samples::CMYK), 2, "CMYK");
    // The same numbers read as YCCK, as Pillow shows them.
    let mut ycck = hex(samples::CMYK);
    ycck[samples::ADOBE_TRANSFORM] = 2;
    let expected = [[179, 0, 227], [255, 207, 30], [77, 255, 255], [0, 134, 0]];
    for (got, expected) in middles(&decoded(&ycck)).iter().zip(expected) {
        assert_near(got, &expected, 3, "YCCK");
    }
}

/// Expected colours are those of LittleCMS 2 (perceptual).
#[test]
fn cmyk_jpeg_with_a_profile_shows_the_colours_of_its_inks() {
    let inks =
        |file: &[u8]| make::jpeg_with(file, 0xe2, &[b"ICC_PROFILE\0\x01\x01", &make::cmyk_profile()[..]].concat());
    let mut ycck = hex(samples::CMYK);
    ycck[samples::ADOBE_TRANSFORM] = 2;
    for (file, expected) in [
        (hex(samples::CMYK), [[207, 29, 0], [70, 148, 44], [61, 26, 124], [255; 3]]),
        (ycck, [[182, 45, 119], [249, 198, 34], [84, 201, 243], [82, 82, 0]]),
    ] {
        let made = decode_input(&inks(&file), &Limits::default(), &Control::default()).expect("decodes");
        assert_eq!(made.icc, None, "it is said in sRGB now");
        for (got, expected) in middles(&made.pixels).iter().zip(expected) {
            assert_near(got, &expected, 4, "inks");
        }
    }
}

#[test]
fn a_profile_for_inks_that_cannot_be_used_changes_nothing() {
    let mut cut = make::cmyk_profile();
    cut.truncate(600);
    let length = u32::try_from(cut.len()).expect("short").to_be_bytes();
    cut[..4].copy_from_slice(&length);
    let file = make::jpeg_with(&hex(samples::CMYK), 0xe2, &[b"ICC_PROFILE\0\x01\x01", &cut[..]].concat());
    assert_quarters(&file, 2, "CMYK");
    // Three colours with the profile of four inks.
    let rgb = make::jpeg((16, 16), &make::quarters(), Rgb8);
    let file = make::jpeg_with(&rgb, 0xe2, &[b"ICC_PROFILE\0\x01\x01", &make::cmyk_profile()[..]].concat());
    assert_quarters(&file, 4, "RGB");
}

#[test]
fn grey_becomes_rgb() {
    let grey = make::rows((16, 16), |x, _| vec![(x * 16) as u8]);
    let rgb: Vec<u8> = grey.iter().flat_map(|&value| [value; 3]).collect();
    for file in [make::png_compressed((16, 16), &grey, L8), make::bmp((16, 16), &grey, L8)] {
        assert_eq!(decoded(&file).data(), rgb);
    }
    let jpeg = decoded(&make::jpeg((16, 16), &[77; 256], L8));
    assert_near(jpeg.data(), &[77; 768], 1, "grey JPEG");
}

#[test]
fn sixteen_bits_are_rounded() {
    let wide = |_, _| [0x0000u16, 0x00c0, 0xffff].map(u16::to_be_bytes).concat();
    assert_eq!(decoded(&Png::plain((1, 1), 16, 2, &wide).file()).data(), [0, 1, 255]);
    let grey_alpha = |_, _| [0x1234u16, 0x8000].map(u16::to_be_bytes).concat();
    let pixels = decoded(&Png::plain((1, 1), 16, 4, &grey_alpha).file());
    assert_eq!((pixels.layout(), pixels.data()), (Layout::Rgba8, &[18, 18, 18, 128][..]));
}

#[test]
fn palette_and_transparent_colour_become_rgb_and_rgba() {
    let palette = make::chunk(b"PLTE", &[10, 20, 30, 200, 100, 50]);
    let index = |x: u32, _| vec![x as u8];
    let png = |chunks| Png { chunks: [chunks, vec![]], ..Png::plain((2, 1), 8, 3, &index) }.file();
    assert_eq!(decoded(&png(vec![palette.clone()])).data(), [10, 20, 30, 200, 100, 50]);
    let clear = make::chunk(b"tRNS", &[0]);
    assert_eq!(decoded(&png(vec![palette, clear])).data(), [10, 20, 30, 0, 200, 100, 50, 255]);

    let pixel = |x: u32, _| vec![[1, 2, 3], [4, 5, 6]][x as usize].to_vec();
    let clear = make::chunk(b"tRNS", &[0, 1, 0, 2, 0, 3]);
    let keyed = Png { chunks: [vec![clear], vec![]], ..Png::plain((2, 1), 8, 2, &pixel) }.file();
    assert_eq!(decoded(&keyed).data(), [1, 2, 3, 0, 4, 5, 6, 255]);
}

#[test]
fn alpha_is_kept_and_an_opaque_one_is_dropped() {
    let clear = make::rows((16, 16), |x, y| [&make::quarter(x, y)[..], &[(x * 9) as u8]].concat());
    let opaque = make::rows((16, 16), |x, y| [&make::quarter(x, y)[..], &[255]].concat());
    for encode in [make::png_compressed, make::webp] {
        let pixels = decoded(&encode((16, 16), &clear, Rgba8));
        assert_eq!((pixels.layout(), pixels.data()), (Layout::Rgba8, &clear[..]));
        let pixels = decoded(&encode((16, 16), &opaque, Rgba8));
        assert_eq!((pixels.layout(), pixels.data()), (Layout::Rgb8, &make::quarters()[..]));
    }
    let bmp = decoded(&make::bmp((16, 16), &clear, Rgba8));
    assert_eq!((bmp.layout(), bmp.data()), (Layout::Rgba8, &clear[..]));

    let lossy = middles(&decoded(&hex(samples::WEBP_LOSSY_ALPHA)));
    let alphas = lossy.iter().map(|pixel| pixel[3]);
    assert_eq!(alphas.collect::<Vec<_>>(), [64, 255, 64, 255]);
    lossy.iter().zip(QUARTERS).for_each(|(got, expected)| assert_near(&got[..3], &expected, 12, "lossy WebP"));
}

#[test]
fn interlaced_png_is_the_same_picture() {
    let pixel = |x: u32, y: u32| vec![x as u8, y as u8, (x * y) as u8];
    for size in [(1, 1), (2, 5), (8, 8), (13, 9)] {
        let plain = Png::plain(size, 8, 2, &pixel);
        let interlaced = Png { interlaced: true, ..Png::plain(size, 8, 2, &pixel) };
        assert_eq!(decoded(&interlaced.file()), decoded(&plain.file()), "{size:?}");
    }
}

#[test]
fn first_frame_of_an_animation_is_what_a_viewer_shows_first() {
    for file in [samples::animated_png(true), samples::animated_png(false), samples::animated_webp()] {
        assert_eq!(decoded(&file).data(), [255, 0, 0].repeat(64));
    }
}

#[test]
fn brightness_of_a_grey_animation_is_that_of_the_same_picture() {
    let gamma = || make::chunk(b"gAMA", &100_000_u32.to_be_bytes());
    let frame = [make::frame_control(0, (1, 1)), make::frame_data(1, &[0, 64])];
    let animated = [vec![gamma(), make::animation_control(1)], frame.to_vec()];
    let file = |chunks| Png { chunks, ..Png::plain((1, 1), 8, 0, &|_, _| vec![64]) }.file();
    let plain = decoded(&file([vec![gamma()], Vec::new()]));
    assert_eq!(plain.data(), [137; 3]);
    assert_eq!(decoded(&file(animated)).data()[..3], [137; 3]);
}

#[test]
fn default_image_stands_in_for_16_bit_frames() {
    let frames = [make::frame_control(0, (1, 1)), make::frame_data(1, &[0, 9, 9, 9, 9, 9, 9])];
    let chunks = [vec![make::animation_control(1)], frames.to_vec()];
    let file = Png { chunks, ..Png::plain((1, 1), 16, 2, &|_, _| vec![1; 6]) }.file();
    assert_eq!(decoded(&file).data(), [1, 1, 1]);
}

#[test]
fn bmp_rows_run_up_or_down_and_colours_have_any_depth() {
    let (red, blue) = ([255, 0, 0], [0, 0, 255]);
    let palette = [[0, 0, 255, 0], [255, 0, 0, 0]];
    let rows = [[0b0100_0000, 0, 0, 0], [0b1000_0000, 0, 0, 0]].concat();
    let up = make::bmp_raw((2, 2), 1, &[], &palette, &rows);
    assert_eq!(decoded(&up).data(), [blue, red, red, blue].concat());
    let down = make::bmp_raw((2, -2), 1, &[], &palette, &rows);
    assert_eq!(decoded(&down).data(), [red, blue, blue, red].concat());
    // Alpha counts, unless it is 0 everywhere, as writers leave it that know none.
    let alpha = |alphas: [u8; 2]| {
        let data = [[1, 2, 3, alphas[0]], [4, 5, 6, alphas[1]]].concat();
        decoded(&make::bmp((2, 1), &data, Rgba8)).data().to_vec()
    };
    assert_eq!(alpha([0, 9]), [1, 2, 3, 0, 4, 5, 6, 9]);
    assert_eq!(alpha([0, 0]), [1, 2, 3, 4, 5, 6]);
    let sixteen = make::bmp_raw((2, 1), 16, &[], &[], &[0x00, 0x7c, 0x1f, 0x00]);
    assert_eq!(decoded(&sixteen).data(), [red, blue].concat());
}

#[test]
fn thinnest_pictures_decode() {
    for size in [(1, 1), (1, 10000), (10000, 1)] {
        let data = make::rows(size, |_, _| vec![200, 100, 50]);
        for encode in [make::png_compressed, make::webp, make::bmp, make::jpeg] {
            let pixels = decoded(&encode(size, &data, Rgb8));
            assert_eq!((pixels.width(), pixels.height()), size);
            assert_near(pixels.data(), &data, 3, "one colour");
        }
    }
}

#[test]
fn bytes_decide_the_format_and_the_name_does_not() {
    let png = make::png_compressed((16, 16), &make::quarters(), Rgb8);
    for name in ["photo.png", "photo.JPG", "photo.jpeg", "photo.webp", "dir.gif/photo.bmp"] {
        let input = Input::Upload { name, bytes: &png };
        assert_eq!(check_input(input, &Limits::default()).ok(), Some((16, 16)), "{name}");
    }
}

#[test]
fn other_formats_are_refused_whatever_their_name() {
    let gif = hex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b");
    let files: [&[u8]; 6] = [&gif, b"II*\0\x08\0\0\0\0\0", b"\0\0\x01\0\x01\0\x10\x10", b"<svg/>", b"%PDF-1.7", b"x"];
    for bytes in files {
        let error = check_input(Input::Upload { name: "a.png", bytes }, &Limits::default()).expect_err("refused");
        assert_eq!(error.code(), Code::CorruptImage);
    }
}

/// The segments of a JPEG without those that hold Huffman tables, as a frame of Motion JPEG comes.
fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (jpeg[..2].to_vec(), 2);
    while jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xc4 {
            kept.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    kept.extend_from_slice(&jpeg[at..]);
    kept
}

#[test]
fn a_frame_of_motion_jpeg_is_read_without_its_tables() {
    for color in [Rgb8, L8] {
        let data = if color == Rgb8 { make::quarters() } else { vec![90; 256] };
        let whole = make::jpeg((16, 16), &data, color);
        let bare = without_tables(&whole);
        assert!(bare.len() < whole.len() - 100);
        assert_eq!(decoded(&bare), decoded(&whole), "{color:?}");
    }
}

#[test]
fn a_png_that_lacks_its_end_alone_is_whole() {
    let whole = make::png_compressed((16, 16), &make::quarters(), Rgb8);
    assert_eq!(decoded(&whole[..whole.len() - 12]), decoded(&whole));
    for missing in [13, 16, 20] {
        let cut = decode_input(&whole[..whole.len() - missing], &Limits::default(), &Control::default());
        let error = cut.expect_err("the picture is not whole");
        assert_eq!((error.code(), error.reason()), (Code::CorruptImage, Some("the file ends too early")), "{missing}");
    }
}
