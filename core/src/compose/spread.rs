//! The subject's colours beyond its edge: whoever grows, blurs or scales the alpha of a cut-out afterwards, or lets a
//! graphics card sample it, would get the black of what is transparent into the edge.

use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};

/// What is less opaque has a colour that is hardly sure, and no edge of its own.
const SURE: u8 = 8;
/// How far beyond the edge, in pixels.
const REACH: usize = 4;
/// Colours are means of what is known so many pixels around.
const AROUND: usize = 2;
/// A picture with more runs than one for so many pixels has an edge everywhere, and is left as it is.
const PIXELS_PER_RUN: usize = 64;
/// Rows between two checks whether to stop.
const CHECKED: usize = 64;

/// Columns, the second beyond the last.
type Run = (u32, u32);

/// Writes the mean colour of what is surely visible near them into pixels that are fully transparent, ring by ring.
/// Alpha does not change.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn beyond_the_edge(mut pixels: Pixels, control: &Control<'_>) -> Result<Pixels> {
    if pixels.layout() != Layout::Rgba8 {
        return Ok(pixels);
    }
    let Some(mut known) = sure(&pixels) else { return Ok(pixels) };
    for _ in 0..REACH {
        let grown = grown(&known, pixels.width());
        for (y, row) in grown.iter().enumerate() {
            if y % CHECKED == 0 {
                control.check()?;
            }
            for x in without(row, &known[y]) {
                let at = (y * pixels.width() as usize + x as usize) * 4;
                if pixels.data()[at + 3] == 0 {
                    let color = mean_around(&pixels, &known, x as usize, y);
                    pixels.data_mut()[at..at + 3].copy_from_slice(&color);
                }
            }
        }
        known = grown;
    }
    Ok(pixels)
}

/// What is surely visible of each row. `None` where that is too ragged.
fn sure(pixels: &Pixels) -> Option<Vec<Vec<Run>>> {
    let mut most = pixels.data().len() / 4 / PIXELS_PER_RUN + pixels.height() as usize;
    let mut rows = Vec::with_capacity(pixels.height() as usize);
    for row in pixels.data().chunks_exact(pixels.width() as usize * 4) {
        let runs = runs(row.as_chunks::<4>().0);
        most = most.checked_sub(runs.len())?;
        rows.push(runs);
    }
    Some(rows)
}

fn runs(row: &[[u8; 4]]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(start) = next(row, at, |alpha| alpha >= SURE) {
        at = next(row, start, |alpha| alpha < SURE).unwrap_or(row.len());
        runs.push((start as u32, at as u32));
    }
    runs
}

/// The first pixel from `from` on whose alpha is so. Eight at a time are passed over.
fn next(row: &[[u8; 4]], from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = row.get(from..)?;
    let any = |eight: &[[u8; 4]; 8]| eight.iter().fold(false, |any, px| any | is(px[3]));
    let (eights, tail) = rest.as_chunks::<8>();
    let passed = eights.iter().position(any).unwrap_or(eights.len()) * 8;
    let found = rest[passed..].iter().position(|px| is(px[3]));
    debug_assert!(found.is_some() || passed + tail.len() == rest.len());
    found.map(|at| from + passed + at)
}

/// The same with all that lies beside it, over the corners too.
fn grown(rows: &[Vec<Run>], width: u32) -> Vec<Vec<Run>> {
    let beside = |y: usize| rows[y.saturating_sub(1)..(y + 2).min(rows.len())].iter().flatten().copied();
    let mut sorted = Vec::new();
    (0..rows.len())
        .map(|y| {
            sorted.clear();
            sorted.extend(beside(y).map(|(start, end)| (start.saturating_sub(1), (end + 1).min(width))));
            sorted.sort_unstable();
            joined(&sorted)
        })
        .collect()
}

