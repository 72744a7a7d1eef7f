use std::cell::RefCell;

use super::*;
use crate::error::Code;
use crate::exec::control::{CancelToken, Progress, Stage};
use crate::options::cutout::Matting;

const RED: [f32; 3] = [220.0, 40.0, 30.0];
const BLUE: [f32; 3] = [20.0, 60.0, 200.0];

/// How much of the subject is at column `x`: none, a ramp of 30 columns, all.
fn ramp(x: u32) -> f32 {
    ((x as f32 - 14.0) / 30.0).clamp(0.0, 1.0)
}

const WIDTH: u32 = 60;
const HEIGHT: u32 = 24;

/// Red over blue, blended by the ramp.
fn blend() -> Pixels {
    let color =
        |x| -> [u8; 3] { std::array::from_fn(|c| (ramp(x) * RED[c] + (1.0 - ramp(x)) * BLUE[c]).round() as u8) };
    let data = (0..HEIGHT).flat_map(|_| (0..WIDTH).flat_map(color)).collect();
    Pixels::known(WIDTH, HEIGHT, Layout::Rgb8, data)
}

/// A mask that knows nothing of the ramp but where it is.
fn guess() -> Pixels {
    let value = |x| {
        if ramp(x) == 0.0 {
            0
        } else if ramp(x) == 1.0 {
            255
        } else {
            100
        }
    };
    Pixels::known(WIDTH, HEIGHT, Layout::Gray8, (0..HEIGHT).flat_map(|_| (0..WIDTH).map(value)).collect())
}

fn asked(matting: Matting) -> CutOut {
    CutOut { matting: Some(matting), ..CutOut::default() }
}

/// Colours and alpha.
fn matted_as(picture: &Pixels, mask: &Pixels, matting: Matting) -> Option<(Pixels, Pixels)> {
    let matted = |with_colors| {
        estimate(picture, mask, &asked(matting), with_colors, &Control::default()).expect("nothing stops it")
    };
    let Matted { colors, alpha } = matted(true)?;
    let alone = matted(false).expect("the same is known");
    assert!(alone.colors.is_none() && alone.alpha == alpha, "the alpha alone is the same");
    Some((colors.expect("they are wanted"), alpha))
}

fn matted(picture: &Pixels, mask: &Pixels) -> Option<(Pixels, Pixels)> {
    matted_as(picture, mask, Matting { erode_size: 3, ..Matting::default() })
}

fn at(pixels: &Pixels, x: u32, y: u32) -> &[u8] {
    let channels = pixels.layout().bytes();
    &pixels.data()[(y * pixels.width() + x) as usize * channels..][..channels]
}

#[test]
fn the_alpha_of_a_linear_blend_is_found() {
    let alpha = matted(&blend(), &guess()).expect("both sides are known").1;
    for (x, y) in (0..WIDTH).flat_map(|x| [(x, 0), (x, 11), (x, 23)]) {
        let (got, exact) = (at(&alpha, x, y)[0], (ramp(x) * 255.0).round() as u8);
        assert!(got.abs_diff(exact) <= 2, "{x}, {y}: {got} is not {exact}");
    }
}

#[test]
fn the_subjects_colours_are_found_without_the_backgrounds() {
    let (colors, alpha) = matted(&blend(), &guess()).expect("both sides are known");
    for x in (0..WIDTH).filter(|x| at(&alpha, *x, 9)[0] > 25) {
        let got = at(&colors, x, 9);
        assert!(got.iter().zip(RED).all(|(got, red)| (f32::from(*got) - red).abs() < 12.0), "{x}: {got:?} is not red");
    }
    assert_eq!(at(&colors, WIDTH - 1, 9), RED.map(|value| value as u8), "sure subject keeps its own colour");
}

/// Hair: single dark pixels, on and off, that the mask does not tell apart.
#[test]
fn single_hairs_are_told_from_what_shines_through() {
    let hair = |x: u32, y: u32| x < 8 || (x < 24 && y.is_multiple_of(4));
    let data =
        (0..20 * 40).flat_map(|at| if hair(at % 40, at / 40) { [30, 25, 20] } else { [150, 190, 240] }).collect();
    let picture = Pixels::known(40, 20, Layout::Rgb8, data);
    let mask = (0..20 * 40).map(|at| [255, 90, 0][usize::from(at % 40 >= 6) + usize::from(at % 40 >= 30)]).collect();
    let alpha = matted(&picture, &Pixels::known(40, 20, Layout::Gray8, mask)).expect("both sides are known").1;
    for x in 10..20 {
        assert!(
            at(&alpha, x, 8)[0] > 230 && at(&alpha, x, 10)[0] < 25,
            "{x}: {:?}",
            (at(&alpha, x, 8), at(&alpha, x, 10))
        );
    }
}

