//! The alpha of a picture as the `ALPH` chunk of the WebP Container Specification holds it.
//!
//! Its lossless stream is that of a `VP8L` chunk of the same size without the five bytes that tell the size, with the
//! alpha in the green channel. `image-webp` makes it a dozen times faster than libwebp.

use image_webp::{ColorType, WebPEncoder};

use crate::{Error, Picture};

/// Lossless, not filtered, not quantised.
const LOSSLESS: u8 = 1;
const RIFF_AND_CHUNK: usize = 20;
const SIZE_OF_PICTURE: usize = 5;
/// Where the size of the chunk's payload is.
const SIZE: std::ops::Range<usize> = 16..20;

/// The payload of the chunk; `None` for a picture that is opaque throughout.
pub(crate) fn payload(picture: &Picture<'_>) -> Result<Option<Vec<u8>>, Error> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let rows = picture.data.chunks(picture.stride).take(height);
    let alpha: Vec<u8> = rows.flat_map(|row| row.as_chunks::<4>().0[..width].iter().map(|pixel| pixel[3])).collect();
    if alpha.iter().all(|alpha| *alpha == u8::MAX) {
        return Ok(None);
    }
    let mut file = Vec::new();
    WebPEncoder::new(&mut file)
        .encode(&alpha, picture.width, picture.height, ColorType::L8)
        .map_err(|_| Error::OutOfMemory)?;
    let size = file.get(SIZE).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
    let stream = file.get(RIFF_AND_CHUNK + SIZE_OF_PICTURE..RIFF_AND_CHUNK + size).ok_or(Error::FileTooBig)?;
    Ok(Some([&[LOSSLESS], stream].concat()))
}
