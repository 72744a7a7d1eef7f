//! Convolutions of 3 × 3 with a quarter of the multiplications: Winograd's F(4×4, 3×3).
//!
//! Squares of 6 × 6 inputs become 36 numbers, each of which is multiplied with a matrix of its own; the products become
//! squares of 4 × 4 outputs ("Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308, section 4.3).
//!
//! A row of squares is a task. Within it some squares are finished together: their transformed inputs and products
//! stay in the second cache, and the weights of one matrix in the first.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::kernels::{ALONG, Kernels, POINTS, SIDE, Tile, ZEROS, prefetch};
use crate::plan::{Convolution, Source};

/// Squares that are finished together: a multiple of every tile's pixels.
const SQUARES: usize = 12;

/// Channels that are transformed together.
const CHANNELS: usize = 64;

/// Numbers between the points, without which all 36 of a square would lie in the same few sets of the first cache.
const GAP: usize = 16;

/// Channels that the transforms take at once.
const LANES: usize = 16;

/// Below this width, too many of the last squares of a row would be empty.
const NARROWEST: usize = 80;

/// A convolution that is ready to run.
pub(crate) struct Winograd {
    kernels: Kernels,
    tile: Tile,
    outputs: usize,
    pieces: Vec<Piece>,
    /// By piece, block of outputs, and point, as kernels read them.
    weights: Vec<f32>,
    bias: Vec<f32>,
    has_relu: bool,
}

/// Some channels of one tensor.
#[derive(Clone, Copy)]
struct Piece {
    source: usize,
    first: usize,
    channels: usize,
}

/// What a task works in.
struct Scratch {
    /// By point, square and channel.
    inputs: Vec<f32>,
    /// By block of outputs, point, square and output.
    products: Vec<f32>,
    /// One square of outputs, by pixel.
    square: Vec<f32>,
}

