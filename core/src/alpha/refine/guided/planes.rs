//! Numbers of a region in planes, and sums over windows of them, many at a time.

use std::ops::{Add, Div, Mul, Sub};

use crate::image::spans::Span;

/// Numbers that are worked on side by side.
pub(super) const LANES: usize = 8;

/// So many numbers.
#[derive(Clone, Copy)]
pub(super) struct Lanes([f32; LANES]);

impl Lanes {
    #[inline(always)]
    pub(super) fn of(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    pub(super) fn first_of(values: &[f32]) -> Self {
        let values = &values[..LANES];
        Self(std::array::from_fn(|at| values[at]))
    }

    #[inline(always)]
    pub(super) fn put(self, values: &mut [f32]) {
        values[..LANES].copy_from_slice(&self.0);
    }

    #[inline(always)]
    pub(super) fn at_least(self, least: f32) -> Self {
        Self(self.0.map(|value| value.max(least)))
    }
}

macro_rules! operators {
    ($($name:ident $function:ident $operator:tt),*) => {
        $(impl $name for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self(std::array::from_fn(|at| self.0[at] $operator other.0[at]))
            }
        })*
    };
}

operators! { Add add +, Sub sub -, Mul mul *, Div div / }

/// Planes of numbers over a region of columns and rows: row after row, of each the planes one after the other, each
/// as long as whole lanes.
pub(super) struct Planes {
    x: Span,
    y: Span,
    count: usize,
    values: Vec<f32>,
}

impl Planes {
    pub(super) fn new(count: usize, (x, y): (Span, Span)) -> Self {
        let values = vec![0.0; y.len() * count * x.len().next_multiple_of(LANES)];
        Self { x, y, count, values }
    }

    /// How long a row of a plane is, in whole lanes.
    pub(super) fn stride(&self) -> usize {
        self.x.len().next_multiple_of(LANES)
    }

    fn start(&self, y: usize, plane: usize) -> usize {
        ((y - self.y.start) * self.count + plane) * self.stride()
    }

    #[inline(always)]
    pub(super) fn plane(&self, y: usize, plane: usize) -> &[f32] {
        &self.values[self.start(y, plane)..][..self.stride()]
    }

    #[inline(always)]
    pub(super) fn plane_mut(&mut self, y: usize, plane: usize) -> &mut [f32] {
        let (start, stride) = (self.start(y, plane), self.stride());
        &mut self.values[start..start + stride]
    }

    /// Makes the sums over windows that reach so far, row by row of a smaller region of a picture that is so high. Windows
    /// end where the picture does; else this region is as much larger as they reach.
    #[inline(always)]
    pub(super) fn windows(
        &self,
        (x, y): &(Span, Span),
        reach: usize,
        height: usize,
        mut take: impl FnMut(usize, Row<'_>),
    ) {
        // What is beyond the picture's sides counts nothing.
        let beside = reach - (x.start - self.x.start);
        let stride = x.len().next_multiple_of(LANES);
        let padded = stride + 2 * reach;
        let mut columns = vec![0.0; self.count * padded];
        let mut sums = vec![0.0; self.count * stride];
        for y in y.start.saturating_sub(reach)..(y.start + reach).min(height) {
            self.change(&mut columns[beside..], padded, y, |column, value| *column += value);
        }
        for row in y.clone() {
            if row + reach < height {
                self.change(&mut columns[beside..], padded, row + reach, |column, value| *column += value);
            }
            if row > y.start && row > reach {
                self.change(&mut columns[beside..], padded, row - reach - 1, |column, value| *column -= value);
            }
            for (sums, columns) in sums.chunks_exact_mut(stride).zip(columns.chunks_exact(padded)) {
                for (at, sums) in sums.chunks_exact_mut(LANES).enumerate() {
                    let near = |by: usize| Lanes::first_of(&columns[at * LANES + by..]);
                    (1..=2 * reach).fold(near(0), |sum, by| sum + near(by)).put(sums);
                }
            }
            take(row, Row { values: &sums, stride });
        }
    }

    /// Changes the sums of columns, whose planes begin so far apart, by the values of a row.
    #[inline(always)]
    fn change(&self, columns: &mut [f32], padded: usize, y: usize, change: impl Fn(&mut f32, f32)) {
        for (plane, columns) in columns.chunks_mut(padded).enumerate() {
            let values = &self.plane(y, plane)[..self.x.len()];
            columns.iter_mut().zip(values).for_each(|(column, value)| change(column, *value));
        }
    }
}

/// Numbers of a row in planes, each as long as whole lanes.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Row<'a> {
    #[inline(always)]
    pub(super) fn plane(self, plane: usize) -> &'a [f32] {
        &self.values[plane * self.stride..][..self.stride]
    }
}

/// How many of a side's places lie in the window around one.
pub(super) fn counted(at: usize, reach: usize, side: usize) -> f32 {
    ((at + reach + 1).min(side) - at.saturating_sub(reach)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::spans::wider;

    #[test]
    fn windows_end_where_the_picture_does() {
        let (width, height, reach) = (21, 9, 2);
        let value = |plane: usize, x: usize, y: usize| (x * x + 3 * y + plane) as f32;
        for region in [(0..width, 0..height), (0..3, 2..9), (5..21, 0..1), (7..12, 4..7)] {
            let mut all = Planes::new(2, (wider(&region.0, reach, width), wider(&region.1, reach, height)));
            for (y, plane) in all.y.clone().flat_map(|y| [(y, 0), (y, 1)]) {
                let x = all.x.clone();
                x.zip(all.plane_mut(y, plane)).for_each(|(x, at)| *at = value(plane, x, y));
            }
            let mut seen = Vec::new();
            all.windows(&region, reach, height, |y, sums| {
                seen.push(y);
                for x in region.0.clone() {
                    let near = |at: usize, side: usize| at.saturating_sub(reach)..(at + reach + 1).min(side);
                    let of = |plane| {
                        near(y, height).flat_map(|y| near(x, width).map(move |x| value(plane, x, y))).sum::<f32>()
                    };
                    let found: [f32; 2] = [0, 1].map(|plane| sums.plane(plane)[x - region.0.start]);
                    assert_eq!(found, [0, 1].map(of), "{x} {y} in {region:?}");
                    let count = near(y, height).len() as f32 * near(x, width).len() as f32;
                    assert_eq!(counted(x, reach, width) * counted(y, reach, height), count);
                }
            });
            assert_eq!(seen, region.1.collect::<Vec<_>>());
        }
    }
}
