//! Convolutions: weights in the order in which they are read, and the loops around the kernels.
//!
//! A group of pixels is finished before the next begins. Its sums stay in the first cache, and so do the weights of one
//! piece of the channels of one tap, which all its tiles read. Pixels beyond the edge are read from a row of zeros
//! (as in "The Indirect Convolution Algorithm", arXiv 1907.02129), so that no edge is a case of its own.

use crate::buffer::Buffer;
use crate::kernels::{CHANNELS, Finish, GROUP, Kernels, OUTPUTS, Tile, ZEROS};
use crate::plan::{Convolution, Source, Target};
use crate::pool::Pool;

/// Numbers of weights that fit into the first cache beside sums and inputs.
const PIECE: usize = 4096;

/// A convolution that is ready to run.
pub(crate) struct Packed {
    tile: Tile,
    /// By block of outputs, and within it in the order of [`pieces`](Self::pieces), by input and output.
    weights: Buffer,
    pieces: Vec<Piece>,
    ending: Ending,
}

/// Some channels of one tap.
#[derive(Clone, Copy)]
struct Piece {
    source: usize,
    /// How far away the tap looks.
    down: isize,
    along: isize,
    first: usize,
    channels: usize,
}

impl Packed {
    /// `sources` are the channels of each tensor that is looked at.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], kernels: Kernels) -> Self {
        let Convolution { kernel, dilation, outputs, .. } = *convolution;
        let tile = kernels.tile(outputs);
        let most = (PIECE / tile.outputs).min(CHANNELS);
        let (mut pieces, mut columns) = (Vec::new(), Vec::new());
        let mut before = 0;
        for (source, channels) in sources.iter().enumerate() {
            for tap in 0..kernel * kernel {
                let reach = |place: usize| (place as isize - (kernel / 2) as isize) * dilation as isize;
                for first in (0..*channels).step_by(most) {
                    let channels = most.min(channels - first);
                    let (down, along) = (reach(tap / kernel), reach(tap % kernel));
                    pieces.push(Piece { source, down, along, first, channels });
                    columns
                        .extend((before + first..before + first + channels).map(|input| input * kernel * kernel + tap));
                }
            }
            before += channels;
        }
        let inputs = before * kernel * kernel;
        let blocks = outputs.div_ceil(tile.outputs);
        let mut weights = Vec::with_capacity(blocks * columns.len() * tile.outputs);
        for block in 0..blocks {
            for column in &columns {
                let of = |output: usize| convolution.weights.get(output * inputs + column).copied().unwrap_or(0.0);
                weights.extend((0..tile.outputs).map(|lane| of(block * tile.outputs + lane)));
            }
        }
        Self { tile, weights: Buffer::of(&weights), pieces, ending: Ending::new(convolution, kernels) }
    }

    /// Fills the target.
    pub(crate) fn run(&self, sources: &[Source<'_>], target: Target<'_>, pool: &Pool) {
        let groups = target.data.chunks_mut(GROUP * self.ending.outputs()).enumerate();
        pool.for_each(groups, |(number, output)| {
            self.group(number * GROUP, sources, output);
        });
    }

    /// Fills the pixels from `start` on.
    fn group(&self, start: usize, sources: &[Source<'_>], output: &mut [f32]) {
        let Tile { pixels, outputs, .. } = self.tile;
        let mut sums = [0.0; GROUP * OUTPUTS];
        let sums = &mut sums[..GROUP * outputs];
        let (mut places, count) = ([(0, 0); GROUP], output.len() / self.ending.outputs());
        let width = sources.first().map_or(1, |(shape, _)| shape.width);
        for (place, pixel) in places.iter_mut().zip(start..) {
            *place = ((pixel / width) as isize, (pixel % width) as isize);
        }
        let mut rest = &self.weights[..];
        for first in (0..self.ending.outputs()).step_by(outputs) {
            for (number, piece) in self.pieces.iter().enumerate() {
                let weights;
                (weights, rest) = rest.split_at(piece.channels * outputs);
                let mut read = [&ZEROS[..piece.channels]; GROUP];
                for (read, place) in read.iter_mut().zip(&places[..count]) {
                    *read = piece.read(*place, sources);
                }
                let tiles = read[..count.next_multiple_of(pixels)].chunks_exact(pixels);
                for (read, sums) in tiles.zip(sums.chunks_exact_mut(pixels * outputs)) {
                    self.tile.add(read, weights, sums, number == 0);
                }
            }
            self.ending.write(first, outputs, sums, output);
        }
    }
}

/// How sums become outputs.
pub(crate) struct Ending {
    kernels: Kernels,
    bias: Vec<f32>,
    lowest: f32,
    adds: bool,
}

impl Ending {
    pub(crate) fn new(convolution: &Convolution, kernels: Kernels) -> Self {
        let (bias, lowest) = (convolution.bias.clone(), convolution.lowest());
        Self { kernels, bias, lowest, adds: convolution.adds }
    }

    /// Numbers of a pixel.
    pub(crate) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Puts the sums of the outputs from `first` on, so many of each pixel, into their places.
    pub(crate) fn write(&self, first: usize, each: usize, sums: &[f32], output: &mut [f32]) {
        let bias = &self.bias[first..self.outputs().min(first + each)];
        let finish = Finish { bias, lowest: self.lowest, adds: self.adds };
        self.kernels.end(sums, each, &finish, &mut output[first..], self.outputs());
    }
}

impl Piece {
    /// What a pixel of the output sees there; zeros beyond the edge.
    fn read<'a>(&self, (row, column): (isize, isize), sources: &[Source<'a>]) -> &'a [f32] {
        let (shape, data) = sources[self.source];
        let place = |place: isize, size: usize| usize::try_from(place).ok().filter(|place| *place < size);
        match (place(row + self.down, shape.height), place(column + self.along, shape.width)) {
            (Some(row), Some(column)) => {
                &data[(row * shape.width + column) * shape.channels + self.first..][..self.channels]
            }
            _ => &ZEROS[..self.channels],
        }
    }
}
