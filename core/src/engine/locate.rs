//! Where an ONNX Runtime library may be, and what was tried to load one.

use std::env;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// A library, or a folder that holds one, and who names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) from: &'static str,
    pub(super) path: PathBuf,
}

/// The names that the system's loader is asked for, the likeliest first.
#[cfg(windows)]
const SYSTEM_NAMES: &[&str] = &["onnxruntime.dll"];
#[cfg(target_vendor = "apple")]
const SYSTEM_NAMES: &[&str] = &["libonnxruntime.dylib", "libonnxruntime.1.dylib"];
#[cfg(not(any(windows, target_vendor = "apple")))]
const SYSTEM_NAMES: &[&str] = &["libonnxruntime.so", "libonnxruntime.so.1"];

/// Whether a file of this name may be ONNX Runtime itself. Version numbers
/// count: Python's wheels carry `libonnxruntime.so.X.Y.Z` alone.
fn is_library_name(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_vendor = "apple") {
        name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
    } else {
        name.starts_with("libonnxruntime.so")
    }
}

/// The places to look at, in order, when the caller names none. `hints` are
/// those that the language binding knows.
pub(super) fn places(hints: &[PathBuf]) -> Vec<Place> {
    let variable = |from| env::var_os(from).filter(|path| !path.is_empty()).map(|path| Place::new(from, path));
    let mut places: Vec<Place> = ["REMREMBG_ONNXRUNTIME", "ORT_DYLIB_PATH"].into_iter().filter_map(variable).collect();
    places.extend(hints.iter().map(|path| Place::new("beside the library", path)));
    if let Some(folder) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        places.push(Place::new("beside the program", folder));
        places.push(Place::new("beside the program", folder.join("../lib")));
    }
    places.extend(SYSTEM_NAMES.iter().map(|name| Place::new(SYSTEM, name)));
    places
}

const SYSTEM: &str = "the system";

impl Place {
    pub(super) fn new(from: &'static str, path: impl Into<PathBuf>) -> Self {
        Self { from, path: path.into() }
    }

    /// The files to load. A folder stands for each library in it; a bare name
    /// is left to the system's loader.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, String> {
        if self.from == SYSTEM {
            return Ok(vec![self.path.clone()]);
        }
        // A loader would search its own folders for a name without a slash.
        let path = std::path::absolute(&self.path).map_err(|error| error.to_string())?;
        let about = path.metadata().map_err(|error| error.to_string())?;
        if !about.is_dir() {
            return Ok(vec![path]);
        }
        match libraries_in(&path) {
            Ok(files) if files.is_empty() => Err(format!("the folder has no {}", SYSTEM_NAMES[0])),
            found => found.map_err(|error| error.to_string()),
        }
    }
}

/// Plain names before versions, newer versions before older ones.
fn libraries_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| is_library_name(&name.to_string_lossy())))
        .collect();
    found.sort_by_cached_key(|path| {
        let version = version_in_name(path).unwrap_or_default();
        let numbers = version.split('.').filter_map(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
        (!version.is_empty(), std::cmp::Reverse(numbers))
    });
    Ok(found)
}

/// `1.32.0` of `libonnxruntime.so.1.32.0`, also through a link.
pub(super) fn version_in_name(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let name = real.file_name()?.to_str()?;
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(|c: char| !c.is_ascii_digit());
    (!digits.is_empty() && digits.chars().all(|c| c == '.' || c.is_ascii_digit())).then(|| digits.to_owned())
}

/// The first library that `load` accepts.
///
/// # Errors
/// Everything that was tried.
pub(super) fn first<T>(places: &[Place], mut load: impl FnMut(&Path) -> Result<T, String>) -> Result<T, Tried> {
    let mut tried = Tried::default();
    for place in places {
        match place.files() {
            Err(why) => tried.note(place, &place.path, &why),
            Ok(files) => {
                for file in files {
                    match load(&file) {
                        Ok(loaded) => return Ok(loaded),
                        Err(why) => tried.note_broken(place, &file, &why),
                    }
                }
            }
        }
    }
    Err(tried)
}

/// What was tried in vain, each with its reason.
#[derive(Debug, Default)]
pub(super) struct Tried {
    found: bool,
    lines: String,
}

impl Tried {
    fn note(&mut self, place: &Place, path: &Path, why: &str) {
        let path = path.display().to_string();
        // The system's messages often begin with the path.
        let why = why.strip_prefix(&path).map_or(why, |rest| rest.trim_start_matches([':', ' ']));
        let _ = write!(self.lines, "\n  {}: {path}: {why}", place.from);
    }

    fn note_broken(&mut self, place: &Place, file: &Path, why: &str) {
        self.found |= place.from != SYSTEM;
        self.note(place, file, why);
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.found { "was found but cannot be used" } else { "was not found" };
        write!(f, "ONNX Runtime {what}. Tried:{}", self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, names: &[&str]) {
        names.iter().for_each(|name| std::fs::write(folder.join(name), "").expect("a temporary folder is writable"));
    }

    fn refuse(_: &Path) -> Result<(), String> {
        Err("it is refused".to_owned())
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn a_folder_stands_for_its_libraries_the_newest_version_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        touch(
            folder.path(),
            &[
                "libonnxruntime.so.1.9.0",
                "libonnxruntime.so.1.32.0",
                "libonnxruntime_providers_shared.so",
                "readme.txt",
            ],
        );
        let files = Place::new("a test", folder.path()).files().expect("two libraries");
        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        assert_eq!(names, ["libonnxruntime.so.1.32.0", "libonnxruntime.so.1.9.0"]);
        touch(folder.path(), &["libonnxruntime.so"]);
        let files = Place::new("a test", folder.path()).files().expect("three libraries");
        assert!(files[0].ends_with("libonnxruntime.so"), "{files:?}");
    }

    #[test]
    fn every_place_is_listed_with_its_reason() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        touch(folder.path(), &["broken.so"]);
        let gone = Place::new("REMREMBG_ONNXRUNTIME", folder.path().join("gone.so"));
        let empty = Place::new("beside the program", folder.path());
        let missing = first(&[gone.clone(), empty], refuse).expect_err("nothing is there").to_string();
        assert!(missing.starts_with("ONNX Runtime was not found"), "{missing}");
        assert!(missing.contains("gone.so: No such file") || missing.contains("gone.so: The system"), "{missing}");
        assert!(missing.contains("the folder has no "), "{missing}");

        let broken = Place::new("beside the library", folder.path().join("broken.so"));
        let refused = first(&[gone, broken], refuse).expect_err("all are refused").to_string();
        assert!(refused.starts_with("ONNX Runtime was found but cannot be used"), "{refused}");
        assert!(refused.contains("beside the library: ") && refused.contains("broken.so: it is refused"), "{refused}");
    }

    #[test]
    fn the_binding_comes_before_the_program_and_the_system_last() {
        let places = places(&["/a/hint".into()]);
        let from: Vec<_> = places.iter().map(|place| place.from).collect();
        let at = |name| from.iter().position(|from| *from == name).expect("it is in the list");
        assert!(at("beside the library") < at("beside the program") && at("beside the program") < at(SYSTEM));
        assert_eq!(from.last(), Some(&SYSTEM));
    }
}
