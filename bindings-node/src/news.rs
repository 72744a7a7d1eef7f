//! What JavaScript is told of a task.

use napi::bindgen_prelude::{Buffer, Either5};
use napi_derive::napi;

use crate::errors::Refusal;

/// How far something has come.
#[napi(object, object_from_js = false)]
pub struct Step {
    /// The stage.
    pub stage: String,
    /// What is done of `total`.
    pub done: f64,
    pub total: f64,
}

/// What JavaScript is told of a task: any number of steps, then one other.
pub(crate) type News = Either5<Step, Made, Ready, String, Refusal>;

/// The last that JavaScript hears of a task.
pub(crate) type Outcome = remrembg::Result<News>;

/// What a remover runs.
#[napi(object, object_from_js = false)]
pub struct Ready {
    pub model: String,
    pub name: String,
    pub version: String,
    pub provider: String,
    pub library: Option<String>,
    pub threads: u32,
    pub fallback: Option<String>,
    pub in_flight: u32,
}

/// A picture that was made.
#[napi(object, object_from_js = false)]
pub struct Made {
    pub data: Buffer,
    pub width: u32,
    pub height: u32,
    /// 1 for grey, 3 for RGB, 4 for RGBA; 0 for an encoded file, and for a matte.
    pub channels: u8,
    /// Of an encoded file.
    pub mime: Option<String>,
    /// `None` for a matte.
    pub found: Option<Found>,
}

/// What was found.
#[napi(object, object_from_js = false)]
pub struct Found {
    pub coverage: f64,
    /// Left, top, right, bottom.
    pub bounds: Option<Vec<u32>>,
    pub confidence: f64,
}

impl From<remrembg::Found> for Found {
    fn from(found: remrembg::Found) -> Self {
        let bounds = found.bounds.map(|(left, top, right, bottom)| vec![left, top, right, bottom]);
        Self { coverage: found.coverage.into(), bounds, confidence: found.confidence.into() }
    }
}
