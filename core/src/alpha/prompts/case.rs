//! What becomes of the regions of a mask.

use super::forest::{DROPPED, KEPT, KEPT_OUTSIDE, Seed, Step, grown, longer};
use super::missed::{Missed, is_kept};
use super::places::{self, Area, Over};
use super::regions::{Regions, SHOWN, SUBJECT, around, flooded};
use super::scene::Scene;
use super::{Prompts, Region};
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;
use crate::image::small::Grid;

/// A region stays for a box with at least this part of itself in it, or with this part
/// of what has the most in it: what but reaches into the box goes.
const IN_BOX: f64 = 0.5;
const OF_BOX: f64 = 0.25;

/// A point so near to a thing, as a part of the picture's longer side, is at its edge.
const EDGE: f32 = 0.02;

/// Where a mask is not sure, a path through it is so much longer.
const UNSURE: f32 = 4.0;

/// What becomes of a region of the mask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    Divided,
}

/// A mask on a small grid, and what is said of its cells.
pub(super) struct Case {
    scene: Scene,
    over: Over,
    regions: Regions,
    /// Cells of points to be kept, and whose they are.
    keep: Vec<(usize, u32)>,
    /// Whether points choose what is kept, even where a cell has points to drop as well.
    chosen: bool,
    /// Cells of points to be dropped.
    drop: Vec<usize>,
    /// Where a box is dropped.
    dropped: Vec<bool>,
    /// Where each box is kept.
    boxes: Vec<Area>,
    /// Where any box is kept; none without boxes.
    boxed: Option<Vec<bool>>,
}

impl Case {
    pub(super) fn of(
        prompts: &Prompts,
        mask: &Pixels,
        picture: &Pixels,
        pool: &Pool,
        control: &Control<'_>,
    ) -> Result<Self> {
        let scene = Scene::of(mask, picture, pool)?;
        control.check()?;
        let regions = Regions::of(&scene.values, scene.size, control)?;
        let over = Over { mask: scene.size, picture: (picture.width(), picture.height()) };
        let (boxes, drop_boxes) = (over.boxes(&prompts.keep), over.boxes(&prompts.drop));
        let dropped_points = || prompts.drop.iter().filter(|region| !region.is_box());
        let drop: Vec<usize> = dropped_points().filter_map(|point| over.middle(*point)).collect();
        let points = prompts.keep_points();
        let chosen = points.iter().any(|point| over.middle(*point).is_some());
        let points = points.into_iter();
        // Of two points in one cell, that which keeps is moved to the next one on its own side.
        let apart = |point: Region, at: usize| {
            let other = dropped_points().find(|other| over.middle(**other) == Some(at));
            other.map_or(Some(at), |other| beside(at, point, *other, scene.size).filter(|at| !drop.contains(at)))
        };
        let keep = points.filter_map(|point| Some((apart(point, over.middle(point)?)?, whose(point, &prompts.keep))));
        let keep = keep.collect();
        let boxed = (!boxes.is_empty()).then(|| places::all(&boxes, scene.size));
        let dropped = places::all(&drop_boxes, scene.size);
        Ok(Self { scene, over, regions, keep, chosen, drop, dropped, boxes, boxed })
    }

    /// For each cell the part of the mask that stays, what is subject all the same, and
    /// whether it is so outside the boxes too.
    pub(super) fn changes(&self, control: &Control<'_>) -> Result<Grid<3>> {
        let fates = self.fates(control)?;
        let owners = self.divided(&fates, control)?;
        let grown = self.grown(control)?;
        let stays = self.stays(&fates, &owners);
        let free = self.free();
        let cells = 0..self.scene.values.len();
        let value = |at: usize| {
            let outside = grown[at] == KEPT_OUTSIDE || self.regions.at(at).is_some_and(|region| free[region]);
            [stays[at], self.floor(at, &grown, &stays), f32::from(u8::from(outside))]
        };
        Ok(Grid { width: self.scene.size.0, height: self.scene.size.1, values: cells.map(value).collect() })
    }

    /// The region that a point is on: one that the mask shows there, or that it hardly shows at all.
    fn under(&self, at: usize) -> Option<usize> {
        let region = self.regions.at(at)?;
        let value = self.scene.values[at];
        (value >= SHOWN || (value > 0 && self.regions.peaks[region] < SHOWN)).then_some(region)
    }

