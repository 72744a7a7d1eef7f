//! Where regions lie in a picture, and in a mask of another size over it.

use std::ops::Range;

use super::Region;

pub(super) use crate::options::regions::Span;

/// What is looked at around boxes, on each side, as a part of their width or height.
pub(super) const MARGIN: f64 = 0.125;

/// Wider by a part of itself on both sides, within a side: where it starts, and how long it is.
pub(super) fn widened(span: Span, side: u32, part: f64) -> (u32, u32) {
    let end = span.end.min(u64::from(side));
    let margin = ((end - span.start.min(end)) as f64 * part).ceil() as u64;
    let within = |at: u64| u32::try_from(at).unwrap_or(side).min(side);
    let (start, end) = (within(span.start.saturating_sub(margin)), within(end + margin));
    (start, end.saturating_sub(start))
}

/// A mask of this size over a picture of that size.
#[derive(Clone, Copy)]
pub(super) struct Over {
    pub(super) mask: (usize, usize),
    pub(super) picture: (u32, u32),
}

/// The columns and rows of a mask.
pub(super) type Area = (Range<usize>, Range<usize>);

impl Over {
    /// The pixels of the mask that a region touches. None of a region outside the picture.
    pub(super) fn area(self, region: Region) -> Area {
        let (across, down) = region.spans();
        (touched(&across, self.picture.0, self.mask.0), touched(&down, self.picture.1, self.mask.1))
    }

    /// The pixel of the mask in the middle of a region, unless that is outside the picture.
    pub(super) fn middle(self, region: Region) -> Option<usize> {
        let (across, down) = self.area(region);
        let inside = !across.is_empty() && !down.is_empty();
        inside.then(|| (down.start + down.end) / 2 * self.mask.0 + (across.start + across.end) / 2)
    }

    /// The pixels of the mask that each box touches.
    pub(super) fn boxes(self, regions: &[Region]) -> Vec<Area> {
        regions.iter().filter(|region| region.is_box()).map(|region| self.area(*region)).collect()
    }
}

/// Which pixels of a mask of this size are in any of these areas.
pub(super) fn all(areas: &[Area], (width, height): (usize, usize)) -> Vec<bool> {
    (0..height).flat_map(|y| row(areas, y, width)).collect()
}

/// Which pixels of one row are in any of these areas.
pub(super) fn row(areas: &[Area], y: usize, width: usize) -> Vec<bool> {
    let mut steps = vec![0_i32; width + 1];
    for (across, _) in areas.iter().filter(|(across, down)| down.contains(&y) && !across.is_empty()) {
        steps[across.start] += 1;
        steps[across.end] -= 1;
    }
    let depths = steps.iter().scan(0, |depth, step| {
        *depth += step;
        Some(*depth > 0)
    });
    depths.take(width).collect()
}

/// What of `to` pixels a span of `from` touches that are as long together.
fn touched(span: &Span, from: u32, to: usize) -> Range<usize> {
    let (from, most) = (u64::from(from), to as u64);
    let (start, end) = (span.start.min(from), span.end.min(from));
    if start >= end {
        return 0..0;
    }
    (start * most / from) as usize..(end * most).div_ceil(from) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_touches_what_lies_over_it() {
        assert_eq!(touched(&(0..1), 4000, 320), 0..1);
        assert_eq!(touched(&(12..13), 4000, 320), 0..2, "the pixel lies half under each");
        assert_eq!(touched(&(3999..4000), 4000, 320), 319..320);
        assert_eq!(touched(&(1..2), 4, 320), 80..160);
        assert_eq!(touched(&(2..9), 4, 8), 4..8, "cut off at the picture's edge");
        assert_eq!(touched(&(4..9), 4, 8), 0..0);
        assert_eq!(touched(&Span { start: 5, end: 3 }, 9, 9), 0..0);
        assert_eq!(touched(&(0..u64::from(u32::MAX)), u32::MAX, 10_000), 0..10_000);
    }

    #[test]
    fn a_row_is_in_any_of_several_areas() {
        let areas = [(1..3, 0..1), (2..5, 0..2), (7..8, 0..1), (0..0, 0..0)];
        let drawn = |y| row(&areas, y, 8).iter().map(|inside| if *inside { '#' } else { '.' }).collect::<String>();
        assert_eq!([drawn(0), drawn(1)], [".####..#", "..###..."]);
    }

    #[test]
    fn a_span_is_widened_within_its_side() {
        assert_eq!(widened(100..200, 1000, 0.125), (87, 126));
        assert_eq!(widened(5..200, 210, 0.125), (0, 210));
        assert_eq!(widened(0..u64::from(u32::MAX), 30, 0.125), (0, 30));
    }
}
