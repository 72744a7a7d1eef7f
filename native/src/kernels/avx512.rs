//! AVX-512: sixteen numbers at once, thirty-two registers.

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps, _mm512_sub_ps,
};

use super::vectors::vectors;
use super::{Kernels, Tile, check, check_rows, transforms};

pub(super) fn kernels() -> Option<Kernels> {
    is_x86_feature_detected!("avx512f").then_some(Kernels {
        name: "avx512",
        tiles,
        forward,
        back,
        end,
        resize,
        matrices: None,
    })
}

fn tiles(outputs: usize) -> Tile {
    match outputs {
        0..=16 => Tile { pixels: 12, outputs: 16, add: tile::<12, 1>, add_rows: rows::<12, 1> },
        17..=32 => Tile { pixels: 12, outputs: 32, add: tile::<12, 2>, add_rows: rows::<12, 2> },
        _ => Tile { pixels: 6, outputs: 64, add: tile::<6, 4>, add_rows: rows::<6, 4> },
    }
}

vectors! {
    "avx512f", 16, __m512,
    _mm512_loadu_ps, _mm512_storeu_ps, _mm512_setzero_ps, _mm512_set1_ps,
    _mm512_add_ps, _mm512_sub_ps, _mm512_fmadd_ps, _mm512_max_ps
}
