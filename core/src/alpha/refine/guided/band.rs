//! Where there is work: around the mask's edge.

use super::super::Maker;
use crate::image::pixels::Pixels;
use crate::image::spans::{Span, dilated, joined, spans};

/// A model's mask is sure up to this and from 255 less this on.
const SURE: u8 = 25;
/// The band goes on beyond what is not sure for one pixel of a mask of so many.
const SIDE: usize = 320;

/// So many cells beside the band are needed, to go between them.
pub(super) const BESIDE: usize = 2;

/// Pixels that are compared at once.
const BLOCK: usize = 32;

/// What the mask says of a pixel.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Background,
    Subject,
    /// Not sure, from subject to background, or close to either.
    Edge,
}

/// Pixels of one kind in a row of the mask.
pub(super) struct Run {
    pub(super) kind: Kind,
    pub(super) columns: Span,
}

/// The rows of a mask as runs of one kind.
pub(super) struct Band {
    width: usize,
    rows: Vec<Vec<Run>>,
}

impl Band {
    pub(super) fn around(mask: &Pixels, maker: Maker) -> Self {
        let sure = if maker == Maker::Model { SURE } else { 0 };
        let (width, height) = (mask.width() as usize, mask.height() as usize);
        let subject: Vec<bool> = mask.data().iter().map(|alpha| *alpha > u8::MAX / 2).collect();
        let mut edge: Vec<bool> = mask.data().iter().map(|alpha| (sure + 1..u8::MAX - sure).contains(alpha)).collect();
        let add_turns = |edge: &mut [bool], one: &[bool], next: &[bool]| {
            edge.iter_mut().zip(one.iter().zip(next)).for_each(|(edge, (one, next))| *edge |= one != next);
        };
        for (edge, subject) in edge.chunks_mut(width).zip(subject.chunks(width)) {
            add_turns(edge, subject, &subject[1..]);
        }
        add_turns(&mut edge, &subject, &subject[width..]);
        let margin = ((width.max(height) + SIDE / 2) / SIDE).max(1);
        let edge = dilated(&edge, (width, height), margin);
        let kind = |(edge, subject): (&bool, &bool)| match (edge, subject) {
            (true, _) => Kind::Edge,
            (false, true) => Kind::Subject,
            (false, false) => Kind::Background,
        };
        let kinds: Vec<Kind> = edge.iter().zip(&subject).map(kind).collect();
        Self { width, rows: kinds.chunks(width).map(runs).collect() }
    }

    /// From which column of a picture of this width on each column of the mask lies
    /// under it, and where the last ends.
    pub(super) fn starts(&self, width: usize) -> Vec<usize> {
        let under: Vec<usize> = (0..width).map(|x| (2 * x + 1) * self.width / (2 * width)).collect();
        (0..=self.width).map(|column| under.partition_point(|under| *under < column)).collect()
    }

    /// The row of the mask under a row of a picture of this height.
    pub(super) fn row(&self, y: usize, height: usize) -> &[Run] {
        &self.rows[(2 * y + 1) * self.rows.len() / (2 * height)]
    }

    /// The columns and the rows of the mask, from the first edge to the last. `None` where there is none.
    pub(super) fn bounds(&self) -> Option<(Span, Span)> {
        let rows = || self.rows.iter().enumerate().filter(|(_, row)| edges(row).next().is_some());
        let (top, bottom) = (rows().next()?.0, rows().next_back()?.0);
        let columns = rows().flat_map(|(_, row)| edges(row));
        Some((columns.cloned().reduce(joined)?, top..bottom + 1))
    }

    /// Which columns of some rows of a picture of this size, in spans from left to right, have to do with the band.
    /// Spans closer than `gap` are one.
    pub(super) fn columns(&self, rows: &Span, (width, height): (usize, usize), gap: usize) -> Vec<Span> {
        let under = self.rows.iter().enumerate().filter(|(row, _)| {
            let near = near(*row..row + 1, self.rows.len(), height);
            near.start < rows.end && rows.start < near.end
        });
        let mut set = vec![false; width];
        for edge in under.flat_map(|(_, row)| edges(row)) {
            set[near(edge.clone(), self.width, width)].fill(true);
        }
        spans(&set, gap)
    }
}

fn runs(mut row: &[Kind]) -> Vec<Run> {
    let (mut runs, mut start) = (Vec::new(), 0);
    while let Some(kind) = row.first().copied() {
        // Many at a time while all are alike.
        let blocks =
            row.chunks_exact(BLOCK).take_while(|block| block.iter().fold(true, |all, one| all & (*one == kind)));
        let many = blocks.count() * BLOCK;
        let count = many + row[many..].iter().take_while(|one| **one == kind).count();
        runs.push(Run { kind, columns: start..start + count });
        (row, start) = (&row[count..], start + count);
    }
    runs
}

fn edges(row: &[Run]) -> impl Iterator<Item = &Span> {
    row.iter().filter(|run| run.kind == Kind::Edge).map(|run| &run.columns)
}

/// Where pixels of the mask lie in a picture's side, with the neighbours that are needed to go between them.
fn near(pixels: Span, mask: usize, side: usize) -> Span {
    (pixels.start * side / mask).saturating_sub(BESIDE)..((pixels.end * side).div_ceil(mask) + BESIDE).min(side)
}
