//! Where there is no edge: the mask is unsure over a wide area.
//!
//! There the picture's colours would decide what the model did not, and often wrongly: such an area stays as soft as
//! it is.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::super::Maker;
use crate::error::Result;
use crate::exec::Pool;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::{Grid, ROWS, resized};
use crate::image::spans::{Span, dilated, joined, means_around};

/// What a mask that is unsure has. A caller's has it too where it is anything but 0 and 255, and changes from a pixel to the
/// next by at most so many levels: there is no edge.
const UNSURE: RangeInclusive<u8> = 31..=224;
const FLAT: u8 = 3;
/// An area is wide if a square fits into it that reaches so far to each side of its middle, in a mask whose longer side
/// has at most so many pixels: what is smaller is no wide area.
const REACH: usize = 5;
const SIDE: u32 = 320;
/// Its sides fade: it is blurred twice by so much.
const FEATHER: usize = 3;
/// A smaller part changes no level.
const LEAST: f32 = 1.0 / 512.0;

/// How much of each pixel of a small mask lies in such an area, and what the mask has there, both 0 to 1.
pub(super) struct Wide<'a> {
    parts: Grid<1>,
    /// From the first to the last column of each row that has a part in it.
    spans: Vec<Span>,
    soft: Cow<'a, Pixels>,
}

impl<'a> Wide<'a> {
    /// Of a mask that is no larger than what is looked at, and as it came. `None` where there is no such area. What the mask
    /// has is taken between its pixels, so that it is made no finer than the picture.
    ///
    /// # Errors
    /// [`Code::Internal`](crate::Code::Internal).
    pub(super) fn of(
        (mask, own): (&Pixels, &'a Pixels),
        maker: Maker,
        picture: (u32, u32),
        pool: &Pool,
    ) -> Result<Option<Self>> {
        let mask = no_finer(mask, picture, pool)?;
        let side = mask.width().max(mask.height());
        let small = |of: u32| (of * SIDE.min(side)).div_ceil(side);
        let small = resized(&mask, (small(mask.width()), small(mask.height())), pool)?;
        let size @ (width, height) = (small.width() as usize, small.height() as usize);
        let reach = |reach: usize| (reach * width.max(height) + SIDE as usize / 2) / SIDE as usize;
        // The middles of squares that are unsure altogether, then what such squares cover.
        let is_meant =
            |at: usize, alpha: u8| maker == Maker::Caller && alpha != 0 && alpha != u8::MAX && is_flat(&small, at);
        let is_sure = |(at, alpha): (usize, &u8)| !UNSURE.contains(alpha) && !is_meant(at, *alpha);
        let sure: Vec<_> = small.data().iter().enumerate().map(is_sure).collect();
        let mut middles = dilated(&sure, size, reach(REACH));
        middles.iter_mut().for_each(|middle| *middle = !*middle);
        if !middles.contains(&true) {
            return Ok(None);
        }
        let covered = dilated(&middles, size, reach(REACH)).into_iter().map(|is_in| f32::from(u8::from(is_in)));
        // Twice, so that no corners of squares are seen.
        let once = means_around(&covered.collect::<Vec<_>>(), size, reach(FEATHER));
        let twice = means_around(&once, size, reach(FEATHER)).into_iter();
        let values: Vec<_> = twice.map(|part| [if part < LEAST { 0.0 } else { part }]).collect();
        let spans = values.chunks(width).map(covered_span).collect();
        let parts = Grid { width, height, values };
        Ok(Some(Self { parts, spans, soft: no_finer(own, picture, pool)? }))
    }

    /// Gives back there what the mask has.
    pub(super) fn give_back(&self, alpha: &mut [u8], size: (usize, usize), pool: &Pool) {
        let own = (self.soft.width() as usize, self.soft.height() as usize);
        let soft = (own != size).then(|| {
            let values = self.soft.data().iter().map(|soft| [f32::from(*soft) / 255.0]).collect();
            Grid { width: own.0, height: own.1, values }
        });
        let (parts, soft) = (self.parts.enlarged(size), soft.as_ref().map(|soft| soft.enlarged(size)));
        pool.for_each(alpha.chunks_mut(ROWS * size.0).enumerate(), |(chunk, alpha)| {
            let (mut of_parts, mut of_soft) = (Vec::new(), Vec::new());
            for (y, alpha) in alpha.chunks_mut(size.0).enumerate().map(|(y, alpha)| (chunk * ROWS + y, alpha)) {
                let ((above, below), _) = parts.rows(y);
                let spans = [above, below].map(|row| self.spans[row].clone()).into_iter();
                let Some(span) = spans.filter(|span| !span.is_empty()).reduce(joined) else { continue };
                let columns = parts.columns(&span);
                let part = parts.row(y, &columns, &mut of_parts);
                let soft = soft.as_ref().map(|soft| soft.row(y, &columns, &mut of_soft));
                let as_it_is = |x: usize| f32::from(self.soft.data()[y * own.0 + x]) / 255.0;
                for (x, alpha) in columns.clone().zip(&mut alpha[columns]) {
                    let ([part], hard) = (part(x), f32::from(*alpha) / 255.0);
                    let soft = soft.as_ref().map_or_else(|| as_it_is(x), |soft| soft(x)[0]);
                    *alpha = byte(hard + (soft - hard) * part);
                }
            }
        });
    }
}

fn no_finer<'a>(mask: &'a Pixels, picture: (u32, u32), pool: &Pool) -> Result<Cow<'a, Pixels>> {
    let (own, size) = ((mask.width(), mask.height()), (mask.width().min(picture.0), mask.height().min(picture.1)));
    Ok(if own == size { Cow::Borrowed(mask) } else { Cow::Owned(resized(mask, size, pool)?) })
}

/// Whether the neighbours of a pixel, side by side and above each other, are much as it is.
fn is_flat(mask: &Pixels, at: usize) -> bool {
    let (width, data) = (mask.width() as usize, mask.data());
    let x = at % width;
    let beside = [at.checked_sub(1).filter(|_| x > 0), (x + 1 < width).then_some(at + 1)];
    let near = beside.into_iter().chain([at.checked_sub(width), Some(at + width)]).flatten();
    near.filter_map(|near| data.get(near)).all(|near| near.abs_diff(data[at]) <= FLAT)
}

/// From the first to the last that is covered at all.
fn covered_span(row: &[[f32; 1]]) -> Span {
    let first = row.iter().position(|[covered]| *covered > 0.0).unwrap_or(0);
    first..row.iter().rposition(|[covered]| *covered > 0.0).map_or(first, |last| last + 1)
}
