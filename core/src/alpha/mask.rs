//! A mask that the caller brings in place of the model's: any picture, made
//! upright and grey.

use crate::codec::decode::{Decoded, Grey};
use crate::codec::limits::Limits;
use crate::error::{Code, Error, Problem, Result};
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};
use crate::image::transform;
use crate::input::{self, Checked, Input};

/// Every check that comes before decoding.
///
/// # Errors
/// Those of [`input::check`], their problems with the field `mask`.
pub(crate) fn check<'a>(input: Input<'a>, limits: &Limits, control: &Control<'_>) -> Result<Checked<'a>> {
    if matches!(input, Input::Missing) {
        let message = "No image file provided. Please include a 'mask' field in your form data.";
        return Err(Problem::with_message(Problem::MASK, Code::NoImage, message).into());
    }
    input::check(input, limits, control).map_err(of_mask)
}

/// The upright mask at its own size, [`Layout::Gray8`], white for subject.
///
/// # Errors
/// [`Code::CorruptImage`], [`Code::TooMuchMemory`], with the field `mask`;
/// [`Code::Cancelled`].
pub(crate) fn decode(input: &Checked, limits: &Limits, control: &Control<'_>) -> Result<Pixels> {
    let Decoded { pixels, orientation, .. } = input.decode(Grey::Share, limits, control).map_err(of_mask)?;
    Ok(transform::upright(grey(pixels), orientation))
}

fn of_mask(error: Error) -> Error {
    error.of_field(Problem::MASK)
}

/// Alpha where there is any, as of a cut-out, whose colours say nothing of what
/// is subject; the brightness of an opaque picture.
fn grey(pixels: Pixels) -> Pixels {
    let rgb = pixels.data().as_chunks::<3>().0;
    let rgba = pixels.data().as_chunks::<4>().0;
    let data = match pixels.layout() {
        Layout::Gray8 => return pixels,
        Layout::Rgb8 => rgb.iter().map(|&rgb| luma(rgb)).collect(),
        Layout::Rgba8 if rgba.iter().all(|px| px[3] == u8::MAX) => {
            rgba.iter().map(|&[r, g, b, _]| luma([r, g, b])).collect()
        }
        Layout::Rgba8 => rgba.iter().map(|px| px[3]).collect(),
    };
    Pixels::known(pixels.width(), pixels.height(), Layout::Gray8, data)
}

/// Of ITU-R BT.601, in 16 bits as Pillow's `convert("L")` has it: grey is itself.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + (1 << 15)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greyed(layout: Layout, data: &[u8]) -> Vec<u8> {
        let width = (data.len() / layout.bytes()) as u32;
        let grey = grey(Pixels::known(width, 1, layout, data.to_vec()));
        assert_eq!((grey.width(), grey.height(), grey.layout()), (width, 1, Layout::Gray8));
        grey.into_data()
    }

    #[test]
    fn colours_count_by_their_brightness_and_grey_as_it_is() {
        // What Pillow 12 makes of them.
        let colors = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 200, 30, 20];
        assert_eq!(greyed(Layout::Rgb8, &colors), [76, 150, 29, 226, 80]);
        for value in 0..=255 {
            assert_eq!(greyed(Layout::Rgb8, &[value; 3]), [value]);
            assert_eq!(greyed(Layout::Gray8, &[value]), [value]);
        }
    }

    #[test]
    fn alpha_counts_alone_unless_it_is_opaque_throughout() {
        assert_eq!(greyed(Layout::Rgba8, &[255, 255, 255, 0, 0, 0, 0, 255, 9, 9, 9, 128]), [0, 255, 128]);
        assert_eq!(greyed(Layout::Rgba8, &[255, 255, 255, 255, 0, 0, 0, 255, 9, 9, 9, 255]), [255, 0, 9]);
    }
}
