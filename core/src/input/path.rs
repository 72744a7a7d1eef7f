//! Pictures on disk.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::Stoppable;
use super::collector::check_length;
use super::name::{check_name, suffix};
use crate::codec::limits::Limits;
use crate::error::{Code, Error, Problem, Result};
use crate::exec::control::Control;

/// Reads a regular file; a `named` one must have the name of a picture.
///
/// # Errors
/// [`Code::NoFileSelected`], [`Code::FileType`], [`Code::FileTooLarge`],
/// [`Code::CannotRead`].
pub(super) fn read(path: &Path, named: bool, limits: &Limits, control: &Control<'_>) -> Result<Vec<u8>> {
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
    if named && !suffix(&name).is_empty() {
        check_name(&name)?;
    }
    let found = found.map_err(|error| cannot_read_because(path, error))?;
    if named {
        check_name(&name)?;
    }
    // A pipe may never end and a device may never begin: neither is opened.
    if !found.is_file() {
        return Err(cannot_read(path, "not a regular file"));
    }
    let file = File::open(path).map_err(|error| cannot_read_because(path, error))?;
    let read = read_unchanged(path, &file, Stoppable { reader: &file, control }, limits);
    control.check().and(read)
}

/// Reads through `reader`, which reads `file`, what is there now. A file that
/// changes meanwhile is refused: half of it would be one picture, half another.
/// Unnoticed goes what keeps the length and follows the last change before the
/// reading within one tick of the clock.
fn read_unchanged(path: &Path, file: &File, reader: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let broken = |error| cannot_read_because(path, error);
    // Of the open file: the path may name another one by now, which is as good.
    let before = file.metadata().map_err(broken)?;
    let length = before.len();
    check_length(length, limits)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // One more than expected shows that it grew, and a file that never ends, ends.
    reader.take(length.saturating_add(1)).read_to_end(&mut bytes).map_err(broken)?;
    let after = file.metadata().map_err(broken)?;
    if bytes.len() as u64 == length && after.len() == length && modified(&before) == modified(&after) {
        return Ok(bytes);
    }
    Err(cannot_read(path, "it changed while it was read"))
}

/// None where the system keeps no such time.
fn modified(metadata: &Metadata) -> Option<std::time::SystemTime> {
    metadata.modified().ok()
}

fn cannot_read(path: &Path, why: &str) -> Error {
    Error::with_message(Code::CannotRead, format!("Cannot read '{}': {why}", path.display()))
}

fn cannot_read_because(path: &Path, error: io::Error) -> Error {
    cannot_read(path, &error.to_string()).because(error)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Reads two bytes, then lets something happen, then reads on.
    struct Meddled<'a, F> {
        file: &'a File,
        meddle: Option<F>,
        begun: bool,
    }

    impl<F: FnOnce()> Read for Meddled<'_, F> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            if !self.begun {
                self.begun = true;
                let most = room.len().min(2);
                return self.file.read(&mut room[..most]);
            }
            self.meddle.take().into_iter().for_each(|meddle| meddle());
            self.file.read(room)
        }
    }

    /// What is read of a file of eight bytes that were written an hour ago, with
    /// a second handle on it between two reads.
    fn read_while(meddle: impl FnOnce(&mut File)) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("photo.png");
        fs::write(&path, b"abcdefgh").expect("written");
        let mut other = File::options().write(true).open(&path).expect("opened");
        other.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("its time is set");
        let file = File::open(&path).expect("opened");
        let reader = Meddled { file: &file, meddle: Some(|| meddle(&mut other)), begun: false };
        read_unchanged(Path::new("photo.png"), &file, reader, &Limits::default())
    }

    #[test]
    fn a_file_that_is_left_alone_is_read_whole() {
        assert_eq!(read_while(|_| ()).expect("nothing happens"), b"abcdefgh");
    }

    type Change = (&'static str, fn(&mut File));

    #[test]
    fn a_file_that_grows_shrinks_or_is_rewritten_while_it_is_read_is_told() {
        let rewritten = |file: &mut File| {
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(b"ABCDEFGH")).expect("rewritten");
        };
        let changes: [Change; 6] = [
            ("grows", |file| file.set_len(9).expect("it grows")),
            ("grows by far", |file| file.set_len(1 << 40).expect("it grows")),
            ("shrinks", |file| file.set_len(3).expect("it shrinks")),
            ("is emptied", |file| file.set_len(0).expect("it is emptied")),
            ("is overwritten", |file| file.write_all(b"ABCDEFGH").expect("it is overwritten")),
            ("is rewritten", rewritten),
        ];
        for (what, change) in changes {
            let error = read_while(change).expect_err(what);
            assert_eq!(error.code(), Code::CannotRead, "{what}");
            assert_eq!(error.message(), "Cannot read 'photo.png': it changed while it was read", "{what}");
        }
    }

    #[test]
    fn a_path_that_names_another_file_meanwhile_gives_the_one_that_was_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, new) = (folder.path().join("photo.png"), folder.path().join("new.png"));
        fs::write(&path, b"old").and_then(|()| fs::write(&new, b"another")).expect("written");
        let file = File::open(&path).expect("opened");
        let replace = || fs::rename(&new, &path).expect("replaced");
        let reader = Meddled { file: &file, meddle: Some(replace), begun: false };
        assert_eq!(read_unchanged(&path, &file, reader, &Limits::default()).expect("read"), b"old");
        assert_eq!(read(&path, false, &Limits::default(), &Control::default()).expect("read"), b"another");
    }
}
