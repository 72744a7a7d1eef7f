//! Where there is no edge: the mask is unsure over a wide area.
//!
//! There the picture's colours would decide what the model did not, and often wrongly: such an area stays as soft as
//! it is.

use std::ops::RangeInclusive;

use super::planes::counted;
use crate::exec::Pool;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::{Grid, ROWS, Span, dilated, joined_around};

/// What a mask that is unsure has.
const UNSURE: RangeInclusive<u8> = 31..=224;
/// An area is wide if a square fits into it that reaches so far to each side of its middle, in a mask of so many pixels.
const REACH: usize = 5;
const SIDE: usize = 320;

/// How much of each pixel of a mask lies in such an area, 0 to 1, and what the mask has there, 0 to 1.
pub(super) struct Wide {
    parts: Grid<2>,
    /// From the first to the last column of each row that has a part in it.
    spans: Vec<Span>,
}

impl Wide {
    /// `None` where there is no such area. What the mask has is then taken between its pixels, so that it must not be much
    /// finer than the picture.
    pub(super) fn of(mask: &Pixels) -> Option<Self> {
        let size @ (width, height) = (mask.width() as usize, mask.height() as usize);
        let reach = |reach: usize| (reach * width.max(height) + SIDE / 2) / SIDE;
        // The middles of squares that are unsure altogether, then what such squares cover.
        let sure: Vec<_> = mask.data().iter().map(|alpha| !UNSURE.contains(alpha)).collect();
        let mut middles = dilated(&sure, size, reach(REACH));
        middles.iter_mut().for_each(|middle| *middle = !*middle);
        if !middles.contains(&true) {
            return None;
        }
        let covered = dilated(&middles, size, reach(REACH));
        let parts = shares(&covered, size, reach(REACH) / 2);
        let has_part = |part: &f32| *part > 0.0;
        let span = |row: &[f32]| {
            let first = row.iter().position(has_part).unwrap_or(0);
            first..row.iter().rposition(has_part).map_or(first, |last| last + 1)
        };
        let spans = parts.chunks(width).map(span).collect();
        let values = parts.into_iter().zip(mask.data()).map(|(part, soft)| [part, f32::from(*soft) / 255.0]).collect();
        Some(Self { parts: Grid { width, height, values }, spans })
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
                let part = parts.row(y, &mut room);
                for (x, alpha) in alpha[columns.clone()].iter_mut().enumerate() {
                    let [part, soft] = part(columns.start + x);
                    let hard = f32::from(*alpha) / 255.0;
                    *alpha = byte(hard + (soft - hard) * part);
                }
            }
        });
    }
}

/// How much of the window around each is set; windows end where the mask does.
fn shares(set: &[bool], size: (usize, usize), reach: usize) -> Vec<f32> {
    let set: Vec<f32> = set.iter().map(|set| f32::from(u8::from(*set))).collect();
    let mut sums = joined_around(&set, size, reach, |one, other| *one += other);
    let across: Vec<_> = (0..size.0).map(|x| counted(x, reach, size.0)).collect();
    for (y, row) in sums.chunks_mut(size.0).enumerate() {
        let down = counted(y, reach, size.1);
        row.iter_mut().zip(&across).for_each(|(sum, across)| *sum /= across * down);
    }
    sums
}