    /// The region that a point to be kept is on, or at the edge of: edges are where a mask is
    /// the least exact, and who points there does not want all the rest to go.
    fn near(&self, at: usize) -> Option<usize> {
        let width = self.scene.size.0;
        let far =
            |other: &usize| (other % width).abs_diff(at % width).pow(2) + (other / width).abs_diff(at / width).pow(2);
        let beside = || {
            let (across, down) = self.scene.area(at, EDGE);
            let cells = down.flat_map(|y| across.clone().map(move |x| y * width + x));
            cells.filter(|at| self.scene.values[*at] >= SUBJECT).min_by_key(far)
        };
        self.under(at).or_else(|| self.regions.at(beside()?))
    }

    /// Whether a point is beside a thing, and means that.
    pub(super) fn is_beside(&self, point: Region) -> bool {
        self.over.middle(point).is_some_and(|at| self.is_at_edge(at))
    }

    fn is_at_edge(&self, at: usize) -> bool {
        self.under(at).is_none() && self.near(at).is_some()
    }

    fn fates(&self, control: &Control<'_>) -> Result<Vec<Fate>> {
        let count = self.regions.peaks.len();
        let (mut keeps, mut drops) = (vec![false; count], vec![false; count]);
        self.keep.iter().filter_map(|(at, _)| self.near(*at)).for_each(|region| keeps[region] = true);
        self.drop.iter().filter_map(|at| self.under(*at)).for_each(|region| drops[region] = true);
        let chosen = self.chosen || self.boxed.is_some();
        let in_boxes = self.in_boxes(control)?;
        let fate = |region: usize| match (keeps[region], drops[region]) {
            (true, true) => Fate::Divided,
            (true, false) => Fate::Stays,
            (false, false) if !chosen || in_boxes[region] => Fate::Stays,
            _ => Fate::Goes,
        };
        Ok((0..count).map(fate).collect())
    }

    /// The regions that boxes are around.
    fn in_boxes(&self, control: &Control<'_>) -> Result<Vec<bool>> {
        let mut inside = vec![false; self.regions.peaks.len()];
        let Some(boxed) = &self.boxed else { return Ok(inside) };
        let all = self.amounts(0..self.scene.values.len());
        let within = self.amounts((0..boxed.len()).filter(|at| boxed[*at]));
        inside
            .iter_mut()
            .zip(within.iter().zip(&all))
            .for_each(|(inside, (within, all))| *inside = *within > 0.0 && *within >= all * IN_BOX);
        for (across, down) in &self.boxes {
            control.check()?;
            let width = self.scene.size.0;
            let here = self.amounts(down.clone().flat_map(|y| across.clone().map(move |x| y * width + x)));
            let most = here.iter().copied().fold(0.0, f64::max);
            inside.iter_mut().zip(&here).for_each(|(inside, here)| *inside |= *here > 0.0 && *here >= most * OF_BOX);
        }
        Ok(inside)
    }

    /// How much of each region these cells hold.
    fn amounts(&self, cells: impl Iterator<Item = usize>) -> Vec<f64> {
        let mut amounts = vec![0.0; self.regions.peaks.len()];
        for at in cells {
            if let Some(region) = self.regions.at(at) {
                amounts[region] += f64::from(self.scene.values[at]);
            }
        }
        amounts
    }

    /// Whose the cells of divided regions are. What a region is sure of is divided by
    /// the picture; its soft edge goes with what it is the edge of.
    fn divided(&self, fates: &[Fate], control: &Control<'_>) -> Result<Vec<u32>> {
        let (values, size) = (&self.scene.values, self.scene.size);
        let region = |at: usize| self.regions.at(at).filter(|region| fates[*region] == Fate::Divided);
        let same = |from: usize, to: usize| region(to).is_some() && region(to) == region(from);
        let is_sure = |at: usize| region(at).is_some_and(|region| values[at] >= self.regions.level(region));
        let keep = self.keep.iter().map(|(at, _)| (*at, KEPT));
        let points = keep.chain(self.drop.iter().map(|at| (*at, DROPPED)));
        let points = points.filter(|(at, _)| self.under(*at).and(region(*at)).is_some());
        let cost = |step: &Step| {
            let unsure = f32::from(u8::MAX - values[step.to]) / 255.0;
            let cost = self.scene.cost(step) * (1.0 + UNSURE * unsure);
            (same(step.from, step.to) && is_sure(step.to)).then(|| longer(step.cost, cost))
        };
        let owners = grown(size, points.map(|(at, owner)| Seed { at, owner, cost: 0 }), cost, control)?;
        flooded(&owners, values, size, same, control)
    }

