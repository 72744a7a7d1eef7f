//! A WebP encoder over libwebp: safe to call, can be followed and cancelled,
//! and keeps an ICC profile.
//!
//! ```
//! use remrembg_webp::{Encoder, Layout, Picture};
//!
//! let red = [255, 0, 0, 255].repeat(4);
//! let picture = Picture { data: &red, width: 2, height: 2, stride: 8, layout: Layout::Rgba };
//! let webp = Encoder::default().encode(&picture, None, &mut |_percent| true)?;
//! assert!(webp.starts_with(b"RIFF"));
//! # Ok::<(), remrembg_webp::Error>(())
//! ```
//!
//! Every call stands alone: an [`Encoder`] is plain data, and any number of
//! threads may encode at once.

mod alpha;
mod container;
mod encode;
mod side;

use std::fmt;

/// The longest side that the format can hold, in pixels.
pub const MAX_SIDE: u32 = 16_383;

/// How to encode. The default suits photos: lossy, with exact alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoder {
    /// Lossy: how true the colours are, 0 ..= 100. Lossless: how much time to
    /// spend, 0 ..= 100. Default: 80.
    pub quality: f32,
    /// Time against size, 0 (fast) ..= 6 (small). Default: 4.
    pub method: u8,
    /// How true the alpha is, 0 ..= 100; 100 is exact. Default: 100.
    pub alpha_quality: u8,
    /// Whether every visible colour is kept exactly. Default: false.
    pub lossless: bool,
    /// Whether colours under fully transparent pixels are kept. Default: false.
    pub exact: bool,
    /// Whether other threads may be used beside this one: for the alpha, and for a part of the colours. Default: true.
    pub threads: bool,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { quality: 80.0, method: 4, alpha_quality: 100, lossless: false, exact: false, threads: true }
    }
}

/// The channels of a pixel, 8 bits each, in memory order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and straight alpha.
    Rgba,
}

impl Layout {
    const fn bytes(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A borrowed picture, rows from the top.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// The pixels; the last row may end without its padding.
    pub data: &'a [u8],
    /// Width in pixels, 1 ..= [`MAX_SIDE`].
    pub width: u32,
    /// Height in pixels, 1 ..= [`MAX_SIDE`].
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// What the bytes of a pixel mean.
    pub layout: Layout,
}

impl Picture<'_> {
    fn check(&self) -> Result<(), Error> {
        if self.width > MAX_SIDE || self.height > MAX_SIDE {
            return Err(Error::TooLarge { width: self.width, height: self.height });
        }
        let row = self.width as usize * self.layout.bytes();
        let need = (self.height as usize).checked_sub(1).and_then(|rows| rows.checked_mul(self.stride));
        let fits = need.and_then(|n| n.checked_add(row)).is_some_and(|n| n <= self.data.len());
        if row == 0 || self.stride < row || i32::try_from(self.stride).is_err() || !fits {
            return Err(Error::BadPicture);
        }
        Ok(())
    }
}

/// Why there is no WebP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A side is zero, or the data or the stride are too short.
    BadPicture,
    /// A side is longer than [`MAX_SIDE`].
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A field of [`Encoder`] is outside its range.
    BadSettings,
    /// The progress function answered `false`.
    Cancelled,
    /// There was not enough memory.
    OutOfMemory,
    /// The file would be larger than the format allows (4 GiB).
    FileTooBig,
    /// libwebp failed in a way that it does not do for checked pictures; its
    /// `WebPEncodingError`.
    Encoder(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPicture => f.write_str("the buffer does not hold the picture"),
            Self::TooLarge { width, height } => {
                write!(f, "WebP holds at most {MAX_SIDE}×{MAX_SIDE} pixels, got: {width}×{height}")
            }
            Self::BadSettings => f.write_str("a setting of the WebP encoder is outside its range"),
            Self::Cancelled => f.write_str("the WebP encoder was cancelled"),
            Self::OutOfMemory => f.write_str("not enough memory for the WebP encoder"),
            Self::FileTooBig => f.write_str("the WebP file would exceed 4 GiB"),
            Self::Encoder(code) => write!(f, "the WebP encoder failed with code {code}"),
        }
    }
}

impl std::error::Error for Error {}

impl Encoder {
    /// Encodes one picture.
    ///
    /// `progress` is called on this thread with the percentage done, 0 ..= 100,
    /// now and then; answering `false` stops the work. A panic inside it ends
    /// the encoding and goes on from here.
    ///
    /// # Errors
    /// [`Error`], each case as its name says.
    pub fn encode(
        &self,
        picture: &Picture<'_>,
        icc: Option<&[u8]>,
        progress: &mut dyn FnMut(u8) -> bool,
    ) -> Result<Vec<u8>, Error> {
        picture.check()?;
        let (webp, alpha) = if self.has_alpha_apart(picture) {
            let colors = || encode::encode(self, picture, true, progress);
            let (alpha, webp) = side::beside(self.threads, || alpha::payload(picture), colors);
            (webp?, alpha?)
        } else {
            (encode::encode(self, picture, false, progress)?, None)
        };
        let icc = icc.filter(|icc| !icc.is_empty());
        container::with_chunks(webp, icc, alpha.as_deref(), picture.width, picture.height).ok_or(Error::FileTooBig)
    }

    /// Whether the alpha is exact beside colours that are not.
    fn has_alpha_apart(&self, picture: &Picture<'_>) -> bool {
        picture.layout == Layout::Rgba && !self.lossless && self.alpha_quality == 100
    }
}
