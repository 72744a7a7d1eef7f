//! The subject's own colours along soft edges, without those of the old background.
//!
//! By blurred means of subject and background (Forte, "Approximate Fast Foreground
//! Colour Estimation", ICIP 2021). A pixel's colour is I = α·F + (1 − α)·B. Around it
//! F is about the mean of the colours weighted by α, and B that weighted by 1 − α; what
//! they leave unexplained of I is the pixel's own: F + α·(I − α·F − (1 − α)·B). A first
//! pass looks far, for subject behind a wide soft edge, the others nearer. The means
//! are smooth, so they are found on a small picture.

use remrembg_native::widened;

use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::{Grid, ROWS, resized, size_at, windowed};

/// The longer side of the small picture.
const SIDE: f64 = 300.0;
/// How far the windows of each pass reach there.
const REACHES: [usize; 3] = [40, 12, 3];

/// Rows of it that one thread sums up at once.
const STRIP: usize = 75;

/// The subject's colour and the background's: of a pixel as often as they count, summed up, or the means around it. Behind
/// each is its weight.
type Pair = [f32; 8];

/// Puts the subject's colours, as far as they can be told, in place of those of a
/// picture in colour where its alpha is neither 0 nor 255. Where the alpha is the one that the
/// picture brings, its colours have nothing of a background in them, and stay.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn of_subject(mut picture: Pixels, alpha: &Pixels, pool: &Pool, control: &Control<'_>) -> Result<Pixels> {
    if alpha.data().iter().all(|alpha| matches!(*alpha, 0 | u8::MAX)) {
        return Ok(picture);
    }
    control.check()?;
    let means = means(&picture, alpha, pool)?;
    control.check()?;
    let (width, height, channels) = (picture.width() as usize, picture.height() as usize, picture.layout().bytes());
    let means = means.enlarged((width, height));
    let rows = picture.data_mut().chunks_mut(ROWS * width * channels).zip(alpha.data().chunks(ROWS * width));
    pool.for_each(rows.enumerate(), |(chunk, (pixels, alphas))| {
        let mut room = Vec::new();
        for (y, (pixels, alphas)) in pixels.chunks_mut(width * channels).zip(alphas.chunks(width)).enumerate() {
            if alphas.iter().all(|alpha| matches!(*alpha, 0 | u8::MAX)) {
                continue;
            }
            let near = means.row(chunk * ROWS + y, &(0..width), &mut room);
            for (x, (pixel, alpha)) in pixels.chunks_mut(channels).zip(alphas).enumerate() {
                if (1..u8::MAX).contains(alpha) && pixel.get(3) != Some(alpha) {
                    let color = [pixel[0], pixel[1], pixel[2]].map(unit);
                    pixel[..3].copy_from_slice(&own(color, unit(*alpha), near(x)).map(byte));
                }
            }
        }
    });
    Ok(picture)
}

/// The means at every pixel of a small picture.
fn means(picture: &Pixels, alpha: &Pixels, pool: &Pool) -> Result<Grid<8>> {
    let side = SIDE.min(f64::from(picture.width().max(picture.height())));
    let size = size_at(picture, side);
    let small = Small { colors: resized(picture, size, pool)?, alpha: resized(alpha, size, pool)? };
    let (width, height) = (size.0 as usize, size.1 as usize);
    let mut before: Vec<Pair> =
        (0..width * height).map(|at| small.weighted(at, small.color(at), small.color(at))).collect();
    let mut next = vec![[0.0; 8]; before.len()];
    for (pass, reach) in REACHES.into_iter().enumerate() {
        let is_last = pass + 1 == REACHES.len();
        pool.for_each(next.chunks_mut(STRIP * width).enumerate(), |(strip, next)| {
            widened!(pass_over(&small, &before, reach, (strip * STRIP, next), is_last));
        });
        std::mem::swap(&mut before, &mut next);
    }
    Ok(Grid { width, height, values: before })
}

/// The small picture.
struct Small {
    colors: Pixels,
    alpha: Pixels,
}

impl Small {
    #[inline(always)]
    fn color(&self, at: usize) -> [f32; 3] {
        let px = &self.colors.data()[at * self.colors.layout().bytes()..][..3];
        [px[0], px[1], px[2]].map(unit)
    }

    #[inline(always)]
    fn alpha(&self, at: usize) -> f32 {
        unit(self.alpha.data()[at])
    }

    /// Subject and background of a pixel, as often as they count, each with how often behind it.
    #[inline(always)]
    fn weighted(&self, at: usize, [r, g, b]: [f32; 3], [s, t, u]: [f32; 3]) -> Pair {
        let (alpha, rest) = (self.alpha(at), 1.0 - self.alpha(at));
        [r * alpha, g * alpha, b * alpha, alpha, s * rest, t * rest, u * rest, rest]
    }
}

/// Makes rows, from `top` on, of what is summed up next, and at last of the means.
#[inline(always)]
fn pass_over(small: &Small, before: &[Pair], reach: usize, (top, next): (usize, &mut [Pair]), is_last: bool) {
    let (width, height) = (small.alpha.width() as usize, small.alpha.height() as usize);
    let (all, rows) = (0..width, top..top + next.len() / width);
    let value = |x: usize, y: usize| before[y * width + x];
    windowed((&all, width, &all), (height, &rows), reach, value, |x, y, sums| {
        let (at, means) = (y * width + x, divided(sums));
        let made = if is_last {
            means
        } else {
            let [.., s, t, u, _] = means;
            small.weighted(at, own(small.color(at), small.alpha(at), means), [s, t, u])
        };
        next[at - top * width] = made;
    });
}

