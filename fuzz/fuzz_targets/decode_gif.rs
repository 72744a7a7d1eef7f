//! Any bytes behind the beginning of a GIF file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remrembg_fuzz::decoded;

// The first byte chooses the version.
fuzz_target!(|data: &[u8]| if let Some((first, rest)) = data.split_first() {
    decoded(if first % 2 == 0 { b"GIF89a" } else { b"GIF87a" }, rest);
});
