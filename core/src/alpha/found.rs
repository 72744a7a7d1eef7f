//! What was found, in numbers: how much, where, and how surely.

use crate::image::pixels::{Layout, Pixels};

/// At least so opaque is subject.
const SUBJECT: u8 = 128;
/// What is no more opaque than this belongs to no outline.
const FAINT: u8 = 12;

/// How much of the picture the subject is, where it is, and how sure the model is of it. Of the upright picture, before
/// it is resized and turned; with [`CutOut::invert_mask`](crate::CutOut::invert_mask) of what is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The mean of the alpha, 0 to 1.
    pub coverage: f32,
    /// Left, top, right and bottom in pixels, as boxes of prompts are written: around every pixel that is more than faint (12 of 255).
    /// `None` where nothing was found: no pixel is at least half subject.
    pub bounds: Option<(u32, u32, u32, u32)>,
    /// How sure the model is, 0 to 1: the mean of the mask, each of its pixels counted as often as it is subject, Σm² ÷ Σm. 1 is a mask
    /// of nothing but 0 and 1. Where the background is flat and the alpha follows from colours, that of the alpha; of a
    /// mask that is brought, its own, and of a trimap that of what is solved. docs/quality.md tells how it goes with the true quality.
    pub confidence: f32,
}

impl Found {
    /// What to say where [`bounds`](Self::bounds) is `None`.
    pub const NOTHING: &'static str = "nothing was found in the picture: the result is empty, or nearly so";

    /// Of the alpha that cuts out.
    pub(crate) fn of(alpha: &Pixels, confidence: f32) -> Self {
        debug_assert_eq!(alpha.layout(), Layout::Gray8);
        let sum: u64 = alpha.data().iter().map(|&alpha| u64::from(alpha)).sum();
        let coverage = (sum as f64 / (alpha.data().len() as f64 * f64::from(u8::MAX))) as f32;
        let bounds = if is_any(alpha) { bounds(alpha) } else { None };
        Self { coverage, bounds, confidence: if bounds.is_some() { confidence } else { 0.0 } }
    }
}

/// Whether any pixel is at least half subject.
pub(super) fn is_any(alpha: &Pixels) -> bool {
    alpha.data().chunks(1 << 12).any(|values| values.iter().copied().max().unwrap_or(0) >= SUBJECT)
}

/// Around all that is more than faint.
fn bounds(alpha: &Pixels) -> Option<(u32, u32, u32, u32)> {
    let is_seen = |&alpha: &u8| alpha > FAINT;
    let (mut left, mut right) = (usize::MAX, 0);
    let (mut top, mut bottom) = (None, 0);
    for (y, row) in alpha.data().chunks_exact(alpha.width() as usize).enumerate() {
        if row.iter().copied().max().unwrap_or(0) <= FAINT {
            continue;
        }
        left = row.iter().take(left).position(is_seen).unwrap_or(left);
        right = right + row[right..].iter().rposition(is_seen).map_or(0, |at| at + 1);
        (top, bottom) = (top.or(Some(y)), y + 1);
    }
    top.map(|top| (left as u32, top as u32, right as u32, bottom as u32))
}

/// How sure a mask is: Σm² ÷ Σm. 0 for an empty one.
pub(super) fn confidence(mask: &Pixels) -> f32 {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for &value in mask.data() {
        sum += u64::from(value);
        squares += u64::from(u16::from(value) * u16::from(value));
    }
    if sum == 0 { 0.0 } else { (squares as f64 / (sum as f64 * f64::from(u8::MAX))) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpha(width: u32, data: &[u8]) -> Pixels {
        Pixels::known(width, data.len() as u32 / width, Layout::Gray8, data.to_vec())
    }

    #[test]
    fn bounds_are_around_all_that_is_more_than_faint() {
        let of = |data: &[u8]| Found::of(&alpha(4, data), 1.0).bounds;
        assert_eq!(of(&[0, 0, 0, 0, 0, 200, 0, 0, 0, 0, 13, 12]), Some((1, 1, 3, 3)));
        assert_eq!(of(&[255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128]), Some((0, 0, 4, 3)));
        assert_eq!(of(&[0, 0, 0, 128, 0, 13, 0, 0, 0, 0, 0, 0]), Some((1, 0, 4, 2)));
        assert_eq!(of(&[255; 12]), Some((0, 0, 4, 3)));
        assert_eq!(of(&[127; 12]), None, "nothing is subject");
        assert_eq!(of(&[0; 12]), None);
    }

    #[test]
    fn coverage_is_the_mean_and_confidence_falls_where_the_mask_is_grey() {
        assert_eq!(Found::of(&alpha(2, &[255, 255, 0, 0]), 1.0).coverage, 0.5);
        assert_eq!(Found::of(&alpha(2, &[0; 4]), 0.7), Found { coverage: 0.0, bounds: None, confidence: 0.0 });
        assert_eq!(confidence(&alpha(2, &[255, 0, 0, 255])), 1.0);
        assert_eq!(confidence(&alpha(2, &[51; 4])), 0.2);
        assert_eq!(confidence(&alpha(2, &[0; 4])), 0.0);
    }
}
