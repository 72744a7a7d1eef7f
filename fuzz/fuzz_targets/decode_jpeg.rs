//! Any bytes behind the beginning of a JPEG file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remrembg_fuzz::decoded;

fuzz_target!(|data: &[u8]| decoded(b"\xff\xd8\xff", data));
