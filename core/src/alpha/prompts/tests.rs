use super::*;
use crate::error::Code;
use crate::exec::Pool;
use crate::exec::control::{CancelToken, Control};
use crate::image::pixels::{Layout, Pixels};
use crate::options::regions::{MAX_REGIONS, read};

const SIZE: (u32, u32) = (160, 120);
const RED: [u8; 3] = [200, 40, 40];
const BLUE: [u8; 3] = [30, 60, 180];
const GREY: [u8; 3] = [128, 128, 128];

/// Left, top and radius.
type Disc = (f64, f64, f64);
const LEFT: Disc = (50.0, 60.0, 25.0);
/// Touches the left one.
const BESIDE: Disc = (98.0, 60.0, 25.0);
/// Apart from the left one.
const RIGHT: Disc = (120.0, 60.0, 20.0);

fn distance(x: f64, y: f64, disc: Disc) -> f64 {
    (x - disc.0).hypot(y - disc.1) - disc.2
}

fn pixels((width, height): (u32, u32), layout: Layout, pixel: impl Fn(f64, f64) -> Vec<u8>) -> Pixels {
    let at = |at: u32| pixel(f64::from(at % width) + 0.5, f64::from(at / width) + 0.5);
    Pixels::new(width, height, layout, (0..width * height).flat_map(at).collect()).expect("the sizes agree")
}

/// Discs in their colours on grey.
fn picture(discs: &[(Disc, [u8; 3])]) -> Pixels {
    pixels(SIZE, Layout::Rgb8, |x, y| {
        let disc = discs.iter().find(|(disc, _)| distance(x, y, *disc) < 0.0);
        disc.map_or(GREY, |(_, color)| *color).to_vec()
    })
}

/// Discs with an edge that is soft over some pixels.
fn mask(discs: &[Disc]) -> Pixels {
    scaled_mask(discs, 1.0)
}

fn scaled_mask(discs: &[Disc], scale: f64) -> Pixels {
    let size = ((f64::from(SIZE.0) * scale) as u32, (f64::from(SIZE.1) * scale) as u32);
    pixels(size, Layout::Gray8, |x, y| {
        let alpha = |disc: &Disc| (0.5 - distance(x / scale, y / scale, *disc) / 4.0).clamp(0.0, 1.0);
        vec![(discs.iter().map(alpha).fold(0.0, f64::max) * 255.0) as u8]
    })
}

fn prompts(keep: &str, drop: &str) -> Prompts {
    Prompts { keep: read("keep", keep).expect("regions"), drop: read("drop", drop).expect("regions") }
}

fn constrained(prompts: &Prompts, mask: &Pixels, picture: &Pixels) -> Pixels {
    let made = prompts.constrain(mask.clone(), picture, &Pool::of(1), &Control::default()).expect("nothing stops it");
    assert_eq!((made.width(), made.height(), made.layout()), (mask.width(), mask.height(), Layout::Gray8));
    made
}

/// Everything but a few pixels in a hundred of the subject is as wanted.
#[track_caller]
fn is_nearly(got: &Pixels, want: &Pixels) {
    let pairs = || got.data().iter().zip(want.data()).map(|(got, want)| (*got > 127, *want > 127));
    let wrong = pairs().filter(|(got, want)| got != want).count();
    let subject = pairs().filter(|(_, want)| *want).count();
    assert!(wrong * 100 <= subject * 4, "{wrong} pixels are wrong, of {subject}");
}

#[test]
fn no_hints_change_nothing() {
    let mask = mask(&[LEFT, RIGHT]);
    assert_eq!(constrained(&Prompts::default(), &mask, &picture(&[])), mask);
}

