//! What fits alpha to colours best, in windows of a small picture.

use remrembg_native::widened;

use super::color;
use super::planes::{LANES, Lanes, Planes, counted};
use crate::image::pixels::Pixels;
use crate::image::spans::{Span, wider};

/// How little a window's colours may vary before their noise counts for nothing.
const EPSILON: f32 = 1e-4;
/// How much of alpha's variance in a window its colours explain (the coefficient of determination, R²): up to the first,
/// subject and background look alike there and alpha stays as it came; from the second on it follows the colours. Chance
/// alone explains about a tenth.
const EXPLAINED: [f32; 2] = [0.2, 0.5];
/// Where alpha varies by less, there is nothing to explain.
const LEAST_VARIANCE: f32 = 1e-4;
/// The α of a colour: red, green and blue times the first three, plus the last.
pub(super) type Line = [f32; 4];

/// What is summed over a window: colours, alpha, and products of two of those, by their places here.
const ONES: usize = 4;
const PRODUCTS: [(usize, usize); 10] = [(0, 3), (1, 3), (2, 3), (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (3, 3)];
const SUMS: usize = ONES + PRODUCTS.len();
/// What is found in each: a line, and how much it explains.
const FOUND: usize = 5;

/// Pixels on each side of a cell. What fits changes slowly, so one line for each is enough.
pub(super) const CELL: usize = 2;

/// Finds lines in windows of a small picture, whose sides are so many whole cells.
pub(super) struct Windows<'a> {
    pub(super) small: &'a Pixels,
    pub(super) alpha: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
    /// Windows reach so many cells to each side.
    pub(super) reach: usize,
}

impl Windows<'_> {
    /// Fills these columns in `rows`, which are whole rows of cells from `top` on.
    pub(super) fn fit(&self, x: Span, top: usize, rows: &mut [Line]) {
        widened!(self.fit_here(x, top, rows));
    }

    #[inline(always)]
    fn fit_here(&self, x: Span, top: usize, rows: &mut [Line]) {
        let y = top..top + rows.len() / self.width;
        let near = (wider(&x, self.reach, self.width), wider(&y, self.reach, self.height));
        let far = (wider(&near.0, self.reach, self.width), wider(&near.1, self.reach, self.height));
        let across: Vec<_> = x.clone().map(|x| counted(x, self.reach, self.width)).collect();
        self.lines(&self.cells(far), near).windows(&(x.clone(), y), self.reach, self.height, |y, lines| {
            let down = counted(y, self.reach, self.height);
            let planes: [_; FOUND] = std::array::from_fn(|plane| lines.plane(plane));
            let row = &mut rows[(y - top) * self.width..][x.clone()];
            for ((at, line), across) in row.iter_mut().enumerate().zip(&across) {
                let [fitted @ .., explained] = planes.map(|plane| plane[at] / (across * down));
                let share = ((explained - EXPLAINED[0]) / (EXPLAINED[1] - EXPLAINED[0])).clamp(0.0, 1.0);
                *line = fitted.map(|value| value * share);
                line[3] += (1.0 - share) * self.alpha_of_cell(x.start + at, y);
            }
        });
    }

    /// The mean over the pixels of a cell.
    fn alpha_of_cell(&self, x: usize, y: usize) -> f32 {
        let width = self.width * CELL;
        let first = (y * width + x) * CELL;
        const { assert!(CELL == 2, "a cell has four pixels") };
        let pixels = [first, first + 1, first + width, first + width + 1].map(|at| f32::from(self.alpha[at]));
        pixels.iter().sum::<f32>() / (4.0 * 255.0)
    }

    /// The sums over the pixels of each cell.
    #[inline(always)]
    fn cells(&self, (x, y): (Span, Span)) -> Planes {
        let pixels = x.len() * CELL;
        let mut colors = vec![0.0; CELL * ONES * pixels];
        let mut both = vec![0.0; pixels];
        let mut cells = Planes::new(SUMS, (x.clone(), y.clone()));
        for y in y {
            for (row, planes) in colors.chunks_exact_mut(ONES * pixels).enumerate() {
                self.spread(((y * CELL + row) * self.width + x.start) * CELL, planes);
            }
            const { assert!(CELL == 2, "rows are added in pairs") };
            let plane = |row: usize, one: usize| &colors[(row * ONES + one) * pixels..][..pixels];
            for sum in 0..SUMS {
                if let Some((one, other)) = sum.checked_sub(ONES).map(|product| PRODUCTS[product]) {
                    let [above, below] =
                        [0, 1].map(|row| plane(row, one).iter().zip(plane(row, other)).map(|(one, other)| one * other));
                    both.iter_mut().zip(above.zip(below)).for_each(|(both, (above, below))| *both = above + below);
                } else {
                    let rows = plane(0, sum).iter().zip(plane(1, sum));
                    both.iter_mut().zip(rows).for_each(|(both, (above, below))| *both = above + below);
                }
                let pairs = both.as_chunks::<CELL>().0;
                cells.plane_mut(y, sum).iter_mut().zip(pairs).for_each(|(sum, pair)| *sum = pair.iter().sum());
            }
        }
        cells
    }

    /// Colours and alpha of pixels from `start` on, plane after plane.
    #[inline(always)]
    fn spread(&self, start: usize, planes: &mut [f32]) {
        let pixels = planes.len() / ONES;
        let (colors, alphas) = planes.split_at_mut((ONES - 1) * pixels);
        let bytes = self.small.layout().bytes();
        let data = &self.small.data()[start * bytes..][..pixels * bytes];
        match bytes {
            4 => colors_in_planes(data.as_chunks::<4>().0, colors),
            _ => colors_in_planes(data.as_chunks::<3>().0, colors),
        }
        let values = self.alpha[start..].iter().map(|alpha| f32::from(*alpha) * (1.0 / 255.0));
        alphas.iter_mut().zip(values).for_each(|(alpha, value)| *alpha = value);
    }

    /// The line of each window and how much it explains, from the sums of cells around them.
    #[inline(always)]
    fn lines(&self, cells: &Planes, near: (Span, Span)) -> Planes {
        let mut lines = Planes::new(FOUND, near.clone());
        let stride = lines.stride();
        let mut across = vec![1.0; stride];
        across.iter_mut().zip(near.0.clone()).for_each(|(count, x)| *count = counted(x, self.reach, self.width));
        cells.windows(&near, self.reach, self.height, |y, sums| {
            let pixels = (CELL * CELL) as f32 * counted(y, self.reach, self.height);
            for at in (0..stride).step_by(LANES) {
                let share = Lanes::of(1.0) / (Lanes::first_of(&across[at..]) * Lanes::of(pixels));
                let means = std::array::from_fn(|sum| Lanes::first_of(&sums.plane(sum)[at..]) * share);
                for (plane, value) in line(&means).into_iter().enumerate() {
                    value.put(&mut lines.plane_mut(y, plane)[at..]);
                }
            }
        });
        lines
    }
}

