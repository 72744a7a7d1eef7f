//! Convolutions of 3 × 3 of one tensor with few channels, as a picture has.
//!
//! Three rows that have a pixel of zeros at either end are laid out. All that a pixel of the output sees of them is copied side
//! by side, and contributes at once.

use crate::buffer::Buffer;
use crate::convolution::Ending;
use crate::kernels::{CHANNELS, GROUP, Kernels, OUTPUTS, Tile};
use crate::plan::{Convolution, Source, Target};
use crate::pool::Pool;

const TAPS: usize = 3;

/// A convolution that is ready to run.
pub(crate) struct Shallow {
    tile: Tile,
    channels: usize,
    /// By block of outputs, tap and channel, as kernels read them.
    weights: Buffer,
    ending: Ending,
}

impl Shallow {
    /// `None` for a convolution that is none of these.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], kernels: Kernels) -> Option<Self> {
        let Convolution { kernel, dilation, outputs, .. } = *convolution;
        let &[channels] = sources else { return None };
        if kernel != TAPS || dilation != 1 || TAPS * TAPS * channels > CHANNELS {
            return None;
        }
        let tile = kernels.tile(outputs);
        let mut weights = Vec::new();
        for first in (0..outputs).step_by(tile.outputs) {
            for place in 0..TAPS * TAPS * channels {
                let (tap, channel) = (place / channels, place % channels);
                let of = |output: usize| {
                    let place = (output * channels + channel) * TAPS * TAPS + tap;
                    convolution.weights.get(place).copied().unwrap_or(0.0)
                };
                weights.extend((first..first + tile.outputs).map(of));
            }
        }
        Some(Self { tile, channels, weights: Buffer::of(&weights), ending: Ending::new(convolution, kernels) })
    }

    /// Fills the target.
    pub(crate) fn run(&self, &(shape, data): &Source<'_>, target: Target<'_>, pool: &Pool) {
        let length = (shape.width + TAPS - 1) * self.channels;
        let lines = || vec![0.0; TAPS * length];
        let rows = target.data.chunks_mut(shape.width * self.ending.outputs()).enumerate();
        pool.for_each_with(rows, lines, |lines, (row, output)| {
            for (step, line) in lines.chunks_exact_mut(length).enumerate() {
                let inside = &mut line[self.channels..length - self.channels];
                let above = (row + step).checked_sub(1).filter(|row| *row < shape.height);
                match above.map(|row| &data[row * inside.len()..][..inside.len()]) {
                    Some(pixels) => inside.copy_from_slice(pixels),
                    None => inside.fill(0.0),
                }
            }
            self.row(lines, length, output);
        });
    }

    fn row(&self, lines: &[f32], length: usize, output: &mut [f32]) {
        let Tile { pixels, outputs, .. } = self.tile;
        let (each, depth) = (self.ending.outputs(), TAPS * self.channels);
        let (mut patches, mut sums) = ([0.0; GROUP * CHANNELS], [0.0; GROUP * OUTPUTS]);
        for (number, output) in output.chunks_mut(GROUP * each).enumerate() {
            let (start, count) = (number * GROUP, output.len() / each);
            for (pixel, patch) in patches.chunks_exact_mut(TAPS * depth).take(count).enumerate() {
                for (patch, line) in patch.chunks_exact_mut(depth).zip(lines.chunks_exact(length)) {
                    patch.copy_from_slice(&line[(start + pixel) * self.channels..][..depth]);
                }
            }
            let all = count.next_multiple_of(pixels);
            let (patches, sums) = (&patches[..all * TAPS * depth], &mut sums[..all * outputs]);
            let weights = self.weights.chunks_exact(TAPS * depth * outputs);
            for (first, weights) in (0..each).step_by(outputs).zip(weights) {
                self.tile.add_rows(patches, weights, sums, true);
                self.ending.write(first, outputs, sums, output);
            }
        }
    }
}
