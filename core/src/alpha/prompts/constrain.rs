//! The mask brought in line with what the caller says.
//!
//! Regions of the mask stay or go as a whole, soft edges and all. One that has points
//! of both kinds is divided, and a thing that the mask misses is grown, by geodesic
//! distance: how far it is along the picture's colours, where crossing an edge is far
//! (Bai and Sapiro, "Geodesic Matting: A Framework for Fast Interactive Image and Video
//! Segmentation and Matting", IJCV 82(2), 2009).

use super::case::Case;
use super::places::{self, Area, Over};
use super::{Prompts, Region};
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::Grid;

impl Prompts {
    /// The mask, [`Layout::Gray8`](crate::Layout::Gray8) of any size over the picture,
    /// with what is to be kept and without what is to be dropped. Regions outside the
    /// picture say nothing. Without prompts it stays to the byte, as do regions of it that
    /// are kept whole.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub(crate) fn constrain(
        &self,
        mask: Pixels,
        picture: &Pixels,
        pool: &Pool,
        control: &Control<'_>,
    ) -> Result<Pixels> {
        control.check()?;
        if self.is_empty() {
            return Ok(mask);
        }
        let case = Case::of(self, &mask, picture, pool, control)?;
        let changes = case.changes(control)?;
        let points: Vec<Region> = self.keep_points().into_iter().filter(|point| !case.is_beside(*point)).collect();
        self.applied(mask, (picture.width(), picture.height()), &points, &changes, control)
    }

    fn applied(
        &self,
        mut mask: Pixels,
        picture: (u32, u32),
        points: &[Region],
        changes: &Grid<3>,
        control: &Control<'_>,
    ) -> Result<Pixels> {
        let size = (mask.width() as usize, mask.height() as usize);
        let over = Over { mask: size, picture };
        let areas = |regions: &[Region]| -> Vec<Area> { regions.iter().map(|region| over.area(*region)).collect() };
        let (points, boxes, dropped) = (areas(points), over.boxes(&self.keep), areas(&self.drop));
        let (changes, mut room) = (changes.enlarged(size), Vec::new());
        for (y, row) in mask.data_mut().chunks_mut(size.0).enumerate() {
            control.check()?;
            let change = changes.row(y, &(0..size.0), &mut room);
            let [points, boxed, dropped] = [&points, &boxes, &dropped].map(|areas| places::row(areas, y, size.0));
            for (x, value) in row.iter_mut().enumerate() {
                let [stays, grown, free] = change(x);
                let free = if boxes.is_empty() || boxed[x] { 1.0 } else { free };
                *value = match (dropped[x], points[x]) {
                    (true, _) => 0,
                    (_, true) => u8::MAX,
                    _ => byte((f32::from(*value) / 255.0 * stays).max(grown) * free),
                };
            }
        }
        Ok(mask)
    }

    /// The points to be kept, but those that are to be dropped as well.
    pub(super) fn keep_points(&self) -> Vec<Region> {
        let points = self.keep.iter().copied().filter(|region| !region.is_box());
        points.filter(|point| !self.drop.iter().any(|region| region.covers(*point))).collect()
    }
}

impl Region {
    /// Whether it has the first pixel of the other.
    pub(super) fn covers(self, other: Self) -> bool {
        let ((across, down), (x, y)) = (self.spans(), other.spans());
        across.contains(&x.start) && down.contains(&y.start)
    }
}
