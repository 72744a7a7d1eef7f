//! By an angle: counter-clockwise, about the centre.

use super::rows::for_each_row;
use super::upright::upright;
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::{Control, Stage};
use crate::image::pixels::{Layout, Orientation, Pixels};

/// Turns a picture counter-clockwise by `angle` degrees onto a canvas of the
/// size `target`, centre on centre. Corners that open are transparent, and
/// black in a mask.
///
/// Multiples of 90° move pixels. Other angles take each pixel from where it
/// came from, by cubic convolution (Keys 1981, a = −½) of premultiplied
/// colours, with nothing around the picture: its border is smooth.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn rotate(
    pixels: Pixels,
    angle: f64,
    target: (u32, u32),
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Pixels> {
    let quarters = angle.rem_euclid(360.0) / 90.0;
    if quarters.fract() == 0.0 {
        return Ok(quarter_turns(pixels, quarters as u32 % 4, target));
    }
    let pixels = pixels.into_rgba();
    let mut out = Pixels::filled(target.0, target.1, pixels.layout(), 0);
    let turn = Turn::new(angle, &pixels, target);
    for_each_row(&mut out, Stage::Rotate, pool, control, |y, row| match pixels.layout() {
        Layout::Gray8 => turn.fill_row(y, row.as_chunks_mut::<1>().0, &Source::new(&pixels)),
        _ => turn.fill_row(y, row.as_chunks_mut::<4>().0, &Source::new(&pixels)),
    })?;
    Ok(out)
}

fn quarter_turns(pixels: Pixels, quarters: u32, target: (u32, u32)) -> Pixels {
    let orientation = match quarters {
        1 => Orientation::Rotate270,
        2 => Orientation::Rotate180,
        3 => Orientation::Rotate90,
        _ => Orientation::Normal,
    };
    let turned = upright(pixels, orientation);
    let (wide, high) =
        (i64::from(turned.width()) - i64::from(target.0), i64::from(turned.height()) - i64::from(target.1));
    // Half a pixel is left over when the parities differ. It goes where Pillow's nearest neighbour puts it.
    let (left, top) = match quarters {
        1 => ((wide + 1).div_euclid(2), high.div_euclid(2)),
        2 => (wide.div_euclid(2), high.div_euclid(2)),
        3 => (wide.div_euclid(2), (high + 1).div_euclid(2)),
        _ => ((wide + 1).div_euclid(2), (high + 1).div_euclid(2)),
    };
    place(turned, target, (left, top))
}

/// The part of a picture that starts at `left`, `top`, which may lie outside.
fn place(pixels: Pixels, target: (u32, u32), (left, top): (i64, i64)) -> Pixels {
    let (width, height) = (pixels.width(), pixels.height());
    if (width, height) == target && (left, top) == (0, 0) {
        return pixels;
    }
    let pixels =
        if covers(width, target.0, left) && covers(height, target.1, top) { pixels } else { pixels.into_rgba() };
    let n = pixels.layout().bytes();
    let mut out = Pixels::filled(target.0, target.1, pixels.layout(), 0);
    let (from, to, count) = overlap(width, target.0, left);
    let (first, start, rows) = overlap(height, target.1, top);
    let source = pixels.data().chunks_exact(width as usize * n).skip(first);
    let canvas = out.data_mut().chunks_exact_mut(target.0 as usize * n).skip(start);
    for (row, source) in canvas.zip(source).take(rows) {
        row[to * n..(to + count) * n].copy_from_slice(&source[from * n..(from + count) * n]);
    }
    out
}

fn covers(length: u32, target: u32, offset: i64) -> bool {
    offset >= 0 && offset + i64::from(target) <= i64::from(length)
}

/// Where the overlap starts in the source and in the target, and its length.
fn overlap(length: u32, target: u32, offset: i64) -> (usize, usize, usize) {
    let (from, to) = (offset.max(0), (-offset).max(0));
    let count = (i64::from(length) - from).min(i64::from(target) - to).max(0);
    (from as usize, to as usize, count as usize)
}

/// The map from the result's pixels back to the picture's.
struct Turn {
    cos: f64,
    sin: f64,
    center: (f64, f64),
    target_center: (f64, f64),
}

