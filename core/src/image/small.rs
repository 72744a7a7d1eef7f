//! What is found on a small picture and carried over to the large one.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use fast_image_resize::images::{TypedImage, TypedImageRef};
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
    let mut made = resized_all(&[(FilterType::Bilinear, picture, size)], pool)?;
    made.pop().ok_or_else(|| Error::new(Code::Internal))
}

/// A picture at another size, channel by channel, by a filter.
pub(crate) type Wanted<'a> = (FilterType, &'a Pixels, (u32, u32));

/// Pictures at other sizes.
pub(crate) fn resized_all(wanted: &[Wanted<'_>], pool: &Pool) -> Result<Vec<Pixels>> {
    let is_other = |(_, picture, size): &Wanted<'_>| *size != (picture.width(), picture.height());
    let room = |wanted: &Wanted<'_>| {
        let (_, picture, size) = wanted;
        if is_other(wanted) { Pixels::filled(size.0, size.1, picture.layout(), 0) } else { (*picture).clone() }
    };
    let mut made: Vec<Pixels> = wanted.iter().map(room).collect();
    let mut strips = Vec::new();
    for (small, wanted) in made.iter_mut().zip(wanted).filter(|(_, wanted)| is_other(wanted)) {
        let rows = STRIP * small.width() as usize * small.layout().bytes();
        strips.extend(small.data_mut().chunks_mut(rows).enumerate().map(|(strip, rows)| (wanted, strip * STRIP, rows)));
    }
    let failed = Mutex::new(None);
    pool.for_each(strips.into_iter(), |(wanted, top, rows)| {
        let done = match wanted.1.layout() {
            Layout::Gray8 => resize_strip::<U8>(wanted, top, rows),
            Layout::Rgb8 => resize_strip::<U8x3>(wanted, top, rows),
            Layout::Rgba8 => resize_strip::<U8x4>(wanted, top, rows),
        };
        if let Err(error) = done {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(made), Err)
}

/// Makes rows of what is wanted, from `top` on.
fn resize_strip<P: PixelTrait>(&(filter, picture, size): &Wanted<'_>, top: usize, rows: &mut [u8]) -> Result<()> {
    let height = (rows.len() / (size.0 as usize * picture.layout().bytes())) as u32;
    let source = TypedImageRef::<P>::from_buffer(picture.width(), picture.height(), picture.data());
    let mut target = TypedImage::<P>::from_buffer(size.0, height, rows).map_err(internal)?;
    // The filter sees what is above and below the crop too.
    let (all, top) = (f64::from(picture.height()), top as f64);
    let down = all / f64::from(size.1);
    // Rounding must not take it beyond the picture.
    let crop = (top * down, (f64::from(height) * down).min(all - top * down) * (1.0 - f64::EPSILON));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    let options = options.crop(0.0, crop.0, picture.width().into(), crop.1);
    Resizer::new().resize_typed(&source.map_err(internal)?, &mut target, &options).map_err(internal)
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
    /// Those along row `y`. The row between two rows of the grid goes into `room`, each of its values with what the next
    /// one has more.
    pub(crate) fn row<'a>(&'a self, y: usize, room: &'a mut Vec<Step<N>>) -> impl Fn(usize) -> [f32; N] + use<'a, N> {
        let Grid { width, values, .. } = self.grid;
        let ((above, below), down) = self.rows(y);
        let [above, below] = [above, below].map(|y| &values[y * width..][..*width]);
        room.clear();
        room.extend(above.iter().zip(below).map(|(above, below)| [mixed(*above, *below, down), [0.0; N]]));
        // Beside the last there is nothing more.
        for at in 1..room.len() {
            room[at - 1][1] = std::array::from_fn(|value| room[at][0][value] - room[at - 1][0][value]);
        }
        let (room, columns): (&[Step<N>], &[(usize, f32)]) = (room, &self.columns);
        move |x| {
            let (left, across) = columns[x];
            let [value, more] = room[left];
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

/// Joins to each value those that are within `reach` of it, across and then down: those of a square around it.
pub(crate) fn joined_around<T: Copy>(
    values: &[T],
    (width, height): (usize, usize),
    reach: usize,
    join: impl Fn(&mut T, T),
) -> Vec<T> {
    let join_all = |to: &mut [T], from: &[T]| to.iter_mut().zip(from).for_each(|(to, from)| join(to, *from));
    let mut across = values.to_vec();
    for (to, from) in across.chunks_mut(width).zip(values.chunks(width)) {
        for by in 1..=reach.min(width - 1) {
            join_all(&mut to[by..], from);
            join_all(to, &from[by..]);
        }
    }
    let mut all = across.clone();
    for by in 1..=reach.min(height - 1) {
        join_all(&mut all[by * width..], &across);
        join_all(&mut all, &across[by * width..]);
    }
    all
}

/// Whether something is set in the square around each.
pub(crate) fn dilated(set: &[bool], size: (usize, usize), reach: usize) -> Vec<bool> {
    joined_around(set, size, reach, |one, other| *one |= other)
}

/// From one to before the other.
pub(crate) type Span = Range<usize>;

/// Wider by `reach` on both sides, within the picture.
pub(crate) fn wider(span: &Span, reach: usize, side: usize) -> Span {
    span.start.saturating_sub(reach)..(span.end + reach).min(side)
}

/// The sums over the windows around each pixel of a region, row after row. A window ends
/// where the picture does. `from` is as wide as the windows reach.
#[inline(always)]
pub(crate) fn windowed<const N: usize>(
    (from, width, to): (&Span, usize, &Span),
    (height, rows): (usize, &Span),
    reach: usize,
    value: impl Fn(usize, usize) -> [f32; N],
    mut take: impl FnMut(usize, usize, [f32; N]),
) {
    let mut columns = vec![[0.0; N]; from.len()];
    let change = |columns: &mut [[f32; N]], y: usize, sign: f32| {
        columns.iter_mut().zip(from.clone()).for_each(|(column, x)| add(column, value(x, y), sign));
    };
    for y in rows.start.saturating_sub(reach)..(rows.start + reach).min(height) {
        change(&mut columns, y, 1.0);
    }
    for y in rows.clone() {
        if y + reach < height {
            change(&mut columns, y + reach, 1.0);
        }
        if y > rows.start && y > reach {
            change(&mut columns, y - reach - 1, -1.0);
        }
        let mut sum = [0.0; N];
        for x in to.start.saturating_sub(reach)..(to.start + reach).min(width) {
            add(&mut sum, columns[x - from.start], 1.0);
        }
        for x in to.clone() {
            if x + reach < width {
                add(&mut sum, columns[x + reach - from.start], 1.0);
            }
            take(x, y, sum);
            if x >= reach {
                add(&mut sum, columns[x - reach - from.start], -1.0);
            }
        }
    }
}

#[inline(always)]
fn add<const N: usize>(sum: &mut [f32; N], values: [f32; N], sign: f32) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += sign * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_grows_by_a_square() {
        let (width, height) = (7, 5);
        for reach in [0, 1, 2, 9] {
            for set in 0..width * height {
                let values: Vec<bool> = (0..width * height).map(|at| at == set).collect();
                let far = |at: usize| (at % width).abs_diff(set % width).max((at / width).abs_diff(set / width));
                let right: Vec<bool> = (0..width * height).map(|at| far(at) <= reach).collect();
                assert_eq!(dilated(&values, (width, height), reach), right, "{set}, by {reach}");
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
