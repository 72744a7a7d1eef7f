//! Background removal: finds the subject of a photo, cuts it out and
//! post-processes the cut-out, wholly on this machine.
//!
//! ```text
//! bytes → decode → upright → segment → refine → cut out → resize → rotate → background → encode → bytes
//! ```
//!
//! One stage, one module; `pipeline.rs` has one line for each.

#![forbid(unsafe_code)]

mod control;
mod engine;
mod error;
mod lanczos;
mod limits;
mod models;
mod pixels;
mod refine;
mod segment;

pub use control::{CancelToken, Control, Progress, Stage};
pub use engine::{EngineChoice, EngineInfo};
pub use error::{Code, Error, ErrorKind, Problem, Result};
pub use limits::Limits;
pub use models::{Model, OutputRule, Recipe, Scale};
pub use pixels::{Layout, Matte, PixelView, Pixels};
