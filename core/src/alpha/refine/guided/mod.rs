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
//! is no edge, and it stays as soft as it is.

mod band;
mod planes;
#[cfg(test)]
mod tests;
mod wide;
mod windows;

use std::borrow::Cow;

use fast_image_resize::FilterType;

use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels, byte};
use crate::image::small::{Grid, ROWS, Wanted, resized, resized_all, size_at};
use crate::options::cutout::Preset;
use band::Band;
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

/// Cells on each side of what is filtered at once.
const TILE: usize = 32;
/// Pictures of a smaller side than this have no edges that the model did not see.
const LEAST_SIDE: u32 = 32;

/// Makes the alpha of a picture in colour from a mask, [`Layout::Gray8`] of any size.
/// `None` for pictures too small to refine, and where the mask is sure everywhere.
///
/// # Errors
/// [`Code::Cancelled`].
pub(super) fn refine(
    picture: &Pixels,
    mask: &Pixels,
    preset: Preset,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Option<Pixels>> {
    let size = (picture.width(), picture.height());
    let mask = &mask_in_bounds(mask, pool)?;
    let band = Band::around(mask);
    if size.0.min(size.1) < LEAST_SIDE || band.is_empty() {
        return Ok(None);
    }
    let mut before: Option<Level> = None;
    let (first, levels) = shrunk(picture, mask, preset, pool, control)?;
    for small in levels {
        control.check()?;
        let alpha = match &before {
            None => first.data().iter().map(|alpha| f32::from(*alpha) / 255.0).collect(),
            Some(level) => level.applied(&small, &band, pool, |alpha| harder(alpha, HARDER)),
        };
        let reach = REACH + usize::from(before.is_none());
        before = Some(Level::fitted(&small, &alpha, &band, reach, pool));
    }
    let level = before.ok_or_else(|| Error::new(Code::Internal))?;
    control.check()?;
    let mut data = level.applied(picture, &band, pool, |alpha| byte(harder(alpha, LAST)));
    let no_finer = (mask.width().min(size.0), mask.height().min(size.1));
    if let Some(wide) = Wide::of(&resized(mask, no_finer, pool)?) {
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

/// The mask at the size of the first level, and the picture made smaller for each level, from coarse to fine.
fn shrunk(
    picture: &Pixels,
    mask: &Pixels,
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
    // Only the finest is made from the whole picture, which may be large.
    let finest = resized(picture, *last, pool)?;
    control.check()?;
    let others = others.iter().map(|size| (FilterType::Bilinear, &finest, *size));
    let wanted: Vec<Wanted<'_>> = std::iter::once((FilterType::Lanczos3, mask, *first)).chain(others).collect();
    let mut levels = resized_all(&wanted, pool)?;
    let first = levels.remove(0);
    levels.push(finest);
    Ok((first, levels))
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

/// What fits the mask best around each pixel of a small picture, in the tiles of the band.
struct Level(Grid<4>);

impl Level {
    fn fitted(small: &Pixels, alpha: &[f32], band: &Band, reach: usize, pool: &Pool) -> Self {
        let (width, height) = (small.width() as usize / CELL, small.height() as usize / CELL);
        let tiles = band.tiles((width, height));
        let across = width.div_ceil(TILE);
        let mut lines = vec![[0.0; 4]; width * height];
        let windows = Windows { small, alpha, width, height, reach };
        pool.for_each(lines.chunks_mut(TILE * width).enumerate(), |(tile_row, rows)| {
            let mut tile = 0;
            for run in tiles[tile_row * across..][..across].chunk_by(|one, other| one == other) {
                if run[0] {
                    let columns = tile * TILE..((tile + run.len()) * TILE).min(width);
                    windows.fit(columns, tile_row * TILE, rows);
                }
                tile += run.len();
            }
        });
        Self(Grid { width, height, values: lines })
    }

    /// What `make` makes of the alpha of every pixel of a larger picture: 0 or 1
    /// outside the band, where the mask is sure.
    fn applied<T: Copy + Default + Send + Sync>(
        &self,
        picture: &Pixels,
        band: &Band,
        pool: &Pool,
        make: impl Fn(f32) -> T + Sync,
    ) -> Vec<T> {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut all = vec![T::default(); width * height];
        let bytes = picture.layout().bytes();
        let (starts, lines) = (band.starts(width), self.0.enlarged((width, height)));
        let sure = [make(0.0), make(1.0)];
        pool.for_each(all.chunks_mut(ROWS * width).enumerate(), |(chunk, rows)| {
            let mut room = Vec::new();
            for (y, row) in rows.chunks_mut(width).enumerate().map(|(y, row)| (chunk * ROWS + y, row)) {
                let (inside, subject) = band.row(y, height);
                let line = inside.contains(&true).then(|| lines.row(y, &mut room));
                let pixels = &picture.data()[y * width * bytes..][..width * bytes];
                for (column, span) in starts.windows(2).map(|pair| pair[0]..pair[1]).enumerate() {
                    match &line {
                        Some(line) if inside[column] => {
                            let pixels = pixels[span.start * bytes..span.end * bytes].chunks_exact(bytes);
                            for ((x, value), pixel) in span.clone().zip(&mut row[span]).zip(pixels) {
                                *value = make(alpha_of(line(x), color(pixel)));
                            }
                        }
                        _ => row[span].fill(sure[usize::from(subject[column])]),
                    }
                }
            }
        });
        all
    }
}
