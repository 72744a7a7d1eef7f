//! Errors of core as the fields of the package's `RembgError`.

use std::error::Error as _;
use std::io;

use napi_derive::napi;
use remrembg::{Error, ErrorKind};

/// What `RembgError` is made from.
#[napi(object, object_from_js = false)]
pub struct Refusal {
    pub kind: String,
    pub code: String,
    pub status: u16,
    pub message: String,
    /// Field and message of each problem.
    pub details: Vec<(String, String)>,
    /// The hosted API's body.
    pub body: String,
    /// The system's number of what lies beneath.
    pub errno: Option<i32>,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let details = error.details().iter().map(|problem| (problem.field.clone(), problem.message.clone()));
        Self {
            kind: kind(error.kind()).to_owned(),
            code: error.code().name().to_owned(),
            status: error.status(),
            message: error.message().to_owned(),
            details: details.collect(),
            body: error.to_json(),
            errno: errno(error),
        }
    }
}

const fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Validation => "validation",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Model => "model",
        ErrorKind::Engine => "engine",
        ErrorKind::Io => "io",
        _ => "internal",
    }
}

fn errno(error: &Error) -> Option<i32> {
    error.source()?.downcast_ref::<io::Error>()?.raw_os_error()
}
