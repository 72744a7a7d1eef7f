//! Bilinear resizing: pixels are squares whose middles are compared.

use crate::kernels::{Between, Kernels};
use crate::plan::{Shape, Source};
use crate::pool::Pool;

/// Fills a tensor of the size `to`.
pub(crate) fn resize((from, input): Source<'_>, output: &mut [f32], to: Shape, kernels: Kernels, pool: &Pool) {
    let columns = columns(from, to, 0);
    pool.for_each(output.chunks_mut(to.width * to.channels).enumerate(), |(row, output)| {
        let (above, below, down) = between(row, from.height, to.height);
        let line = |row: usize| &input[row * from.width * from.channels..][..from.width * from.channels];
        kernels.resize([line(above), line(below)], down, &columns, from.channels, output);
    });
}

/// Where the pixels of a line lie in one that is resized to it, and their channels from `first` on; none if it is not.
pub(crate) fn columns(from: Shape, to: Shape, first: usize) -> Vec<Between> {
    if (from.height, from.width) == (to.height, to.width) {
        return Vec::new();
    }
    let place = |column: usize| column * from.channels + first;
    let column = |column| {
        let (one, other, along) = between(column, from.width, to.width);
        Between { first: place(one), second: place(other), along }
    };
    (0..to.width).map(column).collect()
}

/// Where an output lies between two inputs: both, and how far from the first to the second.
pub(crate) fn between(place: usize, from: usize, to: usize) -> (usize, usize, f32) {
    let middle = if to > 1 { (place as f32 + 0.5) * (from as f32 / to as f32) - 0.5 } else { 0.0 };
    let middle = middle.clamp(0.0, (from - 1) as f32);
    let first = middle as usize;
    (first, (first + 1).min(from - 1), middle - first as f32)
}
