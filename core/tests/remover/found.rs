//! What a result says of what was found.

use image::{Rgb, RgbImage};
use remrembg::{Found, Options};

use crate::matting::matted;
use crate::{BUNDLED, HEIGHT, REMOVER, WIDTH, as_png, ball_png, cutting, plain, png};

fn found(options: &Options) -> Found {
    REMOVER.remove(ball_png(), options).expect("a ball is cut out").found
}

#[test]
fn the_ball_is_told_of_with_its_size_its_place_and_how_sure_it_is() {
    for remover in [&*BUNDLED, &*REMOVER] {
        let Found { coverage, bounds, confidence, .. } =
            remover.remove(ball_png(), &Options::default()).expect("a ball is cut out").found;
        let area = std::f32::consts::PI * 28.0 * 28.0 / (WIDTH * HEIGHT) as f32;
        assert!((coverage - area).abs() < 0.01, "{coverage} instead of {area}");
        let (left, top, right, bottom) = bounds.expect("it is found");
        for (side, expected) in [(left, 33_u32), (top, 18), (right, 88), (bottom, 73)] {
            assert!(side.abs_diff(expected) <= 3, "{bounds:?}");
        }
        assert!(confidence > 0.9 && confidence <= 1.0, "{confidence}");
    }
}

#[test]
fn it_is_the_same_however_the_result_is_made() {
    let usual = found(&as_png(|_| ()));
    let ways = [as_png(|o| o.mask = true), as_png(|o| (o.w, o.angle) = (Some(40), 30.0)), as_png(|o| o.expand = false)];
    assert!(ways.iter().all(|options| found(options) == usual), "of the upright picture, before all else");
    let (pixels, solved) = (REMOVER.job(ball_png()).run_to_pixels().expect("it is cut out"), found(&cutting(matted())));
    assert_eq!(pixels.found, usual);
    assert!((solved.coverage - usual.coverage).abs() < 0.01);
    let inverted = found(&cutting(plain().with(|c| c.invert_mask = true)));
    assert!((inverted.coverage + usual.coverage - 1.0).abs() < 0.02);
    assert_eq!(inverted.bounds, Some((0, 0, WIDTH, HEIGHT)));
}

#[test]
fn where_nothing_is_found_that_is_told() {
    let wall = png(RgbImage::from_pixel(WIDTH, HEIGHT, Rgb([0, 255, 0])));
    let output = REMOVER.remove(&wall, &Options::default()).expect("it is no error");
    assert_eq!((output.found.bounds, output.found.confidence), (None, 0.0));
    assert!(output.found.coverage < 0.01);
    assert_eq!((output.width, output.height), (WIDTH, HEIGHT));
}
