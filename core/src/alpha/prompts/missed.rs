//! What the mask misses around points to be kept.
//!
//! It grows from the points over the picture, in competition with the background,
//! which grows from the picture's border and from what is dropped. A path is longer
//! over colours that the other side has more of, as in geodesic matting. On photos
//! whose truth is known, from an empty mask and one point or three, half of the things
//! come out with an overlap of 0.57 or 0.62 or more.

use super::forest::{DROPPED, KEPT, NOBODY, Seed, Step, grown, longer};
use super::places::{self, Area};
use super::regions::{SUBJECT, around};
use super::scene::{Scene, distance};
use crate::error::Result;
use crate::exec::control::Control;

/// What a point grows into reaches at most so far, as a part of the picture's longer side.
const FAR: f32 = 0.5;
/// How much longer a path is over colours of the other side.
const ALIEN: f32 = 8.0;
/// How far colours of one side lie apart: the square, of 0 to 1 each.
const SPREAD: f32 = 0.03;
/// What is added to the likelihood of both sides: a colour that none has tells little.
const RARE: f32 = 0.1;
/// Growth from the border starts so much later where that has the colours of the points.
const OWN_BORDER: f32 = 1000.0;
/// Every so many cells of the border tell its colours.
const SAMPLE: usize = 5;
/// Likelihoods are found for so many levels of each channel.
const LEVELS: usize = 16;

/// The points on what is missed, and where it may be.
pub(super) struct Missed<'a> {
    pub(super) scene: &'a Scene,
    /// The points to be kept, and whose they are.
    pub(super) points: &'a [(usize, u32)],
    pub(super) drop: &'a [usize],
    /// Where it may be as far as boxes tell.
    pub(super) open: Vec<bool>,
}

impl Missed<'_> {
    /// Whose each cell is. What the mask is sure of is nobody's here.
    pub(super) fn grown(&self, control: &Control<'_>) -> Result<Vec<u32>> {
        let near = self.near();
        let alien = self.alien();
        let subject = self.points.iter().map(|(at, owner)| Seed { at: *at, owner: *owner, cost: 0 });
        let dropped = self.drop.iter().map(|at| Seed { at: *at, owner: DROPPED, cost: 0 });
        let edge = (0..near.len()).filter(|at| near[*at]).filter_map(|at| {
            let far = around(at, self.scene.size).any(|other| !near[other]);
            let late = if far { 0.0 } else { OWN_BORDER * (1.0 - alien[at]) };
            (far || self.is_at_border(at)).then(|| Seed { at, owner: DROPPED, cost: longer(0, late) })
        });
        let cost = |step: &Step| {
            let other = if step.owner == DROPPED { 1.0 - alien[step.to] } else { alien[step.to] };
            let free = near[step.to] && self.scene.values[step.to] < SUBJECT;
            free.then(|| longer(step.cost, self.scene.cost(step) * (1.0 + ALIEN * other)))
        };
        let seeds = subject.chain(dropped).chain(edge);
        let owners = grown(self.scene.size, seeds, cost, control)?;
        Ok(owners.into_iter().map(|owner| if owner == NOBODY { DROPPED } else { owner }).collect())
    }

    /// Where it may be: not too far from the points.
    fn near(&self) -> Vec<bool> {
        let areas: Vec<Area> = self.points.iter().map(|(at, _)| self.scene.area(*at, FAR)).collect();
        places::all(&areas, self.scene.size).iter().zip(&self.open).map(|(near, open)| *near && *open).collect()
    }

    fn is_at_border(&self, at: usize) -> bool {
        let (width, height) = self.scene.size;
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    }

    /// How much likelier each cell's colour is background than what the points are on, 0 to 1.
    fn alien(&self) -> Vec<f32> {
        let colors = &self.scene.colors;
        let border = (0..colors.len()).filter(|at| self.is_at_border(*at)).step_by(SAMPLE);
        let border: Vec<[f32; 3]> = border.chain(self.drop.iter().copied()).map(|at| self.scene.mean(at)).collect();
        let mut own: Vec<[f32; 3]> = self.points.iter().map(|(at, _)| self.scene.mean(*at)).collect();
        own.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
        own.dedup();
        let like = |one: [f32; 3], other: [f32; 3]| (-distance(one, other) / SPREAD).exp();
        let ratio = |color: [f32; 3]| {
            let subject = own.iter().map(|point| like(*point, color)).fold(0.0, f32::max);
            let background = border.iter().map(|other| like(*other, color)).sum::<f32>() / border.len() as f32;
            (background + RARE) / (subject + background + 2.0 * RARE)
        };
        let level = |level: usize| level as f32 / (LEVELS - 1) as f32;
        let split = |at: usize| [at / (LEVELS * LEVELS), at / LEVELS % LEVELS, at % LEVELS];
        let table: Vec<f32> = (0..LEVELS.pow(3)).map(|at| ratio(split(at).map(level))).collect();
        let place = |color: [f32; 3]| {
            color.iter().fold(0, |at, value| at * LEVELS + (value * (LEVELS - 1) as f32 + 0.5) as usize)
        };
        colors.iter().map(|color| table.get(place(*color)).copied().unwrap_or(0.5)).collect()
    }
}

/// Whether a cell is any point's.
pub(super) fn is_kept(owner: u32) -> bool {
    owner != NOBODY && owner >= KEPT
}