impl Winograd {
    /// `None` for a convolution that is none of these, or would not gain.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], width: usize, kernels: Kernels) -> Option<Self> {
        let Convolution { kernel, dilation, outputs, has_relu, .. } = *convolution;
        let fits = sources.iter().chain([&outputs]).all(|channels| channels.is_multiple_of(LANES));
        if kernel != 3 || dilation != 1 || width < NARROWEST || !fits {
            return None;
        }
        let tile = kernels.tile(outputs);
        let (mut pieces, mut weights, mut before) = (Vec::new(), Vec::new(), 0);
        let inputs = sources.iter().sum::<usize>();
        for (source, all) in sources.iter().copied().enumerate() {
            for first in (0..all).step_by(CHANNELS) {
                let channels = CHANNELS.min(all - first);
                pieces.push(Piece { source, first, channels });
                let matrix = |output: usize, input: usize| {
                    let taps = convolution.weights.get((output * inputs + before + first + input) * 9..)?;
                    Some(transformed(taps.first_chunk()?))
                };
                let all: Vec<_> = (0..outputs.next_multiple_of(tile.outputs))
                    .map(|output| {
                        (0..channels).map(|input| matrix(output, input).unwrap_or([0.0; POINTS])).collect::<Vec<_>>()
                    })
                    .collect();
                for block in all.chunks_exact(tile.outputs) {
                    for point in 0..POINTS {
                        for input in 0..channels {
                            weights.extend(block.iter().map(|output| output[input][point]));
                        }
                    }
                }
            }
            before += all;
        }
        let bias = convolution.bias.clone();
        Some(Self { kernels, tile, outputs, pieces, weights, bias, has_relu })
    }

    /// Fills `output`, and adds to it what is to be added.
    pub(crate) fn run(&self, sources: &[Source<'_>], added: Option<&[f32]>, output: &mut [f32]) {
        let width = sources.first().map_or(1, |(shape, _)| shape.width);
        let rows = SIDE * width * self.outputs;
        let blocks = self.outputs.div_ceil(self.tile.outputs);
        let scratch = || Scratch {
            inputs: vec![0.0; POINTS * stride(CHANNELS)],
            products: vec![0.0; blocks * POINTS * stride(self.tile.outputs)],
            square: vec![0.0; SIDE * SIDE * self.outputs],
        };
        output.par_chunks_mut(rows).enumerate().for_each_init(scratch, |scratch, (number, output)| {
            let added = added.map(|added| &added[number * rows..][..output.len()]);
            let all = width.div_ceil(SIDE);
            for first in (0..all).step_by(SQUARES) {
                let count = SQUARES.min(all - first);
                self.multiply((number, first, count), sources, scratch);
                for square in 0..count {
                    self.finish(square, first + square, width, added, scratch, output);
                }
            }
        });
    }

    /// Fills the products of `count` squares of a row from `first` on.
    fn multiply(&self, (row, first, count): (usize, usize, usize), sources: &[Source<'_>], scratch: &mut Scratch) {
        let Tile { pixels, outputs, .. } = self.tile;
        let Scratch { inputs, products, .. } = scratch;
        products.fill(0.0);
        let mut rest = &self.weights[..];
        for piece in &self.pieces {
            let read = |square: usize| piece.read((row, first + square), sources[piece.source]);
            let mut next = read(0);
            for square in 0..count {
                let read = std::mem::replace(&mut next, read(square + 1));
                // Processors do not guess that six lines are read side by side.
                next.iter().for_each(|numbers| prefetch(numbers));
                self.kernels.forward(&read, &mut inputs[square * piece.channels..], stride(piece.channels));
            }
            for products in products.chunks_exact_mut(POINTS * stride(outputs)) {
                let of_points = inputs.chunks_exact(stride(piece.channels));
                for (inputs, products) in of_points.zip(products.chunks_exact_mut(stride(outputs))) {
                    let weights;
                    (weights, rest) = rest.split_at(piece.channels * outputs);
                    let mut squares = [&ZEROS[..]; SQUARES];
                    for (square, inputs) in squares.iter_mut().zip(inputs.chunks_exact(piece.channels)) {
                        *square = inputs;
                    }
                    let tiles = squares[..count.next_multiple_of(pixels)].chunks_exact(pixels);
                    for (squares, products) in tiles.zip(products.chunks_exact_mut(pixels * outputs)) {
                        self.tile.add(squares, weights, products);
                    }
                }
            }
        }
    }

    /// Turns the products of a square into outputs. It is the `place`th of its row.
    fn finish(
        &self,
        square: usize,
        place: usize,
        width: usize,
        added: Option<&[f32]>,
        scratch: &mut Scratch,
        output: &mut [f32],
    ) {
        let Scratch { products, square: pixels, .. } = scratch;
        let lanes = self.tile.outputs;
        let lowest = if self.has_relu { 0.0 } else { f32::NEG_INFINITY };
        for (block, products) in products.chunks_exact(POINTS * stride(lanes)).enumerate() {
            let bias = &self.bias[block * lanes..];
            let bias = &bias[..lanes.min(bias.len())];
            let products = &products[square * lanes..];
            self.kernels.back(products, stride(lanes), bias, lowest, &mut pixels[block * lanes..], self.outputs);
        }
        let columns = SIDE.min(width - place * SIDE) * self.outputs;
        for (row, line) in output.chunks_exact_mut(width * self.outputs).enumerate() {
            let start = place * SIDE * self.outputs;
            // What the next square will touch.
            prefetch(&line[start + columns..][..columns.min(line.len() - start - columns)]);
            let added = added.map(|added| &added[row * width * self.outputs + start..]);
            if let Some(next) = added.and_then(|added| added.get(columns..2 * columns)) {
                prefetch(next);
            }
            let line = &mut line[start..][..columns];
            line.copy_from_slice(&pixels[row * SIDE * self.outputs..][..columns]);
            if let Some(added) = added {
                for (line, added) in line.iter_mut().zip(added) {
                    *line += added;
                }
            }
        }
    }
}

impl Piece {
    /// The inputs of a square, by row and column; zeros beyond the edge.
    fn read<'a>(&self, (row, column): (usize, usize), (shape, data): Source<'a>) -> [&'a [f32]; POINTS] {
        let mut read = [&ZEROS[..self.channels]; POINTS];
        for (point, read) in read.iter_mut().enumerate() {
            // The square begins one pixel above and to the left of its outputs.
            let place = |square: usize, step: usize, size: usize| {
                (square * SIDE + step).checked_sub(1).filter(|place| *place < size)
            };
            let (down, along) = (place(row, point / ALONG, shape.height), place(column, point % ALONG, shape.width));
            if let (Some(down), Some(along)) = (down, along) {
                *read = &data[(down * shape.width + along) * shape.channels + self.first..][..self.channels];
            }
        }
        read
    }
}

/// How far the numbers of a point stand after those of the one before, with so many for each square.
const fn stride(each: usize) -> usize {
    SQUARES * each + GAP
}

/// What 3 × 3 weights are multiplied by, `G g Gᵀ`.
fn transformed(taps: &[f32; 9]) -> [f32; POINTS] {
    const G: [[f64; 3]; ALONG] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    let mut points = [0.0; POINTS];
    for (point, value) in points.iter_mut().enumerate() {
        let (down, along) = (&G[point / ALONG], &G[point % ALONG]);
        let taps = taps.iter().enumerate().map(|(tap, weight)| down[tap / 3] * along[tap % 3] * f64::from(*weight));
        *value = taps.sum::<f64>() as f32;
    }
    points
}
