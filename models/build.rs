//! Takes the weights that are compiled in, after checking them.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// `u2netp.onnx` as rembg's release v0.0.0 publishes it.
const SHA256: &str = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REMREMBG_WEIGHTS");
    let path = weights_path();
    println!("cargo::rerun-if-changed={}", path.display());
    if let Err(why) = bundle(&path) {
        println!(
            "cargo::error=The bundled model {} {why}: run `make setup`, or name the file in REMREMBG_WEIGHTS, \
             or build remrembg without the feature `bundled-model`.",
            path.display()
        );
    }
}

fn weights_path() -> PathBuf {
    match env::var_os("REMREMBG_WEIGHTS") {
        Some(path) if !path.is_empty() => path.into(),
        _ => folder("CARGO_MANIFEST_DIR").join("u2netp.onnx"),
    }
}

/// Copies the weights to where `include_bytes!` finds them, so that what was
/// checked is what gets compiled in.
fn bundle(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if sum != SHA256 {
        return Err(format!("is not the expected file (SHA-256 {sum}, not {SHA256})"));
    }
    std::fs::write(folder("OUT_DIR").join("u2netp.onnx"), bytes).map_err(|error| format!("cannot be copied ({error})"))
}

fn folder(variable: &str) -> PathBuf {
    env::var_os(variable).unwrap_or_default().into()
}
