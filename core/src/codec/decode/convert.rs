//! What decoders give, as 8-bit RGB or RGBA.

use image::ColorType;

use crate::codec::profile;
use crate::error::{Code, Error, Result};
use crate::image::pixels::{Layout, Pixels};

/// Grey is spread, 16-bit samples (in this machine's byte order) are rounded
/// to 8, and an alpha channel that is opaque everywhere is dropped.
pub(super) fn to_pixels(color: ColorType, data: Vec<u8>, width: u32, height: u32) -> Result<Pixels> {
    let (layout, data) = match color {
        ColorType::L8 => (Layout::Rgb8, spread::<1, 3>(&data)),
        ColorType::La8 => (Layout::Rgba8, spread::<2, 4>(&data)),
        ColorType::Rgb8 => (Layout::Rgb8, data),
        ColorType::Rgba8 => (Layout::Rgba8, data),
        ColorType::L16 => return to_pixels(ColorType::L8, to_8_bit(data), width, height),
        ColorType::La16 => return to_pixels(ColorType::La8, to_8_bit(data), width, height),
        ColorType::Rgb16 => return to_pixels(ColorType::Rgb8, to_8_bit(data), width, height),
        ColorType::Rgba16 => return to_pixels(ColorType::Rgba8, to_8_bit(data), width, height),
        other => return Err(Error::with_message(Code::Internal, format!("Unexpected colour type {other:?}"))),
    };
    let opaque = layout.has_alpha() && data.chunks_exact(4).all(|pixel| pixel[3] == 255);
    if opaque {
        return Pixels::new(width, height, Layout::Rgb8, without_alpha(data));
    }
    Pixels::new(width, height, layout, data)
}

/// Colours that were multiplied by their alpha as they were before.
pub(super) fn divide(color: ColorType, data: &mut [u8]) {
    match color {
        ColorType::Rgba8 => {
            for [rgb @ .., alpha] in data.as_chunks_mut::<4>().0 {
                rgb.iter_mut().for_each(|value| *value = divided((*value).into(), (*alpha).into(), 255) as u8);
            }
        }
        ColorType::Rgba16 => {
            for pixel in data.as_chunks_mut::<8>().0 {
                let samples = [0, 1, 2, 3].map(|at| wide(pixel, at));
                (0..3).for_each(|at| set_wide(pixel, at, divided(samples[at], samples[3], 65535)));
            }
        }
        _ => {}
    }
}

fn divided(value: u32, alpha: u32, most: u32) -> u32 {
    let alpha = alpha.max(1);
    // Not more than 32 bits hold: most · most + most / 2.
    ((value * most + alpha / 2) / alpha).min(most)
}

/// Grey of 8 or 16 bits, as sRGB has it where its profile says otherwise; alpha stays.
pub(super) fn lighten(color: ColorType, data: &mut [u8], profile: &[u8]) {
    let samples = usize::from(color.channel_count());
    match color {
        ColorType::L8 | ColorType::La8 => {
            let Some(levels) = profile::grey_levels(profile) else { return };
            data.chunks_exact_mut(samples).for_each(|pixel| pixel[0] = levels[usize::from(pixel[0])]);
        }
        ColorType::L16 | ColorType::La16 => {
            let Some(levels) = profile::wide_grey_levels(profile) else { return };
            data.chunks_exact_mut(2 * samples).for_each(|pixel| {
                let level = levels[wide(pixel, 0) as usize];
                set_wide(pixel, 0, level.into());
            });
        }
        // The first frame of an animation of grey.
        ColorType::Rgba8 => {
            let Some(levels) = profile::grey_levels(profile) else { return };
            let lighten =
                |pixel: &mut [u8]| pixel[..3].iter_mut().for_each(|value| *value = levels[usize::from(*value)]);
            data.chunks_exact_mut(4).for_each(lighten);
        }
        _ => {}
    }
}

/// A sample of 16 bits in this machine's byte order.
fn wide(pixel: &[u8], sample: usize) -> u32 {
    u16::from_ne_bytes([pixel[2 * sample], pixel[2 * sample + 1]]).into()
}

fn set_wide(pixel: &mut [u8], sample: usize, value: u32) {
    pixel[2 * sample..][..2].copy_from_slice(&(value as u16).to_ne_bytes());
}

/// Grey (`FROM` 1) to RGB, or grey with alpha (`FROM` 2) to RGBA.
fn spread<const FROM: usize, const TO: usize>(data: &[u8]) -> Vec<u8> {
    let mut spread = vec![0; data.len() / FROM * TO];
    for (from, to) in data.chunks_exact(FROM).zip(spread.chunks_exact_mut(TO)) {
        to[..3].fill(from[0]);
        to[3..].copy_from_slice(&from[1..]);
    }
    spread
}

fn to_8_bit(mut data: Vec<u8>) -> Vec<u8> {
    for at in 0..data.len() / 2 {
        data[at] = ((wide(&data, at) + 128) / 257) as u8;
    }
    data.truncate(data.len() / 2);
    data.shrink_to_fit();
    data
}

fn without_alpha(mut data: Vec<u8>) -> Vec<u8> {
    let pixels = data.len() / 4;
    for at in 0..pixels {
        data.copy_within(4 * at..4 * at + 3, 3 * at);
    }
    data.truncate(3 * pixels);
    data.shrink_to_fit();
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(color: ColorType, samples: &[u8]) -> (Layout, Vec<u8>) {
        let pixels = to_pixels(color, samples.to_vec(), 1, 1).expect("one picture");
        (pixels.layout(), pixels.into_data())
    }

    fn bytes(samples: &[u16]) -> Vec<u8> {
        samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
    }

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_of_eight() {
        for (sample, expected) in [(0, 0), (128, 0), (129, 1), (0x8080, 128), (65406, 254), (65407, 255), (65535, 255)]
        {
            assert_eq!(decoded(ColorType::L16, &bytes(&[sample])).1, [expected; 3], "{sample}");
        }
        assert_eq!(decoded(ColorType::Rgba16, &bytes(&[257, 514, 771, 1028])), (Layout::Rgba8, vec![1, 2, 3, 4]));
    }

    #[test]
    fn sixteen_bits_are_divided_as_such() {
        let mut data = bytes(&[100, 50, 0, 200, 7, 7, 7, 0, 65535, 1, 40000, 65535]);
        divide(ColorType::Rgba16, &mut data);
        assert_eq!(data, bytes(&[32768, 16384, 0, 200, 65535, 65535, 65535, 0, 65535, 1, 40000, 65535]));
    }

    #[test]
    fn grey_is_spread_and_opaque_alpha_is_dropped() {
        assert_eq!(decoded(ColorType::L8, &[9]), (Layout::Rgb8, vec![9, 9, 9]));
        assert_eq!(decoded(ColorType::La8, &[9, 7]), (Layout::Rgba8, vec![9, 9, 9, 7]));
        assert_eq!(decoded(ColorType::La8, &[9, 255]), (Layout::Rgb8, vec![9, 9, 9]));
        assert_eq!(decoded(ColorType::Rgba8, &[1, 2, 3, 254]), (Layout::Rgba8, vec![1, 2, 3, 254]));
        let two = to_pixels(ColorType::Rgba8, vec![1, 2, 3, 255, 4, 5, 6, 255], 2, 1).expect("one picture");
        assert_eq!(two.data(), [1, 2, 3, 4, 5, 6]);
    }
}
