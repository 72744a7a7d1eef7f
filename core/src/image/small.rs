//! What is found on a small picture and carried over to the large one.

use std::ops::{AddAssign, Range, SubAssign};
use std::sync::{Mutex, PoisonError};

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::image::pixels::{Layout, Pixels};

/// Rows of a resized picture that one thread makes at once.
const STRIP: usize = 64;
/// Rows of a large picture that one thread makes at once.
pub(crate) const ROWS: usize = 16;

/// The size at which the longer side is `side`.
pub(crate) fn size_at(picture: &Pixels, side: f64) -> (u32, u32) {
    let longer = f64::from(picture.width().max(picture.height()));
    let part = |length: u32| (f64::from(length) * side / longer).round().max(1.0) as u32;
    (part(picture.width()), part(picture.height()))
}

/// The picture at another size, channel by channel, its pixels means of those around or linear between two.
pub(crate) fn resized(picture: &Pixels, size: (u32, u32), pool: &Pool) -> Result<Pixels> {
    resized_one(Wanted::whole(picture, size), pool)
}

/// A picture at another size, channel by channel, by a filter. Of what is made, only these columns and rows are
/// wanted; the others may stay 0.
pub(crate) struct Wanted<'a> {
    pub(crate) filter: FilterType,
    pub(crate) picture: &'a Pixels,
    pub(crate) size: (u32, u32),
    pub(crate) part: (Span, Span),
}

impl<'a> Wanted<'a> {
    fn whole(picture: &'a Pixels, size: (u32, u32)) -> Self {
        Self { filter: FilterType::Bilinear, picture, size, part: (0..size.0 as usize, 0..size.1 as usize) }
    }

    fn is_other(&self) -> bool {
        self.size != (self.picture.width(), self.picture.height())
    }

    fn room(&self) -> Pixels {
        if self.is_other() {
            Pixels::filled(self.size.0, self.size.1, self.picture.layout(), 0)
        } else {
            self.picture.clone()
        }
    }

    /// Makes the wanted columns of rows, from `top` on.
    fn strip<P: PixelTrait>(&self, top: usize, rows: &mut [u8]) -> Result<()> {
        let (picture, (width, _), columns) = (self.picture, self.size, &self.part.0);
        let height = (rows.len() / (width as usize * picture.layout().bytes())) as u32;
        let source = TypedImageRef::<P>::from_buffer(picture.width(), picture.height(), picture.data());
        let rows = TypedImage::<P>::from_buffer(width, height, rows).map_err(internal)?;
        let target = TypedCroppedImageMut::new(rows, columns.start as u32, 0, columns.len() as u32, height);
        // The filter sees what is beside the crop too.
        let across = taken((columns.start, columns.len()), width, picture.width());
        let down = taken((top, height as usize), self.size.1, picture.height());
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(self.filter)).use_alpha(false);
        let options = options.crop(across.0, down.0, across.1, down.1);
        let (source, mut target) = (source.map_err(internal)?, target.map_err(internal)?);
        Resizer::new().resize_typed(&source, &mut target, &options).map_err(internal)
    }
}

/// Where pixels of a made picture's side, of which there are so many from one on, begin in the picture it is made of,
/// and how long they are there.
fn taken((start, count): (usize, usize), made: u32, side: u32) -> (f64, f64) {
    let (start, count, side) = (start as f64, count as f64, f64::from(side));
    let ratio = side / f64::from(made);
    // Rounding must not take it beyond the picture.
    (start * ratio, (count * ratio).min(side - start * ratio) * (1.0 - f64::EPSILON))
}

/// One picture at another size.
pub(crate) fn resized_one(wanted: Wanted<'_>, pool: &Pool) -> Result<Pixels> {
    resized_all(&[wanted], pool)?.pop().ok_or_else(|| Error::new(Code::Internal))
}

