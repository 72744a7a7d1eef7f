//! Lanczos3 as Pillow does it, for the steps that must equal rembg's.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};
use crate::pixels::Layout;

/// Resizes rows without gaps: across, rounded to bytes, then down. In one go
/// the resizer would go down first; those other roundings, fed to a model,
/// move the mask of a hard photo by as much as 0.9/255.
///
/// # Errors
/// [`Code::Internal`] when `data` does not hold `from`.
pub(crate) fn resized(data: &[u8], layout: Layout, from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>> {
    let between = (to.0, from.1);
    let across = one_way(data, layout, from, between)?;
    one_way(&across, layout, between, to)
}

fn one_way(data: &[u8], layout: Layout, from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>> {
    let kind = match layout {
        Layout::Gray8 => PixelType::U8,
        Layout::Rgb8 => PixelType::U8x3,
        Layout::Rgba8 => PixelType::U8x4,
    };
    let source = ImageRef::new(from.0, from.1, data, kind).map_err(|error| failed(error.to_string()))?;
    let mut target = Image::new(to.0, to.1, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(error.to_string()))?;
    Ok(target.into_vec())
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
        let resized = |to| resized(&source, Layout::Gray8, (7, 5), to).expect("the sizes agree");
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
