//! How far the colours of a picture are from its background.

use super::border::Background;
use crate::image::pixels::Pixels;

/// Differences of so many levels are no noise.
const STRONG: f32 = 40.0;
/// Noise of JPEG ends with the block of 8×8 pixels in which an edge is.
const BLOCK: usize = 8;
/// At most so many blocks are looked at.
const BLOCKS: usize = 20_000;
/// An edge itself is no noise either, nor are so many pixels around it.
const EDGE: usize = 2;
/// From how much noise on, in levels, a picture is taken as noisy.
const NOISY: f32 = 1.0;
/// How many times that noise the background may differ, and at most how much of it counts.
const BORNE: f32 = 1.5;
const MOST: f32 = 6.0;
/// How much the differences of colour count beside those of brightness in a noisy picture: JPEG keeps the first at
/// half the size.
const CHROMA: f32 = 0.2;

/// A picture beside its background.
pub(super) struct Distances<'a> {
    picture: &'a Pixels,
    background: Background,
    /// Whether there is noise near edges, as JPEG leaves it.
    noisy: bool,
    /// Up to which difference of a channel, in levels, a pixel has the background's colour.
    pub(super) tolerance: f32,
}

impl<'a> Distances<'a> {
    pub(super) fn new(picture: &'a Pixels, background: Background) -> Self {
        let tolerance = 3.0 + 4.0 * background.noise;
        let mut seen = Self { picture, background, noisy: false, tolerance };
        let noise = seen.noise_near_edges();
        if noise >= NOISY {
            seen.noisy = true;
            seen.tolerance += BORNE * noise.min(MOST);
        }
        seen
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.picture.width() as usize, self.picture.height() as usize)
    }

    /// The colour of a pixel, each channel 0 to 255.
    pub(super) fn color(&self, x: usize, y: usize) -> [f32; 3] {
        let at = (y * self.picture.width() as usize + x) * self.picture.layout().bytes();
        let pixel = &self.picture.data()[at..at + 3];
        [pixel[0], pixel[1], pixel[2]].map(f32::from)
    }

    pub(super) fn background(&self, x: usize, y: usize) -> [f32; 3] {
        self.background.at(x, y)
    }

    /// The largest difference of a channel.
    pub(super) fn largest(&self, x: usize, y: usize) -> f32 {
        let (color, background) = (self.color(x, y), self.background(x, y));
        (0..3).map(|c| (color[c] - background[c]).abs()).fold(0.0, f32::max)
    }

    /// The difference as a vector whose length tells how visible it is.
    pub(super) fn vector(&self, x: usize, y: usize) -> [f32; 3] {
        let (color, background) = (self.color(x, y), self.background(x, y));
        let [r, g, b]: [f32; 3] = std::array::from_fn(|c| color[c] - background[c]);
        if !self.noisy {
            return [r, g, b];
        }
        // Brightness and colour differences of ITU-R BT.601.
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        [luma, CHROMA * 0.564 * (b - luma), CHROMA * 0.713 * (r - luma)].map(|value| 1.5 * value)
    }

    /// How fast the brightness changes at a pixel, in levels a pixel: Sobel's operator.
    pub(super) fn slope(&self, x: usize, y: usize) -> f32 {
        let (width, height) = self.size();
        let value = |dx: usize, dy: usize| {
            let (x, y) = ((x + dx).saturating_sub(1).min(width - 1), (y + dy).saturating_sub(1).min(height - 1));
            self.color(x, y).iter().sum::<f32>() / 3.0
        };
        let across = |row: usize| value(2, row) - value(0, row);
        let down = |column: usize| value(column, 2) - value(column, 0);
        let sobel = |along: &dyn Fn(usize) -> f32| (along(0) + 2.0 * along(1) + along(2)) / 8.0;
        sobel(&across).hypot(sobel(&down))
    }

    /// How much pixels near an edge differ from their neighbours: the level that four of five are below, and half of it more.
    fn noise_near_edges(&self) -> f32 {
        let (width, height) = self.size();
        let mut counts = [0_usize; STRONG as usize + 1];
        let apart = ((width * height) as f64 / (BLOCK * BLOCK * BLOCKS) as f64).sqrt().ceil().max(1.0) as usize;
        for top in (0..height).step_by(BLOCK * apart) {
            for left in (0..width).step_by(BLOCK * apart) {
                let (right, bottom) = ((left + BLOCK).min(width), (top + BLOCK).min(height));
                let block = || (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
                if !block().any(|(x, y)| self.largest(x, y) > STRONG) {
                    continue;
                }
                for (x, y) in block().filter(|&(x, y)| !self.is_near_edge(x, y)) {
                    counts[self.roughness(x, y).min(STRONG) as usize] += 1;
                }
            }
        }
        let (all, mut below) = (counts.iter().sum::<usize>(), 0);
        let most = counts.iter().position(|count| {
            below += count;
            below * 5 >= all * 4
        });
        1.5 * most.unwrap_or(0) as f32
    }

    fn is_near_edge(&self, x: usize, y: usize) -> bool {
        around((x, y), self.size(), EDGE).any(|(x, y)| self.largest(x, y) > STRONG)
    }

    /// The largest difference of a channel from the mean of the pixels around.
    pub(super) fn roughness(&self, x: usize, y: usize) -> f32 {
        let (mut sums, mut count) = ([0.0_f32; 3], 0.0);
        for (x, y) in around((x, y), self.size(), 1) {
            count += 1.0;
            sums.iter_mut().zip(self.color(x, y)).for_each(|(sum, value)| *sum += value);
        }
        let color = self.color(x, y);
        (0..3).map(|c| (color[c] - sums[c] / count).abs()).fold(0.0, f32::max)
    }
}

/// The pixels of the square that reaches so far around a pixel, and itself.
pub(super) fn around(
    (x, y): (usize, usize),
    (width, height): (usize, usize),
    reach: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
    let rows = y.saturating_sub(reach)..(y + reach + 1).min(height);
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

pub(super) fn dot(one: [f32; 3], other: [f32; 3]) -> f32 {
    one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
}

pub(super) fn length(vector: [f32; 3]) -> f32 {
    dot(vector, vector).sqrt()
}
