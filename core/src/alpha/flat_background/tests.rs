use super::*;
use crate::error::Code;
use crate::exec::control::CancelToken;

type Color = [f64; 3];

const WHITE: Color = [255.0; 3];
const INK: Color = [20.0, 60.0, 180.0];
const SIZE: (u32, u32) = (160, 120);
/// What a model without an opinion says.
const UNSURE: u8 = 128;

/// A picture of a subject's colour on a background's, by the part of each pixel that is subject; both rounded.
fn drawn(
    (width, height): (u32, u32),
    cover: &dyn Fn(f64, f64) -> f64,
    subject: &dyn Fn(f64, f64) -> Color,
    background: &dyn Fn(f64, f64) -> Color,
) -> (Pixels, Vec<u8>) {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (f64::from(x) + 0.5, f64::from(y) + 0.5)));
    let alpha: Vec<f64> = places.clone().map(|(x, y)| cover(x, y)).collect();
    let mixed = places.zip(&alpha).flat_map(|((x, y), alpha)| {
        let (subject, background) = (subject(x, y), background(x, y));
        (0..3).map(move |c| (subject[c] * alpha + background[c] * (1.0 - alpha)).round() as u8)
    });
    let picture = Pixels::known(width, height, Layout::Rgb8, mixed.collect());
    (picture, alpha.iter().map(|alpha| (alpha * 255.0).round() as u8).collect())
}

fn on_white(cover: &dyn Fn(f64, f64) -> f64) -> (Pixels, Vec<u8>) {
    drawn(SIZE, cover, &|_, _| INK, &|_, _| WHITE)
}

fn disc(x: f64, y: f64, radius: f64) -> f64 {
    (radius - (x - 80.0).hypot(y - 60.0) + 0.5).clamp(0.0, 1.0)
}

fn ring(x: f64, y: f64) -> f64 {
    disc(x, y, 40.0) - disc(x, y, 20.0)
}

fn mask(value: u8) -> Pixels {
    Pixels::filled(SIZE.0, SIZE.1, Layout::Gray8, value)
}

fn mask_of(cover: &dyn Fn(f64, f64) -> f64) -> Pixels {
    Pixels::known(SIZE.0, SIZE.1, Layout::Gray8, on_white(cover).1)
}

fn found(picture: &Pixels, mask: &Pixels, flat: Flat) -> Option<Vec<u8>> {
    let alpha = alpha(picture, mask, flat, &Pool::of(2), &Control::default()).expect("nothing stops it")?;
    assert_eq!((alpha.width(), alpha.height(), alpha.layout()), (picture.width(), picture.height(), Layout::Gray8));
    Some(alpha.into_data())
}

fn most_off(alpha: &[u8], truth: &[u8]) -> u8 {
    alpha.iter().zip(truth).map(|(alpha, truth)| alpha.abs_diff(*truth)).max().unwrap_or(0)
}

/// The alpha is the true one within so many levels, whatever the model says.
fn solves(picture: &Pixels, truth: &[u8], levels: u8) {
    for model in [0, UNSURE, 255] {
        let alpha = found(picture, &mask(model), Flat::Auto).expect("its background is flat");
        let off = most_off(&alpha, truth);
        assert!(off <= levels, "{off} levels off, by a mask of {model}");
    }
}

#[test]
fn what_sharpening_leaves_beside_edges_is_background() {
    // Lighter than the background, and so on the other side of it than the ink.
    let sharpened = |x: f64, y: f64| {
        let far = ((x - 80.0).hypot(y - 60.0) - 30.0).abs() - 10.0;
        ring(x, y) - if (0.5..2.5).contains(&far) { 0.08 } else { 0.0 }
    };
    for background in [[225.0; 3], [90.0, 100.0, 120.0]] {
        let dark = |_: f64, _: f64| [15.0, 10.0, 20.0];
        let (picture, truth) = drawn(SIZE, &sharpened, &dark, &|_, _| background);
        solves(&picture, &truth, 12);
    }
}

