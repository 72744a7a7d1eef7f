//! What the caller says of the subject.

use image::{Rgb, RgbImage};
use remrembg::{Code, CutOut, Layout, Options, Pixels, Prompts, Region};

use crate::{REMOVER, png};

const SIZE: (u32, u32) = (200, 100);
const RED: (u32, u32) = (50, 50);
const BLUE: (u32, u32) = (150, 50);

/// A red ball at the left and a blue one at the right, on a pale wall.
fn balls() -> Vec<u8> {
    png(RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let inside = |ball: (u32, u32)| (x as f32 - ball.0 as f32).hypot(y as f32 - ball.1 as f32) < 26.0;
        let wall = 205 + (x / 20 + y / 10) as u8;
        if inside(RED) {
            Rgb([200, 30, 20])
        } else if inside(BLUE) {
            Rgb([30, 40, 190])
        } else {
            Rgb([wall, wall, wall - 5])
        }
    }))
}

/// Whether the red ball is kept, and the blue one.
fn kept(pairs: &[(&str, &str)]) -> [bool; 2] {
    let mask = mask(pairs);
    [RED, BLUE].map(|(x, y)| mask.data()[(y * SIZE.0 + x) as usize] > 127)
}

fn mask(pairs: &[(&str, &str)]) -> Pixels {
    let pairs = pairs.iter().chain(&[("mask", "true")]).copied();
    let made = REMOVER.job(&balls()).pairs(pairs).run_to_pixels().expect("it is cut out").pixels;
    assert_eq!((made.width(), made.height(), made.layout()), (SIZE.0, SIZE.1, Layout::Gray8));
    made
}

#[test]
fn points_and_boxes_choose_between_two_subjects() {
    assert_eq!(kept(&[]), [true, true]);
    assert_eq!(kept(&[("keep", "50,50")]), [true, false]);
    assert_eq!(kept(&[("drop", "50,50")]), [false, true]);
    assert_eq!(kept(&[("keep", "50,50 150,50")]), [true, true]);
    assert_eq!(kept(&[("keep", "110,10,190,90")]), [false, true]);
    assert_eq!(kept(&[("drop", "110,10,190,90")]), [true, false]);
    assert_eq!(kept(&[("keep", "50,50"), ("refine", "off")]), [true, false]);
}

#[test]
fn nothing_outside_a_box_is_kept_and_the_ball_in_it_is_whole() {
    let alone = mask(&[("keep", "120,20,180,80")]);
    let far = |x: u32, y: u32| (x as f32 - 150.0).hypot(y as f32 - 50.0);
    for (at, alpha) in alone.data().iter().enumerate() {
        let (x, y) = (at as u32 % SIZE.0, at as u32 / SIZE.0);
        let inside = (120..180).contains(&x) && (20..80).contains(&y);
        assert!(inside || *alpha == 0, "{x},{y}");
        assert!(far(x, y) > 23.0 || *alpha > 200, "{x},{y}: {alpha}");
        assert!(far(x, y) < 29.0 || *alpha < 50, "{x},{y}: {alpha}");
    }
    let rest = mask(&[("keep", "120,20,180,80"), ("invert_mask", "on")]);
    assert!(alone.data().iter().zip(rest.data()).all(|(alone, rest)| alone + rest == 255));
}

#[test]
fn boxes_hold_whatever_else_is_done_to_the_mask() {
    let in_box = |at: usize| (130..145).contains(&(at as u32 % SIZE.0)) && (40..48).contains(&(at as u32 / SIZE.0));
    for more in [("matting", "on"), ("smooth_mask", "on"), ("invert_mask", "on"), ("preset", "best")] {
        let pairs = [("drop", "130,40,145,48"), more, ("format", "png")];
        let cut = REMOVER.job(&balls()).pairs(pairs).run_to_pixels().expect("it is cut out").pixels;
        let expected = if more.0 == "invert_mask" { 255 } else { 0 };
        let alphas = cut.data().chunks(4).map(|pixel| pixel[3]).enumerate();
        assert!(alphas.filter(|(at, _)| in_box(*at)).all(|(_, alpha)| alpha == expected), "{more:?}");
    }
}

#[test]
fn a_pixel_that_is_dropped_chooses_nothing_else() {
    assert_eq!(kept(&[("keep", "50,50"), ("drop", "50,50")]), [false, true]);
}

#[test]
fn typed_hints_are_those_of_text() {
    let prompts = Prompts { keep: vec![Region::Point { x: 150, y: 50 }], drop: Vec::new() };
    let options = Options::default().with(|o| {
        o.mask = true;
        o.cut_out = CutOut::default().with(|c| c.prompts = prompts);
    });
    let typed = REMOVER.job(&balls()).options(&options).run_to_pixels().expect("it is cut out").pixels;
    assert!(typed == mask(&[("keep", "150,50")]));
    let empty = Region::Box { left: 9, top: 0, right: 9, bottom: 5 };
    let prompts = Prompts { keep: Vec::new(), drop: vec![empty] };
    let options = Options::default().with(|o| o.cut_out = CutOut::default().with(|c| c.prompts = prompts));
    assert_eq!(options.check().expect_err("it has no columns").code(), Code::InvalidRegion);
}

#[test]
fn what_lies_outside_the_picture_is_told_before_the_model_runs() {
    let error = REMOVER.job(&balls()).pairs([("keep", "200,5"), ("drop", "3,100,9,120")]).run().expect_err("outside");
    let told: Vec<&str> = error.details().iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "'keep' must lie in the picture of 200×100 pixels, got: '200,5'",
            "'drop' must lie in the picture of 200×100 pixels, got: '3,100,9,120'",
        ]
    );
}
