//! Where there is work: around the mask's edge.

use super::TILE;
use crate::image::pixels::Pixels;
use crate::image::small::dilated;

/// A mask is sure up to this and from 255 less this on.
const SURE: u8 = 25;
/// The band goes on beyond what is not sure for one pixel of a mask of so many.
const SIDE: usize = 320;

/// Where the mask is not sure, or goes from subject to background, and a margin
/// around it, in the mask's own pixels.
pub(super) struct Band {
    width: usize,
    height: usize,
    inside: Vec<bool>,
    subject: Vec<bool>,
}

impl Band {
    pub(super) fn around(mask: &Pixels) -> Self {
        let (width, height) = (mask.width() as usize, mask.height() as usize);
        let subject: Vec<bool> = mask.data().iter().map(|alpha| *alpha > u8::MAX / 2).collect();
        let mut inside: Vec<bool> =
            mask.data().iter().map(|alpha| (SURE + 1..u8::MAX - SURE).contains(alpha)).collect();
        let add_turns = |inside: &mut [bool], one: &[bool], next: &[bool]| {
            inside.iter_mut().zip(one.iter().zip(next)).for_each(|(inside, (one, next))| *inside |= one != next);
        };
        for (inside, subject) in inside.chunks_mut(width).zip(subject.chunks(width)) {
            add_turns(inside, subject, &subject[1..]);
        }
        add_turns(&mut inside, &subject, &subject[width..]);
        let margin = ((width.max(height) + SIDE / 2) / SIDE).max(1);
        let inside = dilated(&inside, (width, height), margin);
        Self { width, height, inside, subject }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.inside.contains(&true)
    }

    /// From which column of a picture of this width on each column of the mask lies
    /// under it, and where the last ends.
    pub(super) fn starts(&self, width: usize) -> Vec<usize> {
        let under: Vec<usize> = (0..width).map(|x| (2 * x + 1) * self.width / (2 * width)).collect();
        (0..=self.width).map(|column| under.partition_point(|under| *under < column)).collect()
    }

    /// The row of the mask under a row of a picture of this height, in the band and sure of the subject.
    pub(super) fn row(&self, y: usize, height: usize) -> (&[bool], &[bool]) {
        let start = (2 * y + 1) * self.height / (2 * height) * self.width;
        (&self.inside[start..start + self.width], &self.subject[start..start + self.width])
    }

    /// Which tiles of a picture of this size, row after row, have to do with the band.
    pub(super) fn tiles(&self, (width, height): (usize, usize)) -> Vec<bool> {
        let across = width.div_ceil(TILE);
        let mut tiles = vec![false; across * height.div_ceil(TILE)];
        // Beside a pixel of the band its neighbours are needed, to go between them.
        let span = |cell: usize, cells: usize, side: usize| {
            let (from, to) = (cell * side / cells, ((cell + 1) * side).div_ceil(cells));
            from.saturating_sub(2) / TILE..=(to + 1).min(side - 1) / TILE
        };
        let columns: Vec<_> = (0..self.width).map(|x| span(x, self.width, width)).collect();
        let mut row_of_tiles = vec![false; across];
        for (y, inside) in self.inside.chunks(self.width).enumerate().filter(|(_, inside)| inside.contains(&true)) {
            row_of_tiles.fill(false);
            for (columns, _) in columns.iter().zip(inside).filter(|(_, inside)| **inside) {
                row_of_tiles[columns.clone()].fill(true);
            }
            for y in span(y, self.height, height) {
                tiles[y * across..][..across].iter_mut().zip(&row_of_tiles).for_each(|(tile, is_in)| *tile |= is_in);
            }
        }
        tiles
    }
}
