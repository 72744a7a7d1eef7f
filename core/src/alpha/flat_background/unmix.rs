//! The alpha at edges, from the background's colour and the subject's.

use super::distance::{Distances, around, dot, length};
use super::regions::Place;
use crate::error::Result;
use crate::exec::control::Control;

/// An edge is at most so many pixels wide: so far it goes into the subject, and uphill to the subject's colour.
const WIDEST: usize = 10;
const STEPS: usize = 8;
/// A step uphill goes to where the distance is so many times as large; less is shading.
const STEP: f32 = 1.04;
/// And to where the difference from the background has nearly the same direction: the cosine of the angle between.
const ALIKE: f32 = 0.8;
/// Pixels between two looks at whether to stop.
const PATIENCE: usize = 1 << 12;
/// From this alpha on an edge ends.
const ENDS: f32 = 0.9;
/// The subject's colour is at least this part as far from the background as nearly all of the subject is, else
/// what is hardly visible would be opaque.
const LEAST: f32 = 0.3;
const NEARLY_ALL: f32 = 0.95;
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

/// The alpha of each pixel: 0 in the background, 255 inside the subject.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn alpha(places: &[Place], seen: &Distances<'_>, drawn: bool, control: &Control<'_>) -> Result<Vec<u8>> {
    let (width, height) = seen.size();
    let subject = subject_of(places, seen);
    let edges = Edges { seen, inks: if drawn { inks(&subject) } else { Vec::new() }, least: LEAST * far(&subject) };
    let mut alpha: Vec<u8> = places.iter().map(|place| if *place == Place::Background { 0 } else { u8::MAX }).collect();
    let mut reached: Vec<bool> = places.iter().map(|place| *place == Place::Background).collect();
    let mut front = Vec::new();
    for at in (0..places.len()).filter(|at| places[*at] == Place::Background) {
        let mut near = around((at % width, at / width), (width, height), 1);
        if near.any(|(x, y)| places[y * width + x] != Place::Background) {
            front.push(at);
        }
    }
    for _ in 0..WIDEST {
        let mut next = Vec::new();
        for (number, at) in front.into_iter().enumerate() {
            if number.is_multiple_of(PATIENCE) {
                control.check()?;
            }
            for (x, y) in around((at % width, at / width), (width, height), 1) {
                let at = y * width + x;
                if !std::mem::replace(&mut reached[at], true) {
                    let value = edges.alpha(x, y);
                    alpha[at] = (value * 255.0).round() as u8;
                    if value < ENDS {
                        next.push(at);
                    }
                }
            }
        }
        front = next;
    }
    Ok(alpha)
}

/// What the alpha of a pixel follows from, besides its colour.
struct Edges<'a> {
    seen: &'a Distances<'a>,
    inks: Vec<[f32; 3]>,
    /// The least distance of the subject's colour.
    least: f32,
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

    /// The difference from the background where it is largest, step by step from a pixel.
    fn uphill(&self, mut place: (usize, usize), own: [f32; 3]) -> [f32; 3] {
        let mut top = own;
        for _ in 0..STEPS {
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
