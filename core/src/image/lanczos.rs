//! Lanczos3 as Pillow does it, for the steps that must equal rembg's.
//!
//! Pillow up to 12, the newest that rembg takes, goes across first, rounds to
//! bytes, then goes down, with weights of 22 bits. Floats round as those do; weights
//! of 16 bits, or going down first, moved the mask of a hard photo by 0.9/255 on
//! average through u2netp.

use std::f64::consts::PI;

use remrembg_native::widened;

use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::image::pixels::rounded;
use crate::image::taps::{Kernel, Taps, taps};

const REACH: f64 = 3.0;
const LANCZOS3: Kernel = Kernel { reach: REACH, weight: lanczos };
/// Values that are summed side by side: whole pixels of one, two, three or four channels.
const LANES: usize = 12;
/// Rows that share each weight that is read.
const ABREAST: usize = 4;
/// Rows that a thread makes at once.
const ROWS: usize = 8 * ABREAST;

/// Resizes rows of pixels of `channels` bytes, one to four, channel by channel, on so many
/// threads.
///
/// # Errors
/// [`Code::Internal`] when `data` does not hold `from`.
pub(crate) fn resized(data: &[u8], channels: usize, from: (u32, u32), to: (u32, u32), pool: &Pool) -> Result<Vec<u8>> {
    let [(from_width, from_height), (width, height)] =
        [from, to].map(|(width, height)| (width as usize, height as usize));
    if data.len() != from_width * from_height * channels {
        return Err(Error::with_message(Code::Internal, "The rows do not have the size to be resized from".to_owned()));
    }
    let mut across = vec![0; width * from_height * channels];
    let row = width * channels;
    let weights = Across::new(from_width, width, channels);
    let strips = data.chunks(ROWS * from_width * channels).zip(across.chunks_mut(ROWS * row));
    let resize = match channels {
        1 => Across::resize::<1>,
        2 => Across::resize::<2>,
        3 => Across::resize::<3>,
        _ => Across::resize::<4>,
    };
    pool.for_each(strips, |(from, to)| resize(&weights, from, to));

    let mut made = vec![0; row * height];
    let weights = taps(&LANCZOS3, from_height, height);
    let strips = made.chunks_mut(ROWS * row).zip(weights.chunks(ROWS));
    pool.for_each(strips, |(to, weights)| widened!(down(&across, row, weights, to)));
    Ok(made)
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
    if (-REACH..REACH).contains(&x) { sinc(x) * sinc(x / REACH) } else { 0.0 }
}

/// What makes rows of another width.
struct Across {
    from: usize,
    /// For each pixel the first byte that it is made from, and a weight for each byte, in
    /// whole lanes: what is beyond the last tap counts nothing.
    taps: Vec<(usize, Vec<[f32; LANES]>)>,
}

impl Across {
    fn new(from: usize, to: usize, channels: usize) -> Self {
        let lanes = |Taps { first, weights }: Taps| {
            let each: Vec<f32> = weights.into_iter().flat_map(|weight| std::iter::repeat_n(weight, channels)).collect();
            let lane = |lane: &[f32]| std::array::from_fn(|at| lane.get(at).copied().unwrap_or(0.0));
            (first * channels, each.chunks(LANES).map(lane).collect())
        };
        Self { from: from * channels, taps: taps(&LANCZOS3, from, to).into_iter().map(lanes).collect() }
    }

    fn resize<const CHANNELS: usize>(&self, from: &[u8], to: &mut [u8]) {
        widened!(self.resize_here::<CHANNELS>(from, to));
    }

    #[inline(always)]
    fn resize_here<const CHANNELS: usize>(&self, from: &[u8], to: &mut [u8]) {
        let width = self.taps.len();
        // The last lane may reach beyond the row.
        let mut room = vec![0.0; ABREAST * (self.from + LANES)];
        let to = to.as_chunks_mut::<CHANNELS>().0.chunks_mut(ABREAST * width);
        for (from, to) in from.chunks(ABREAST * self.from).zip(to) {
            for (row, floats) in from.chunks(self.from).zip(room.chunks_mut(self.from + LANES)) {
                floats.iter_mut().zip(row).for_each(|(float, byte)| *float = f32::from(*byte));
            }
            let rows: [&[f32]; ABREAST] =
                std::array::from_fn(|row| &room[row * (self.from + LANES)..][..self.from + LANES]);
            for (x, (first, weights)) in self.taps.iter().enumerate() {
                let sums = sums(rows.map(|row| &row[*first..][..weights.len() * LANES]), weights);
                for (sums, row) in sums.iter().zip(to.chunks_mut(width)) {
                    let mut pixel = [0.0; CHANNELS];
                    for part in sums.as_chunks::<CHANNELS>().0 {
                        pixel.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
                    }
                    row[x] = pixel.map(rounded);
                }
            }
        }
    }
}

/// The weighted sums of rows, lane by lane.
#[inline(always)]
fn sums(rows: [&[f32]; ABREAST], weights: &[[f32; LANES]]) -> [[f32; LANES]; ABREAST] {
    let rows = rows.map(|row| row.as_chunks::<LANES>().0);
    let mut sums = [[0.0; LANES]; ABREAST];
    for (at, weights) in weights.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let values = &row[at];
            for lane in 0..LANES {
                sums[lane] += values[lane] * weights[lane];
            }
        }
    }
    sums
}

/// Rows made from rows above each other.
#[inline(always)]
fn down(from: &[u8], row: usize, taps: &[Taps], to: &mut [u8]) {
    let mut sums = vec![0.0; row];
    for (Taps { first, weights }, to) in taps.iter().zip(to.chunks_mut(row)) {
        sums.fill(0.0);
        for (weight, from) in weights.iter().zip(from[first * row..].chunks(row)) {
            sums.iter_mut().zip(from).for_each(|(sum, byte)| *sum += weight * f32::from(*byte));
        }
        to.iter_mut().zip(&sums).for_each(|(byte, sum)| *byte = rounded(*sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Pillow 12 makes of it: `Image.resize(size, LANCZOS)`.
    #[test]
    fn bytes_are_those_of_pillow() {
        let source: Vec<u8> = (0..7 * 5).map(|at: u32| (at * at * 37 % 251) as u8).collect();
        let resized = |to| resized(&source, 1, (7, 5), to, &Pool::of(2)).expect("the sizes agree");
        assert_eq!(resized((3, 2)), [90, 156, 137, 142, 185, 132]);
        assert_eq!(
            resized((9, 6)),
            [
                0, 7, 94, 141, 76, 66, 154, 149, 61, 16, 55, 170, 218, 165, 182, 117, 114, 193, 207, 103, 121, 211,
                166, 249, 93, 89, 255, 151, 49, 95, 223, 181, 114, 80, 137, 196, 6, 79, 194, 236, 221, 86, 118, 157,
                94, 145, 225, 229, 147, 162, 245, 197, 105, 104
            ]
        );
    }
}