impl Turn {
    fn new(angle: f64, pixels: &Pixels, target: (u32, u32)) -> Self {
        let (sin, cos) = angle.to_radians().sin_cos();
        // Pixels are points here: their centres, counted from the first one.
        let middle = |length: u32| (f64::from(length) - 1.0) / 2.0;
        let center = (middle(pixels.width()), middle(pixels.height()));
        Self { cos, sin, center, target_center: (middle(target.0), middle(target.1)) }
    }

    fn fill_row<T: Sample>(&self, y: usize, row: &mut [T], source: &Source<'_, T>) {
        let dy = y as f64 - self.target_center.1;
        for (x, out) in row.iter_mut().enumerate() {
            let dx = x as f64 - self.target_center.0;
            let from_x = self.center.0 + self.cos * dx - self.sin * dy;
            let from_y = self.center.1 + self.sin * dx + self.cos * dy;
            *out = source.at(from_x, from_y);
        }
    }
}

/// A pixel that can be weighted, summed and brought back to bytes.
trait Sample: Copy + 'static {
    type Sum: Default;
    const CLEAR: Self;
    fn pixels(data: &[u8]) -> &[Self];
    fn add(self, weight: f32, sum: &mut Self::Sum);
    fn finish(sum: Self::Sum) -> Self;
}

impl Sample for [u8; 1] {
    type Sum = f32;
    const CLEAR: Self = [0];

    fn pixels(data: &[u8]) -> &[Self] {
        data.as_chunks().0
    }

    fn add(self, weight: f32, sum: &mut f32) {
        *sum += f32::from(self[0]) * weight;
    }

    fn finish(sum: f32) -> Self {
        [byte(sum)]
    }
}

impl Sample for [u8; 4] {
    /// Premultiplied colours, then alpha.
    type Sum = [f32; 4];
    const CLEAR: Self = [0; 4];

    fn pixels(data: &[u8]) -> &[Self] {
        data.as_chunks().0
    }

    fn add(self, weight: f32, sum: &mut [f32; 4]) {
        let alpha = f32::from(self[3]) * weight;
        let [red, green, blue, _] = self.map(f32::from);
        let parts = [red * alpha, green * alpha, blue * alpha, alpha];
        sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }

    fn finish([red, green, blue, alpha]: [f32; 4]) -> Self {
        match byte(alpha) {
            0 => Self::CLEAR,
            opacity => [byte(red / alpha), byte(green / alpha), byte(blue / alpha), opacity],
        }
    }
}

/// The nearest byte; what lies outside becomes the nearest end.
fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

struct Source<'a, T> {
    pixels: &'a [T],
    width: usize,
    height: usize,
}

impl<'a, T: Sample> Source<'a, T> {
    fn new(pixels: &'a Pixels) -> Self {
        Self { pixels: T::pixels(pixels.data()), width: pixels.width() as usize, height: pixels.height() as usize }
    }

    /// The picture between its pixels.
    fn at(&self, x: f64, y: f64) -> T {
        // Counted from two pixels before the picture, so that cutting the fraction off rounds down.
        let (x, y) = (x + 2.0, y + 2.0);
        if x < 0.0 || y < 0.0 || x > self.width as f64 + 2.0 || y > self.height as f64 + 2.0 {
            return T::CLEAR;
        }
        let (column, row) = (x as u32, y as u32);
        let (across, down) = (cubic((x - f64::from(column)) as f32), cubic((y - f64::from(row)) as f32));
        // The first of four columns and of four rows.
        let (left, top) = (column as isize - 3, row as isize - 3);
        let mut sum = T::Sum::default();
        for (y, down) in (top..).zip(down) {
            for (&pixel, weight) in self.four(left, y).iter().zip(across) {
                pixel.add(weight * down, &mut sum);
            }
        }
        T::finish(sum)
    }

    /// Four pixels of a row, clear where there is no picture.
    fn four(&self, left: isize, y: isize) -> [T; 4] {
        let Some(row) = usize::try_from(y).ok().filter(|&y| y < self.height) else { return [T::CLEAR; 4] };
        let row = &self.pixels[row * self.width..(row + 1) * self.width];
        let whole = usize::try_from(left).ok().and_then(|left| row.get(left..)?.first_chunk());
        let one = |x: isize| usize::try_from(x).ok().and_then(|x| row.get(x)).copied().unwrap_or(T::CLEAR);
        whole.copied().unwrap_or_else(|| [0, 1, 2, 3].map(|i| one(left + i)))
    }
}

/// Weights of the pixels at −1, 0, 1 and 2 for a point at `t`, 0 ≤ t < 1.
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}
