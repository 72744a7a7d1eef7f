//! Where there is no edge: the mask is unsure over a wide area.
//!
//! There the picture's colours would decide what the model did not, and often wrongly: such an area stays as soft as
//! it is.

use std::ops::RangeInclusive;

use super::planes::counted;
use crate::error::Result;
use crate::exec::Pool;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::{Grid, ROWS, Span, counts_around, dilated, resized};

/// What a mask that is unsure has.
const UNSURE: RangeInclusive<u8> = 31..=224;
/// An area is wide if a square fits into it that reaches so far to each side of its middle, in a mask whose longer side
/// has at most so many pixels: what is smaller is no wide area.
const REACH: usize = 5;
const SIDE: u32 = 320;

/// How much of each pixel of a mask lies in such an area, 0 to 1, and what the mask has there, 0 to 1.
pub(super) struct Wide {
    parts: Grid<2>,
    /// From the first to the last column of each row that has a part in it.
    spans: Vec<Span>,
}

impl Wide {
    /// `None` where there is no such area. What the mask has is taken between its pixels, so that it is made no finer than
    /// the picture.
    ///
    /// # Errors
    /// [`Code::Internal`](crate::Code::Internal).
    pub(super) fn of(mask: &Pixels, picture: (u32, u32), pool: &Pool) -> Result<Option<Self>> {
        let no_finer = (mask.width().min(picture.0), mask.height().min(picture.1));
        let side = no_finer.0.max(no_finer.1);
        let small = |of: u32| (of * SIDE.min(side)).div_ceil(side);
        let mask = resized(mask, (small(no_finer.0), small(no_finer.1)), pool)?;
        let size @ (width, height) = (mask.width() as usize, mask.height() as usize);
        let reach = |reach: usize| (reach * width.max(height) + SIDE as usize / 2) / SIDE as usize;
        // The middles of squares that are unsure altogether, then what such squares cover.
        let sure: Vec<_> = mask.data().iter().map(|alpha| !UNSURE.contains(alpha)).collect();
        let mut middles = dilated(&sure, size, reach(REACH));
        middles.iter_mut().for_each(|middle| *middle = !*middle);
        if !middles.contains(&true) {
            return Ok(None);
        }
        let covered = counts_around(&dilated(&middles, size, reach(REACH)), size, reach(REACH) / 2);
        let mut values: Vec<_> = mask.data().iter().map(|soft| [0.0, f32::from(*soft) / 255.0]).collect();
        let across: Vec<_> = (0..width).map(|x| counted(x, reach(REACH) / 2, width)).collect();
        let rows = values.chunks_mut(width).zip(covered.chunks(width)).enumerate();
        let spans = rows.map(|(y, (values, covered))| {
            let down = counted(y, reach(REACH) / 2, height);
            let first = covered.iter().position(|covered| *covered > 0).unwrap_or(0);
            let span = first..covered.iter().rposition(|covered| *covered > 0).map_or(first, |last| last + 1);
            for x in span.clone() {
                values[x][0] = covered[x] as f32 / (across[x] * down);
            }
            span
        });
        let spans = spans.collect();
        Ok(Some(Self { parts: Grid { width, height, values }, spans }))
    }

    /// Gives back there what the mask has.
    pub(super) fn give_back(&self, alpha: &mut [u8], size: (usize, usize), pool: &Pool) {
        let parts = self.parts.enlarged(size);
        pool.for_each(alpha.chunks_mut(ROWS * size.0).enumerate(), |(chunk, alpha)| {
            let mut room = Vec::new();
            for (y, alpha) in alpha.chunks_mut(size.0).enumerate().map(|(y, alpha)| (chunk * ROWS + y, alpha)) {
                let ((above, below), _) = parts.rows(y);
                let spans = [above, below].map(|row| &self.spans[row]).into_iter().filter(|span| !span.is_empty());
                let span = spans.cloned().reduce(|one, other| one.start.min(other.start)..one.end.max(other.end));
                let Some(columns) = span.map(|span| parts.columns(&span)) else { continue };
                let part = parts.row(y, &columns, &mut room);
                for (x, alpha) in alpha[columns.clone()].iter_mut().enumerate() {
                    let [part, soft] = part(columns.start + x);
                    let hard = f32::from(*alpha) / 255.0;
                    *alpha = byte(hard + (soft - hard) * part);
                }
            }
        });
    }
}
