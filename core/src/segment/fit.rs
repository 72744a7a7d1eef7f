//! Where a picture lies in the model's input.

use crate::models::Recipe;
use crate::pixels::Matte;

/// A rectangle of the model's input, in its pixels. What is around it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Fit {
    /// The whole input, whatever the picture's aspect ratio: as rembg does it.
    pub(crate) const fn squeezed(recipe: &Recipe) -> Self {
        Self { left: 0, top: 0, width: recipe.width, height: recipe.height }
    }

    /// In the middle, with the square root of the squeeze, and no narrower than half
    /// the input. Squeezed, things have shapes that the model does not know so well;
    /// without any squeeze they are smaller than need be, and lie in a frame that it
    /// does not know. Half way between, u2netp finds subjects and edges better than
    /// squeezed, and more evenly than without any squeeze.
    pub(crate) fn halfway(size: (u32, u32), recipe: &Recipe) -> Self {
        let whole = Self::squeezed(recipe);
        let squeeze = f64::from(size.0) / f64::from(size.1) * f64::from(whole.height) / f64::from(whole.width);
        let part = |side: u32, squeeze: f64| (f64::from(side) * squeeze.sqrt().clamp(0.5, 1.0)).round() as u32;
        let (width, height) = (part(whole.width, squeeze).max(1), part(whole.height, 1.0 / squeeze).max(1));
        Self { left: (whole.width - width) / 2, top: (whole.height - height) / 2, width, height }
    }

    /// Where the rectangle's rows begin in an input that is so wide, row after row.
    pub(super) fn rows(self, across: u32) -> impl Iterator<Item = std::ops::Range<usize>> {
        (self.top..self.top + self.height).map(move |y| {
            let start = y as usize * across as usize + self.left as usize;
            start..start + self.width as usize
        })
    }

    /// The part of a matte of the whole input.
    pub(super) fn cropped(self, matte: Matte) -> Matte {
        if (self.width, self.height) == (matte.width, matte.height) {
            return matte;
        }
        let data = self.rows(matte.width).flat_map(|row| matte.data[row].iter().copied()).collect();
        Matte { width: self.width, height: self.height, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: (u32, u32)) -> [u32; 4] {
        let Fit { left, top, width, height } = Fit::halfway(size, &Recipe::U2NET);
        [left, top, width, height]
    }

    #[test]
    fn half_of_the_squeeze_is_left() {
        assert_eq!(of((500, 500)), [0, 0, 320, 320]);
        assert_eq!(of((900, 400)), [0, 53, 320, 213], "2.25 times as wide, shown 1.5 times as wide");
        assert_eq!(of((400, 900)), [53, 0, 213, 320]);
        assert_eq!(of((640, 160)), [0, 80, 320, 160]);
        assert_eq!(of((10_000, 1)), [0, 80, 320, 160], "no narrower than that");
        let wide = Recipe { width: 4, height: 2, ..Recipe::U2NET };
        assert_eq!(Fit::halfway((100, 50), &wide), Fit::squeezed(&wide), "the picture has the input's aspect ratio");
    }

    #[test]
    fn a_part_is_cut_out_of_a_matte() {
        let matte = Matte { width: 3, height: 3, data: (0..9_u8).map(f32::from).collect() };
        let fit = Fit { left: 1, top: 0, width: 2, height: 2 };
        assert_eq!(fit.cropped(matte), Matte { width: 2, height: 2, data: vec![1.0, 2.0, 4.0, 5.0] });
    }
}
