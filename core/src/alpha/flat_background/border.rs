//! The colour of a background, from the border of its picture.

use super::Demands;
use crate::image::pixels::Pixels;

/// How wide the border is, as a part of the shorter side.
const WIDTH: f64 = 0.02;
/// At most so many of its pixels are looked at.
const SAMPLES: usize = 5000;
/// How far from the middle colour of the border, in levels, its pixels may be to begin with.
const COARSE: f32 = 32.0;
/// Pixels within so many levels, and so many times the noise more, have the background's colour.
const NEAR: f32 = 4.0;
/// Times the fit is made again of what was near the last.
const ROUNDS: usize = 3;
/// The shortest side that has a border worth the name.
const SHORTEST: u32 = 8;

/// A colour that changes evenly across and down a picture: a plane for each channel.
pub(super) struct Background {
    /// Of each channel: the value in the middle of the picture, and how much it grows from left to right and from top
    /// to bottom.
    planes: [[f32; 3]; 3],
    size: (f32, f32),
    /// The median difference of the border from it, in levels.
    pub(super) noise: f32,
}

/// Where a pixel is, from -1/2 to 1/2 across and down, and its colour.
type Sample = ([f32; 2], [f32; 3]);

impl Background {
    /// `None` where the border does not have one colour.
    pub(super) fn of(picture: &Pixels, demands: &Demands) -> Option<Self> {
        if picture.width().min(picture.height()) < SHORTEST {
            return None;
        }
        let samples = samples(picture);
        let middle: [f32; 3] = std::array::from_fn(|c| middle_level(samples.iter().map(|(_, color)| color[c])));
        let size = (picture.width() as f32, picture.height() as f32);
        let mut fit = Self { planes: middle.map(|value| [value, 0.0, 0.0]), size, noise: 0.0 };
        let mut near = fit.near(&samples, COARSE);
        for _ in 0..ROUNDS {
            if (near.len() as f32) < demands.share * samples.len() as f32 {
                return None;
            }
            fit.planes = planes(&near)?;
            fit.noise = median(near.iter().map(|sample| fit.off(sample)).collect());
            near = fit.near(&samples, NEAR + NEAR * fit.noise);
        }
        let enough = near.len() as f32 >= demands.share * samples.len() as f32;
        (enough && fit.noise <= demands.noise).then_some(fit)
    }

    /// The background's colour at a pixel, each channel 0 to 255.
    pub(super) fn at(&self, x: usize, y: usize) -> [f32; 3] {
        self.value([x as f32 / self.size.0 - 0.5, y as f32 / self.size.1 - 0.5])
    }

    fn value(&self, [u, v]: [f32; 2]) -> [f32; 3] {
        self.planes.map(|[middle, across, down]| (middle + u * across + v * down).clamp(0.0, 255.0))
    }

    /// The largest difference of a channel.
    fn off(&self, (place, color): &Sample) -> f32 {
        let value = self.value(*place);
        (0..3).map(|c| (value[c] - color[c]).abs()).fold(0.0, f32::max)
    }

    fn near(&self, samples: &[Sample], reach: f32) -> Vec<Sample> {
        samples.iter().copied().filter(|sample| self.off(sample) <= reach).collect()
    }
}

/// Where every `step`th pixel of a border so many pixels wide is, each once: its column and row.
pub(super) fn places(width: usize, height: usize, border: usize, step: usize) -> impl Iterator<Item = (usize, usize)> {
    let is_whole = move |y: usize| y < border || y + border >= height || 2 * border >= width;
    let mut next = 0;
    (0..height).flat_map(move |y| {
        let (left, all) = if is_whole(y) { (width, width) } else { (border, 2 * border) };
        let first = next;
        next += (all.saturating_sub(first)).div_ceil(step) * step;
        next -= all;
        (first..all).step_by(step).map(move |at| (if at < left { at } else { width - all + at }, y))
    })
}

fn samples(picture: &Pixels) -> Vec<Sample> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let border = (width.min(height) as f64 * WIDTH).round().max(1.0) as usize;
    let bytes = picture.layout().bytes();
    let step = (2 * border * (width + height)).div_ceil(SAMPLES).max(1);
    // Else samples would stand in columns.
    let step = (step..).find(|step| [2 * border, width].iter().all(|side| are_coprime(*step, *side))).unwrap_or(step);
    let sample = |(x, y): (usize, usize)| {
        let place = [x as f32 / width as f32 - 0.5, y as f32 / height as f32 - 0.5];
        let pixel = &picture.data()[(y * width + x) * bytes..][..bytes];
        // What is transparent has no colour.
        (pixel.get(3) != Some(&0)).then(|| (place, [pixel[0], pixel[1], pixel[2]].map(f32::from)))
    };
    places(width, height, border, step).filter_map(sample).collect()
}

fn are_coprime(one: usize, other: usize) -> bool {
    if other == 0 { one == 1 } else { are_coprime(other, one % other) }
}

/// The least squares fit of each channel; `None` where all samples lie on a line.
fn planes(samples: &[Sample]) -> Option<[[f32; 3]; 3]> {
    let mut matrix = [[0.0_f64; 3]; 3];
    let mut sides = [[0.0_f64; 3]; 3];
    for ([u, v], color) in samples {
        let row = [1.0, f64::from(*u), f64::from(*v)];
        for i in 0..3 {
            for j in 0..3 {
                matrix[i][j] += row[i] * row[j];
            }
            for (c, value) in color.iter().enumerate() {
                sides[c][i] += row[i] * f64::from(*value);
            }
        }
    }
    let whole = determinant(&matrix);
    let small = f64::EPSILON * matrix[0][0].powi(3);
    (whole > small).then(|| sides.map(|side| solved(&matrix, whole, side)))
}

/// By Cramer's rule.
fn solved(matrix: &[[f64; 3]; 3], whole: f64, side: [f64; 3]) -> [f32; 3] {
    std::array::from_fn(|column| {
        let mut replaced = *matrix;
        for (row, value) in replaced.iter_mut().zip(side) {
            row[column] = value;
        }
        (determinant(&replaced) / whole) as f32
    })
}

fn determinant([a, b, c]: &[[f64; 3]; 3]) -> f64 {
    let cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
    a.iter().zip(cross).map(|(value, cross)| value * cross).sum()
}

/// The median of whole numbers of 0 to 255.
fn middle_level(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let mut before = values.len() / 2;
    let mut counts = [0_usize; 256];
    values.for_each(|value| counts[usize::from(value as u8)] += 1);
    let passed = |count: &usize| before.checked_sub(*count).map(|rest| before = rest).is_none();
    counts.iter().position(passed).unwrap_or(0) as f32
}

pub(super) fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_takes_from_all_places_in_their_order() {
        for (width, height, border) in [(9, 7, 2), (3, 8, 2), (8, 3, 2), (5, 5, 1), (4, 4, 9)] {
            let is_near = |at: usize, side: usize| at < border || at + border >= side;
            let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            let all: Vec<_> = all.filter(|(x, y)| is_near(*x, width) || is_near(*y, height)).collect();
            for step in 1..30 {
                let right: Vec<_> = all.iter().copied().step_by(step).collect();
                let places: Vec<_> = places(width, height, border, step).collect();
                assert_eq!(places, right, "{width} × {height}, {border} wide, every {step}");
            }
        }
    }
}
