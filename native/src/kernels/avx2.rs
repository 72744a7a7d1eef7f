//! AVX2 with FMA: eight numbers at once, sixteen registers.

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm256_sub_ps,
};

use super::vectors::vectors;
use super::{Kernels, Tile, check, check_rows, transforms};

pub(super) fn kernels() -> Option<Kernels> {
    let is_there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    is_there.then_some(Kernels { name: "avx2", tiles, forward, back, end, resize, matrices: None })
}

fn tiles(_: usize) -> Tile {
    Tile { pixels: 6, outputs: 16, add: tile::<6, 2>, add_rows: rows::<6, 2> }
}

vectors! {
    "avx2,fma", 8, __m256,
    _mm256_loadu_ps, _mm256_storeu_ps, _mm256_setzero_ps, _mm256_set1_ps,
    _mm256_add_ps, _mm256_sub_ps, _mm256_fmadd_ps, _mm256_max_ps
}
