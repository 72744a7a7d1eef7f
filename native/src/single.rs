//! Convolutions with a single output.
//!
//! Kernels compute sixteen outputs or more at once. Here the taps take their places: each pixel of the input is
//! multiplied with the weights of all taps, and an output is the sum of what its neighbours have for it.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::kernels::{GROUP, Kernels, Tile};
use crate::plan::{Convolution, Source};

/// Rows of a task.
const ROWS: usize = 16;

/// A convolution that is ready to run.
pub(crate) struct Single {
    tile: Tile,
    kernel: usize,
    dilation: usize,
    /// Of each source by channel and tap.
    weights: Vec<Vec<f32>>,
    bias: f32,
    lowest: f32,
}

impl Single {
    /// `None` for a convolution that has more outputs, or adds something.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], kernels: Kernels) -> Option<Self> {
        let Convolution { kernel, dilation, outputs, has_relu, adds_last, .. } = *convolution;
        let taps = kernel * kernel;
        let tile = kernels.tile(taps);
        if outputs != 1 || adds_last || taps > tile.outputs {
            return None;
        }
        let mut inputs = convolution.weights.chunks_exact(taps);
        let padded = |taps: &[f32]| taps.iter().copied().chain(std::iter::repeat(0.0)).take(tile.outputs).collect();
        let of_source =
            |channels: &usize| inputs.by_ref().take(*channels).flat_map(|taps| -> Vec<_> { padded(taps) }).collect();
        let weights = sources.iter().map(of_source).collect();
        let bias = convolution.bias.first().copied().unwrap_or(0.0);
        let lowest = if has_relu { 0.0 } else { f32::NEG_INFINITY };
        Some(Self { tile, kernel, dilation, weights, bias, lowest })
    }

    /// Fills `output`.
    pub(crate) fn run(&self, sources: &[Source<'_>], output: &mut [f32]) {
        let Some(&(shape, _)) = sources.first() else { return };
        output.par_chunks_mut(ROWS * shape.width).enumerate().for_each_init(Vec::new, |products, (number, output)| {
            let (first, reach) = (number * ROWS, self.kernel / 2 * self.dilation);
            let above = first.saturating_sub(reach);
            let below = (first + output.len() / shape.width + reach).min(shape.height);
            self.multiply(above * shape.width..below * shape.width, sources, products);
            for (row, line) in output.chunks_exact_mut(shape.width).enumerate() {
                self.sum(first + row, (above, below), products, line);
            }
        });
    }

    /// Fills the products of some pixels, by pixel and tap.
    fn multiply(&self, pixels: std::ops::Range<usize>, sources: &[Source<'_>], products: &mut Vec<f32>) {
        let Tile { pixels: step, outputs, .. } = self.tile;
        products.clear();
        products.resize(pixels.len().next_multiple_of(step) * outputs, 0.0);
        for ((shape, data), weights) in sources.iter().zip(&self.weights) {
            let zeros = vec![0.0; shape.channels];
            let mut inputs =
                data[pixels.start * shape.channels..pixels.end * shape.channels].chunks_exact(shape.channels);
            for products in products.chunks_exact_mut(step * outputs) {
                let mut read = [&zeros[..]; GROUP];
                read.iter_mut().take(step).zip(inputs.by_ref()).for_each(|(read, input)| *read = input);
                self.tile.add(&read[..step], weights, products);
            }
        }
    }

    /// Fills a row of the output; the products are those of the rows `above..below`.
    fn sum(&self, row: usize, (above, below): (usize, usize), products: &[f32], line: &mut [f32]) {
        line.fill(self.bias);
        for tap in 0..self.kernel * self.kernel {
            let reach = |step: usize| (step as isize - (self.kernel / 2) as isize) * self.dilation as isize;
            let (down, along) = (reach(tap / self.kernel), reach(tap % self.kernel));
            let Some(row) = row.checked_add_signed(down).filter(|row| (above..below).contains(row)) else { continue };
            let width = line.len();
            let products =
                products[(row - above) * width * self.tile.outputs..].iter().skip(tap).step_by(self.tile.outputs);
            let products = products.take(width).skip(along.max(0) as usize);
            for (output, product) in line.iter_mut().skip((-along).max(0) as usize).zip(products) {
                *output += product;
            }
        }
        line.iter_mut().for_each(|output| *output = output.max(self.lowest));
    }
}
