//! Background removal: finds the subject of a photo, cuts it out and
//! post-processes the cut-out, wholly on this machine.
//!
//! ```text
//! bytes → decode → upright → segment → refine → cut out → resize → rotate → background → encode → bytes
//! ```
//!
//! The modules are rooms one above the other, and each uses only what stands below it: `remover`, `pipeline`, `alpha`,
//! `compose`, `segment`, `input`, `codec`, `models`, `engine`, `options`, `image`, `exec`, `error`. Each says at its top
//! what it knows and what it does not; `pipeline.rs` has one line for each stage.

// One file has an exception: `engine/onnxruntime.rs`, which loads a library.
#![deny(unsafe_code)]

mod alpha;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod codec;
mod compose;
mod engine;
mod error;
mod exec;
mod image;
mod input;
pub mod models;
mod options;
mod pipeline;
mod remover;
mod segment;

pub use alpha::found::Found;
pub use codec::decode::Decoded;
pub use codec::limits::Limits;
pub use engine::{EngineChoice, EngineInfo, Provider};
pub use error::{Code, Error, ErrorKind, Problem, Result};
pub use exec::batch::batch;
pub use exec::control::{CancelToken, Control, Progress, Stage};
pub use exec::guard::hush_guarded_panics;
pub use exec::permits::Load;
pub use image::pixels::{Layout, Matte, Orientation, Pixels};
pub use image::views::{ChannelOrder, PixelView, PixelViewMut, check_buffer};
pub use input::{Collector, Input, Stream, check_input, check_size, decode_input, is_picture_name, read_bounded};
pub use models::{Model, OutputRule, Recipe, Scale};
pub use options::cutout::{CutOut, Flat, Matting, Preset};
pub use options::geometry::{fitted_size, output_size, rotated_size};
pub use options::regions::{Prompts, Region};
pub use options::{
    Color, Compression, Format, OPTIONS, OptionKind, OptionSpec, Options, options_markdown, read_integer,
};
pub use remover::{Config, Job, Output, PixelOutput, Remover, SETTINGS, SettingSpec, check_request, settings_markdown};

/// The examples for Rust, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
struct Readme;
