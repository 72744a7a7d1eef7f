//! The mask's edge laid onto the picture's, by a colour guided filter from coarse
//! to fine.
//!
//! The model sees a small picture, so its edges are soft and off by pixels. Close
//! by, alpha is nearly linear in the colours, α = a·I + b: each window of the picture
//! gives the a and b that fit the mask best, and their means, applied to the
//! picture's own colours, follow its edges (He, Sun and Tang, "Guided Image Filtering",
//! PAMI 35(6), 2013). They change slowly, so they are found on a small picture and
//! applied to the large one (He and Sun, "Fast Guided Filter", arXiv:1505.00996).
//!
//! One such pass follows either fine edges or faint ones, as its windows are small
//! or large. Several from coarse to fine do both: each starts from what the one
//! before made of its own small picture, made harder, so that the edge narrows
//! while the windows shrink with it. Only the band around the mask's edge is worked
//! on; what is farther away is subject or background altogether. Where the mask is unsure over a wide area there
//! is no edge, and it stays as soft as it is; and where the colours explain little of the mask, as on an animal before leaves
//! of its own colour, the mask's edge stays where it is.

mod band;
mod planes;
#[cfg(test)]
mod tests;
mod wide;
mod windows;

use std::borrow::Cow;

use fast_image_resize::FilterType;

use super::Maker;
use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels, byte};
use crate::image::small::{Grid, ROWS, Wanted, resized, resized_all, resized_one, size_at};
use crate::image::spans::Span;
use crate::options::cutout::Preset;
use band::{BESIDE, Band, Kind};
use wide::Wide;
use windows::{CELL, Line, Windows};

/// The longer side of the first small picture, as a part of the mask's: what is finer
/// there is the model's guess, and of a finer mask nothing is lost. Each is larger
/// than the one before by `GROWTH`.
const FIRST_SIDE: f64 = 0.69;
const GROWTH: f64 = 1.35;
/// The longer side of the largest mask whose every pixel counts.
const MOST_MASK: f64 = 1024.0;

/// Windows reach so many cells to each side, those of the first level one farther.
const REACH: usize = 2;
/// Alpha is stretched so that as much as this becomes 0 or 1: between levels, and at last.
const HARDER: f32 = 0.17;
const LAST: f32 = 0.06;

/// Rows of cells that are filtered at once, and how many columns may lie between what is filtered at once in them.
const STRIP: usize = 16;
const GAP: usize = 8;
/// Pictures of a smaller side than this have no edges that the model did not see.
const LEAST_SIDE: u32 = 32;
/// And masks of a smaller side than this have no windows in which colours could be told apart.
const LEAST_MASK: u32 = 8;

/// Makes the alpha of a picture in colour from a mask, [`Layout::Gray8`] of any size.
/// `None` for pictures and masks too small to refine, and where the mask is sure everywhere.
///
/// # Errors
/// [`Code::Cancelled`].
pub(super) fn refine(
    picture: &Pixels,
    mask: &Pixels,
    maker: Maker,
    preset: Preset,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Option<Pixels>> {
    let size = (picture.width(), picture.height());
    let own = mask;
    let mask = &mask_in_bounds(own, pool)?;
    let band = Band::around(mask, maker);
    let is_large = size.0.min(size.1) >= LEAST_SIDE && own.width().min(own.height()) >= LEAST_MASK;
    let Some(bounds) = band.bounds().filter(|_| is_large) else {
        return Ok(None);
    };
    let mut before: Option<Level> = None;
    let (first, levels) = shrunk(picture, (mask, bounds), preset, pool, control)?;
    for small in levels {
        control.check()?;
        let reach = REACH + usize::from(before.is_none());
        let alpha = match before {
            None => Cow::Borrowed(first.data()),
            Some(level) => Cow::Owned(level.applied(&small, &band, HARDER, pool)),
        };
        before = Some(Level::fitted(&small, &alpha, &band, reach, pool));
    }
    let level = before.ok_or_else(|| Error::new(Code::Internal))?;
    control.check()?;
    let mut data = level.applied(picture, &band, LAST, pool);
    if let Some(wide) = Wide::of((mask, own), maker, size, pool)? {
        control.check()?;
        wide.give_back(&mut data, (size.0 as usize, size.1 as usize), pool);
    }
    Ok(Some(Pixels::known(size.0, size.1, Layout::Gray8, data)))
}

/// A mask no larger than what is looked at. A finer one becomes soft, and so unsure,
/// where it has details that are smaller.
fn mask_in_bounds<'a>(mask: &'a Pixels, pool: &Pool) -> Result<Cow<'a, Pixels>> {
    let longer = mask.width().max(mask.height());
    Ok(if f64::from(longer) > MOST_MASK {
        Cow::Owned(resized(mask, size_at(mask, MOST_MASK), pool)?)
    } else {
        Cow::Borrowed(mask)
    })
}

