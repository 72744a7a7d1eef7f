//! Pictures in memory that someone else owns: a caller's pixels, and a
//! caller's room for pixels.

use crate::error::{Code, Error, Problem, Result};
use crate::image::layout::Layout;

/// The order in which a caller keeps the colours of a pixel. Alpha is last in
/// both, and grey has no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChannelOrder {
    /// Red first, as everywhere inside.
    #[default]
    Rgb,
    /// Blue first, as in Windows bitmaps, Cairo on small-endian machines, and OpenCV.
    Bgr,
}

/// Where the bytes of a picture are. Both views check it alike.
#[derive(Debug, Clone, Copy)]
struct Shape {
    width: u32,
    height: u32,
    layout: Layout,
    stride: usize,
    order: ChannelOrder,
}

impl Shape {
    /// # Errors
    /// [`Code::BadPixels`] when a side is zero, when `stride` is less than a
    /// row, or when `length` bytes end before the last pixel.
    fn new(length: usize, (width, height): (u32, u32), layout: Layout, stride: usize) -> Result<Self> {
        expect_pixels((width, height))?;
        let row = width as usize * layout.bytes();
        if stride < row {
            return Err(bad(format!("A row of {width} pixels has {row} bytes, but the stride is {stride}")));
        }
        let need = stride.checked_mul(height as usize - 1).and_then(|n| n.checked_add(row));
        match need {
            Some(need) if need <= length => Ok(Self { width, height, layout, stride, order: ChannelOrder::Rgb }),
            _ => Err(too_short_or_long(length, need.unwrap_or(usize::MAX))),
        }
    }

    fn row(&self) -> usize {
        self.width as usize * self.layout.bytes()
    }
}

/// A decoded picture that someone else owns, rows `stride` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct PixelView<'a> {
    data: &'a [u8],
    shape: Shape,
    profile: Option<&'a [u8]>,
}

impl<'a> PixelView<'a> {
    /// Looks at `data` as a picture. The last row may end without its padding.
    ///
    /// # Errors
    /// [`Code::BadPixels`] when a side is zero, when `stride` is less than a
    /// row, or when `data` ends before the last pixel.
    pub fn new(data: &'a [u8], width: u32, height: u32, layout: Layout, stride: usize) -> Result<Self> {
        Ok(Self { data, shape: Shape::new(data.len(), (width, height), layout, stride)?, profile: None })
    }

    /// A view of a picture that was checked when it was made.
    pub(crate) fn known(data: &'a [u8], (width, height): (u32, u32), layout: Layout, stride: usize) -> Self {
        Self { data, shape: Shape { width, height, layout, stride, order: ChannelOrder::Rgb }, profile: None }
    }

    /// The same bytes, their colours in this order.
    #[must_use]
    pub fn with_order(mut self, order: ChannelOrder) -> Self {
        self.shape.order = order;
        self
    }

    /// The same picture, and what its numbers mean: an ICC profile for RGB, which a file made of it keeps, and into which
    /// [`bg_color`](crate::Options::bg_color) is put. One that cannot be used is passed over.
    #[must_use]
    pub fn with_profile(mut self, profile: &'a [u8]) -> Self {
        self.profile = Some(profile);
        self
    }

    /// The profile that it was given.
    #[must_use]
    pub const fn profile(&self) -> Option<&'a [u8]> {
        self.profile
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.shape.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.shape.height
    }

    /// Which channels a pixel has.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.shape.layout
    }

    /// The rows from the top as they are, each without its padding.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let (data, stride, row) = (self.data, self.shape.stride, self.shape.row());
        (0..self.shape.height as usize).map(move |y| &data[y * stride..y * stride + row])
    }

    /// The pixels, red first, without the padding.
    pub(super) fn copied(&self) -> Vec<u8> {
        let Shape { height, layout, order, .. } = self.shape;
        let mut data = Vec::with_capacity(self.shape.row() * height as usize);
        for row in self.rows() {
            let start = data.len();
            data.extend_from_slice(row);
            reorder(&mut data[start..], layout, order);
        }
        data
    }
}

/// Room for a picture that someone else owns, rows `stride` bytes apart.
#[derive(Debug)]
pub struct PixelViewMut<'a> {
    data: &'a mut [u8],
    shape: Shape,
}

impl<'a> PixelViewMut<'a> {
    /// Takes `data` as room for a picture. The last row may end without its padding.
    ///
    /// # Errors
    /// As [`PixelView::new`].
    pub fn new(data: &'a mut [u8], width: u32, height: u32, layout: Layout, stride: usize) -> Result<Self> {
        let shape = Shape::new(data.len(), (width, height), layout, stride)?;
        Ok(Self { data, shape })
    }

    /// The same room, to be filled in this order.
    #[must_use]
    pub fn with_order(mut self, order: ChannelOrder) -> Self {
        self.shape.order = order;
        self
    }

    /// Width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        (self.shape.width, self.shape.height)
    }

    /// Which channels a pixel has.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.shape.layout
    }

    /// Fills the room with a picture whose colours begin with red.
    pub(super) fn fill(&mut self, picture: &PixelView<'_>) -> Result<()> {
        expect_size(self.size(), (picture.width(), picture.height()))?;
        let (from, to) = (picture.layout(), self.shape.layout);
        expect_channels(to, from)?;
        let (stride, length) = (self.shape.stride, self.shape.row());
        for (y, source) in picture.rows().enumerate() {
            let row = &mut self.data[y * stride..y * stride + length];
            widen(source, from, row, to);
            reorder(row, to, self.shape.order);
        }
        Ok(())
    }
}

