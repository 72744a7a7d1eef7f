//! The weights of u2netp by Xuebin Qin and others (U²-Net, Pattern Recognition 2020), as rembg publishes them in ONNX.

#![forbid(unsafe_code)]
#![no_std]

/// The ONNX file; building this crate compares it with its SHA-256.
pub const U2NETP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/u2netp.onnx"));
