//! BMP headers (Microsoft, "Bitmap header types").

use super::bytes::{array, length};

/// Where the header behind the 14-byte file header begins.
const INFO: usize = 14;
/// Length of the oldest header, whose sides have 16 bits.
const CORE: u32 = 12;
/// Lengths of the headers that begin as BITMAPINFOHEADER does.
const INFO_LENGTHS: std::ops::RangeInclusive<u32> = 16..=124;
/// Length of BITMAPV5HEADER, the one that may carry a profile.
const V5: u32 = 124;

/// Width and height; a height stored as negative means rows from the top.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = header_length(bytes)?;
    if header == CORE {
        let side = |at| array(bytes, at).map(u16::from_le_bytes).map(u32::from);
        return Some((side(INFO + 4)?, side(INFO + 6)?));
    }
    let side = |at| array(bytes, at).map(i32::from_le_bytes);
    let (width, height) = (side(INFO + 4)?, side(INFO + 8)?);
    INFO_LENGTHS.contains(&header).then_some((u32::try_from(width).ok()?, height.unsigned_abs()))
}

pub(super) fn memory(bytes: &[u8]) -> Option<u64> {
    let (width, height) = size(bytes)?;
    let depth_at = if header_length(bytes)? == CORE { INFO + 10 } else { INFO + 14 };
    let depth = u16::from_le_bytes(array(bytes, depth_at)?);
    let channels = if matches!(depth, 16 | 32) { 4 } else { 3 };
    u64::from(width).checked_mul(u64::from(height))?.checked_mul(channels)
}

/// The profile that a V5 header embeds.
pub(super) fn icc(bytes: &[u8]) -> Option<Vec<u8>> {
    let field = |at| array(bytes, INFO + at);
    let embedded = header_length(bytes)? == V5 && field(56)? == *b"DEBM";
    let start = INFO.checked_add(length(u32::from_le_bytes(field(112)?)))?;
    let end = start.checked_add(length(u32::from_le_bytes(field(116)?)))?;
    embedded.then(|| bytes.get(start..end).map(<[u8]>::to_vec)).flatten()
}

fn header_length(bytes: &[u8]) -> Option<u32> {
    array(bytes, INFO).map(u32::from_le_bytes)
}