/// Checks that a buffer of `length` bytes holds a picture of `size` in pixels,
/// its rows `stride` bytes apart, as [`PixelViewMut::new`] does of a real one.
///
/// # Errors
/// [`Code::BadPixels`].
pub fn check_buffer(length: usize, size: (u32, u32), layout: Layout, stride: usize) -> Result<()> {
    Shape::new(length, size, layout, stride).map(drop)
}

/// Refuses a picture without a single pixel.
pub(crate) fn expect_pixels((width, height): (u32, u32)) -> Result<()> {
    if width > 0 && height > 0 {
        return Ok(());
    }
    Err(bad(format!("A picture has at least one pixel, got: {width}×{height}")))
}

/// Refuses a buffer of another size than the result's.
pub(crate) fn expect_size(buffer: (u32, u32), result: (u32, u32)) -> Result<()> {
    if buffer == result {
        return Ok(());
    }
    let ((have, high), (width, height)) = (buffer, result);
    Err(bad(format!("The result has {width}×{height} pixels, but the buffer has {have}×{high}")))
}

/// Refuses a buffer that lacks a channel of the result.
pub(crate) fn expect_channels(buffer: Layout, result: Layout) -> Result<()> {
    if buffer.bytes() >= result.bytes() {
        return Ok(());
    }
    if buffer == Layout::Gray8 {
        return Err(bad("A grey buffer holds a mask alone: ask for 'mask'".to_owned()));
    }
    Err(bad(format!("The result is {}, but the buffer is {}", result.name(), buffer.name())))
}

/// Copies a row into one of as many channels, or more.
fn widen(source: &[u8], from: Layout, target: &mut [u8], to: Layout) {
    if from == to {
        return target.copy_from_slice(source);
    }
    for (pixel, out) in source.chunks_exact(from.bytes()).zip(target.chunks_exact_mut(to.bytes())) {
        let color = if let &[grey] = pixel { [grey; 3] } else { [pixel[0], pixel[1], pixel[2]] };
        out[..3].copy_from_slice(&color);
        out[3..].fill(255);
    }
}

/// Brings red-first to `order` or `order` to red-first: the same swap.
fn reorder(row: &mut [u8], layout: Layout, order: ChannelOrder) {
    if order == ChannelOrder::Bgr && layout != Layout::Gray8 {
        row.chunks_exact_mut(layout.bytes()).for_each(|pixel| pixel.swap(0, 2));
    }
}

fn bad(message: String) -> Error {
    Problem::with_message(Problem::IMAGE, Code::BadPixels, message).into()
}

pub(crate) fn too_short_or_long(got: usize, need: usize) -> Error {
    bad(format!("The pixel buffer has {got} bytes, but the picture needs {need}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Pixels;

    #[test]
    fn blue_first_is_read_and_written_with_red_and_blue_exchanged() {
        let bgra = [3, 2, 1, 4, 0, 0, 7, 6, 5, 8];
        let view = PixelView::new(&bgra, 1, 2, Layout::Rgba8, 6).expect("it fits").with_order(ChannelOrder::Bgr);
        let pixels = view.to_pixels();
        assert_eq!(pixels.data(), [1, 2, 3, 4, 5, 6, 7, 8]);
        let mut room = [9; 10];
        let target = PixelViewMut::new(&mut room, 1, 2, Layout::Rgba8, 6).expect("it fits");
        target.with_order(ChannelOrder::Bgr).copy_from(&pixels).expect("same size and channels");
        assert_eq!(room, [3, 2, 1, 4, 9, 9, 7, 6, 5, 8], "the bytes between the rows stay");
    }

    #[test]
    fn channels_are_added_but_never_dropped() {
        let filled = |layout, data: &[u8]| {
            let mut room = [0; 4];
            let mut target = PixelViewMut::new(&mut room, 1, 1, layout, 4).expect("it fits");
            let from =
                [Layout::Gray8, Layout::Rgb8, Layout::Rgba8][[1, 3, 4].binary_search(&data.len()).expect("1, 3, 4")];
            target.copy_from(&Pixels::known(1, 1, from, data.to_vec())).map(|()| room)
        };
        assert_eq!(filled(Layout::Rgba8, &[7]).expect("wider"), [7, 7, 7, 255]);
        assert_eq!(filled(Layout::Rgba8, &[1, 2, 3]).expect("wider"), [1, 2, 3, 255]);
        assert_eq!(filled(Layout::Rgb8, &[7]).expect("wider"), [7, 7, 7, 0]);
        let error = filled(Layout::Gray8, &[1, 2, 3, 4]).expect_err("a channel would be lost");
        assert_eq!(error.message(), "A grey buffer holds a mask alone: ask for 'mask'");
        let error = filled(Layout::Rgb8, &[1, 2, 3, 4]).expect_err("a channel would be lost");
        assert_eq!(error.message(), "The result is RGBA, but the buffer is RGB");
    }

    #[test]
    fn another_size_is_refused_and_nothing_written() {
        let mut room = [9; 8];
        let mut target = PixelViewMut::new(&mut room, 2, 1, Layout::Rgba8, 8).expect("it fits");
        let error = target.copy_from(&Pixels::filled(1, 2, Layout::Rgba8, 0)).expect_err("another size");
        assert_eq!(error.message(), "The result has 1×2 pixels, but the buffer has 2×1");
        assert_eq!(room, [9; 8]);
    }
}
