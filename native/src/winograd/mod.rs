//! Convolutions of 3 × 3 with a fifth of the multiplications: Winograd's F(6×6, 3×3).
//!
//! Squares of 8 × 8 inputs become 64 numbers, each of which is multiplied with a matrix of its own; the products become
//! squares of 6 × 6 outputs ("Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308; the points are
//! 0, ±1, ±2, ±1/2 and infinity).
//!
//! Some rows of squares are a task. Within it some squares are finished together: their transformed inputs and products
//! stay in the second cache, and the weights of one matrix in the first.

mod reader;

use std::cell::RefCell;
use std::ops::Range;

use crate::buffer::Buffer;
use crate::kernels::{ALONG, Finish, Kernels, LANES, POINTS, SIDE, Square, Tile, prefetch};
use crate::plan::{Convolution, Source, Target};
use crate::pool::Pool;
use crate::waves::in_waves;
use reader::Reader;

/// Squares that are finished together: a multiple of every tile's pixels.
const SQUARES: usize = 12;

/// Channels that are transformed together.
const CHANNELS: usize = 64;

/// Numbers between the points, without which all 64 of a square would lie in the same few sets of the first cache.
const GAP: usize = 16;

/// Along a side of a convolution's weights.
const TAPS: usize = 3;

/// Below this width, too many of the last squares of a row would be empty.
const NARROWEST: usize = 40;

/// A convolution that is ready to run.
pub(crate) struct Winograd {
    kernels: Kernels,
    tile: Tile,
    outputs: usize,
    pieces: Vec<Piece>,
    /// By piece, block of outputs, and point, as kernels read them.
    weights: Buffer,
    bias: Vec<f32>,
    lowest: f32,
    adds: bool,
    slides: Option<usize>,
}

/// Some channels of one tensor.
#[derive(Clone, Copy)]
struct Piece {
    source: usize,
    first: usize,
    channels: usize,
}

/// What a task works in: each thread keeps its own from one to the next.
#[derive(Default)]
struct Scratch {
    /// By point, square and channel.
    inputs: Buffer,
    /// By block of outputs, point, square and output.
    products: Buffer,
    /// Lines of inputs, where they do not lie in memory as they are read.
    lines: Buffer,
    /// One square of outputs, by pixel.
    square: Buffer,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Squares of one row, side by side.
#[derive(Clone, Copy)]
struct Run {
    row: usize,
    first: usize,
    count: usize,
}

/// Rows of squares, and where their outputs go.
struct Band<'a> {
    first_row: usize,
    /// Pixels of a row, and squares.
    width: usize,
    along: usize,
    output: &'a mut [f32],
    pooled: Option<&'a mut [f32]>,
}

impl Scratch {
    fn make_room(&mut self, outputs: usize, of_tile: usize) {
        self.inputs.grow(POINTS * stride(CHANNELS));
        self.products.grow(outputs.div_ceil(of_tile) * POINTS * stride(of_tile));
        self.lines.grow(ALONG * (SQUARES * SIDE + ALONG - SIDE) * CHANNELS);
        self.square.grow(SIDE * SIDE * outputs);
    }
}

impl Winograd {
    /// Whether a convolution is one of these, and gains.
    pub(crate) fn fits(convolution: &Convolution, sources: &[usize], width: usize) -> bool {
        let Convolution { kernel, dilation, outputs, .. } = *convolution;
        let is_whole = sources.iter().chain([&outputs]).all(|channels| channels.is_multiple_of(LANES));
        kernel == 3 && dilation == 1 && width >= NARROWEST && is_whole
    }