#[test]
fn drawings_get_their_true_alpha_with_their_holes() {
    for background in [WHITE, [0.0; 3], [230.0, 60.0, 50.0]] {
        let (picture, truth) = drawn(SIZE, &ring, &|_, _| INK, &|_, _| background);
        solves(&picture, &truth, 8);
    }
    let two_inks = |x: f64, _: f64| if x < 80.0 { INK } else { [200.0, 30.0, 30.0] };
    let (picture, truth) = drawn(SIZE, &ring, &two_inks, &|_, _| WHITE);
    solves(&picture, &truth, 12);
}

#[test]
fn lines_thinner_than_a_pixel_keep_how_thin_they_are() {
    let line = |x: f64, y: f64| {
        let along = (y - 10.0 - 0.6 * x).abs() / 1.6_f64.hypot(0.0);
        if (10.0..150.0).contains(&x) { (1.0 - along).clamp(0.0, 1.0) } else { 0.0 }
    };
    let (picture, truth) = on_white(&line);
    solves(&picture, &truth, 12);
}

#[test]
fn a_gradient_of_the_background_and_noise_near_edges_are_no_subject() {
    let gradient = |x: f64, y: f64| [250.0 - x / 10.0, 240.0 - y / 10.0, 245.0];
    let (picture, truth) = drawn(SIZE, &ring, &|_, _| INK, &gradient);
    solves(&picture, &truth, 8);

    let (mut picture, truth) = on_white(&ring);
    let mut seed = 1_u32;
    for (at, value) in picture.data_mut().iter_mut().enumerate() {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = ((at / 3) as f64 % 160.0, (at / 3 / 160) as f64);
        let from_edge = ((x - 80.0).hypot(y - 60.0) - 40.0).abs();
        if from_edge < 6.0 {
            *value = value.saturating_add_signed((seed >> 24) as i8 / 20);
        }
    }
    let alpha = found(&picture, &mask(UNSURE), Flat::Auto).expect("its background is flat");
    let is_wrong = |(alpha, truth): (&u8, &u8)| alpha.abs_diff(*truth) > 40;
    assert_eq!(alpha.iter().zip(&truth).filter(|pair| is_wrong(*pair)).count(), 0);
}

/// A ball in the light.
fn shaded(x: f64, y: f64) -> Color {
    let light = 0.3 + 0.7 * (x + y - 60.0) / 160.0;
    INK.map(|value| (value + 60.0) * light)
}

#[test]
fn in_what_is_shaded_the_model_tells_labels_from_holes() {
    let (picture, truth) = drawn(SIZE, &ring, &shaded, &|_, _| WHITE);
    let with_hole = found(&picture, &mask_of(&ring), Flat::On).expect("its background is flat");
    assert!(most_off(&with_hole, &truth) <= 16, "{}", most_off(&with_hole, &truth));
    let whole = |x: f64, y: f64| disc(x, y, 40.0);
    let labelled = found(&picture, &mask_of(&whole), Flat::On).expect("its background is flat");
    assert_eq!(labelled[60 * 160 + 80], 255, "the label stays");
    assert_eq!(labelled[0], 0);
}

#[test]
fn a_soft_shadow_is_background() {
    let shadow = |x: f64, y: f64| {
        let dark = (-((x - 80.0) / 40.0).powi(2) - ((y - 105.0) / 8.0).powi(2)).exp();
        WHITE.map(|value| value * (1.0 - 0.25 * dark))
    };
    let ball = |x: f64, y: f64| disc(x, y, 40.0);
    let (picture, _) = drawn(SIZE, &ball, &shaded, &shadow);
    let alpha = found(&picture, &mask_of(&ball), Flat::On).expect("its background is flat");
    assert_eq!((alpha[105 * 160 + 80], alpha[110 * 160 + 70], alpha[60 * 160 + 80]), (0, 0, 255));
}

