//! What a removal takes, and every check that comes before decoding.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::control::{Control, Stage};
use crate::decode::{self, Decoded, Header};
use crate::error::{Code, Error, Problem, Result};
use crate::limits::Limits;
use crate::pixels::Orientation;
use crate::views::{self, PixelView};

/// The suffixes that a path or an upload's name may have, as the message lists them.
const SUFFIXES: [&str; 5] = ["webp", "bmp", "png", "jpg", "jpeg"];

/// A stream is counted up to this many times [`Limits::max_bytes`], so that
/// one without an end comes to an end.
const COUNTED_AT_MOST: u64 = 4;

/// A picture as a caller hands it over.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The request has none.
    Missing,
    /// An encoded file: WebP, BMP, PNG or JPEG, told apart by its bytes.
    Bytes(&'a [u8]),
    /// An encoded file from a form, with the file name that came along. The
    /// name's suffix must be one that is allowed; it does not tell the format.
    Upload {
        /// The file name, empty when no file was selected.
        name: &'a str,
        /// The file.
        bytes: &'a [u8],
    },
    /// A regular file on disk, whose name is held to the same rule.
    Path(&'a Path),
    /// An encoded file that is read when its turn comes, to its end, with the
    /// file name that came along, where one did.
    Stream(Option<&'a str>, Stream<'a>),
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
    fn read_to_end(&self, limits: &Limits) -> Result<Vec<u8>>;
}

impl<R: Read> Shared for RefCell<R> {
    fn read_to_end(&self, limits: &Limits) -> Result<Vec<u8>> {
        read_bounded(&mut *self.borrow_mut(), limits)
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
/// [`Code::CannotRead`] when a path is not a regular file or cannot be read.
pub fn check_input<'a>(input: impl Into<Input<'a>>, limits: &Limits) -> Result<(u32, u32)> {
    Ok(match check(input.into(), limits)? {
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
    let input = check(input.into(), limits)?;
    control.report(Stage::Decode, 0.0)?;
    let decoded = input.decode(limits, control)?;
    control.report(Stage::Decode, 1.0)?;
    Ok(decoded)
}

impl Checked<'_> {
    /// The picture as stored.
    pub(crate) fn decode(&self, limits: &Limits, control: &Control<'_>) -> Result<Decoded> {
        match self {
            Self::Encoded(bytes, header) => decode::decode(bytes, header, limits, control),
            Self::Pixels(view) => {
                let pixels = view.to_pixels().into_color();
                Ok(Decoded { pixels, orientation: Orientation::Normal, icc: None })
            }
        }
    }
}

/// Every check that comes before decoding, in the contract's order.
pub(crate) fn check<'a>(input: Input<'a>, limits: &Limits) -> Result<Checked<'a>> {
    match input {
        Input::Missing => Err(Problem::new(Problem::IMAGE, Code::NoImage).into()),
        Input::Bytes(bytes) => check_bytes(Cow::Borrowed(bytes), limits),
        Input::Upload { name, bytes } => {
            check_name(name)?;
            check_bytes(Cow::Borrowed(bytes), limits)
        }
        Input::Stream(name, Stream(reader)) => {
            name.map_or(Ok(()), check_name)?;
            check_bytes(Cow::Owned(reader.read_to_end(limits)?), limits)
        }
        Input::Path(path) => check_bytes(Cow::Owned(read_path(path, limits)?), limits),
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
    check_length(bytes.len() as u64, limits)?;
    let header = decode::read_header(&bytes, limits)?;
    Ok(Checked::Encoded(bytes, header))
}

fn check_length(size: u64, limits: &Limits) -> Result<()> {
    if size <= limits.max_bytes {
        return Ok(());
    }
    let (size, most) = (Limits::megabytes(size), Limits::megabytes(limits.max_bytes));
    let message = format!("File size ({size:.1} MB) exceeds the maximum allowed size of {most} MB.");
    Err(Problem::with_message(Problem::IMAGE, Code::FileTooLarge, message).into())
}

/// Whether a file's name is that of a picture, as [`Input::Path`] asks of it.
/// Whether there is such a file, and what it holds, is not looked at.
#[must_use]
pub fn is_picture_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_allowed(&suffix(&name.to_string_lossy()).to_lowercase()))
}

fn is_allowed(suffix: &str) -> bool {
    suffix.strip_prefix('.').is_some_and(|plain| SUFFIXES.contains(&plain))
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Problem::new(Problem::IMAGE, Code::NoFileSelected).into());
    }
    let suffix = suffix(name).to_lowercase();
    if is_allowed(&suffix) {
        return Ok(());
    }
    let allowed = SUFFIXES.join(", ");
    let message = format!("File type '{suffix}' is not supported. Allowed formats: {allowed}");
    Err(Problem::with_message(Problem::IMAGE, Code::FileType, message).into())
}

