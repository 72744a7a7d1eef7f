//! Conjugate gradients (Hestenes and Stiefel 1952), preconditioned.

use super::factor::Factor;
use super::laplacian::Laplacian;
use super::share::Share;
use crate::error::Result;

/// The residual, in proportion to the right-hand side, at which alpha is good
/// to a small part of 1/255.
const TOLERANCE: f64 = 1e-7;

/// The most steps. What is reached by then is taken: it is never worse than
/// what the descent started from.
const MOST_STEPS: usize = 200;

/// Solves laplacian · x = laplacian.pull from the guess in `x`.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn descend(laplacian: &Laplacian, factor: &Factor, x: &mut [f64], share: Share<'_>) -> Result<()> {
    let mut product = vec![0.0; x.len()];
    laplacian.times(x, &mut product);
    let mut residual: Vec<f64> = laplacian.pull.iter().zip(&product).map(|(pull, product)| pull - product).collect();
    let goal = TOLERANCE * TOLERANCE * dot(&laplacian.pull, &laplacian.pull);
    let mut direction = vec![0.0; x.len()];
    let mut slope = 0.0;
    for step in 0..MOST_STEPS {
        share.tell(step, MOST_STEPS)?;
        if dot(&residual, &residual) <= goal {
            break;
        }
        product.copy_from_slice(&residual);
        factor.solve(&mut product);
        let new_slope = dot(&residual, &product);
        let turn = if step == 0 { 0.0 } else { new_slope / slope };
        slope = new_slope;
        direction.iter_mut().zip(&product).for_each(|(direction, new)| *direction = new + turn * *direction);
        laplacian.times(&direction, &mut product);
        let length = slope / dot(&direction, &product);
        if !length.is_finite() {
            break;
        }
        x.iter_mut().zip(&direction).for_each(|(x, direction)| *x += length * direction);
        residual.iter_mut().zip(&product).for_each(|(residual, product)| *residual -= length * product);
    }
    Ok(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
