//! Matting of pictures with more unknown pixels than are solved for at once: at
//! half the size, and from there back to the full one.
//!
//! Close by, alpha is linear in the colours; that is what closed-form matting
//! rests on. So each window of the half-size picture gives coefficients, α = a·I + b,
//! which change slowly, and hold for the full-size colours too (Levin, Lischinski
//! and Weiss 2008, section 4; He, Sun and Tang, "Guided Image Filtering", PAMI
//! 35(6), 2013).

use super::closed_form;
use super::laplacian::MOST_WIDTH;
use super::rgb;
use super::share::Share;
use super::trimap::Known;
use crate::error::Result;
use crate::image::pixels::{Layout, Pixels};

/// Variance added to each colour in a window, in squares of full scale: more than
/// the noise of a photo, which must not decide on coefficients.
const EPSILON: f32 = 1e-4;

/// The most unknown pixels that are solved for at once. Each takes about 550
/// bytes, 800 at worst: at most 1 GB in all.
const MOST_UNKNOWN: usize = 1_300_000;

/// As [`closed_form::alpha`], of a picture of any size.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn alpha(picture: &Pixels, trimap: &[Known], mask: &Pixels, share: Share<'_>) -> Result<Vec<f32>> {
    let unknown = trimap.iter().filter(|known| **known == Known::Nothing).count();
    if unknown <= MOST_UNKNOWN && picture.width() as usize <= MOST_WIDTH {
        return closed_form::alpha(picture, trimap, mask, share);
    }
    let small = halved(picture);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let small_trimap = blocks(width, height, |block| joint(block.map(|at| trimap[at])));
    let alpha = alpha(&small, &small_trimap, &halved(mask), share.part(0.0, 0.9))?;
    let lines = Lines::of(&small, &alpha, share.part(0.9, 0.95))?;
    drop((small, small_trimap, alpha));
    lines.drawn(picture, trimap, share.part(0.95, 1.0))
}

/// What `make` makes of each block of 2×2 pixels. Odd sides repeat their last pixel.
fn blocks<T>(width: usize, height: usize, make: impl Fn([usize; 4]) -> T) -> Vec<T> {
    let starts = (0..height).step_by(2).flat_map(|y| (0..width).step_by(2).map(move |x| (x, y)));
    let block = |(x, y): (usize, usize)| {
        let (right, below) = ((x + 1).min(width - 1), (y + 1).min(height - 1));
        make([y * width + x, y * width + right, below * width + x, below * width + right])
    };
    starts.map(block).collect()
}

/// A picture of half the size, rounded up.
fn halved(picture: &Pixels) -> Pixels {
    let (data, channels) = (picture.data(), picture.layout().bytes());
    let mean = |block: [usize; 4], channel: usize| {
        let sum: u32 = block.iter().map(|at| u32::from(data[at * channels + channel])).sum();
        ((sum + 2) / 4) as u8
    };
    let (width, height) = (picture.width(), picture.height());
    let half = match picture.layout() {
        Layout::Gray8 => blocks(width as usize, height as usize, |block| [mean(block, 0)]).into_flattened(),
        _ => blocks(width as usize, height as usize, |block| [0, 1, 2].map(|c| mean(block, c))).into_flattened(),
    };
    let layout = if picture.layout() == Layout::Gray8 { Layout::Gray8 } else { Layout::Rgb8 };
    Pixels::known(width.div_ceil(2), height.div_ceil(2), layout, half)
}

/// What is known of a block: what is known of any of its pixels, unless they differ.
fn joint(block: [Known; 4]) -> Known {
    match (block.contains(&Known::Subject), block.contains(&Known::Background)) {
        (true, false) => Known::Subject,
        (false, true) => Known::Background,
        _ => Known::Nothing,
    }
}

/// For each pixel of the half-size picture, a and b of the line α = a·I + b
/// that fits its window best.
struct Lines {
    width: usize,
    height: usize,
    lines: Vec<[f32; 4]>,
}