    /// `sources` are the channels of each tensor that is looked at. The convolution must [fit](Self::fits).
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], kernels: Kernels) -> Self {
        let outputs = convolution.outputs;
        let tile = kernels.tile(outputs);
        let inputs = sources.iter().sum::<usize>();
        let mut weights = Buffer::new(POINTS * inputs * outputs.next_multiple_of(tile.outputs));
        let (mut pieces, mut before, mut rest) = (Vec::new(), 0, &mut weights[..]);
        for (source, all) in sources.iter().copied().enumerate() {
            for first in (0..all).step_by(CHANNELS) {
                let channels = CHANNELS.min(all - first);
                pieces.push(Piece { source, first, channels });
                let taps = |output: usize, input: usize| {
                    let taps = convolution.weights.get((output * inputs + before + first + input) * TAPS * TAPS..)?;
                    taps.first_chunk()
                };
                for block in (0..outputs).step_by(tile.outputs) {
                    let of_block;
                    (of_block, rest) = rest.split_at_mut(POINTS * channels * tile.outputs);
                    let points = of_block.chunks_exact_mut(channels * tile.outputs);
                    let mut points: Vec<_> = points.map(|point| point.chunks_exact_mut(LANES)).collect();
                    for (input, lanes) in (0..channels).flat_map(|c| (0..tile.outputs / LANES).map(move |l| (c, l))) {
                        let output = |lane| block + lanes * LANES + lane;
                        let taps = std::array::from_fn(|lane| taps(output(lane), input).copied().unwrap_or_default());
                        for (point, values) in points.iter_mut().zip(transformed(&taps)) {
                            point.next().into_iter().for_each(|place| place.copy_from_slice(&values));
                        }
                    }
                }
            }
            before += all;
        }
        let (bias, lowest) = (convolution.bias.clone(), convolution.lowest());
        let Convolution { adds, slides, .. } = *convolution;
        Self { kernels, tile, outputs, pieces, weights, bias, lowest, adds, slides }
    }

    /// Fills the target. Sources of another size are resized as they are read.
    pub(crate) fn run(&self, sources: &[Source<'_>], target: Target<'_>, pool: &Pool) {
        in_waves(self.slides, sources, target, |first, seen, target| {
            let readers: Vec<_> =
                self.pieces.iter().map(|piece| Reader::new(*piece, seen[piece.source], target.shape)).collect();
            self.rows(first, &readers, target, pool);
        });
    }

    /// Fills the rows from `first` on.
    fn rows(&self, first: usize, readers: &[Reader<'_>], target: Target<'_>, pool: &Pool) {
        let Target { shape: to, data: output, pooled } = target;
        let (down, along) = (output.len().div_ceil(SIDE * to.width * self.outputs), to.width.div_ceil(SIDE));
        let threads = pool.threads();
        let rows = down.div_ceil(4 * threads).max((2 * SQUARES).div_ceil(along)).min(down.div_ceil(threads));
        let mut pooled = pooled.map(|pooled| pooled.chunks_mut(rows * SIDE / 2 * (to.width / 2) * self.outputs));
        let bands = output.chunks_mut(rows * SIDE * to.width * self.outputs).enumerate().map(|(number, output)| Band {
            first_row: first / SIDE + number * rows,
            width: to.width,
            along,
            output,
            pooled: pooled.as_mut().and_then(Iterator::next),
        });
        pool.for_each(bands.collect::<Vec<_>>().into_iter(), |band| {
            SCRATCH.with_borrow_mut(|scratch| self.band(band, readers, scratch));
        });
    }

    fn band(&self, mut band: Band<'_>, readers: &[Reader<'_>], scratch: &mut Scratch) {
        scratch.make_room(self.outputs, self.tile.outputs);
        let all = band.output.len().div_ceil(SIDE * band.width * self.outputs) * band.along;
        for first in (0..all).step_by(SQUARES) {
            let squares = first..all.min(first + SQUARES);
            self.multiply(&band, &squares, readers, scratch);
            for (square, place) in squares.enumerate() {
                self.finish(square, place, scratch, &mut band);
            }
        }
    }

    /// Fills the products of some squares of a band. Multiplying leaves memory idle, which brings meanwhile what is read and
    /// written next.
    fn multiply(&self, band: &Band<'_>, squares: &Range<usize>, readers: &[Reader<'_>], scratch: &mut Scratch) {
        let Tile { pixels, outputs, .. } = self.tile;
        let Scratch { inputs, products, lines, .. } = scratch;
        let (count, mut rest) = (squares.len().next_multiple_of(pixels), &self.weights[..]);
        for (number, reader) in readers.iter().enumerate() {
            let channels = reader.piece.channels;
            let mut square = 0;
            for run in band.runs(squares.clone()) {
                reader.transform(self.kernels, run, lines, &mut inputs[square * channels..]);
                square += run.count;
            }
            let to_come = match readers.get(number + 1) {
                Some(next) => band.runs(squares.clone()).flat_map(|run| next.lines(run)).collect(),
                None => {
                    let made = band.runs(squares.clone()).flat_map(|run| band.lines(run, self.outputs));
                    let next = band.runs(squares.end..squares.end + SQUARES).flat_map(|run| readers[0].lines(run));
                    made.chain(next).collect()
                }
            };
            let mut ahead = Ahead::new(to_come, self.outputs.div_ceil(outputs) * POINTS);
            let blocks = products.chunks_exact_mut(POINTS * stride(outputs));
            for products in blocks.take(self.outputs.div_ceil(outputs)) {
                let of_points = inputs.chunks_exact(stride(channels));
                for (inputs, products) in of_points.zip(products.chunks_exact_mut(stride(outputs))) {
                    let weights;
                    (weights, rest) = rest.split_at(channels * outputs);
                    let (inputs, products) = (&inputs[..count * channels], &mut products[..count * outputs]);
                    self.tile.add_rows(inputs, weights, products, number == 0);
                    ahead.step();
                }
            }
        }
    }

    /// Turns the products of a square into outputs. It is the `place`th of its band.
    fn finish(&self, square: usize, place: usize, scratch: &mut Scratch, band: &mut Band<'_>) {
        let width = band.width;
        let (row, place, line) = (place / band.along, place % band.along, width * self.outputs);
        let (start, columns) = (place * SIDE * self.outputs, SIDE.min(width - place * SIDE));
        let output = band.output.chunks_mut(SIDE * line).nth(row).unwrap_or_default();
        let mut pooled = band.pooled.as_deref_mut().and_then(|all| all.chunks_mut(SIDE / 2 * (line / 2)).nth(row));
        let is_whole = columns == SIDE && output.len() == SIDE * line;
        for first in (0..self.outputs).step_by(self.tile.outputs) {
            let block = first / self.tile.outputs * POINTS * stride(self.tile.outputs);
            let products = &scratch.products[block + square * self.tile.outputs..];
            let bias = &self.bias[first..self.outputs.min(first + self.tile.outputs)];
            let finish = Finish { bias, lowest: self.lowest, adds: self.adds && is_whole };
            let pixel = self.outputs;
            let mut square = if is_whole {
                let pooled = pooled.as_deref_mut().map(|pooled| lines(pooled, line / 2, start / 2 + first));
                Square { lines: lines(output, line, start + first), pooled, pixel }
            } else {
                Square { lines: lines(&mut scratch.square, SIDE * pixel, first), pooled: None, pixel }
            };
            self.kernels.back(products, stride(self.tile.outputs), &finish, &mut square);
        }
        if !is_whole {
            self.finish_part(&scratch.square, columns, (start, line), output, pooled);
        }
    }

    /// Puts a square that reaches beyond an edge into its place.
    fn finish_part(
        &self,
        square: &[f32],
        columns: usize,
        (start, line): (usize, usize),
        output: &mut [f32],
        pooled: Option<&mut [f32]>,
    ) {
        for (line, made) in output.chunks_exact_mut(line).zip(square.chunks_exact(SIDE * self.outputs)) {
            for (output, made) in line[start..].iter_mut().zip(&made[..columns * self.outputs]) {
                *output = if self.adds { *output + made } else { *made };
            }
        }
        let Some(pooled) = pooled else { return };
        for (to, lines) in pooled.chunks_exact_mut(line / 2).zip(output.chunks_exact(2 * line)) {
            let (upper, lower) = lines.split_at(line);
            let to = to[start / 2..].chunks_exact_mut(self.outputs).take(columns / 2);
            for (pixel, to) in to.enumerate() {
                let place = start + 2 * pixel * self.outputs;
                for (channel, to) in to.iter_mut().enumerate() {
                    let (left, right) = (place + channel, place + self.outputs + channel);
                    *to = upper[left].max(upper[right]).max(lower[left].max(lower[right]));
                }
            }
        }
    }
}

