//! What each step of a run costs.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::kernels::{Kernels, numbers};
use crate::network::{Network, Prepared};
use crate::plan::{Shape, Step, Work};

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// What it does, with its channels and its size.
    pub name: String,
    /// How many multiplications its formula has. Winograd's do fewer.
    pub multiplications: u64,
    /// Of all tensors that it reads and writes once, and of its weights as the file has them.
    pub bytes: u64,
    /// How long it took.
    pub time: Duration,
}

impl Network {
    /// Runs once, and tells what each step cost.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[must_use]
    pub fn measure(&self, input: &[f32]) -> Vec<Layer> {
        let mut guard = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = &mut *guard;
        let mut layers = Vec::new();
        self.begin(input, slots);
        for (step, prepared) in self.steps() {
            let start = Instant::now();
            self.step(step, prepared, slots);
            layers.push(Layer { time: start.elapsed(), ..described(step, prepared) });
        }
        layers
    }

    /// How many multiplications and additions of 32-bit floats a second one thread makes where all numbers are in the first cache.
    #[must_use]
    pub fn peak(&self) -> f64 {
        let tile = self.kernels.tile(64);
        let (inputs, weights) = (vec![numbers(64, 1); tile.pixels], numbers(64 * tile.outputs, 2));
        let inputs: Vec<_> = inputs.iter().map(Vec::as_slice).collect();
        let mut sums = vec![0.0; tile.pixels * tile.outputs];
        let each = 64 * tile.pixels * tile.outputs;
        let mut best = Duration::MAX;
        for _ in 0..200 {
            let start = Instant::now();
            (0..100).for_each(|_| tile.add(&inputs, &weights, &mut sums, true));
            best = best.min(start.elapsed());
        }
        100.0 * each as f64 / best.as_secs_f64()
    }

    /// The name of the kernels that run.
    #[must_use]
    pub fn kernels(&self) -> &'static str {
        let Kernels { name, .. } = self.kernels;
        name
    }
}

fn described(step: &Step, prepared: Option<&Prepared>) -> Layer {
    let to = step.output.shape;
    let channels = step.inputs.iter().map(|input| input.shape.channels);
    let from = channels.clone().map(|channels| channels.to_string()).collect::<Vec<_>>().join(" + ");
    let (what, weights, adds) = match (&step.work, prepared) {
        (Work::Convolution(convolution), Some(prepared)) => {
            let kernel = convolution.kernel;
            let weights = channels.sum::<usize>() * to.channels * kernel * kernel;
            (format!("{} {kernel}×{kernel}", prepared.name()), weights, convolution.adds)
        }
        (work, _) => (work.name().to_owned(), 0, false),
    };
    let length = |shape: Shape| shape.count() as u64;
    let read = step.inputs.iter().map(|input| length(input.shape)).sum::<u64>();
    let written = length(to) * (1 + u64::from(adds)) + step.pooled.map_or(0, |pooled| length(pooled.shape));
    Layer {
        name: format!("{what}, {from} → {} at {}×{}", to.channels, to.width, to.height),
        multiplications: (weights * to.pixels()) as u64,
        bytes: 4 * (read + written + weights as u64),
        time: Duration::ZERO,
    }
}
