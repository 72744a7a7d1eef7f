//! What runs everywhere: the twin that the others are compared with.

use super::{Kernels, Tile, check, transforms};

const LANES: usize = 16;

pub(super) fn kernels() -> Kernels {
    Kernels { name: "portable", tiles, forward, back }
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

#[inline(always)]
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

/// Eight numbers, in whatever registers there are.
type Vector = [f32; 8];

#[inline(always)]
fn each(one: Vector, other: Vector, of: impl Fn(f32, f32) -> f32) -> Vector {
    let mut all = one;
    for (one, other) in all.iter_mut().zip(other) {
        *one = of(*one, other);
    }
    all
}

#[inline(always)]
fn load(from: &[f32]) -> Vector {
    let mut all = [0.0; 8];
    all.copy_from_slice(from);
    all
}

#[inline(always)]
fn store(to: &mut [f32], all: Vector) {
    to.copy_from_slice(&all);
}

#[inline(always)]
fn add(one: Vector, other: Vector) -> Vector {
    each(one, other, |one, other| one + other)
}

#[inline(always)]
fn subtract(one: Vector, other: Vector) -> Vector {
    each(one, other, |one, other| one - other)
}

#[inline(always)]
fn scaled(factor: f32, one: Vector, other: Vector) -> Vector {
    each(one, other, |one, other| factor * one + other)
}

#[inline(always)]
fn at_least(lowest: f32, all: Vector) -> Vector {
    each(all, all, |one, _| one.max(lowest))
}

transforms!(8, Vector,);
