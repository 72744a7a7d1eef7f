//! What boxes say, to the pixel: a coarse mask and what is made of it by the picture
//! can only keep to them roughly.

use super::places::Span;
use super::{Prompts, Region};
use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;

impl Prompts {
    /// Puts `background` into the alpha of the picture where boxes say that it is: in
    /// those to drop, and outside those to keep, unless there are points to keep too
    /// that lie outside them.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub(crate) fn clip(&self, alpha: &mut Pixels, background: u8, control: &Control<'_>) -> Result<()> {
        let boxes = |regions: &[Region]| -> Vec<(Span, Span)> {
            regions.iter().filter(|region| region.is_box()).map(|region| region.spans()).collect()
        };
        let (kept, dropped) = (boxes(&self.keep), boxes(&self.drop));
        let bounded = self.is_bounded();
        let (width, height) = (u64::from(alpha.width()), u64::from(alpha.height()));
        if !bounded && dropped.is_empty() {
            return Ok(());
        }
        for (y, row) in (0..height).zip(alpha.data_mut().chunks_mut(width as usize)) {
            control.check()?;
            let mut clear = |span: Span| row[span.start as usize..span.end as usize].fill(background);
            across(&dropped, y, width).into_iter().for_each(&mut clear);
            if bounded {
                let end = across(&kept, y, width).into_iter().fold(0, |end, span| {
                    clear(end..span.start);
                    span.end
                });
                clear(end..width);
            }
        }
        Ok(())
    }
}

/// The columns of a picture so wide that boxes take of row `y`: from the left, apart from each other.
fn across(boxes: &[(Span, Span)], y: u64, width: u64) -> Vec<Span> {
    let inside = boxes.iter().filter(|(across, down)| down.contains(&y) && across.start < width);
    let mut spans: Vec<Span> = inside.map(|(across, _)| across.start..across.end.min(width)).collect();
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|next, span| {
        let touches = next.start <= span.end;
        if touches {
            span.end = span.end.max(next.end);
        }
        touches
    });
    spans
}
