//! Models: what each one wants, where its weights are, what its licence allows.

/// How a picture becomes a model's input, and its output a matte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Width of the input tensor (1 × 3 × height × width), in pixels.
    pub width: u32,
    /// Height of the input tensor, in pixels.
    pub height: u32,
    /// Subtracted from each channel after scaling: red, green, blue.
    pub mean: [f32; 3],
    /// Each channel is then divided by this: red, green, blue.
    pub std: [f32; 3],
    /// How bytes become numbers around 0 ..= 1, before `mean` and `std`.
    pub scale: Scale,
    /// How the first output becomes a matte.
    pub output: OutputRule,
}

/// What the bytes of a picture are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The largest byte of the resized picture, at least 10⁻⁶ (as rembg does).
    PictureMax,
    /// 255.
    Full,
}

/// How a model's first output becomes a matte in 0 ..= 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputRule {
    /// The smallest value becomes 0, the largest 1. A flat output is no subject.
    MinMax,
    /// The logistic function, then [`MinMax`](Self::MinMax).
    SigmoidMinMax,
    /// One plane per class, the first is the background: a pixel is subject
    /// where any other class is the likeliest.
    Classes,
}

impl Recipe {
    /// U²-Net and its kin: 320 × 320, the ImageNet statistics.
    pub const U2NET: Self = Self {
        width: 320,
        height: 320,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        scale: Scale::PictureMax,
        output: OutputRule::MinMax,
    };
}

/// What to run: the bundled model, one of the table by name, or a file.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Model {
    /// `u2netp`, inside the library.
    #[default]
    Bundled,
    /// A model of the table, from this machine's model folders.
    Named(String),
    /// An ONNX file of the caller's own.
    File {
        /// Where it is.
        path: std::path::PathBuf,
        /// How to feed it.
        recipe: Recipe,
    },
}
