//! Where a picture lies in the model's input.

use crate::image::pixels::Matte;
use crate::models::Recipe;
use crate::options::cutout::{CutOut, Preset};

/// A rectangle of the model's input, in its pixels. What is around it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Left is right.
    pub(super) mirrored: bool,
}

/// How often a model sees a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Views of the whole.
    pub(crate) views: usize,
    /// Views of the subject's box, where that is small and no speck.
    pub(crate) closer: usize,
    /// Views of the whole beyond the first ones, where there is no closer one and the model is not sure.
    pub(crate) unsure: usize,
}

impl Plan {
    /// One view as rembg has it; where edges are refined, more for a `quick` model, and for the best preset all of them for
    /// any model.
    pub(crate) fn for_cut_out(how: &CutOut, quick: bool) -> Self {
        let (views, closer, unsure) = match (how.refine, how.preset) {
            (true, Preset::Balanced) if quick => (2, 1, 1),
            (true, Preset::Best) => (5, 3, 0),
            _ => (1, 0, 0),
        };
        Self { views, closer, unsure }
    }
}

/// How much of the squeeze is taken away in a view that is half squeezed.
const HALF: f64 = 0.5;

impl Fit {
    /// At most so many views of a picture of this size, each another one: first rembg's, then one less squeezed, both
    /// mirrored, and one not squeezed. Where the model misses a part of the subject in one view it may find it in
    /// another (test-time augmentation).
    pub(crate) fn views(size: (u32, u32), recipe: &Recipe, count: usize) -> Vec<Self> {
        let (whole, half) = (Self::squeezed(recipe), Self::padded(size, recipe, HALF));
        let mirrored = |fit| Self { mirrored: true, ..fit };
        let ways = [whole, half, mirrored(half), mirrored(whole), Self::padded(size, recipe, 1.0)];
        let mut views = Vec::with_capacity(ways.len());
        for way in ways {
            if views.len() < count && !views.contains(&way) {
                views.push(way);
            }
        }
        views
    }

    /// The whole input, whatever the picture's aspect ratio: as rembg does it.
    pub(crate) const fn squeezed(recipe: &Recipe) -> Self {
        Self { left: 0, top: 0, width: recipe.width, height: recipe.height, mirrored: false }
    }

    /// In the middle, with `part` of the squeeze taken away: 0 is squeezed, and 1 has the
    /// picture's own aspect ratio, but that no more than four to one counts. Squeezed,
    /// things have shapes that the model does not know so well; without any squeeze
    /// they are smaller than need be, and lie in a frame that it does not know. Half
    /// way between, u2netp finds more of tall portraits, and less of wide pictures.
    fn padded(size: (u32, u32), recipe: &Recipe, part: f64) -> Self {
        let whole = Self::squeezed(recipe);
        let squeeze = f64::from(size.0) / f64::from(size.1) * f64::from(whole.height) / f64::from(whole.width);
        let side = |side: u32, squeeze: f64| (f64::from(side) * squeeze.clamp(0.25, 1.0).powf(part)).round() as u32;
        let (width, height) = (side(whole.width, squeeze).max(1), side(whole.height, 1.0 / squeeze).max(1));
        let (left, top) = ((whole.width - width) / 2, (whole.height - height) / 2);
        Self { left, top, width, height, mirrored: false }
    }

    /// Where the rectangle's rows begin in an input that is so wide, row after row.
    pub(super) fn rows(self, across: u32) -> impl Iterator<Item = std::ops::Range<usize>> {
        (self.top..self.top + self.height).map(move |y| {
            let start = y as usize * across as usize + self.left as usize;
            start..start + self.width as usize
        })
    }

