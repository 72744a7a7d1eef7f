//! The stage with an engine that only pretends.

use std::sync::Mutex;

use super::*;
use crate::engine::{EngineInfo, Tensor};
use crate::exec::control::{CancelToken, Stage};
use crate::image::pixels::Layout;

/// Gives the first channel of its input back.
struct Fake(Vec<Option<usize>>);

impl Engine for Fake {
    fn info(&self) -> &EngineInfo {
        &INFO
    }

    fn input(&self) -> &[Option<usize>] {
        &self.0
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        control.report(Stage::Segment, 0.0)?;
        control.report(Stage::Segment, 1.0)?;
        let plane = input.shape[2] * input.shape[3];
        Ok(Tensor { shape: vec![1, 1, input.shape[2], input.shape[3]], data: input.data[..plane].to_vec() })
    }
}

static INFO: EngineInfo = EngineInfo {
    name: "fake",
    version: String::new(),
    provider: String::new(),
    library: None,
    threads: 2,
    fallback: None,
};

const RECIPE: Recipe = Recipe { width: 4, height: 2, ..Recipe::U2NET };

const ONE: Plan = Plan { views: 1, closer: 0, unsure: 0 };

fn picture() -> Pixels {
    let row = [[0, 9, 9], [0, 9, 9], [200, 9, 9], [200, 9, 9]].concat();
    Pixels::new(4, 2, Layout::Rgb8, row.repeat(2)).expect("the sizes agree")
}

