//! File names: which are those of a picture.

use std::path::Path;

use crate::error::{Code, Problem, Result};

/// The suffixes that an upload's name may have, as the message lists them.
const SUFFIXES: [&str; 5] = ["webp", "bmp", "png", "jpg", "jpeg"];

/// Whether a file's name is that of a picture, as [`Input::NamedPath`](crate::Input::NamedPath)
/// asks of it. Whether there is such a file, and what it holds, is not looked at.
#[must_use]
pub fn is_picture_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_allowed(&suffix(&name.to_string_lossy()).to_lowercase()))
}

fn is_allowed(suffix: &str) -> bool {
    suffix.strip_prefix('.').is_some_and(|plain| SUFFIXES.contains(&plain))
}

/// # Errors
/// [`Code::NoFileSelected`] for no name, [`Code::FileType`].
pub(super) fn check_name(name: &str) -> Result<()> {
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
pub(super) fn suffix(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or_default();
    let plain = last.trim_start_matches('.');
    plain.rfind('.').map_or("", |dot| &plain[dot..])
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
}
