//! Colour profiles (ICC.1:2022): what a picture's numbers mean, and what those of sRGB are among them.

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformExecutor, TransformOptions, XyY,
};

use crate::exec::guard::caught;

/// A colour of sRGB in the numbers of a picture with this profile. `None` for a profile that cannot be used.
pub(crate) fn from_srgb(profile: &[u8], color: [u8; 3]) -> Option<[u8; 3]> {
    let converted = || {
        let own = ColorProfile::new_from_slice(profile).ok().filter(|own| own.color_space == DataColorSpace::Rgb)?;
        let srgb = ColorProfile::new_srgb();
        let transform = srgb.create_transform_8bit(Layout::Rgb, &own, Layout::Rgb, TransformOptions::default()).ok()?;
        let mut made = [0; 3];
        transform.transform(&color, &mut made).ok()?;
        Some(made)
    };
    caught(converted).ok().flatten()
}

/// What each level of grey of a picture with this profile is in sRGB. `None` for one that is not for grey, or cannot
/// be used.
pub(crate) fn grey_levels(profile: &[u8]) -> Option<[u8; 256]> {
    let converted = || {
        let (own, srgb) = (of_greys(profile)?, ColorProfile::new_srgb());
        let transform =
            own.create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
        let levels: Vec<u8> = (0..=u8::MAX).collect();
        let mut made = [0; 3 * 256];
        transform.transform(&levels, &mut made).ok()?;
        Some(std::array::from_fn(|level| made[3 * level]))
    };
    caught(converted).ok().flatten()
}

