//! Which pixels are background.

use super::distance::{Distances, around, dot};

/// What a pixel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Of another colour than the background, or decided to be the subject's.
    Subject,
    /// Of the background's colour, or in its shadow; not decided.
    Like,
    Background,
}

impl Place {
    /// Whether it is background, or may be.
    pub(super) fn is_background(self) -> bool {
        self != Self::Subject
    }
}

/// The mask is for the subject from here on.
const HALF: u8 = 128;
/// A shadow is the background, darker by at most this factor, and of the same hue within so many levels more.
const DARKEST: f32 = 0.5;
const HUE: f32 = 4.0;
/// It changes by less than so many levels more from pixel to pixel.
const SOFT: f32 = 5.0;

/// The pixels that have the background's colour.
pub(super) fn near_background(seen: &Distances<'_>) -> Vec<Place> {
    let (width, height) = seen.size();
    let place = |x, y| if seen.largest(x, y) <= seen.tolerance { Place::Like } else { Place::Subject };
    (0..height).flat_map(|y| (0..width).map(move |x| place(x, y))).collect()
}

/// Counts soft shadows to the background, where the mask does not see the subject.
pub(super) fn add_shadows(places: &mut [Place], seen: &Distances<'_>, mask: &[u8]) {
    let (width, _) = seen.size();
    for (at, (place, alpha)) in places.iter_mut().zip(mask).enumerate() {
        if *place == Place::Subject && *alpha < HALF && is_shadow(seen, at % width, at / width) {
            *place = Place::Like;
        }
    }
}

fn is_shadow(seen: &Distances<'_>, x: usize, y: usize) -> bool {
    let (color, background) = (seen.color(x, y), seen.background(x, y));
    let factor = dot(color, background) / dot(background, background).max(1.0);
    let off = (0..3).map(|c| (color[c] - factor * background[c]).abs()).fold(0.0, f32::max);
    (DARKEST..=1.0).contains(&factor) && off <= seen.tolerance + HUE && seen.slope(x, y) < SOFT + seen.tolerance
}

/// Decides what is like the background: what hangs together with the border is background. What is enclosed is, too,
/// but where there is a mask that takes it for subject.
pub(super) fn decide(places: &mut [Place], size: (usize, usize), mask: Option<&[u8]>) {
    super::border::places(size.0, size.1, 1).for_each(|at| flood(places, size, at, &mut Vec::new()));
    let mut region = Vec::new();
    for at in 0..places.len() {
        region.clear();
        flood(places, size, at, &mut region);
        let taken = |mask: &[u8]| {
            let sum: usize = region.iter().map(|at| usize::from(mask[*at])).sum();
            sum >= usize::from(HALF) * region.len()
        };
        if !region.is_empty() && mask.is_some_and(taken) {
            region.iter().for_each(|at| places[*at] = Place::Subject);
        }
    }
}

/// Makes background of all that is like it and hangs together with a pixel, side by side; adds where that is.
fn flood(places: &mut [Place], (width, height): (usize, usize), start: usize, region: &mut Vec<usize>) {
    let mut take = |at: usize, region: &mut Vec<usize>| {
        if places[at] == Place::Like {
            places[at] = Place::Background;
            region.push(at);
        }
    };
    let mut next = region.len();
    take(start, region);
    while let Some(&at) = region.get(next) {
        next += 1;
        let (x, y) = (at % width, at / width);
        if x > 0 {
            take(at - 1, region);
        }
        if x + 1 < width {
            take(at + 1, region);
        }
        if y > 0 {
            take(at - width, region);
        }
        if y + 1 < height {
            take(at + width, region);
        }
    }
}

/// How many pixels each is away from the background, sideways, up, down or along a diagonal; at most `most`.
pub(super) fn depths(places: &[Place], (width, height): (usize, usize), most: u8) -> Vec<u8> {
    let mut depths: Vec<u8> = places.iter().map(|place| if place.is_background() { 0 } else { most }).collect();
    let mut lower = |x: usize, y: usize, after: bool| {
        let at = y * width + x;
        let before = |other: &(usize, usize)| ((other.1, other.0) < (y, x)) != after && *other != (x, y);
        let near = around((x, y), (width, height), 1).filter(before).map(|(x, y)| depths[y * width + x] + 1).min();
        depths[at] = near.map_or(depths[at], |near| depths[at].min(near));
    };
    (0..height).for_each(|y| (0..width).for_each(|x| lower(x, y, false)));
    (0..height).rev().for_each(|y| (0..width).rev().for_each(|x| lower(x, y, true)));
    depths
}
