//! The subject's colours without the background's, by multi-level estimation.
//!
//! From one pixel up to the picture's own size, each level starts from the
//! colours of the one before and relaxes them: a pixel's foreground F and
//! background B should mix to its colour, α·F + (1 − α)·B, and resemble those of
//! its neighbours, the more the steeper alpha is there.

use std::collections::VecDeque;

use super::share::Share;
use super::{byte, rgb};
use crate::error::Result;
use crate::image::pixels::{Layout, Pixels};

/// Foreground and background of a pixel.
type Pair = [[f32; 3]; 2];

/// How much neighbours should resemble each other where alpha is flat.
const REGULARIZATION: f32 = 1e-5;

/// Sides up to which a level counts as small, and is relaxed more often.
const SMALL: usize = 32;
const SWEEPS_SMALL: usize = 10;
const SWEEPS: usize = 2;

/// The subject's colours, from a picture in colour and its alpha. Where alpha is 0
/// they go on from what is beside.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn colors(picture: &Pixels, alpha: &[f32], share: Share<'_>) -> Result<Pixels> {
    let size = (picture.width() as usize, picture.height() as usize);
    let levels = size.0.max(size.1).next_power_of_two().trailing_zeros().max(1);
    let mut before = Level { size: (1, 1), pairs: vec![means(picture, alpha)] };
    for level in 0..levels {
        let size = (part_of(size.0, level, levels), part_of(size.1, level, levels));
        let mut pairs = Vec::with_capacity(size.0 * size.1);
        Relaxation::new(picture, alpha, &before, size).run(share.part(0.0, 0.0), |row| pairs.extend_from_slice(row))?;
        before = Level { size, pairs };
    }
    let mut data = Vec::with_capacity(size.0 * size.1 * 3);
    let finest = Relaxation::new(picture, alpha, &before, size);
    finest.run(share.part(0.2, 1.0), |row| data.extend(row.iter().flat_map(|pair| pair[0].map(byte))))?;
    Ok(Pixels::known(picture.width(), picture.height(), Layout::Rgb8, data))
}

/// The side of a level: equal factors lead from 1 to `side`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the side")]
fn part_of(side: usize, level: u32, levels: u32) -> usize {
    (side as f64).powf(f64::from(level) / f64::from(levels)).round() as usize
}

/// The mean colours of what is surely subject and surely background.
fn means(picture: &Pixels, alpha: &[f32]) -> Pair {
    let color = rgb(picture);
    let mean = |is_in: &dyn Fn(f32) -> bool| {
        let (mut sum, mut count) = ([0.0; 3], 1e-5);
        for (at, _) in alpha.iter().enumerate().filter(|(_, alpha)| is_in(**alpha)) {
            color(at).iter().zip(&mut sum).for_each(|(value, sum)| *sum += f64::from(*value) / 255.0);
            count += 1.0;
        }
        sum.map(|sum| (sum / count) as f32)
    };
    [mean(&|alpha| alpha > 0.9), mean(&|alpha| alpha < 0.1)]
}

struct Level {
    size: (usize, usize),
    pairs: Vec<Pair>,
}

/// One level: its rows come in from the level before, are relaxed `sweeps` times,
/// each sweep one row behind the one before it, and leave. So only a few
/// rows are held, and a row is final as if every sweep had waited for the last.
struct Relaxation<'a, C> {
    color: C,
    alpha: &'a [f32],
    before: &'a Level,
    /// The column and the start of the row in the picture that each one here shows.
    columns: Vec<usize>,
    rows: Vec<usize>,
    sweeps: usize,
    held: VecDeque<Vec<Pair>>,
}

