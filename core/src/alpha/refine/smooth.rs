//! The mask made hard, with smooth outlines: rembg's `post_process_mask`, to
//! the byte.

use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};

/// A Gaussian of σ = 2 cut off at 4σ, from its middle outwards. These are the
/// digits that SciPy works with: their last bits decide which side of the
/// threshold a flat region of 127 falls on.
const GAUSSIAN: [f64; 9] = [
    0.199_474_647_864_745,
    0.176_035_758_884_790_37,
    0.120_987_489_765_349_04,
    0.064_759_936_604_727_44,
    0.026_995_957_967_298_846,
    0.008_764_304_362_785_87,
    0.002_215_963_172_596_555,
    0.000_436_349_020_506_788_3,
    0.000_066_916_289_572_635_53,
];
const REACH: usize = GAUSSIAN.len() - 1;

/// Smooths an alpha: opening with a 3×3 cross, Gaussian blur, threshold.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn smooth(alpha: &Pixels, control: &Control<'_>) -> Result<Pixels> {
    let (width, height) = (alpha.width() as usize, alpha.height() as usize);
    let eroded = spread(alpha.data(), width, u8::min, control)?;
    let opened = spread(&eroded, width, u8::max, control)?;
    let data = blurred_and_cut(&opened, width, height, control)?;
    Ok(Pixels::known(alpha.width(), alpha.height(), Layout::Gray8, data))
}

/// Erosion or dilation by a cross. What lies outside the picture counts for nothing.
fn spread(data: &[u8], width: usize, pick: fn(u8, u8) -> u8, control: &Control<'_>) -> Result<Vec<u8>> {
    let mut spread = Vec::with_capacity(data.len());
    for start in (0..data.len()).step_by(width) {
        control.check()?;
        let row = &data[start..start + width];
        let above = &data[start.saturating_sub(width)..][..width];
        let below = data.get(start + width..start + 2 * width).unwrap_or(row);
        spread.extend((0..width).map(|x| {
            let sides = pick(row[x.saturating_sub(1)], row[(x + 1).min(width - 1)]);
            pick(pick(row[x], sides), pick(above[x], below[x]))
        }));
    }
    Ok(spread)
}

fn blurred_and_cut(data: &[u8], width: usize, height: usize, control: &Control<'_>) -> Result<Vec<u8>> {
    let mut cut = Vec::with_capacity(data.len());
    let mut line = vec![0.0; width + 2 * REACH];
    for y in 0..height as isize {
        control.check()?;
        let row = |distance: isize| &data[mirrored(y + distance, height) * width..][..width];
        let rows: [&[u8]; 2 * REACH + 1] = std::array::from_fn(|at| row(at as isize - REACH as isize));
        for x in 0..width {
            line[REACH + x] = weighted(|at| f64::from(rows[at][x]));
        }
        for side in 0..REACH {
            line[side] = line[REACH + mirrored(side as isize - REACH as isize, width)];
            line[REACH + width + side] = line[REACH + mirrored((width + side) as isize, width)];
        }
        cut.extend(line.windows(2 * REACH + 1).map(|near| if weighted(|at| near[at]) < 127.0 { 0 } else { 255 }));
    }
    Ok(cut)
}

/// The sum in the order in which SciPy makes it.
fn weighted(value: impl Fn(usize) -> f64) -> f64 {
    let middle = value(REACH) * GAUSSIAN[0];
    (1..=REACH).rev().fold(middle, |sum, far| sum + (value(REACH - far) + value(REACH + far)) * GAUSSIAN[far])
}

/// The pixel seen at `at` when the picture is mirrored at its edges for ever.
fn mirrored(at: isize, length: usize) -> usize {
    let at = at.rem_euclid(2 * length as isize) as usize;
    at.min(2 * length - 1 - at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::exec::control::CancelToken;

    fn smoothed(width: u32, height: u32, data: &[u8]) -> Vec<u8> {
        let alpha = Pixels::known(width, height, Layout::Gray8, data.to_vec());
        smooth(&alpha, &Control::default()).expect("nothing stops it").into_data()
    }

    /// What SciPy 1.17 and scikit-image 0.26 make of it, as rembg calls them.
    #[test]
    fn bytes_are_those_of_scipy_and_scikit_image() {
        #[rustfmt::skip]
        let mask = [
            255, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0,  0,
              0, 0,   0,   0, 130, 130, 130, 130, 130, 130,   0,  0,
              0, 0,   0, 255, 255, 255, 255, 255, 255, 255, 255,  0,
              0, 0,   0, 255, 255,  40,  40, 255, 255, 255, 255,  0,
              0, 0, 200, 255, 255,  40,  40, 255, 255, 255, 255,  0,
              0, 0,   0, 255, 255, 255, 255, 255, 255, 255, 255, 90,
              0, 0,   0, 255, 255, 255, 255, 255, 255, 255, 255,  0,
              0, 0,   0, 255, 255, 255, 255, 255, 255, 255, 255,  0,
              0, 0,   0,   0, 255, 255, 255, 255, 255,   0,   0,  0,
        ];
        let expected = [
            "............",
            "............",
            ".......##...",
            ".....######.",
            "....########",
            "...#########",
            "...########.",
            "...########.",
            "...#######..",
        ];
        let got = smoothed(12, 9, &mask);
        let drawn: Vec<String> =
            got.chunks(12).map(|row| row.iter().map(|alpha| if *alpha == 255 { '#' } else { '.' }).collect()).collect();
        assert_eq!(drawn, expected);
        assert!(got.iter().all(|alpha| [0, 255].contains(alpha)));
    }

    #[test]
    fn a_speck_goes_and_a_pinhole_closes() {
        let mut speck = [0; 21 * 21];
        speck[10 * 21 + 10] = 255;
        assert_eq!(smoothed(21, 21, &speck), [0; 21 * 21]);
        assert_eq!(smoothed(21, 21, &speck.map(|alpha| 255 - alpha)), [255; 21 * 21]);
    }

    #[test]
    fn flat_masks_of_any_shape_become_hard() {
        for (width, height) in [(1, 1), (1, 30), (30, 1), (3, 2)] {
            for (value, hard) in [(0, 0), (126, 0), (127, 255), (255, 255)] {
                let count = (width * height) as usize;
                assert_eq!(smoothed(width, height, &vec![value; count]), vec![hard; count], "{width}×{height} {value}");
            }
        }
    }

    #[test]
    fn a_stop_is_heard() {
        let token = CancelToken::new();
        token.cancel();
        let stopped = Control { cancel: Some(&token), ..Control::default() };
        let alpha = Pixels::filled(3, 3, Layout::Gray8, 9);
        assert_eq!(smooth(&alpha, &stopped).expect_err("it was stopped").code(), Code::Cancelled);
    }
}
