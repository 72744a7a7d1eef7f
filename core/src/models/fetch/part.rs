//! The file that a download grows in, `NAME.onnx.part`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};
use crate::models::{ModelSpec, checksum};

/// A part file that nobody else writes to while this lives.
pub(super) struct Part {
    file: File,
    len: u64,
    etag: Option<String>,
    /// Whether some bytes were there before.
    is_gone_on: bool,
    paths: Paths,
    /// Held, not read: closing it lets the next one in. The file stays, as
    /// deleting it would let two processes hold locks of the same name.
    _lock: File,
}

struct Paths {
    model: PathBuf,
    part: PathBuf,
    etag: PathBuf,
}

impl Part {
    /// Opens the part file beside `model`, with what an earlier attempt left in
    /// it. Calls `wait` (with `true` the first time) as long as someone else has it.
    pub(super) fn open(model: PathBuf, wait: &mut dyn FnMut(bool) -> Result<()>) -> Result<Self> {
        let beside = |suffix: &str| model.with_added_extension(suffix);
        let paths = Paths { part: beside("part"), etag: beside("part.etag"), model: model.clone() };
        let folder = folder(&model);
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
        let lock = lock(&beside("lock"), wait)?;
        let file = open(&paths.part).map_err(|error| cannot_write(&paths.part, error))?;
        let len = file.metadata().map_err(|error| cannot_write(&paths.part, error))?.len();
        let etag = fs::read_to_string(&paths.etag).ok().filter(|etag| !etag.contains(char::is_control));
        Ok(Self { file, len, etag, is_gone_on: len > 0, paths, _lock: lock })
    }

    /// Bytes in the file.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// What the server called the state of the file that these bytes are of.
    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Whether its bytes may be of several answers.
    pub(super) const fn is_of_several(&self) -> bool {
        self.is_gone_on
    }

    /// Takes the bytes of another answer behind those that are there.
    pub(super) const fn go_on(&mut self) {
        self.is_gone_on = true;
    }

    /// Begins at the first byte again, of a file that the server calls `etag`.
    pub(super) fn restart(&mut self, etag: Option<&str>) -> Result<()> {
        if self.len > 0 {
            self.file.set_len(0).map_err(|error| cannot_write(&self.paths.part, error))?;
            self.len = 0;
        }
        self.is_gone_on = false;
        self.etag = etag.map(str::to_owned);
        let kept = match etag {
            Some(etag) => fs::write(&self.paths.etag, etag),
            None => remove(&self.paths.etag),
        };
        kept.map_err(|error| cannot_write(&self.paths.etag, error))
    }

    /// Adds bytes at the end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(bytes));
        written.map_err(|error| cannot_write(&self.paths.part, error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// How the file differs from the published one, read back from the disk.
    pub(super) fn difference(&mut self, spec: &ModelSpec) -> Result<Option<String>> {
        checksum::difference(&mut self.file, spec).map_err(|error| {
            let message = format!("Cannot read {}: {error}", self.paths.part.display());
            Error::with_message(Code::CannotRead, message).because(error)
        })
    }

    /// Gives the file its final name, so that a crash leaves it whole or absent.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let Paths { model, part, .. } = &self.paths;
        let named = self.file.sync_all().and_then(|()| fs::rename(part, model)).and_then(|()| sync_folder(model));
        named.map_err(|error| cannot_write(model, error))?;
        remove(&self.paths.etag).map_err(|error| cannot_write(&self.paths.etag, error))?;
        Ok(model.clone())
    }

    /// Deletes the file.
    pub(super) fn discard(self) -> Result<()> {
        [&self.paths.part, &self.paths.etag]
            .into_iter()
            .try_for_each(|path| remove(path).map_err(|error| cannot_write(path, error)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.len == 0 {
            // Nothing to go on from; an empty file left behind harms nobody either.
            let _ = remove(&self.paths.part).and_then(|()| remove(&self.paths.etag));
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn lock(path: &Path, wait: &mut dyn FnMut(bool) -> Result<()>) -> Result<File> {
    let file = open(path).map_err(|error| cannot_write(path, error))?;
    let mut first = true;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => wait(std::mem::take(&mut first))?,
            Err(TryLockError::Error(error)) => return Err(cannot_write(path, error)),
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A rename is on the disk once its folder is; only Unix opens folders.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let path = path.display();
    let message = match error.kind() {
        StorageFull => format!("Cannot write {path}: the disk is full"),
        QuotaExceeded | FileTooLarge => format!("Cannot write {path}: no more may be written there ({error})"),
        _ => format!("Cannot write {path}: {error}"),
    };
    Error::with_message(Code::CannotWrite, message).because(error)
}