/// The mask at the size of the first level, and the picture made smaller for each level, from coarse to fine. Of all
/// of them only what is needed within some bounds of the mask.
fn shrunk(
    picture: &Pixels,
    (mask, bounds): (&Pixels, (Span, Span)),
    preset: Preset,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<(Pixels, Vec<Pixels>)> {
    let longer = |pixels: &Pixels| f64::from(pixels.width().max(pixels.height()));
    let sides = sides(longer(picture), longer(mask), preset);
    let sizes: Vec<_> = sides.iter().map(|side| in_cells(size_at(picture, *side))).collect();
    let (Some(first), Some((last, others))) = (sizes.first(), sizes.split_last()) else {
        return Err(Error::new(Code::Internal));
    };
    let wanted = |filter, picture, size: (u32, u32)| {
        let across = needed(&bounds.0, mask.width(), first.0, size.0);
        Wanted { filter, picture, size, part: (across, needed(&bounds.1, mask.height(), first.1, size.1)) }
    };
    // Only the finest is made from the whole picture, which may be large.
    let finest = resized_one(wanted(FilterType::Bilinear, picture, *last), pool)?;
    control.check()?;
    let others = others.iter().map(|size| wanted(FilterType::Bilinear, &finest, *size));
    let all: Vec<_> = std::iter::once(wanted(FilterType::Lanczos3, mask, *first)).chain(others).collect();
    let mut levels = resized_all(&all, pool)?;
    let first = levels.remove(0);
    levels.push(finest);
    Ok((first, levels))
}

/// What of a level's side is needed for edges in some pixels of the mask's side: as much beside them as the windows of the
/// first level reach, whose cells are the largest, and one cell more, as the coarser levels are made from the finest.
fn needed(edges: &Span, mask: u32, first: u32, side: u32) -> Span {
    let beside = f64::from((BESIDE + 2 * (REACH + 1) + 1) as u32 * CELL as u32) / f64::from(first);
    let place = |at: usize| at as f64 / f64::from(mask);
    let (from, to) = (place(edges.start) - beside, place(edges.end) + beside);
    let at = |place: f64| place.clamp(0.0, 1.0) * f64::from(side);
    at(from).floor() as usize..at(to).ceil() as usize
}

/// The size of a level in whole cells, at least as large.
fn in_cells((width, height): (u32, u32)) -> (u32, u32) {
    (width.next_multiple_of(CELL as u32), height.next_multiple_of(CELL as u32))
}

/// The longer side of each level: at least so many levels, then more until one is a
/// part of the picture's side, or of so many pixels.
fn sides(picture: f64, mask: f64, preset: Preset) -> Vec<f64> {
    let (least_levels, part, most_side) = match preset {
        Preset::Fast => (3, 0.25, 550.0),
        Preset::Balanced | Preset::Best => (4, 0.5, 1100.0),
    };
    let most = (picture * part).min(most_side);
    let growing = std::iter::successors(Some(mask * FIRST_SIDE), |side| Some(side * GROWTH)).enumerate();
    growing.take_while(|(at, side)| *at < least_levels || *side <= most).map(|(_, side)| side.min(picture)).collect()
}

/// As much as `margin` becomes 0, and as much becomes 1.
fn harder(alpha: f32, margin: f32) -> f32 {
    ((alpha - margin) / (1.0 - 2.0 * margin)).clamp(0.0, 1.0)
}

/// A colour around 0, where sums of products lose the least.
#[inline(always)]
fn color(pixel: &[u8]) -> [f32; 3] {
    [pixel[0], pixel[1], pixel[2]].map(|value| f32::from(value) * (1.0 / 255.0) - 0.5)
}

fn alpha_of(line: Line, [r, g, b]: [f32; 3]) -> f32 {
    line[0] * r + line[1] * g + line[2] * b + line[3]
}

/// What fits the mask best around each cell of a small picture, in the band.
struct Level(Grid<4>);

impl Level {
    fn fitted(small: &Pixels, alpha: &[u8], band: &Band, reach: usize, pool: &Pool) -> Self {
        let (width, height) = (small.width() as usize / CELL, small.height() as usize / CELL);
        let mut lines = vec![[0.0; 4]; width * height];
        let windows = Windows { small, alpha, width, height, reach };
        pool.for_each(lines.chunks_mut(STRIP * width).enumerate(), |(strip, rows)| {
            let y = strip * STRIP..strip * STRIP + rows.len() / width;
            for columns in band.columns(&y, (width, height), GAP) {
                windows.fit(columns, y.start, rows);
            }
        });
        Self(Grid { width, height, values: lines })
    }

    /// The alpha of every pixel of a larger picture, stretched by a margin: 0 or 255 outside the band, where the mask
    /// is sure.
    fn applied(&self, picture: &Pixels, band: &Band, margin: f32, pool: &Pool) -> Vec<u8> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut all = vec![0; width * height];
        let bytes = picture.layout().bytes();
        let (starts, lines) = (band.starts(width), self.0.enlarged((width, height)));
        pool.for_each(all.chunks_mut(ROWS * width).enumerate(), |(chunk, rows)| {
            let mut room = Vec::new();
            for (y, row) in rows.chunks_mut(width).enumerate().map(|(y, row)| (chunk * ROWS + y, row)) {
                for run in band.row(y, height) {
                    let span = starts[run.columns.start]..starts[run.columns.end];
                    match run.kind {
                        Kind::Edge if !span.is_empty() => {
                            let line = lines.row(y, &span, &mut room);
                            let pixels = &picture.data()[(y * width + span.start) * bytes..][..span.len() * bytes];
                            let values = span.clone().zip(&mut row[span]);
                            for ((x, value), pixel) in values.zip(pixels.chunks_exact(bytes)) {
                                *value = byte(harder(alpha_of(line(x), color(pixel)), margin));
                            }
                        }
                        Kind::Subject => row[span].fill(u8::MAX),
                        Kind::Background | Kind::Edge => {}
                    }
                }
            }
        });
        all
    }
}
