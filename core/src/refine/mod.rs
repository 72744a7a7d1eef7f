//! The matte brought to the picture's size.
//!
//! This is the plain refinement, the one that rembg does: the model's matte in
//! 8 bits, enlarged with Lanczos3. It knows nothing of the picture's edges.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::control::{Control, Stage};
use crate::error::{Code, Error, Result};
use crate::pixels::{Layout, Matte, Pixels};

/// Makes the alpha of a picture of `size`, [`Layout::Gray8`], 255 for subject.
///
/// # Errors
/// [`Code::Cancelled`]; [`Code::BadPixels`] when the matte does not hold its
/// size or `size` has no pixel.
pub(crate) fn refine(matte: &Matte, size: (u32, u32), control: &Control<'_>) -> Result<Pixels> {
    control.report(Stage::Refine, 0.0)?;
    let small = Pixels::new(matte.width, matte.height, Layout::Gray8, matte.data.iter().copied().map(byte).collect())?;
    let alpha = enlarged(&small, size)?;
    control.report(Stage::Refine, 1.0)?;
    Ok(alpha)
}

/// rembg cuts the fraction off and does not round.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast clamps to a byte")]
fn byte(value: f32) -> u8 {
    (value * 255.0) as u8
}

fn enlarged(small: &Pixels, (width, height): (u32, u32)) -> Result<Pixels> {
    let fail = |error: String| Error::with_message(Code::Internal, format!("The matte could not be resized: {error}"));
    let from =
        ImageRef::new(small.width(), small.height(), small.data(), PixelType::U8).map_err(|e| fail(e.to_string()))?;
    let mut to = Image::new(width, height, PixelType::U8);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&from, &mut to, &options).map_err(|e| fail(e.to_string()))?;
    Pixels::new(width, height, Layout::Gray8, to.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::CancelToken;

    fn matte(width: u32, height: u32, data: &[f32]) -> Matte {
        Matte { width, height, data: data.to_vec() }
    }

    fn refined(matte: &Matte, size: (u32, u32)) -> Vec<u8> {
        let alpha = refine(matte, size, &Control::default()).expect("nothing is wrong");
        assert_eq!((alpha.width(), alpha.height(), alpha.layout()), (size.0, size.1, Layout::Gray8));
        alpha.into_data()
    }

    #[test]
    fn at_its_own_size_a_matte_is_cut_to_bytes() {
        assert_eq!(refined(&matte(4, 1, &[0.0, 0.5, 0.999, 1.0]), (4, 1)), [0, 127, 254, 255]);
        assert_eq!(refined(&matte(3, 1, &[-0.5, 2.0, f32::NAN]), (3, 1)), [0, 255, 0]);
    }

    #[test]
    fn an_edge_stays_where_it_is_and_never_overflows() {
        let wide = refined(&matte(4, 1, &[0.0, 0.0, 1.0, 1.0]), (40, 10));
        let row = &wide[..40];
        assert!(wide.chunks(40).all(|other| other == row), "all rows are the same");
        assert_eq!((row[0], row[39]), (0, 255));
        assert!(row[..19].iter().all(|alpha| *alpha < 128) && row[21..].iter().all(|alpha| *alpha > 127), "{row:?}");
    }

    #[test]
    fn sides_of_one_pixel_and_very_long_ones_work() {
        assert_eq!(refined(&matte(320, 320, &[1.0; 102_400]), (1, 10_000)), vec![255; 10_000]);
        assert_eq!(refined(&matte(320, 320, &[0.0; 102_400]), (1, 1)), [0]);
    }

    #[test]
    fn a_matte_that_lies_or_a_stop_is_an_error() {
        let code =
            |matte: &Matte, size, control: &Control<'_>| refine(matte, size, control).expect_err("refused").code();
        let token = CancelToken::new();
        token.cancel();
        let stopped = Control { cancel: Some(&token), ..Control::default() };
        assert_eq!(code(&matte(2, 2, &[0.0; 3]), (4, 4), &Control::default()), Code::BadPixels);
        assert_eq!(code(&matte(2, 2, &[0.0; 4]), (0, 4), &Control::default()), Code::BadPixels);
        assert_eq!(code(&matte(2, 2, &[0.0; 4]), (4, 4), &stopped), Code::Cancelled);
    }
}
