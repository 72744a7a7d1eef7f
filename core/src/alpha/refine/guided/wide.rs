//! Where there is no edge: the mask is unsure over a wide area.
//!
//! There the picture's colours would decide what the model did not, and often wrongly: such an area stays as soft as
//! it is.

use std::ops::RangeInclusive;

use crate::image::pixels::Pixels;
use crate::image::small::{Grid, ROWS, shared, windowed};

/// What a mask that is unsure has.
const UNSURE: RangeInclusive<u8> = 31..=224;
/// An area is wide if a square fits into it that reaches so far to each side of its middle, in a mask of so many pixels.
const REACH: usize = 5;
const SIDE: usize = 320;

/// How much of each pixel of a mask lies in such an area, 0 to 1.
pub(super) struct Wide(Grid<1>);

impl Wide {
    /// `None` where there is no such area.
    pub(super) fn of(mask: &Pixels) -> Option<Self> {
        let size = (mask.width() as usize, mask.height() as usize);
        let reach = |reach: usize| (reach * size.0.max(size.1) + SIDE / 2) / SIDE;
        let unsure: Vec<_> = mask.data().iter().map(|alpha| f32::from(u8::from(UNSURE.contains(alpha)))).collect();
        // The middles of squares that are unsure altogether, then what such squares cover.
        let middles = means(&unsure, size, reach(REACH)).into_iter().map(|mean| f32::from(u8::from(mean == 1.0)));
        let middles: Vec<_> = middles.collect();
        if !middles.contains(&1.0) {
            return None;
        }
        let covered: Vec<_> =
            means(&middles, size, reach(REACH)).into_iter().map(|mean| f32::from(u8::from(mean > 0.0))).collect();
        let values = means(&covered, size, reach(REACH) / 2).into_iter().map(|mean| [mean]).collect();
        Some(Self(Grid { width: size.0, height: size.1, values }))
    }

    /// Gives back there what the mask has: `soft`, as large as the alpha.
    pub(super) fn give_back(&self, alpha: &mut [u8], soft: &[u8], size: (usize, usize), threads: usize) {
        let parts = self.0.enlarged(size);
        let rows = alpha.chunks_mut(ROWS * size.0).zip(soft.chunks(ROWS * size.0)).enumerate();
        shared(threads, rows, |(chunk, (alpha, soft))| {
            let mut room = Vec::new();
            for (y, (alpha, soft)) in alpha.chunks_mut(size.0).zip(soft.chunks(size.0)).enumerate() {
                let part = parts.row(chunk * ROWS + y, &mut room);
                for (x, (alpha, soft)) in alpha.iter_mut().zip(soft).enumerate() {
                    let ([part], [hard, soft]) = (part(x), [*alpha, *soft].map(f32::from));
                    *alpha = (hard + (soft - hard) * part).round() as u8;
                }
            }
        });
    }
}

/// The mean of the window around each value; windows end where the mask does.
fn means(values: &[f32], (width, height): (usize, usize), reach: usize) -> Vec<f32> {
    let mut means = Vec::with_capacity(values.len());
    let value = |x: usize, y: usize| [values[y * width + x], 1.0];
    windowed((&(0..width), width, &(0..width)), (height, &(0..height)), reach, value, |_, _, [sum, count]| {
        means.push(sum / count);
    });
    means
}
