//! Lanczos3 as Pillow does it, for the steps that must equal rembg's.
//!
//! Pillow goes across first, rounds to bytes, then goes down, with 22-bit
//! weights. The resizer's own path for bytes goes down first, with weights of
//! 16 bits; one byte in twenty then differs by one, and of a model that sees
//! such bytes the mask of a hard photo moves by 1/255 on average.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};

/// Rows are widened to floats a few at a time: this many floats, 4 MB.
const STRIP: usize = 1 << 20;

/// Resizes one channel of rows without gaps whose pixels have `channels`
/// bytes. Gives the channel alone, row after row.
///
/// # Errors
/// [`Code::Internal`] when `data` does not hold `from`.
pub(crate) fn resized(
    data: &[u8],
    (channel, channels): (usize, usize),
    from: (u32, u32),
    to: (u32, u32),
) -> Result<Vec<u8>> {
    let row = from.0 as usize * channels;
    let mut across = Vec::with_capacity(to.0 as usize * from.1 as usize);
    for rows in data.chunks(row * (STRIP / from.0 as usize).max(1)) {
        let height = (rows.len() / row) as u32;
        let strip = rows.iter().skip(channel).step_by(channels);
        across.extend(one_way(strip, (from.0, height), (to.0, height))?);
    }
    one_way(across.iter(), (to.0, from.1), to)
}

fn one_way<'a>(bytes: impl Iterator<Item = &'a u8>, from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>> {
    let wide: Vec<F32> = bytes.map(|byte| F32::new(f32::from(*byte))).collect();
    let source = TypedImageRef::new(from.0, from.1, &wide).map_err(|error| failed(error.to_string()))?;
    let mut target = TypedImage::new(to.0, to.1);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| failed(error.to_string()))?;
    Ok(target.pixels().iter().map(|pixel| rounded(pixel.0)).collect())
}

/// To the nearest byte; the cast clamps.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamping is wanted")]
fn rounded(value: f32) -> u8 {
    (value + 0.5) as u8
}

fn failed(why: String) -> Error {
    Error::with_message(Code::Internal, format!("The picture could not be resized: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Pillow 13 makes of it: `Image.resize(size, LANCZOS)`.
    #[test]
    fn bytes_are_those_of_pillow() {
        let source: Vec<u8> = (0..7 * 5).map(|at: u32| (at * at * 37 % 251) as u8).collect();
        let resized = |to| resized(&source, (0, 1), (7, 5), to).expect("the sizes agree");
        assert_eq!(resized((3, 2)), [90, 156, 137, 142, 185, 132]);
        assert_eq!(
            resized((9, 6)),
            [
                0, 7, 94, 141, 76, 66, 154, 149, 61, 16, 55, 170, 218, 165, 182, 117, 114, 193, 207, 103, 121, 211,
                166, 249, 93, 89, 255, 151, 49, 95, 223, 181, 114, 80, 137, 196, 6, 79, 194, 236, 221, 86, 118, 157,
                94, 145, 225, 229, 147, 162, 245, 197, 105, 104
            ]
        );
    }
}
