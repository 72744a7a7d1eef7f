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

    /// A file that is pushed, and the name that it has as an upload.
    #[napi(factory)]
    pub fn pieces(name: Option<String>, max_bytes: f64) -> Self {
        let mut limits = Limits::default();
        limits.max_bytes = max_bytes as u64;
        Self(Held::Pieces(Collector::new(name, &limits)))
    }

    /// Rows of pixels that are pushed: 1 channel is grey, 2 grey and alpha, 3 RGB,
    /// 4 RGBA; alpha is straight.
    #[napi(factory)]
    pub fn pixels(width: u32, height: u32, channels: u8, stride: u32) -> Self {
        let (layout, stride) = (layout(channels), stride as usize);
        let row = width as usize * usize::from(channels);
        let room = (height as usize).saturating_sub(1).saturating_mul(stride).saturating_add(row);
        Self(Held::Pixels { data: Vec::new(), room, width, height, layout, stride })
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
}

impl Picture {
    /// Hands it over, and leaves nothing.
    pub(crate) fn take(&mut self) -> Held {
        mem::replace(&mut self.0, Held::Nothing)
    }
}

/// Grey and alpha as RGBA, gaps between rows included.
fn expanded(data: &[u8]) -> Vec<u8> {
    let (pairs, _) = data.as_chunks::<2>();
    pairs.iter().flat_map(|&[grey, alpha]| [grey, grey, grey, alpha]).collect()
}

impl Held {
    /// With a layout that core knows.
    pub(crate) fn known(self) -> Self {
        match self {
            Self::Pixels { data, width, height, layout: None, stride, .. } => Self::Pixels {
                data: expanded(&data),
                room: 0,
                width,
                height,
                layout: Some(Layout::Rgba8),
                stride: stride * 2,
            },
            other => other,
        }
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
