//! AVX-512: sixteen numbers at once, thirty-two registers.

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{Kernels, Tile, check, transforms};

const LANES: usize = 16;

pub(super) fn kernels() -> Option<Kernels> {
    is_x86_feature_detected!("avx512f").then_some(Kernels { name: "avx512", tiles, forward, back })
}

fn tiles(outputs: usize) -> Tile {
    match outputs {
        0..=16 => Tile { pixels: 12, outputs: LANES, add: tile::<12, 1> },
        17..=32 => Tile { pixels: 12, outputs: 2 * LANES, add: tile::<12, 2> },
        _ => Tile { pixels: 6, outputs: 4 * LANES, add: tile::<6, 4> },
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
fn load(from: &[f32]) -> __m512 {
    assert!(from.len() == LANES, "a register full");
    // SAFETY: so many numbers are there.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "as above")]
fn store(to: &mut [f32], all: __m512) {
    assert!(to.len() == LANES, "a register full");
    // SAFETY: there is room for so many numbers.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), all) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add(one: __m512, other: __m512) -> __m512 {
    _mm512_add_ps(one, other)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn subtract(one: __m512, other: __m512) -> __m512 {
    _mm512_sub_ps(one, other)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn scaled(factor: f32, one: __m512, other: __m512) -> __m512 {
    _mm512_fmadd_ps(_mm512_set1_ps(factor), one, other)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn at_least(lowest: f32, all: __m512) -> __m512 {
    _mm512_max_ps(all, _mm512_set1_ps(lowest))
}

transforms!(16, __m512, #[target_feature(enable = "avx512f")]);

/// At most 24 registers of sums, four of weights and one of an input.
#[target_feature(enable = "avx512f")]
#[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
fn tile<const PIXELS: usize, const VECTORS: usize>(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
    let channels = check(inputs, weights, sums, (PIXELS, VECTORS * LANES));
    let mut starts = [std::ptr::null::<f32>(); PIXELS];
    for (start, input) in starts.iter_mut().zip(inputs) {
        *start = input.as_ptr();
    }
    let (weights, sums) = (weights.as_ptr(), sums.as_mut_ptr());
    let mut totals = [[_mm512_setzero_ps(); VECTORS]; PIXELS];
    // SAFETY: `check` saw that there are `channels` inputs at each start, `channels * VECTORS * LANES` weights and
    // `PIXELS * VECTORS * LANES` sums.
    unsafe {
        for (pixel, totals) in totals.iter_mut().enumerate() {
            for (vector, total) in totals.iter_mut().enumerate() {
                *total = _mm512_loadu_ps(sums.add((pixel * VECTORS + vector) * LANES));
            }
        }
        for channel in 0..channels {
            let mut factors: [__m512; VECTORS] = [_mm512_setzero_ps(); VECTORS];
            for (vector, factor) in factors.iter_mut().enumerate() {
                *factor = _mm512_loadu_ps(weights.add((channel * VECTORS + vector) * LANES));
            }
            for pixel in 0..PIXELS {
                let value = _mm512_set1_ps(*starts[pixel].add(channel));
                for vector in 0..VECTORS {
                    totals[pixel][vector] = _mm512_fmadd_ps(value, factors[vector], totals[pixel][vector]);
                }
            }
        }
        for (pixel, totals) in totals.iter().enumerate() {
            for (vector, total) in totals.iter().enumerate() {
                _mm512_storeu_ps(sums.add((pixel * VECTORS + vector) * LANES), *total);
            }
        }
    }
}
