//! Any bytes behind the beginning of a GIF file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remrembg_fuzz::decoded;

fuzz_target!(|data: &[u8]| decoded(b"GIF89a", data));
