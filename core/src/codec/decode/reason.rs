//! Why a file is refused, beside the contract's words, which are the same for all.

use std::error::Error;
use std::io;

use image::ImageError;

use super::jpeg;

/// Files that are told apart by how they begin.
const KINDS: [(usize, &[u8], &str); 22] = [
    (0, b"GIF8", "this is a GIF picture"),
    (0, b"II*\0", "this is a TIFF picture"),
    (0, b"MM\0*", "this is a TIFF picture"),
    (0, b"II+\0", "this is a TIFF picture"),
    (4, b"ftypavi", "this is an AVIF picture"),
    (4, b"ftyphe", "this is a HEIC picture"),
    (4, b"ftypmif1", "this is a HEIC or AVIF picture"),
    (4, b"ftypmsf1", "this is a HEIC or AVIF picture"),
    (4, b"ftypcrx", "this is a raw photo of a camera"),
    (4, b"ftypM4A", "this is a sound"),
    (4, b"ftyp", "this is a video"),
    (0, b"\0\0\0\x0cJXL ", "this is a JPEG XL picture"),
    (0, b"\xff\x0a", "this is a JPEG XL picture"),
    (4, b"jP  \r\n", "this is a JPEG 2000 picture"),
    (0, b"\0\0\x01\0", "this is an icon (ICO)"),
    (0, b"8BPS", "this is a Photoshop document"),
    (0, b"qoif", "this is a QOI picture"),
    (0, b"%PDF", "this is a PDF document"),
    (0, b"PK\x03\x04", "this is a ZIP archive"),
    (0, b"\x1f\x8b", "this is compressed by gzip"),
    (0, b"data:", "this is a data URL, not the bytes that it stands for"),
    (0, b"iVBORw0KGgo", "this is base64 text, not the bytes that it stands for"),
];

/// What a file is that is none of the formats that are read, where that can be seen.
pub(super) fn of_other(bytes: &[u8]) -> Option<&'static str> {
    let kind = KINDS.iter().find(|(at, begins, _)| bytes.get(*at..).is_some_and(|bytes| bytes.starts_with(begins)));
    kind.map(|(_, _, what)| *what).or_else(|| text(&bytes[..bytes.len().min(512)]))
}

fn text(start: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(start).trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).to_lowercase();
    let is_text = start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte > 127);
    match () {
        () if !is_text => None,
        () if text.contains("<svg") => Some("this is an SVG drawing"),
        () if text.starts_with("<!doctype html") || text.starts_with("<html") => Some("this is an HTML page"),
        () if text.starts_with("/9j/") => Some("this is base64 text, not the bytes that it stands for"),
        () => Some("this is text"),
    }
}

/// Why a file with a good signature has no header that can be read.
pub(super) const HEADER: &str = "its header is damaged, or the file ends too early";

/// Why a decoder gave up.
pub(super) fn of_failure(error: &ImageError, bytes: &[u8]) -> String {
    if let Some(what) = jpeg::kind_that_is_not_read(bytes) {
        return what.to_owned();
    }
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    let lower = innermost.to_lowercase();
    let is_short = matches!(error, ImageError::IoError(error) if is_short(error))
        || chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).any(is_short);
    let says_so = ["unexpected end", "unexpected eof", "exhausted", "not have enough data", "fill whole buffer"];
    match () {
        () if is_short || says_so.iter().any(|words| lower.contains(words)) => "the file ends too early".to_owned(),
        () if lower.contains("crc") || lower.contains("checksum") || lower.contains("adler") => {
            "a checksum does not fit: the file is damaged".to_owned()
        }
        () => innermost,
    }
}

fn is_short(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// An error and all that lies beneath it.
fn chain(error: &ImageError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_told_by_how_they_begin() {
        for (bytes, what) in [
            (&b"GIF89a\x01\0\x01\0"[..], "this is a GIF picture"),
            (b"\0\0\0\x1cftypheic\0\0\0\0", "this is a HEIC picture"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "this is an AVIF picture"),
            (b"\0\0\0\x1cftypisom\0\0\0\0", "this is a video"),
            (b"MM\0*\0\0\0\x08", "this is a TIFF picture"),
            (b"<?xml version=\"1.0\"?>\n<svg width=\"1\"/>", "this is an SVG drawing"),
            (b"\n<!DOCTYPE html><p>404", "this is an HTML page"),
            (b"/9j/4AAQSkZJRgABAQ", "this is base64 text, not the bytes that it stands for"),
            (b"data:image/png;base64,iVBOR", "this is a data URL, not the bytes that it stands for"),
            (b"not a picture\n", "this is text"),
        ] {
            assert_eq!(of_other(bytes), Some(what), "{bytes:?}");
        }
        assert_eq!(of_other(&[0, 159, 146, 150, 7]), None);
        assert_eq!(of_other(b"G"), Some("this is text"));
    }
}
