//! Masks that the caller brings.

use std::cell::RefCell;
use std::fs;

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use remrembg::{
    CancelToken, Code, Collector, CutOut, ErrorKind, Input, Layout, Limits, Options, Pixels, Progress, Stage, Stream,
};

use crate::matting::matted;
use crate::{HEIGHT, REMOVER, WIDTH, as_png, ball, ball_png, config, cutting, jpeg_with_orientation, plain, png};

/// A soft mask that no model would make: darker to the right.
fn slope() -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([255 - (x * 2) as u8]))
}

fn mask_of<'a>(mask: impl Into<Input<'a>>, how: CutOut) -> Pixels {
    let options = as_png(|o| o.mask = true);
    let job = REMOVER.job(ball_png()).mask_from(mask).options(&options.clone().with(|o| o.cut_out = how));
    job.run_to_pixels().expect("the mask is taken").pixels
}

fn taken<'a>(mask: impl Into<Input<'a>>) -> Pixels {
    mask_of(mask, plain())
}

#[test]
fn the_picture_is_cut_out_by_the_mask_to_the_byte_and_no_model_runs() {
    let (mask, seen) = (png(slope()), RefCell::new(Vec::new()));
    let note = |progress: Progress| seen.borrow_mut().push(progress.stage);
    let output = REMOVER
        .job(ball_png())
        .mask_from(&mask)
        .options(&cutting(plain()))
        .progress(&note)
        .with_alpha()
        .run_to_pixels();
    let output = output.expect("the mask is taken");
    for ((cut, own), alpha) in output.pixels.data().chunks(4).zip(ball().pixels()).zip(slope().into_raw()) {
        assert_eq!((&cut[..3], cut[3]), (&own.0[..], alpha));
    }
    assert_eq!(output.alpha.expect("it was asked for").data(), slope().as_raw());
    let mut stages = seen.into_inner();
    stages.dedup();
    let expected = [Stage::Decode, Stage::Refine, Stage::CutOut];
    assert_eq!(stages, expected);
    assert_eq!(output.times.iter().map(|(stage, _)| *stage).collect::<Vec<_>>(), expected);
}

#[test]
fn a_mask_comes_in_any_form_that_a_picture_does() {
    let (slope, file) = (slope(), png(slope()));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mask.png");
    fs::write(&path, &file).expect("written");
    let mut collector = Collector::new(Some("mask.png".to_owned()), &Limits::default());
    assert!(file.chunks(100).all(|piece| collector.push(piece)));
    let (reader, pixels) =
        (RefCell::new(&file[..]), Pixels::new(WIDTH, HEIGHT, Layout::Gray8, slope.clone().into_raw()));
    let view = pixels.as_ref().expect("it fits").view();
    let upload = Input::Upload { name: "mask.png", bytes: &file };
    let stream = Input::Stream(None, Stream::new(&reader));
    for input in [(&file).into(), upload, path.as_path().into(), stream, (&collector).into(), view.into()] {
        assert!(taken(input).data() == slope.as_raw(), "{input:?}");
    }
}

#[test]
fn a_cut_out_is_a_mask_by_its_alpha_and_an_opaque_picture_by_its_brightness() {
    let cut = REMOVER.remove(ball_png(), &as_png(|_| ())).expect("a ball is cut out").data;
    let again = REMOVER.job(ball_png()).mask_from(&cut).options(&as_png(|_| ()).with(|o| o.cut_out = plain())).run();
    let again = again.expect("the mask is taken").data;
    assert!(again == cut, "the cut-out of a cut-out's mask is the same");

    let colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]];
    let stripes = RgbImage::from_fn(WIDTH, HEIGHT, |x, _| Rgb(colors[x as usize / 30]));
    for picture in [DynamicImage::from(stripes.clone()), DynamicImage::from(stripes).into_rgba8().into()] {
        let mask = taken(&png(picture));
        assert_eq!([10, 40, 70, 100].map(|x| mask.data()[x]), [76, 150, 29, 128]);
    }
}

