//! GIF blocks (GIF89a, sections 18 to 24).

use super::bytes::array;

/// The canvas, which is what the first frame is shown on.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let [width, height] = [6, 8].map(|at| array(bytes, at).map(u16::from_le_bytes).map(u32::from));
    Some((width?, height?))
}

/// The canvas, and a frame that does not fill it, both as RGBA.
pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let (frame_width, frame_height) = first_frame(bytes)?;
    let pixels = u64::from(width) * u64::from(height) + u64::from(frame_width) * u64::from(frame_height);
    Some(4 * pixels)
}

/// Width and height of the first frame.
fn first_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 13 + color_table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            // An image descriptor.
            0x2c => {
                let side = |at| array(bytes, at).map(u16::from_le_bytes).map(u32::from);
                return Some((side(at + 5)?, side(at + 7)?));
            }
            // An extension: its label, then blocks that tell their length.
            0x21 => at = behind_blocks(bytes, at + 2)?,
            _ => return None,
        }
    }
}

/// Bytes of the colour table that these flags announce.
fn color_table(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn behind_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
