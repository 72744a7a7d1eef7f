//! PNG's filters (ISO/IEC 15948, 9): rows as differences from what is left of and above them.

use crate::image::pixels::Pixels;

/// Filters a picture's rows. Each row gets the filter whose bytes, taken as signed, have the
/// least sum of magnitudes, which the standard recommends (12.7).
pub(super) struct Filter<'a> {
    pixels: &'a Pixels,
    /// What each filter makes of the row, its number first.
    tries: [Vec<u8>; 5],
    /// Above the first row there are zeros.
    zeros: Vec<u8>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(pixels: &'a Pixels) -> Self {
        let length = Self::length(pixels);
        let tries = [0, 1, 2, 3, 4].map(|number| {
            let mut tried = vec![0; length];
            tried[0] = number;
            tried
        });
        Self { pixels, tries, zeros: vec![0; length - 1] }
    }

    /// Bytes of a filtered row.
    pub(super) fn length(pixels: &Pixels) -> usize {
        pixels.width() as usize * pixels.layout().bytes() + 1
    }

    /// A row, its filter's number first.
    pub(super) fn row(&mut self, y: usize) -> &[u8] {
        let is_empty = self.try_all(y);
        let least = self.tries.iter().min_by_key(|tried| if is_empty { 0 } else { sum(&tried[1..]) });
        least.map_or(&[], Vec::as_slice)
    }

    /// Makes what each filter makes of a row. Of a row of zeros it makes but the first, and says so.
    fn try_all(&mut self, y: usize) -> bool {
        let (length, bytes) = (self.zeros.len(), self.pixels.layout().bytes());
        let data = self.pixels.data();
        let row = &data[y * length..][..length];
        let above = if y == 0 { &self.zeros } else { &data[(y - 1) * length..][..length] };
        let [none, left, up, mean, paeth] = &mut self.tries;
        none[1..].copy_from_slice(row);
        if row.iter().all(|byte| *byte == 0) {
            return true;
        }
        let (first, rest) = row.split_at(bytes);
        let (above_first, above_rest) = above.split_at(bytes);
        left[1..=bytes].copy_from_slice(first);
        let of_left = left[1 + bytes..].iter_mut().zip(rest.iter().zip(row));
        of_left.for_each(|(made, (byte, left))| *made = byte.wrapping_sub(*left));
        let of_up = up[1..].iter_mut().zip(row.iter().zip(above));
        of_up.for_each(|(made, (byte, up))| *made = byte.wrapping_sub(*up));
        let of_first = first.iter().zip(above_first);
        for ((mean, paeth), (byte, up)) in mean[1..=bytes].iter_mut().zip(&mut paeth[1..=bytes]).zip(of_first) {
            (*mean, *paeth) = (byte.wrapping_sub(up / 2), byte.wrapping_sub(*up));
        }
        let beside = rest.iter().zip(row).zip(above_rest.iter().zip(above));
        for ((mean, paeth), ((byte, left), (up, corner))) in
            mean[1 + bytes..].iter_mut().zip(&mut paeth[1 + bytes..]).zip(beside)
        {
            *mean = byte.wrapping_sub((left & up) + ((left ^ up) >> 1));
            *paeth = byte.wrapping_sub(predicted(*left, *up, *corner));
        }
        false
    }
}

/// Of left, up and corner the one nearest to left + up − corner, the first of equals.
fn predicted(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i16::from);
    let (from_left, from_up) = ((b - c).abs(), (a - c).abs());
    let from_corner = (a + b - c - c).abs();
    let other = if from_up <= from_corner { up } else { corner };
    if from_left <= from_up && from_left <= from_corner { left } else { other }
}

/// The magnitudes of the bytes, as signed numbers, together.
fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(byte.cast_signed().unsigned_abs())).sum()
}
