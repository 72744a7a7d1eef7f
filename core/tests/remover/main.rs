//! The front door as a user of the crate meets it, on the engine inside.

mod brought;
mod buffers;
mod callers;
mod found;
mod masks;
mod matting;
#[path = "../../src/engine/tests/onnx.rs"]
mod onnx;
mod profiles;
mod prompts;
mod quality;

use std::cell::RefCell;
use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, LazyLock, OnceLock};
use std::thread;

use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, Rgb, RgbImage, RgbaImage};
use remrembg::{
    CancelToken, ChannelOrder, Code, Color, Config, CutOut, EngineChoice, ErrorKind, Format, Layout, Matting, Model,
    Options, PixelView, PixelViewMut, Pixels, Preset, Progress, Recipe, Remover, Stage,
};

/// Where a test is not about inference: what is not green is subject, and it takes no time.
static REMOVER: LazyLock<Remover> = LazyLock::new(|| Remover::new(config()).expect("the engine inside always works"));

/// On the model that users have.
static BUNDLED: LazyLock<Remover> =
    LazyLock::new(|| Remover::new(Config::default()).expect("the engine inside always works"));

fn config() -> Config {
    static MODEL: LazyLock<PathBuf> =
        LazyLock::new(|| onnx::not_green_in(env!("CARGO_TARGET_TMPDIR"), "not-green.onnx"));
    let mut config = Config::default();
    config.engine = EngineChoice::Rten;
    config.model = Model::File { path: MODEL.clone(), recipe: Recipe::U2NET };
    config
}

const WIDTH: u32 = 120;
const HEIGHT: u32 = 90;
/// A point of the subject and one of the background.
const INSIDE: (u32, u32) = (60, 45);
const OUTSIDE: (u32, u32) = (4, 4);
const RED: [u8; 3] = [200, 30, 20];

/// A red ball on a pale, slightly uneven wall.
fn ball() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (dx, dy) = (x as f32 - 60.0, y as f32 - 45.0);
        let wall = 205 + (x / 12 + y / 9) as u8;
        if dx * dx + dy * dy < 28.0 * 28.0 { Rgb(RED) } else { Rgb([wall, wall, wall - 5]) }
    })
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).expect("a PNG can be written to memory");
    bytes.into_inner()
}

fn ball_png() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| png(ball()))
}

fn as_png(change: impl FnOnce(&mut Options)) -> Options {
    Options::default().with(|o| o.format = Format::Png).with(change)
}

fn cutting(cut_out: CutOut) -> Options {
    Options::default().with(|o| o.cut_out = cut_out)
}

/// The mask as the model or the caller made it, and the picture's own colours.
fn plain() -> CutOut {
    CutOut::default().with(|c| {
        c.refine = false;
        c.decontaminate = false;
    })
}

fn removed(options: &Options) -> DynamicImage {
    removed_by(&REMOVER, options)
}

fn removed_by(remover: &Remover, options: &Options) -> DynamicImage {
    let output = remover.remove(ball_png(), options).expect("a ball is cut out");
    let picture = image::load_from_memory(&output.data).expect("the output can be decoded");
    assert_eq!((output.width, output.height), (picture.width(), picture.height()));
    picture
}

#[test]
fn the_subject_stays_and_the_background_goes() {
    for remover in [&BUNDLED, &REMOVER] {
        let picture = removed_by(remover, &as_png(|_| ())).into_rgba8();
        assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
        let inside = picture.get_pixel(INSIDE.0, INSIDE.1).0;
        assert!(inside[3] > 240, "the ball is opaque, got {inside:?}");
        assert_eq!(inside[..3], RED);
        assert_eq!(picture.get_pixel(OUTSIDE.0, OUTSIDE.1).0, [0; 4], "no trace of the wall is left");
    }
}

#[test]
fn a_mask_is_a_grey_picture() {
    let picture = removed(&as_png(|o| o.mask = true));
    let DynamicImage::ImageLuma8(mask) = picture else { panic!("8-bit grey, got {:?}", picture.color()) };
    assert!(mask.get_pixel(INSIDE.0, INSIDE.1).0[0] > 240);
    assert!(mask.get_pixel(OUTSIDE.0, OUTSIDE.1).0[0] < 5);
}