/// Weighted sums by their weights. Rounding leaves a little where there is no weight.
#[inline(always)]
fn divided([r, g, b, alpha, s, t, u, rest]: Pair) -> Pair {
    let (one, other) = (1.0 / alpha.max(1e-3), 1.0 / rest.max(1e-3));
    [r * one, g * one, b * one, alpha, s * other, t * other, u * other, rest]
}

/// The subject's part in a pixel's colour.
#[inline(always)]
fn own(color: [f32; 3], alpha: f32, means: Pair) -> [f32; 3] {
    std::array::from_fn(|c| {
        let (subject, background) = (means[c], means[c + 4]);
        (subject + alpha * (color[c] - alpha * subject - (1.0 - alpha) * background)).clamp(0.0, 1.0)
    })
}

#[inline(always)]
fn unit(value: u8) -> f32 {
    f32::from(value) * (1.0 / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::exec::control::CancelToken;
    use crate::image::pixels::Layout;

    const SUBJECT: [u8; 3] = [200, 30, 90];
    const BACKGROUND: [u8; 3] = [20, 180, 60];

    /// Subject from the left, background from the right, and a ramp between: alpha and picture.
    fn ramp((width, height): (u32, u32), layout: Layout) -> (Pixels, Pixels) {
        let along = |x: u32| byte((0.55 - (x as f32 + 0.5) / width as f32) / 0.1);
        let alpha: Vec<u8> = (0..height).flat_map(|_| (0..width).map(along)).collect();
        let mixed =
            |alpha: u8, c: usize| byte(unit(alpha) * unit(SUBJECT[c]) + (1.0 - unit(alpha)) * unit(BACKGROUND[c]));
        let pixel = |alpha: &u8| {
            let rgba = [mixed(*alpha, 0), mixed(*alpha, 1), mixed(*alpha, 2), 255];
            rgba.into_iter().take(layout.bytes())
        };
        let picture = alpha.iter().flat_map(pixel).collect();
        (Pixels::known(width, height, layout, picture), Pixels::known(width, height, Layout::Gray8, alpha))
    }

    fn cleaned(picture: &Pixels, alpha: &Pixels, pool: &Pool) -> Pixels {
        of_subject(picture.clone(), alpha, pool, &Control::default()).expect("nothing stops it")
    }

    #[test]
    fn soft_edges_have_the_subjects_colour_and_nothing_else_changes() {
        for (size, layout) in
            [((300, 200), Layout::Rgb8), ((900, 50), Layout::Rgba8), ((60, 700), Layout::Rgb8), ((5, 1), Layout::Rgb8)]
        {
            let (picture, alpha) = ramp(size, layout);
            let clean = cleaned(&picture, &alpha, &Pool::of(2));
            let channels = layout.bytes();
            let pixels = picture.data().chunks(channels).zip(clean.data().chunks(channels)).zip(alpha.data());
            for ((before, after), alpha) in pixels {
                if matches!(*alpha, 0 | 255) {
                    assert_eq!(before, after);
                } else {
                    let off = |pixel: &[u8]| pixel.iter().zip(SUBJECT).map(|(got, want)| got.abs_diff(want)).max();
                    let (was, is) = (off(before).unwrap_or(0), off(after).unwrap_or(255));
                    assert!(is <= 12 + was / 8, "{size:?} {alpha}: {after:?} of {before:?}");
                    assert_eq!(before.get(3), after.get(3));
                }
            }
        }
    }

    #[test]
    fn where_the_picture_itself_is_translucent_its_colours_stay() {
        let (_, alpha) = ramp((300, 200), Layout::Rgb8);
        let pixel = |x: usize, alpha: u8| [40, 160, if x < 150 { 90 } else { 20 }, alpha];
        let data = alpha.data().iter().enumerate().flat_map(|(at, alpha)| pixel(at % 300, *alpha)).collect();
        let picture = Pixels::known(300, 200, Layout::Rgba8, data);
        assert_eq!(cleaned(&picture, &alpha, &Pool::of(2)), picture);
        // Where the mask is what limits, they change as ever.
        let opaque = picture.data().as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b, 255]).collect();
        let opaque = Pixels::known(300, 200, Layout::Rgba8, opaque);
        assert_ne!(cleaned(&opaque, &alpha, &Pool::of(2)), opaque);
    }

    #[test]
    fn threads_change_no_byte() {
        let (picture, alpha) = ramp((431, 257), Layout::Rgba8);
        assert_eq!(cleaned(&picture, &alpha, &Pool::of(1)), cleaned(&picture, &alpha, &Pool::of(5)));
    }

    #[test]
    fn haze_without_a_subject_near_it_keeps_its_colour() {
        let picture = Pixels::filled(400, 300, Layout::Rgb8, 120);
        for value in [1, 128, 254] {
            let clean = cleaned(&picture, &Pixels::filled(400, 300, Layout::Gray8, value), &Pool::of(1));
            assert!(clean.data().iter().all(|value| value.abs_diff(120) <= 1), "{value}");
        }
    }

    #[test]
    fn a_stop_is_heard_and_a_hard_alpha_needs_no_work() {
        let token = CancelToken::new();
        token.cancel();
        let stopped = Control { cancel: Some(&token), ..Control::default() };
        let (picture, alpha) = ramp((40, 30), Layout::Rgb8);
        let error = of_subject(picture.clone(), &alpha, &Pool::of(1), &stopped).expect_err("it was stopped");
        assert_eq!(error.code(), Code::Cancelled);
        let hard = Pixels::filled(40, 30, Layout::Gray8, 255);
        assert_eq!(of_subject(picture.clone(), &hard, &Pool::of(1), &stopped).ok(), Some(picture));
    }
}
