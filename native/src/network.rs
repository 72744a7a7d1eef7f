//! A plan that is carried out.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;
use crate::convolution::Packed;
use crate::kernels::Kernels;
use crate::onnx::Graph;
use crate::plan::{Convolution, Plan, Shape, Source, Step, Tensor, Work};
use crate::single::Single;
use crate::winograd::Winograd;

/// A network that is ready to run.
pub struct Network {
    plan: Plan,
    /// Of each step that is a convolution.
    prepared: Vec<Option<Prepared>>,
    pool: ThreadPool,
    /// The tensors, kept from one run to the next.
    slots: Mutex<Vec<Vec<f32>>>,
}

/// A convolution, in the way in which it is computed.
pub(crate) enum Prepared {
    Direct(Packed),
    Single(Single),
    Winograd(Winograd),
}

impl Prepared {
    pub(crate) fn new(convolution: &Convolution, sources: &[Shape], kernels: Kernels) -> Self {
        let channels: Vec<_> = sources.iter().map(|source| source.channels).collect();
        let width = sources.first().map_or(0, |source| source.width);
        let winograd = Winograd::new(convolution, &channels, width, kernels).map(Self::Winograd);
        winograd
            .or_else(|| Single::new(convolution, &channels, kernels).map(Self::Single))
            .unwrap_or_else(|| Self::Direct(Packed::new(convolution, &channels, kernels)))
    }

    pub(crate) fn run(&self, sources: &[Source<'_>], added: Option<&[f32]>, output: &mut [f32]) {
        match self {
            Self::Direct(packed) => packed.run(sources, added, output),
            // One that adds something is never of this kind.
            Self::Single(single) => single.run(sources, output),
            Self::Winograd(winograd) => winograd.run(sources, added, output),
        }
    }
}

impl Network {
    /// Reads an ONNX file. `threads` is how many compute, at least 1; `kernels` is one of [`kernels`](crate::kernels()), or
    /// empty for the fastest.
    ///
    /// # Errors
    /// Every [`Error`].
    pub fn load(bytes: &[u8], threads: usize, kernels: &str) -> Result<Self, Error> {
        let there = || Kernels::all().map(|kernels| kernels.name).collect();
        let found = Kernels::all().find(|one| kernels.is_empty() || one.name == kernels);
        let kernels = found.ok_or_else(|| Error::Kernels(kernels.to_owned(), there()))?;
        let plan = Graph::read(bytes).and_then(|graph| Plan::new(&graph)).map_err(Error::Model)?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "remrembg-infer".to_owned()).build();
        Ok(Self::new(plan, kernels, pool.map_err(|error| Error::Threads(error.into()))?))
    }

    fn new(mut plan: Plan, kernels: Kernels, pool: ThreadPool) -> Self {
        let prepared = plan.steps.iter_mut().map(|step| match &mut step.work {
            Work::Convolution(convolution) => {
                let sources = step.inputs.len() - usize::from(convolution.adds_last);
                let shapes: Vec<_> = step.inputs.iter().take(sources).map(|input| input.shape).collect();
                let prepared = Prepared::new(convolution, &shapes, kernels);
                // The weights as they were are not needed any more.
                convolution.weights = Vec::new();
                Some(prepared)
            }
            _ => None,
        });
        let prepared = prepared.collect();
        Self { plan, prepared, pool, slots: Mutex::new(Vec::new()) }
    }

    /// What it takes.
    #[must_use]
    pub fn input(&self) -> Shape {
        self.plan.input.shape
    }

    /// Computes the output of an input, both by channel, row and column; `None` where it is told to stop, which it
    /// looks for before each layer. One run at a time: others wait.
    ///
    /// # Panics
    /// If the input has not as many numbers as [`input`](Self::input) says.
    pub fn run(&self, input: &[f32], stop: &AtomicBool) -> Option<(Shape, Vec<f32>)> {
        assert_eq!(input.len(), self.input().len(), "as many numbers as the network takes");
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.resize_with(self.plan.slots.len(), Vec::new);
        for (slot, size) in slots.iter_mut().zip(&self.plan.slots) {
            slot.resize(*size, 0.0);
        }
        let slots = &mut *slots;
        self.pool.install(|| {
            let Tensor { shape, slot } = self.plan.input;
            transposed(input, shape.channels, &mut slots[slot][..shape.len()]);
            for (step, prepared) in self.plan.steps.iter().zip(&self.prepared) {
                if stop.load(Ordering::Relaxed) {
                    return None;
                }
                done(step, prepared.as_ref(), slots);
            }
            let Tensor { shape, slot } = self.plan.output;
            let mut output = vec![0.0; shape.len()];
            transposed(&slots[slot][..shape.len()], shape.pixels(), &mut output);
            Some((shape, output))
        })
    }
}

