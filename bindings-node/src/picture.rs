//! Pictures on their way in: JavaScript pushes them piece by piece into memory
//! that is ours, so that no change of its own memory is seen while we read.

use std::mem;
use std::path::PathBuf;

use napi_derive::napi;
use remrembg::{Collector, Input, Layout, Limits, PixelView};

/// A picture that waits to be removed.
#[napi]
pub struct Picture(Held);

/// A picture that core can borrow.
///
/// Pixels have a layout, or none for grey and alpha, which core does not know.
pub(crate) enum Held {
    Nothing,
    Path(PathBuf),
    Pieces(Collector),
    Pixels { data: Vec<u8>, room: usize, width: u32, height: u32, layout: Option<Layout>, stride: usize },
}

#[napi]
impl Picture {
    /// No picture at all.
    #[napi(factory)]
    pub fn missing() -> Self {
        Self(Held::Nothing)
    }

    /// A file that core reads.
    #[napi(factory)]
    pub fn path(path: String) -> Self {
        Self(Held::Path(path.into()))
    }

    /// A file that is pushed, the name that it has as an upload, and its size
    /// where that is known.
    #[napi(factory)]
    pub fn pieces(name: Option<String>, max_bytes: f64, size: Option<f64>) -> Self {
        let mut limits = Limits::default();
        limits.max_bytes = max_bytes as u64;
        let mut collector = Collector::new(name, &limits);
        collector.expect(size.unwrap_or(0.0) as u64);
        Self(Held::Pieces(collector))
    }

    /// Rows of pixels that are pushed: 1 channel is grey, 2 grey and alpha, 3 RGB,
    /// 4 RGBA; alpha is straight. `length` bytes of them are there.
    #[napi(factory)]
    pub fn pixels(width: u32, height: u32, channels: u8, stride: f64, length: f64) -> Self {
        let (layout, stride) = (layout(channels), stride as usize);
        let row = width as usize * usize::from(channels);
        let needed = (height as usize).saturating_sub(1).saturating_mul(stride).saturating_add(row);
        let mut data = Vec::new();
        // Without the memory nothing is taken, and too few pixels are an error later.
        let room = needed.min(length as usize);
        let room = data.try_reserve_exact(room).map_or(0, |()| room);
        Self(Held::Pixels { data, room, width, height, layout, stride })
    }

    /// Takes a piece. Answers whether more is wanted.
    #[napi]
    pub fn push(&mut self, piece: &[u8]) -> bool {
        match &mut self.0 {
            Held::Pieces(collector) => collector.push(piece),
            Held::Pixels { data, room, .. } => {
                let wanted = piece.len().min(*room - data.len());
                data.extend_from_slice(&piece[..wanted]);
                data.len() < *room
            }
            Held::Nothing | Held::Path(_) => false,
        }
    }

    /// Gives its memory back.
    #[napi]
    pub fn discard(&mut self) {
        drop(self.take());
    }
}

impl Picture {
    /// Hands it over, and leaves nothing.
    pub(crate) fn take(&mut self) -> Held {
        mem::replace(&mut self.0, Held::Nothing)
    }
}

/// Grey and alpha as RGBA, without gaps between rows.
fn expanded(data: &[u8], row: usize, stride: usize) -> Vec<u8> {
    let pairs = data.chunks(stride).flat_map(|line| line[..row].as_chunks::<2>().0);
    pairs.flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()
}

impl Held {
    /// With a layout that core knows.
    ///
    /// # Errors
    /// [`BadPixels`](remrembg::Code::BadPixels).
    pub(crate) fn known(self) -> remrembg::Result<Self> {
        let Self::Pixels { data, width, height, layout: None, stride, .. } = self else { return Ok(self) };
        // As many bytes as grey pixels, twice as many of them.
        PixelView::new(&data, width.saturating_mul(2), height, Layout::Gray8, stride)?;
        let row = width as usize * 2;
        let (data, layout, stride) = (expanded(&data, row, stride), Some(Layout::Rgba8), row * 2);
        Ok(Self::Pixels { data, room: 0, width, height, layout, stride })
    }

    /// As core takes it.
    ///
    /// # Errors
    /// [`BadPixels`](remrembg::Code::BadPixels).
    pub(crate) fn input(&self) -> remrembg::Result<Input<'_>> {
        Ok(match self {
            Self::Nothing => Input::Missing,
            Self::Path(path) => Input::Path(path),
            Self::Pieces(collector) => Input::Collected(collector),
            Self::Pixels { data, width, height, layout, stride, .. } => {
                Input::Pixels(PixelView::new(data, *width, *height, layout.unwrap_or(Layout::Rgba8), *stride)?)
            }
        })
    }
}

const fn layout(channels: u8) -> Option<Layout> {
    match channels {
        1 => Some(Layout::Gray8),
        2 => None,
        3 => Some(Layout::Rgb8),
        _ => Some(Layout::Rgba8),
    }
}
