//! Closed-form matting: the alpha of least disagreement.

use super::descent::descend;
use super::factor::Factor;
use super::laplacian::Laplacian;
use super::share::Share;
use super::trimap::Known;
use crate::error::Result;
use crate::image::pixels::Pixels;

/// The alpha of each pixel, 0 ..= 1: as the trimap has it where that is known,
/// elsewhere the minimiser of the matting Laplacian's quadratic form. The mask is
/// where the search starts.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn alpha(picture: &Pixels, trimap: &[Known], mask: &Pixels, share: Share<'_>) -> Result<Vec<f32>> {
    let unknown = solve(picture, trimap, mask, share)?;
    Ok(merged(trimap, &unknown))
}

/// The alphas of the unknown pixels, in reading order.
fn solve(picture: &Pixels, trimap: &[Known], mask: &Pixels, share: Share<'_>) -> Result<Vec<f64>> {
    let laplacian = Laplacian::of(picture, trimap, share.part(0.0, 0.2))?;
    let factor = Factor::of(&laplacian, share.part(0.2, 0.6))?;
    let guess = mask.data().iter().zip(trimap).filter(|(_, known)| **known == Known::Nothing);
    let mut alpha: Vec<f64> = guess.map(|(value, _)| f64::from(*value) / 255.0).collect();
    descend(&laplacian, &factor, &mut alpha, share.part(0.6, 1.0))?;
    Ok(alpha)
}

fn merged(trimap: &[Known], unknown: &[f64]) -> Vec<f32> {
    let mut unknown = unknown.iter();
    let alpha = |known: &Known| match known {
        Known::Background => 0.0,
        Known::Subject => 1.0,
        Known::Nothing => unknown.next().map_or(0.0, |alpha| alpha.clamp(0.0, 1.0) as f32),
    };
    trimap.iter().map(alpha).collect()
}
