//! Convolutions of 3 × 3 on processors with units for matrices, in numbers of 16 bits.
//!
//! A task fills some rows of the output. The three lines of the input that a row looks at are rounded and laid out in the
//! second cache, the channels of all tensors side by side, with zeros beyond the edges; the next row needs one more. There the
//! three taps of a line lie one after the other for every pixel, so each line is one product of matrices.

use std::cell::RefCell;

use crate::buffer::Buffer;
use crate::convolution::Ending;
use crate::kernels::{Between, Block, DEPTH, Kernels, LINES, Matrices, Ready, SIDE_BY_SIDE, SUMS, rounded};
use crate::plan::{Convolution, Shape, Source, Target};
use crate::pool::Pool;
use crate::resize::{between, columns};
use crate::waves::{Seen, in_waves};
use crate::winograd::Winograd;

const TAPS: usize = 3;

/// The least width. Narrower layers are an eighth of the bundled network's work, and half of what rounding does to its mask.
const LEAST: usize = 160;

/// The least rows of a task, where there are enough for all threads: each lays out two lines more.
const ROWS: usize = 8;

/// A convolution that is ready to run.
pub(crate) struct Matrix {
    kernels: Kernels,
    matrices: Matrices,
    block: Block,
    /// Of all tensors that are looked at.
    channels: usize,
    /// By block of outputs, as kernels read them.
    weights: Buffer<u32>,
    ending: Ending,
    slides: Option<usize>,
}

/// What a task works in: each thread keeps its own from one to the next.
#[derive(Default)]
struct Scratch {
    lines: [Buffer<u16>; LINES],
    /// A line that is resized.
    resized: Buffer,
    /// Of one block.
    sums: Buffer,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A tensor that is looked at, and what it is read as.
struct Reader<'a> {
    seen: Seen<'a>,
    /// Of a tensor that is resized as it is read: for each column of the output.
    columns: Vec<Between>,
}