#[test]
fn one_of_two_stays_with_its_soft_edge() {
    let (both, picture) = (mask(&[LEFT, RIGHT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    for prompts in
        [prompts("50,60", ""), prompts("", "120,60"), prompts("30,50 60,70", "120,60"), prompts("10,20,90,100", "")]
    {
        assert_eq!(constrained(&prompts, &both, &picture), mask(&[LEFT]), "{prompts:?}");
    }
    assert_eq!(constrained(&prompts("50,60 120,60", ""), &both, &picture), both);
    assert_eq!(constrained(&prompts("", "5,5"), &both, &picture), both, "nothing is there");
}

#[test]
fn two_things_that_touch_are_divided_where_their_colours_meet() {
    let (both, picture) = (mask(&[LEFT, BESIDE]), picture(&[(LEFT, RED), (BESIDE, BLUE)]));
    for (keep, drop, stays) in [("50,60", "98,60", LEFT), ("98,60", "50,60", BESIDE), ("110,70", "30,60", BESIDE)] {
        is_nearly(&constrained(&prompts(keep, drop), &both, &picture), &mask(&[stays]));
    }
    let alone = constrained(&prompts("50,60", "98,60"), &both, &picture);
    let left = |pixels: &Pixels| pixels.data().chunks(160).flat_map(|row| row[..60].to_vec()).collect::<Vec<u8>>();
    assert_eq!(left(&alone), left(&both), "away from the cut it is as it was");
    assert_eq!(constrained(&prompts("50,60", ""), &both, &picture), both, "one region stays whole");
    assert_eq!(constrained(&prompts("", "50,60"), &both, &picture).data(), vec![0; 160 * 120], "or goes whole");
}

#[test]
fn a_thing_that_the_mask_misses_grows_from_a_point() {
    let (found, picture) = (mask(&[LEFT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    is_nearly(&constrained(&prompts("50,60 120,60", ""), &found, &picture), &mask(&[LEFT, RIGHT]));
    is_nearly(&constrained(&prompts("115,65", ""), &found, &picture), &mask(&[RIGHT]));
    is_nearly(&constrained(&prompts("115,65", "50,60"), &found, &picture), &mask(&[RIGHT]));
    is_nearly(&constrained(&prompts("95,35,145,85 115,65", ""), &mask(&[]), &picture), &mask(&[RIGHT]));
    let grown = constrained(&prompts("50,60 120,60", ""), &found, &picture);
    let left = |pixels: &Pixels| pixels.data().chunks(160).flat_map(|row| row[..80].to_vec()).collect::<Vec<u8>>();
    assert_eq!(left(&grown), left(&found), "what was found is as it was");
    assert!(grown.data().iter().any(|alpha| (60..200).contains(alpha)), "its edge is soft");
}

#[test]
fn what_is_found_faintly_is_grown_sure() {
    let faint = pixels(SIZE, Layout::Gray8, |x, y| vec![if distance(x, y, RIGHT) < -4.0 { 90 } else { 0 }]);
    is_nearly(&constrained(&prompts("120,60", ""), &faint, &picture(&[(RIGHT, BLUE)])), &mask(&[RIGHT]));
}

#[test]
fn what_is_found_faintly_in_a_part_of_a_thing_is_made_sure_from_there() {
    let half = pixels(SIZE, Layout::Gray8, |x, y| {
        vec![if distance(x, y, LEFT) < 0.0 { if x < 50.0 { 255 } else { 90 } } else { 0 }]
    });
    let made = constrained(&prompts("60,60", ""), &half, &picture(&[(LEFT, RED)]));
    is_nearly(&made, &mask(&[LEFT]));
    assert!(made.data()[60 * 160 + 62] == 255 && made.data()[75 * 160 + 60] == 255, "not the point alone");
}

#[test]
fn a_point_at_the_edge_of_a_thing_keeps_the_thing() {
    let (both, picture) = (mask(&[LEFT, RIGHT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    is_nearly(&constrained(&prompts("76,60", ""), &both, &picture), &mask(&[LEFT]));
    let apart = constrained(&prompts("88,60", ""), &both, &picture);
    assert_eq!(apart.data()[60 * 160 + 50], 0, "this one is apart from it");
}

#[test]
fn growth_in_one_colour_has_bounds() {
    let flat = constrained(&prompts("80,60", ""), &mask(&[]), &picture(&[]));
    let subject = flat.data().iter().filter(|alpha| **alpha > 127).count();
    assert!(subject < 160 * 120 / 2, "{subject}");
    let fenced = constrained(&prompts("80,60", "70,60 90,60 80,50 80,70"), &mask(&[]), &picture(&[]));
    let subject = fenced.data().iter().filter(|alpha| **alpha > 127).count();
    assert!(subject < 300, "{subject}");
}

#[test]
fn a_box_keeps_what_is_in_it_and_nothing_beside() {
    let (both, picture) = (mask(&[LEFT, RIGHT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    let part = constrained(&prompts("20,20,60,70", ""), &both, &picture);
    for (at, (got, was)) in part.data().iter().zip(both.data()).enumerate() {
        let inside = (20..60).contains(&(at % 160)) && (20..70).contains(&(at / 160));
        assert_eq!(*got, if inside { *was } else { 0 }, "{at}");
    }
    let reaching = constrained(&prompts("10,20,108,100", ""), &both, &picture);
    assert_eq!(reaching, mask(&[LEFT]), "the right one but reaches into the box");
    let (width, height) = SIZE;
    assert_eq!(constrained(&prompts(&format!("0,0,{width},{height}"), ""), &both, &picture), both);
    assert_eq!(constrained(&prompts("0,0,9,9 10,20,90,100 95,30,150,90", ""), &both, &picture), both);
}

#[test]
fn a_point_outside_the_boxes_keeps_what_it_is_on() {
    let (both, picture) = (mask(&[LEFT, RIGHT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    assert_eq!(constrained(&prompts("10,20,90,100 120,60", ""), &both, &picture), both);
    is_nearly(&constrained(&prompts("10,20,90,100 120,60", ""), &mask(&[LEFT]), &picture), &both);
}

#[test]
fn a_dropped_box_is_background_and_nothing_else_changes() {
    let (both, picture) = (mask(&[LEFT, RIGHT]), picture(&[(LEFT, RED), (RIGHT, BLUE)]));
    let got = constrained(&prompts("", "40,50,130,70"), &both, &picture);
    for (at, (got, was)) in got.data().iter().zip(both.data()).enumerate() {
        let inside = (40..130).contains(&(at % 160)) && (50..70).contains(&(at / 160));
        assert_eq!(*got, if inside { 0 } else { *was }, "{at}");
    }
}

#[test]
fn points_of_both_kinds_in_one_pixel_of_the_mask_divide_a_thing() {
    let picture = picture(&[(LEFT, RED)]);
    let small = scaled_mask(&[LEFT], 0.25);
    // Both in the column 12 of the mask.
    let made = constrained(&prompts("48,60", "51,60"), &small, &picture);
    let at = |x: usize| made.data()[15 * made.width() as usize + x];
    assert!(at(9) > 200, "the left half stays: {}", at(9));
    assert!(at(16) < 50, "the right half goes: {}", at(16));
}

#[test]
fn where_they_contradict_each_other_drop_wins() {
    let (found, picture) = (mask(&[LEFT]), picture(&[(LEFT, RED)]));
    let empty = vec![0; 160 * 120];
    assert_eq!(constrained(&prompts("50,60", "50,60"), &found, &picture).data(), empty);
    assert_eq!(constrained(&prompts("0,0,160,120", "0,0,160,120"), &found, &picture).data(), empty);
    let boxed = constrained(&prompts("50,60", "40,50,60,70"), &found, &picture);
    assert_eq!((boxed.data()[60 * 160 + 50], boxed.data()[60 * 160 + 30]), (0, 255));
}

#[test]
fn masks_of_other_sizes_are_changed_alike() {
    let picture = picture(&[(LEFT, RED), (BESIDE, BLUE)]);
    for scale in [0.5, 2.0, 6.0] {
        let (both, left) = (scaled_mask(&[LEFT, BESIDE], scale), scaled_mask(&[LEFT], scale));
        is_nearly(&constrained(&prompts("50,60", "98,60"), &both, &picture), &left);
        is_nearly(&constrained(&prompts("50,60 98,60", ""), &left, &picture), &both);
    }
    let apart = scaled_mask(&[LEFT, RIGHT], 6.0);
    assert_eq!(constrained(&prompts("50,60", ""), &apart, &picture), scaled_mask(&[LEFT], 6.0));
    assert_eq!(constrained(&prompts("50,60 120,60", ""), &apart, &picture), apart);
}

#[test]
fn the_pixel_of_a_point_is_what_it_is_said_to_be() {
    for size in [(160, 120), (1, 97), (97, 1), (1, 1), (2, 3), (320, 7)] {
        for own in [(40, 40), (1, 50), (50, 1), (160, 120), (600, 3)] {
            for value in [0, 60, 255] {
                let (picture, mask) = (
                    Pixels::filled(size.0, size.1, Layout::Rgb8, 90),
                    Pixels::filled(own.0, own.1, Layout::Gray8, value),
                );
                let (right, bottom) = (size.0 - 1, size.1 - 1);
                for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom), (right / 2, bottom / 2)] {
                    let at =
                        |side: u32, own: u32, at: u32| u64::from(own) * (2 * u64::from(at) + 1) / (2 * u64::from(side));
                    let pixel = at(size.1, own.1, y) * u64::from(own.0) + at(size.0, own.0, x);
                    let point = vec![Region::Point { x, y }];
                    let keep = Prompts { keep: point.clone(), drop: Vec::new() };
                    let drop = Prompts { keep: Vec::new(), drop: point };
                    let seen =
                        [keep, drop].map(|prompts| constrained(&prompts, &mask, &picture).data()[pixel as usize]);
                    assert_eq!(seen, [255, 0], "{x},{y} of {size:?} in a mask of {own:?} that is {value}");
                }
            }
        }
    }
}

#[test]
fn pictures_of_every_layout_will_do() {
    let (found, colored) = (mask(&[LEFT, BESIDE]), picture(&[(LEFT, RED), (BESIDE, BLUE)]));
    let want = constrained(&prompts("50,60", "98,60"), &found, &colored);
    assert_eq!(constrained(&prompts("50,60", "98,60"), &found, &colored.into_rgba()), want);
    let grey = pixels(SIZE, Layout::Gray8, |x, y| vec![if distance(x, y, LEFT) < 0.0 { 90 } else { 200 }]);
    is_nearly(&constrained(&prompts("50,60", "98,60"), &found, &grey), &mask(&[LEFT]));
}

#[test]
fn hints_that_say_nothing_of_the_picture_do_no_harm() {
    let (found, picture) = (mask(&[LEFT]), picture(&[(LEFT, RED)]));
    let most = u32::MAX;
    let keep = [Region::Point { x: most, y: 0 }, Region::Box { left: 9, top: 9, right: 3, bottom: 2 }];
    let drop = [Region::Box { left: 160, top: 0, right: most, bottom: most }, Region::Point { x: 0, y: 120 }];
    let dropping = Prompts { keep: Vec::new(), drop: drop.to_vec() };
    assert_eq!(constrained(&dropping, &found, &picture), found);
    assert_eq!(dropping.check(SIZE).len(), 1);
    let all = Prompts { keep: keep.to_vec(), drop: drop.to_vec() };
    constrained(&all, &found, &picture);
    assert_eq!((all.validate().len(), all.check(SIZE).len()), (1, 2));
}

#[test]
fn a_thousand_regions_of_each_kind_come_through() {
    let noise = |at: u32| at.wrapping_mul(0x9E37_79B9) >> 16;
    let region = |at: u32| match at % 2 {
        0 => Region::Point { x: noise(at) % 160, y: noise(at + 7) % 120 },
        _ => Region::Box {
            left: noise(at) % 160,
            top: noise(at + 7) % 120,
            right: 400,
            bottom: noise(at + 9) % 500 + 120,
        },
    };
    let prompts =
        Prompts { keep: (0..1000).map(region).collect(), drop: (1000..2000).step_by(2).map(region).collect() };
    assert!(prompts.validate().is_empty() && prompts.check(SIZE).is_empty());
    let noisy = pixels(SIZE, Layout::Gray8, |x, y| vec![noise((y * 160.0 + x) as u32) as u8]);
    let made = constrained(&prompts, &noisy, &picture(&[(LEFT, RED)]));
    assert_eq!(made, constrained(&prompts, &noisy, &picture(&[(LEFT, RED)])), "the same comes out every time");
    let Region::Point { x, y } = prompts.drop[0] else { unreachable!("the first is a point") };
    assert_eq!(made.data()[(y * 160 + x) as usize], 0);
}

#[test]
fn what_lies_outside_the_picture_is_told() {
    let outside = prompts("10,10 400,20", "0,300,9,400 399,299");
    let told: Vec<(String, String)> =
        outside.check((400, 300)).into_iter().map(|problem| (problem.field, problem.message)).collect();
    let message = |key: &str, got: &str| {
        (key.to_owned(), format!("'{key}' must lie in the picture of 400×300 pixels, got: '{got}'"))
    };
    assert_eq!(told, [message("keep", "400,20"), message("drop", "0,300,9,400")]);
    assert!(outside.check((401, 301)).is_empty(), "the box has a pixel of it");
}

#[test]
fn typed_regions_are_refused_in_the_words_of_text() {
    let flat = Region::Box { left: 5, top: 5, right: 5, bottom: 9 };
    let typed = Prompts { keep: vec![flat], drop: vec![Region::Point { x: 0, y: 0 }; MAX_REGIONS + 1] };
    let problems = typed.validate();
    assert_eq!(problems[0], read("keep", "5,5,5,9").expect_err("it is flat"));
    assert_eq!(problems[1], read("drop", &"0,0 ".repeat(MAX_REGIONS + 1)).expect_err("there are too many"));
    assert_eq!((problems.len(), prompts("1,1", "2,2,3,3").validate().len()), (2, 0));
}

#[test]
fn the_model_is_to_look_at_the_boxes_and_a_margin() {
    let crop = |keep: &str, size: (u32, u32)| prompts(keep, "5,5,9,9").crop(size);
    assert_eq!(crop("100,200,300,400", (1000, 1000)), Some((75, 175, 250, 250)));
    assert_eq!(crop("100,200,180,400 220,200,300,240", (1000, 1000)), Some((75, 175, 250, 250)));
    assert_eq!(crop("100,200,180,400 150,300", (1000, 1000)), crop("100,200,180,400", (1000, 1000)));
    assert_eq!(
        crop("100,200,180,400 299,300", (1000, 1000)),
        None,
        "how far a thing reaches from a point, nobody knows"
    );
    assert_eq!(crop("0,0,300,400", (310, 900)), Some((0, 0, 310, 450)), "cut off at the picture's edges");
    assert_eq!(crop("4,4,4000000000,4000000000", (40, 30)), None, "that is the whole picture");
    for nothing in ["", "5,5", "500,500,600,600"] {
        assert_eq!(crop(nothing, (100, 100)), None, "{nothing}");
    }
}

#[test]
fn a_stop_is_heard() {
    let token = CancelToken::new();
    token.cancel();
    let stopped = Control { cancel: Some(&token), ..Control::default() };
    for prompts in [Prompts::default(), prompts("50,60", "98,60")] {
        let error =
            prompts.constrain(mask(&[LEFT]), &picture(&[]), &Pool::of(1), &stopped).expect_err("it was stopped");
        assert_eq!(error.code(), Code::Cancelled);
    }
}

#[test]
fn boxes_are_exact_in_the_alpha_of_the_picture() {
    let mut alpha = Pixels::filled(6, 3, Layout::Gray8, 200);
    let prompts = Prompts {
        keep: vec![
            Region::Box { left: 1, top: 0, right: 3, bottom: 2 },
            Region::Box { left: 2, top: 1, right: 9, bottom: 2 },
        ],
        drop: vec![Region::Box { left: 4, top: 0, right: 5, bottom: 9 }],
    };
    prompts.clip(&mut alpha, 0, &Control::default()).expect("nothing stops it");
    let rows = [[0, 200, 200, 0, 0, 0], [0, 200, 200, 200, 0, 200], [0; 6]];
    assert_eq!(alpha.data(), rows.as_flattened());
    for (x, cleared) in [(5, 0), (2, 14)] {
        let mut alpha = Pixels::filled(6, 3, Layout::Gray8, 200);
        let keep = vec![prompts.keep[0], Region::Point { x, y: 1 }];
        Prompts { keep, drop: Vec::new() }.clip(&mut alpha, 9, &Control::default()).expect("nothing stops it");
        let clear = alpha.data().iter().filter(|alpha| **alpha == 9).count();
        assert_eq!(clear, cleared, "a point outside the boxes may keep what is there, one inside does not: {x}");
    }
}

#[test]
fn what_is_said_of_a_part_is_said_in_its_own_pixels() {
    let prompts = Prompts {
        keep: vec![Region::Box { left: 20, top: 30, right: 60, bottom: 70 }],
        drop: vec![
            Region::Point { x: 30, y: 40 },
            Region::Point { x: 2, y: 2 },
            Region::Box { left: 0, top: 0, right: 40, bottom: 9 },
        ],
    };
    let part = prompts.crop((100, 100)).expect("there is a box");
    assert_eq!(part, (15, 25, 50, 50));
    let expected = Prompts {
        keep: vec![Region::Box { left: 5, top: 5, right: 45, bottom: 45 }],
        drop: vec![Region::Point { x: 15, y: 15 }],
    };
    assert_eq!(prompts.within(part), expected);
}

#[test]
fn a_point_beside_a_thing_leaves_no_dot_on_the_background() {
    let (picture, mut mask) = (picture(&[(LEFT, RED)]), mask(&[LEFT]));
    mask.data_mut().iter_mut().for_each(|alpha| *alpha = if *alpha > 127 { 255 } else { 0 });
    // Just beyond the edge: the thing is meant.
    assert!(constrained(&prompts("76,60", ""), &mask, &picture) == mask);
}
