//! What is found on a small picture and carried over to the large one.

use std::sync::{Mutex, PoisonError};

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::image::pixels::{Layout, Pixels};
use crate::image::spans::Span;
use crate::image::taps::{Kernel, Taps, taps};

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

/// Rows of one value each, at another size: means of those around, or linear between two.
///
/// # Errors
/// [`Code::Internal`] when they do not have their size, or a size is none.
pub(crate) fn resized_values(values: &[f32], from: (u32, u32), to: (u32, u32)) -> Result<Vec<f32>> {
    const LINEAR: Kernel = Kernel { reach: 1.0, weight: |x| (1.0 - x.abs()).max(0.0) };
    let [from, to] = [from, to].map(|(width, height)| (width as usize, height as usize));
    if values.len() != from.0 * from.1 || values.is_empty() || to.0 * to.1 == 0 {
        return Err(Error::with_message(
            Code::Internal,
            "The values do not have the size to be resized from".to_owned(),
        ));
    }
    if from == to {
        return Ok(values.to_vec());
    }
    let columns = taps(&LINEAR, from.0, to.0);
    let of_row = |row: &[f32], Taps { first, weights }: &Taps| -> f32 {
        row[*first..].iter().zip(weights).map(|(value, weight)| value * weight).sum()
    };
    let mut across = Vec::with_capacity(to.0 * from.1);
    for row in values.chunks(from.0) {
        across.extend(columns.iter().map(|taps| of_row(row, taps)));
    }
    let mut made = vec![0.0; to.0 * to.1];
    for (row, Taps { first, weights }) in made.chunks_mut(to.0).zip(taps(&LINEAR, from.1, to.1)) {
        for (from, weight) in across.chunks(to.0).skip(first).zip(weights) {
            row.iter_mut().zip(from).for_each(|(sum, value)| *sum += value * weight);
        }
    }
    Ok(made)
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn values_are_means_of_those_around_or_linear_between_two() {
        let resized = |values: &[f32], from, to| resized_values(values, from, to).expect("the sizes agree");
        let near = |made: &[f32], right: &[f32]| {
            assert!(
                made.len() == right.len() && made.iter().zip(right).all(|(one, other)| (one - other).abs() < 1e-6),
                "{made:?}"
            );
        };
        let corners = [0.0, 1.0, 2.0, 3.0];
        near(&resized(&corners, (2, 2), (2, 2)), &corners);
        near(&resized(&[0.0, 1.0], (2, 1), (4, 1)), &[0.0, 0.25, 0.75, 1.0]);
        near(&resized(&corners, (2, 2), (1, 1)), &[1.5]);
        // Weights 3, 3 and 1 of 7 at the side; 1, 3, 3 and 1 of 8 within.
        near(&resized(&[0.0, 7.0, 0.0, 7.0, 7.0, 7.0], (1, 6), (1, 3)), &[3.0, 4.375, 7.0]);
        assert!(resized_values(&corners, (3, 2), (1, 1)).is_err());
        assert!(resized_values(&[], (0, 2), (1, 1)).is_err() && resized_values(&corners, (2, 2), (0, 1)).is_err());
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