#[test]
fn an_opaque_alpha_channel_changes_nothing() {
    let (colors, alpha) = matted(&blend().into_rgba(), &guess()).expect("both sides are known");
    let plain = matted(&blend(), &guess()).expect("both sides are known");
    assert!((colors, alpha) == plain);
}

#[test]
fn without_both_sides_there_is_no_matting() {
    for value in [0, 100, 255] {
        let mask = Pixels::filled(WIDTH, HEIGHT, Layout::Gray8, value);
        assert!(matted(&blend(), &mask).is_none(), "{value}");
    }
}

/// A picture of one colour, where only the window's shape tells pixels apart.
#[test]
fn flat_pictures_fade_from_one_side_to_the_other() {
    let flat = Pixels::filled(WIDTH, HEIGHT, Layout::Rgb8, 77);
    let (colors, alpha) = matted(&flat, &guess()).expect("both sides are known");
    let row: Vec<u8> = (0..WIDTH).map(|x| at(&alpha, x, 12)[0]).collect();
    assert!(row.is_sorted() && row[13] == 0 && row[46] == 255 && (100..156).contains(&row[29]), "{row:?}");
    assert_eq!(colors.data().iter().filter(|value| value.abs_diff(77) > 1).count(), 0);
}

#[test]
fn pictures_with_hardly_a_known_pixel_and_of_any_shape_end() {
    for (width, height) in [(1, 1), (1, 40), (40, 1), (2, 2), (3, 3), (3, 70), (70, 4), (50, 50)] {
        for color in [|_| 200, |at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8] {
            let count = width * height;
            let picture = Pixels::known(width, height, Layout::Rgb8, (0..count * 3).map(color).collect());
            let mut mask = vec![128; count as usize];
            (mask[0], mask[count as usize - 1]) = (0, 255);
            let mask = Pixels::known(width, height, Layout::Gray8, mask);
            let bare = Matting { erode_size: 1, ..Matting::default() };
            let made = matted_as(&picture, &mask, bare);
            assert_eq!(made.is_some(), width.min(height) > 2, "{width}×{height}");
            let Some((colors, alpha)) = made else { continue };
            assert_eq!((colors.data().len(), alpha.data().len()), (picture.data().len(), count as usize));
            assert_eq!((alpha.data()[0], alpha.data()[count as usize - 1]), (0, 255), "what is known stays");
        }
    }
}

/// What is too large to be solved at once is solved at half the size.
#[test]
fn half_the_size_gives_nearly_the_same_alpha() {
    let (picture, mask, control) = (blend(), guess(), Control::default());
    let trimap = trimap::trimap(&mask, Matting::default()).expect("both sides are known");
    let alpha = coarse::alpha(&picture, &trimap, &mask, Share::new(&control, Stage::CutOut, (0.0, 1.0)))
        .expect("nothing stops it");
    for (at, alpha) in alpha.into_iter().enumerate() {
        let exact = ramp(at as u32 % WIDTH);
        assert!((alpha - exact).abs() < 0.04, "{at}: {alpha} is not {exact}");
    }
}

#[test]
fn progress_never_falls_back_and_a_stop_is_heard_at_each_of_its_steps() {
    let seen = RefCell::new(Vec::new());
    let (picture, mask) = (blend(), guess());
    let run = |control: &Control<'_>| {
        estimate(&picture, &mask, &asked(Matting { erode_size: 3, ..Matting::default() }), true, control)
    };
    let note = |progress: Progress| {
        assert_eq!(progress.stage, Stage::CutOut);
        seen.borrow_mut().push(progress.fraction);
    };
    run(&Control { progress: Some(&note), ..Control::default() }).expect("nothing stops it");
    let seen = seen.into_inner();
    assert!(seen.is_sorted() && seen.len() > 20 && (0.0..=1.0).contains(&seen[seen.len() - 1]), "{seen:?}");
    for fraction in seen {
        let token = CancelToken::new();
        let cancel = |progress: Progress| {
            if progress.fraction >= fraction {
                token.cancel();
            }
        };
        let stopped = run(&Control { progress: Some(&cancel), cancel: Some(&token), ..Control::default() });
        assert_eq!(stopped.err().map(|error| error.code()), Some(Code::Cancelled), "at {fraction}");
    }
}
