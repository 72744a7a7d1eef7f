//! Decoded pictures: the values that stages hand to each other.

pub use super::layout::{Layout, Orientation};
use crate::error::Result;
use crate::image::views::{PixelView, PixelViewMut, too_short_or_long};

/// A decoded picture that owns its pixels: rows from the top, without gaps.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    layout: Layout,
    data: Vec<u8>,
}

impl Pixels {
    /// Takes `data`, whose length must be `width × height × layout.bytes()`.
    ///
    /// # Errors
    /// [`Code::BadPixels`](crate::Code::BadPixels) when a side is zero or the length differs.
    pub fn new(width: u32, height: u32, layout: Layout, data: Vec<u8>) -> Result<Self> {
        let row = width as usize * layout.bytes();
        PixelView::new(&data, width, height, layout, row)?;
        if data.len() != row * height as usize {
            return Err(too_short_or_long(data.len(), row * height as usize));
        }
        Ok(Self { width, height, layout, data })
    }

    /// A picture whose every byte is `value`.
    ///
    /// # Panics
    /// When a side is zero.
    #[must_use]
    pub fn filled(width: u32, height: u32, layout: Layout, value: u8) -> Self {
        assert!(width > 0 && height > 0, "a picture has at least one pixel");
        let data = vec![value; width as usize * height as usize * layout.bytes()];
        Self { width, height, layout, data }
    }

    /// A picture from bytes that a stage has laid out itself.
    pub(crate) fn known(width: u32, height: u32, layout: Layout, data: Vec<u8>) -> Self {
        debug_assert_eq!(data.len(), width as usize * height as usize * layout.bytes());
        Self { width, height, layout, data }
    }

    /// A part that is inside, as left, top, width and height.
    pub(crate) fn part(&self, (left, top, width, height): (u32, u32, u32, u32)) -> Self {
        let (bytes, row) = (self.layout.bytes(), self.width as usize * self.layout.bytes());
        let columns = left as usize * bytes..(left + width) as usize * bytes;
        let rows = self.data.chunks_exact(row).skip(top as usize).take(height as usize);
        let mut data = Vec::with_capacity(width as usize * height as usize * bytes);
        rows.for_each(|row| data.extend_from_slice(&row[columns.clone()]));
        Self { width, height, layout: self.layout, data }
    }

    /// With other pixels of the same layout in a part that is inside.
    pub(crate) fn with_part(mut self, (left, top, width, height): (u32, u32, u32, u32), part: &Self) -> Self {
        let (bytes, row) = (self.layout.bytes(), self.width as usize * self.layout.bytes());
        let columns = left as usize * bytes..(left + width) as usize * bytes;
        let rows = self.data.chunks_exact_mut(row).skip(top as usize).take(height as usize);
        for (row, own) in rows.zip(part.data.chunks_exact(width as usize * bytes)) {
            row[columns.clone()].copy_from_slice(own);
        }
        self
    }

    /// The same picture with an alpha channel, opaque where it had none. Grey
    /// stays grey. Grows the one buffer from its end, so that no second
    /// picture is held.
    pub(crate) fn into_rgba(mut self) -> Self {
        if self.layout == Layout::Rgb8 {
            let count = self.data.len() / 3;
            self.data.resize(count * 4, 0);
            for i in (0..count).rev() {
                let rgba = [self.data[i * 3], self.data[i * 3 + 1], self.data[i * 3 + 2], 255];
                self.data[i * 4..i * 4 + 4].copy_from_slice(&rgba);
            }
            self.layout = Layout::Rgba8;
        }
        self
    }

    /// The same picture in colour: grey becomes red, green and blue alike.
    pub(crate) fn into_color(self) -> Self {
        if self.layout != Layout::Gray8 {
            return self;
        }
        let data = self.data.iter().flat_map(|&grey| [grey; 3]).collect();
        Self { layout: Layout::Rgb8, data, ..self }
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// What the bytes of a pixel mean.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// All bytes, row after row.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All bytes, to be changed in place.
    #[must_use]
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Gives the bytes away.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// A borrowed view of the whole picture.
    #[must_use]
    pub fn view(&self) -> PixelView<'_> {
        let stride = self.width as usize * self.layout.bytes();
        PixelView::known(&self.data, (self.width, self.height), self.layout, stride)
    }
}

impl PixelView<'_> {
    /// Copies the picture, red first, leaving the padding behind.
    #[must_use]
    pub fn to_pixels(&self) -> Pixels {
        Pixels::known(self.width(), self.height(), self.layout(), self.copied())
    }
}

impl PixelViewMut<'_> {
    /// Fills the room. Grey becomes red, green and blue alike; what has no
    /// alpha becomes opaque. Bytes between the rows are left as they are.
    ///
    /// # Errors
    /// [`Code::BadPixels`](crate::Code::BadPixels), before a byte is written, when the size differs or
    /// when the room lacks a channel that the picture has.
    pub fn copy_from(&mut self, pixels: &Pixels) -> Result<()> {
        self.fill(&pixels.view())
    }
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}×{} {:?})", self.width, self.height, self.layout)
    }
}

/// A value of 0 to 1 as the nearest byte; others are clamped, as the cast does.
#[inline(always)]
pub(crate) fn byte(value: f32) -> u8 {
    rounded(value * 255.0)
}

/// A value of 0 to 255 as the nearest byte, halves up; others are clamped, and NaN is 0. A cast would be done one value at
/// a time; this way the compiler can do many at once.
#[inline(always)]
pub(crate) fn rounded(value: f32) -> u8 {
    // From here on floats are whole numbers, and the lowest bits of theirs count up.
    const WHOLE: f32 = 8_388_608.0;
    let value = if value > 0.0 { (value + 0.5).min(255.0) } else { 0.0 };
    let nearest = value + WHOLE;
    let below = if nearest - WHOLE > value { nearest - 1.0 } else { nearest };
    below.to_bits() as u8
}

/// What a model says of each pixel of its own input: 0 background … 1 subject.
#[derive(Clone, PartialEq)]
pub struct Matte {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width × height` values in 0 ..= 1, rows from the top.
    pub data: Vec<f32>,
}

impl std::fmt::Debug for Matte {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matte({}×{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_the_nearest_byte_and_others_are_clamped() {
        for byte in 0..=255_u8 {
            let value = f32::from(byte);
            for near in [value, value - 0.499, value + 0.499, value - 0.5] {
                assert_eq!(rounded(near), byte, "{near}");
            }
        }
        assert_eq!([-1e30, -0.6, -0.0, f32::NEG_INFINITY, f32::NAN].map(rounded), [0; 5]);
        assert_eq!([255.4, 256.0, 1e30, f32::INFINITY].map(rounded), [255; 4]);
    }
}
