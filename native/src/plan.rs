//! What is computed, in which order, and in which memory: made once for a network.
//!
//! A tensor is rows of pixels, each pixel with its channels side by side. Concatenations are never made: a convolution
//! reads all that would have stood in one. ReLU belongs to the convolution before it, and so do, where they
//! [can](crate::fuse), sums, pooling and resizing. A tensor whose last reader is done gives its memory to the next.

/// Height, width, and channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
}

impl Shape {
    /// Rows times columns.
    #[must_use]
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Numbers of all pixels.
    #[must_use]
    pub const fn count(self) -> usize {
        self.pixels() * self.channels
    }
}

/// A tensor: where its numbers are, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tensor {
    pub(crate) shape: Shape,
    pub(crate) slot: usize,
    /// The place in the slot where it begins.
    pub(crate) start: usize,
}

/// A tensor that is read.
pub(crate) type Source<'a> = (Shape, &'a [f32]);

/// A tensor that is written. Where the convolution slides, its data go on with the input that it slides over.
pub(crate) struct Target<'a> {
    pub(crate) shape: Shape,
    pub(crate) data: &'a mut [f32],
    /// Where the largest of each 2 × 2 pixels go, if they are wanted.
    pub(crate) pooled: Option<&'a mut [f32]>,
}

/// One thing to compute.
pub(crate) struct Step {
    pub(crate) work: Work,
    /// None of them lies in the slot of an output, but for one over which the output slides.
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) output: Tensor,
    /// The largest of each 2 × 2 pixels of the output.
    pub(crate) pooled: Option<Tensor>,
}

pub(crate) enum Work {
    Convolution(Convolution),
    /// The largest of each 2 × 2 pixels; at the lower and the right edge of fewer.
    MaxPool,
    /// Bilinear, pixels being squares whose middles are compared.
    Resize,
    Sum,
    Sigmoid,
}

impl Work {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Convolution(_) => "convolution",
            Self::MaxPool => "pooling",
            Self::Resize => "resizing",
            Self::Sum => "sum",
            Self::Sigmoid => "sigmoid",
        }
    }
}

/// What the weights and their arrangement are.
pub(crate) struct Convolution {
    /// 1 or 3: both sides of the square that is looked at.
    pub(crate) kernel: usize,
    /// How far apart its pixels are.
    pub(crate) dilation: usize,
    pub(crate) outputs: usize,
    /// By output, input, row and column.
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) has_relu: bool,
    /// Whether outputs are added, after the ReLU, to the numbers in whose places they go.
    pub(crate) adds: bool,
    /// The input whose place the output takes, line after line: it lies [`SLIDE`](crate::waves::SLIDE) lines further on
    /// in the same slot.
    pub(crate) slides: Option<usize>,
}

impl Convolution {
    /// What no output is below, before the sum.
    pub(crate) fn lowest(&self) -> f32 {
        if self.has_relu { 0.0 } else { f32::NEG_INFINITY }
    }
}

pub(crate) struct Plan {
    pub(crate) input: Tensor,
    pub(crate) output: Tensor,
    pub(crate) steps: Vec<Step>,
    /// How many numbers each slot holds.
    pub(crate) slots: Vec<usize>,
}

/// A step before there are slots: tensors are numbers of `shapes`.
pub(crate) struct Draft {
    pub(crate) work: Work,
    pub(crate) inputs: Vec<usize>,
    pub(crate) output: usize,
    pub(crate) pooled: Option<usize>,
    /// In whose place the output is made.
    pub(crate) added: Option<usize>,
}
