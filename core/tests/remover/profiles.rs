//! Pictures whose colours are not those of sRGB.

use std::sync::LazyLock;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use moxcms::ColorProfile;
use remrembg::{Color, Control, Decoded, Format, Layout, Limits, Options, PixelView, decode_input};

use crate::{HEIGHT, INSIDE, OUTSIDE, REMOVER, WIDTH, ball, ball_png, cutting, plain};

/// Written once: it has the time in it.
fn p3() -> Vec<u8> {
    static PROFILE: LazyLock<Vec<u8>> =
        LazyLock::new(|| ColorProfile::new_display_p3().encode().expect("it can be written"));
    PROFILE.clone()
}

/// A PNG with a profile.
fn png(data: &[u8], color: ExtendedColorType, profile: Vec<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    encoder.set_icc_profile(profile).expect("PNG has profiles");
    encoder.write_image(data, WIDTH, HEIGHT, color).expect("it can be written");
    file
}

fn decoded(file: &[u8]) -> Decoded {
    decode_input(file, &Limits::default(), &Control::default()).expect("it can be read")
}

fn pixel(decoded: &Decoded, (x, y): (u32, u32)) -> &[u8] {
    let channels = decoded.pixels.layout().bytes();
    &decoded.pixels.data()[(y * WIDTH + x) as usize * channels..][..3]
}

#[test]
fn a_background_is_the_same_colour_in_a_picture_of_display_p3() {
    let file = png(ball().as_raw(), ExtendedColorType::Rgb8, p3());
    let jade = Color { r: 0, g: 168, b: 107, a: 255 };
    for format in Format::ALL {
        let options = Options::default().with(|o| (o.format, o.bg_color) = (format, Some(jade)));
        let made = decoded(&REMOVER.remove(&file, &options).expect("it is cut out").data);
        assert_eq!(made.icc.as_deref(), Some(&*p3()), "{format:?} keeps the profile");
        let far = pixel(&made, OUTSIDE).iter().zip([75_u8, 165, 112]).map(|(got, p3)| got.abs_diff(p3)).max();
        let most = if matches!(format, Format::Png | Format::Bmp) { 1 } else { 4 };
        assert!(far <= Some(most), "{format:?}: {:?}", pixel(&made, OUTSIDE));
    }
    let pixels = REMOVER.job(&file).options(&Options::default().with(|o| o.bg_color = Some(jade))).run_to_pixels();
    let pixels = pixels.expect("it is cut out").pixels;
    assert_eq!(pixels.data()[..3], [0, 168, 107], "pixels have no profile: the numbers are those that were asked for");
}

#[test]
fn a_bmp_keeps_profile_pixels_and_alpha() {
    let file = png(ball().as_raw(), ExtendedColorType::Rgb8, p3());
    let as_format = |format, color: Option<Color>| {
        let options = Options::default().with(|o| (o.format, o.bg_color) = (format, color));
        REMOVER.remove(&file, &options).expect("it is cut out").data
    };
    for color in [None, Some(Color::WHITE)] {
        let (bmp, png) = (as_format(Format::Bmp, color), as_format(Format::Png, color));
        let by_others = image::load_from_memory(&bmp).expect("the image crate reads it");
        assert_eq!(by_others, image::load_from_memory(&png).expect("it reads this too"));
        assert_eq!(decoded(&bmp), decoded(&png), "profile and all");
        let size = u32::from_le_bytes(bmp[2..6].try_into().expect("four bytes"));
        assert_eq!(size as usize, bmp.len(), "the header tells the file's size");
    }
}

#[test]
fn grey_with_a_profile_of_its_own_becomes_what_is_seen() {
    let linear = ColorProfile::new_gray_with_gamma(1.0).encode().expect("it can be written");
    let grey: Vec<u8> = vec![128; (WIDTH * HEIGHT) as usize];
    let made = decoded(&png(&grey, ExtendedColorType::L8, linear.clone()));
    // sRGB's curve of 128/255 (IEC 61966-2-1) is 188/255.
    assert!(pixel(&made, INSIDE).iter().all(|value| value.abs_diff(188) <= 1), "{:?}", pixel(&made, INSIDE));
    assert_eq!(made.icc, None, "it is said in sRGB now");
    let transparent: Vec<u8> = [128, 77].repeat((WIDTH * HEIGHT) as usize);
    let made = decoded(&png(&transparent, ExtendedColorType::La8, linear));
    let first = &made.pixels.data()[..4];
    assert!(first[0].abs_diff(188) <= 1 && first[3] == 77, "{first:?}");
    let bad = decoded(&png(&grey, ExtendedColorType::L8, b"no profile".to_vec()));
    assert_eq!(pixel(&bad, INSIDE), [128; 3], "a profile that is none changes nothing");
}

