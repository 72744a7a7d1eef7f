//! Weights: finding them, and fetching them from a server of the tests' own.

#![allow(clippy::unwrap_used)]

#[cfg(feature = "fetch")]
mod faults;
#[cfg(feature = "fetch")]
mod fetch;
#[cfg(feature = "fetch")]
mod server;
#[cfg(feature = "fetch")]
mod site;
mod store;

use remrembg::Recipe;
use remrembg::models::{Commercial, ModelSpec};
use sha2::{Digest, Sha256};

/// A made model of a million bytes that follow no short period.
fn weights() -> Vec<u8> {
    (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// The description of `weights`, as a row of the table would have it.
fn spec() -> ModelSpec {
    let digest = Sha256::digest(weights());
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    ModelSpec {
        name: "made",
        summary: "Nothing",
        file: "made-v1.onnx",
        size: 1_000_000,
        sha256: sha256.leak(),
        recipe: Recipe::U2NET,
        license: "MIT",
        license_source: "https://example.org/license",
        commercial: Commercial::Allowed,
    }
}
