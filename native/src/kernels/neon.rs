//! NEON: four numbers at once, thirty-two registers.

use std::arch::aarch64::{float32x4_t, vaddq_f32, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmaxq_f32, vst1q_f32, vsubq_f32};
use std::arch::is_aarch64_feature_detected;

use super::vectors::vectors;
use super::{Kernels, Tile, check, check_rows, transforms};

pub(super) fn kernels() -> Option<Kernels> {
    is_aarch64_feature_detected!("neon").then_some(Kernels {
        name: "neon",
        tiles,
        forward,
        back,
        end,
        resize,
        matrices: None,
    })
}

fn tiles(_: usize) -> Tile {
    Tile { pixels: 6, outputs: 16, add: tile::<6, 4>, add_rows: rows::<6, 4> }
}

#[target_feature(enable = "neon")]
#[inline]
fn zeros() -> float32x4_t {
    vdupq_n_f32(0.0)
}

/// The product of the first two and the third.
#[target_feature(enable = "neon")]
#[inline]
fn multiply_add(one: float32x4_t, other: float32x4_t, sum: float32x4_t) -> float32x4_t {
    vfmaq_f32(sum, one, other)
}

vectors! {
    "neon", 4, float32x4_t,
    vld1q_f32, vst1q_f32, zeros, vdupq_n_f32,
    vaddq_f32, vsubq_f32, multiply_add, vmaxq_f32
}