impl Lines {
    fn of(picture: &Pixels, alpha: &[f32], share: Share<'_>) -> Result<Self> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let color = rgb(picture);
        let point = |at: usize| (color(at).map(|value| f32::from(value) / 255.0), alpha[at]);
        let mut lines = Vec::with_capacity(alpha.len());
        for y in 0..height {
            share.tell(y, height)?;
            let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)].map(|y| y * width);
            lines.extend((0..width).map(|x| {
                let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
                fitted(&std::array::from_fn(|k| point(rows[k / 3] + columns[k % 3])))
            }));
        }
        Ok(Self { width, height, lines })
    }

    /// The alpha of the full-size picture.
    fn drawn(&self, picture: &Pixels, trimap: &[Known], share: Share<'_>) -> Result<Vec<f32>> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let color = rgb(picture);
        let mut alpha = Vec::with_capacity(trimap.len());
        for y in 0..height {
            share.tell(y, height)?;
            alpha.extend((0..width).map(|x| match trimap[y * width + x] {
                Known::Background => 0.0,
                Known::Subject => 1.0,
                Known::Nothing => {
                    let [r, g, b] = color(y * width + x).map(|value| f32::from(value) / 255.0);
                    let line = self.between(x, y);
                    (line[0] * r + line[1] * g + line[2] * b + line[3]).clamp(0.0, 1.0)
                }
            }));
        }
        Ok(alpha)
    }

    /// The line at a pixel of the full-size picture, whose centre is a quarter of
    /// a half-size pixel from the centre of the nearest one.
    fn between(&self, x: usize, y: usize) -> [f32; 4] {
        let [(near_x, far_x), (near_y, far_y)] = [(x, self.width), (y, self.height)].map(|(at, length)| {
            let far = if at % 2 == 0 { (at / 2).saturating_sub(1) } else { (at / 2 + 1).min(length - 1) };
            (at / 2, far)
        });
        let line = |x: usize, y: usize| self.lines[y * self.width + x];
        let lines = [
            (9.0, line(near_x, near_y)),
            (3.0, line(far_x, near_y)),
            (3.0, line(near_x, far_y)),
            (1.0, line(far_x, far_y)),
        ];
        std::array::from_fn(|k| lines.iter().map(|(weight, line)| weight * line[k]).sum::<f32>() / 16.0)
    }
}

/// The line through nine colours and alphas: ridge regression.
fn fitted(points: &[([f32; 3], f32); 9]) -> [f32; 4] {
    let mean = |value: &dyn Fn(usize) -> f32| (0..9).map(value).sum::<f32>() / 9.0;
    let center: [f32; 3] = std::array::from_fn(|c| mean(&|k| points[k].0[c]));
    let middle = mean(&|k| points[k].1);
    let off = |k: usize, c: usize| points[k].0[c] - center[c];
    let spread = std::array::from_fn(|a| std::array::from_fn(|b| mean(&|k| off(k, a) * off(k, b))));
    let slope = solved(spread, std::array::from_fn(|c| mean(&|k| off(k, c) * (points[k].1 - middle))));
    let offset = middle - slope.iter().zip(center).map(|(slope, center)| slope * center).sum::<f32>();
    [slope[0], slope[1], slope[2], offset]
}

/// Solves (m + ε·E)·x = b for a covariance m, by Cholesky's method.
fn solved(m: [[f32; 3]; 3], b: [f32; 3]) -> [f32; 3] {
    let c00 = (m[0][0] + EPSILON).sqrt();
    let (c10, c20) = (m[1][0] / c00, m[2][0] / c00);
    let c11 = (m[1][1] + EPSILON - c10 * c10).sqrt();
    let c21 = (m[2][1] - c20 * c10) / c11;
    let c22 = (m[2][2] + EPSILON - c20 * c20 - c21 * c21).sqrt();
    let y0 = b[0] / c00;
    let y1 = (b[1] - c10 * y0) / c11;
    let x2 = (b[2] - c20 * y0 - c21 * y1) / (c22 * c22);
    let x1 = (y1 - c21 * x2) / c11;
    [(y0 - c10 * x1 - c20 * x2) / c00, x1, x2]
}