impl<'a> Relaxation<'a, ()> {
    fn new(
        picture: &'a Pixels,
        alpha: &'a [f32],
        before: &'a Level,
        size: (usize, usize),
    ) -> Relaxation<'a, impl Fn(usize) -> [u8; 3] + 'a> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let columns = (0..size.0).map(|x| x * width / size.0).collect();
        let rows = (0..size.1).map(|y| y * height / size.1 * width).collect();
        let sweeps = if size.0.max(size.1) <= SMALL { SWEEPS_SMALL } else { SWEEPS };
        Relaxation { color: rgb(picture), alpha, before, columns, rows, sweeps, held: VecDeque::new() }
    }
}

impl<C: Fn(usize) -> [u8; 3]> Relaxation<'_, C> {
    fn run(mut self, share: Share<'_>, mut take: impl FnMut(&[Pair])) -> Result<()> {
        let height = self.rows.len();
        for step in 0..height + self.sweeps {
            share.tell(step, height + self.sweeps)?;
            if step < height {
                self.held.push_back(self.first_guess(step));
            }
            let oldest = (step + 1).min(height) - self.held.len();
            for sweep in 1..=self.sweeps.min(step) {
                if step - sweep < height {
                    self.sweep(step - sweep, step - sweep - oldest);
                }
            }
            if let Some(done) = step.checked_sub(self.sweeps) {
                take(&self.held[done - oldest]);
                if done > oldest {
                    self.held.pop_front();
                }
            }
        }
        Ok(())
    }

    fn first_guess(&self, y: usize) -> Vec<Pair> {
        let Level { size: (width, height), pairs } = self.before;
        let row = y * height / self.rows.len() * width;
        (0..self.columns.len()).map(|x| pairs[row + x * width / self.columns.len()]).collect()
    }

    /// Relaxes row `y`, which is the one of this index among those held.
    fn sweep(&mut self, y: usize, index: usize) {
        let mut row = std::mem::take(&mut self.held[index]);
        let above = index.checked_sub(1).map(|index| self.held[index].as_slice());
        let below = self.held.get(index + 1).map(Vec::as_slice);
        let alphas = [y.saturating_sub(1), y, (y + 1).min(self.rows.len() - 1)].map(|y| self.rows[y]);
        for x in 0..row.len() {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(row.len() - 1));
            let alpha = |row: usize, x: usize| self.alpha[alphas[row] + self.columns[x]];
            let own = alpha(1, x);
            let weight = |other: f32| REGULARIZATION + (own - other).abs();
            let near = [
                (weight(alpha(1, left)), row[left]),
                (weight(alpha(1, right)), row[right]),
                (weight(alpha(0, x)), above.map_or(row[x], |above| above[x])),
                (weight(alpha(2, x)), below.map_or(row[x], |below| below[x])),
            ];
            let color = (self.color)(self.rows[y] + self.columns[x]).map(|value| f32::from(value) / 255.0);
            row[x] = relaxed(color, own, &near);
        }
        self.held[index] = row;
    }
}

/// The foreground and background that fit a pixel's colour and neighbours best:
/// for each channel the solution of two equations.
fn relaxed(color: [f32; 3], alpha: f32, near: &[(f32, Pair); 4]) -> Pair {
    let (a, b) = (f64::from(alpha), 1.0 - f64::from(alpha));
    let weights: f64 = near.iter().map(|(weight, _)| f64::from(*weight)).sum();
    let (aa, ab, bb) = (a * a + weights, a * b, b * b + weights);
    let scale = 1.0 / (aa * bb - ab * ab);
    let mut pair = [[0.0; 3]; 2];
    for c in 0..3 {
        let wish = |side: usize| near.iter().map(|(weight, pair)| weight * pair[side][c]).sum::<f32>();
        let f = a * f64::from(color[c]) + f64::from(wish(0));
        let g = b * f64::from(color[c]) + f64::from(wish(1));
        pair[0][c] = ((bb * f - ab * g) * scale).clamp(0.0, 1.0) as f32;
        pair[1][c] = ((aa * g - ab * f) * scale).clamp(0.0, 1.0) as f32;
    }
    pair
}
