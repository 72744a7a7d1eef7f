//! The mask without stray islands and pinholes.
//!
//! Both are connected components, found by flood fill with a queue: an island is one of
//! what is not background, a pinhole one of what is not sure subject. Area alone does
//! not tell a speck from a second subject, nor a pinhole from a ring's hole: models are
//! sure of a subject, and of the background seen through a ring, and unsure of specks
//! and pinholes. So how sure the mask is decides how large a component may be. The
//! numbers were found on u2netp's masks of photos whose truth is known. They are for
//! areas, not for pixels, so that a mask of any size is cleaned alike.
//!
//! A component is whole with its corners: what touches another by a corner belongs to
//! it. So less is removed and less is filled.

use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;

/// Background is up to this. What hangs together by more is one component.
const FAINT: u8 = 15;
/// A stray island is never more certain than the first, and has at most the second of
/// the largest component's area. One that is as sure as a subject is stray only as a speck.
const STRAY: [(u8, f64); 2] = [(160, 0.03), (u8::MAX, 0.0005)];
/// An island takes what is fainter around it along, so far, as a part of the longer side.
const SKIRT: f64 = 1.0 / 40.0;

/// Sure subject is from this on.
const SURE: u8 = 230;
/// A pinhole is nowhere less than the first, and has at most the second of the mask's
/// area: 4, 51 and 204 pixels of 320 × 320. A hole that is background within stays
/// unless it is a speck.
const PINHOLES: [(u8, f64); 3] = [(0, 0.000_04), (150, 0.000_5), (200, 0.002)];

/// Larger masks are looked at in cells of several pixels, at most so many along a side.
const MOST_CELLS: u32 = 1024;

/// Removes stray islands from a mask, [`Layout::Gray8`](crate::Layout::Gray8) of any
/// size, and fills its pinholes. All else stays to the byte.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn clean(mut mask: Pixels, control: &Control<'_>) -> Result<Pixels> {
    erase_islands(&mut mask, control)?;
    fill_pinholes(&mut mask, control)?;
    Ok(mask)
}

fn erase_islands(mask: &mut Pixels, control: &Control<'_>) -> Result<()> {
    // The most certain pixel speaks for its cell, so that no part of an island is overlooked.
    let mut cells = Cells::of(mask, u8::max, control)?;
    let islands = cells.components(|value| value > FAINT, control)?;
    let largest = islands.iter().map(<[usize]>::len).max().unwrap_or(0);
    for island in islands.iter().filter(|island| island.len() < largest) {
        let peak = island.iter().map(|at| cells.values[*at]).max().unwrap_or(0);
        let share = island.len() as f64 / largest as f64;
        if STRAY.iter().any(|(most, area)| peak <= *most && share <= *area) {
            cells.erase(island).into_iter().for_each(|at| cells.change(mask, at, |_| 0));
        }
    }
    Ok(())
}

fn fill_pinholes(mask: &mut Pixels, control: &Control<'_>) -> Result<()> {
    // The least certain pixel speaks for its cell, so that no hole looks narrower than it is.
    let cells = Cells::of(mask, u8::min, control)?;
    let holes = cells.components(|value| value < SURE, control)?;
    for hole in holes.iter().filter(|hole| !hole.iter().any(|at| cells.is_at_border(*at))) {
        let lowest = hole.iter().map(|at| cells.values[*at]).min().unwrap_or(0);
        let share = hole.len() as f64 / cells.values.len() as f64;
        if PINHOLES.iter().any(|(least, area)| lowest >= *least && share <= *area) {
            let rim = cells.rim(hole);
            hole.iter().for_each(|at| cells.change(mask, *at, |value| value.max(rim)));
        }
    }
    Ok(())
}

/// A mask in square cells; each is one pixel, but in very large masks.
struct Cells {
    side: usize,
    width: usize,
    height: usize,
    values: Vec<u8>,
}

