//! The alpha at edges, from the background's colour and the subject's.

use super::distance::{Distances, around, dot, length};
use super::regions::Place;
use crate::error::Result;
use crate::exec::control::Control;

/// How wide an edge may be, in pixels: how far it goes into the subject, and uphill to the subject's colour.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    within: u8,
    uphill: usize,
    /// Whether alpha never falls on the way in, as it would between a glow and what glows.
    rises: bool,
}

pub(super) const NARROW: Reach = Reach { within: 10, uphill: 8, rises: false };
/// For shadows, glows and what is out of focus.
pub(super) const WIDE: Reach = Reach { within: 48, uphill: 48, rises: true };
/// An outline is wide if, for so many of its pixels, one deeper in than it goes is still at the edge. That of a picture with
/// more pixels than this is left as it is, for the time that it would take.
const SOFT: f64 = 0.3;
const LONGEST: usize = 100_000;
/// A step uphill goes to where the distance is so many times as large; less is shading.
const STEP: f32 = 1.04;
/// And to where the difference from the background has nearly the same direction: the cosine of the angle between.
const ALIKE: f32 = 0.8;
/// Pixels between two looks at whether to stop.
const PATIENCE: usize = 1 << 10;
/// Whether a pixel is reached, and that its neighbours are not from there; else it is the round in which they are.
const UNREACHED: u8 = 0;
const ENDED: u8 = u8::MAX;
/// From this alpha on an edge ends.
const ENDS: f32 = 0.9;
/// The subject's colour is at least this part as far from the background as nearly all of the subject is, else
/// what is hardly visible would be opaque.
const LEAST: f32 = 0.3;
const NEARLY_ALL: f32 = 0.95;
/// Sharpening, and scaling with a filter such as Lanczos, leave pixels beside an edge that differ from the background the
/// other way: within so many pixels there is a difference so many times as large, the cosine of the angle between them below
/// this. They are background.
const OVERSHOOT: (usize, f32, f32) = (3, 3.0, -0.5);
/// As a part of the tolerance: differences up to it are none.
const NONE: f32 = 0.75;
/// Colours are rounded to whole levels: half of one at either end.
const ROUNDING: f32 = 1.0;

/// Lines may be too thin to have their own colour anywhere. In a drawing it is then one of its inks: of the same direction, and
/// at most so much farther; what is as far but for a little is that ink, a little changed.
const SAME: f32 = 0.97;
const THIN: f32 = 0.6;
const FULL: f32 = 0.97;
const INKS: usize = 4;
const SAMPLES: usize = 50_000;
/// As many of the farthest samples are left out as strays, and those this close to the next are of one ink.
const STRAYS: f32 = 0.98;
/// What has fewer samples is no ink.
const FEWEST: usize = 20;

/// The alpha of each pixel.
pub(super) struct Unmixed {
    /// 0 in the background, 255 inside the subject.
    pub(super) alpha: Vec<u8>,
    /// Whether much of the subject's outline is softer than that reaches, as a shadow's or a glow's is.
    pub(super) is_wide: bool,
}

/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn alpha(
    places: &[Place],
    seen: &Distances<'_>,
    drawn: bool,
    reach: Reach,
    control: &Control<'_>,
) -> Result<Unmixed> {
    let (width, height) = seen.size();
    let subject = subject_of(places, seen);
    let edges = Edges {
        seen,
        inks: if drawn { inks(&subject) } else { Vec::new() },
        least: LEAST * far(&subject),
        steps: reach.uphill,
    };
    let mut alpha: Vec<u8> = places.iter().map(|place| if *place == Place::Background { 0 } else { u8::MAX }).collect();
    let mut rounds: Vec<u8> = places.iter().map(|place| u8::from(*place == Place::Background)).collect();
    let mut outline = 0;
    for round in 1..=reach.within {
        let mut is_last = true;
        for first in (0..rounds.len()).step_by(PATIENCE) {
            control.check()?;
            let end = (first + PATIENCE).min(rounds.len());
            // Most of a picture is far from every edge.
            if !rounds[first..end].contains(&round) {
                continue;
            }
            for at in first..end {
                if rounds[at] != round {
                    continue;
                }
                let outside = if reach.rises { f32::from(alpha[at]) / 255.0 } else { 0.0 };
                for (x, y) in around((at % width, at / width), (width, height), 1) {
                    let at = y * width + x;
                    if rounds[at] == UNREACHED {
                        let is_outermost = around((x, y), (width, height), 1).any(|(x, y)| alpha[y * width + x] == 0);
                        let overshoots = is_outermost && edges.overshoots(x, y);
                        let value = if overshoots { 0.0 } else { edges.alpha(x, y).max(outside) };
                        alpha[at] = (value * 255.0).round() as u8;
                        rounds[at] = if value < ENDS { round + 1 } else { ENDED };
                        is_last = false;
                        outline += usize::from(round == 1);
                    }
                }
            }
        }
        if is_last {
            break;
        }
    }
    let left = rounds.iter().filter(|round| **round == reach.within + 1).count();
    Ok(Unmixed { alpha, is_wide: outline <= LONGEST && left as f64 > SOFT * outline as f64 })
}

