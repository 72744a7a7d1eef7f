//! Any text as options: it is read, or refused with a body that is JSON; what is read passes every check.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remrembg::{OPTIONS, Options, output_size};
use serde_json::Value;

// Each line is an option: a byte for its row, then its text.
fuzz_target!(|data: &[u8]| {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| line.split_first());
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let pairs: Vec<(&str, String)> =
        lines.map(|(row, line)| (OPTIONS[usize::from(*row) % OPTIONS.len()].key, text(line))).collect();
    match Options::from_pairs(pairs) {
        Ok(options) => {
            options.check().expect("what text gives passes as typed values do");
            let (width, height) = output_size((640, 480), &options);
            assert!(width > 0 && height > 0 && width < 20_000 && height < 20_000);
        }
        Err(error) => {
            let told: Value = serde_json::from_str(&error.to_json()).expect("an error is JSON");
            assert_eq!((&told["status"], error.status()), (&400.into(), 400));
            assert!(!error.details().is_empty());
        }
    }
});
