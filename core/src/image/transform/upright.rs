//! The eight ways to store a picture: mirrored, turned, or both.

use crate::image::pixels::{Layout, Orientation, Pixels};

/// Pixels in a side of the squares that a transposition goes through: both
/// the rows read and the rows written then stay in the processor's cache.
const BLOCK: usize = 32;

/// Undoes the orientation in which a picture was stored.
pub(crate) fn upright(pixels: Pixels, orientation: Orientation) -> Pixels {
    match pixels.layout() {
        Layout::Gray8 => turned::<1>(pixels, orientation),
        Layout::Rgb8 => turned::<3>(pixels, orientation),
        Layout::Rgba8 => turned::<4>(pixels, orientation),
    }
}

fn turned<const N: usize>(mut pixels: Pixels, orientation: Orientation) -> Pixels {
    let width = pixels.width() as usize;
    let all = pixels.data_mut().as_chunks_mut::<N>().0;
    match orientation {
        Orientation::Normal => {}
        Orientation::FlipH => all.chunks_exact_mut(width).for_each(<[_]>::reverse),
        Orientation::Rotate180 => all.reverse(),
        Orientation::FlipV => swap_rows(all, width),
        Orientation::Transpose => return transposed::<N>(&pixels, false, false),
        Orientation::Rotate90 => return transposed::<N>(&pixels, false, true),
        Orientation::Transverse => return transposed::<N>(&pixels, true, true),
        Orientation::Rotate270 => return transposed::<N>(&pixels, true, false),
    }
    pixels
}

fn swap_rows<T>(pixels: &mut [T], width: usize) {
    let half = pixels.len() / width / 2 * width;
    let (top, rest) = pixels.split_at_mut(half);
    let bottom = rest.rchunks_exact_mut(width);
    top.chunks_exact_mut(width).zip(bottom).for_each(|(upper, lower)| upper.swap_with_slice(lower));
}

/// Rows become columns, then the new rows (`up_down`) and the new columns
/// (`left_right`) may be counted from the far end.
fn transposed<const N: usize>(pixels: &Pixels, up_down: bool, left_right: bool) -> Pixels {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let source = pixels.data().as_chunks::<N>().0;
    let mut out = Pixels::filled(pixels.height(), pixels.width(), pixels.layout(), 0);
    let target = out.data_mut().as_chunks_mut::<N>().0;
    for (x0, y0) in (0..width).step_by(BLOCK).flat_map(|x| (0..height).step_by(BLOCK).map(move |y| (x, y))) {
        for x in x0..width.min(x0 + BLOCK) {
            let row = if up_down { width - 1 - x } else { x };
            for y in y0..height.min(y0 + BLOCK) {
                let column = if left_right { height - 1 - y } else { y };
                target[row * height + column] = source[y * width + x];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters as pixels: rows of text are rows of the picture.
    fn picture(rows: &[&str], layout: Layout) -> Pixels {
        let data = rows.concat().bytes().flat_map(|b| (0..layout.bytes() as u8).map(move |c| b + c)).collect();
        Pixels::known(rows[0].len() as u32, rows.len() as u32, layout, data)
    }

    #[test]
    fn every_orientation_brings_the_picture_upright() {
        let stored = ["AAB", "CDE"];
        let seen: [&[&str]; 8] = [
            &["AAB", "CDE"],
            &["BAA", "EDC"],
            &["EDC", "BAA"],
            &["CDE", "AAB"],
            &["AC", "AD", "BE"],
            &["CA", "DA", "EB"],
            &["EB", "DA", "CA"],
            &["BE", "AD", "AC"],
        ];
        for layout in [Layout::Gray8, Layout::Rgb8, Layout::Rgba8] {
            for (exif, seen) in (1..).zip(seen) {
                let got = upright(picture(&stored, layout), Orientation::from_exif(exif));
                assert_eq!(got, picture(seen, layout), "{exif} {layout:?}");
            }
        }
    }

    #[test]
    fn sizes_across_the_block_turn_back_to_the_same_picture() {
        for (width, height) in [(1, 100), (100, 1), (33, 65), (32, 64), (5, 5)] {
            let data = (0..width * height * 3).map(|i| (i * 7 % 251) as u8).collect();
            let picture = Pixels::known(width, height, Layout::Rgb8, data);
            for (there, back) in [(2, 2), (3, 3), (4, 4), (5, 5), (6, 8), (7, 7)] {
                let turned = upright(picture.clone(), Orientation::from_exif(there));
                assert_eq!(upright(turned, Orientation::from_exif(back)), picture, "{there} {width}×{height}");
            }
        }
    }

    #[test]
    fn an_orientation_that_exif_does_not_define_is_upright() {
        assert_eq!(Orientation::from_exif(0), Orientation::Normal);
        assert_eq!(Orientation::from_exif(9), Orientation::Normal);
    }
}
