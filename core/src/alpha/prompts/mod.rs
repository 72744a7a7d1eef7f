//! What the caller says of the subject, brought into the mask: where it is, and what is none of it.

mod case;
mod clip;
mod constrain;
mod forest;
mod missed;
mod places;
mod regions;
mod scene;
#[cfg(test)]
mod tests;

use crate::image::spans::joined;
pub(crate) use crate::options::regions::{Prompts, Region};
use places::MARGIN;

impl Prompts {
    /// The part of a picture of this size to look at, as left, top, width and height:
    /// what is to be kept, and a margin to tell it from. `None` where that is not all in boxes, as nobody knows how far a
    /// thing reaches from a point, and where it is the whole picture.
    pub(crate) fn crop(&self, size: (u32, u32)) -> Option<(u32, u32, u32, u32)> {
        if !self.is_bounded() {
            return None;
        }
        let inside = |region: &&Region| region.meets(size) && !region.is_empty();
        let spans = self.keep.iter().filter(inside).map(|region| region.spans());
        let (across, down) = spans.reduce(|one, other| (joined(one.0, other.0), joined(one.1, other.1)))?;
        let (left, width) = places::widened(across, size.0, MARGIN);
        let (top, height) = places::widened(down, size.1, MARGIN);
        Some((left, top, width, height)).filter(|_| (width, height) != size)
    }

    /// Whether all that is to be kept lies in boxes.
    fn is_bounded(&self) -> bool {
        let covered = |point: &Region| self.keep.iter().any(|region| region.is_box() && region.covers(*point));
        self.keep.iter().any(|region| region.is_box()) && self.keep_points().iter().all(covered)
    }
}
