//! Models: what each one wants, where its weights are, what its licence allows.
//!
//! [`MODELS`] holds what rembg offers, as far as a picture is all the model
//! needs and its licence is known. Left out of it: `sam`, which needs points or
//! boxes besides the picture; `u2net_custom`, `dis_custom` and `ben_custom`,
//! which are names for a user's own file, here [`Model::File`].
//!
//! Knows names, files and recipes. Knows nothing of what runs them, or of pictures.
//!
//! A [`Store`] finds weights on this machine. With the feature `fetch` it gets
//! them from rembg's releases, or from a mirror, with [`Store::fetch`].

mod checksum;
#[cfg(feature = "fetch")]
mod fetch;
mod folders;
mod markdown;
mod parse;
mod spec;
mod store;
mod table;

#[cfg(feature = "fetch")]
pub use fetch::{FetchEvent, FetchOptions};
pub use markdown::models_markdown;
pub use spec::{Commercial, ModelSpec, RELEASES};
pub use store::Store;
pub use table::{CUSTOM, MODELS, find};

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
    /// U²-Net and its kin: 320 × 320, the mean and deviation of ImageNet.
    pub const U2NET: Self = Self {
        width: 320,
        height: 320,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        scale: Scale::PictureMax,
        output: OutputRule::MinMax,
    };

    /// IS-Net: 1024 × 1024, centred, not scaled.
    pub const ISNET: Self = Self { mean: [0.5; 3], std: [1.0; 3], ..Self::U2NET.square(1024) };

    /// BiRefNet: 1024 × 1024, the mean and deviation of ImageNet, logits out.
    pub const BIREFNET: Self = Self { output: OutputRule::SigmoidMinMax, ..Self::U2NET.square(1024) };

    /// The same for an input of `side` × `side` pixels.
    #[must_use]
    pub const fn square(self, side: u32) -> Self {
        Self { width: side, height: side, ..self }
    }
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