/// The suffix with its dot, as Python's `os.path.splitext` finds it: dots that
/// a name begins with do not start a suffix.
fn suffix(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or_default();
    let plain = last.trim_start_matches('.');
    plain.rfind('.').map_or("", |dot| &plain[dot..])
}

fn read_path(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    if path.as_os_str().is_empty() {
        return Err(Problem::new(Problem::IMAGE, Code::NoFileSelected).into());
    }
    if path.is_dir() {
        return Err(cannot_read(path, "is a directory"));
    }
    // A name without a suffix may be meant for a folder: of one that is not
    // there, that is what has to be told.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !suffix(&name).is_empty() {
        check_name(&name)?;
    }
    let metadata = fs::metadata(path).map_err(|error| cannot_read_because(path, error))?;
    check_name(&name)?;
    // A pipe may never end and a device may never begin: neither is opened.
    if !metadata.is_file() {
        return Err(cannot_read(path, "not a regular file"));
    }
    check_length(metadata.len(), limits)?;
    let file = File::open(path).map_err(|error| cannot_read_because(path, error))?;
    read_stream(file, metadata.len(), limits).map_err(|error| match error {
        Stop::TooLarge(error) => error,
        Stop::Unreadable(error) => cannot_read_because(path, error),
    })
}

/// Reads a whole stream, such as standard input or a request's body, storing
/// no more than [`Limits::max_bytes`]. A longer stream is counted on, without
/// being stored, up to four times that size.
///
/// # Errors
/// [`Code::FileTooLarge`] with the size that was counted; [`Code::CannotRead`].
pub fn read_bounded(reader: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    read_stream(reader, 0, limits).map_err(|error| match error {
        Stop::TooLarge(error) => error,
        Stop::Unreadable(error) => {
            Error::with_message(Code::CannotRead, format!("Cannot read the stream: {error}")).because(error)
        }
    })
}

enum Stop {
    TooLarge(Error),
    Unreadable(io::Error),
}

fn read_stream(mut reader: impl Read, expected: u64, limits: &Limits) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let most = limits.max_bytes.saturating_add(1);
    reader.by_ref().take(most).read_to_end(&mut bytes).map_err(Stop::Unreadable)?;
    let mut size = bytes.len() as u64;
    if size > limits.max_bytes {
        drop(bytes);
        let rest = limits.max_bytes.saturating_mul(COUNTED_AT_MOST - 1);
        size += io::copy(&mut reader.take(rest), &mut io::sink()).map_err(Stop::Unreadable)?;
        return check_length(size, limits).map(|()| Vec::new()).map_err(Stop::TooLarge);
    }
    Ok(bytes)
}

fn cannot_read(path: &Path, why: &str) -> Error {
    Error::with_message(Code::CannotRead, format!("Cannot read '{}': {why}", path.display()))
}

fn cannot_read_because(path: &Path, error: io::Error) -> Error {
    cannot_read(path, &error.to_string()).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_is_what_python_finds() {
        let cases = [
            ("photo.png", ".png"),
            ("archive.tar.GZ", ".GZ"),
            (".jpg", ""),
            ("..jpg", ""),
            (".a.jpg", ".jpg"),
            ("photo", ""),
            ("photo.", "."),
            ("dir.png/photo", ""),
            ("a/.png", ""),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(suffix(name), expected, "{name}");
        }
    }

    #[test]
    fn stream_is_counted_without_being_stored_and_never_for_ever() {
        let limits = Limits { max_bytes: Limits::MB, ..Limits::default() };
        let exact = read_bounded(io::repeat(7).take(Limits::MB), &limits).map(|bytes| bytes.len());
        assert_eq!(exact.ok(), Some(1 << 20));

        let message =
            |size| read_bounded(io::repeat(7).take(size), &limits).expect_err("it is too large").message().to_owned();
        let (longer, endless) = (message(5 * Limits::MB / 2), message(u64::MAX));
        assert_eq!(longer, "File size (2.5 MB) exceeds the maximum allowed size of 1 MB.");
        assert_eq!(endless, "File size (4.0 MB) exceeds the maximum allowed size of 1 MB.");
    }

    #[test]
    fn limits_that_are_no_whole_megabytes_are_told_as_they_are() {
        let limits = Limits { max_bytes: 3 * Limits::MB / 2, ..Limits::default() };
        let error = check_length(2 * Limits::MB, &limits).expect_err("it is too large");
        assert_eq!(error.message(), "File size (2.0 MB) exceeds the maximum allowed size of 1.5 MB.");
    }
}
