//! The stage with an engine that only pretends.

use std::sync::Mutex;

use super::*;
use crate::engine::{EngineInfo, Tensor};
use crate::exec::control::CancelToken;
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
        control.check()?;
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
    let matte = segment(&picture(), ONE, &RECIPE, &engine, &Control::default()).expect("nothing is wrong");
    assert_eq!((matte.width, matte.height), (4, 2));
    assert_eq!(matte.data, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn the_matte_is_that_of_the_picture_without_what_is_around_it() {
    let fit = Fit { left: 1, top: 0, width: 2, height: 2, mirrored: false };
    for fit in [fit, Fit { mirrored: true, ..fit }] {
        let [matte] = &*seen(&picture(), &[fit], &RECIPE, &Fake(Vec::new()), &Control::default()).expect("all is well")
        else {
            panic!("of one view one matte")
        };
        assert_eq!(*matte, Matte { width: 2, height: 2, data: vec![0.0, 1.0, 0.0, 1.0] }, "as the picture lies");
    }
}

#[test]
fn a_model_with_another_input_is_named_beside_the_recipe() {
    let engine = Fake(vec![None, Some(3), Some(2), Some(5)]);
    let error = segment(&picture(), ONE, &RECIPE, &engine, &Control::default()).expect_err("it does not fit");
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
    let error = segment(&picture(), ONE, &RECIPE, &Fake(Vec::new()), &control).expect_err("it is cancelled");
    assert_eq!(error.code(), Code::Cancelled);
}

#[test]
fn several_looks_are_one_stage_and_one_matte() {
    let fractions = std::cell::RefCell::new(Vec::new());
    let note = |progress: crate::exec::control::Progress| fractions.borrow_mut().push(progress.fraction);
    let control = Control { progress: Some(&note), ..Control::default() };
    let whole = Fit::squeezed(&RECIPE);
    let views = [whole, Fit { mirrored: true, ..whole }, Fit { left: 1, width: 2, ..whole }];
    let mattes = seen(&picture(), &views, &RECIPE, &Fake(Vec::new()), &control).expect("nothing is wrong");
    let matte = mean::of(&mattes, 2).expect("they have their sizes");
    assert_eq!((matte.width, matte.height), (4, 2));
    assert!(matte.data[0] == 0.0 && matte.data[3] == 1.0, "{:?}", matte.data);
    assert!(fractions.borrow().is_sorted());
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

#[test]
fn a_small_subject_is_seen_from_closer_by_and_an_unsure_one_once_more() {
    let plan = Plan { views: 2, closer: 1, unsure: 1 };
    let inputs = |red: [u8; 64]| {
        let row: Vec<u8> = red.iter().flat_map(|red| [*red, 9, 9]).collect();
        let wide = Pixels::new(64, 16, Layout::Rgb8, row.repeat(16)).expect("the sizes agree");
        let engine = Recorder(Fake(Vec::new()), Mutex::default());
        let recipe = Recipe { width: 64, height: 64, ..Recipe::U2NET };
        let matte = segment(&wide, plan, &recipe, &engine, &Control::default()).expect("nothing is wrong");
        (engine.1.into_inner().expect("nobody panics"), matte.width)
    };
    let of = |all: u8, subject: u8| std::array::from_fn(|x| if (20..40).contains(&x) { subject } else { all });
    let (small, width) = inputs(of(0, 200));
    assert_eq!((small.len(), width > 64), (3, true), "the subject's box is seen larger");
    let (sure, width) = inputs(std::array::from_fn(|x| if (2..62).contains(&x) { 200 } else { 0 }));
    assert_eq!((sure.len(), width), (2, 64), "large, and without a doubt");
    let mut soft = of(150, 150);
    (soft[0], soft[63]) = (0, 200);
    let (unsure, width) = inputs(soft);
    assert_eq!((unsure.len(), width), (3, 64));
    let mirrored: Vec<f32> = unsure[1].chunks(64).flat_map(|row| row.iter().rev().copied()).collect();
    assert_eq!(unsure[2], mirrored, "the half-squeezed view, mirrored");
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
        seen(&picture(), views, &RECIPE, &Fake(Vec::new()), &Control::default()).expect("nothing is wrong")
    };
    let alone: Vec<_> = views.iter().flat_map(|view| seen(&[*view])).collect();
    assert_eq!(seen(&views), alone);
}