#[test]
fn a_mask_is_the_alpha_of_the_cut_out_at_every_size() {
    for size in
        [&[("w", "37")][..], &[("w", "500")], &[("w", "50"), ("h", "200"), ("exact_resize", "true")], &[("h", "5")]]
    {
        for smooth in ["false", "true"] {
            let pairs = [&[("format", "png"), ("smooth_mask", smooth)], size].concat();
            let made = |mask| {
                let pairs = pairs.iter().copied().chain([("mask", mask)]);
                let output = REMOVER.job(ball_png()).pairs(pairs).run().expect("a ball is cut out");
                image::load_from_memory(&output.data).expect("it can be decoded")
            };
            let (mask, cut_out) = (made("true").into_luma8(), made("false").into_rgba8());
            assert_eq!(mask.dimensions(), cut_out.dimensions());
            assert!(mask.pixels().zip(cut_out.pixels()).all(|(mask, pixel)| mask.0[0] == pixel.0[3]), "{size:?}");
        }
    }
}

#[test]
fn every_format_is_what_it_says() {
    for (format, mime, guess) in [
        (Format::Webp, "image/webp", ImageFormat::WebP),
        (Format::Png, "image/png", ImageFormat::Png),
        (Format::Jpeg, "image/jpeg", ImageFormat::Jpeg),
        (Format::Bmp, "image/bmp", ImageFormat::Bmp),
    ] {
        let output =
            REMOVER.remove(ball_png(), &Options::default().with(|o| o.format = format)).expect("a ball is cut out");
        assert_eq!((output.format, output.mime()), (format, mime));
        assert_eq!(image::guess_format(&output.data).ok(), Some(guess));
        let alpha = image::load_from_memory(&output.data).expect("it can be decoded").color().has_alpha();
        assert_eq!(alpha, format != Format::Jpeg, "{mime}");
    }
}

#[test]
fn jpeg_is_flattened_onto_white() {
    let output = REMOVER.remove(ball_png(), &Options::default().with(|o| o.format = Format::Jpeg)).expect("cut out");
    let picture = image::load_from_memory(&output.data).expect("it can be decoded").into_rgb8();
    let corner = picture.get_pixel(OUTSIDE.0, OUTSIDE.1).0;
    assert!(corner.iter().all(|&c| c >= 253), "white, got {corner:?}");
}

#[test]
fn a_background_colour_fills_what_was_removed_and_what_rotation_opened() {
    let teal = Color { r: 0, g: 128, b: 128, a: 255 };
    let picture = removed(&as_png(|o| (o.bg_color, o.angle) = (Some(teal), 30.0)));
    assert!(!picture.color().has_alpha(), "an opaque picture has no alpha channel");
    let picture = picture.into_rgb8();
    assert_eq!(picture.get_pixel(0, 0).0, [0, 128, 128]);
    let middle = picture.get_pixel(picture.width() / 2, picture.height() / 2).0;
    assert!(middle.iter().zip(RED).all(|(&got, red)| got.abs_diff(red) <= 3), "{middle:?} is the ball's red");
}

#[test]
fn size_and_angle_follow_each_other() {
    let picture = removed(&as_png(|o| (o.w, o.angle) = (Some(60), 90.0)));
    assert_eq!((picture.width(), picture.height()), (45, 60));
}

#[test]
fn alpha_that_a_picture_has_limits_the_new_one() {
    let half = RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let Rgb([r, g, b]) = *ball().get_pixel(x, y);
        image::Rgba([r, g, b, if x < WIDTH / 2 { 100 } else { 255 }])
    });
    let output = REMOVER.remove(&png(half), &as_png(|_| ())).expect("a ball is cut out");
    let picture = image::load_from_memory(&output.data).expect("it can be decoded").into_rgba8();
    let widest = picture.enumerate_pixels().filter(|(x, ..)| *x < WIDTH / 2).map(|(.., p)| p.0[3]).max();
    assert!(widest.is_some_and(|alpha| (95..=100).contains(&alpha)), "{widest:?}");
}

