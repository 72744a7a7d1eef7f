//! The mask and the picture at one size, small enough to walk all over.

use super::forest::Step;
use super::places::Area;
use super::regions::around;
use crate::error::Result;
use crate::exec::Pool;
use crate::image::pixels::{Layout, Pixels};
use crate::image::small::{resized, size_at};
use crate::image::spans::wider;

/// Larger masks are looked at with so many cells along the longer side.
const MOST_SIDE: f64 = 512.0;
/// Lengths are counted in this part of the picture's longer side, whatever the mask's size.
const UNITS: f32 = 320.0;
/// The cost of one such length over a single colour.
const PACE: f32 = 16.0;
/// How much a step over a usual change of colour costs beyond its length.
const EDGE: f32 = 4.0;
/// Colours that change by less than this, of 0 to 1, change by noise.
const NOISE: f32 = 0.01;

/// A mask, and the picture under it.
pub(super) struct Scene {
    pub(super) size: (usize, usize),
    /// The mask.
    pub(super) values: Vec<u8>,
    /// The picture's colours, 0 to 1.
    pub(super) colors: Vec<[f32; 3]>,
    /// How long a step is across, and down.
    lengths: (f32, f32),
    /// The mean square of the colours' change from cell to cell.
    change: f32,
}

impl Scene {
    pub(super) fn of(mask: &Pixels, picture: &Pixels, pool: &Pool) -> Result<Self> {
        let own = (mask.width(), mask.height());
        let size = if f64::from(own.0.max(own.1)) > MOST_SIDE { size_at(mask, MOST_SIDE) } else { own };
        let values = if size == own { mask.data().to_vec() } else { resized(mask, size, pool)?.into_data() };
        let colors = colors(&resized(picture, size, pool)?);
        let longer = picture.width().max(picture.height()) as f32;
        let length = |picture: u32, mask: u32| UNITS * picture as f32 / (mask as f32 * longer);
        let lengths = (length(picture.width(), size.0), length(picture.height(), size.1));
        let size = (size.0 as usize, size.1 as usize);
        let change = change(&colors, size.0);
        Ok(Self { size, values, colors, lengths, change })
    }

    /// The mean colour of a cell and its neighbours.
    pub(super) fn mean(&self, at: usize) -> [f32; 3] {
        let (sum, count) = around(at, self.size).fold(([0.0; 3], 0.0), |(sum, count), near| {
            (std::array::from_fn(|channel| sum[channel] + self.colors[near][channel]), count + 1.0)
        });
        sum.map(|channel: f32| channel / count)
    }

    /// The cost of a step: its length, more where the colour changes more than usual.
    pub(super) fn cost(&self, step: &Step) -> f32 {
        let edge = distance(self.colors[step.from], self.colors[step.to]) / self.change;
        self.length(step) * PACE * (1.0 + EDGE * edge)
    }

    fn length(&self, step: &Step) -> f32 {
        match step.moves {
            (true, true) => self.lengths.0.hypot(self.lengths.1),
            (true, false) => self.lengths.0,
            _ => self.lengths.1,
        }
    }

    /// What is no farther from a cell than such a part of the picture's longer side, across and down.
    pub(super) fn area(&self, at: usize, part: f32) -> Area {
        let (width, height) = self.size;
        let span = |at: usize, length: f32, side: usize| wider(&(at..at + 1), (part * UNITS / length) as usize, side);
        (span(at % width, self.lengths.0, width), span(at / width, self.lengths.1, height))
    }
}

/// Colours as they look on mid grey, as the model sees them.
fn colors(picture: &Pixels) -> Vec<[f32; 3]> {
    let value = |byte: u8| f32::from(byte) / 255.0;
    match picture.layout() {
        Layout::Gray8 => picture.data().iter().map(|grey| [value(*grey); 3]).collect(),
        Layout::Rgb8 => picture.data().as_chunks::<3>().0.iter().map(|rgb| rgb.map(value)).collect(),
        Layout::Rgba8 => {
            let on_grey = |&[r, g, b, a]: &[u8; 4]| [r, g, b].map(|color| 0.5 + (value(color) - 0.5) * value(a));
            picture.data().as_chunks::<4>().0.iter().map(on_grey).collect()
        }
    }
}

fn change(colors: &[[f32; 3]], width: usize) -> f32 {
    let across = colors.chunks(width).flat_map(|row| row.windows(2).map(|pair| distance(pair[0], pair[1])));
    let down = colors.iter().zip(colors.iter().skip(width)).map(|(one, other)| distance(*one, *other));
    let (sum, count) =
        across.chain(down).fold((0.0, 0_u32), |(sum, count), change| (sum + f64::from(change), count + 1));
    (sum / f64::from(count.max(1))) as f32 + NOISE * NOISE
}

/// The square of the distance between two colours.
pub(super) fn distance(one: [f32; 3], other: [f32; 3]) -> f32 {
    one.into_iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
}
