//! The RIFF container around a WebP picture, as the WebP Container
//! Specification describes it.

const RIFF_HEADER: usize = 12;
const CHUNK_HEADER: usize = 8;
const EXTENDED_PAYLOAD: usize = 10;
const ICC_FLAG: u8 = 0x20;
const ALPHA_FLAG: u8 = 0x10;

/// Puts a profile, and alpha apart from the colours, into a file that libwebp wrote. `None` when it would exceed the
/// 32-bit size of the container.
pub(crate) fn with_chunks(
    mut webp: Vec<u8>,
    icc: Option<&[u8]>,
    alpha: Option<&[u8]>,
    width: u32,
    height: u32,
) -> Option<Vec<u8>> {
    if icc.is_none() && alpha.is_none() {
        return Some(webp);
    }
    if webp.get(RIFF_HEADER..RIFF_HEADER + 4)? != b"VP8X" {
        let header = extended_header(has_alpha(&webp), width, height);
        webp.splice(RIFF_HEADER..RIFF_HEADER, header);
    }
    let payload = RIFF_HEADER + CHUNK_HEADER;
    let after_header = payload + EXTENDED_PAYLOAD;
    let chunks = [(b"ICCP", icc, ICC_FLAG), (b"ALPH", alpha, ALPHA_FLAG)];
    for (name, bytes, flag) in chunks.into_iter().rev() {
        if let Some(bytes) = bytes {
            *webp.get_mut(payload)? |= flag;
            webp.splice(after_header..after_header, chunk(name, bytes)?);
        }
    }
    let size = u32::try_from(webp.len() - CHUNK_HEADER).ok()?;
    webp.get_mut(4..8)?.copy_from_slice(&size.to_le_bytes());
    Some(webp)
}

fn extended_header(alpha: bool, width: u32, height: u32) -> Vec<u8> {
    let mut payload = vec![if alpha { ALPHA_FLAG } else { 0 }, 0, 0, 0];
    payload.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
    payload.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
    let size = payload.len() as u32;
    [&b"VP8X"[..], &size.to_le_bytes(), &payload].concat()
}

/// A simple file has alpha only when it is lossless and says so in bit 28 of
/// the bits that follow its signature byte.
fn has_alpha(webp: &[u8]) -> bool {
    let first = &webp[RIFF_HEADER..];
    first.starts_with(b"VP8L") && first.get(CHUNK_HEADER + 4).is_some_and(|bits| bits & 0x10 != 0)
}

/// A chunk is padded to an even length; its size counts the payload alone.
fn chunk(name: &[u8; 4], payload: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(payload.len()).ok()?;
    let padding = &[0][..payload.len() % 2];
    Some([&name[..], &size.to_le_bytes(), payload, padding].concat())
}
