use super::*;
use crate::exec::Pool;
use crate::exec::control::CancelToken;

/// Makes each pixel of a picture from how far to the right and down it is, 0 to 1.
fn drawn(layout: Layout, (width, height): (u32, u32), pixel: impl Fn(f32, f32) -> Vec<u8>) -> Pixels {
    let place = |at: u32, side: u32| (at as f32 + 0.5) / side as f32;
    let data = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let data = data.flat_map(|(x, y)| pixel(place(x, width), place(y, height))).collect();
    Pixels::known(width, height, layout, data)
}

/// How much of a point belongs to a disc in the middle, whose edge is this wide.
fn disc(x: f32, y: f32, edge: f32) -> f32 {
    let far = ((x - 0.5).powi(2) + (y - 0.5).powi(2)).sqrt();
    ((0.3 - far) / edge + 0.5).clamp(0.0, 1.0)
}

/// A disc of one colour on another, mixed along its edge.
fn photo(size: (u32, u32), edge: f32) -> Pixels {
    drawn(Layout::Rgb8, size, |x, y| {
        let alpha = disc(x, y, edge);
        [[210.0, 60.0], [120.0, 150.0], [40.0, 90.0]]
            .map(|[f, b]| byte((alpha * f + (1.0 - alpha) * b) / 255.0))
            .to_vec()
    })
}

/// What a model that sees little says of it: soft, and a little off.
fn seen(size: (u32, u32)) -> Pixels {
    drawn(Layout::Gray8, size, |x, y| vec![byte(disc(x + 0.015, y - 0.01, 0.04))])
}

fn refined(picture: &Pixels, mask: &Pixels, pool: &Pool) -> Pixels {
    let alpha = refine(picture, mask, Maker::Model, Preset::Balanced, pool, &Control::default())
        .expect("nothing is wrong")
        .expect("there is an edge");
    assert_eq!((alpha.width(), alpha.height(), alpha.layout()), (picture.width(), picture.height(), Layout::Gray8));
    alpha
}

/// The mean distance from the truth, of 255, where that is between subject and background or close to it.
fn error(alpha: &Pixels, edge: f32) -> f32 {
    let truth = drawn(Layout::Gray8, (alpha.width(), alpha.height()), |x, y| vec![byte(disc(x, y, edge))]);
    let near = drawn(Layout::Gray8, (alpha.width(), alpha.height()), |x, y| vec![byte(disc(x, y, 0.12))]);
    let near = |at: &usize| (1..255).contains(&near.data()[*at]);
    let distances: Vec<f32> =
        (0..alpha.data().len()).filter(near).map(|at| f32::from(alpha.data()[at].abs_diff(truth.data()[at]))).collect();
    distances.iter().sum::<f32>() / distances.len() as f32
}

#[test]
fn the_edge_comes_to_lie_on_the_pictures() {
    for size in [(400, 400), (900, 600), (300, 1000)] {
        for edge in [0.005, 0.015] {
            let (picture, mask) = (photo(size, edge), seen((320, 320)));
            let plain = super::super::resized(mask.clone(), &picture, &Pool::of(1)).expect("the sizes agree");
            let (before, after) = (error(&plain, edge), error(&refined(&picture, &mask, &Pool::of(2)), edge));
            assert!(after < 0.35 * before, "{size:?}, an edge of {edge}: {after} of 255, and {before} without");
        }
    }
}

#[test]
fn away_from_the_edge_all_is_subject_or_background() {
    let (picture, haze) = (photo((500, 400), 0.01), |value: u8| value.clamp(20, 235));
    let mask = seen((320, 320));
    let hazy = Pixels::known(320, 320, Layout::Gray8, mask.data().iter().copied().map(haze).collect());
    let alpha = refined(&picture, &hazy, &Pool::of(1));
    let at = |x: usize, y: usize| alpha.data()[y * 500 + x];
    assert_eq!([at(0, 0), at(499, 399), at(250, 10), at(250, 200)], [0, 0, 0, 255]);
}

#[test]
fn an_area_of_which_the_model_is_unsure_stays_as_soft_as_it_is() {
    // Beside the disc is a square of which the mask says little, on a picture that has an edge across it.
    let square = |x: f32, y: f32| (0.02..0.15).contains(&x) && (0.3..0.7).contains(&y);
    let picture = drawn(Layout::Rgb8, (600, 500), |x, y| {
        let alpha = disc(x, y, 0.01);
        let other = if y < 0.5 { 90.0 } else { 150.0 };
        [[210.0, 60.0], [120.0, other], [40.0, 90.0]]
            .map(|[f, b]| byte((alpha * f + (1.0 - alpha) * b) / 255.0))
            .to_vec()
    });
    let mask = drawn(Layout::Gray8, (320, 320), |x, y| vec![if square(x, y) { 110 } else { byte(disc(x, y, 0.03)) }]);
    let alpha = refined(&picture, &mask, &Pool::of(2));
    let inside = (0..500).flat_map(|y| (0..600).map(move |x| (x, y)));
    let inside = inside.filter(|(x, y)| (30..75).contains(x) && (170..330).contains(y));
    for (x, y) in inside {
        let alpha = alpha.data()[y * 600 + x];
        assert!((105..=115).contains(&alpha), "{alpha} at {x} {y}");
    }
    assert_eq!([alpha.data()[250 * 600 + 300], alpha.data()[0]], [255, 0], "the disc is as before");
}