#[test]
fn colours_that_nobody_sees_change_nothing_that_is_seen() {
    // A round frame, at whose rim the subject ends.
    let framed = |hidden: [u8; 3]| {
        png(RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
            let Rgb([r, g, b]) = *ball().get_pixel(x, y);
            let is_in = (x as f32 - 75.0).hypot(y as f32 - 45.0) < 32.0;
            image::Rgba(if is_in { [r, g, b, 255] } else { [hidden[0], hidden[1], hidden[2], 0] })
        }))
    };
    let mask = png(image::GrayImage::from_fn(WIDTH, HEIGHT, |x, _| image::Luma([if x > 60 { 255 } else { 90 }])));
    let options = [
        CutOut::default(),
        CutOut::default().with(|c| c.keep_colors = true),
        CutOut::default().with(|c| c.matting = Some(Matting::default())),
    ];
    for cut_out in options {
        let options = as_png(|o| o.cut_out = cut_out.clone());
        let cut = |hidden: [u8; 3], mask: Option<&[u8]>| {
            let file = framed(hidden);
            let job = REMOVER.job(&file[..]).options(&options);
            let job = mask.into_iter().fold(job, |job, mask| job.mask_from(mask));
            image::load_from_memory(&job.run().expect("it runs").data).expect("a picture").into_rgba8()
        };
        for mask in [None, Some(&mask[..])] {
            let [black, red] = [[0; 3], RED].map(|hidden| cut(hidden, mask));
            let visible = |picture: &RgbaImage| picture.pixels().filter(|px| px.0[3] > 0).copied().collect::<Vec<_>>();
            assert!(visible(&black) == visible(&red), "{cut_out:?}");
            if cut_out.keep_colors {
                assert_eq!((black.get_pixel(0, 0).0, red.get_pixel(0, 0).0), ([0; 4], [200, 30, 20, 0]));
            }
        }
    }
}

#[test]
fn a_clear_background_is_none() {
    let keep =
        |bg_color| as_png(|o| (o.cut_out, o.bg_color) = (CutOut::default().with(|c| c.keep_colors = true), bg_color));
    let clear = "#ffffff00".parse().expect("a colour");
    let cut = |options: &Options| REMOVER.remove(ball_png(), options).expect("a ball is cut out").data;
    assert!(cut(&keep(Some(clear))) == cut(&keep(None)));
    assert!(cut(&as_png(|o| o.bg_color = Some(clear))) == cut(&as_png(|_| ())));
}

/// A JPEG whose EXIF asks for a turn.
fn jpeg_with_orientation(picture: &DynamicImage, value: u8) -> Vec<u8> {
    let mut jpeg = Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG can be written to memory");
    let mut exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([value, 0, 0, 0, 0, 0, 0, 0]);
    let mut bytes = jpeg.into_inner();
    bytes.splice(2..2, exif);
    bytes
}

#[test]
fn a_picture_comes_out_upright_however_it_was_stored() {
    let upright = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (dx, dy) = (x as f32 - 35.0, y as f32 - 30.0);
        if dx * dx + dy * dy < 22.0 * 22.0 { Rgb(RED) } else { Rgb([215, 215, 210]) }
    });
    for value in 1..=8 {
        // What undoes a quarter turn is the other quarter turn; the rest undo themselves.
        let undo = image::metadata::Orientation::from_exif([1, 2, 3, 4, 5, 8, 7, 6][value - 1]);
        let mut stored = DynamicImage::from(upright.clone());
        stored.apply_orientation(undo.expect("there are eight"));
        let file = jpeg_with_orientation(&stored, value as u8);
        let output = REMOVER.job(&file).options(&as_png(|o| o.mask = true)).run_to_pixels().expect("cut out").pixels;
        assert_eq!((output.width(), output.height()), (WIDTH, HEIGHT), "orientation {value}");
        let at = |x: u32, y: u32| output.data()[(y * WIDTH + x) as usize];
        assert!(at(35, 30) > 240, "orientation {value}: the ball is on the left and above");
        assert!([at(85, 30), at(35, 75), at(85, 75)].iter().all(|&mask| mask < 15), "orientation {value}");
    }
}

#[test]
fn a_colour_profile_is_kept_wherever_the_format_can() {
    let mut profile = vec![0; 132];
    profile[..4].copy_from_slice(&132_u32.to_be_bytes());
    profile[12..20].copy_from_slice(b"mntrRGB ");
    profile[36..40].copy_from_slice(b"acsp");
    let mut file = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
    encoder.set_icc_profile(profile.clone()).expect("PNG holds profiles");
    let (ball, kind) = (ball(), image::ExtendedColorType::Rgb8);
    encoder.write_image(ball.as_raw(), WIDTH, HEIGHT, kind).expect("a PNG can be written to memory");
    for format in [Format::Webp, Format::Png, Format::Jpeg] {
        let output =
            REMOVER.remove(&file, &Options::default().with(|o| o.format = format)).expect("a ball is cut out").data;
        let reader = image::ImageReader::new(Cursor::new(output)).with_guessed_format().expect("it is a picture");
        let mut decoder = reader.into_decoder().expect("it can be decoded");
        assert!(decoder.icc_profile().is_ok_and(|found| found.as_ref() == Some(&profile)), "{format:?}");
    }
}