    /// The picture's part of a matte of the whole input, as the picture lies.
    pub(super) fn taken_from(self, matte: Matte) -> Matte {
        let mut data = matte.data;
        if (self.width, self.height) != (matte.width, matte.height) {
            data = self.rows(matte.width).flat_map(|row| data[row].iter().copied()).collect();
        }
        if self.mirrored {
            data.chunks_mut(self.width as usize).for_each(<[f32]>::reverse);
        }
        Matte { width: self.width, height: self.height, data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: (u32, u32), part: f64) -> [u32; 4] {
        let Fit { left, top, width, height, .. } = Fit::padded(size, &Recipe::U2NET, part);
        [left, top, width, height]
    }

    #[test]
    fn half_of_the_squeeze_is_left() {
        assert_eq!(of((500, 500), HALF), [0, 0, 320, 320]);
        assert_eq!(of((900, 400), HALF), [0, 53, 320, 213], "2.25 times as wide, shown 1.5 times as wide");
        assert_eq!(of((400, 900), HALF), [53, 0, 213, 320]);
        assert_eq!(of((640, 160), HALF), [0, 80, 320, 160]);
        assert_eq!(of((10_000, 1), HALF), [0, 80, 320, 160], "no narrower than that");
        let wide = Recipe { width: 4, height: 2, ..Recipe::U2NET };
        let same = Fit::padded((100, 50), &wide, HALF);
        assert_eq!(same, Fit::squeezed(&wide), "the picture has the input's aspect ratio");
    }

    #[test]
    fn all_or_nothing_of_the_squeeze_can_be_taken_away() {
        assert_eq!(of((900, 400), 0.0), [0, 0, 320, 320]);
        assert_eq!(of((900, 400), 1.0), [0, 89, 320, 142]);
        assert_eq!(of((1, 10_000), 1.0), [120, 0, 80, 320]);
    }

    #[test]
    fn more_work_is_more_views_of_which_the_first_is_rembgs() {
        let plan = |refine, preset, quick| {
            let Plan { views, closer, unsure } =
                Plan::for_cut_out(&CutOut { refine, preset, ..CutOut::default() }, quick);
            (views, closer, unsure)
        };
        assert_eq!(plan(true, Preset::Best, true), (5, 3, 0));
        assert_eq!(plan(true, Preset::Best, false), (5, 3, 0), "whoever asks for the best waits for it");
        assert_eq!(plan(true, Preset::Balanced, true), (2, 1, 1));
        assert_eq!(plan(true, Preset::Balanced, false), (1, 0, 0), "one view of a slow model");
        assert_eq!(plan(true, Preset::Fast, true), (1, 0, 0));
        for preset in Preset::ALL {
            assert_eq!(plan(false, preset, true), (1, 0, 0), "as rembg has it");
        }
        let widths = |size, count| {
            let views = Fit::views(size, &Recipe::U2NET, count);
            views.iter().map(|fit| (fit.width, fit.mirrored)).collect::<Vec<_>>()
        };
        let all = [(320, false), (213, false), (213, true), (320, true), (142, false)];
        assert_eq!(widths((400, 900), 5), all);
        assert_eq!(widths((400, 900), 3), all[..3]);
        assert_eq!(Fit::views((400, 900), &Recipe::U2NET, 1), [Fit::squeezed(&Recipe::U2NET)]);
        assert_eq!(widths((500, 500), 2), [all[0], all[3]], "in a square picture all fits are one");
        assert_eq!(widths((500, 500), 5), [all[0], all[3]]);
    }

    #[test]
    fn a_part_is_taken_from_a_matte_and_turned_back() {
        let matte = Matte { width: 3, height: 3, data: (0..9_u8).map(f32::from).collect() };
        let fit = Fit { left: 1, top: 0, width: 2, height: 2, mirrored: false };
        let taken = |fit: Fit| fit.taken_from(matte.clone()).data;
        assert_eq!(taken(fit), [1.0, 2.0, 4.0, 5.0]);
        assert_eq!(taken(Fit { mirrored: true, ..fit }), [2.0, 1.0, 5.0, 4.0]);
    }
}
