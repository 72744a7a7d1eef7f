//! Several mattes of one picture made into one.

use crate::error::Result;
use crate::pixels::Matte;
use crate::small::resized_values;

/// How far from 0 and 1 a look's certainty ends, so that one look alone decides nothing.
const DOUBT: f32 = 0.02;
/// As much of the mean becomes 0, and as much 1: looks seldom agree to the last.
const HAZE: f32 = 0.05;

/// The mean of their log odds, as large as the widest and the tallest. A look that is
/// sure counts for more than one that is not: edges stay as sharp as the sharpest look's.
///
/// # Errors
/// [`Code::Internal`](crate::Code::Internal) for a matte that does not have its size.
pub(super) fn of(mattes: Vec<Matte>) -> Result<Matte> {
    let mattes = match <[Matte; 1]>::try_from(mattes) {
        Ok([alone]) => return Ok(alone),
        Err(several) => several,
    };
    let (width, height) = mattes.iter().fold((0, 0), |(w, h), matte| (matte.width.max(w), matte.height.max(h)));
    let mut sums = vec![0.0; width as usize * height as usize];
    for matte in &mattes {
        let values = resized_values(&matte.data, (matte.width, matte.height), (width, height))?;
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += log_odds(value));
    }
    let count = mattes.len() as f32;
    let data = sums.into_iter().map(|sum| without_haze(value_of(sum / count))).collect();
    Ok(Matte { width, height, data })
}

fn log_odds(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    ((value + DOUBT) / (1.0 + DOUBT - value)).ln()
}

/// Undoes [`log_odds`].
fn value_of(log_odds: f32) -> f32 {
    (1.0 + 2.0 * DOUBT) / (1.0 + (-log_odds).exp()) - DOUBT
}

fn without_haze(value: f32) -> f32 {
    ((value - HAZE) / (1.0 - 2.0 * HAZE)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matte(width: u32, height: u32, data: &[f32]) -> Matte {
        Matte { width, height, data: data.to_vec() }
    }

    fn mean(mattes: &[Matte]) -> Vec<f32> {
        let mean = of(mattes.to_vec()).expect("there are some");
        mean.data.iter().map(|value| (value * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn looks_that_agree_are_their_mean_and_opposites_cancel_out() {
        let steps = matte(3, 1, &[0.0, 0.32, 1.0]);
        assert_eq!(mean(&[steps.clone(), steps.clone(), steps]), [0.0, 0.3, 1.0]);
        assert_eq!(mean(&[matte(2, 1, &[0.0, 0.2]), matte(2, 1, &[1.0, 0.8])]), [0.5, 0.5]);
    }

    #[test]
    fn who_is_sure_counts_for_more() {
        let [mean] = mean(&[matte(1, 1, &[1.0]), matte(1, 1, &[0.4])])[..] else { panic!("one pixel") };
        assert!(mean > 0.8, "{mean} is nearer to the look that is sure");
    }

    #[test]
    fn the_mean_is_as_wide_as_the_widest_and_as_tall_as_the_tallest() {
        let mean = of(vec![matte(4, 1, &[0.0, 0.0, 1.0, 1.0]), matte(2, 2, &[0.0, 1.0, 0.0, 1.0])]).expect("two");
        assert_eq!((mean.width, mean.height), (4, 2));
        for row in mean.data.chunks(4) {
            assert!(row.is_sorted() && row[0] < 0.01 && row[3] > 0.99, "{row:?}");
        }
    }
}
