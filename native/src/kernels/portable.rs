//! What runs everywhere: the twin that the others are compared with.

use super::{Kernels, Tile, check, check_rows, transforms};

const LANES: usize = 16;

pub(super) fn kernels() -> Option<Kernels> {
    Some(Kernels { name: "portable", tiles, forward, back, end, resize, matrices: None })
}

fn tiles(_: usize) -> Tile {
    Tile { pixels: 4, outputs: LANES, add: tile::<4>, add_rows: rows::<4> }
}

fn tile<const PIXELS: usize>(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32], starts: bool) {
    check(inputs, weights, sums, (PIXELS, LANES));
    for (input, sums) in inputs.iter().zip(sums.as_chunks_mut().0) {
        add_products(input, weights, sums, starts);
    }
}

fn rows<const PIXELS: usize>(inputs: &[f32], weights: &[f32], sums: &mut [f32], starts: bool) {
    let (_, channels) = check_rows(inputs, weights, sums, (PIXELS, LANES));
    for (pixel, sums) in sums.as_chunks_mut().0.iter_mut().enumerate() {
        add_products(&inputs[pixel * channels..][..channels], weights, sums, starts);
    }
}

/// Of one pixel.
fn add_products(input: &[f32], weights: &[f32], sums: &mut [f32; LANES], starts: bool) {
    let mut total = if starts { [0.0; LANES] } else { *sums };
    for (value, weights) in input.iter().zip(weights.as_chunks::<LANES>().0) {
        for (sum, weight) in total.iter_mut().zip(weights) {
            *sum += value * weight;
        }
    }
    *sums = total;
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

/// Unsafe only where others are.
#[inline(always)]
#[expect(unsafe_code, reason = "the macro calls it as it does those that take pointers")]
unsafe fn load(from: &[f32], place: usize) -> Vector {
    let mut all = [0.0; 8];
    all.copy_from_slice(&from[place..place + 8]);
    all
}

/// As `load`.
#[inline(always)]
#[expect(unsafe_code, reason = "as above")]
unsafe fn store(to: &mut [f32], place: usize, all: Vector) {
    to[place..place + 8].copy_from_slice(&all);
}

#[inline(always)]
fn same(value: f32) -> Vector {
    [value; 8]
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
fn largest(one: Vector, other: Vector) -> Vector {
    each(one, other, f32::max)
}

transforms!(8, Vector,);