#[test]
fn a_mask_finer_than_the_picture_is_averaged_where_it_is_unsure() {
    let picture = Pixels::filled(300, 300, Layout::Rgb8, 90);
    let checks = (0..900 * 900_u32).map(|at| if (at % 900 + at / 900) % 2 == 0 { 60 } else { 200 }).collect();
    let alpha = refined(&picture, &Pixels::known(900, 900, Layout::Gray8, checks), &Pool::of(2));
    assert!(alpha.data().iter().all(|alpha| (120..=140).contains(alpha)), "{:?}", &alpha.data()[..20]);
}

#[test]
fn details_of_a_callers_mask_stay_however_large_it_is() {
    // Threads on another colour, finer than what is looked at.
    let is_thread = |x: f32, y: f32| (x * 1500.0) as usize % 8 < 3 || (y * 400.0) as usize % 8 < 3;
    let picture =
        drawn(Layout::Rgb8, (1500, 400), |x, y| if is_thread(x, y) { vec![200, 60, 40] } else { vec![40, 120, 160] });
    let mask = drawn(Layout::Gray8, (1500, 400), |x, y| vec![if is_thread(x, y) { 255 } else { 0 }]);
    let alpha = refine(&picture, &mask, Maker::Caller, Preset::Balanced, &Pool::of(2), &Control::default());
    let alpha = alpha.expect("nothing is wrong").expect("there is an edge");
    let off = alpha.data().iter().zip(mask.data()).map(|(alpha, mask)| f64::from(alpha.abs_diff(*mask))).sum::<f64>();
    assert!(off < 4.0 * alpha.data().len() as f64, "{} of 255", off / alpha.data().len() as f64);
}

#[test]
fn threads_and_an_opaque_alpha_channel_change_no_byte() {
    let (picture, mask) = (photo((640, 480), 0.02), seen((320, 320)));
    let alone = refined(&picture, &mask, &Pool::of(1));
    assert_eq!(refined(&picture, &mask, &Pool::of(2)), alone);
    assert_eq!(refined(&picture, &mask, &Pool::of(7)), alone);
    assert_eq!(refined(&picture.into_rgba(), &mask, &Pool::of(2)), alone);
}

#[test]
fn an_edge_is_the_same_whether_there_is_another_far_away_or_not() {
    // A small disc in a corner, and a speck in the opposite one, so that work is done in all of the picture.
    let near = |x: f32, y: f32| ((0.05 - ((x - 0.2).powi(2) + (y - 0.25).powi(2)).sqrt()) / 0.02 + 0.5).clamp(0.0, 1.0);
    let speck = |x: f32, y: f32| if x > 0.97 && y > 0.97 { 1.0 } else { 0.0 };
    for size in [(1000, 700), (640, 641), (450, 1300)] {
        let picture = drawn(Layout::Rgb8, size, |x, y| {
            let alpha = near(x, y + 0.005);
            [[210.0, 250.0], [120.0, 200.0], [40.0, 240.0]]
                .map(|[f, b]| byte((alpha * f + (1.0 - alpha) * b) / 255.0))
                .to_vec()
        });
        for mask in [(320, 320), (640, 500)] {
            let alone = refined(&picture, &drawn(Layout::Gray8, mask, |x, y| vec![byte(near(x, y))]), &Pool::of(2));
            let both = drawn(Layout::Gray8, mask, |x, y| vec![byte(near(x, y).max(speck(x, y)))]);
            let both = refined(&picture, &both, &Pool::of(2));
            let (width, height) = (size.0 as usize, size.1 as usize);
            assert!(alone.data().iter().any(|alpha| (1..255).contains(alpha)), "{size:?} {mask:?}");
            for (y, (alone, both)) in
                alone.data().chunks(width).zip(both.data().chunks(width)).enumerate().take(height / 2)
            {
                let near = alone.iter().zip(both).position(|(alone, both)| alone.abs_diff(*both) > 1);
                assert_eq!(near, None, "row {y} of {size:?}, {mask:?}");
            }
        }
    }
}

