//! Writing a result: beside its place, then renamed into it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The beginning of the names of files that are not whole yet. The dot hides
/// them, from people and from the search for pictures.
const PREFIX: &str = ".remrembg-";

/// Makes `data` the content of `path`, whole or not at all. Folders that are
/// missing are made; a link is followed; a device or a pipe is written into.
///
/// # Errors
/// Of kind [`AlreadyExists`](io::ErrorKind::AlreadyExists) where there is a file that must not be replaced.
pub(crate) fn save(path: &Path, data: &[u8], may_replace: bool) -> io::Result<()> {
    let path = followed(path);
    let former = fs::metadata(&path).ok();
    // A link that stays is one that leads to a file without a name, such as /dev/fd/3 may be.
    let has_no_name = former.is_some() && is_link(&path);
    if has_no_name || former.as_ref().is_some_and(|data| !data.is_file() && !data.is_dir()) {
        return OpenOptions::new().write(true).truncate(true).open(&path)?.write_all(data);
    }
    let folder = folder_of(&path);
    fs::create_dir_all(folder)?;
    let mut file = create_beside(folder)?;
    file.as_file_mut().write_all(data)?;
    settle(file.as_file())?;
    keep_permissions(file.as_file(), former);
    if may_replace {
        file.persist(&path)?
    } else {
        file.persist_noclobber(&path)?
    };
    Ok(())
}

/// Makes the name of a result outlast a power cut: until then, only its content does.
#[cfg(unix)]
pub(crate) fn settle_name(path: &Path) -> io::Result<()> {
    let path = followed(path);
    match File::open(folder_of(&path)) {
        // One may be written to by those who may not read it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        folder => settle(&folder?),
    }
}

#[cfg(not(unix))]
pub(crate) fn settle_name(_: &Path) -> io::Result<()> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Who may read a file may read what takes its place, and nobody else.
#[cfg(unix)]
fn keep_permissions(file: &File, former: Option<fs::Metadata>) {
    // Some file systems have none.
    let _ = former.map(|former| file.set_permissions(former.permissions()));
}

#[cfg(not(unix))]
fn keep_permissions(_: &File, _: Option<fs::Metadata>) {}

fn create_beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    // Temporary files are their owner's alone; a result is as readable as any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Where a link leads; a name that is no link, or leads nowhere, stays.
fn followed(path: &Path) -> PathBuf {
    if is_link(path) { fs::canonicalize(path).unwrap_or_else(|_| path.into()) } else { path.into() }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Without this, a power cut may leave the new name with no content.
fn settle(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Some network and user-space file systems have no such call.
        Err(error) if error.kind() == io::ErrorKind::Unsupported || error.kind() == io::ErrorKind::InvalidInput => {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_replaced_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("result.png");
        save(&path, b"first", false).expect("there is nothing yet");
        let refused = save(&path, b"second", false).expect_err("there is something");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("it is there"), b"first");
        save(&path, b"second", true).expect("it may be replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"second");
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1, "nothing else is left");
    }
}