impl Cells {
    fn of(mask: &Pixels, pick: fn(u8, u8) -> u8, control: &Control<'_>) -> Result<Self> {
        let side = mask.width().max(mask.height()).div_ceil(MOST_CELLS) as usize;
        let (width, height) = ((mask.width() as usize).div_ceil(side), (mask.height() as usize).div_ceil(side));
        let mut values = Vec::with_capacity(width * height);
        for rows in mask.data().chunks(side * mask.width() as usize) {
            control.check()?;
            let mut rows = rows.chunks(mask.width() as usize);
            let mut row = rows.next().unwrap_or_default().to_vec();
            for other in rows {
                row.iter_mut().zip(other).for_each(|(value, other)| *value = pick(*value, *other));
            }
            values.extend(row.chunks(side).filter_map(|cell| cell.iter().copied().reduce(pick)));
        }
        Ok(Self { side, width, height, values })
    }

    /// The components of the cells whose values are `inside`.
    fn components(&self, inside: impl Fn(u8) -> bool, control: &Control<'_>) -> Result<Components> {
        let mut open: Vec<bool> = self.values.iter().map(|value| inside(*value)).collect();
        let mut found = Components { cells: Vec::new(), ends: Vec::new() };
        for start in 0..open.len() {
            if start % self.width == 0 {
                control.check()?;
            }
            if !std::mem::take(&mut open[start]) {
                continue;
            }
            let mut next = found.cells.len();
            found.cells.push(start);
            while let Some(at) = found.cells.get(next).copied() {
                next += 1;
                found.cells.extend(self.around(at).filter(|near| std::mem::take(&mut open[*near])));
            }
            found.ends.push(next);
        }
        Ok(found)
    }

    /// The cells of an island, and around them what falls off from cell to cell, which
    /// are 0 from now on.
    fn erase(&mut self, island: &[usize]) -> Vec<usize> {
        let reach = (self.width.max(self.height) as f64 * SKIRT).ceil() as usize;
        let mut gone = island.to_vec();
        let mut edge: Vec<(usize, u8)> = island.iter().map(|at| (*at, self.values[*at])).collect();
        island.iter().for_each(|at| self.values[*at] = 0);
        for _ in 0..reach {
            let mut farther = Vec::new();
            for (at, value) in edge {
                for near in self.around(at) {
                    if (1..=value).contains(&self.values[near]) {
                        farther.push((near, std::mem::take(&mut self.values[near])));
                    }
                }
            }
            gone.extend(farther.iter().map(|(at, _)| *at));
            edge = farther;
        }
        gone
    }

    /// The mean of the cells around a hole.
    fn rim(&self, hole: &[usize]) -> u8 {
        let rim = hole.iter().flat_map(|at| self.around(*at)).map(|near| self.values[near]);
        let (sum, count) =
            rim.filter(|value| *value >= SURE).fold((0, 0), |(sum, count), value| (sum + u64::from(value), count + 1));
        u8::try_from(sum / u64::max(count, 1)).unwrap_or(u8::MAX)
    }

    fn is_at_border(&self, at: usize) -> bool {
        let (x, y) = (at % self.width, at / self.width);
        x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
    }

    /// The cell itself and its neighbours, by corners too.
    fn around(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let (width, x, y) = (self.width, at % self.width, at / self.width);
        let across = x.saturating_sub(1)..(x + 2).min(self.width);
        (y.saturating_sub(1)..(y + 2).min(self.height)).flat_map(move |y| across.clone().map(move |x| y * width + x))
    }

    /// Changes every pixel of a cell.
    fn change(&self, mask: &mut Pixels, at: usize, value: impl Fn(u8) -> u8) {
        let across = mask.width() as usize;
        let (x, y) = (at % self.width * self.side, at / self.width * self.side);
        let columns = x..(x + self.side).min(across);
        for row in mask.data_mut().chunks_mut(across).skip(y).take(self.side) {
            row[columns.clone()].iter_mut().for_each(|pixel| *pixel = value(*pixel));
        }
    }
}

