//! Pictures on disk.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::collector::check_length;
use super::name::{check_name, suffix};
use crate::error::{Code, Error, Problem, Result};
use crate::limits::Limits;

/// Reads a regular file.
///
/// # Errors
/// [`Code::NoFileSelected`], [`Code::FileType`], [`Code::FileTooLarge`],
/// [`Code::CannotRead`].
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    if path.as_os_str().is_empty() {
        return Err(Problem::new(Problem::IMAGE, Code::NoFileSelected).into());
    }
    let found = fs::metadata(path);
    if found.as_ref().is_ok_and(Metadata::is_dir) {
        return Err(cannot_read(path, "is a directory"));
    }
    // A name without a suffix may be meant for a folder: of one that is not
    // there, that is what has to be told.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !suffix(&name).is_empty() {
        check_name(&name)?;
    }
    let found = found.map_err(|error| cannot_read_because(path, error))?;
    check_name(&name)?;
    // A pipe may never end and a device may never begin: neither is opened.
    if !found.is_file() {
        return Err(cannot_read(path, "not a regular file"));
    }
    check_length(found.len(), limits)?;
    read_regular(path, found.len()).map_err(|error| cannot_read_because(path, error))
}

fn read_regular(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    File::open(path)?.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_read(path: &Path, why: &str) -> Error {
    Error::with_message(Code::CannotRead, format!("Cannot read '{}': {why}", path.display()))
}

fn cannot_read_because(path: &Path, error: io::Error) -> Error {
    cannot_read(path, &error.to_string()).because(error)
}
