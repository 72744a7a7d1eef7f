//! Picture → tensor, as rembg does it.

use std::borrow::Cow;

use super::Fit;
use crate::engine::Tensor;
use crate::error::Result;
use crate::exec::Pool;
use crate::image::hidden::BACKDROP;
use crate::image::lanczos;
use crate::image::pixels::{Layout, Pixels};
use crate::models::{Recipe, Scale};

/// The tensor's dimensions: one picture, three channels, rows, columns.
pub(super) const fn shape(recipe: &Recipe) -> [usize; 4] {
    [1, 3, recipe.height as usize, recipe.width as usize]
}

/// A picture resized with Lanczos3 in 8 bits, three a pixel.
pub(super) struct Small {
    size: (u32, u32),
    data: Vec<u8>,
}

impl Small {
    pub(super) fn of(pixels: &Pixels, fit: Fit, pool: &Pool) -> Result<Self> {
        let size = (fit.width, fit.height);
        let data = lanczos::resized(&opaque(pixels), 3, (pixels.width(), pixels.height()), size, pool)?;
        Ok(Self { size, data })
    }

    pub(super) fn suits(&self, fit: Fit) -> bool {
        self.size == (fit.width, fit.height)
    }
}

/// Resizes, scales, normalises.
#[cfg(any(test, feature = "bench"))]
pub(crate) fn tensor(pixels: &Pixels, fit: Fit, recipe: &Recipe, pool: &Pool) -> Result<Tensor> {
    Ok(tensor_of(&Small::of(pixels, fit, pool)?, fit, recipe))
}

/// Scales and normalises. Around the picture is the mean of all pictures, 0.
pub(super) fn tensor_of(small: &Small, fit: Fit, recipe: &Recipe) -> Tensor {
    let small = &small.data;
    let most = match recipe.scale {
        Scale::Full => 255.0,
        Scale::PictureMax => small.iter().max().map_or(0.0, |max| f64::from(*max)).max(1e-6),
    };
    let whole = recipe.width as usize * recipe.height as usize;
    let mut data = vec![0.0; 3 * whole];
    for (channel, plane) in data.chunks_mut(whole).enumerate() {
        let table = normalised(most, recipe.mean[channel], recipe.std[channel]);
        let rows = small.as_chunks::<3>().0.chunks(fit.width as usize).zip(fit.rows(recipe.width));
        for (row, place) in rows {
            let place = &mut plane[place];
            place.iter_mut().zip(row).for_each(|(value, pixel)| *value = table[usize::from(pixel[channel])]);
            if fit.mirrored {
                place.reverse();
            }
        }
    }
    Tensor { shape: shape(recipe).to_vec(), data }
}

/// The number that stands for each byte of one channel. rembg computes in
/// double precision and rounds once.
fn normalised(most: f64, mean: f32, std: f32) -> [f32; 256] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a byte, then one rounding")]
    std::array::from_fn(|byte| ((byte as f64 / most - f64::from(mean)) / f64::from(std)) as f32)
}

/// Three bytes a pixel: transparent ones are laid on the backdrop.
fn opaque(pixels: &Pixels) -> Cow<'_, [u8]> {
    match pixels.layout() {
        Layout::Rgb8 => Cow::Borrowed(pixels.data()),
        Layout::Gray8 => pixels.data().iter().flat_map(|grey| [*grey; 3]).collect(),
        Layout::Rgba8 => pixels.data().as_chunks().0.iter().flat_map(on_backdrop).collect(),
    }
}

fn on_backdrop(&[red, green, blue, alpha]: &[u8; 4]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    #[expect(clippy::cast_possible_truncation, reason = "a weighted mean of bytes is a byte")]
    [red, green, blue]
        .map(|colour| ((u32::from(colour) * alpha + u32::from(BACKDROP) * (255 - alpha) + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe { width: 4, height: 2, ..Recipe::U2NET };

    fn one_colour(layout: Layout, pixel: &[u8]) -> Pixels {
        Pixels::new(8, 4, layout, pixel.repeat(32)).expect("the sizes agree")
    }

    fn channels(pixels: &Pixels, recipe: &Recipe) -> [f32; 3] {
        let tensor = tensor(pixels, Fit::squeezed(recipe), recipe, &Pool::of(1)).expect("it can be resized");
        assert_eq!(tensor.shape, [1, 3, 2, 4]);
        let plane = |channel: usize| tensor.data[channel * 8..][..8].to_vec();
        [0, 1, 2].map(|channel| {
            assert!(plane(channel).iter().all(|value| *value == plane(channel)[0]));
            plane(channel)[0]
        })
    }

    fn assert_close(got: [f32; 3], want: [f32; 3]) {
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{got:?} is not {want:?}");
    }

    #[test]
    fn a_picture_is_divided_by_its_own_maximum() {
        let picture = one_colour(Layout::Rgb8, &[200, 100, 0]);
        assert_close(
            channels(&picture, &RECIPE),
            [(1.0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.0 - 0.406) / 0.225],
        );
        let full = Recipe { scale: Scale::Full, mean: [0.5; 3], std: [1.0; 3], ..RECIPE };
        assert_close(channels(&picture, &full), [200.0 / 255.0 - 0.5, 100.0 / 255.0 - 0.5, -0.5]);
    }

    #[test]
    fn a_black_picture_is_not_divided_by_zero() {
        let picture = one_colour(Layout::Rgb8, &[0, 0, 0]);
        assert_close(channels(&picture, &RECIPE), [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]);
    }

    #[test]
    fn colours_hidden_under_transparency_are_not_seen() {
        let hidden = |pixel: [u8; 4]| channels(&one_colour(Layout::Rgba8, &pixel), &RECIPE);
        assert_eq!(hidden([255, 0, 0, 0]), hidden([0, 255, 9, 0]));
        let opaque = channels(&one_colour(Layout::Rgb8, &[20, 40, 60]), &RECIPE);
        assert_eq!(hidden([20, 40, 60, 255]), opaque);
        assert_eq!(channels(&one_colour(Layout::Gray8, &[90]), &RECIPE), hidden([90, 90, 90, 255]));
    }

    #[test]
    fn around_a_picture_that_fills_less_is_the_mean() {
        let picture = one_colour(Layout::Rgb8, &[255, 255, 255]);
        let fit = Fit { left: 1, top: 0, width: 2, height: 1, mirrored: false };
        let white = [(1.0 - 0.485) / 0.229, (1.0 - 0.456) / 0.224, (1.0 - 0.406) / 0.225];
        let tensor = tensor(&picture, fit, &RECIPE, &Pool::of(2)).expect("it can be resized");
        for (plane, white) in tensor.data.chunks(8).zip(white) {
            let want = [0.0, white, white, 0.0, 0.0, 0.0, 0.0, 0.0];
            assert!(plane.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{plane:?}");
        }
    }

    #[test]
    fn channels_are_planes_and_rows_go_across() {
        let row = |blue: u8| [[10, 20, blue], [250, 20, blue]].concat();
        let picture = Pixels::new(2, 2, Layout::Rgb8, [row(30), row(90)].concat()).expect("the sizes agree");
        let plain = Recipe { width: 2, height: 2, mean: [0.0; 3], std: [1.0; 3], scale: Scale::Full, ..RECIPE };
        let bytes: Vec<f32> =
            tensor(&picture, Fit::squeezed(&plain), &plain, &Pool::of(1)).expect("nothing to resize").data;
        let want = [10, 250, 10, 250, 20, 20, 20, 20, 30, 30, 90, 90].map(|byte: u8| f32::from(byte) / 255.0);
        assert_eq!(bytes, want);
    }
}