#[test]
fn a_mask_of_another_size_is_stretched_to_the_upright_picture() {
    let half = Pixels::new(2, 1, Layout::Gray8, vec![255, 0]).expect("two pixels");
    let mask = taken(half.view());
    assert_eq!((mask.width(), mask.height()), (WIDTH, HEIGHT));
    for row in mask.data().chunks(WIDTH as usize) {
        assert_eq!((row[0], row[WIDTH as usize - 1]), (255, 0));
        assert!(row.is_sorted_by(|a, b| a >= b), "{row:?}");
    }
    let larger = image::imageops::resize(&slope(), WIDTH * 2, HEIGHT * 3, image::imageops::FilterType::Triangle);
    let mask = taken(&png(larger));
    assert!(mask.data().iter().zip(slope().as_raw()).all(|(got, own)| got.abs_diff(*own) <= 2));
}

#[test]
fn mask_and_picture_are_each_turned_upright() {
    // Stored on its side: upright, both are twice as high as wide, with a ball at the top.
    let side = RgbImage::from_fn(80, 40, |x, y| {
        if (x as f32 - 20.0).hypot(y as f32 - 20.0) < 15.0 { Rgb([255; 3]) } else { Rgb([0; 3]) }
    });
    let turned = jpeg_with_orientation(&side.clone().into(), 6);
    let upright = png(image::imageops::rotate90(&side));
    let mask = |picture: &Vec<u8>, mask: &Vec<u8>| {
        let job = REMOVER.job(picture).mask_from(mask).pairs([("mask", "1"), ("refine", "0")]);
        let made = job.run_to_pixels().expect("the mask is taken").pixels;
        assert_eq!((made.width(), made.height()), (40, 80));
        [(20, 20), (20, 60)].map(|(x, y)| made.data()[y * 40 + x])
    };
    for (picture, own) in [(&turned, &turned), (&turned, &upright), (&upright, &turned)] {
        let [top, bottom] = mask(picture, own);
        assert!(top > 250 && bottom < 5, "{top} {bottom}");
    }
}

#[test]
fn options_and_choices_follow_a_mask_that_is_brought() {
    let mask = png(slope());
    let options = as_png(|o| (o.w, o.angle, o.mask) = (Some(60), 90.0, true));
    let output = REMOVER.job(ball_png()).mask_from(&mask).options(&options).run().expect("the mask is taken");
    assert_eq!((output.width, output.height), (45, 60));
    let inverted = mask_of(&mask, plain().with(|c| c.invert_mask = true));
    assert!(inverted.data().iter().zip(slope().as_raw()).all(|(got, own)| *got == 255 - own));
    let hard = mask_of(&mask, plain().with(|c| c.smooth_mask = true));
    assert!(hard.data().iter().all(|alpha| [0, 255].contains(alpha)));
}

#[test]
fn matting_works_out_the_outline_of_a_rough_mask() {
    let rough = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        Luma([if x.abs_diff(60) < 26 && y.abs_diff(45) < 26 { 255 } else { 0 }])
    });
    let mut how = matted();
    how.matting.iter_mut().for_each(|matting| matting.erode_size = 24);
    let cut = REMOVER
        .job(ball_png())
        .mask_from(&png(rough))
        .options(&cutting(how))
        .run_to_pixels()
        .expect("it is matted")
        .pixels;
    let wrong = (0..WIDTH * HEIGHT).filter(|at| {
        let ball = ((at % WIDTH) as f32 - 60.0).hypot((at / WIDTH) as f32 - 45.0) < 28.0;
        cut.data()[*at as usize * 4 + 3].abs_diff(if ball { 255 } else { 0 }) > 25
    });
    assert!(wrong.count() < 60, "a square became the ball");
}

#[test]
fn problems_of_picture_mask_and_options_are_told_together() {
    let job = REMOVER.job(&b""[..]).mask_from(&b"GIF89a"[..]).pairs([("w", "abc"), ("angle", "500"), ("quality", "0")]);
    let error = job.run().expect_err("nothing is right");
    let told: Vec<_> = error.details().iter().map(|problem| (problem.field.as_str(), problem.code)).collect();
    let expected = [
        ("image", Code::EmptyFile),
        ("mask", Code::CorruptImage),
        ("w", Code::NotAnInteger),
        ("angle", Code::AngleOutOfRange),
        ("quality", Code::TooSmall),
    ];
    assert_eq!(told, expected);
    assert_eq!(error.details()[1].message, "File does not appear to be a valid image (invalid file signature)");
}