/// As [`grey_levels`], of each of the 65536 levels of 16 bits.
pub(crate) fn wide_grey_levels(profile: &[u8]) -> Option<Vec<u16>> {
    let converted = || {
        let (own, srgb) = (of_greys(profile)?, ColorProfile::new_srgb());
        let transform =
            own.create_transform_16bit(Layout::Gray, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
        let levels: Vec<u16> = (0..=u16::MAX).collect();
        let mut made = vec![0; 3 * levels.len()];
        transform.transform(&levels, &mut made).ok()?;
        Some(made.chunks_exact(3).map(|color| color[0]).collect())
    };
    caught(converted).ok().flatten()
}

fn of_greys(profile: &[u8]) -> Option<ColorProfile> {
    ColorProfile::new_from_slice(profile).ok().filter(|own| own.color_space == DataColorSpace::Gray)
}

/// The primaries and the white of sRGB (ITU-R BT.709), and how far from them is not seen.
const SRGB: [f64; 8] = [0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06];
const SAME_CHROMATICITY: f64 = 0.002;
/// The exponent of sRGB, nearly, and how far from it, as a ratio, is not seen (libpng has the same).
const SRGB_GAMMA: f64 = 1.0 / 2.2;
const SAME_GAMMA: f64 = 0.05;

/// Whether these numbers of ITU-T H.273 tell colours of RGB in the full range; others are for video.
pub(crate) fn is_known([primaries, transfer, matrix, range]: [u8; 4]) -> bool {
    let primaries = CicpColorPrimaries::try_from(primaries).and_then(ColorPrimaries::try_from).is_ok();
    let transfer = TransferCharacteristics::try_from(transfer).and_then(ToneReprCurve::try_from).is_ok();
    primaries && transfer && [matrix, range] == [0, 1]
}

/// A profile for what ITU-T H.273 numbers: primaries, transfer function, matrix, range. `None` for sRGB, and for
/// numbers that mean nothing.
pub(crate) fn of_code([primaries, transfer, ..]: [u8; 4], is_grey: bool) -> Option<Vec<u8>> {
    let primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer = TransferCharacteristics::try_from(transfer).ok()?;
    let is_srgb = transfer == TransferCharacteristics::Srgb;
    if is_srgb && (is_grey || primaries == CicpColorPrimaries::Bt709) {
        return None;
    }
    let made = || {
        if is_grey {
            return of_grey(ToneReprCurve::try_from(transfer).ok()?);
        }
        let code = CicpProfile {
            color_primaries: primaries,
            transfer_characteristics: transfer,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        let made = ColorProfile::new_from_cicp(code);
        made.red_trc.is_some().then(|| written(&made))?
    };
    caught(made).ok().flatten()
}

/// A profile for measured colours: the exponent that light has as a sample, that of sRGB where it is not told, and x and
/// y of white, red, green and blue. `None` for those of sRGB, and for measures that no screen has.
pub(crate) fn of_measures(gamma: Option<f64>, chromaticities: Option<[f64; 8]>, is_grey: bool) -> Option<Vec<u8>> {
    let differs = |measured: &[f64; 8]| measured.iter().zip(SRGB).any(|(a, b)| (a - b).abs() > SAME_CHROMATICITY);
    let other = chromaticities.filter(|measured| !is_grey && differs(measured) && are_of_a_screen(measured));
    // Beside sRGB's primaries, its nearest exponent means its curve.
    let counts = |gamma: &f64| other.is_some() || (gamma / SRGB_GAMMA - 1.0).abs() > SAME_GAMMA;
    let gamma = gamma.filter(|gamma| (0.1..=10.0).contains(gamma)).filter(counts);
    if gamma.is_none() && other.is_none() {
        return None;
    }
    let own = gamma.map(|gamma| ToneReprCurve::Parametric(vec![(1.0 / gamma) as f32]));
    let made = || {
        let mut made = ColorProfile::new_srgb();
        if is_grey {
            return of_grey(own?);
        }
        if let Some([white_x, white_y, primaries @ ..]) = other {
            let at = |number: usize| Chromaticity::new(primaries[2 * number] as f32, primaries[2 * number + 1] as f32);
            let primaries = ColorPrimaries { red: at(0), green: at(1), blue: at(2) };
            made.update_rgb_colorimetry(XyY { x: white_x, y: white_y, yb: 1.0 }, primaries);
        }
        if let Some(curve) = own {
            (made.red_trc, made.green_trc, made.blue_trc) = (Some(curve.clone()), Some(curve.clone()), Some(curve));
        }
        (made.cicp, made.description) = (None, None);
        written(&made)
    };
    caught(made).ok().flatten()
}

/// Whether red, green and blue span a triangle with white in it.
fn are_of_a_screen(&[white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y]: &[f64; 8]) -> bool {
    let side = |from: (f64, f64), to: (f64, f64), at: (f64, f64)| {
        (to.0 - from.0) * (at.1 - from.1) - (to.1 - from.1) * (at.0 - from.0)
    };
    let (white, red) = ((white_x, white_y), (red_x, red_y));
    let (green, blue) = ((green_x, green_y), (blue_x, blue_y));
    let sides = [side(red, green, white), side(green, blue, white), side(blue, red, white)];
    white_y > 0.0 && sides.iter().all(|side| *side > 1e-3)
}

fn of_grey(curve: ToneReprCurve) -> Option<Vec<u8>> {
    let mut made = ColorProfile::new_gray_with_gamma(1.0);
    made.gray_trc = Some(curve);
    written(&made)
}

/// The profile as a file, the same at all times: without the date, which else is now.
fn written(made: &ColorProfile) -> Option<Vec<u8>> {
    let mut file = made.encode().ok()?;
    file.get_mut(24..36)?.fill(0);
    Some(file)
}

/// What the inks of a picture look like.
pub(crate) struct Inks(std::sync::Arc<dyn TransformExecutor<u8> + Send + Sync>);

impl Inks {
    /// `None` for a profile that is not for cyan, magenta, yellow and black, or cannot be used.
    pub(crate) fn new(profile: &[u8]) -> Option<Self> {
        let made = || {
            let own =
                ColorProfile::new_from_slice(profile).ok().filter(|own| own.color_space == DataColorSpace::Cmyk)?;
            let srgb = ColorProfile::new_srgb();
            own.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()
        };
        caught(made).ok().flatten().map(Self)
    }

    /// Four inks a pixel, 255 for all of one, as RGB.
    pub(crate) fn to_srgb(&self, inks: &[u8]) -> Option<Vec<u8>> {
        let mut made = vec![0; inks.len() / 4 * 3];
        self.0.transform(inks, &mut made).ok()?;
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p3() -> Vec<u8> {
        written(&ColorProfile::new_display_p3()).expect("it can be written")
    }

    /// Expected values are those of LittleCMS 2 (relative colorimetric).
    #[test]
    fn colours_of_srgb_have_other_numbers_in_display_p3() {
        let near = |color, expected: [u8; 3]| {
            let made = from_srgb(&p3(), color).expect("the profile is good");
            assert!(made.iter().zip(expected).all(|(made, expected)| made.abs_diff(expected) <= 1), "{made:?}");
        };
        near([0, 168, 107], [75, 165, 112]);
        near([255, 255, 255], [255, 255, 255]);
        near([255, 0, 0], [234, 51, 35]);
        near([0, 0, 0], [0, 0, 0]);
    }

    #[test]
    fn a_grey_profile_of_gamma_1_is_made_lighter() {
        let linear = ColorProfile::new_gray_with_gamma(1.0).encode().expect("it can be written");
        let levels = grey_levels(&linear).expect("the profile is good");
        assert_eq!([levels[0], levels[255]], [0, 255]);
        // sRGB's curve of 1/2 (IEC 61966-2-1) is 0.735.
        assert!(levels[128].abs_diff(188) <= 1, "{}", levels[128]);
        assert!(levels.is_sorted());
        let wide = wide_grey_levels(&linear).expect("the profile is good");
        assert_eq!((wide.len(), wide[0], wide[65535]), (65536, 0, 65535));
        // Near black, sRGB's curve is 12.92 times as high.
        assert!(wide[20].abs_diff(258) <= 4 && wide[128 * 257].abs_diff(188 * 257) <= 257, "{}", wide[20]);
        assert!(wide.is_sorted());
    }

    #[test]
    fn what_is_no_profile_of_that_kind_is_passed_over() {
        assert_eq!(from_srgb(b"no profile", [1, 2, 3]), None);
        assert_eq!(grey_levels(&p3()), None);
        let whole = p3();
        for end in (0..whole.len()).step_by(7) {
            assert_eq!((from_srgb(&whole[..end], [1, 2, 3]), grey_levels(&whole[..end])), (None, None), "{end} bytes");
        }
    }
}
