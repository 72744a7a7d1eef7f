//! What runs everywhere: the twin that the others are compared with.

use super::{Kernels, Tile, check};

const LANES: usize = 16;

pub(super) fn kernels() -> Kernels {
    Kernels { name: "portable", tiles }
}

fn tiles(outputs: usize) -> Tile {
    if outputs < LANES / 2 { DOT } else { Tile { pixels: 4, outputs: LANES, add: tile::<4> } }
}

/// For few outputs: one after the other, over the channels.
pub(super) const DOT: Tile = Tile { pixels: 1, outputs: 1, add: dot };

fn tile<const PIXELS: usize>(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
    check(inputs, weights, sums, (PIXELS, LANES));
    let (weights, _) = weights.as_chunks::<LANES>();
    let (sums, _) = sums.as_chunks_mut::<LANES>();
    for (input, sums) in inputs.iter().zip(sums) {
        let mut total = *sums;
        for (value, weights) in input.iter().zip(weights) {
            for (sum, weight) in total.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        *sums = total;
    }
}

#[inline]
pub(super) fn dot(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
    check(inputs, weights, sums, (1, 1));
    let (Some(input), Some(sum)) = (inputs.first(), sums.first_mut()) else { return };
    let ((values, rest), (factors, other)) = (input.as_chunks::<LANES>(), weights.as_chunks::<LANES>());
    let mut total = [0.0; LANES];
    for (values, factors) in values.iter().zip(factors) {
        for ((total, value), factor) in total.iter_mut().zip(values).zip(factors) {
            *total += value * factor;
        }
    }
    *sum += total.iter().sum::<f32>() + rest.iter().zip(other).map(|(value, factor)| value * factor).sum::<f32>();
}