#[test]
fn pixels_with_a_stride_give_what_the_encoded_picture_gives() {
    let (ball, stride) = (ball(), WIDTH as usize * 3 + 17);
    let mut padded = vec![99; stride * HEIGHT as usize];
    for (from, to) in ball.as_raw().chunks(WIDTH as usize * 3).zip(padded.chunks_mut(stride)) {
        to[..from.len()].copy_from_slice(from);
    }
    let view = PixelView::new(&padded, WIDTH, HEIGHT, Layout::Rgb8, stride).expect("the buffer holds the picture");
    let from_pixels = REMOVER.job(view).run_to_pixels().expect("a ball is cut out");
    let from_bytes = REMOVER.job(ball_png()).run_to_pixels().expect("a ball is cut out");
    assert_eq!(from_pixels.pixels.layout(), Layout::Rgba8);
    assert!(from_pixels.pixels == from_bytes.pixels);
}

#[test]
fn the_alpha_comes_at_the_pictures_size_when_asked_for() {
    let options = as_png(|o| o.w = Some(30));
    let output = REMOVER.job(ball_png()).options(&options).with_alpha().run().expect("a ball is cut out");
    let alpha = output.alpha.expect("it was asked for");
    assert_eq!((alpha.width(), alpha.height(), alpha.layout()), (WIDTH, HEIGHT, Layout::Gray8));
    assert_eq!((output.width, output.height), (30, 23));
    assert!(REMOVER.remove(ball_png(), &options).expect("a ball is cut out").alpha.is_none());
}

#[test]
fn text_options_and_typed_ones_are_the_same() {
    let typed = as_png(|o| (o.w, o.mask) = (Some(50), true));
    let text = REMOVER.job(ball_png()).pairs([("format", "png"), ("w", "50"), ("mask", "yes")]).run();
    assert_eq!(text.expect("cut out").data, REMOVER.remove(ball_png(), &typed).expect("cut out").data);
}

#[test]
fn all_problems_of_a_request_are_told_at_once() {
    let error = REMOVER.job(&b""[..]).pairs([("angle", "500"), ("w", "abc")]).run().expect_err("nothing is right");
    assert_eq!(error.code(), Code::Multiple);
    assert_eq!(
        error.to_json(),
        r#"{"error":"Multiple validation errors","details":[{"field":"image","message":"Uploaded file is empty (0 bytes)."},{"field":"w","message":"'w' must be an integer, got: 'abc'"},{"field":"angle","message":"'angle' must be between -360 and 360 degrees, got: 500.0"}],"status":400}"#
    );
    let error = REMOVER.remove(ball_png(), &as_png(|o| o.w = Some(20_000))).expect_err("that is too wide");
    assert_eq!(error.message(), "'w' must be at most 10000, got: 20000");
}

#[test]
fn a_path_that_does_not_exist_is_not_the_requests_fault() {
    let error =
        REMOVER.remove(std::path::Path::new("/nowhere/photo.png"), &Options::default()).expect_err("nothing is there");
    assert_eq!((error.code(), error.kind()), (Code::CannotRead, ErrorKind::Io));
    assert!(error.message().contains("/nowhere/photo.png"), "{error}");
}

#[test]
fn the_smallest_and_the_thinnest_pictures_work() {
    for (width, height) in [(1, 1), (1, 10_000), (10_000, 1)] {
        let thin = Pixels::filled(width, height, Layout::Rgb8, 120);
        let output = BUNDLED.remove(thin.view(), &as_png(|_| ())).expect("any picture can be cut out");
        assert_eq!((output.width, output.height), (width, height));
    }
}

#[test]
fn the_readmes_example_makes_what_it_says() {
    let binary = std::env::current_exe().expect("the test knows its own path");
    let example = binary.ancestors().nth(2).expect("target/profile").join("examples/cutout");
    let folder = tempfile::tempdir().expect("a folder for the example");
    let mut jpeg = Cursor::new(Vec::new());
    ball().write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG can be written to memory");
    std::fs::write(folder.path().join("photo.jpg"), jpeg.into_inner()).expect("the photo is written");
    let run =
        std::process::Command::new(example).current_dir(&folder).output().expect("the example is built with the tests");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.starts_with("800 × 600 image/png, on "), "{said} {run:?}");
    let cutout = image::open(folder.path().join("cutout.png")).expect("the example wrote a picture");
    assert_eq!((cutout.width(), cutout.height()), (800, 600));
}

