//! Errors of core as the fields of the package's `RembgError`.

use napi_derive::napi;
use remrembg::Error;

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
    /// Why, where the message is the same for many causes.
    pub reason: Option<String>,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let details = error.details().iter().map(|problem| (problem.field.clone(), problem.message.clone()));
        Self {
            kind: error.kind().name().to_owned(),
            code: error.code().name().to_owned(),
            status: error.status(),
            message: error.message().to_owned(),
            details: details.collect(),
            body: error.to_json(),
            errno: error.os_error(),
            reason: error.reason().map(str::to_owned),
        }
    }
}