#[test]
fn faint_shading_is_no_drawing() {
    let shade = |x: f64, y: f64| WHITE.map(|value| value - 3.0 * ((x - 80.0).hypot(y - 60.0) - 34.0).max(0.0));
    let cup = |x: f64, y: f64| disc(x, y, 40.0);
    let (picture, _) = drawn(SIZE, &cup, &shade, &|_, _| WHITE);
    assert!(found(&picture, &mask_of(&cup), Flat::Auto).is_none());
    let alpha = found(&picture, &mask_of(&cup), Flat::On).expect("its background is flat");
    assert_eq!((alpha[60 * 160 + 80], alpha[0]), (255, 0), "the middle of the cup stays");
}

#[test]
fn photos_are_left_to_the_model_unless_asked_for() {
    // A cup that is white on one side: there it is background by its colour.
    let cup = |x: f64, y: f64| disc(x, y, 40.0);
    let white = |x: f64, y: f64| if x < 75.0 { WHITE } else { shaded(x, y) };
    let (picture, _) = drawn(SIZE, &cup, &white, &|_, _| WHITE);
    assert!(found(&picture, &mask_of(&cup), Flat::Auto).is_none());
    let alpha = found(&picture, &mask_of(&cup), Flat::On).expect("it is asked for");
    assert_eq!((alpha[60 * 160 + 60], alpha[60 * 160 + 110]), (0, 255));
}

#[test]
fn other_pictures_are_not_touched() {
    let wave = |x: f64, y: f64| [128.0 + 100.0 * (x / 9.0).sin(), 128.0 + 100.0 * (y / 7.0).sin(), 90.0];
    let (photo, _) = drawn(SIZE, &ring, &|_, _| INK, &wave);
    let nothing = Pixels::filled(SIZE.0, SIZE.1, Layout::Rgb8, 255);
    for picture in [photo, nothing] {
        for flat in Flat::ALL {
            assert!(found(&picture, &mask(UNSURE), flat).is_none(), "{flat:?}");
        }
    }
    let (picture, _) = on_white(&ring);
    assert!(found(&picture, &mask(UNSURE), Flat::Off).is_none());
}

/// Larger pictures, whose inside is far from every edge.
const LARGE: (u32, u32) = (480, 360);

fn found_in_large(picture: &Pixels, model: u8) -> Vec<u8> {
    found(picture, &Pixels::filled(LARGE.0, LARGE.1, Layout::Gray8, model), Flat::Auto).expect("its background is flat")
}

/// A disc in the middle whose edge is so many pixels wide.
fn soft(x: f64, y: f64, radius: f64, edge: f64) -> f64 {
    ((radius - (x - 240.0).hypot(y - 180.0)) / edge + 0.5).clamp(0.0, 1.0)
}

#[test]
fn a_drawing_out_of_focus_is_as_soft_as_it_is_drawn() {
    let (picture, truth) = drawn(LARGE, &|x, y| soft(x, y, 120.0, 14.0), &|_, _| INK, &|_, _| WHITE);
    for model in [0, UNSURE, 255] {
        let off = most_off(&found_in_large(&picture, model), &truth);
        assert!(off <= 24, "{off} levels off, by a mask of {model}");
    }
}

#[test]
fn the_soft_shadow_of_a_drawing_is_background() {
    let shaded = |x: f64, y: f64| [255.0 * (1.0 - 0.4 * soft(x - 6.0, y - 6.0, 120.0, 60.0)); 3];
    let (picture, truth) = drawn(LARGE, &|x, y| soft(x, y, 120.0, 1.0), &|_, _| INK, &shaded);
    for model in [0, UNSURE, 255] {
        let alpha = found_in_large(&picture, model);
        let outside = alpha.iter().zip(&truth).filter(|(_, truth)| **truth == 0).map(|(alpha, _)| u64::from(*alpha));
        let (sum, count) = outside.fold((0, 0), |(sum, count), alpha| (sum + alpha, count + 1));
        assert!(sum < count, "the shadow is nearly gone: {sum} in {count} pixels");
        assert!(alpha.iter().zip(&truth).filter(|(_, truth)| **truth == 255).all(|(alpha, _)| *alpha > 250));
    }
}

