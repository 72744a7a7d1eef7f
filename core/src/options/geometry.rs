//! How large the result becomes, from the size of the upright picture and the
//! options alone.

use crate::options::{MAX_SIDE, Options};

/// Width and height of the result in pixels: resized, then rotated.
///
/// `size` is the upright picture's, at least 1 × 1. The answer holds for
/// options that [`Options::check`] accepts.
///
/// ```
/// let options = remrembg::Options::default().with(|o| (o.w, o.angle) = (Some(200), 90.0));
/// assert_eq!(remrembg::output_size((400, 300), &options), (150, 200));
/// ```
#[must_use]
pub fn output_size(size: (u32, u32), options: &Options) -> (u32, u32) {
    rotated_size(fitted_size(size, options), options.angle, options.expand)
}

/// Width and height in pixels after resizing and before rotation, as
/// [`Options`] tells it. A side that follows from the aspect ratio is rounded,
/// halves away from zero, and is 1 ..= 10000.
#[must_use]
pub fn fitted_size((width, height): (u32, u32), options: &Options) -> (u32, u32) {
    let asked = |side: Option<u32>| side.filter(|&pixels| pixels > 0);
    match (asked(options.w), asked(options.h)) {
        (None, None) => (width, height),
        (Some(w), None) => (w, in_proportion(w, height, width)),
        (None, Some(h)) => (in_proportion(h, width, height), h),
        (Some(w), Some(h)) if options.exact_resize => (w, h),
        (Some(w), Some(h)) => fitted_inside((width, height), (w, h)),
    }
}

fn fitted_inside((width, height): (u32, u32), (w, h): (u32, u32)) -> (u32, u32) {
    let width_binds = u64::from(w) * u64::from(height) <= u64::from(h) * u64::from(width);
    if width_binds { (w, in_proportion(w, height, width)) } else { (in_proportion(h, width, height), h) }
}

/// `side · part / whole`, in integers so that no half is missed.
fn in_proportion(side: u32, part: u32, whole: u32) -> u32 {
    let (twice, whole) = (2 * u128::from(side) * u128::from(part), u128::from(whole.max(1)));
    let rounded = (twice + whole) / (2 * whole);
    u32::try_from(rounded).map_or(MAX_SIDE, |pixels| pixels.clamp(1, MAX_SIDE))
}

/// Width and height in pixels after rotation by `angle` degrees. With `expand`
/// the canvas holds the whole turned picture, without it it stays.
///
/// These are the sizes of Pillow's `Image.rotate(angle, expand=…)`, for any
/// finite angle; one that is not finite changes nothing.
#[must_use]
pub fn rotated_size((width, height): (u32, u32), angle: f64, expand: bool) -> (u32, u32) {
    let turn = angle.rem_euclid(360.0);
    if !expand || turn.is_nan() || turn % 180.0 == 0.0 {
        return (width, height);
    }
    if turn % 180.0 == 90.0 {
        return (height, width);
    }
    bounds(f64::from(width), f64::from(height), turn)
}

/// The whole pixels that the picture touches when turned about its centre.
/// Pillow rounds sine and cosine to 15 decimals, so that a corner on a pixel's
/// edge is not pushed over it by an error in the last place, and adds up in
/// this order.
fn bounds(width: f64, height: f64, turn: f64) -> (u32, u32) {
    let (sin, cos) = (-turn.to_radians()).sin_cos();
    let (sin, cos) = (to_15_decimals(sin), to_15_decimals(cos));
    let (center_x, center_y) = (width / 2.0, height / 2.0);
    let shift_x = cos * -center_x + sin * -center_y + 0.0 + center_x;
    let shift_y = -sin * -center_x + cos * -center_y + 0.0 + center_y;
    let corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    (
        whole_span(corners.map(|(x, y)| cos * x + sin * y + shift_x)),
        whole_span(corners.map(|(x, y)| -sin * x + cos * y + shift_y)),
    )
}

fn whole_span(places: [f64; 4]) -> u32 {
    let (low, high) = places.iter().fold((f64::MAX, f64::MIN), |(low, high), &p| (low.min(p), high.max(p)));
    (high.ceil() - low.floor()) as u32
}

/// Rounds the decimal expansion itself: multiplying by 10¹⁵ would round twice.
fn to_15_decimals(value: f64) -> f64 {
    format!("{value:.15}").parse().unwrap_or(value)
}
