#![allow(clippy::unwrap_used)]

use std::cell::RefCell;

use super::{resize, rotate};
use crate::error::Code;
use crate::exec::Pool;
use crate::exec::control::{CancelToken, Control, Progress, Stage};
use crate::image::pixels::{Layout, Pixels};

const FREE: Control<'_> = Control { progress: None, cancel: None, stop: None };

fn drawn(width: u32, height: u32, layout: Layout, pixel: impl Fn(f64, f64) -> [u8; 4]) -> Pixels {
    let at = |i: u32| pixel(f64::from(i % width) + 0.5, f64::from(i / width) + 0.5);
    let data = (0..width * height).flat_map(|i| at(i).into_iter().take(layout.bytes())).collect();
    Pixels::known(width, height, layout, data)
}

/// A red disc; all around it is a green that nobody should see.
fn disc(side: u32) -> Pixels {
    let middle = f64::from(side) / 2.0;
    let inside = move |x: f64, y: f64| (x - middle).hypot(y - middle) < middle * 0.7;
    drawn(side, side, Layout::Rgba8, |x, y| if inside(x, y) { [255, 0, 0, 255] } else { [0, 255, 0, 0] })
}

fn assert_pure_red(picture: &Pixels) {
    for px in picture.data().as_chunks::<4>().0 {
        assert!(px[3] == 0 || (px[0] >= 254 && px[1] == 0 && px[2] == 0), "{px:?}");
        assert!(px[3] > 0 || px[..3] == [0, 0, 0], "{px:?}");
    }
}

fn pixel(picture: &Pixels, x: u32, y: u32) -> &[u8] {
    let n = picture.layout().bytes();
    &picture.data()[(y * picture.width() + x) as usize * n..][..n]
}

/// Letters as grey pixels: rows of text are rows of the picture.
fn letters(rows: &[&str]) -> Pixels {
    Pixels::known(rows[0].len() as u32, rows.len() as u32, Layout::Gray8, rows.concat().into_bytes())
}

