//! The matting Laplacian: how much the alphas of neighbours want to agree,
//! given the picture's colours.

use super::rgb;
use super::share::Share;
use super::trimap::Known;
use crate::error::Result;
use crate::image::pixels::Pixels;

/// Neighbours later in reading order that share a 3×3 window with a pixel: two
/// in its row, five in each of the next two.
pub(super) const LATER: usize = 12;

/// Variance added to each colour in a window, in squares of full scale.
const EPSILON: f64 = 1e-7;

/// Pixels in a window.
const WINDOW: usize = 9;

/// The Laplacian of the unknown pixels alone, in reading order. It is
/// symmetric, so each pixel holds its links to later ones only.
pub(super) struct Laplacian {
    pub(super) diagonal: Vec<f64>,
    /// What links pixel `i` to pixel `i + steps[i][k]` is `links[i][k]`. A
    /// neighbour that is known or outside the picture has a link of 0.
    pub(super) links: Vec<[f64; LATER]>,
    pub(super) steps: Vec<[u16; LATER]>,
    /// What links each pixel to known subject, negated: the right-hand side of
    /// the equations, as known alphas are 0 and 1.
    pub(super) pull: Vec<f64>,
}

/// The widest picture whose steps fit: two rows and two pixels.
pub(super) const MOST_WIDTH: usize = (u16::MAX as usize - 2) / 2;

/// Stands for pixels that are not unknown.
const NONE: u32 = u32::MAX;

impl Laplacian {
    /// The Laplacian of a picture at most [`MOST_WIDTH`] wide. One without a
    /// window of 3×3 pixels links nothing.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub(super) fn of(picture: &Pixels, trimap: &[Known], share: Share<'_>) -> Result<Self> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let places = places(trimap);
        let mut laplacian = Self::empty(&places, width);
        let color = rgb(picture);
        for top in 0..height.saturating_sub(2) {
            share.tell(top, height)?;
            for left in 0..width.saturating_sub(2) {
                let at: [usize; WINDOW] = std::array::from_fn(|k| (top + k / 3) * width + left + k % 3);
                if at.iter().any(|at| trimap[*at] == Known::Nothing) {
                    laplacian.add(&at.map(|at| (places[at], trimap[at])), &affinities(at.map(&color)));
                }
            }
        }
        Ok(laplacian)
    }

    fn empty(places: &[u32], width: usize) -> Self {
        let unknown = || places.iter().enumerate().filter(|(_, place)| **place != NONE);
        let count = unknown().count();
        let mut steps = Vec::with_capacity(count);
        steps.extend(unknown().map(|(at, place)| std::array::from_fn(|k| step(places, width, at, *place, k))));
        Self { diagonal: vec![0.0; count], links: vec![[0.0; LATER]; count], steps, pull: vec![0.0; count] }
    }

    /// Adds one window: for each pair of its pixels, `[i == j] − affinity`.
    fn add(&mut self, window: &[(u32, Known); WINDOW], affinities: &[[f64; WINDOW]; WINDOW]) {
        for (i, &(place, known)) in window.iter().enumerate() {
            if known == Known::Nothing {
                self.diagonal[place as usize] += 1.0 - affinities[i][i];
            }
            for (j, &(other, other_known)) in window.iter().enumerate().skip(i + 1) {
                let affinity = affinities[i][j];
                match (known, other_known) {
                    (Known::Nothing, Known::Nothing) => self.links[place as usize][link(i, j)] -= affinity,
                    (Known::Nothing, Known::Subject) => self.pull[place as usize] += affinity,
                    (Known::Subject, Known::Nothing) => self.pull[other as usize] += affinity,
                    _ => {}
                }
            }
        }
    }

    /// The product with `x`.
    pub(super) fn times(&self, x: &[f64], product: &mut [f64]) {
        product.fill(0.0);
        for (i, ((links, steps), diagonal)) in self.links.iter().zip(&self.steps).zip(&self.diagonal).enumerate() {
            let mut sum = diagonal * x[i];
            for (link, step) in links.iter().zip(steps) {
                let j = i + usize::from(*step);
                sum += link * x[j];
                product[j] += link * x[i];
            }
            product[i] += sum;
        }
    }
}

