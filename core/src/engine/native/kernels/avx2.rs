//! AVX2 with FMA: eight numbers at once, sixteen registers.

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::{Kernels, Tile, check, transforms};

const LANES: usize = 8;

pub(super) fn kernels() -> Option<Kernels> {
    let is_there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    is_there.then_some(Kernels { name: "avx2", tiles, forward, back })
}

fn tiles(_: usize) -> Tile {
    Tile { pixels: 6, outputs: 2 * LANES, add: tile::<6, 2> }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
#[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
fn load(from: &[f32]) -> __m256 {
    assert!(from.len() == LANES, "a register full");
    // SAFETY: so many numbers are there.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
#[expect(unsafe_code, reason = "as above")]
fn store(to: &mut [f32], all: __m256) {
    assert!(to.len() == LANES, "a register full");
    // SAFETY: there is room for so many numbers.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), all) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn add(one: __m256, other: __m256) -> __m256 {
    _mm256_add_ps(one, other)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn subtract(one: __m256, other: __m256) -> __m256 {
    _mm256_sub_ps(one, other)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn scaled(factor: f32, one: __m256, other: __m256) -> __m256 {
    _mm256_fmadd_ps(_mm256_set1_ps(factor), one, other)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn at_least(lowest: f32, all: __m256) -> __m256 {
    _mm256_max_ps(all, _mm256_set1_ps(lowest))
}

transforms!(8, __m256, #[target_feature(enable = "avx2,fma")]);

/// Twelve registers of sums, two of weights and one of an input.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
fn tile<const PIXELS: usize, const VECTORS: usize>(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
    let channels = check(inputs, weights, sums, (PIXELS, VECTORS * LANES));
    let mut starts = [std::ptr::null::<f32>(); PIXELS];
    for (start, input) in starts.iter_mut().zip(inputs) {
        *start = input.as_ptr();
    }
    let (weights, sums) = (weights.as_ptr(), sums.as_mut_ptr());
    let mut totals = [[_mm256_setzero_ps(); VECTORS]; PIXELS];
    // SAFETY: `check` saw that there are `channels` inputs at each start, `channels * VECTORS * LANES` weights and
    // `PIXELS * VECTORS * LANES` sums.
    unsafe {
        for (pixel, totals) in totals.iter_mut().enumerate() {
            for (vector, total) in totals.iter_mut().enumerate() {
                *total = _mm256_loadu_ps(sums.add((pixel * VECTORS + vector) * LANES));
            }
        }
        for channel in 0..channels {
            let mut factors: [__m256; VECTORS] = [_mm256_setzero_ps(); VECTORS];
            for (vector, factor) in factors.iter_mut().enumerate() {
                *factor = _mm256_loadu_ps(weights.add((channel * VECTORS + vector) * LANES));
            }
            for pixel in 0..PIXELS {
                let value = _mm256_broadcast_ss(&*starts[pixel].add(channel));
                for vector in 0..VECTORS {
                    totals[pixel][vector] = _mm256_fmadd_ps(value, factors[vector], totals[pixel][vector]);
                }
            }
        }
        for (pixel, totals) in totals.iter().enumerate() {
            for (vector, total) in totals.iter().enumerate() {
                _mm256_storeu_ps(sums.add((pixel * VECTORS + vector) * LANES), *total);
            }
        }
    }
}
