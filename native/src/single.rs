//! Convolutions with a single output.
//!
//! Kernels compute sixteen outputs or more at once. Here the taps take their places: each pixel of the input is
//! multiplied with the weights of all taps, and an output is the sum of what its neighbours have for it.

use std::ops::Range;

use crate::kernels::{CHANNELS, GROUP, Kernels, OUTPUTS, Tile, ZEROS};
use crate::plan::{Convolution, Source, Target};
use crate::pool::Pool;

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
    /// `None` for a convolution that is none of these, or adds something.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], kernels: Kernels) -> Option<Self> {
        let Convolution { kernel, dilation, outputs, adds, .. } = *convolution;
        let taps = kernel * kernel;
        let tile = kernels.tile(taps);
        if outputs != 1 || adds || taps > tile.outputs || sources.iter().any(|channels| *channels > CHANNELS) {
            return None;
        }
        let mut inputs = convolution.weights.chunks_exact(taps);
        let padded = |taps: &[f32]| taps.iter().copied().chain(std::iter::repeat(0.0)).take(tile.outputs).collect();
        let of_source =
            |channels: &usize| inputs.by_ref().take(*channels).flat_map(|taps| -> Vec<_> { padded(taps) }).collect();
        let weights = sources.iter().map(of_source).collect();
        let bias = convolution.bias.first().copied().unwrap_or(0.0);
        Some(Self { tile, kernel, dilation, weights, bias, lowest: convolution.lowest() })
    }

    /// Fills the target.
    pub(crate) fn run(&self, sources: &[Source<'_>], target: Target<'_>, pool: &Pool) {
        let (shape, output) = (target.shape, target.data);
        let tasks = output.chunks_mut(ROWS * shape.width).enumerate();
        pool.for_each_with(tasks, Vec::new, |planes: &mut Vec<f32>, (number, output)| {
            let (first, reach) = (number * ROWS, self.kernel / 2 * self.dilation);
            let above = first.saturating_sub(reach);
            let below = (first + output.len() / shape.width + reach).min(shape.height);
            let pixels = above * shape.width..below * shape.width;
            planes.resize(self.taps() * pixels.len(), 0.0);
            if self.kernel == 1 {
                self.weigh(pixels, sources, planes);
            } else {
                self.multiply(pixels, sources, planes);
            }
            for (row, line) in output.chunks_exact_mut(shape.width).enumerate() {
                self.sum(first + row, (above, below), planes, line);
            }
        });
    }

    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Fills the products of some pixels, by tap and pixel.
    fn multiply(&self, pixels: Range<usize>, sources: &[Source<'_>], planes: &mut [f32]) {
        let Tile { pixels: step, outputs, .. } = self.tile;
        let mut products = [0.0; GROUP * OUTPUTS];
        let products = &mut products[..step * outputs];
        for start in pixels.clone().step_by(step) {
            let count = step.min(pixels.end - start);
            for (number, ((shape, data), weights)) in sources.iter().zip(&self.weights).enumerate() {
                let mut read = [&ZEROS[..shape.channels]; GROUP];
                let inputs = data[start * shape.channels..].chunks_exact(shape.channels);
                read.iter_mut().take(count).zip(inputs).for_each(|(read, input)| *read = input);
                self.tile.add(&read[..step], weights, products, number == 0);
            }
            for (tap, plane) in planes.chunks_exact_mut(pixels.len()).enumerate() {
                let plane = &mut plane[start - pixels.start..][..count];
                for (place, product) in plane.iter_mut().zip(products.chunks_exact(outputs)) {
                    *place = product[tap];
                }
            }
        }
    }

    /// As `multiply`, for a kernel of one pixel.
    fn weigh(&self, pixels: Range<usize>, sources: &[Source<'_>], plane: &mut [f32]) {
        plane.fill(0.0);
        for ((shape, data), weights) in sources.iter().zip(&self.weights) {
            let inputs = &data[pixels.start * shape.channels..pixels.end * shape.channels];
            for (channel, weight) in weights.iter().step_by(self.tile.outputs).enumerate() {
                for (sum, input) in plane.iter_mut().zip(inputs.chunks_exact(shape.channels)) {
                    *sum += weight * input[channel];
                }
            }
        }
    }

    /// Fills a row of the output; the planes are those of the rows `above..below`.
    fn sum(&self, row: usize, (above, below): (usize, usize), planes: &[f32], line: &mut [f32]) {
        line.fill(self.bias);
        let width = line.len();
        for (tap, plane) in planes.chunks_exact(planes.len() / self.taps()).enumerate() {
            let reach = |step: usize| (step as isize - (self.kernel / 2) as isize) * self.dilation as isize;
            let (down, along) = (reach(tap / self.kernel), reach(tap % self.kernel));
            let Some(row) = row.checked_add_signed(down).filter(|row| (above..below).contains(row)) else { continue };
            let products = &plane[(row - above) * width..][..width];
            let products = products.iter().skip(along.max(0) as usize);
            for (output, product) in line.iter_mut().skip((-along).max(0) as usize).zip(products) {
                *output += product;
            }
        }
        line.iter_mut().for_each(|output| *output = output.max(self.lowest));
    }
}
