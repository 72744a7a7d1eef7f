//! What a removal takes, and every check that comes before decoding.
//!
//! Knows paths, streams, bytes and names. Knows nothing of options or of what is made of the picture.

mod collector;
mod name;
mod path;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use crate::codec::decode::{self, Decoded, Grey, Header};
use crate::codec::limits::Limits;
use crate::error::{Code, Problem, Result};
use crate::exec::control::{Control, Stage};
use crate::image::pixels::Orientation;
use crate::image::views::{self, PixelView};
pub use collector::{Collector, read_bounded};
use name::check_name;
pub use name::is_picture_name;

/// A picture as a caller hands it over.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The request has none.
    Missing,
    /// An encoded file: WebP, BMP, PNG or JPEG, told apart by its bytes; GIF and TIFF where
    /// [`Limits::more_formats`] is set.
    Bytes(&'a [u8]),
    /// An encoded file from a form, with the file name that came along. The
    /// name's suffix must be one that is allowed; it does not tell the format.
    Upload {
        /// The file name, empty when no file was selected.
        name: &'a str,
        /// The file.
        bytes: &'a [u8],
    },
    /// A regular file on disk, whatever its name. It is read whole, and refused when it changes meanwhile.
    Path(&'a Path),
    /// The same where it stands in for an upload: its name is held to the rule for those.
    NamedPath(&'a Path),
    /// An encoded file that is read to its end when the job runs, before the job
    /// waits for its turn, with the file name that came along, where one did.
    /// A cancellation is heard between two reads.
    Stream(Option<&'a str>, Stream<'a>),
    /// An encoded file that arrived in pieces.
    Collected(&'a Collector),
    /// A decoded picture.
    Pixels(PixelView<'a>),
}

/// A reader that an [`Input`] shares with its owner.
#[derive(Clone, Copy)]
pub struct Stream<'a>(&'a dyn Shared);

impl<'a> Stream<'a> {
    /// Reads from where `reader` stands. No more than [`Limits::max_bytes`] is
    /// stored; what goes on longer is counted as [`read_bounded`] does.
    #[must_use]
    pub fn new<R: Read>(reader: &'a RefCell<R>) -> Self {
        Self(reader)
    }
}

/// Without the reader's type, which would tie an input to its lifetime.
trait Shared {
    fn read_to_end(&self, limits: &Limits, control: &Control<'_>) -> Result<Vec<u8>>;
}

impl<R: Read> Shared for RefCell<R> {
    fn read_to_end(&self, limits: &Limits, control: &Control<'_>) -> Result<Vec<u8>> {
        let read = read_bounded(Stoppable { reader: &mut *self.borrow_mut(), control }, limits);
        // A stop reaches the reading as a failed read, and is no fault of the stream.
        control.check().and(read)
    }
}

/// A reader that fails once a stop was asked for.
struct Stoppable<'a, R> {
    reader: R,
    control: &'a Control<'a>,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.control.check().map_err(io::Error::other)?;
        self.reader.read(room)
    }
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Input<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Path> for Input<'a> {
    fn from(path: &'a Path) -> Self {
        Self::Path(path)
    }
}

impl<'a> From<&'a Collector> for Input<'a> {
    fn from(collector: &'a Collector) -> Self {
        Self::Collected(collector)
    }
}

impl<'a> From<PixelView<'a>> for Input<'a> {
    fn from(view: PixelView<'a>) -> Self {
        Self::Pixels(view)
    }
}

