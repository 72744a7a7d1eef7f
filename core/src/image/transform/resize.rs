//! Another size, by Lanczos with three lobes.

use std::ops::Range;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4, U16, U16x4};
use fast_image_resize::{FilterType, MulDiv, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::error::{Code, Error, Result};
use crate::exec::control::{Control, Stage};
use crate::image::pixels::{Layout, Pixels};

/// Pixels written between two looks at the cancel token.
const BAND: usize = 1 << 21;
/// The same, and those read, where each takes 8 bytes.
const FINE_BAND: usize = 1 << 19;
/// How far the filter reaches, in pixels of whichever of both pictures has fewer.
const REACH: f64 = 3.0;
/// What is shrunk more has no soft edge that is worth the memory.
const MOST: f64 = 16.0;
/// The same part of 16 bits as 1 is of 8.
const FINER: u16 = 257;

/// Brings a picture to `size`, width and height of at least 1.
///
/// # Errors
/// [`Code::Cancelled`].
pub(crate) fn resize(pixels: Pixels, size: (u32, u32), control: &Control<'_>) -> Result<Pixels> {
    if size == (pixels.width(), pixels.height()) {
        return Ok(pixels);
    }
    let is_fine = f64::from(pixels.height()) <= MOST * f64::from(size.1);
    match pixels.layout() {
        // As an alpha, so that a mask is that of its cut-out.
        Layout::Gray8 if is_fine => in_fine_bands::<U16>(&pixels, size, control),
        Layout::Gray8 => in_bands::<U8>(pixels, size, control),
        Layout::Rgb8 => in_bands::<U8x3>(pixels, size, control),
        Layout::Rgba8 if is_fine => in_fine_bands::<U16x4>(&pixels, size, control),
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

/// A pixel of 16 bits a channel.
trait Fine: PixelTrait {
    fn of(bytes: &[u8]) -> Self;
    fn write(&self, bytes: &mut [u8]);
}

impl Fine for U16 {
    fn of(bytes: &[u8]) -> Self {
        Self::new(u16::from(bytes[0]) * FINER)
    }

    fn write(&self, bytes: &mut [u8]) {
        bytes[0] = to_8_bits(self.0);
    }
}

impl Fine for U16x4 {
    fn of(bytes: &[u8]) -> Self {
        Self::new([0, 1, 2, 3].map(|channel| u16::from(bytes[channel]) * FINER))
    }

    fn write(&self, bytes: &mut [u8]) {
        let made = self.0.map(to_8_bits);
        // What is fully transparent is black.
        bytes.copy_from_slice(if made[3] == 0 { &[0; 4] } else { &made });
    }
}

fn to_8_bits(value: u16) -> u8 {
    ((u32::from(value) + u32::from(FINER / 2)) / u32::from(FINER)) as u8
}

/// In 16 bits, with colours that count by their alpha: in 8, little would be left of those of soft pixels.
fn in_fine_bands<P: Fine>(pixels: &Pixels, size: (u32, u32), control: &Control<'_>) -> Result<Pixels> {
    let alpha = pixels.layout().has_alpha().then(MulDiv::new);
    let bytes = pixels.layout().bytes();
    let scale = f64::from(pixels.height()) / f64::from(size.1);
    let wide = f64::from(size.0).max(f64::from(pixels.width()) * scale);
    let rows = ((FINE_BAND as f64 / wide) as usize).clamp(1, size.1 as usize);
    let mut out = Pixels::filled(size.0, size.1, pixels.layout(), 0);
    let mut resizer = Resizer::new();
    for (i, band) in out.data_mut().chunks_mut(rows * size.0 as usize * bytes).enumerate() {
        let top = i * rows;
        control.report(Stage::Resize, top as f32 / size.1 as f32)?;
        let height = band.len() / (size.0 as usize * bytes);
        let (from, to) = (top as f64 * scale, ((top + height) as f64 * scale).min(f64::from(pixels.height())));
        let reach = REACH * scale.max(1.0) + 1.0;
        let seen = (from - reach).max(0.0) as u32..((to + reach).ceil() as u32).min(pixels.height());
        let mut source = fine::<P>(pixels, seen.clone())?;
        if let Some(alpha) = &alpha {
            alpha.multiply_alpha_inplace_typed(&mut source).map_err(internal)?;
        }
        let mut made = TypedImage::<P>::new(size.0, height as u32);
        let options = lanczos(f64::from(pixels.width()), from - f64::from(seen.start), to - from);
        resizer.resize_typed(&source, &mut made, &options).map_err(internal)?;
        if let Some(alpha) = &alpha {
            alpha.divide_alpha_inplace_typed(&mut made).map_err(internal)?;
        }
        band.chunks_exact_mut(bytes).zip(made.pixels()).for_each(|(px, made)| made.write(px));
    }
    Ok(out)
}

/// Some rows of a picture, in 16 bits.
fn fine<P: Fine>(pixels: &Pixels, rows: Range<u32>) -> Result<TypedImage<'static, P>> {
    let bytes = pixels.layout().bytes();
    let row = pixels.width() as usize * bytes;
    let data = &pixels.data()[rows.start as usize * row..rows.end as usize * row];
    let finer = data.chunks_exact(bytes).map(P::of);
    TypedImage::from_pixels(pixels.width(), rows.end - rows.start, finer.collect()).map_err(internal)
}

/// What becomes `rows` rows of the result from `top` on, out of `all`. The
/// crop says where the rows lie: the filter still sees the pixels around it.
fn part_of(source: &Pixels, top: f64, rows: f64, all: f64) -> ResizeOptions {
    let (width, height) = (f64::from(source.width()), f64::from(source.height()));
    let from = top * height / all;
    lanczos(width, from, (rows * height / all).min(height - from))
}

/// Of so many rows from `top` on, whole ones.
fn lanczos(width: f64, top: f64, rows: f64) -> ResizeOptions {
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(false)
        .crop(0.0, top, width, rows)
}

fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal).because(source)
}
