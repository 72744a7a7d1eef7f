//! Where weights are on this machine.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::spec::megabytes;
use super::{ModelSpec, checksum, find, folders};
use crate::error::{Code, Error, Result};

/// The folders that hold weights, looked through in this order:
///
/// 1. the offline folder (`REMREMBG_OFFLINE_MODELS`), filled by hand, never written;
/// 2. the folder of fetched weights: `REMREMBG_MODELS`, else `remrembg/models` in
///    `$XDG_CACHE_HOME` or `~/.cache`, in `~/Library/Caches` on macOS, in
///    `%LOCALAPPDATA%` on Windows;
/// 3. rembg's folders, never written, so that its users need not fetch again: `models/NAME` in `U2NET_HOME`,
///    `REMBG_HOME`, `$XDG_DATA_HOME/rembg` or `~/.rembg`, and `U2NET_HOME`, `$XDG_DATA_HOME/.u2net` or `~/.u2net`.
///
/// A file may have the model's name (`silueta.onnx`) or that of rembg's release.
/// Threads and processes may share the folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    fetched: Option<PathBuf>,
    offline: Option<PathBuf>,
    rembg: Option<PathBuf>,
    early_rembg: Option<PathBuf>,
    mirror: Option<String>,
}

impl Store {
    /// The folders that the environment names, and the mirror in
    /// `REMREMBG_MODEL_MIRROR`.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_vars(|key| std::env::var_os(key))
    }

    /// As [`from_env`](Self::from_env), the environment being `lookup`.
    #[must_use]
    pub fn from_vars(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let os = std::env::consts::OS;
        let mirror = lookup("REMREMBG_MODEL_MIRROR").and_then(|text| text.into_string().ok());
        Self {
            fetched: folders::fetched(os, &lookup),
            offline: folders::offline(&lookup),
            rembg: folders::rembg(os, &lookup),
            early_rembg: folders::early_rembg(os, &lookup),
            mirror: mirror.filter(|text| !text.trim().is_empty()),
        }
    }

    /// Only `folder`, for weights to be found in and fetched into.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { fetched: Some(folder.into()), ..Self::default() }
    }

    /// The same with an offline folder, looked into first and never written.
    #[must_use]
    pub fn with_offline(self, folder: impl Into<PathBuf>) -> Self {
        Self { offline: Some(folder.into()), ..self }
    }

    /// The same with a folder of rembg's, looked into last and never written: in `models/NAME` and itself.
    #[must_use]
    pub fn with_rembg(self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { early_rembg: Some(folder.clone()), rembg: Some(folder), ..self }
    }

    /// Where weights are fetched into. It need not exist yet.
    ///
    /// # Errors
    /// [`Code::CannotWrite`] when the environment names no folder and no home.
    pub fn folder(&self) -> Result<&Path> {
        let none = "There is no folder for models: set REMREMBG_MODELS, or HOME";
        self.fetched.as_deref().ok_or_else(|| Error::with_message(Code::CannotWrite, none))
    }

    /// Where `spec` is fetched to, whether or not it is there.
    ///
    /// # Errors
    /// As [`folder`](Self::folder).
    pub fn path(&self, spec: &ModelSpec) -> Result<PathBuf> {
        Ok(self.folder()?.join(spec.local_file()))
    }

    /// The base address to fetch from, where the environment names one.
    #[must_use]
    pub fn mirror(&self) -> Option<&str> {
        self.mirror.as_deref()
    }

    /// Finds the weights of a model of the table by its name.
    ///
    /// Compares the size alone, so that it costs nothing at each start. The checksum is
    /// compared when a file is fetched, and by [`verify`](Self::verify); that of a file in the offline
    /// folder or in one of rembg's by `verify` alone.
    ///
    /// # Errors
    /// [`Code::UnknownModel`]; [`Code::ModelNotFetched`], whose message gives
    /// the command to run; [`Code::ModelDamaged`] when the only files of that
    /// name have another size.
    pub fn locate(&self, name: &str) -> Result<PathBuf> {
        self.locate_spec(find(name)?)
    }

    /// As [`locate`](Self::locate), for a model that need not be in the table.
    ///
    /// # Errors
    /// As [`locate`](Self::locate).
    pub fn locate_spec(&self, spec: &ModelSpec) -> Result<PathBuf> {
        let sizes: Vec<_> = self.candidates(spec).filter_map(|path| Some((size(&path)?, path))).collect();
        match sizes.iter().find(|(size, _)| *size == spec.size).or(sizes.first()) {
            Some((size, path)) if *size == spec.size => Ok(path.clone()),
            Some((size, path)) => {
                let (name, path, right) = (spec.name, path.display(), spec.size);
                let message = format!(
                    "{path} is not the model '{name}': it has {size} bytes instead of {right}. \
                     Fetch it: remrembg models fetch {name}. To run a file of your own, give its path as the model"
                );
                Err(Error::with_message(Code::ModelDamaged, message))
            }
            None => Err(not_fetched(spec)),
        }
    }

    /// Finds the weights and compares their checksums: about a second for 200 MB.
    ///
    /// # Errors
    /// As [`locate`](Self::locate), [`Code::ModelDamaged`] for another checksum
    /// too; [`Code::CannotRead`].
    pub fn verify(&self, spec: &ModelSpec) -> Result<PathBuf> {
        let path = self.locate_spec(spec)?;
        let difference = File::open(&path).and_then(|mut file| checksum::difference(&mut file, spec));
        match difference {
            Ok(None) => Ok(path),
            Ok(Some(difference)) => Err(damaged(spec, &path, &difference)),
            Err(error) => Err(cannot_read(&path, error)),
        }
    }

    fn candidates(&self, spec: &ModelSpec) -> impl Iterator<Item = PathBuf> + use<'_> {
        let names = [spec.local_file(), spec.file.to_owned()];
        let own = self.rembg.as_ref().map(|folder| folder.join("models").join(spec.name));
        let folders = [self.offline.clone(), self.fetched.clone(), own, self.early_rembg.clone()].into_iter().flatten();
        folders.flat_map(move |folder| names.clone().map(|name| folder.join(name)))
    }
}

fn size(path: &Path) -> Option<u64> {
    path.metadata().ok().filter(|data| data.is_file()).map(|data| data.len())
}

fn not_fetched(spec: &ModelSpec) -> Error {
    let (name, size) = (spec.name, megabytes(spec.size));
    let message = format!("The model '{name}' is not on this machine. Fetch it ({size}): remrembg models fetch {name}");
    Error::with_message(Code::ModelNotFetched, message)
}

fn damaged(spec: &ModelSpec, path: &Path, how: &str) -> Error {
    let (name, path) = (spec.name, path.display());
    let message = format!("{path} is not the model '{name}': {how}. Remove it, then: remrembg models fetch {name}");
    Error::with_message(Code::ModelDamaged, message)
}

fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    Error::with_message(Code::CannotRead, format!("Cannot read {}: {error}", path.display())).because(error)
}
