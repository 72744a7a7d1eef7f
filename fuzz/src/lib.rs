//! What the targets of the decoders share.

use std::sync::Once;

use remrembg::{Code, Control, Limits, decode_input};

/// Decodes a file that begins so. It is a picture within the limits, or refused for a reason of the contract, also where a
/// decoder panics behind its guard.
pub fn decoded(begins: &[u8], rest: &[u8]) {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(remrembg::hush_guarded_panics);
    let mut limits = Limits::default();
    (limits.more_formats, limits.decode_memory) = (true, 64 << 20);
    let file = [begins, rest].concat();
    match decode_input(&file, &limits, &Control::default()) {
        Ok(decoded) => assert!(decoded.pixels.width() <= limits.max_side && decoded.pixels.height() <= limits.max_side),
        Err(error) => {
            let contract = [Code::CorruptImage, Code::ImageTooWide, Code::ImageTooTall, Code::TooMuchMemory];
            assert!(contract.contains(&error.code()), "{error}");
        }
    }
}
