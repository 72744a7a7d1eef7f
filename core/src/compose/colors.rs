//! The subject's own colours along soft edges, without those of the old background.
//!
//! By blurred means of subject and background (Forte, "Approximate Fast Foreground
//! Colour Estimation", ICIP 2021). A pixel's colour is I = α·F + (1 − α)·B. Around it
//! F is about the mean of the colours weighted by α, and B that weighted by 1 − α; what
//! they leave unexplained of I is the pixel's own: F + s·(I − α·F − (1 − α)·B). With s = α / (α² + (1 − α)²) the two
//! change least so that they make I (the least squares). But an alpha that is a little wrong then moves F the more the farther
//! it is from B, so the farther s becomes α. A first
//! pass looks far, for subject behind a wide soft edge, the others nearer. The means
//! are smooth, so they are found on a small picture.

use remrembg_native::widened;

use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Pixels, byte};
use crate::image::small::{Grid, ROWS, resized, size_at};
use crate::image::spans::{Span, dilated, spans, windowed};

/// The longer side of the small picture.
const SIDE: f64 = 300.0;
/// How far the windows of each pass reach there.
const REACHES: [usize; 3] = [40, 12, 3];

/// Rows of it that one thread sums up at once.
const STRIP: usize = 32;

/// The subject's colour and the background's, with its weight behind each: of a pixel as often as they count, in parts of
/// [`ONE`]. Whole numbers, as their sums are the same in whatever order.
type Pair = [u16; 8];
const ONE: f32 = 65535.0;

/// The square of how far apart subject and background are, over three channels of 0 to 1, where the share of what they leave
/// unexplained is halfway between the two.
const FAR: f32 = 0.05;

/// Pixels of a row that are passed over at once where none is soft.
const BLOCK: usize = 32;

/// Puts the subject's colours, as far as they can be told, in place of those of a
/// picture in colour where its alpha is neither 0 nor 255. Where the alpha is the one that the
/// picture brings, its colours have nothing of a background in them, and stay.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn of_subject(mut picture: Pixels, alpha: &Pixels, pool: &Pool, control: &Control<'_>) -> Result<Pixels> {
    if !alpha.data().iter().any(is_soft) {
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
            let Some(first) = alphas.iter().position(is_soft) else { continue };
            let columns = first..alphas.iter().rposition(is_soft).map_or(width, |last| last + 1);
            let near = means.row(chunk * ROWS + y, &columns, &mut room);
            let pixels = pixels[columns.start * channels..columns.end * channels].chunks_mut(BLOCK * channels);
            for (block, (pixels, alphas)) in pixels.zip(alphas[columns].chunks(BLOCK)).enumerate() {
                if !alphas.iter().fold(false, |any, alpha| any | is_soft(alpha)) {
                    continue;
                }
                for (x, (pixel, alpha)) in pixels.chunks_mut(channels).zip(alphas).enumerate() {
                    if is_soft(alpha) && pixel.get(3) != Some(alpha) {
                        let color = [pixel[0], pixel[1], pixel[2]].map(unit);
                        let own = own(color, unit(*alpha), near(first + block * BLOCK + x));
                        pixel[..3].copy_from_slice(&own.map(byte));
                    }
                }
            }
        }
    });
    Ok(picture)
}

fn is_soft(alpha: &u8) -> bool {
    (1..u8::MAX).contains(alpha)
}

/// The means at the pixels of a small picture that lie near soft ones; 0 at the others.
fn means(picture: &Pixels, alpha: &Pixels, pool: &Pool) -> Result<Grid<6>> {
    let side = SIDE.min(f64::from(picture.width().max(picture.height())));
    let size = size_at(picture, side);
    let small = Small { colors: resized(picture, size, pool)?, alpha: resized(alpha, size, pool)? };
    let size @ (width, height) = (size.0 as usize, size.1 as usize);
    let small = &small;
    let [mut before, mut next] = [(); 2].map(|()| vec![Pair::default(); width * height]);
    pool.for_each(before.chunks_mut(STRIP * width).enumerate(), |(strip, before)| {
        widened!(small.weigh(strip * STRIP * width, before));
    });
    let [far, nearer, nearest] = REACHES;
    // What the last pass is asked for, what that one sees, and what the second sees.
    let last = dilated(&soft(alpha, size), size, 2);
    let second = dilated(&last, size, nearest);
    let first = dilated(&second, size, nearer);
    for (reach, wanted) in [(far, first), (nearer, second)] {
        let windows = Windows::new(&before, size, reach, &wanted);
        pool.for_each(next.chunks_mut(STRIP * width).enumerate(), |(strip, next)| {
            widened!(windows.pass(strip * STRIP, next, |at, means| {
                let [.., s, t, u] = means;
                small.weighted(at, own(small.color(at), small.alpha(at), means), [s, t, u])
            }));
        });
        std::mem::swap(&mut before, &mut next);
    }
    let mut values = vec![[0.0; 6]; width * height];
    let windows = Windows::new(&before, size, nearest, &last);
    pool.for_each(values.chunks_mut(STRIP * width).enumerate(), |(strip, values)| {
        widened!(windows.pass(strip * STRIP, values, |_, means| means));
    });
    Ok(Grid { width, height, values })
}