/// What the alpha of a pixel follows from, besides its colour.
struct Edges<'a> {
    seen: &'a Distances<'a>,
    inks: Vec<[f32; 3]>,
    /// The least distance of the subject's colour.
    least: f32,
    steps: usize,
}

impl Edges<'_> {
    fn alpha(&self, x: usize, y: usize) -> f32 {
        let own = self.seen.vector(x, y);
        let subject = self.inked(own, self.uphill((x, y), own));
        let far = length(subject);
        let none = NONE * self.seen.tolerance;
        let along = dot(own, subject) / far.max(1e-6);
        ((along - none) / (far.max(self.least) - 2.0 * none - ROUNDING).max(1.0)).clamp(0.0, 1.0)
    }

    /// Whether a pixel beside the background is what a filter made of an edge near it.
    fn overshoots(&self, x: usize, y: usize) -> bool {
        let (reach, times, angle) = OVERSHOOT;
        let own = self.seen.vector(x, y);
        let far = length(own);
        far < self.least
            && around((x, y), self.seen.size(), reach).any(|(x, y)| {
                let other = self.seen.vector(x, y);
                let other_far = length(other);
                other_far > times * far && dot(other, own) < angle * far * other_far
            })
    }

    /// The difference from the background where it is largest, step by step from a pixel.
    fn uphill(&self, mut place: (usize, usize), own: [f32; 3]) -> [f32; 3] {
        let mut top = own;
        for _ in 0..self.steps {
            let (here, mut higher) = (length(top), None);
            let mut most = here * STEP;
            for (x, y) in around(place, self.seen.size(), 1) {
                let vector = self.seen.vector(x, y);
                let far = length(vector);
                if far > most && dot(vector, own) > ALIKE * far * length(own) {
                    (most, higher) = (far, Some(((x, y), vector)));
                }
            }
            let Some((there, vector)) = higher else { break };
            (place, top) = (there, vector);
        }
        top
    }

    /// The ink of a colour that is nearly as far, or the colour itself.
    fn inked(&self, own: [f32; 3], subject: [f32; 3]) -> [f32; 3] {
        let far = length(subject);
        let is_same = |ink: &[f32; 3]| {
            let ink_far = length(*ink);
            dot(own, *ink) > SAME * length(own) * ink_far && (THIN * ink_far..FULL * ink_far).contains(&far)
        };
        self.inks.iter().copied().find(is_same).unwrap_or(subject)
    }
}

/// Differences from the background of some pixels of the subject.
fn subject_of(places: &[Place], seen: &Distances<'_>) -> Vec<[f32; 3]> {
    let (width, _) = seen.size();
    let subject = || places.iter().enumerate().filter(|(_, place)| **place == Place::Subject);
    let step = subject().count().div_ceil(SAMPLES).max(1);
    subject().step_by(step).map(|(at, _)| seen.vector(at % width, at / width)).collect()
}

/// How far from the background nearly all of the subject is.
fn far(subject: &[[f32; 3]]) -> f32 {
    let mut lengths: Vec<f32> = subject.iter().copied().map(length).collect();
    lengths.sort_unstable_by(f32::total_cmp);
    lengths.get((lengths.len() as f32 * NEARLY_ALL) as usize).copied().unwrap_or(0.0)
}

/// The farthest colours in each direction.
fn inks(subject: &[[f32; 3]]) -> Vec<[f32; 3]> {
    let mut rest = subject.to_vec();
    rest.sort_unstable_by(|one, other| length(*one).total_cmp(&length(*other)));
    let mut inks = Vec::new();
    while rest.len() >= FEWEST && inks.len() < INKS {
        let high = length(rest[(rest.len() as f32 * STRAYS) as usize]) * STRAYS;
        let top = &rest[rest.partition_point(|vector| length(*vector) < high)..];
        let ink = std::array::from_fn(|c| super::border::median(top.iter().map(|vector| vector[c]).collect()));
        let far = length(ink);
        rest.retain(|vector| dot(*vector, ink) < SAME * length(*vector) * far);
        inks.push(ink);
    }
    inks
}
