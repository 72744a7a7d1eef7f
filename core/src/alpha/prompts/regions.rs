//! The regions of a mask: each thing that it shows, with the soft edge around it.

use std::collections::VecDeque;

use super::forest::{NOBODY, Seed, Step, grown};
use crate::error::Result;
use crate::exec::control::Control;

/// The mask is subject from this on.
pub(super) const SUBJECT: u8 = 128;
/// The mask shows something from this on.
pub(super) const SHOWN: u8 = 51;

/// From the surest things on to the faintest. What hangs together at one level is one
/// region at the next, unless it was several before.
const LEVELS: [u8; 3] = [SUBJECT, SHOWN, 1];

/// Every cell of a mask belongs to a region, unless the mask is empty: two things
/// that touch but faintly are divided where the mask is the faintest between them (a
/// watershed), and background goes with what is nearest.
pub(super) struct Regions {
    labels: Vec<u32>,
    /// The most certain value of each.
    pub(super) peaks: Vec<u8>,
}

impl Regions {
    pub(super) fn of(values: &[u8], size: (usize, usize), control: &Control<'_>) -> Result<Self> {
        let mut regions = Self { labels: vec![NOBODY; values.len()], peaks: Vec::new() };
        for level in LEVELS {
            regions.flood(values, size, level, control)?;
            regions.find(values, size, level);
        }
        regions.flood(values, size, 0, control)?;
        Ok(regions)
    }

    /// The region of a cell.
    pub(super) fn at(&self, cell: usize) -> Option<usize> {
        Some(self.labels[cell]).filter(|label| *label != NOBODY).map(|label| label as usize)
    }

    /// The level at which a region hangs together.
    pub(super) fn level(&self, region: usize) -> u8 {
        LEVELS.into_iter().find(|level| self.peaks[region] >= *level).unwrap_or(0)
    }

    /// Lets every region grow over what is next to it, down to the level.
    fn flood(&mut self, values: &[u8], size: (usize, usize), level: u8, control: &Control<'_>) -> Result<()> {
        self.labels = flooded(&self.labels, values, size, |_, to| values[to] >= level, control)?;
        Ok(())
    }

    /// Makes every component of what is left at the level a region.
    fn find(&mut self, values: &[u8], size: (usize, usize), level: u8) {
        for start in 0..values.len() {
            if self.labels[start] != NOBODY || values[start] < level {
                continue;
            }
            let label = self.peaks.len() as u32;
            self.labels[start] = label;
            let (mut peak, mut queue) = (0, VecDeque::from([start]));
            while let Some(at) = queue.pop_front() {
                peak = values[at].max(peak);
                for near in around(at, size) {
                    if self.labels[near] == NOBODY && values[near] >= level {
                        self.labels[near] = label;
                        queue.push_back(near);
                    }
                }
            }
            self.peaks.push(peak);
        }
    }
}

/// Labels of all cells to which a label comes from next to them, from the surest cells
/// on to the faintest, where it may.
pub(super) fn flooded(
    labels: &[u32],
    values: &[u8],
    size: (usize, usize),
    may: impl Fn(usize, usize) -> bool,
    control: &Control<'_>,
) -> Result<Vec<u32>> {
    let goes = |from: usize, to: usize| labels[to] == NOBODY && may(from, to);
    let seeds = (0..labels.len()).filter(|at| labels[*at] != NOBODY && around(*at, size).any(|to| goes(*at, to)));
    let seeds = seeds.map(|at| Seed { at, owner: labels[at], cost: 0 });
    // The faintest cell of a path counts, then its length.
    let cost = |step: &Step| {
        let faintest = u32::from(u8::MAX - values[step.to]).max(step.cost >> 16);
        let length = (step.cost & 0xffff) + 2 + u32::from(step.moves == (true, true));
        goes(step.from, step.to).then_some(faintest << 16 | length.min(0xffff))
    };
    let owners = grown(size, seeds, cost, control)?;
    Ok(labels.iter().zip(owners).map(|(label, owner)| if *label == NOBODY { owner } else { *label }).collect())
}

/// The cell itself and its neighbours, by corners too.
pub(super) fn around(at: usize, (width, height): (usize, usize)) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let across = x.saturating_sub(1)..(x + 2).min(width);
    (y.saturating_sub(1)..(y + 2).min(height)).flat_map(move |y| across.clone().map(move |x| y * width + x))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[u8], width: usize) -> Vec<u32> {
        let size = (width, values.len() / width);
        Regions::of(values, size, &Control::default()).expect("nothing stops it").labels
    }

    #[test]
    fn things_that_touch_faintly_are_divided_at_the_faintest() {
        assert_eq!(labels(&[0, 200, 90, 40, 60, 255, 9, 0], 8), [0, 0, 0, 0, 1, 1, 1, 1]);
    }

    #[test]
    fn a_thing_is_what_hangs_together_be_it_faint() {
        assert_eq!(labels(&[0, 200, 130, 200, 0], 5), [0; 5]);
        assert_eq!(labels(&[255, 20, 100, 0, 0, 7], 6), [0, 0, 1, 1, 2, 2]);
        assert_eq!(labels(&[0; 5], 5), [NOBODY; 5]);
    }
}