/// The cells of all components, one component after the other, and where each ends.
struct Components {
    cells: Vec<usize>,
    ends: Vec<usize>,
}

impl Components {
    fn iter(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.cells[start..*end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::exec::control::CancelToken;
    use crate::image::pixels::Layout;

    const SIZE: (u32, u32) = (320, 320);

    /// A mask whose value follows from the place.
    fn drawn((width, height): (u32, u32), value: impl Fn(f64, f64) -> f64) -> Pixels {
        let pixel = |at: u32| value(f64::from(at % width) + 0.5, f64::from(at / width) + 0.5) as u8;
        Pixels::known(width, height, Layout::Gray8, (0..width * height).map(pixel).collect())
    }

    /// A disc with a soft edge of some pixels.
    fn disc(x: f64, y: f64, (left, top, radius): (f64, f64, f64)) -> f64 {
        ((radius - (x - left).hypot(y - top)) / 6.0 + 0.5).clamp(0.0, 1.0) * 255.0
    }

    const SUBJECT: (f64, f64, f64) = (130.0, 160.0, 90.0);

    fn subject(x: f64, y: f64) -> f64 {
        disc(x, y, SUBJECT)
    }

    fn cleaned(mask: &Pixels) -> Pixels {
        clean(mask.clone(), &Control::default()).expect("nothing stops it")
    }

    #[track_caller]
    fn stays(mask: &Pixels) {
        assert_eq!(cleaned(mask).data(), mask.data());
    }

    #[test]
    fn a_faint_island_and_a_speck_go_with_their_skirts() {
        let alone = drawn(SIZE, subject);
        let faint = drawn(SIZE, |x, y| subject(x, y).max(disc(x, y, (270.0, 60.0, 12.0)) * 0.5));
        let dot = |x: f64, y: f64| if (x - 270.0).hypot(y - 60.0) < 1.6 { 255.0 } else { 0.0 };
        let speck = drawn(SIZE, |x, y| subject(x, y).max(dot(x, y)));
        for mask in [faint, speck] {
            assert_ne!(mask.data(), alone.data());
            assert_eq!(cleaned(&mask).data(), alone.data(), "the subject and its soft edge are as they were");
        }
    }

    #[test]
    fn another_subject_stays_be_it_small_or_unsure() {
        stays(&drawn(SIZE, |x, y| subject(x, y).max(disc(x, y, (275.0, 160.0, 40.0)))));
        stays(&drawn(SIZE, |x, y| subject(x, y).max(disc(x, y, (270.0, 60.0, 6.0)))));
        stays(&drawn(SIZE, |x, y| subject(x, y).max(disc(x, y, (275.0, 160.0, 40.0)) * 0.5)));
    }

    #[test]
    fn what_hangs_on_the_subject_stays() {
        let haze = |x: f64, y: f64| if (130.0..270.0).contains(&x) && (155.0..165.0).contains(&y) { 30.0 } else { 0.0 };
        stays(&drawn(SIZE, |x, y| subject(x, y).max(haze(x, y)).max(disc(x, y, (270.0, 160.0, 8.0)) * 0.5)));
    }

    #[test]
    fn faint_masks_keep_what_is_largest() {
        stays(&drawn(SIZE, |x, y| subject(x, y) * 0.2));
    }

    #[test]
    fn pinholes_close() {
        for (radius, lowest) in [(1.0, 0.0), (3.0, 170.0), (5.0, 210.0)] {
            let hole = |x: f64, y: f64| if (x - 130.0).hypot(y - 160.0) < radius { lowest } else { 255.0 };
            let mask = drawn(SIZE, |x, y| subject(x, y).min(hole(x, y)));
            let closed = cleaned(&mask);
            assert_ne!(closed.data(), mask.data());
            assert_eq!(closed.data(), drawn(SIZE, subject).data(), "{radius} {lowest}");
        }
    }

    #[test]
    fn a_filled_pinhole_is_as_sure_as_what_is_around_it() {
        let mask = drawn((100, 100), |x, y| if (x - 50.0).hypot(y - 50.0) < 2.0 { 205.0 } else { 240.0 });
        assert_eq!(cleaned(&mask).data(), [240; 10_000]);
    }

    #[test]
    fn rings_and_gaps_stay_open() {
        for radius in [3.0, 8.0, 50.0] {
            let hole = |x: f64, y: f64| 255.0 - disc(x, y, (130.0, 160.0, radius));
            stays(&drawn(SIZE, |x, y| subject(x, y).min(hole(x, y))));
        }
    }

    #[test]
    fn the_gaps_between_legs_stay() {
        let leg = |x: f64| (x / 40.0).fract() < 0.5;
        let chair = |x: f64, y: f64| {
            let seat = (100.0..150.0).contains(&y);
            let legs = (150.0..300.0).contains(&y) && leg(x);
            let bars = (250.0..253.0).contains(&y);
            f64::from(u8::from((40.0..280.0).contains(&x) && (seat || legs || bars))) * 255.0
        };
        stays(&drawn(SIZE, chair));
        // Two pixels wide and open below.
        let slit = |x: f64, y: f64| if (129.0..131.0).contains(&x) && y > 180.0 { 0.0 } else { 255.0 };
        stays(&drawn(SIZE, |x, y| subject(x, y).min(slit(x, y))));
    }

    #[test]
    fn a_hole_at_the_pictures_edge_is_not_surrounded() {
        stays(&drawn(SIZE, |x, y| if x < 2.0 && y < 2.0 { 0.0 } else { 255.0 }));
    }

    #[test]
    fn flat_masks_and_thin_ones_stay() {
        for size in [(1, 1), (1, 320), (320, 1), (2, 3), (2000, 1), (1, 2000)] {
            for value in [0.0, 7.0, 100.0, 229.0, 255.0] {
                stays(&drawn(size, |_, _| value));
            }
            stays(&drawn(size, |x, y| if x + y < 100.0 { 255.0 } else { 0.0 }));
        }
    }

    #[test]
    fn a_large_mask_is_cleaned_as_a_small_one() {
        let (size, scale) = ((2500, 2000), 6.0);
        let at_scale = |drawing: &dyn Fn(f64, f64) -> f64| drawn(size, |x, y| drawing(x / scale, y / scale));
        let alone = at_scale(&subject);
        let speck = at_scale(&|x, y| subject(x, y).max(disc(x, y, (270.0, 60.0, 12.0)) * 0.5));
        let hole = |x: f64, y: f64| if (x - 130.0).hypot(y - 160.0) < 3.0 { 170.0 } else { 255.0 };
        let pinhole = at_scale(&|x, y| subject(x, y).min(hole(x, y)));
        for mask in [speck, pinhole] {
            assert_eq!(cleaned(&mask), alone);
        }
        stays(&alone);
        stays(&at_scale(&|x, y| subject(x, y).min(255.0 - disc(x, y, (130.0, 160.0, 8.0)))));
        stays(&at_scale(&|x, y| subject(x, y).max(disc(x, y, (270.0, 60.0, 6.0)))));
    }

    #[test]
    fn noise_of_any_kind_comes_through() {
        let noise = |seed: u32| {
            move |x: f64, y: f64| {
                f64::from(
                    (x as u32 ^ seed).wrapping_mul(0x9E37_79B9).wrapping_add((y as u32).wrapping_mul(0x85EB_CA6B))
                        >> 24,
                )
            }
        };
        for seed in 0..4 {
            let once = cleaned(&drawn((97, 61), noise(seed)));
            assert_eq!((once.width(), once.height()), (97, 61));
        }
    }

    #[test]
    fn a_stop_is_heard() {
        let token = CancelToken::new();
        token.cancel();
        let stopped = Control { cancel: Some(&token), ..Control::default() };
        let error = clean(Pixels::filled(3, 3, Layout::Gray8, 9), &stopped).expect_err("it was stopped");
        assert_eq!(error.code(), Code::Cancelled);
    }
}