fn joined(sorted: &[Run]) -> Vec<Run> {
    let mut joined: Vec<Run> = Vec::new();
    for &(start, end) in sorted {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// The columns of `runs` that are not in `holes`, which lie in them.
fn without<'a>(runs: &'a [Run], holes: &'a [Run]) -> impl Iterator<Item = u32> + 'a {
    let mut holes = holes.iter().peekable();
    runs.iter().flat_map(move |&(start, end)| {
        let mut columns = Vec::new();
        let mut at = start;
        while let Some(&&(from, to)) = holes.peek().filter(|hole| hole.0 < end) {
            columns.extend(at..from);
            at = to;
            holes.next();
        }
        columns.extend(at..end);
        columns
    })
}

/// Of the pixels around one, as far as their colours are known: what is more opaque counts for more, and what is not
/// sure where there is nothing else.
fn mean_around(pixels: &Pixels, known: &[Vec<Run>], x: usize, y: usize) -> [u8; 3] {
    let (mut sure, mut faint) = (Mean::default(), Mean::default());
    for (row, runs) in known.iter().enumerate().take(y + AROUND + 1).skip(y.saturating_sub(AROUND)) {
        for column in x.saturating_sub(AROUND)..=(x + AROUND).min(pixels.width() as usize - 1) {
            if !is_in(runs, column as u32) {
                continue;
            }
            let at = (row * pixels.width() as usize + column) * 4;
            let pixel = &pixels.data()[at..at + 4];
            if (1..SURE).contains(&pixel[3]) { &mut faint } else { &mut sure }.add(pixel);
        }
    }
    if sure.weight > 0 { sure } else { faint }.color()
}

/// Of colours, each as often as its alpha says.
#[derive(Default)]
struct Mean {
    sum: [u32; 3],
    weight: u32,
}

impl Mean {
    fn add(&mut self, pixel: &[u8]) {
        let counts = u32::from(pixel[3]).max(1);
        self.weight += counts;
        self.sum.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += counts * u32::from(value));
    }

    fn color(&self) -> [u8; 3] {
        self.sum.map(|sum| ((sum + self.weight / 2) / self.weight.max(1)) as u8)
    }
}

fn is_in(runs: &[Run], column: u32) -> bool {
    let before = runs.partition_point(|run| run.0 <= column);
    before > 0 && column < runs[before - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(width: u32, pixels: &[[u8; 4]]) -> Vec<[u8; 4]> {
        let picture = Pixels::known(width, pixels.len() as u32 / width, Layout::Rgba8, pixels.concat());
        let spread = beyond_the_edge(picture, &Control::default()).expect("nothing stops it");
        spread.data().as_chunks::<4>().0.to_vec()
    }

    #[test]
    fn the_colour_goes_as_far_as_it_reaches_and_alpha_stays() {
        let mut row = vec![[0; 4]; 12];
        row[2] = [200, 100, 50, 255];
        let made = spread(12, &row);
        for (x, pixel) in made.iter().enumerate() {
            let expected = match x {
                2 => [200, 100, 50, 255],
                0..=6 => [200, 100, 50, 0],
                _ => [0; 4],
            };
            assert_eq!(*pixel, expected, "column {x}");
        }
    }

    #[test]
    fn what_is_more_opaque_counts_for_more_and_corners_count() {
        let (clear, faint, full) = ([0; 4], [0, 0, 0, 51], [240, 0, 0, 204]);
        let made = spread(3, &[faint, clear, full, clear, clear, clear, clear, clear, clear]);
        for at in [1, 3, 4, 5] {
            assert_eq!(made[at], [192, 0, 0, 0], "near both: {at}");
        }
        assert_eq!((made[0], made[2]), (faint, full));
    }

    #[test]
    fn every_pixel_near_the_edge_is_between_the_colours_beside_it() {
        let side = 97;
        let is_inside = |x: i32, y: i32| (x - 48).pow(2) + (y - 48).pow(2) < 30 * 30;
        let at = |i: i32| if is_inside(i % side, i / side) { [90, 160, (100 + i % 50) as u8, 255] } else { [0; 4] };
        let before: Vec<[u8; 4]> = (0..side * side).map(at).collect();
        let after = spread(side as u32, &before);
        let mut reached = 0;
        for (i, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(before[3], after[3]);
            if before[3] > 0 {
                assert_eq!(before, after, "what is visible stays");
            } else if *after != [0; 4] {
                assert!(after[0] == 90 && after[1] == 160 && (100..150).contains(&after[2]), "{i}: {after:?}");
                reached += 1;
            }
        }
        // A ring of four pixels around a circle of radius 30 has some 800.
        assert!((700..1100).contains(&reached), "{reached}");
    }

    #[test]
    fn a_faint_band_is_passed_without_black() {
        let (sure, faint) = ([200, 100, 50, 255], [180, 90, 40, 4]);
        let mut row = vec![[0; 4]; 9];
        row[..3].copy_from_slice(&[sure, faint, faint]);
        let made = spread(9, &row);
        for pixel in &made[3..5] {
            assert!(pixel[0] >= 180 && pixel[1] >= 90 && pixel[2] >= 40 && pixel[3] == 0, "{made:?}");
        }
    }

    #[test]
    fn a_stop_is_heard() {
        let token = crate::exec::control::CancelToken::new();
        token.cancel();
        let control = Control { cancel: Some(&token), ..Control::default() };
        let picture = Pixels::filled(9, 9, Layout::Rgba8, 255);
        assert!(beyond_the_edge(picture, &control).is_err());
    }

    #[test]
    fn nothing_and_all_and_dust_stay_as_they_are() {
        for picture in [vec![[0; 4]; 60], vec![[7, 8, 9, 255]; 60], vec![[1, 2, 3, 1]; 1]] {
            let width = if picture.len() == 1 { 1 } else { 10 };
            assert_eq!(spread(width, &picture), picture);
        }
        let dust: Vec<[u8; 4]> = (0..400).map(|i| if i % 2 == 0 { [9, 9, 9, 9] } else { [0; 4] }).collect();
        assert_eq!(spread(20, &dust), dust);
    }
}