/// An input that passed every check that its name, size and header allow.
#[derive(Debug)]
pub(crate) enum Checked<'a> {
    /// A file whose header is within the limits.
    Encoded(Cow<'a, [u8]>, Header),
    /// A decoded picture within the limits.
    Pixels(PixelView<'a>),
}

/// Reads no more than the header: gives width and height as stored, before the
/// EXIF orientation.
///
/// # Errors
/// The first of these that holds, as one [`Problem`] with the field `image`:
/// [`Code::NoImage`], [`Code::NoFileSelected`], [`Code::FileType`],
/// [`Code::EmptyFile`], [`Code::FileTooLarge`], [`Code::CorruptImage`],
/// [`Code::ImageTooWide`], [`Code::ImageTooTall`], [`Code::TooMuchMemory`].
/// [`Code::CannotRead`] when a path is not a regular file, cannot be read, or
/// changes while it is.
pub fn check_input<'a>(input: impl Into<Input<'a>>, limits: &Limits) -> Result<(u32, u32)> {
    Ok(match check(input.into(), limits, &Control::default())? {
        Checked::Encoded(_, header) => (header.width, header.height),
        Checked::Pixels(view) => (view.width(), view.height()),
    })
}

/// Checks the size of a picture that is still to come, in pixels.
///
/// # Errors
/// [`Code::BadPixels`] for a side of zero, [`Code::ImageTooWide`], [`Code::ImageTooTall`].
pub fn check_size(size: (u32, u32), limits: &Limits) -> Result<()> {
    views::expect_pixels(size)?;
    Ok(decode::check_sides(size, limits)?)
}

/// Decodes as a removal does, and stops there: the first frame, as stored.
///
/// # Errors
/// Those of [`check_input`]; [`Code::CorruptImage`] for data that breaks behind
/// a good header; [`Code::Cancelled`].
pub fn decode_input<'a>(input: impl Into<Input<'a>>, limits: &Limits, control: &Control<'_>) -> Result<Decoded> {
    let input = check(input.into(), limits, control)?;
    control.report(Stage::Decode, 0.0)?;
    let decoded = input.decode(Grey::Brightness, limits, control)?;
    control.report(Stage::Decode, 1.0)?;
    Ok(decoded)
}

impl Checked<'_> {
    /// The picture as stored.
    pub(crate) fn decode(&self, grey: Grey, limits: &Limits, control: &Control<'_>) -> Result<Decoded> {
        match self {
            Self::Encoded(bytes, header) => decode::decode(bytes, header, grey, limits, control),
            Self::Pixels(view) => {
                let pixels = view.to_pixels().into_color();
                let icc = view.profile().filter(|profile| decode::fits_rgb(profile)).map(<[u8]>::to_vec);
                Ok(Decoded { pixels, orientation: Orientation::Normal, icc })
            }
        }
    }
}

/// Every check that comes before decoding, in the contract's order.
pub(crate) fn check<'a>(input: Input<'a>, limits: &Limits, control: &Control<'_>) -> Result<Checked<'a>> {
    match input {
        Input::Missing => Err(Problem::new(Problem::IMAGE, Code::NoImage).into()),
        Input::Bytes(bytes) => check_bytes(Cow::Borrowed(bytes), limits),
        Input::Upload { name, bytes } => {
            check_name(name)?;
            check_bytes(Cow::Borrowed(bytes), limits)
        }
        Input::Stream(name, Stream(reader)) => {
            name.map_or(Ok(()), check_name)?;
            check_bytes(Cow::Owned(reader.read_to_end(limits, control)?), limits)
        }
        Input::Collected(collector) => {
            collector.name().map_or(Ok(()), check_name)?;
            check_bytes(Cow::Borrowed(collector.bytes(limits)?), limits)
        }
        Input::Path(path) => check_bytes(Cow::Owned(path::read(path, false, limits, control)?), limits),
        Input::NamedPath(path) => check_bytes(Cow::Owned(path::read(path, true, limits, control)?), limits),
        Input::Pixels(view) => {
            decode::check_sides((view.width(), view.height()), limits)?;
            Ok(Checked::Pixels(view))
        }
    }
}

fn check_bytes<'a>(bytes: Cow<'a, [u8]>, limits: &Limits) -> Result<Checked<'a>> {
    if bytes.is_empty() {
        return Err(Problem::new(Problem::IMAGE, Code::EmptyFile).into());
    }
    collector::check_length(bytes.len() as u64, limits)?;
    let header = decode::read_header(&bytes, limits)?;
    Ok(Checked::Encoded(bytes, header))
}
