//! Masks that are not as the model made them.

use remrembg::{Color, CutOut, Layout, Options, Pixels};

use crate::matting::matted;
use crate::{HEIGHT, INSIDE, OUTSIDE, REMOVER, WIDTH, as_png, ball, ball_png, plain, png};

fn inverted() -> CutOut {
    plain().with(|c| c.invert_mask = true)
}

fn pixel(picture: &Pixels, (x, y): (u32, u32)) -> &[u8] {
    let channels = picture.layout().bytes();
    &picture.data()[(y * picture.width() + x) as usize * channels..][..channels]
}

fn cut(options: &Options, how: CutOut) -> Pixels {
    REMOVER
        .job(ball_png())
        .options(&options.clone().with(|o| o.cut_out = how))
        .run_to_pixels()
        .expect("a ball is cut out")
        .pixels
}

#[test]
fn an_inverted_mask_keeps_the_background_and_clears_the_subject() {
    let picture = cut(&Options::default(), inverted());
    assert!(pixel(&picture, INSIDE)[3] < 10, "the ball is gone");
    let wall = ball().get_pixel(OUTSIDE.0, OUTSIDE.1).0;
    assert_eq!(pixel(&picture, OUTSIDE)[..3], wall);
    assert!(pixel(&picture, OUTSIDE)[3] > 250);

    let teal = Color { r: 0, g: 128, b: 128, a: 255 };
    let filled = cut(&Options::default().with(|o| o.bg_color = Some(teal)), inverted());
    let behind = pixel(&filled, INSIDE);
    assert!(behind.iter().zip([0, 128, 128]).all(|(got, teal)| got.abs_diff(teal) < 10), "{behind:?} is the colour");
}

#[test]
fn an_inverted_mask_is_what_the_mask_leaves() {
    for smooth_mask in [false, true] {
        let how = |invert_mask| {
            plain().with(|c| {
                c.smooth_mask = smooth_mask;
                c.invert_mask = invert_mask;
            })
        };
        let (mask, rest) = (cut(&as_png(|o| o.mask = true), how(false)), cut(&as_png(|o| o.mask = true), how(true)));
        assert_eq!(rest.layout(), Layout::Gray8);
        assert!(mask.data().iter().zip(rest.data()).all(|(mask, rest)| mask + rest == 255), "smooth: {smooth_mask}");
        let alpha = cut(&Options::default(), how(true));
        assert!(alpha.data().chunks(4).map(|pixel| pixel[3]).eq(rest.data().iter().copied()));
    }
}

#[test]
fn matting_starts_from_the_inverted_mask() {
    let picture = cut(&Options::default(), matted().with(|c| c.invert_mask = true));
    assert_eq!((pixel(&picture, INSIDE)[3], pixel(&picture, OUTSIDE)[3]), (0, 255));
    let red = |pixel: &[u8]| pixel[3] > 25 && pixel[0] > pixel[1].saturating_add(40);
    assert!(!picture.data().chunks(4).any(red), "no ball shines through at the edge of the wall");
}

#[test]
fn what_was_transparent_stays_so_in_an_inverted_cut_out_and_mask() {
    let glass = image::RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let image::Rgb([r, g, b]) = *ball().get_pixel(x, y);
        image::Rgba([r, g, b, if x < 10 { 0 } else { 255 }])
    });
    for (mask, channel) in [(false, 3), (true, 0)] {
        let options = Options::default().with(|o| o.mask = mask);
        let output =
            REMOVER.job(&png(glass.clone())).options(&options.clone().with(|o| o.cut_out = inverted())).run_to_pixels();
        let picture = output.expect("a ball is cut out").pixels;
        assert_eq!(pixel(&picture, OUTSIDE)[channel], 0, "mask: {mask}");
        assert!(pixel(&picture, (115, 85))[channel] > 250, "mask: {mask}");
    }
}

#[test]
fn a_cut_out_that_is_cut_out_again_stays_as_it_is() {
    // The ball alone, with a soft edge eight pixels wide, and its colour also where it is clear.
    let once = image::RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let far = (x as f32 - 60.0).hypot(y as f32 - 45.0);
        let image::Rgb([r, g, b]) = *ball().get_pixel(INSIDE.0, INSIDE.1);
        image::Rgba([r, g, b, (((32.0 - far) / 8.0).clamp(0.0, 1.0) * 255.0).round() as u8])
    });
    let output = REMOVER.job(&png(once.clone())).options(&as_png(|_| {})).run().expect("a ball is cut out");
    let twice = image::load_from_memory(&output.data).expect("a PNG").into_rgba8();
    for (one, other) in twice.pixels().zip(once.pixels()) {
        let seen = if other.0[3] == 0 { 3..4 } else { 0..4 };
        assert!(seen.into_iter().all(|at| one.0[at].abs_diff(other.0[at]) <= 1), "{one:?} of {other:?}");
    }
}
