//! Which pixels are background.

use super::distance::{Distances, around, dot};
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::small::ROWS;

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
/// Where a drawing's shadow changes by less than so many, it is level; more than this part of a shadow is not.
const LEVEL: f32 = 0.5;
const PLATEAU: f64 = 0.25;

/// The pixels that have the background's colour.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled), here and below.
pub(super) fn near_background(seen: &Distances<'_>, pool: &Pool, control: &Control<'_>) -> Result<Vec<Place>> {
    let (width, height) = seen.size();
    control.check()?;
    let mut places = vec![Place::Subject; width * height];
    pool.for_each(places.chunks_mut(ROWS * width).enumerate(), |(chunk, places)| {
        for (at, place) in places.iter_mut().enumerate() {
            if seen.largest(at % width, chunk * ROWS + at / width) <= seen.tolerance {
                *place = Place::Like;
            }
        }
    });
    Ok(places)
}

/// Counts soft shadows to the background, where the mask does not see the subject.
pub(super) fn add_shadows(
    places: &mut [Place],
    seen: &Distances<'_>,
    mask: &[u8],
    pool: &Pool,
    control: &Control<'_>,
) -> Result<()> {
    let (width, _) = seen.size();
    control.check()?;
    let rows = places.chunks_mut(ROWS * width).zip(mask.chunks(ROWS * width)).enumerate();
    pool.for_each(rows, |(chunk, (places, mask))| {
        for (at, (place, alpha)) in places.iter_mut().zip(mask).enumerate() {
            let is_shadow = || is_shadow(seen, at % width, chunk * ROWS + at / width);
            if *place == Place::Subject && *alpha < HALF && is_shadow() {
                *place = Place::Like;
            }
        }
    });
    Ok(())
}

/// Counts to the background what is a soft shadow beside it: of something, and without a plateau as a grey thing has it.
pub(super) fn fade(places: &mut [Place], seen: &Distances<'_>, control: &Control<'_>) -> Result<()> {
    let size @ (width, _) = seen.size();
    let near = |at: usize| around((at % width, at / width), size, 1).map(|(x, y)| y * width + x);
    let mut starts: Vec<usize> = (0..places.len()).filter(|at| places[*at] == Place::Background).collect();
    starts.retain(|at| near(*at).any(|near| places[near] == Place::Subject));
    for start in starts {
        control.check()?;
        let mut area = Vec::new();
        let (mut front, mut plateau, mut is_of_something) = (vec![start], 0, false);
        while let Some(at) = front.pop() {
            for at in near(at) {
                if places[at] != Place::Subject {
                    continue;
                }
                let (x, y) = (at % width, at / width);
                if is_shadow(seen, x, y) {
                    places[at] = Place::Like;
                    plateau += usize::from(seen.slope(x, y) < LEVEL && seen.largest(x, y) > 2.0 * seen.tolerance);
                    area.push(at);
                    front.push(at);
                } else {
                    is_of_something = true;
                }
            }
        }
        let is_faded = is_of_something && plateau as f64 <= PLATEAU * area.len() as f64;
        // What was looked at once and is none is not looked at again from the next pixel: it is marked until the end.
        let place = if is_faded { Place::Background } else { Place::Like };
        area.into_iter().for_each(|at| places[at] = place);
    }
    places.iter_mut().filter(|place| **place == Place::Like).for_each(|place| *place = Place::Subject);
    Ok(())
}

fn is_shadow(seen: &Distances<'_>, x: usize, y: usize) -> bool {
    let (color, background) = (seen.color(x, y), seen.background(x, y));
    let factor = dot(color, background) / dot(background, background).max(1.0);
    let off = (0..3).map(|c| (color[c] - factor * background[c]).abs()).fold(0.0, f32::max);
    (DARKEST..=1.0).contains(&factor) && off <= seen.tolerance + HUE && seen.slope(x, y) < SOFT + seen.tolerance
}

/// Decides what is like the background: what hangs together with the border is background. What is enclosed is, too,
/// but where there is a mask that takes it for subject.
pub(super) fn decide(
    places: &mut [Place],
    (width, height): (usize, usize),
    mask: Option<&[u8]>,
    control: &Control<'_>,
) -> Result<()> {
    for (x, y) in super::border::places(width, height, 1, 1) {
        let at = y * width + x;
        flood(places, width, at, (Place::Like, Place::Background), &mut |_| ());
    }
    for at in 0..places.len() {
        if at % width == 0 {
            control.check()?;
        }
        let (mut sum, mut count) = (0_u64, 0_u64);
        flood(places, width, at, (Place::Like, Place::Background), &mut |at| {
            sum += mask.map_or(0, |mask| u64::from(mask[at]));
            count += 1;
        });
        if count > 0 && sum >= u64::from(HALF) * count {
            // No other background touches it.
            flood(places, width, at, (Place::Background, Place::Subject), &mut |_| ());
        }
    }
    Ok(())
}

/// Changes all that is `from` and hangs together with a pixel, side by side, to `to`, run by run; tells of each.
fn flood(places: &mut [Place], width: usize, start: usize, (from, to): (Place, Place), tell: &mut impl FnMut(usize)) {
    let mut starts = Vec::new();
    if places[start] == from {
        starts.push(start);
    }
    while let Some(at) = starts.pop() {
        if places[at] != from {
            continue;
        }
        let row = at / width * width..at / width * width + width;
        let left = (row.start..at).rev().take_while(|at| places[*at] == from).last().unwrap_or(at);
        let right = (at..row.end).take_while(|at| places[*at] == from).last().unwrap_or(at);
        places[left..=right].fill(to);
        (left..=right).for_each(&mut *tell);
        let above = left.checked_sub(width).map(|left| left..=right - width);
        let below = Some(left + width..=right + width).filter(|run| *run.end() < places.len());
        for run in [above, below].into_iter().flatten() {
            let is_first = |at: &usize| places[*at] == from && (*at == *run.start() || places[at - 1] != from);
            starts.extend(run.clone().filter(is_first));
        }
    }
}

/// How many pixels each is away from the background, sideways, up, down or along a diagonal; at most `most`.
pub(super) fn depths(
    places: &[Place],
    (width, height): (usize, usize),
    most: u8,
    control: &Control<'_>,
) -> Result<Vec<u8>> {
    let mut depths: Vec<u8> = places.iter().map(|place| if place.is_background() { 0 } else { most }).collect();
    // From above and the left, then from below and the right.
    for is_back in [false, true] {
        for row in 0..height {
            control.check()?;
            let y = if is_back { height - 1 - row } else { row };
            let other = if is_back { y + 1 } else { y.wrapping_sub(1) };
            let other = (other < height).then(|| depths[other * width..][..width].to_vec());
            let own = &mut depths[y * width..][..width];
            let mut beside = most;
            for step in 0..width {
                let x = if is_back { width - 1 - step } else { step };
                let near = other.as_ref().map_or(most, |other| {
                    let near = &other[x.saturating_sub(1)..(x + 2).min(width)];
                    near.iter().copied().min().unwrap_or(most)
                });
                own[x] = own[x].min(near.min(beside).saturating_add(1));
                beside = own[x];
            }
        }
    }
    Ok(depths)
}
