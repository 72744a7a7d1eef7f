//! What fits alpha to colours best, in windows of a small picture.

use super::color;
use crate::image::pixels::Pixels;
use crate::image::small::{Span, wider, windowed};

/// How little a window's colours may vary before their noise counts for nothing.
const EPSILON: f32 = 1e-4;
/// The α of a colour: red, green and blue times the first three, plus the last.
pub(super) type Line = [f32; 4];

/// What is summed over a window: colours, alpha, their products, the colours'
/// products, and 1 for each pixel.
type Sums = [f32; 16];

/// Pixels on each side of a cell. What fits changes slowly, so one line for each is enough.
pub(super) const CELL: usize = 2;

/// Finds lines in windows of a small picture, whose sides are so many whole cells.
pub(super) struct Windows<'a> {
    pub(super) small: &'a Pixels,
    pub(super) alpha: &'a [f32],
    pub(super) width: usize,
    pub(super) height: usize,
    /// Windows reach so many cells to each side.
    pub(super) reach: usize,
}

impl Windows<'_> {
    /// Fills these columns in `rows`, which are whole rows of cells from `top` on.
    pub(super) fn fit(&self, x: Span, top: usize, rows: &mut [Line]) {
        let y = top..top + rows.len() / self.width;
        let (near_x, near_y) = (wider(&x, self.reach, self.width), wider(&y, self.reach, self.height));
        let (far_x, far_y) = (wider(&near_x, self.reach, self.width), wider(&near_y, self.reach, self.height));
        let cells: Vec<Sums> = far_y.clone().flat_map(|y| far_x.clone().map(move |x| self.cell(x, y))).collect();
        let mut lines = Vec::with_capacity(near_x.len() * near_y.len());
        windowed(
            (&far_x, self.width, &near_x),
            (self.height, &near_y),
            self.reach,
            |x, y| cells[(y - far_y.start) * far_x.len() + x - far_x.start],
            |_, _, sums| lines.push(line(&sums)),
        );
        windowed(
            (&near_x, self.width, &x),
            (self.height, &y),
            self.reach,
            |x, y| {
                let [r, g, b, rest] = lines[(y - near_y.start) * near_x.len() + x - near_x.start];
                [r, g, b, rest, 1.0]
            },
            |x, y, [r, g, b, rest, count]| {
                rows[(y - top) * self.width + x] = [r, g, b, rest].map(|sum| sum / count);
            },
        );
    }

    /// The sums over the pixels of a cell.
    fn cell(&self, x: usize, y: usize) -> Sums {
        let mut sums = [0.0; 16];
        for row in 0..CELL {
            let start = ((y * CELL + row) * self.width + x) * CELL;
            for at in start..start + CELL {
                let [r, g, b] = color(self.small, at);
                let a = self.alpha[at];
                let px = [r, g, b, a, r * a, g * a, b * a, r * r, r * g, r * b, g * g, g * b, b * b, 1.0, 0.0, 0.0];
                sums.iter_mut().zip(px).for_each(|(sum, value)| *sum += value);
            }
        }
        sums
    }
}

/// The line that fits a window best, in the least squares with `EPSILON` for the slope.
fn line(sums: &Sums) -> Line {
    let count = 1.0 / sums[13];
    let mean: [f32; 13] = std::array::from_fn(|at| sums[at] * count);
    let [r, g, b, alpha, ..] = mean;
    let with = [mean[4] - r * alpha, mean[5] - g * alpha, mean[6] - b * alpha];
    let (rr, rg, rb) = (mean[7] - r * r + EPSILON, mean[8] - r * g, mean[9] - r * b);
    let (gg, gb, bb) = (mean[10] - g * g + EPSILON, mean[11] - g * b, mean[12] - b * b + EPSILON);
    // Cramer's rule: the matrix is symmetric, and its determinant above 0.
    let (c_rr, c_rg, c_rb) = (gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb);
    let (c_gg, c_gb, c_bb) = (rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg);
    let scale = 1.0 / (rr * c_rr + rg * c_rg + rb * c_rb).max(f32::MIN_POSITIVE);
    let slope = [
        (c_rr * with[0] + c_rg * with[1] + c_rb * with[2]) * scale,
        (c_rg * with[0] + c_gg * with[1] + c_gb * with[2]) * scale,
        (c_rb * with[0] + c_gb * with[1] + c_bb * with[2]) * scale,
    ];
    [slope[0], slope[1], slope[2], alpha - slope[0] * r - slope[1] * g - slope[2] * b]
}