/// With as many bytes of a pixel as are known, many are worked on at once.
#[inline(always)]
fn colors_in_planes<const BYTES: usize>(pixels: &[[u8; BYTES]], planes: &mut [f32]) {
    let (red, rest) = planes.split_at_mut(pixels.len());
    let (green, blue) = rest.split_at_mut(pixels.len());
    for (((red, green), blue), pixel) in red.iter_mut().zip(green).zip(blue).zip(pixels) {
        [*red, *green, *blue] = color(pixel);
    }
}

/// The line that fits a window best, in the least squares with `EPSILON` for the slope, and how much it explains.
#[inline(always)]
fn line(mean: &[Lanes; SUMS]) -> [Lanes; FOUND] {
    let [r, g, b, alpha, ..] = *mean;
    let epsilon = Lanes::of(EPSILON);
    let with = [mean[4] - r * alpha, mean[5] - g * alpha, mean[6] - b * alpha];
    let (rr, rg, rb) = (mean[7] - r * r + epsilon, mean[8] - r * g, mean[9] - r * b);
    let (gg, gb, bb) = (mean[10] - g * g + epsilon, mean[11] - g * b, mean[12] - b * b + epsilon);
    // Cramer's rule: the matrix is symmetric, and its determinant above 0.
    let (c_rr, c_rg, c_rb) = (gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb);
    let (c_gg, c_gb, c_bb) = (rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg);
    let scale = Lanes::of(1.0) / (rr * c_rr + rg * c_rg + rb * c_rb).at_least(f32::MIN_POSITIVE);
    let slope = [
        (c_rr * with[0] + c_rg * with[1] + c_rb * with[2]) * scale,
        (c_rg * with[0] + c_gg * with[1] + c_gb * with[2]) * scale,
        (c_rb * with[0] + c_gb * with[1] + c_bb * with[2]) * scale,
    ];
    let explained = slope[0] * with[0] + slope[1] * with[1] + slope[2] * with[2];
    let variance = (mean[ONES + 9] - alpha * alpha).at_least(LEAST_VARIANCE);
    [slope[0], slope[1], slope[2], alpha - slope[0] * r - slope[1] * g - slope[2] * b, explained / variance]
}