#[test]
fn a_mask_alone_at_fault_is_told_as_the_mask() {
    let mut config = config();
    config.limits.max_side = WIDTH;
    let narrow = remrembg::Remover::new(config).expect("the engine inside always works");
    let told = |mask: Input<'_>| {
        let error = narrow.job(ball_png()).mask_from(mask).run().expect_err("it is refused");
        assert_eq!((error.kind(), error.details().len()), (ErrorKind::Validation, 1));
        let problem = &error.details()[0];
        assert_eq!((problem.message.as_str(), problem.code), (error.message(), error.code()));
        (problem.field.clone(), problem.message.clone())
    };
    let said = |message: &str| ("mask".to_owned(), message.to_owned());
    let wide = Pixels::filled(WIDTH + 1, 1, Layout::Gray8, 0);
    let message = "Image width (121px) exceeds the maximum allowed width of 120px.";
    assert_eq!(told(wide.view().into()), said(message));
    let message = "No image file provided. Please include a 'mask' field in your form data.";
    assert_eq!(told(Input::Missing), said(message));
    let message = "File type '.txt' is not supported. Allowed formats: webp, bmp, png, jpg, jpeg";
    assert_eq!(told(Input::Upload { name: "mask.txt", bytes: ball_png() }), said(message));
    let message = "File does not appear to be a valid image (invalid file signature)";
    let broken = &ball_png()[..ball_png().len() / 2];
    assert_eq!(told(broken.into()), said(message), "its header is good");
}

#[test]
fn a_mask_that_cannot_be_read_is_no_fault_of_the_request() {
    let path = std::path::Path::new("/nowhere/mask.png");
    let error = REMOVER.job(&b""[..]).mask_from(path).pairs([("w", "abc")]).run().expect_err("nothing is there");
    assert_eq!((error.code(), error.details().len()), (Code::CannotRead, 0));
    assert!(error.message().starts_with("Cannot read '/nowhere/mask.png': "), "{error}");
}

#[test]
fn decoding_both_is_one_stage_that_rises_and_hears_a_stop() {
    let (mask, fractions, token) = (png(slope()), RefCell::new(Vec::new()), CancelToken::new());
    let note = |Progress { stage, fraction }| {
        if stage == Stage::Decode {
            fractions.borrow_mut().push(fraction);
        }
    };
    REMOVER.job(ball_png()).mask_from(&mask).progress(&note).run().expect("the mask is taken");
    let fractions = fractions.into_inner();
    assert!(fractions.is_sorted(), "{fractions:?}");
    assert_eq!((fractions.first(), fractions.last()), (Some(&0.0), Some(&1.0)));
    assert!(fractions.iter().any(|fraction| (0.5..1.0).contains(fraction)), "{fractions:?}");
    let cancel = |Progress { stage, fraction }| {
        if stage == Stage::Decode && fraction > 0.5 {
            token.cancel();
        }
    };
    let job = REMOVER.job(ball_png()).mask_from(&mask).progress(&cancel).cancel(&token);
    assert_eq!(job.run().expect_err("it was cancelled").code(), Code::Cancelled);
}

#[test]
fn alpha_that_a_picture_has_limits_a_mask_that_is_brought() {
    let glass = Pixels::filled(4, 4, Layout::Rgba8, 100);
    let white = Pixels::filled(4, 4, Layout::Gray8, 255);
    let options = Options::default().with(|o| o.mask = true);
    let mask = REMOVER.job(glass.view()).mask_from(white.view()).options(&options).run_to_pixels();
    assert_eq!(mask.expect("the mask is taken").pixels.data(), [100; 16]);
}

/// How far the alpha is from the ball's, on average over the picture.
fn off(alpha: &[u8]) -> f64 {
    let ball = |at: usize| ((at as u32 % WIDTH) as f32 - 60.0).hypot((at as u32 / WIDTH) as f32 - 45.0) < 28.0;
    let off: u64 =
        alpha.iter().enumerate().map(|(at, alpha)| u64::from(alpha.abs_diff(if ball(at) { 255 } else { 0 }))).sum();
    off as f64 / alpha.len() as f64
}