    /// The part of the mask that stays in each cell: a soft cut where a region is divided.
    fn stays(&self, fates: &[Fate], owners: &[u32]) -> Vec<f32> {
        let stays = |at: usize| {
            let Some(region) = self.regions.at(at) else { return 1.0 };
            match fates[region] {
                Fate::Stays => 1.0,
                Fate::Goes => 0.0,
                Fate::Divided => {
                    let same = around(at, self.scene.size).filter(|near| self.regions.at(*near) == Some(region));
                    mean(same.map(|near| owners[near] == KEPT))
                }
            }
        };
        (0..self.scene.values.len()).map(stays).collect()
    }

    /// What is subject where something has grown, with a soft edge.
    fn floor(&self, at: usize, grown: &[u32], stays: &[f32]) -> f32 {
        let near = || around(at, self.scene.size);
        if !near().any(|near| is_kept(grown[near])) {
            return 0.0;
        }
        mean(near().map(|near| is_kept(grown[near]) || (stays[near] > 0.5 && self.scene.values[near] >= SUBJECT)))
    }

    /// What has grown around the points that are not on what the mask is sure of.
    fn grown(&self, control: &Control<'_>) -> Result<Vec<u32>> {
        let is_missed = |at: usize| self.scene.values[at] < SUBJECT && !self.is_at_edge(at);
        let points: Vec<(usize, u32)> = self.keep.iter().copied().filter(|(at, _)| is_missed(*at)).collect();
        if points.is_empty() {
            return Ok(vec![DROPPED; self.scene.values.len()]);
        }
        let boxed = self.boxed.as_ref().filter(|_| points.iter().all(|(_, owner)| *owner == KEPT));
        let is_open = |at: usize| !self.dropped[at] && boxed.is_none_or(|boxed| boxed[at]);
        let open = (0..self.dropped.len()).map(is_open).collect();
        Missed { scene: &self.scene, points: &points, drop: &self.drop, open }.grown(control)
    }

    /// The regions with a point outside the boxes.
    fn free(&self) -> Vec<bool> {
        let mut free = vec![false; self.regions.peaks.len()];
        let outside = self.keep.iter().filter(|(_, whose)| *whose == KEPT_OUTSIDE);
        outside.filter_map(|(at, _)| self.near(*at)).for_each(|region| free[region] = true);
        free
    }
}

/// Whose the cells of a point to be kept are.
fn whose(point: Region, keep: &[Region]) -> u32 {
    let in_box = keep.iter().any(|region| region.is_box() && region.covers(point));
    if in_box { KEPT } else { KEPT_OUTSIDE }
}

/// The part that is so.
fn mean(all: impl Iterator<Item = bool>) -> f32 {
    let (sum, count) = all.fold((0_u8, 0_u8), |(sum, count), one| (sum + u8::from(one), count + 1));
    f32::from(sum) / f32::from(count.max(1))
}

/// The cell next to `at`, on the side on which `point` is of `other`. None beyond the edge.
fn beside(at: usize, point: Region, other: Region, (width, height): (usize, usize)) -> Option<usize> {
    let start = |region: Region| {
        let (across, down) = region.spans();
        [across.start, down.start].map(|place| i64::try_from(place).unwrap_or(i64::MAX))
    };
    let ([x, y], [other_x, other_y]) = (start(point), start(other));
    let (right, down) = (x.saturating_sub(other_x), y.saturating_sub(other_y));
    let (column, row) = (at % width, at / width);
    let moved =
        |place: usize, by: i64, side: usize| place.checked_add_signed(by.signum() as isize).filter(|at| *at < side);
    if right.abs() >= down.abs() {
        Some(row * width + moved(column, right, width)?)
    } else {
        Some(moved(row, down, height)? * width + column)
    }
}
