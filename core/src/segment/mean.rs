//! Several mattes of one picture made into one.

use std::borrow::Cow;
use std::ops::Range;

use remrembg_native::widened;

use super::odds::{log_odds, value_of};
use crate::error::Result;
use crate::exec::Pool;
use crate::image::pixels::Matte;
use crate::image::small::{ROWS, resized_values};
use crate::image::spans::means_around;

/// How far around a place it counts what a view makes of it, as a part of the longer side.
const AROUND: f32 = 1.0 / 40.0;
/// A view that is so far from what most views make of a place counts for half there, and
/// for less with a high power of how far it is.
const ASTRAY: f32 = 0.7;
const STEEP: i32 = 8;
/// How often the first view counts.
const FIRST: f32 = 2.0;

/// The mean of their log odds, as large as the widest and the tallest; the first counts for two. A view that is
/// sure counts for more than one that is not: edges stay as sharp as the sharpest view's.
/// Where a view finds something or misses it against most others, it hardly counts, so that nothing is half there.
///
/// # Errors
/// [`Code::Internal`](crate::Code::Internal) for a matte that does not have its size.
pub(super) fn of(mattes: &[Matte], pool: &Pool) -> Result<Matte> {
    if let [alone] = mattes {
        return Ok(alone.clone());
    }
    let (width, height) = mattes.iter().fold((0, 0), |(w, h), matte| (matte.width.max(w), matte.height.max(h)));
    let at_size = |matte: &Matte| resized_values(&matte.data, (matte.width, matte.height), (width, height));
    let views = mattes.iter().map(at_size).collect::<Result<Vec<_>>>()?;
    let size = (width as usize, height as usize);
    let mut coarse: Vec<_> = views.iter().map(|_| Vec::new()).collect();
    pool.for_each(views.iter().zip(&mut coarse), |(view, coarse)| *coarse = blurred(view, size));
    let mut data = vec![0.0; size.0 * size.1];
    let rows = ROWS * size.0;
    pool.for_each(data.chunks_mut(rows).enumerate(), |(chunk, means)| {
        let part = chunk * rows..chunk * rows + means.len();
        widened!(add_up(means, part, &views, &coarse));
    });
    Ok(Matte { width, height, data })
}

/// Turns zeros into the means of a part of what views make of the picture; `coarse` is what they make of what is around.
#[inline(always)]
fn add_up(means: &mut [f32], part: Range<usize>, views: &[Vec<f32>], coarse: &[Vec<f32>]) {
    let most = most(part.clone(), coarse);
    let mut weights = vec![0.0; means.len()];
    for (number, (view, coarse)) in views.iter().zip(coarse).enumerate() {
        let count = if number == 0 { FIRST } else { 1.0 };
        let seen = view[part.clone()].iter().zip(&coarse[part.clone()]).zip(&*most);
        for ((mean, weights), ((value, around), most)) in means.iter_mut().zip(&mut weights).zip(seen) {
            let weight = count / (1.0 + ((around - most) / ASTRAY).powi(STEEP));
            *mean += weight * log_odds(*value);
            *weights += weight;
        }
    }
    means.iter_mut().zip(weights).for_each(|(mean, weights)| *mean = value_of(*mean / weights).clamp(0.0, 1.0));
}

/// What most views make of what is around each place: the first, of up to three.
#[inline(always)]
fn most(part: Range<usize>, coarse: &[Vec<f32>]) -> Cow<'_, [f32]> {
    if coarse.len() <= 3 {
        return Cow::Borrowed(&coarse[0][part]);
    }
    let mut room = Vec::with_capacity(coarse.len() + 2);
    let at = |at: usize| {
        room.clear();
        room.extend(coarse.iter().map(|view| view[at]));
        median(&mut room)
    };
    part.map(at).collect()
}

/// The mean around each place.
pub(super) fn blurred(values: &[f32], (width, height): (usize, usize)) -> Vec<f32> {
    means_around(values, (width, height), (width.max(height) as f32 * AROUND) as usize)
}

/// The middle one, where the first counts twice; of an even number, once more.
fn median(values: &mut Vec<f32>) -> f32 {
    let more = if values.len().is_multiple_of(2) { 1 } else { 2 };
    values.extend(std::iter::repeat_n(values[0], more));
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matte(width: u32, height: u32, data: &[f32]) -> Matte {
        Matte { width, height, data: data.to_vec() }
    }

    fn mean(mattes: &[Matte]) -> Vec<f32> {
        let mean = of(mattes, &Pool::of(2)).expect("there are some");
        mean.data.iter().map(|value| (value * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn views_that_agree_are_their_mean() {
        let steps = matte(3, 1, &[0.0, 0.32, 1.0]);
        assert_eq!(mean(&[steps.clone(), steps.clone(), steps]), [0.0, 0.32, 1.0]);
        assert_eq!(mean(&[matte(2, 1, &[0.0, 0.3]), matte(2, 1, &[0.1, 0.3])]), [0.017, 0.3]);
    }

    #[test]
    fn the_first_of_three_views_or_most_of_more_tell_what_is_subject() {
        let [there, not] = [1.0, 0.0].map(|value| matte(1, 1, &[value]));
        let of = |views: &[&Matte]| mean(&views.iter().copied().cloned().collect::<Vec<_>>())[0];
        assert!(of(&[&there, &not]) > 0.95 && of(&[&not, &there]) < 0.05, "the first, of two");
        assert!(of(&[&not, &there, &there]) < 0.05, "the first, of three");
        assert!(of(&[&there, &there, &not, &not]) > 0.95, "the side of the first, of four");
        assert!(of(&[&there, &not, &not, &not]) < 0.05, "most, of four");
    }

    #[test]
    fn an_edge_that_views_put_at_other_places_is_soft_between_them() {
        let edge = |at: usize| matte(320, 1, &(0..320).map(|x| f32::from(u8::from(x >= at))).collect::<Vec<_>>());
        let mean = mean(&[edge(100), edge(104)]);
        assert!(mean[..100].iter().all(|value| *value < 0.01) && mean[104..].iter().all(|value| *value > 0.99));
        assert!(mean[100..104].iter().all(|value| (0.6..0.95).contains(value)), "as the first: {:?}", &mean[100..104]);
    }

    #[test]
    fn who_is_sure_counts_for_more() {
        let [mean] = mean(&[matte(1, 1, &[1.0]), matte(1, 1, &[0.4])])[..] else { panic!("one pixel") };
        assert!(mean > 0.8, "{mean} is nearer to the view that is sure");
    }

    #[test]
    fn the_mean_is_as_wide_as_the_widest_and_as_tall_as_the_tallest() {
        let mean =
            of(&[matte(4, 1, &[0.0, 0.0, 1.0, 1.0]), matte(2, 2, &[0.0, 1.0, 0.0, 1.0])], &Pool::of(1)).expect("two");
        assert_eq!((mean.width, mean.height), (4, 2));
        for row in mean.data.chunks(4) {
            assert!(row.is_sorted() && row[0] < 0.01 && row[3] > 0.99, "{row:?}");
        }
    }
}
