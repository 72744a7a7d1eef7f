//! A closer view: of the subject's own box, where that is small enough to be seen larger.

use super::mean::blurred;
use super::odds::{log_odds, value_of};
use crate::error::Result;
use crate::exec::Pool;
use crate::image::pixels::Matte;
use crate::image::small::resized_values;

/// What a matte takes for subject.
const SUBJECT: f32 = 0.5;
/// Around the subject's box, as a part of its sides.
const MARGIN: f64 = 0.15;
/// The largest part of a picture that is worth a closer view: of more the model would see little more.
const MOST: f64 = 0.6;
/// Smaller boxes are specks.
const LEAST: u32 = 16;
/// The finest matte that comes of it, in sides of the first one.
const FINEST: f64 = 2.0;

/// How much the closer view counts, where both see the same there.
const WEIGHT: f32 = 0.7;
/// It counts for half of that where the two are so far apart, and for less with a high power of how far they are: what is
/// subject is told by the view of the whole, the closer one tells where its edge is.
const ASTRAY: f32 = 0.35;
const STEEP: i32 = 8;
/// Towards the box's sides, but for those of the picture, it counts for less, over such a part of the whole.
const FADING: f32 = 1.0 / 50.0;

/// A rectangle: left, top, width, height.
pub(super) type Part = (u32, u32, u32, u32);

/// The box of what is subject in a picture of this size, with a margin. `None` where there is none, or where it is nearly
/// all of the picture, or a few pixels.
pub(super) fn part(matte: &Matte, size: (u32, u32)) -> Option<Part> {
    let rows = || matte.data.chunks(matte.width as usize);
    let is_in = |value: &f32| *value > SUBJECT;
    let columns = rows().filter_map(|row| Some((row.iter().position(is_in)?, row.iter().rposition(is_in)?)));
    let (left, right) = columns.reduce(|all, row| (all.0.min(row.0), all.1.max(row.1)))?;
    let top = rows().position(|row| row.iter().any(is_in))?;
    let bottom = rows().rposition(|row| row.iter().any(is_in))?;
    let (left, width) = span((left, right + 1), matte.width, size.0);
    let (top, height) = span((top, bottom + 1), matte.height, size.1);
    let share = f64::from(width) * f64::from(height) / (f64::from(size.0) * f64::from(size.1));
    (share <= MOST && width.min(height) >= LEAST).then_some((left, top, width, height))
}

/// From where on and how far, in pixels of the picture.
fn span((from, to): (usize, usize), side: u32, of: u32) -> (u32, u32) {
    let scale = f64::from(of) / f64::from(side);
    let margin = (to - from) as f64 * MARGIN;
    let from = ((from as f64 - margin) * scale).floor().max(0.0) as u32;
    let to = (((to as f64 + margin) * scale).ceil() as u32).min(of);
    (from, to - from)
}