/// The number of each unknown pixel among the unknown ones.
fn places(trimap: &[Known]) -> Vec<u32> {
    let mut count = 0;
    let place = |known: &Known| {
        if *known != Known::Nothing {
            return NONE;
        }
        count += 1;
        count - 1
    };
    trimap.iter().map(place).collect()
}

/// How far the later neighbour `k` of the unknown pixel `at` comes after it
/// among the unknown ones; 0 where it is not one of them.
fn step(places: &[u32], width: usize, at: usize, place: u32, k: usize) -> u16 {
    let (down, right) = if k < 2 { (0, k as isize + 1) } else { ((k + 3) / 5, (k as isize - 2) % 5 - 2) };
    let is_inside = ((at % width) as isize + right) >= 0 && ((at % width) as isize + right) < width as isize;
    let other = (at + down * width).wrapping_add_signed(right);
    let other = if is_inside { places.get(other).copied().unwrap_or(NONE) } else { NONE };
    if other == NONE { 0 } else { u16::try_from(other - place).expect("at most two rows and two pixels") }
}

/// Which later neighbour of pixel `i` of a window its pixel `j` is.
fn link(i: usize, j: usize) -> usize {
    let (down, right) = (j / 3 - i / 3, j as isize % 3 - i as isize % 3);
    if down == 0 { right as usize - 1 } else { (down * 5 + 2 - 3).wrapping_add_signed(right) }
}

/// Levin's formula (12) for one window: (1 + (Iᵢ − μ)ᵀ (Σ + ε/9·E)⁻¹ (Iⱼ − μ)) / 9.
fn affinities(colors: [[u8; 3]; WINDOW]) -> [[f64; WINDOW]; WINDOW] {
    let colors = colors.map(|color| color.map(|value| f64::from(value) / 255.0));
    let mean: [f64; 3] = std::array::from_fn(|c| colors.iter().map(|color| color[c]).sum::<f64>() / WINDOW as f64);
    let centred = colors.map(|color| -> [f64; 3] { std::array::from_fn(|c| color[c] - mean[c]) });
    let whitened = whitened(&centred);
    let affinity = |a: &[f64; 3], b: &[f64; 3]| (1.0 + a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / WINDOW as f64;
    std::array::from_fn(|i| std::array::from_fn(|j| if j < i { 0.0 } else { affinity(&whitened[i], &whitened[j]) }))
}

/// Vectors whose dot products are those of the colours under the inverse of
/// the window's covariance, with ε/9 on its diagonal: C⁻¹·d, where C·Cᵀ is that
/// matrix. In flat and in grey windows the inverse itself would be mostly rounding,
/// but C is exact to nine digits, and ε keeps its diagonal positive.
fn whitened(centred: &[[f64; 3]; WINDOW]) -> [[f64; 3]; WINDOW] {
    let of = |a: usize, b: usize| {
        let sum: f64 = centred.iter().map(|d| d[a] * d[b]).sum();
        (sum + if a == b { EPSILON } else { 0.0 }) / WINDOW as f64
    };
    let c00 = of(0, 0).sqrt();
    let (c10, c20) = (of(0, 1) / c00, of(0, 2) / c00);
    let c11 = (of(1, 1) - c10 * c10).sqrt();
    let c21 = (of(1, 2) - c20 * c10) / c11;
    let c22 = (of(2, 2) - c20 * c20 - c21 * c21).sqrt();
    let (one0, one1, one2) = (1.0 / c00, 1.0 / c11, 1.0 / c22);
    centred.map(|d| {
        let w0 = d[0] * one0;
        let w1 = (d[1] - c10 * w0) * one1;
        [w0, w1, (d[2] - c20 * w0 - c21 * w1) * one2]
    })
}