#[test]
fn any_size_of_picture_and_mask_will_do() {
    for size in [(32, 32), (33, 47), (32, 3000), (2500, 40), (219, 221)] {
        for of_mask in [(16, 16), (17, 30), (16, 1000), (700, 17), (320, 320), size, (900, 700)] {
            let mask = drawn(Layout::Gray8, of_mask, |x, y| vec![byte((x + y) / 2.0)]);
            for preset in [Preset::Fast, Preset::Balanced] {
                let alpha = refine(&photo(size, 0.02), &mask, Maker::Model, preset, &Pool::of(2), &Control::default())
                    .expect("nothing is wrong")
                    .expect("there is an edge");
                let data = alpha.data();
                assert_eq!(data.len(), (size.0 * size.1) as usize, "{size:?} {of_mask:?}");
                let (first, last) = (data[0], data[data.len() - 1]);
                assert!(first < 128 && last > 127, "{size:?} {of_mask:?}: {first} to {last}");
            }
        }
    }
}

#[test]
fn where_subject_and_background_look_alike_the_edge_stays_where_the_mask_has_it() {
    // Leaves of many colours, on the disc as around it.
    let leaf = |x: f32, y: f32, c: u32| {
        let (x, y) = ((x * 160.0) as u32, (y * 120.0) as u32);
        (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519) ^ c.wrapping_mul(3_266_489_917))
            .wrapping_mul(668_265_263)
            >> 24
    };
    let picture = drawn(Layout::Rgb8, (800, 600), |x, y| (0..3).map(|c| leaf(x, y, c) as u8).collect());
    let mask = drawn(Layout::Gray8, (320, 320), |x, y| vec![byte(disc(x, y, 0.04))]);
    let plain = super::super::resized(mask.clone(), &picture, &Pool::of(1)).expect("the sizes agree");
    let alpha = refined(&picture, &mask, &Pool::of(2));
    let differs = |(alpha, plain): (&u8, &u8)| (*alpha > 127) != (*plain > 127);
    let moved = alpha.data().iter().zip(plain.data()).filter(|both| differs(*both)).count();
    let edge = plain.data().iter().filter(|alpha| (32..224).contains(*alpha)).count();
    assert!(moved * 20 < edge, "{moved} of {edge} pixels at the edge changed sides");
}

#[test]
fn a_flat_picture_keeps_the_masks_edge() {
    let picture = Pixels::filled(400, 300, Layout::Rgb8, 77);
    let mask = drawn(Layout::Gray8, (320, 320), |x, _| vec![byte((x - 0.4) / 0.2)]);
    let alpha = refined(&picture, &mask, &Pool::of(2));
    for row in alpha.data().chunks(400) {
        assert!(row.is_sorted() && row[150] == 0 && row[250] == 255, "{row:?}");
        assert!((190..=210).contains(&row.partition_point(|alpha| *alpha < 128)), "the edge stays in the middle");
    }
}

#[test]
fn there_is_nothing_to_refine_without_an_edge_or_in_what_is_tiny() {
    let none = |picture: &Pixels, mask: &Pixels| {
        refine(picture, mask, Maker::Model, Preset::Balanced, &Pool::of(2), &Control::default())
            .expect("nothing is wrong")
            .is_none()
    };
    let mask = seen((320, 320));
    assert!(none(&photo((400, 31), 0.02), &mask));
    assert!(none(&photo((400, 400), 0.02), &seen((7, 320))));
    for sure in [0, 25, 230, 255] {
        assert!(none(&photo((400, 400), 0.02), &Pixels::filled(320, 320, Layout::Gray8, sure)), "{sure}");
    }
}

#[test]
fn a_stop_is_heard() {
    let token = CancelToken::new();
    token.cancel();
    let stopped = Control { cancel: Some(&token), ..Control::default() };
    let error =
        refine(&photo((400, 400), 0.02), &seen((320, 320)), Maker::Model, Preset::Balanced, &Pool::of(2), &stopped)
            .expect_err("it was stopped");
    assert_eq!(error.code(), Code::Cancelled);
}

#[test]
fn what_a_caller_leaves_soft_over_a_wide_area_stays_so_and_its_edges_are_laid_on_the_pictures() {
    let picture = photo((800, 600), 0.01);
    let levels = [10, 25, 30, 128, 230, 250];
    let mask = drawn(Layout::Gray8, (400, 300), |x, y| {
        let patch = (y > 0.88).then(|| levels[(x * 6.0) as usize]);
        vec![patch.unwrap_or(byte(disc(x + 0.01, y, 0.04)))]
    });
    let alpha = refine(&picture, &mask, Maker::Caller, Preset::Balanced, &Pool::of(2), &Control::default());
    let alpha = alpha.expect("nothing is wrong").expect("there is an edge");
    for (at, level) in levels.iter().enumerate() {
        let middle = (600 * 94 / 100) * 800 + (2 * at + 1) * 800 / 12;
        assert!(alpha.data()[middle].abs_diff(*level) <= 2, "{level} became {}", alpha.data()[middle]);
    }
    let plain = super::super::resized(mask, &picture, &Pool::of(1)).expect("the sizes agree");
    let (before, after) = (error(&plain, 0.01), error(&alpha, 0.01));
    assert!(after < 0.35 * before, "{after} of 255, and {before} without");
}
