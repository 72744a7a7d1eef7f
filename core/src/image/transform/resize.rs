//! Another size, by Lanczos with three lobes.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, MulDiv, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};
use crate::exec::control::{Control, Stage};
use crate::image::pixels::{Layout, Pixels};

/// Pixels written between two looks at the cancel token.
const BAND: usize = 1 << 21;

/// Brings a picture to `size`, width and height of at least 1.
///
/// # Errors
/// [`Code::Cancelled`].
pub(crate) fn resize(pixels: Pixels, size: (u32, u32), control: &Control<'_>) -> Result<Pixels> {
    if size == (pixels.width(), pixels.height()) {
        return Ok(pixels);
    }
    match pixels.layout() {
        Layout::Gray8 => in_bands::<U8>(pixels, size, control),
        Layout::Rgb8 => in_bands::<U8x3>(pixels, size, control),
        Layout::Rgba8 => in_bands::<U8x4>(pixels, size, control),
    }
}

fn in_bands<P: PixelTrait>(mut pixels: Pixels, size: (u32, u32), control: &Control<'_>) -> Result<Pixels> {
    let alpha = pixels.layout().has_alpha().then(MulDiv::new);
    if let Some(alpha) = &alpha {
        let (width, height) = (pixels.width(), pixels.height());
        let mut whole = TypedImage::<P>::from_buffer(width, height, pixels.data_mut()).map_err(internal)?;
        alpha.multiply_alpha_inplace_typed(&mut whole).map_err(internal)?;
    }
    let mut out = Pixels::filled(size.0, size.1, pixels.layout(), 0);
    let row = size.0 as usize * out.layout().bytes();
    let rows = (BAND / size.0 as usize).clamp(1, size.1 as usize);
    let mut resizer = Resizer::new();
    for (i, band) in out.data_mut().chunks_mut(rows * row).enumerate() {
        let top = i * rows;
        control.report(Stage::Resize, top as f32 / size.1 as f32)?;
        let height = (band.len() / row) as u32;
        let mut band = TypedImage::<P>::from_buffer(size.0, height, band).map_err(internal)?;
        let options = part_of(&pixels, top as f64, f64::from(height), f64::from(size.1));
        let source = TypedImageRef::<P>::from_buffer(pixels.width(), pixels.height(), pixels.data());
        resizer.resize_typed(&source.map_err(internal)?, &mut band, &options).map_err(internal)?;
        if let Some(alpha) = &alpha {
            alpha.divide_alpha_inplace_typed(&mut band).map_err(internal)?;
        }
    }
    Ok(out)
}

/// What becomes `rows` rows of the result from `top` on, out of `all`. The
/// crop says where the rows lie: the filter still sees the pixels around it.
fn part_of(source: &Pixels, top: f64, rows: f64, all: f64) -> ResizeOptions {
    let (width, height) = (f64::from(source.width()), f64::from(source.height()));
    let from = top * height / all;
    let span = (rows * height / all).min(height - from);
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(false)
        .crop(0.0, from, width, span)
}

fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal).because(source)
}
