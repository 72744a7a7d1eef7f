//! Tensor → matte, as rembg does it.

use super::{by, input, other_shape};
use crate::engine::Tensor;
use crate::error::{Code, Error, Result};
use crate::image::pixels::Matte;
use crate::models::{OutputRule, Recipe};

/// Reads the first picture of the output. One plane a class, or, for the other
/// rules, the first plane.
///
/// # Errors
/// [`Code::ModelShape`](crate::Code::ModelShape), and [`Code::EngineFailed`] for values that are no finite numbers.
pub(crate) fn matte(output: &Tensor, recipe: &Recipe) -> Result<Matte> {
    let plane = recipe.width as usize * recipe.height as usize;
    check_shape(output, recipe, plane)?;
    if !output.data.iter().all(|value| value.is_finite()) {
        return Err(Error::with_message(Code::EngineFailed, "The model gave values that are no finite numbers"));
    }
    let data = match recipe.output {
        OutputRule::MinMax => stretched(output.data[..plane].to_vec()),
        OutputRule::SigmoidMinMax => stretched(output.data[..plane].iter().copied().map(logistic).collect()),
        OutputRule::Classes => other_than_first(&output.data, plane),
    };
    Ok(Matte { width: recipe.width, height: recipe.height, data })
}

/// The output must be [1 ×] [planes ×] height × width, and hold what it says.
fn check_shape(output: &Tensor, recipe: &Recipe, plane: usize) -> Result<()> {
    let [_, _, height, width] = input::shape(recipe);
    let least = if recipe.output == OutputRule::Classes { 2 } else { 1 };
    let planes = match output.shape.as_slice() {
        [1, planes, h, w] | [planes, h, w] if (*h, *w) == (height, width) => *planes,
        [h, w] if (*h, *w) == (height, width) => 1,
        _ => 0,
    };
    if planes >= least && planes.checked_mul(plane) == Some(output.data.len()) {
        return Ok(());
    }
    let planes = if recipe.output == OutputRule::Classes { "classes" } else { "1" };
    Err(other_shape(
        "gives",
        &by(output.shape.iter().map(ToString::to_string)),
        &format!("1×{planes}×{height}×{width}"),
    ))
}

/// The smallest value becomes 0, the largest 1. Where all are the same there
/// is no subject.
fn stretched(mut values: Vec<f32>) -> Vec<f32> {
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let range = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - least;
    if !(range > 0.0 && range.is_finite()) {
        return vec![0.0; values.len()];
    }
    values.iter_mut().for_each(|value| *value = (*value - least) / range);
    values
}

fn logistic(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

/// 1 where any other class than the first is the likeliest.
fn other_than_first(values: &[f32], plane: usize) -> Vec<f32> {
    let (background, others) = values.split_at(plane);
    let beaten =
        |(at, background): (usize, &f32)| others.iter().skip(at).step_by(plane).any(|other| other > background);
    background.iter().enumerate().map(|pixel| f32::from(u8::from(beaten(pixel)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rule: OutputRule, shape: &[usize], data: &[f32]) -> Result<Matte> {
        let recipe = Recipe { width: 3, height: 1, output: rule, ..Recipe::U2NET };
        matte(&Tensor { shape: shape.to_vec(), data: data.to_vec() }, &recipe)
    }

    fn values(rule: OutputRule, shape: &[usize], data: &[f32]) -> Vec<f32> {
        read(rule, shape, data).expect("the shape fits").data
    }

    #[test]
    fn the_range_is_stretched_to_0_and_1() {
        assert_eq!(values(OutputRule::MinMax, &[1, 1, 1, 3], &[2.0, 4.0, 3.0]), [0.0, 1.0, 0.5]);
        assert_eq!(values(OutputRule::MinMax, &[1, 2, 1, 3], &[2.0, 4.0, 3.0, 9.0, 9.0, 9.0]), [0.0, 1.0, 0.5]);
        assert_eq!(values(OutputRule::MinMax, &[1, 3], &[-1.0, 0.0, 1.0]), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn the_logistic_function_comes_before_the_stretching() {
        let got = values(OutputRule::SigmoidMinMax, &[1, 1, 1, 3], &[-1000.0, 0.0, 1000.0]);
        assert_eq!(got, [0.0, 0.5, 1.0]);
        let bent = values(OutputRule::SigmoidMinMax, &[1, 1, 1, 3], &[0.0, 2.0, 8.0]);
        assert!((bent[1] - 0.7618).abs() < 1e-3, "{bent:?} was stretched without being bent");
    }

    #[test]
    fn a_pixel_is_subject_where_another_class_than_the_first_wins() {
        let planes = [[5.0, 1.0, 2.0], [4.0, 3.0, 2.0], [3.0, 0.0, 1.0]].concat();
        assert_eq!(values(OutputRule::Classes, &[1, 3, 1, 3], &planes), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_flat_output_is_no_subject() {
        for rule in [OutputRule::MinMax, OutputRule::SigmoidMinMax] {
            assert_eq!(values(rule, &[1, 1, 1, 3], &[7.0; 3]), [0.0; 3], "{rule:?}");
        }
        assert_eq!(values(OutputRule::MinMax, &[1, 1, 1, 3], &[f32::MAX, f32::MIN, 0.0]), [0.0; 3]);
    }

    #[test]
    fn values_that_are_no_finite_numbers_are_an_error_and_no_empty_cut_out() {
        let refused = |rule, shape: &[usize], data: &[f32]| {
            let error = read(rule, shape, data).expect_err("it is no mask");
            assert_eq!(error.code(), Code::EngineFailed, "{rule:?} of {data:?}");
            assert_eq!(error.message(), "The model gave values that are no finite numbers");
        };
        for rule in [OutputRule::MinMax, OutputRule::SigmoidMinMax] {
            for broken in [[f32::NAN, 0.0, 1.0], [f32::INFINITY, 0.0, 1.0], [0.0, f32::NEG_INFINITY, 1.0]] {
                refused(rule, &[1, 1, 1, 3], &broken);
            }
        }
        refused(OutputRule::Classes, &[1, 2, 1, 3], &[0.0, 0.0, 0.0, f32::NAN, 1.0, 1.0]);
    }

    #[test]
    fn another_shape_is_named_beside_the_one_described() {
        for (rule, shape, data) in [
            (OutputRule::MinMax, &[1, 1, 1, 4][..], &[0.0; 4][..]),
            (OutputRule::MinMax, &[3], &[0.0; 3]),
            (OutputRule::MinMax, &[2, 1, 1, 3], &[0.0; 6]),
            (OutputRule::MinMax, &[1, 1, 1, 3], &[0.0; 2]),
            (OutputRule::MinMax, &[1, 0, 1, 3], &[]),
            (OutputRule::Classes, &[1, 1, 1, 3], &[0.0; 3]),
        ] {
            let error = read(rule, shape, data).expect_err("it does not fit");
            assert_eq!(error.code(), Code::ModelShape);
            assert!(error.message().contains(&by(shape.iter().map(ToString::to_string))), "{error}");
            assert!(error.message().ends_with("×1×3"), "{error}");
        }
    }
}