#[test]
fn a_soft_grey_thing_is_no_shadow() {
    for grey in [140.0, 170.0, 200.0] {
        let disc = |x: f64, y: f64| soft(x, y, 120.0, 24.0);
        let (picture, _) = drawn(LARGE, &disc, &|_, _| [grey; 3], &|_, _| WHITE);
        let beside = |x: f64, y: f64| x > 300.0 && (y - 180.0).abs() < 60.0;
        let (inked, _) = drawn(
            LARGE,
            &|x, y| if beside(x, y) { 1.0 } else { disc(x, y) },
            &|x, y| if beside(x, y) { INK } else { [grey; 3] },
            &|_, _| WHITE,
        );
        for picture in [picture, inked] {
            let middle = (180 * LARGE.0 + 240) as usize;
            let mask = Pixels::filled(LARGE.0, LARGE.1, Layout::Gray8, 255);
            let alpha = found(&picture, &mask, Flat::Auto);
            assert!(alpha.is_none_or(|alpha| alpha[middle] > 250), "{grey}");
        }
    }
}

#[test]
fn a_background_that_is_transparent_already_limits_alone() {
    let transparent = |border: u8| {
        let data = on_white(&ring).1.into_iter().flat_map(|alpha| [9, 9, 9, alpha.max(border)]).collect();
        Pixels::known(SIZE.0, SIZE.1, Layout::Rgba8, data)
    };
    let alpha = found(&transparent(0), &mask(0), Flat::Auto).expect("it was cut out already");
    assert!(alpha.iter().all(|alpha| *alpha == 255), "its own alpha is what remains");
    assert!(found(&transparent(255), &mask(0), Flat::Auto).is_none());
    // A photo in a round frame is no cut-out, unless all of it is the subject.
    let framed = |x: f64, y: f64| ((x - 80.0) / 80.0).hypot((y - 60.0) / 60.0) < 1.0;
    let data = (0..SIZE.0 * SIZE.1).flat_map(|at| {
        let (x, y) = (f64::from(at % SIZE.0), f64::from(at / SIZE.0));
        [(x * 7.0) as u8, (y * 5.0) as u8, 90, if framed(x + 0.5, y + 0.5) { 255 } else { 0 }]
    });
    let photo = Pixels::known(SIZE.0, SIZE.1, Layout::Rgba8, data.collect());
    assert!(found(&photo, &mask_of(&|x, y| disc(x, y, 30.0)), Flat::Auto).is_none());
    assert!(found(&photo, &mask(255), Flat::Auto).is_some());
    // Of what colour the clear corners of an icon are says nothing.
    let data = (0..SIZE.0 * SIZE.1).flat_map(|at| {
        let (x, y) = (f64::from(at % SIZE.0) + 0.5, f64::from(at / SIZE.0) + 0.5);
        let color = if ring(x, y) > 0.5 || !framed(x, y) { [255; 3] } else { [40, 90, 200] };
        [color[0], color[1], color[2], if framed(x, y) { 255 } else { 0 }]
    });
    let icon = Pixels::known(SIZE.0, SIZE.1, Layout::Rgba8, data.collect());
    for flat in [Flat::Auto, Flat::On] {
        assert!(found(&icon, &mask_of(&|x, y| disc(x, y, 30.0)), flat).is_none());
    }
}

#[test]
fn sides_of_any_length_come_through() {
    for size in [(1, 1), (1, 300), (300, 1), (7, 9), (8, 8), (9, 400), (400, 9)] {
        let (picture, _) = drawn(size, &|x, y| disc(x + 76.0, y + 56.0, 3.0), &|_, _| INK, &|_, _| WHITE);
        for flat in Flat::ALL {
            let mask = Pixels::filled(size.0, size.1, Layout::Gray8, UNSURE);
            found(&picture, &mask, flat);
        }
    }
}

#[test]
fn a_stop_is_heard() {
    let token = CancelToken::new();
    token.cancel();
    let stopped = Control { cancel: Some(&token), ..Control::default() };
    let error =
        alpha(&on_white(&ring).0, &mask(UNSURE), Flat::Auto, &Pool::of(1), &stopped).expect_err("it was stopped");
    assert_eq!(error.code(), Code::Cancelled);
}