/// The ball as a coarse model or a hasty hand would have it, some pixels off: at the
/// picture's size and smaller, hard and soft.
#[test]
fn the_edge_of_a_mask_that_is_brought_comes_to_lie_on_the_pictures() {
    let hasty = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        Luma([if (x as f32 - 61.5).hypot(y as f32 - 44.0) < 28.0 { 255 } else { 0 }])
    });
    let soft = image::imageops::blur(&hasty, 2.0);
    let small = image::imageops::resize(&hasty, WIDTH / 3, HEIGHT / 3, image::imageops::FilterType::Triangle);
    for mask in [hasty, soft, small] {
        let (taken, refined) = (taken(&png(mask.clone())), mask_of(&png(mask), CutOut::default()));
        let (before, after) = (off(taken.data()), off(refined.data()));
        assert!(after < before / 2.0, "{after} of 255, and {before} as it came");
    }
}

#[test]
fn a_trimap_is_solved_for_what_it_leaves_open() {
    let far = |x: u32, y: u32| (x as f32 - 60.0).hypot(y as f32 - 45.0);
    let trimap = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        Luma([if far(x, y) < 20.0 {
            255
        } else if far(x, y) > 36.0 {
            0
        } else {
            128
        }])
    });
    let half = image::imageops::resize(&trimap, WIDTH / 2, HEIGHT / 2, image::imageops::FilterType::Nearest);
    for trimap in [trimap, half] {
        let how = CutOut::default().with(|c| c.trimap = true);
        let trimap = png(trimap);
        let alpha = mask_of(&trimap, how.clone());
        assert!(off(alpha.data()) < 1.0, "{}", off(alpha.data()));
        let cut = REMOVER.job(ball_png()).mask_from(&trimap).options(&Options::default().with(|o| o.cut_out = how));
        let cut = cut.run_to_pixels().expect("it is solved").pixels;
        assert!(cut.data().chunks(4).map(|pixel| pixel[3]).eq(alpha.data().iter().copied()));
    }
}

#[test]
fn what_a_trimap_says_is_known_stays_with_matting_too() {
    let trimap = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let far = (x as f32 - 60.0).hypot(y as f32 - 45.0);
        Luma([if far < 26.0 {
            255
        } else if far > 30.0 {
            0
        } else {
            128
        }])
    });
    let trimap = png(trimap);
    let solved = CutOut::default().with(|c| c.trimap = true);
    let matted = solved.clone().with(|c| c.matting = Some(remrembg::Matting::default()));
    assert!(mask_of(&trimap, solved) == mask_of(&trimap, matted));
}

#[test]
fn a_trimap_that_knows_nothing_is_the_mask_and_one_that_is_not_brought_is_told_of() {
    let grey = Pixels::filled(WIDTH, HEIGHT, Layout::Gray8, 128);
    let alpha = mask_of(grey.view(), CutOut::default().with(|c| c.trimap = true));
    assert!(alpha.data().iter().all(|alpha| *alpha == 128));
    let error = REMOVER.job(ball_png()).pairs([("trimap", "1")]).run().expect_err("there is none");
    assert_eq!((error.code(), error.details()[0].field.as_str()), (Code::NoImage, "mask"));
}

#[test]
fn a_clean_mask_has_no_specks_and_keeps_what_is_seen_through_a_ring() {
    let far = |x: u32, y: u32| (x as f32 - 60.0).hypot(y as f32 - 45.0);
    let ring = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        Luma([match far(x, y) {
            far if far < 12.0 => 0,
            far if far < 36.0 => 255,
            _ if x.abs_diff(112) < 2 && y.abs_diff(80) < 2 => 90,
            _ => 0,
        }])
    });
    let cleaned = mask_of(&png(ring.clone()), plain().with(|c| c.clean_mask = true));
    let at = |x: u32, y: u32| cleaned.data()[(y * WIDTH + x) as usize];
    assert_eq!([at(112, 80), at(60, 45), at(60, 65)], [0, 0, 255]);
    assert_eq!(taken(&png(ring)).data()[(80 * WIDTH + 112) as usize], 90, "unless it is asked for");
}
