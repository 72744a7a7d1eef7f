//! JPEGs of four inks with a profile that tells what colours they make.

use std::io;

use image::{ColorType, ImageError, ImageResult};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Header, Raw, broken};
use crate::codec::profile::Inks;

/// Decodes to sRGB.
pub(super) fn decode(bytes: &[u8], header: &Header, inks: &Inks) -> ImageResult<Raw> {
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(refused)?;
    let space = decoder.input_colorspace().filter(|space| matches!(space, ColorSpace::CMYK | ColorSpace::YCCK));
    let space = space.ok_or_else(|| broken("its four channels are no inks"))?;
    if decoder.dimensions() != Some((header.width as usize, header.height as usize)) {
        return Err(broken("two headers of the file contradict each other"));
    }
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let mut stored = vec![0; header.width as usize * header.height as usize * 4];
    decoder.decode_into(&mut stored).map_err(refused)?;
    for pixel in stored.as_chunks_mut().0 {
        *pixel = if space == ColorSpace::YCCK { of_ycck(*pixel) } else { pixel.map(|value| 255 - value) };
    }
    let data = inks.to_srgb(&stored).ok_or_else(|| broken("its profile cannot be used"))?;
    Ok(Raw { color: ColorType::Rgb8, is_grey: false, data, icc: None })
}

/// Inks, 255 for all of one. Adobe's files store what is left of white, and have three of that as JFIF's YCbCr of its
/// complement (ITU-T T.872, 6.1, and JFIF 1.02).
fn of_ycck([y, cb, cr, k]: [u8; 4]) -> [u8; 4] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rounded = |value: f32| (value + 0.5) as u8;
    [rounded(y + 1.402 * cr), rounded(y - 0.344_136 * cb - 0.714_136 * cr), rounded(y + 1.772 * cb), 255 - k]
}

fn refused(error: DecodeErrors) -> ImageError {
    ImageError::IoError(io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