/// A control that asks for a stop once the stage has said something twice.
fn cancelled_inside(stage: Stage, work: impl Fn(&Control<'_>) -> Option<Code>) -> Vec<f32> {
    let (token, seen) = (CancelToken::new(), RefCell::new(Vec::new()));
    let progress = |progress: Progress| {
        assert_eq!(progress.stage, stage);
        seen.borrow_mut().push(progress.fraction);
        if seen.borrow().len() == 2 {
            token.cancel();
        }
    };
    let control = Control { progress: Some(&progress), cancel: Some(&token), ..Control::default() };
    assert_eq!(work(&control), Some(Code::Cancelled));
    seen.into_inner()
}

#[test]
fn soft_pixels_keep_their_colour() {
    let ramp = |width: u32, height: u32| {
        let data = (0..height).flat_map(|_| (0..width).flat_map(|x| [100, 150, 200, (255 * x / (width - 1)) as u8]));
        Pixels::known(width, height, Layout::Rgba8, data.collect())
    };
    for (from, to) in [((96, 40), (95, 39)), ((96, 40), (700, 300)), ((3000, 2000), (800, 450)), ((2000, 9), (200, 9))]
    {
        let made = resize(ramp(from.0, from.1), to, &FREE).unwrap();
        for px in made.data().as_chunks::<4>().0.iter().filter(|px| px[3] > 1) {
            let off = px.iter().zip([100, 150, 200]).map(|(value, own)| value.abs_diff(own)).max();
            assert!(off <= Some(1), "{from:?} to {to:?}: {px:?}");
        }
    }
}

#[test]
fn resizing_mixes_no_hidden_colour_into_the_edge() {
    for side in [40, 64, 99, 333] {
        assert_pure_red(&resize(disc(100), (side, side), &FREE).unwrap());
    }
}

#[test]
fn resizing_keeps_a_flat_colour_in_every_layout_and_shape() {
    for layout in [Layout::Gray8, Layout::Rgb8, Layout::Rgba8] {
        let flat = |width, height| drawn(width, height, layout, |_, _| [10, 200, 90, 255]);
        for (from, to) in [((1, 1), (7, 300)), ((1, 3000), (30, 1)), ((3000, 1), (1, 30)), ((40, 30), (80, 15))] {
            assert_eq!(resize(flat(from.0, from.1), to, &FREE).unwrap(), flat(to.0, to.1), "{from:?} {to:?}");
        }
    }
}

#[test]
fn resizing_moves_what_is_left_to_the_left() {
    let ramp = |width: u32, height: u32| {
        drawn(width, height, Layout::Rgb8, |x, y| {
            [(x / f64::from(width) * 200.0) as u8, (y / f64::from(height) * 200.0) as u8, 7, 0]
        })
    };
    for to in [(60, 40), (600, 50), (100, 700)] {
        let got = resize(ramp(200, 200), to, &FREE).unwrap();
        let off = got.data().iter().zip(ramp(to.0, to.1).data()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(3), "{to:?}: {off:?}");
    }
}

#[test]
fn bands_of_a_large_result_meet_without_a_seam() {
    let source = drawn(40, 40, Layout::Gray8, |x, y| [(128.0 + 100.0 * (x * 0.7 + y * 0.3).sin()) as u8; 4]);
    let large = resize(source, (4000, 2000), &FREE).unwrap();
    let rows: Vec<&[u8]> = large.data().chunks(4000).collect();
    let step = rows.windows(2).flat_map(|two| two[0].iter().zip(two[1])).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(step <= Some(2), "{step:?}");
}

#[test]
fn a_picture_of_the_right_size_is_not_touched() {
    let picture = disc(9);
    assert_eq!(resize(picture.clone(), (9, 9), &FREE).unwrap(), picture);
}

#[test]
fn one_pixel_grows_to_the_limit_and_a_stop_is_heard_on_the_way() {
    let seen = cancelled_inside(Stage::Resize, |control| {
        resize(Pixels::filled(1, 1, Layout::Gray8, 9), (10_000, 10_000), control).err().map(|e| e.code())
    });
    assert_eq!(seen.len(), 2);
    let large = resize(Pixels::filled(1, 1, Layout::Gray8, 9), (10_000, 10_000), &FREE).unwrap();
    assert!(large.data().iter().all(|&v| v == 9));
}

#[test]
fn quarter_turns_go_counter_clockwise_and_move_pixels() {
    let picture = letters(&["ABC", "DEF"]);
    for (angle, seen) in [
        (0.0, &["ABC", "DEF"][..]),
        (90.0, &["CF", "BE", "AD"]),
        (180.0, &["FED", "CBA"]),
        (270.0, &["DA", "EB", "FC"]),
        (-90.0, &["DA", "EB", "FC"]),
        (360.0, &["ABC", "DEF"]),
        (-360.0, &["ABC", "DEF"]),
    ] {
        let seen = letters(seen);
        let got = rotate(picture.clone(), angle, (seen.width(), seen.height()), &Pool::of(2), &FREE).unwrap();
        assert_eq!(got, seen, "{angle}");
    }
}

/// What Pillow 13 shows for `rotate(90)` and `rotate(270)` with the nearest neighbour.
#[test]
fn a_quarter_turn_on_the_same_canvas_is_cropped_and_padded_about_the_centre() {
    for (picture, left, right) in [
        (&["ABCD", "EFGH"][..], &["\0CG\0", "\0BF\0"][..], &["\0FB\0", "\0GC\0"][..]),
        (&["ABC", "DEF"], &["CF\0", "BE\0"], &["\0EB", "\0FC"]),
        (&["AB", "CD", "EF"], &["\0\0", "DF", "CE"], &["EC", "FD", "\0\0"]),
    ] {
        let picture = letters(picture);
        let target = (picture.width(), picture.height());
        assert_eq!(rotate(picture.clone(), 90.0, target, &Pool::of(2), &FREE).unwrap().data(), letters(left).data());
        assert_eq!(rotate(picture, 270.0, target, &Pool::of(2), &FREE).unwrap().data(), letters(right).data());
    }
}

#[test]
fn corners_that_open_are_clear_and_black_in_a_mask() {
    let white = |layout| Pixels::filled(40, 20, layout, 255);
    for angle in [90.0, 30.0] {
        let turned = rotate(white(Layout::Rgb8), angle, (40, 40), &Pool::of(2), &FREE).unwrap();
        assert_eq!(turned.layout(), Layout::Rgba8);
        assert_eq!((pixel(&turned, 0, 0), pixel(&turned, 20, 20)), (&[0; 4][..], &[255; 4][..]));
        let turned = rotate(white(Layout::Gray8), angle, (40, 40), &Pool::of(2), &FREE).unwrap();
        assert_eq!((pixel(&turned, 0, 0), pixel(&turned, 20, 20)), (&[0][..], &[255][..]));
    }
    assert_eq!(rotate(white(Layout::Rgb8), 90.0, (20, 40), &Pool::of(2), &FREE).unwrap().layout(), Layout::Rgb8);
}

#[test]
fn rotating_mixes_no_hidden_colour_into_the_edge() {
    for angle in [1.0, 33.3, -45.0, 200.0] {
        let turned = rotate(disc(100), angle, (100, 100), &Pool::of(2), &FREE).unwrap();
        assert_pure_red(&turned);
        let still = disc(100);
        let off: u32 =
            turned.data().chunks(4).zip(still.data().chunks(4)).map(|(a, b)| u32::from(a[3].abs_diff(b[3]))).sum();
        assert!(off / 10_000 < 2, "a disc looks the same at {angle}°, got: {off}");
    }
}

#[test]
fn positive_angles_turn_counter_clockwise_about_the_centre() {
    // A dot to the right of the centre goes up when turned by 45°.
    let dot = drawn(101, 101, Layout::Gray8, |x, y| if (x - 90.5).hypot(y - 50.5) < 3.0 { [255; 4] } else { [0; 4] });
    let turned = rotate(dot, 45.0, (101, 101), &Pool::of(2), &FREE).unwrap();
    let reach = 40.0 / 2f64.sqrt();
    let (x, y) = ((50.0 + reach).round() as u32, (50.0 - reach).round() as u32);
    assert_eq!(pixel(&turned, x, y), [255]);
    assert_eq!(pixel(&turned, 90, 50), [0]);
}

#[test]
fn a_mask_turns_exactly_like_the_alpha_of_its_cut_out() {
    let picture = disc(60);
    let alpha = picture.data().as_chunks::<4>().0.iter().map(|px| px[3]).collect();
    let mask = rotate(Pixels::known(60, 60, Layout::Gray8, alpha), 17.0, (75, 75), &Pool::of(2), &FREE).unwrap();
    let turned = rotate(picture, 17.0, (75, 75), &Pool::of(2), &FREE).unwrap();
    assert!(mask.data().iter().eq(turned.data().as_chunks::<4>().0.iter().map(|px| &px[3])));
}

#[test]
fn the_smallest_and_the_thinnest_pictures_turn() {
    for (size, target) in [((1, 1), (2, 2)), ((1, 5000), (3536, 3536)), ((5000, 1), (3536, 3536))] {
        let turned =
            rotate(Pixels::filled(size.0, size.1, Layout::Rgba8, 255), 45.0, target, &Pool::of(2), &FREE).unwrap();
        assert_eq!((turned.width(), turned.height()), target);
        assert!(turned.data().iter().any(|&v| v > 0));
    }
}

#[test]
fn a_stop_is_heard_while_rotating() {
    let seen = cancelled_inside(Stage::Rotate, |control| {
        rotate(disc(400), 30.0, (500, 500), &Pool::of(2), control).err().map(|error| error.code())
    });
    assert!(seen.is_sorted() && seen.len() == 2, "{seen:?}");
}

#[test]
fn a_turned_picture_is_the_same_on_any_number_of_threads() {
    let turned = |threads| rotate(disc(900), 30.0, (1230, 1230), &Pool::of(threads), &FREE).unwrap();
    let alone = turned(1);
    assert!([2, 8, 64].into_iter().all(|threads| turned(threads) == alone));
}