impl Band<'_> {
    /// Squares, by their places in the band, as runs.
    fn runs(&self, squares: Range<usize>) -> impl Iterator<Item = Run> {
        let (mut square, end, first_row, along) = (squares.start, squares.end, self.first_row, self.along);
        std::iter::from_fn(move || {
            let (row, first) = (first_row + square / along, square % along);
            let count = (along - first).min(end - square);
            square += count;
            (count > 0).then_some(Run { row, first, count })
        })
    }

    /// Where the outputs of a run go, line by line: so many for each pixel.
    fn lines(&self, run: Run, outputs: usize) -> impl Iterator<Item = &[f32]> {
        let (left, right) = (run.first * SIDE, self.width.min((run.first + run.count) * SIDE));
        let rows = (run.row - self.first_row) * SIDE..;
        let place = move |row: usize, column: usize| (row * self.width + column) * outputs;
        rows.take(SIDE).filter_map(move |row| self.output.get(place(row, left)..place(row, right)))
    }
}

/// Lines that are brought to the second cache, a part of each at every step.
struct Ahead<'a> {
    lines: Vec<&'a [f32]>,
    part: usize,
}

impl<'a> Ahead<'a> {
    fn new(lines: Vec<&'a [f32]>, steps: usize) -> Self {
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        Self { lines, part: longest.div_ceil(steps).next_multiple_of(LANES) }
    }