/// A PNG with chunks before its picture.
fn png_with(data: &[u8], color: ExtendedColorType, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(data, WIDTH, HEIGHT, color).expect("it can be written");
    // The header's chunk ends at 33.
    let mut made = file[..33].to_vec();
    for (kind, data) in chunks {
        let mut crc = flate2::Crc::new();
        crc.update(*kind);
        crc.update(data);
        made.extend(u32::try_from(data.len()).expect("short").to_be_bytes());
        made.extend_from_slice(*kind);
        made.extend_from_slice(data);
        made.extend(crc.sum().to_be_bytes());
    }
    made.extend_from_slice(&file[33..]);
    made
}

fn measures(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// What a colour of the picture is in sRGB, by its profile.
fn seen(icc: &[u8], color: [u8; 3]) -> [u8; 3] {
    let own = ColorProfile::new_from_slice(icc).expect("it is a profile");
    let transform = own.create_transform_8bit(
        moxcms::Layout::Rgb,
        &ColorProfile::new_srgb(),
        moxcms::Layout::Rgb,
        moxcms::TransformOptions::default(),
    );
    let mut made = [0; 3];
    transform.expect("both are for RGB").transform(&color, &mut made).expect("one pixel each");
    made
}

fn near(got: [u8; 3], expected: [u8; 3]) {
    assert!(got.iter().zip(expected).all(|(got, expected)| got.abs_diff(expected) <= 1), "{got:?}, not {expected:?}");
}

/// x and y of white, red, green and blue of Display P3 (SMPTE EG 432-1, white D65), 100000 times.
const P3: [u32; 8] = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];

#[test]
fn a_png_that_says_its_colours_by_number_has_a_profile_of_them() {
    let (rgb, color) = (ball().into_raw(), ExtendedColorType::Rgb8);
    let made = decoded(&png_with(&rgb, color, &[(b"cICP", &[12, 13, 0, 1])]));
    // By the matrices of both and sRGB's curve (IEC 61966-2-1); below, with the exponent 2.2.
    near(seen(&made.icc.expect("it is not sRGB"), [180, 120, 90]), [190, 117, 84]);
    assert_eq!(made.pixels.data(), rgb, "the numbers stay");
    let again = decoded(&png_with(&rgb, color, &[(b"cICP", &[12, 13, 0, 1])]));
    assert_eq!(again.icc.map(|icc| icc[24..36].to_vec()), Some(vec![0; 12]), "the same at all times");
    for srgb in [[1, 13, 0, 1], [2, 2, 0, 1], [12, 13, 0, 0], [12, 13, 5, 1], [12, 13, 0, 99]] {
        let made = decoded(&png_with(&rgb, color, &[(b"cICP", &srgb)]));
        assert_eq!((made.icc, made.pixels.data()), (None, &rgb[..]), "{srgb:?}");
    }
    let odd = png_with(&rgb, color, &[(b"cICP", &[12, 13, 5, 1]), (b"cICP", &[12, 13, 5, 1])]);
    assert_eq!(decoded(&odd[..odd.len() - 12]).pixels.data(), rgb, "two, and no end");
}

#[test]
fn measured_colours_of_a_png_become_a_profile() {
    let (rgb, color) = (ball().into_raw(), ExtendedColorType::Rgb8);
    let icc = |chunks: &[(&[u8; 4], &[u8])]| decoded(&png_with(&rgb, color, chunks)).icc;
    let p3 = icc(&[(b"gAMA", &measures(&[45455])), (b"cHRM", &measures(&P3))]).expect("it is not sRGB");
    near(seen(&p3, [180, 120, 90]), [192, 117, 83]);
    // sRGB's curve of 128/255 (IEC 61966-2-1) is 188/255.
    near(seen(&icc(&[(b"gAMA", &measures(&[100_000]))]).expect("it is linear"), [128; 3]), [188; 3]);
    let srgb = measures(&[31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000]);
    let flat = measures(&[31270, 32900, 64000, 33000, 64000, 33000, 64000, 33000]);
    for same in [
        &[(b"gAMA", &*measures(&[45455]))][..],
        &[(b"gAMA", &measures(&[45000])), (b"cHRM", &srgb)],
        &[(b"sRGB", &[0]), (b"gAMA", &measures(&[100_000]))],
        &[(b"gAMA", &measures(&[0]))],
        &[(b"gAMA", &[1, 2])],
        &[(b"cHRM", &[0; 32])],
        &[(b"cHRM", &flat)],
        &[(b"cHRM", &[0xff; 32])],
    ] {
        assert_eq!(icc(same), None, "{same:?}");
    }
}