impl Matrix {
    /// `None` for a convolution that is none of these, or where the processor has no such units. `sources` are the channels
    /// of each tensor that is looked at, and `width` is that of the output.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], width: usize, kernels: Kernels) -> Option<Self> {
        let Convolution { outputs, slides, .. } = *convolution;
        let matrices = kernels.matrices?;
        if !Winograd::fits(convolution, sources, width) || width < LEAST || is_sensitive(&convolution.weights) {
            return None;
        }
        let (block, channels) = (Matrices::block(outputs), sources.iter().sum::<usize>());
        let of = |output: usize, line: usize, place: usize| {
            let (tap, channel) = (place / channels, place % channels);
            let weight = convolution.weights.get((output * channels + channel) * TAPS * TAPS + line * TAPS + tap);
            weight.filter(|_| tap < TAPS).map_or(0, |weight| u32::from(rounded(*weight)))
        };
        let mut weights = Vec::new();
        for (first, line) in (0..outputs).step_by(block.outputs).flat_map(|first| (0..LINES).map(move |l| (first, l))) {
            for step in (0..TAPS * channels).step_by(DEPTH) {
                for sixteen in (first..first + block.outputs).step_by(SIDE_BY_SIDE) {
                    for place in (step..step + DEPTH).step_by(2) {
                        let pair = |output: usize| of(output, line, place) | of(output, line, place + 1) << 16;
                        weights.extend((sixteen..sixteen + SIDE_BY_SIDE).map(pair));
                    }
                }
            }
        }
        let (weights, ending) = (Buffer::of(&weights), Ending::new(convolution, kernels));
        Some(Self { kernels, matrices, block, channels, weights, ending, slides })
    }

    /// Fills the target. Sources of another size are resized as they are read.
    pub(crate) fn run(&self, sources: &[Source<'_>], target: Target<'_>, pool: &Pool) {
        in_waves(self.slides, sources, target, |first, seen, Target { shape, data, pooled }| {
            let readers: Vec<_> = seen.iter().map(|seen| Reader::new(*seen, shape)).collect();
            let line = shape.width * shape.channels;
            let (rows, threads) = (data.len() / line, pool.threads());
            let rows = rows.div_ceil(4 * threads).max(ROWS).min(rows.div_ceil(threads)).next_multiple_of(2);
            let mut pooled = pooled.map(|pooled| pooled.chunks_mut(rows / 2 * (line / 2)));
            let tasks = data.chunks_mut(rows * line).enumerate();
            let tasks = tasks.map(|(task, data)| (first + task * rows, data, pooled.as_mut().and_then(Iterator::next)));
            pool.for_each(tasks.collect::<Vec<_>>().into_iter(), |(first, data, pooled)| {
                let target = Target { shape, data, pooled };
                SCRATCH.with_borrow_mut(|scratch| self.rows(first, &readers, target, scratch));
            });
        });
    }

    /// Fills the rows from `first` on.
    fn rows(&self, first: usize, readers: &[Reader<'_>], target: Target<'_>, scratch: &mut Scratch) {
        let Target { shape: to, data, mut pooled } = target;
        let line = to.width * to.channels;
        // Of so many pixels, each with a neighbour, and what the last step reads besides.
        let length = (to.width.next_multiple_of(self.block.pixels) + TAPS - 1) * self.channels + DEPTH;
        scratch.lines.iter_mut().for_each(|line| line.grow(length));
        scratch.sums.grow(SUMS);
        let ready = self.matrices.ready();
        let mut laid_out = first.saturating_sub(1);
        if first == 0 {
            scratch.lines[LINES - 1][..length].fill(0);
        }
        for row in first..first + data.len() / line {
            for below in laid_out..row + 2 {
                scratch.lay_out(below, length, self, readers, to);
            }
            laid_out = row + 2;
            let Scratch { lines, sums, .. } = &mut *scratch;
            let lines = std::array::from_fn(|step| &lines[(row + LINES - 1 + step) % LINES][..length]);
            let row = row - first;
            self.row(&ready, &lines, sums, &mut data[row * line..][..line]);
            if let (1, Some(pooled)) = (row % 2, &mut pooled) {
                let (upper, lower) = data[(row - 1) * line..][..2 * line].split_at(line);
                let pooled = &mut pooled[row / 2 * (line / 2)..][..line / 2];
                crate::widened!(pool_lines(upper, lower, to.channels, pooled));
            }
        }
    }

    /// Fills a row of the output.
    fn row(&self, ready: &Ready, lines: &[&[u16]; LINES], sums: &mut [f32], output: &mut [f32]) {
        let Block { pixels, outputs } = self.block;
        let strips = output.chunks_mut(pixels * self.ending.outputs()).enumerate();
        for (strip, output) in strips {
            let lines = lines.map(|line| &line[strip * pixels * self.channels..]);
            let count = output.len() / self.ending.outputs();
            let blocks = self.ending.outputs().div_ceil(outputs);
            let weights = self.weights.chunks_exact(self.weights.len() / blocks);
            for (number, weights) in weights.enumerate() {
                ready.multiply(self.block, &lines, self.channels, weights, sums);
                self.ending.write(number * outputs, outputs, &sums[..count * outputs], output);
            }
        }
    }
}

impl<'a> Reader<'a> {
    fn new(seen: Seen<'a>, to: Shape) -> Self {
        Self { seen, columns: columns(seen.shape, to, 0) }
    }

    /// A line of the output's size. `resized` is room for one that does not lie in memory.
    fn line<'b>(&'b self, row: usize, to: Shape, kernels: Kernels, resized: &'b mut Buffer) -> &'b [f32] {
        let Seen { shape, above, data } = self.seen;
        let line = |row: usize| &data[(row - above) * shape.width * shape.channels..][..shape.width * shape.channels];
        if self.columns.is_empty() {
            return line(row);
        }
        let length = to.width * shape.channels;
        resized.grow(length);
        let (upper, lower, down) = between(row, shape.height, to.height);
        kernels.resize([line(upper), line(lower)], down, &self.columns, shape.channels, &mut resized[..length]);
        &resized[..length]
    }
}

impl Scratch {
    /// Rounds a line of what is looked at into its place, zeros beyond the edges.
    fn lay_out(&mut self, row: usize, length: usize, matrix: &Matrix, readers: &[Reader<'_>], to: Shape) {
        let (channels, line) = (matrix.channels, &mut self.lines[row % LINES][..length]);
        if row >= to.height {
            return line.fill(0);
        }
        let (before, rest) = line.split_at_mut(channels);
        let (inside, beyond) = rest.split_at_mut(to.width * channels);
        before.fill(0);
        beyond.fill(0);
        let mut first = 0;
        for reader in readers {
            let from = reader.line(row, to, matrix.kernels, &mut self.resized);
            let of_pixel = reader.seen.shape.channels;
            matrix.matrices.round(from, of_pixel, &mut inside[first..], channels);
            first += of_pixel;
        }
    }
}

/// Whether halves are too coarse for these weights: where the largest is more than a hundred times the median, outputs are
/// small differences of large numbers.
fn is_sensitive(weights: &[f32]) -> bool {
    let mut sizes: Vec<_> = weights.iter().map(|weight| weight.abs()).collect();
    sizes.sort_by(f32::total_cmp);
    let middle = sizes.get(sizes.len() / 2).zip(sizes.last());
    middle.is_none_or(|(median, largest)| *largest > 100.0 * median)
}

/// The largest of each 2 × 2 pixels of two lines.
#[inline(always)]
fn pool_lines(upper: &[f32], lower: &[f32], channels: usize, to: &mut [f32]) {
    let pairs = upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels));
    for ((upper, lower), to) in pairs.zip(to.chunks_exact_mut(channels)) {
        let ((a, b), (c, d)) = (upper.split_at(channels), lower.split_at(channels));
        for ((((to, a), b), c), d) in to.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *to = a.max(*b).max(c.max(*d));
        }
    }
}
