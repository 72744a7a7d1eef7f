//! Any bytes behind the beginning of a TIFF file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remrembg_fuzz::decoded;

// The first byte chooses the order of bytes.
fuzz_target!(|data: &[u8]| if let Some((first, rest)) = data.split_first() {
    decoded(if first % 2 == 0 { b"II*\0" } else { b"MM\0*" }, rest);
});
