//! Background removal: finds the subject of a photo, cuts it out and
//! post-processes the cut-out, wholly on this machine.
//!
//! ```text
//! bytes → decode → upright → segment → refine → cut out → resize → rotate → background → encode → bytes
//! ```
//!
//! One stage, one module; `pipeline.rs` has one line for each.

// One file has an exception: `engine/onnxruntime.rs`, which loads a library.
#![deny(unsafe_code)]

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod colors;
mod compose;
mod control;
mod cost;
mod cutout;
mod decode;
mod encode;
mod engine;
mod error;
mod flat_background;
mod geometry;
mod guard;
mod hints;
mod input;
mod lanczos;
mod limits;
mod mask;
mod matting;
pub mod models;
mod options;
mod permits;
mod pipeline;
mod pixels;
mod refine;
mod remover;
mod segment;
mod settings;
mod small;
mod threads;
mod transform;
mod views;

pub use control::{CancelToken, Control, Progress, Stage};
pub use cutout::{CutOut, Flat, Matting, Quality};
pub use decode::Decoded;
pub use engine::{EngineChoice, EngineInfo, Provider};
pub use error::{Code, Error, ErrorKind, Problem, Result};
pub use geometry::{fitted_size, output_size, rotated_size};
pub use guard::hush_guarded_panics;
pub use hints::{Hints, Region};
pub use input::{Collector, Input, Stream, check_input, check_size, decode_input, is_picture_name, read_bounded};
pub use limits::Limits;
pub use models::{Model, OutputRule, Recipe, Scale};
pub use options::{Color, Format, OPTIONS, OptionKind, OptionSpec, Options, options_markdown, read_integer};
pub use permits::Load;
pub use pixels::{Layout, Matte, Orientation, Pixels};
pub use remover::{Config, Job, Output, PixelOutput, Remover, check_request};
pub use settings::{SETTINGS, SettingSpec, settings_markdown};
pub use views::{ChannelOrder, PixelView, PixelViewMut, check_buffer};

/// The examples for Rust, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
struct Readme;