/// The first matte and, in the part that it shows, the closer one; as fine as the closer one is.
pub(super) fn merged(first: &Matte, closer: &Matte, part: Part, size: (u32, u32), pool: &Pool) -> Result<Matte> {
    let finer = |own: u32, closer: u32, part: u32, of: u32| {
        let factor = f64::from(closer) / f64::from(part) * f64::from(of) / f64::from(own);
        (f64::from(own) * factor.clamp(1.0, FINEST)).round() as u32
    };
    let width = finer(first.width, closer.width, part.2, size.0);
    let height = finer(first.height, closer.height, part.3, size.1);
    let placed = |at: u32, own: u32, of: u32| (f64::from(at) / f64::from(of) * f64::from(own)).round() as usize;
    let (left, right) = (placed(part.0, width, size.0), placed(part.0 + part.2, width, size.0));
    let (top, bottom) = (placed(part.1, height, size.1), placed(part.1 + part.3, height, size.1));
    let (across, down) = (right - left, bottom - top);
    let mut data = resized_values(&first.data, (first.width, first.height), (width, height))?;
    let closer = resized_values(&closer.data, (closer.width, closer.height), (across as u32, down as u32))?;
    let rows = data.chunks(width as usize).skip(top).take(down);
    let inside: Vec<f32> = rows.flat_map(|row| row[left..right].iter().copied()).collect();
    let mut around = [Vec::new(), Vec::new()];
    let both = [&inside, &closer].into_iter().zip(&mut around);
    pool.for_each(both, |(values, around)| *around = blurred(values, (across, down)));
    let [seen, seen_closer] = around;
    let fade = FADING * width.max(height) as f32;
    let sides = [(left, 0), (width as usize, right), (top, 0), (height as usize, bottom)].map(|(from, to)| from > to);
    let rows = data.chunks_mut(width as usize).skip(top).take(down).enumerate();
    pool.for_each(rows, |(y, row)| {
        for (x, value) in row[left..right].iter_mut().enumerate() {
            let at = y * across + x;
            let from_sides = [x + 1, across - x, y + 1, down - y];
            let nearest = from_sides.iter().zip(sides).filter(|(_, open)| *open).map(|(far, _)| *far).min();
            let faded = nearest.map_or(1.0, |far| (far as f32 / fade).min(1.0));
            let apart = ((seen[at] - seen_closer[at]) / ASTRAY).powi(STEEP);
            let weight = WEIGHT * faded / (1.0 + apart);
            let odds = (1.0 - weight) * log_odds(inside[at]) + weight * log_odds(closer[at]);
            *value = value_of(odds).clamp(0.0, 1.0);
        }
    });
    Ok(Matte { width, height, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matte of a picture as large, with a subject in this box.
    fn matte(side: u32, (left, top, width, height): Part) -> Matte {
        let is_in = |x: u32, y: u32| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        let data = (0..side * side).map(|at| f32::from(u8::from(is_in(at % side, at / side)))).collect();
        Matte { width: side, height: side, data }
    }

    #[test]
    fn a_small_subject_has_a_box_with_a_margin() {
        let part = |of, size| part(&matte(100, of), size);
        assert_eq!(part((40, 20, 20, 40), (1000, 500)), Some((370, 70, 260, 260)));
        assert_eq!(part((0, 0, 20, 40), (100, 100)), Some((0, 0, 23, 46)), "no margin beyond the picture");
        assert_eq!(part((10, 10, 80, 80), (100, 100)), None, "it is seen large enough");
        assert_eq!(part((40, 40, 2, 40), (100, 100)), None, "a few pixels");
        assert_eq!(part((0, 0, 0, 0), (100, 100)), None, "nothing");
    }

    #[test]
    fn the_closer_view_makes_the_edge_and_the_matte_finer() {
        let unsure = matte(100, (40, 40, 20, 20)).data.iter().map(|value| 0.3 + 0.4 * value).collect();
        let first = Matte { data: unsure, ..matte(100, (0, 0, 0, 0)) };
        let sharp = matte(100, (30, 30, 40, 40));
        let merged = merged(&first, &sharp, (25, 25, 50, 50), (100, 100), &Pool::of(2)).expect("they have their sizes");
        assert_eq!((merged.width, merged.height), (200, 200), "what shows half of a side is twice as fine");
        let at = |x: usize, y: usize| merged.data[y * 200 + x];
        assert!((at(10, 10) - 0.3).abs() < 0.01 && (at(48, 100) - 0.3).abs() < 0.01, "around it, it stays");
        assert!(at(100, 100) > 0.85 && at(65, 100) < 0.15, "{} {}", at(100, 100), at(65, 100));
    }

    #[test]
    fn what_the_view_of_the_whole_does_not_know_is_not_found_closer() {
        let first = matte(100, (30, 30, 40, 40));
        let other = matte(100, (0, 0, 100, 100));
        let merged = merged(&first, &other, (25, 25, 50, 50), (100, 100), &Pool::of(2)).expect("they have their sizes");
        let at = |x: usize, y: usize| merged.data[y * 200 + x];
        assert!(at(55, 100) < 0.1 && at(100, 100) > 0.9, "{}", at(55, 100));
    }

    #[test]
    fn a_long_subject_is_finer_along_its_short_side_alone() {
        let (first, closer) = (matte(64, (28, 0, 8, 64)), matte(64, (8, 0, 48, 64)));
        let merged =
            merged(&first, &closer, (40, 0, 20, 100), (100, 100), &Pool::of(2)).expect("they have their sizes");
        assert_eq!((merged.width, merged.height), (128, 64));
        assert_eq!(merged.data.len(), 128 * 64);
    }
}