/// Turns `rows` rows into columns.
fn transposed(from: &[f32], rows: usize, to: &mut [f32]) {
    let columns = from.len() / rows.max(1);
    for (column, to) in to.chunks_exact_mut(rows.max(1)).enumerate() {
        for (to, from) in to.iter_mut().zip(from.iter().skip(column).step_by(columns.max(1))) {
            *to = *from;
        }
    }
}

fn done(step: &Step, prepared: Option<&Prepared>, slots: &mut [Vec<f32>]) {
    // No input of a step lies in the slot of its output.
    let mut slot = mem::take(&mut slots[step.output.slot]);
    let output = &mut slot[..step.output.shape.len()];
    let inputs: Vec<_> =
        step.inputs.iter().map(|input| (input.shape, &slots[input.slot][..input.shape.len()])).collect();
    match (&step.work, &*inputs, prepared) {
        (Work::Convolution(convolution), [sources @ .., (_, added)], Some(prepared)) if convolution.adds_last => {
            prepared.run(sources, Some(added), output);
        }
        (Work::Convolution(_), sources, Some(prepared)) => prepared.run(sources, None, output),
        (Work::MaxPool, [(shape, input)], _) => max_pool(input, *shape, output),
        (Work::Resize, [(shape, input)], _) => resize(input, *shape, output, step.output.shape),
        (Work::Sum, [(_, one), (_, other)], _) => {
            for ((sum, one), other) in output.iter_mut().zip(*one).zip(*other) {
                *sum = one + other;
            }
        }
        (Work::Sigmoid, [(_, input)], _) => {
            for (output, input) in output.iter_mut().zip(*input) {
                *output = 1.0 / (1.0 + (-input).exp());
            }
        }
        _ => unreachable!("plans give every kind of step the inputs that it needs"),
    }
    slots[step.output.slot] = slot;
}

fn max_pool(input: &[f32], Shape { width, channels, .. }: Shape, output: &mut [f32]) {
    let (line, half) = (width * channels, width.div_ceil(2) * channels);
    output.par_chunks_mut(half).zip(input.par_chunks(2 * line)).for_each(|(output, rows)| {
        for (column, output) in output.chunks_exact_mut(channels).enumerate() {
            output.fill(f32::NEG_INFINITY);
            for row in rows.chunks_exact(line) {
                for pixel in row.chunks_exact(channels).skip(2 * column).take(2) {
                    for (output, value) in output.iter_mut().zip(pixel) {
                        *output = output.max(*value);
                    }
                }
            }
        }
    });
}

/// Where an output lies between two inputs: both, and how far from the first to the second.
fn between(place: usize, from: usize, to: usize) -> (usize, usize, f32) {
    let middle = if to > 1 { (place as f32 + 0.5) * (from as f32 / to as f32) - 0.5 } else { 0.0 };
    let middle = middle.clamp(0.0, (from - 1) as f32);
    let first = middle as usize;
    (first, (first + 1).min(from - 1), middle - first as f32)
}

fn resize(input: &[f32], from: Shape, output: &mut [f32], to: Shape) {
    let columns: Vec<_> = (0..to.width).map(|column| between(column, from.width, to.width)).collect();
    let channels = from.channels;
    output.par_chunks_mut(to.width * channels).enumerate().for_each(|(row, output)| {
        let (above, below, down) = between(row, from.height, to.height);
        let pixel = |row: usize, column: usize| &input[(row * from.width + column) * channels..][..channels];
        for (&(left, right, along), output) in columns.iter().zip(output.chunks_exact_mut(channels)) {
            let corners = [pixel(above, left), pixel(above, right), pixel(below, left), pixel(below, right)];
            for (channel, output) in output.iter_mut().enumerate() {
                let [a, b, c, d] = corners.map(|corner| corner[channel]);
                let (upper, lower) = (a + (b - a) * along, c + (d - c) * along);
                *output = upper + (lower - upper) * down;
            }
        }
    });
}