    fn step(&mut self) {
        for line in &mut self.lines {
            let (now, later) = line.split_at(self.part.min(line.len()));
            prefetch(now);
            *line = later;
        }
    }
}

/// So many lines of `length` numbers, each from a place on.
fn lines<const LINES: usize>(data: &mut [f32], length: usize, from: usize) -> [&mut [f32]; LINES] {
    let mut all = data.chunks_exact_mut(length);
    std::array::from_fn(|_| all.next().map_or(&mut [][..], |line| &mut line[from..]))
}

/// How far the numbers of a point stand after those of the one before, with so many for each square.
const fn stride(each: usize) -> usize {
    SQUARES * each + GAP
}

/// What inputs of each point are multiplied by, `G g Gᵀ`, for the 3 × 3 weights of some outputs.
fn transformed(taps: &[[f32; TAPS * TAPS]; LANES]) -> [[f32; LANES]; POINTS] {
    let mut lines = [[[0.0; LANES]; TAPS]; ALONG];
    for column in 0..TAPS {
        let column_taps = std::array::from_fn(|row| taps.map(|taps| taps[row * TAPS + column]));
        lines.iter_mut().zip(of_taps(&column_taps)).for_each(|(line, point)| line[column] = point);
    }
    let mut points = [[0.0; LANES]; POINTS];
    for (points, line) in points.chunks_exact_mut(ALONG).zip(&lines) {
        points.copy_from_slice(&of_taps(line));
    }
    points
}

/// Three taps of a line become what its eight points are multiplied by, `G g`.
fn of_taps([a, b, c]: &[[f32; LANES]; TAPS]) -> [[f32; LANES]; ALONG] {
    let mut points = [[0.0; LANES]; ALONG];
    for (lane, ((a, b), c)) in a.iter().zip(b).zip(c).enumerate() {
        let one = (a + c) * (-2.0 / 9.0);
        let two = a * (1.0 / 90.0) + c * (2.0 / 45.0);
        let half = a * (32.0 / 45.0) + c * (8.0 / 45.0);
        let (one_apart, two_apart, half_apart) = (b * (2.0 / 9.0), b * (1.0 / 45.0), b * (16.0 / 45.0));
        let all = [
            *a,
            one - one_apart,
            one + one_apart,
            two + two_apart,
            two - two_apart,
            half + half_apart,
            half - half_apart,
            *c,
        ];
        points.iter_mut().zip(all).for_each(|(point, value)| point[lane] = value);
    }
    points
}
