//! Colour profiles (ICC.1:2022): what a picture's numbers mean, and what those of sRGB are among them.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

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
        let own = ColorProfile::new_from_slice(profile).ok().filter(|own| own.color_space == DataColorSpace::Gray)?;
        let srgb = ColorProfile::new_srgb();
        let transform =
            own.create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, TransformOptions::default()).ok()?;
        let levels: Vec<u8> = (0..=u8::MAX).collect();
        let mut made = [0; 3 * 256];
        transform.transform(&levels, &mut made).ok()?;
        Some(std::array::from_fn(|level| made[3 * level]))
    };
    caught(converted).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p3() -> Vec<u8> {
        ColorProfile::new_display_p3().encode().expect("it can be written")
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