#[test]
fn a_translucent_colour_and_the_white_behind_it_are_one_stage() {
    let seen = RefCell::new(Vec::new());
    let progress = |Progress { stage, fraction }| {
        if stage == Stage::Background {
            seen.borrow_mut().push(fraction);
        }
    };
    let red = "#f00".parse::<Color>().expect("a colour");
    let options = Options::default().with(|o| {
        o.format = Format::Jpeg;
        o.bg_color = Some(Color { a: 128, ..red });
    });
    let output = REMOVER.job(ball_png()).options(&options).progress(&progress).run().expect("a ball is cut out");
    assert_eq!(*seen.borrow(), [0.0, 1.0]);
    let pixel = image::load_from_memory(&output.data).expect("a JPEG").to_rgb8().get_pixel(OUTSIDE.0, OUTSIDE.1).0;
    assert!(pixel[0] > 250 && pixel[1].abs_diff(127) < 5 && pixel[2].abs_diff(127) < 5, "half red on white: {pixel:?}");
}

#[test]
fn a_smooth_mask_is_hard_in_the_mask_the_alpha_and_the_cut_out() {
    let smooth = CutOut::default().with(|c| c.smooth_mask = true);
    let mask = REMOVER
        .job(ball_png())
        .options(&as_png(|o| o.mask = true).with(|o| o.cut_out = smooth.clone()))
        .run_to_pixels();
    let mask = mask.expect("a ball is found").pixels;
    assert!(mask.data().iter().all(|alpha| [0, 255].contains(alpha)) && mask.data().contains(&255));
    let cut =
        REMOVER.job(ball_png()).options(&cutting(smooth)).with_alpha().run_to_pixels().expect("a ball is cut out");
    assert!(cut.pixels.data().chunks(4).map(|pixel| pixel[3]).eq(mask.data().iter().copied()));
    assert!(cut.alpha.as_ref() == Some(&mask));
}

#[test]
fn every_preset_finds_the_ball_and_the_finer_ones_its_edge() {
    let off = |preset| {
        let cut_out = CutOut::default().with(|c| c.preset = preset);
        let options = Options::default().with(|o| {
            o.mask = true;
            o.cut_out = cut_out;
        });
        let mask = BUNDLED.job(ball_png()).options(&options).run_to_pixels().expect("a ball is found").pixels;
        let is_ball = |at: u32| ((at % WIDTH) as f32 - 60.0).hypot((at / WIDTH) as f32 - 45.0) < 28.0;
        let alphas = mask.data().iter().zip(0..);
        alphas.map(|(alpha, at)| u64::from(alpha.abs_diff(if is_ball(at) { 255 } else { 0 }))).sum::<u64>()
    };
    let plain = cutting(plain()).with(|o| o.mask = true);
    let plain = BUNDLED.job(ball_png()).options(&plain).run_to_pixels().expect("a ball is found").pixels;
    assert!(plain.data().iter().filter(|alpha| (1..255).contains(*alpha)).count() > 1000, "rembg's mask is soft");
    let [fast, balanced, best] = Preset::ALL.map(off);
    let most = u64::from(WIDTH * HEIGHT);
    assert!(fast < 2 * most && balanced < most && best < most, "of 255 on average: {fast} {balanced} {best}");
}

#[test]
fn the_raw_matte_is_what_the_model_says_as_it_saw_the_picture() {
    let matte = |cut_out| BUNDLED.job(ball_png()).options(&cutting(cut_out)).run_to_matte().expect("a ball is found");
    let (seen, squeezed) = (matte(CutOut::default()), matte(plain()));
    assert_eq!((squeezed.width, squeezed.height), (320, 320));
    assert!((320..=640).contains(&seen.width) && (320..=640).contains(&seen.height), "up to twice as fine: {seen:?}");
    for matte in [seen, squeezed] {
        let at = |(x, y): (u32, u32)| {
            let (x, y) = (x * matte.width / WIDTH, y * matte.height / HEIGHT);
            matte.data[(y * matte.width + x) as usize]
        };
        assert!(at(INSIDE) > 0.95 && at(OUTSIDE) < 0.05, "{} {}", at(INSIDE), at(OUTSIDE));
        assert!(matte.data.iter().any(|value| (value * 255.0).fract() > 0.1), "finer than bytes");
    }
    let trimap =
        BUNDLED.job(ball_png()).pairs([("trimap", "on"), ("mask", "on")]).mask_from(&b"none"[..]).run_to_matte();
    assert!(trimap.expect("nothing else has a say").width >= 320);
    let error = BUNDLED.job(&b""[..]).pairs([("w", "x")]).run_to_matte().expect_err("nothing is right");
    assert_eq!(error.details().len(), 2);
}
