//! A plan that is carried out.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::buffer::Buffer;
use crate::convolution::Packed;
use crate::kernels::Kernels;
use crate::matrix::Matrix;
use crate::onnx::Graph;
use crate::plan::{Convolution, Plan, Shape, Source, Step, Target, Tensor, Work};
use crate::pool::Pool;
use crate::resize::resize;
use crate::shallow::Shallow;
use crate::single::Single;
use crate::winograd::Winograd;

/// A network that is ready to run.
pub struct Network {
    plan: Plan,
    /// Of each step that is a convolution.
    prepared: Vec<Option<Prepared>>,
    pub(crate) kernels: Kernels,
    pool: Pool,
    /// The tensors, kept from one run to the next.
    pub(crate) slots: Mutex<Vec<Buffer>>,
}

/// A convolution, in the way in which it is computed.
pub(crate) enum Prepared {
    Direct(Packed),
    Matrix(Matrix),
    Shallow(Shallow),
    Single(Single),
    Winograd(Winograd),
}

impl Prepared {
    /// `sources` are the channels of each tensor that is looked at, and `width` that of the output.
    pub(crate) fn new(convolution: &Convolution, sources: &[usize], width: usize, kernels: Kernels) -> Self {
        if let Some(matrix) = Matrix::new(convolution, sources, width, kernels) {
            return Self::Matrix(matrix);
        }
        if Winograd::fits(convolution, sources, width) {
            return Self::Winograd(Winograd::new(convolution, sources, kernels));
        }
        let single = Single::new(convolution, sources, kernels).map(Self::Single);
        single
            .or_else(|| Shallow::new(convolution, sources, kernels).map(Self::Shallow))
            .unwrap_or_else(|| Self::Direct(Packed::new(convolution, sources, kernels)))
    }

    /// Which way it is.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::Matrix(_) => "matrix",
            Self::Shallow(_) => "shallow",
            Self::Single(_) => "single",
            Self::Winograd(_) => "Winograd",
        }
    }

    /// Only Winograd's and matrices resize sources of another size, and pool.
    pub(crate) fn run(&self, sources: &[Source<'_>], target: Target<'_>, pool: &Pool) {
        match self {
            Self::Direct(packed) => packed.run(sources, target, pool),
            Self::Matrix(matrix) => matrix.run(sources, target, pool),
            Self::Shallow(shallow) => shallow.run(&sources[0], target, pool),
            Self::Single(single) => single.run(sources, target, pool),
            Self::Winograd(winograd) => winograd.run(sources, target, pool),
        }
    }
}

impl Network {
    /// Reads an ONNX file. `pool` computes; `kernels` is one of [`kernels`](crate::kernels()), or
    /// empty for the fastest.
    ///
    /// # Errors
    /// Every [`Error`].
    pub fn load(bytes: &[u8], pool: &Pool, kernels: &str) -> Result<Self, Error> {
        let kernels = Kernels::named(kernels).ok_or_else(|| Error::Kernels(kernels.to_owned(), crate::kernels()))?;
        let plan = Graph::read(bytes).and_then(|graph| Plan::new(&graph)).map_err(Error::Model)?;
        Ok(Self::new(plan, kernels, pool.clone()))
    }

    pub(crate) fn new(mut plan: Plan, kernels: Kernels, pool: Pool) -> Self {
        let prepare = |step: &mut Step| match &mut step.work {
            Work::Convolution(convolution) => {
                let channels: Vec<_> = step.inputs.iter().map(|input| input.shape.channels).collect();
                let prepared = Prepared::new(convolution, &channels, step.output.shape.width, kernels);
                // The weights as they were are not needed any more.
                convolution.weights = Vec::new();
                Some(prepared)
            }
            _ => None,
        };
        let mut prepared: Vec<_> = plan.steps.iter().map(|_| None).collect();
        pool.for_each(plan.steps.iter_mut().zip(&mut prepared), |(step, prepared)| *prepared = prepare(step));
        Self { plan, prepared, kernels, pool, slots: Mutex::new(Vec::new()) }
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
        let mut guard = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = &mut *guard;
        self.begin(input, slots);
        for (step, prepared) in self.steps() {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            self.step(step, prepared, slots);
        }
        let Tensor { shape, slot, start } = self.plan.output;
        let mut output = vec![0.0; shape.count()];
        transposed(&slots[slot][start..start + shape.count()], shape.pixels(), &mut output);
        Some((shape, output))
    }

    /// The steps, and how those that are convolutions are computed.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (&Step, Option<&Prepared>)> {
        self.plan.steps.iter().zip(self.prepared.iter().map(Option::as_ref))
    }

    /// Makes room for all tensors, and puts the input into its place.
    pub(crate) fn begin(&self, input: &[f32], slots: &mut Vec<Buffer>) {
        assert_eq!(input.len(), self.input().count(), "as many numbers as the network takes");
        slots.resize_with(self.plan.slots.len(), Buffer::default);
        for (slot, size) in slots.iter_mut().zip(&self.plan.slots) {
            slot.grow(*size);
        }
        let Tensor { shape, slot, start } = self.plan.input;
        transposed(input, shape.channels, &mut slots[slot][start..start + shape.count()]);
    }

    /// Does one step.
    pub(crate) fn step(&self, step: &Step, prepared: Option<&Prepared>, slots: &mut [Buffer]) {
        let Tensor { shape, slot: number, start } = step.output;
        let mut slot = mem::take(&mut slots[number]);
        let mut pooled = step.pooled.map(|tensor| (tensor, mem::take(&mut slots[tensor.slot])));
        // An input over which the output slides is in the slot that was just taken: it is found there.
        let data =
            |input: &Tensor| slots[input.slot].get(input.start..input.start + input.shape.count()).unwrap_or(&[]);
        let inputs: Vec<_> = step.inputs.iter().map(|input| (input.shape, data(input))).collect();
        let slides = matches!(&step.work, Work::Convolution(Convolution { slides: Some(_), .. }));
        let output = if slides { &mut slot[start..] } else { &mut slot[start..start + shape.count()] };
        match (&step.work, &*inputs, prepared) {
            (Work::Convolution(_), sources, Some(prepared)) => {
                let pooled = pooled.as_mut().map(|(tensor, data)| &mut data[tensor.start..][..tensor.shape.count()]);
                prepared.run(sources, Target { shape, data: output, pooled }, &self.pool);
            }
            (Work::MaxPool, [(shape, input)], _) => max_pool(input, *shape, output, &self.pool),
            (Work::Resize, [input], _) => resize(*input, output, shape, self.kernels, &self.pool),
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
        slots[number] = slot;
        if let Some((tensor, data)) = pooled {
            slots[tensor.slot] = data;
        }
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

fn max_pool(input: &[f32], Shape { width, channels, .. }: Shape, output: &mut [f32], pool: &Pool) {
    let (line, half) = (width * channels, width.div_ceil(2) * channels);
    pool.for_each(output.chunks_mut(half).zip(input.chunks(2 * line)), |(output, rows)| {
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
