//! Numbers of a region in planes, and sums over windows of them, many at a time.

use std::ops::{Add, Div, Mul, Sub};

use crate::image::small::Span;

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

    /// The sums over windows that reach so far, in a smaller region of a picture that is so high. Windows end where the
    /// picture does; else this region is as much larger as they reach.
    #[inline(always)]
    pub(super) fn windows(&self, region: &(Span, Span), reach: usize, height: usize) -> Self {
        let mut made = Self::new(self.count, region.clone());
        // What is beyond the picture's sides counts nothing.
        let beside = reach - (made.x.start - self.x.start);
        let padded = made.stride() + 2 * reach;
        let mut columns = vec![0.0; self.count * padded];
        for y in made.y.start.saturating_sub(reach)..(made.y.start + reach).min(height) {
            self.add_row(y, 1.0, &mut columns, beside);
        }
        for y in region.1.clone() {
            if y + reach < height {
                self.add_row(y + reach, 1.0, &mut columns, beside);
            }
            if y > region.1.start && y > reach {
                self.add_row(y - reach - 1, -1.0, &mut columns, beside);
            }
            for (plane, columns) in columns.chunks_exact(padded).enumerate() {
                let sums = made.plane_mut(y, plane);
                sums.copy_from_slice(&columns[..sums.len()]);
                for by in 1..=2 * reach {
                    sums.iter_mut().zip(&columns[by..]).for_each(|(sum, column)| *sum += column);
                }
            }
        }
        made
    }

    /// Adds a row to the sums of columns, or takes it away; so many of those lie before its first.
    #[inline(always)]
    fn add_row(&self, y: usize, sign: f32, columns: &mut [f32], beside: usize) {
        let padded = columns.len() / self.count;
        for (plane, columns) in columns.chunks_exact_mut(padded).enumerate() {
            let values = &self.plane(y, plane)[..self.x.len()];
            columns[beside..].iter_mut().zip(values).for_each(|(column, value)| *column += sign * value);
        }
    }
}

/// How many of a side's places lie in the window around one.
pub(super) fn counted(at: usize, reach: usize, side: usize) -> f32 {
    ((at + reach + 1).min(side) - at.saturating_sub(reach)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::small::wider;

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
            let sums = all.windows(&region, reach, height);
            for (y, x) in region.1.clone().flat_map(|y| region.0.clone().map(move |x| (y, x))) {
                let near = |at: usize, side: usize| at.saturating_sub(reach)..(at + reach + 1).min(side);
                let of =
                    |plane| near(y, height).flat_map(|y| near(x, width).map(move |x| value(plane, x, y))).sum::<f32>();
                let found: [f32; 2] = [0, 1].map(|plane| sums.plane(y, plane)[x - region.0.start]);
                assert_eq!(found, [0, 1].map(of), "{x} {y} in {region:?}");
                let count = near(y, height).len() as f32 * near(x, width).len() as f32;
                assert_eq!(counted(x, reach, width) * counted(y, reach, height), count);
            }
        }
    }
}
