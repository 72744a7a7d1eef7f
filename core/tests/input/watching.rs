//! Progress and cancellation while a file is decoded.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::ExtendedColorType::Rgb8;
use remrembg::{CancelToken, Code, Control, Limits, Progress, Stage, decode_input};

use crate::make;

/// A PNG, a BMP and a WebP of some hundred kilobytes each, so that a decoder
/// comes back to the reader many times.
fn large() -> [Vec<u8>; 3] {
    let size = (400, 400);
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(400 * 400 * 3)
    .collect();
    [make::png_compressed(size, &noise, Rgb8), make::bmp(size, &noise, Rgb8), make::webp(size, &noise, Rgb8)]
}

#[test]
fn progress_rises_from_0_to_1() {
    for file in large() {
        let seen = RefCell::new(Vec::new());
        let note = |progress: Progress| {
            assert_eq!(progress.stage, Stage::Decode);
            seen.borrow_mut().push(progress.fraction);
        };
        let control = Control { progress: Some(&note), ..Control::default() };
        decode_input(&file, &Limits::default(), &control).expect("decodes");
        let seen = seen.into_inner();
        assert_eq!((seen.first(), seen.last()), (Some(&0.0), Some(&1.0)));
        assert!(seen.is_sorted(), "{seen:?}");
        assert!(seen.len() > 10, "{seen:?}");
    }
}

#[test]
fn a_stop_in_the_middle_is_no_fault_of_the_file() {
    for file in large() {
        let token = CancelToken::new();
        let last = RefCell::new(0.0);
        let stop = |progress: Progress| {
            *last.borrow_mut() = progress.fraction;
            if progress.fraction > 0.3 {
                token.cancel();
            }
        };
        let control = Control { progress: Some(&stop), cancel: Some(&token), ..Control::default() };
        let error = decode_input(&file, &Limits::default(), &control).expect_err("it was cancelled");
        assert_eq!(error.code(), Code::Cancelled);
        assert!(last.into_inner() < 0.6, "the decoder went on");
    }
}

#[test]
fn a_panic_of_the_callback_is_its_callers_own() {
    let [png, ..] = large();
    let slip = |progress: Progress| assert!(progress.fraction < 0.5, "half is enough");
    let control = Control { progress: Some(&slip), ..Control::default() };
    let outcome = catch_unwind(AssertUnwindSafe(|| decode_input(&png, &Limits::default(), &control).map(drop)));
    let payload = outcome.expect_err("the panic goes on to the caller");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"half is enough"));
}