/// Pictures at other sizes.
pub(crate) fn resized_all(wanted: &[Wanted<'_>], pool: &Pool) -> Result<Vec<Pixels>> {
    let mut made: Vec<Pixels> = wanted.iter().map(Wanted::room).collect();
    let mut strips = Vec::new();
    for (small, wanted) in made.iter_mut().zip(wanted).filter(|(_, wanted)| wanted.is_other()) {
        let stride = small.width() as usize * small.layout().bytes();
        let Span { start, end } = wanted.part.1;
        let rows = small.data_mut()[start * stride..end * stride].chunks_mut(STRIP * stride);
        strips.extend(rows.enumerate().map(|(strip, rows)| (wanted, start + strip * STRIP, rows)));
    }
    let failed = Mutex::new(None);
    pool.for_each(strips.into_iter(), |(wanted, top, rows)| {
        let done = match wanted.picture.layout() {
            Layout::Gray8 => wanted.strip::<U8>(top, rows),
            Layout::Rgb8 => wanted.strip::<U8x3>(top, rows),
            Layout::Rgba8 => wanted.strip::<U8x4>(top, rows),
        };
        if let Err(error) = done {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(made), Err)
}

/// Rows of one value each, at another size.
///
/// # Errors
/// [`Code::Internal`] when they do not have their size.
pub(crate) fn resized_values(values: &[f32], from: (u32, u32), to: (u32, u32)) -> Result<Vec<f32>> {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let values: Vec<F32> = values.iter().copied().map(F32::new).collect();
    let source = TypedImageRef::new(from.0, from.1, &values).map_err(internal)?;
    let mut target = TypedImage::new(to.0, to.1);
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(internal)?;
    Ok(target.pixels().iter().map(|value| value.0).collect())
}

fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal).because(source)
}

/// Values at every pixel of a small picture, row after row.
pub(crate) struct Grid<const N: usize> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<[f32; N]>,
}

impl<const N: usize> Grid<N> {
    /// The values at the pixels of a larger picture of this size.
    pub(crate) fn enlarged(&self, (width, height): (usize, usize)) -> Enlarged<'_, N> {
        let columns = (0..width).map(|x| between(x, self.width as f32 / width as f32, self.width)).collect();
        Enlarged { grid: self, height, columns }
    }
}

/// Values, and how much more the next ones are.
pub(crate) type Step<const N: usize> = [[f32; N]; 2];

/// A grid's values at the pixels of a larger picture, linear between its own.
pub(crate) struct Enlarged<'a, const N: usize> {
    grid: &'a Grid<N>,
    height: usize,
    columns: Vec<(usize, f32)>,
}

impl<const N: usize> Enlarged<'_, N> {
    /// Those in some columns of row `y`. The row between two rows of the grid goes into `room`, each of its values with
    /// what the next one has more.
    pub(crate) fn row<'a>(
        &'a self,
        y: usize,
        columns: &Span,
        room: &'a mut Vec<Step<N>>,
    ) -> impl Fn(usize) -> [f32; N] + use<'a, N> {
        let Grid { width, values, .. } = self.grid;
        let ((above, below), down) = self.rows(y);
        let [first, last] = [columns.start, columns.end - 1].map(|column| self.columns[column].0);
        let near = first..(last + 2).min(*width);
        let [above, below] = [above, below].map(|y| &values[y * width..][near.clone()]);
        room.clear();
        room.extend(above.iter().zip(below).map(|(above, below)| [mixed(*above, *below, down), [0.0; N]]));
        // Beside the last there is nothing more.
        for at in 1..room.len() {
            room[at - 1][1] = std::array::from_fn(|value| room[at][0][value] - room[at - 1][0][value]);
        }
        let (room, columns): (&[Step<N>], &[(usize, f32)]) = (room, &self.columns);
        move |x| {
            let (left, across) = columns[x];
            let [value, more] = room[left - first];
            std::array::from_fn(|at| value[at] + more[at] * across)
        }
    }

    /// The rows of the grid between which row `y` lies, and how near it is to the second.
    pub(crate) fn rows(&self, y: usize) -> ((usize, usize), f32) {
        let height = self.grid.height;
        let (above, down) = between(y, height as f32 / self.height as f32, height);
        ((above, (above + 1).min(height - 1)), down)
    }

    /// The columns that lie beside some of the grid's.
    pub(crate) fn columns(&self, of_grid: &Span) -> Span {
        let before = |column: usize| self.columns.partition_point(|(left, _)| *left < column);
        before(of_grid.start.saturating_sub(1))..before(of_grid.end)
    }
}

