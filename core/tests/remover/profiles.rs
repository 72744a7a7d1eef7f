//! Pictures whose colours are not those of sRGB.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use moxcms::ColorProfile;
use remrembg::{Color, Control, Decoded, Format, Limits, Options, decode_input};

use crate::{HEIGHT, INSIDE, OUTSIDE, REMOVER, WIDTH, ball};

fn p3() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().expect("it can be written")
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