#[test]
fn a_picture_becomes_a_matte() {
    let engine = Fake(vec![Some(1), Some(3), None, None]);
    let matte =
        segment(&picture(), ONE, &RECIPE, &engine, &Pool::of(2), &Control::default()).expect("nothing is wrong");
    assert_eq!((matte.width, matte.height), (4, 2));
    assert_eq!(matte.data, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn the_matte_is_that_of_the_picture_without_what_is_around_it() {
    let fit = Fit { left: 1, top: 0, width: 2, height: 2, mirrored: false };
    for fit in [fit, Fit { mirrored: true, ..fit }] {
        let [matte] = &*seen(&picture(), &[fit], &RECIPE, &Fake(Vec::new()), &Pool::of(2), &Control::default())
            .expect("all is well")
        else {
            panic!("of one view one matte")
        };
        assert_eq!(*matte, Matte { width: 2, height: 2, data: vec![0.0, 1.0, 0.0, 1.0] }, "as the picture lies");
    }
}

#[test]
fn a_model_with_another_input_is_named_beside_the_recipe() {
    let engine = Fake(vec![None, Some(3), Some(2), Some(5)]);
    let error =
        segment(&picture(), ONE, &RECIPE, &engine, &Pool::of(2), &Control::default()).expect_err("it does not fit");
    assert_eq!(error.code(), Code::ModelShape);
    assert_eq!(error.message(), "The model takes any×3×2×5, but its description says 1×3×2×4");
    assert!(check_input(&RECIPE, &Fake(vec![Some(1), Some(3)])).is_err(), "the rank differs");
    assert!(check_input(&RECIPE, &Fake(Vec::new())).is_ok(), "a model that does not tell is tried");
}

#[test]
fn a_stop_is_heeded() {
    let token = CancelToken::new();
    token.cancel();
    let control = Control { cancel: Some(&token), ..Control::default() };
    let error =
        segment(&picture(), ONE, &RECIPE, &Fake(Vec::new()), &Pool::of(2), &control).expect_err("it is cancelled");
    assert_eq!(error.code(), Code::Cancelled);
}

#[test]
fn several_views_are_one_stage_and_one_matte() {
    let fractions = std::cell::RefCell::new(Vec::new());
    let note = |progress: crate::exec::control::Progress| fractions.borrow_mut().push(progress.fraction);
    let control = Control { progress: Some(&note), ..Control::default() };
    let whole = Fit::squeezed(&RECIPE);
    let views = [whole, Fit { mirrored: true, ..whole }, Fit { left: 1, width: 2, ..whole }];
    let mattes =
        seen(&picture(), &views, &RECIPE, &Fake(Vec::new()), &Pool::of(2), &control).expect("nothing is wrong");
    let matte = mean::of(&mattes, &Pool::of(2)).expect("they have their sizes");
    assert_eq!((matte.width, matte.height), (4, 2));
    assert!(matte.data[0] == 0.0 && matte.data[3] == 1.0, "{:?}", matte.data);
    let fractions = fractions.into_inner();
    assert!(fractions.len() == 6 && fractions.is_sorted() && fractions[5] == 1.0, "{fractions:?}");
}

/// Gives the first channel of its input back, and keeps it.
struct Recorder(Fake, Mutex<Vec<Vec<f32>>>);

impl Engine for Recorder {
    fn info(&self) -> &EngineInfo {
        self.0.info()
    }

    fn input(&self) -> &[Option<usize>] {
        self.0.input()
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let output = self.0.run(input, control)?;
        self.1.lock().expect("nobody panics").push(output.data.clone());
        Ok(output)
    }
}

/// What is there at a place.
type Red = fn((u32, u32)) -> u8;

fn of_red(size: (u32, u32), red: Red) -> Pixels {
    let places = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    let data = places.flat_map(|place| [red(place), 9, 9]).collect();
    Pixels::new(size.0, size.1, Layout::Rgb8, data).expect("the sizes agree")
}

const SIDE: u32 = 64;
const WIDE: (u32, u32) = (SIDE, SIDE / 4);
const SQUARE: Recipe = Recipe { width: SIDE, height: SIDE, ..Recipe::U2NET };
const SMALL: Red = |(x, _)| if (20..40).contains(&x) { 200 } else { 0 };
const SMALL_AND_SOFT: Red = |(x, _)| [0, 130, 200][usize::from((20..40).contains(&x)) + usize::from(x == 30)];
const LARGE: Red = |(x, _)| if (2..62).contains(&x) { 200 } else { 0 };
const LARGE_AND_SOFT: Red = |(x, y)| if x == 0 { 0 } else { 110 + (3 * x / 4 + 2 * y % 40) as u8 };

/// What the engine was asked, and what became of it.
fn planned(size: (u32, u32), red: Red) -> (Vec<Vec<f32>>, Matte) {
    let engine = Recorder(Fake(Vec::new()), Mutex::default());
    let fractions = std::cell::RefCell::new(Vec::new());
    let note = |progress: crate::exec::control::Progress| fractions.borrow_mut().push(progress.fraction);
    let control = Control { progress: Some(&note), ..Control::default() };
    let plan = Plan { views: 2, closer: 1, unsure: 1 };
    let matte = segment(&of_red(size, red), plan, &SQUARE, &engine, &Pool::of(2), &control).expect("nothing is wrong");
    let fractions = fractions.into_inner();
    assert!(fractions.is_sorted() && fractions.iter().all(|fraction| *fraction <= 1.0), "{fractions:?}");
    (engine.1.into_inner().expect("nobody panics"), matte)
}

#[test]
fn a_small_subject_is_seen_from_closer_by_and_an_unsure_one_once_more() {
    for small in [SMALL, SMALL_AND_SOFT] {
        let (inputs, matte) = planned(WIDE, small);
        assert_eq!((inputs.len(), matte.width > SIDE), (3, true), "the subject's box is seen larger");
    }
    let (inputs, matte) = planned(WIDE, LARGE);
    assert_eq!((inputs.len(), matte.width), (2, SIDE), "large, and without a doubt");
    let (inputs, _) = planned((SIDE, SIDE), LARGE_AND_SOFT);
    assert_eq!(inputs.len(), 2, "there is no third view of a square picture");
    let (inputs, matte) = planned(WIDE, LARGE_AND_SOFT);
    let mirrored: Vec<f32> = inputs[1].chunks(64).flat_map(|row| row.iter().rev().copied()).collect();
    assert_eq!(inputs[2..], [mirrored], "the half-squeezed view, mirrored");
    let views = Fit::views(WIDE, &SQUARE, 3);
    let mattes =
        seen(&of_red(WIDE, LARGE_AND_SOFT), &views, &SQUARE, &Fake(Vec::new()), &Pool::of(2), &Control::default());
    let mattes = mattes.expect("nothing is wrong");
    let mean = |count: usize| mean::of(&mattes[..count], &Pool::of(2)).expect("they have their sizes");
    assert!(matte == mean(3) && matte != mean(2), "all three count");
}

#[test]
fn a_matte_of_nothing_but_0_and_1_is_sure() {
    let of = |data: &[f32]| confidence(&Matte { width: data.len() as u32, height: 1, data: data.to_vec() });
    assert_eq!((of(&[0.0, 1.0, 1.0]), of(&[0.0, 0.5]), of(&[0.0, 0.0])), (1.0, 0.5, 0.0));
}

#[test]
fn a_view_is_seen_alike_alone_and_among_others() {
    let whole = Fit::squeezed(&RECIPE);
    let part = Fit { left: 1, top: 0, width: 2, height: 2, mirrored: false };
    let views = [whole, Fit { mirrored: true, ..whole }, part, Fit { mirrored: true, ..part }, whole];
    let seen = |views: &[Fit]| {
        seen(&picture(), views, &RECIPE, &Fake(Vec::new()), &Pool::of(2), &Control::default())
            .expect("nothing is wrong")
    };
    let alone: Vec<_> = views.iter().flat_map(|view| seen(&[*view])).collect();
    assert_eq!(seen(&views), alone);
}