/// The pixel of a small picture's side behind which one of the large picture
/// lies, and how near it is to the next. `ratio`: the small side to the large one.
fn between(at: usize, ratio: f32, side: usize) -> (usize, f32) {
    let place = ((at as f32 + 0.5) * ratio - 0.5).clamp(0.0, (side - 1) as f32);
    (place as usize, place.fract())
}

fn mixed<const N: usize>(one: [f32; N], other: [f32; N], part: f32) -> [f32; N] {
    std::array::from_fn(|at| one[at] + (other[at] - one[at]) * part)
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

/// How many are set in the square around each that reaches so far and ends where the picture does.
pub(crate) fn counts_around(set: &[bool], (width, height): (usize, usize), reach: usize) -> Vec<u32> {
    let row = |y: usize| set[y * width..][..width].iter().map(|set| u32::from(*set));
    // Zeros on both sides, for windows that reach beyond the picture.
    let mut columns = vec![0; width + 2 * reach + 1];
    let own = reach + 1..reach + 1 + width;
    for y in 0..reach.min(height) {
        columns[own.clone()].iter_mut().zip(row(y)).for_each(|(column, set)| *column += set);
    }
    let mut counts = vec![0; set.len()];
    for (y, counts) in counts.chunks_mut(width).enumerate() {
        if y + reach < height {
            columns[own.clone()].iter_mut().zip(row(y + reach)).for_each(|(column, set)| *column += set);
        }
        if y > reach {
            columns[own.clone()].iter_mut().zip(row(y - reach - 1)).for_each(|(column, set)| *column -= set);
        }
        if columns.iter().any(|column| *column > 0) {
            let mut sum: u32 = columns[..2 * reach + 1].iter().sum();
            for ((count, before), next) in counts.iter_mut().zip(&columns).zip(&columns[2 * reach + 1..]) {
                sum = sum + next - before;
                *count = sum;
            }
        }
    }
    counts
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_counted_in_squares_that_end_where_the_picture_does() {
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
                let right: Vec<u32> = (0..width * height)
                    .map(|at| near(at).count() as u32 - u32::from(set == 33 && far(at, 33) <= reach))
                    .collect();
                assert_eq!(counts_around(&values, (width, height), reach), right, "{set}, by {reach}");
                let grown: Vec<bool> = right.iter().map(|count| *count > 0).collect();
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

    #[test]
    fn a_part_of_a_resized_picture_is_that_of_the_whole() {
        let noise = (0..211 * 150 * 3_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let picture = Pixels::known(211, 150, Layout::Rgb8, noise);
        for size in [(100, 91), (400, 301)] {
            for part in [(0..17, 3..9), (33..100, 70..91), (5..6, 0..91)] {
                let wanted = Wanted { part: part.clone(), ..Wanted::whole(&picture, size) };
                let made =
                    resized_all(&[wanted, Wanted::whole(&picture, size)], &Pool::of(2)).expect("the sizes agree");
                let row = |of: usize, y: usize| {
                    &made[of].data()[(y * size.0 as usize + part.0.start) * 3..][..part.0.len() * 3]
                };
                for y in part.1.clone() {
                    let both = row(0, y).iter().zip(row(1, y));
                    assert!(both.clone().all(|(one, other)| one.abs_diff(*other) < 2), "{part:?} of {size:?}, row {y}");
                }
            }
        }
    }

    #[test]
    fn a_picture_made_smaller_in_strips_is_the_same_on_more_threads_and_has_no_seam() {
        let ramp = (0..400 * 300_u32).map(|at| (at / 400 * 255 / 299) as u8).collect();
        let picture = Pixels::known(400, 300, Layout::Gray8, ramp);
        for size in [(100, 170), (400, 300), (13, 299), (450, 777)] {
            let small = resized(&picture, size, &Pool::of(1)).expect("the sizes agree");
            assert_eq!(resized(&picture, size, &Pool::of(3)).expect("the sizes agree"), small);
            let column: Vec<u8> = small.data().iter().step_by(size.0 as usize).copied().collect();
            assert!(column.is_sorted() && column[0] < 3 && column[column.len() - 1] > 252, "{column:?}");
            let step = (2 * 255 / size.1 + 2) as u8;
            assert!(column.windows(2).all(|pair| pair[1] - pair[0] <= step), "{column:?}");
        }
    }
}