#[test]
fn of_several_words_on_colour_the_best_counts() {
    let (rgb, color) = (ball().into_raw(), ExtendedColorType::Rgb8);
    let linear = measures(&[100_000]);
    let profiled = png(&rgb, color, p3());
    let mut both = png_with(&rgb, color, &[(b"gAMA", &linear)]);
    let iccp = profiled.windows(4).position(|four| four == b"iCCP").expect("it has one") - 4;
    let length = u32::from_be_bytes(profiled[iccp..iccp + 4].try_into().expect("four bytes")) as usize + 12;
    both.splice(33..33, profiled[iccp..iccp + length].iter().copied());
    assert_eq!(decoded(&both).icc, Some(p3()), "a profile before a gamma");
    let mut coded = png_with(&rgb, color, &[(b"cICP", &[1, 13, 0, 1])]);
    coded.splice(33..33, profiled[iccp..iccp + length].iter().copied());
    assert_eq!(decoded(&coded).icc, None, "a code before a profile");
    let mut unknown = png_with(&rgb, color, &[(b"cICP", &[2, 2, 0, 1])]);
    unknown.splice(33..33, profiled[iccp..iccp + length].iter().copied());
    assert_eq!(decoded(&unknown).icc, Some(p3()), "a code that says nothing");
}

#[test]
fn grey_of_another_gamma_becomes_what_is_seen() {
    let grey: Vec<u8> = vec![128; (WIDTH * HEIGHT) as usize];
    let of = |chunks: &[(&[u8; 4], &[u8])]| decoded(&png_with(&grey, ExtendedColorType::L8, chunks));
    for linear in [[(b"gAMA", &*measures(&[100_000]))], [(b"cICP", &[1, 8, 0, 1])]] {
        let made = of(&linear);
        assert!(pixel(&made, INSIDE).iter().all(|value| value.abs_diff(188) <= 1), "{:?}", pixel(&made, INSIDE));
        assert_eq!(made.icc, None);
    }
    assert_eq!(pixel(&of(&[(b"cHRM", &measures(&P3))]), INSIDE), [128; 3], "grey has no primaries");
}

#[test]
fn grey_of_a_mask_is_taken_as_stored_whatever_its_gamma() {
    let grey: Vec<u8> = vec![128; (WIDTH * HEIGHT) as usize];
    for chunks in [&[][..], &[(b"gAMA", &*measures(&[100_000]))], &[(b"cICP", &[1, 8, 0, 1])]] {
        let mask = png_with(&grey, ExtendedColorType::L8, chunks);
        let made = REMOVER.job(ball_png()).mask_from(&mask).options(&cutting(plain())).run_to_pixels();
        assert!(made.expect("it is cut out").pixels.data().chunks(4).all(|px| px[3] == 128), "{chunks:?}");
    }
}

#[test]
fn a_callers_pixels_may_say_what_their_numbers_mean() {
    let (ball, profile) = (ball(), p3());
    let view = PixelView::new(ball.as_raw(), WIDTH, HEIGHT, Layout::Rgb8, WIDTH as usize * 3).expect("it fits");
    let jade = Options::default()
        .with(|o| (o.format, o.bg_color) = (Format::Png, Some(Color { r: 0, g: 168, b: 107, a: 255 })));
    let told = view.with_profile(&profile);
    let pixels = REMOVER.job(told).options(&jade).run_to_pixels().expect("it is cut out").pixels;
    near(pixels.data()[..3].try_into().expect("RGB"), [75, 165, 112]);
    let file = decoded(&REMOVER.job(told).options(&jade).run().expect("it is cut out").data);
    assert_eq!(file.icc, Some(p3()), "a file keeps it");
    let plain = REMOVER.job(view).options(&jade).run_to_pixels().expect("it is cut out").pixels;
    assert_eq!(plain.data()[..3], [0, 168, 107]);
    let bad = REMOVER.job(view.with_profile(b"none")).options(&jade).run().expect("it is cut out");
    assert_eq!(decoded(&bad.data).icc, None);
}
