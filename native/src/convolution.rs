//! Convolutions: weights in the order in which they are read, and the loops around the kernels.
//!
//! A group of pixels is finished before the next begins. Its sums stay in the first cache, and so do the weights of one
//! piece of the channels of one tap, which all its tiles read. Pixels beyond the edge are read from a row of zeros
//! (as in "The Indirect Convolution Algorithm", arXiv 1907.02129), so that no edge is a case of its own.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::kernels::{CHANNELS, GROUP, Kernels, OUTPUTS, Tile, ZEROS};
use crate::plan::{Convolution, Source};

/// Numbers of weights that fit into the first cache beside sums and inputs.
const PIECE: usize = 4096;

/// Numbers that all taps of a pixel may have for them to be laid side by side.
const SIDE_BY_SIDE: usize = 64;

/// A convolution that is ready to run.
pub(crate) struct Packed {
    tile: Tile,
    outputs: usize,
    /// By block of outputs, and within it in the order of [`pieces`](Self::pieces), by input and output.
    weights: Vec<f32>,
    bias: Vec<f32>,
    pieces: Vec<Piece>,
    /// Channels of all pieces.
    depth: usize,
    has_relu: bool,
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
        let Convolution { kernel, dilation, outputs, has_relu, .. } = *convolution;
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
        let mut bias = convolution.bias.clone();
        bias.resize(blocks * tile.outputs, 0.0);
        let depth = columns.len();
        Self { tile, outputs, weights, bias, pieces, depth, has_relu }
    }

    /// Fills `output`, and adds to it what is to be added.
    pub(crate) fn run(&self, sources: &[Source<'_>], added: Option<&[f32]>, output: &mut [f32]) {
        let group = GROUP * self.outputs;
        output.par_chunks_mut(group).enumerate().for_each(|(number, output)| {
            let added = added.map(|added| &added[number * group..][..output.len()]);
            self.group(number * GROUP, sources, added, output);
        });
    }

    /// Fills the pixels from `start` on.
    fn group(&self, start: usize, sources: &[Source<'_>], added: Option<&[f32]>, output: &mut [f32]) {
        let Tile { pixels, outputs, .. } = self.tile;
        let mut sums = [0.0; GROUP * OUTPUTS];
        let sums = &mut sums[..GROUP * outputs];
        let (mut places, count) = ([(0, 0); GROUP], output.len() / self.outputs);
        let width = sources.first().map_or(1, |(shape, _)| shape.width);
        for (place, pixel) in places.iter_mut().zip(start..) {
            *place = ((pixel / width) as isize, (pixel % width) as isize);
        }
        let mut rest = &self.weights[..];
        for (block, bias) in self.bias.chunks_exact(outputs).enumerate() {
            sums.chunks_exact_mut(outputs).for_each(|sums| sums.copy_from_slice(bias));
            if self.depth <= SIDE_BY_SIDE {
                let weights;
                (weights, rest) = rest.split_at(self.depth * outputs);
                self.side_by_side(&places[..count], sources, weights, sums);
                self.finish(block * outputs, sums, added, output);
                continue;
            }
            for piece in &self.pieces {
                let weights;
                (weights, rest) = rest.split_at(piece.channels * outputs);
                let mut read = [&ZEROS[..piece.channels]; GROUP];
                for (read, place) in read.iter_mut().zip(&places[..count]) {
                    *read = piece.read(*place, sources);
                }
                let tiles = read[..count.next_multiple_of(pixels)].chunks_exact(pixels);
                for (read, sums) in tiles.zip(sums.chunks_exact_mut(pixels * outputs)) {
                    self.tile.add(read, weights, sums);
                }
            }
            self.finish(block * outputs, sums, added, output);
        }
    }

    /// All taps at once, for inputs of few channels.
    fn side_by_side(&self, places: &[(isize, isize)], sources: &[Source<'_>], weights: &[f32], sums: &mut [f32]) {
        let Tile { pixels, outputs, .. } = self.tile;
        let mut inputs = [0.0; GROUP * SIDE_BY_SIDE];
        for (inputs, place) in inputs.chunks_exact_mut(self.depth).zip(places) {
            let mut rest = inputs;
            for piece in &self.pieces {
                let (input, after) = rest.split_at_mut(piece.channels);
                input.copy_from_slice(piece.read(*place, sources));
                rest = after;
            }
        }
        let mut read = [&ZEROS[..self.depth]; GROUP];
        read.iter_mut().zip(inputs.chunks_exact(self.depth)).for_each(|(read, input)| *read = input);
        let tiles = read[..places.len().next_multiple_of(pixels)].chunks_exact(pixels);
        for (read, sums) in tiles.zip(sums.chunks_exact_mut(pixels * outputs)) {
            self.tile.add(read, weights, sums);
        }
    }

    /// Puts the sums of the outputs from `first` on into their places.
    fn finish(&self, first: usize, sums: &[f32], added: Option<&[f32]>, output: &mut [f32]) {
        let width = self.tile.outputs.min(self.outputs - first);
        let lowest = if self.has_relu { 0.0 } else { f32::NEG_INFINITY };
        for (pixel, sums) in sums.chunks_exact(self.tile.outputs).take(output.len() / self.outputs).enumerate() {
            let place = pixel * self.outputs + first;
            let output = &mut output[place..][..width];
            for (output, sum) in output.iter_mut().zip(sums) {
                *output = sum.max(lowest);
            }
            if let Some(added) = added {
                for (output, added) in output.iter_mut().zip(&added[place..]) {
                    *output += added;
                }
            }
        }
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
