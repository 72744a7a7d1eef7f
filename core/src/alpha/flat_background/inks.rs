//! Whether a picture is drawn with few colours.

use super::border::median;
use super::distance::Distances;
use super::regions::{Place, depths};
use crate::error::Result;
use crate::exec::control::Control;

/// So deep inside what differs from the background, in pixels, colours are those of what is drawn: no edge, no noise.
const DEEP: u8 = 8;
/// Where less of the subject is so deep it is all lines, if they are sharp: a tenth of it differs from what is
/// around by at least so many levels. The faint shading of a white thing on white does not.
const LINES: f64 = 0.1;
const SHARP: f32 = 8.0;
/// So many colours cover as much of a drawing's inside, each within so many levels.
const INKS: usize = 4;
const COVERED: f64 = 0.93;
const WITHIN: f32 = 7.0;
const SAMPLES: usize = 50_000;
/// Levels that count as one where the commonest colour is looked for: 2 to this power.
const COARSE: u32 = 3;

/// Whether the subject is made of lines, or of areas of few colours.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn is_drawn(seen: &Distances<'_>, places: &[Place], control: &Control<'_>) -> Result<bool> {
    let (width, _) = seen.size();
    let depths = depths(places, seen.size(), DEEP, control)?;
    let all = depths.iter().filter(|depth| **depth > 0).count();
    let deep = depths.iter().filter(|depth| **depth >= DEEP).count();
    if (deep as f64) < LINES * all as f64 {
        let places = depths.iter().enumerate().filter(|(_, depth)| **depth > 0).step_by(all.div_ceil(SAMPLES));
        let mut rough: Vec<f32> = places.map(|(at, _)| seen.roughness(at % width, at / width)).collect();
        rough.sort_unstable_by(f32::total_cmp);
        return Ok(rough[rough.len() * 9 / 10] >= SHARP);
    }
    let inside = depths.iter().enumerate().filter(|(_, depth)| **depth >= DEEP).map(|(at, _)| at);
    let colors = inside.step_by(deep.div_ceil(SAMPLES)).map(|at| seen.color(at % width, at / width)).collect();
    Ok(covered(colors) >= COVERED)
}

/// How much of some colours the commonest of them cover.
fn covered(mut colors: Vec<[f32; 3]>) -> f64 {
    let all = colors.len();
    for _ in 0..INKS {
        let Some(ink) = commonest(&colors) else { break };
        colors.retain(|color| (0..3).any(|c| (color[c] - ink[c]).abs() > WITHIN));
    }
    1.0 - colors.len() as f64 / all as f64
}

fn commonest(colors: &[[f32; 3]]) -> Option<[f32; 3]> {
    let bin = |color: &[f32; 3]| color.iter().fold(0, |bin, value| bin << 5 | (*value as usize >> COARSE));
    let mut counts = vec![0_u32; 1 << 15];
    colors.iter().for_each(|color| counts[bin(color)] += 1);
    let (most, _) = counts.iter().enumerate().filter(|(_, count)| **count > 0).max_by_key(|(_, count)| **count)?;
    let own: Vec<_> = colors.iter().filter(|color| bin(color) == most).collect();
    Some(std::array::from_fn(|c| median(own.iter().map(|color| color[c]).collect())))
}
