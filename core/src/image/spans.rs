//! Spans of rows, and what is set, summed up or the mean around each pixel.

use std::ops::{AddAssign, Range, SubAssign};

/// From one to before the other.
pub(crate) type Span = Range<usize>;

/// From where the first begins to where the last ends.
pub(crate) fn joined<T: Ord>(one: Range<T>, other: Range<T>) -> Range<T> {
    one.start.min(other.start)..one.end.max(other.end)
}

/// Wider by `reach` on both sides, within the picture.
pub(crate) fn wider(span: &Span, reach: usize, side: usize) -> Span {
    span.start.saturating_sub(reach)..(span.end + reach).min(side)
}

/// The spans of a row that are set, those closer than `gap` as one.
pub(crate) fn spans(row: &[bool], gap: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut end = 0;
    for run in row.chunk_by(|one, next| one == next) {
        let start = end;
        end += run.len();
        match spans.last_mut().filter(|span| span.end + gap > start) {
            _ if !run[0] => {}
            Some(span) => span.end = end,
            None => spans.push(start..end),
        }
    }
    spans
}

/// Whether something is set in the square around each that reaches so far.
pub(crate) fn dilated(set: &[bool], (width, height): (usize, usize), reach: usize) -> Vec<bool> {
    let mut all = set.to_vec();
    let add = |all: &mut [bool], by: &[bool]| all.iter_mut().zip(by).for_each(|(all, by)| *all |= by);
    // Along rows, whose pixels are neighbours, then down columns, whose pixels are a row apart.
    for (next, side) in [(1, width), (width, height)] {
        let mut before = 0;
        while before < reach.min(side - 1) {
            // At most one more than before, else a gap would be left at the picture's sides.
            let by = (before + 1).min(reach - before);
            let from = all.clone();
            for (all, from) in all.chunks_mut(next * side).zip(from.chunks(next * side)) {
                add(&mut all[by * next..], from);
                add(all, &from[by * next..]);
            }
            before += by;
        }
    }
    all
}

/// The mean in the square around each that reaches so far and ends where the picture does.
pub(crate) fn means_around(values: &[f32], (width, height): (usize, usize), reach: usize) -> Vec<f32> {
    let mut means = Vec::with_capacity(values.len());
    let value = |x: usize, y: usize| [values[y * width + x], 1.0];
    let whole = 0..width;
    windowed((width, height), (&(0..height), |_| std::slice::from_ref(&whole)), reach, value, |_, _, [sum, count]| {
        means.push(sum / count);
    });
    means
}

/// Sums over the windows around pixels of some rows, of which each has spans that are wanted. A window ends where the picture
/// does.
#[inline(always)]
pub(crate) fn windowed<'a, T: Copy + Default + AddAssign + SubAssign, const N: usize>(
    (width, height): (usize, usize),
    (rows, spans): (&Span, impl Fn(usize) -> &'a [Span]),
    reach: usize,
    value: impl Fn(usize, usize) -> [T; N],
    mut take: impl FnMut(usize, usize, [T; N]),
) {
    // Nothing on both sides, for windows that reach beyond the picture.
    let mut columns = vec![[T::default(); N]; width + 2 * reach];
    let own = reach..reach + width;
    for y in rows.start.saturating_sub(reach)..(rows.start + reach).min(height) {
        columns[own.clone()].iter_mut().enumerate().for_each(|(x, column)| add(column, value(x, y)));
    }
    for y in rows.clone() {
        if y + reach < height {
            columns[own.clone()].iter_mut().enumerate().for_each(|(x, column)| add(column, value(x, y + reach)));
        }
        if y > rows.start && y > reach {
            let gone = y - reach - 1;
            columns[own.clone()].iter_mut().enumerate().for_each(|(x, column)| take_away(column, value(x, gone)));
        }
        for span in spans(y) {
            let mut sum = [T::default(); N];
            columns[span.start..][..2 * reach].iter().for_each(|column| add(&mut sum, *column));
            let ends = columns[span.start..].iter().zip(&columns[span.start + 2 * reach..]);
            for (x, (first, last)) in span.clone().zip(ends) {
                add(&mut sum, *last);
                take(x, y, sum);
                take_away(&mut sum, *first);
            }
        }
    }
}

#[inline(always)]
fn add<T: Copy + AddAssign, const N: usize>(sum: &mut [T; N], values: [T; N]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

#[inline(always)]
fn take_away<T: Copy + SubAssign, const N: usize>(sum: &mut [T; N], values: [T; N]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum -= value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_end_where_the_picture_does() {
        let sizes = [(17, 5), (1, 85), (85, 1), (2, 43)];
        for ((width, height), reach) in
            sizes.into_iter().flat_map(|size| [0, 1, 2, 4, 6, 19].map(|reach| (size, reach)))
        {
            for set in 0..width * height {
                let is_set = |at: usize| at == set || at == 33;
                let values: Vec<bool> = (0..width * height).map(is_set).collect();
                let far = |at: usize, other: usize| {
                    (at % width).abs_diff(other % width).max((at / width).abs_diff(other / width))
                };
                let near = |at: usize| [set, 33].into_iter().filter(move |other| far(at, *other) <= reach);
                let counts: Vec<usize> = (0..width * height)
                    .map(|at| near(at).count() - usize::from(set == 33 && far(at, 33) <= reach))
                    .collect();
                let side = |at: usize, side: usize| (at + reach + 1).min(side) - at.saturating_sub(reach);
                let area = |at: usize| side(at % width, width) * side(at / width, height);
                let right: Vec<f32> =
                    counts.iter().enumerate().map(|(at, count)| *count as f32 / area(at) as f32).collect();
                let ones: Vec<f32> = values.iter().map(|is_set| f32::from(u8::from(*is_set))).collect();
                assert_eq!(means_around(&ones, (width, height), reach), right, "{set}, by {reach}");
                let grown: Vec<bool> = counts.iter().map(|count| *count > 0).collect();
                assert_eq!(dilated(&values, (width, height), reach), grown, "{set}, by {reach}");
            }
        }
    }

    #[test]
    fn what_is_set_in_a_row_is_told_in_spans() {
        let row: Vec<bool> = "..##.#....#...".bytes().map(|one| one == b'#').collect();
        assert_eq!(spans(&row, 1), [2..4, 5..6, 10..11]);
        assert_eq!(spans(&row, 2), [2..6, 10..11]);
        assert_eq!(spans(&row, 4), [2..6, 10..11]);
        assert_eq!(spans(&row, 5), spans(&[&row[..2], &[true; 9], &row[11..]].concat(), 1));
        assert!(spans(&row[..2], 5).is_empty());
    }
}