/// Which pixels of a small picture have soft ones under them.
fn soft(alpha: &Pixels, (width, height): (usize, usize)) -> Vec<bool> {
    let (columns, rows) = (alpha.width() as usize, alpha.height() as usize);
    let under = |at: usize, small: usize, side: usize| at * side / small..((at + 1) * side).div_ceil(small);
    let mut soft = Vec::with_capacity(width * height);
    let mut row = vec![false; columns];
    for y in 0..height {
        row.fill(false);
        let Span { start, end } = under(y, height, rows);
        for alphas in alpha.data()[start * columns..end * columns].chunks(columns) {
            row.iter_mut().zip(alphas).for_each(|(soft, alpha)| *soft |= is_soft(alpha));
        }
        soft.extend((0..width).map(|x| row[under(x, width, columns)].contains(&true)));
    }
    soft
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

    /// What pixels from `start` on have themselves.
    #[inline(always)]
    fn weigh(&self, start: usize, pairs: &mut [Pair]) {
        for (at, pair) in (start..).zip(pairs) {
            *pair = self.weighted(at, self.color(at), self.color(at));
        }
    }

    /// Subject and background of a pixel, as often as they count, each with how often behind it.
    #[inline(always)]
    fn weighted(&self, at: usize, [r, g, b]: [f32; 3], [s, t, u]: [f32; 3]) -> Pair {
        let (alpha, rest) = (self.alpha(at), 1.0 - self.alpha(at));
        let parts = [r * alpha, g * alpha, b * alpha, alpha, s * rest, t * rest, u * rest, rest];
        parts.map(|part| (part * ONE + 0.5) as u16)
    }
}

/// Windows that reach so far, around the pixels of each row that are wanted.
struct Windows<'a> {
    before: &'a [Pair],
    size: (usize, usize),
    reach: usize,
    spans: Vec<Vec<Span>>,
}

impl<'a> Windows<'a> {
    fn new(before: &'a [Pair], size: (usize, usize), reach: usize, wanted: &[bool]) -> Self {
        Self { before, size, reach, spans: wanted.chunks(size.0).map(|row| spans(row, 2 * reach)).collect() }
    }

    /// Makes of the means in them what comes next: rows, from `top` on.
    #[inline(always)]
    fn pass<Next>(&self, top: usize, next: &mut [Next], make: impl Fn(usize, [f32; 6]) -> Next) {
        let width = self.size.0;
        let rows = top..top + next.len() / width;
        let value = |x: usize, y: usize| self.before[y * width + x].map(i32::from);
        windowed(self.size, (&rows, |y: usize| &*self.spans[y]), self.reach, value, |x, y, sums| {
            let at = y * width + x;
            next[at - top * width] = make(at, divided(sums));
        });
    }
}

/// Weighted sums by their weights. Where there is next to no weight, next to nothing.
#[inline(always)]
fn divided(sums: [i32; 8]) -> [f32; 6] {
    let [r, g, b, alpha, s, t, u, rest] = sums.map(|sum| sum as f32);
    let (one, other) = (1.0 / alpha.max(1e-3 * ONE), 1.0 / rest.max(1e-3 * ONE));
    [r * one, g * one, b * one, s * other, t * other, u * other]
}

/// The subject's part in a pixel's colour.
#[inline(always)]
fn own(color: [f32; 3], alpha: f32, means: [f32; 6]) -> [f32; 3] {
    let [r, g, b, s, t, u] = means;
    let apart = (r - s) * (r - s) + (g - t) * (g - t) + (b - u) * (b - u);
    let rest = 1.0 - alpha;
    // The denominator is 1 where they are far apart, as α² + (1 − α)² + 2·α·(1 − α) is.
    let share = alpha / (alpha * alpha + rest * rest + 2.0 * alpha * rest * apart / (apart + FAR));
    std::array::from_fn(|c| {
        let (subject, background) = (means[c], means[c + 3]);
        (subject + share * (color[c] - alpha * subject - rest * background)).clamp(0.0, 1.0)
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
    fn where_a_mask_is_half_throughout_the_picture_keeps_its_details() {
        let pixel = |at: u32| [60 + (at * 37 % 90) as u8, 80 + (at / 300 * 11 % 60) as u8, 120];
        let picture = Pixels::known(300, 200, Layout::Rgb8, (0..300 * 200).flat_map(pixel).collect());
        let clean = cleaned(&picture, &Pixels::filled(300, 200, Layout::Gray8, 128), &Pool::of(2));
        let off = clean.data().iter().zip(picture.data()).map(|(after, before)| after.abs_diff(*before)).max();
        assert!(off <= Some(8), "{off:?} levels");
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
