//! What becomes what: from the inputs and OUT of a command line to one output
//! for each picture, known before any work.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use remrembg::{Code, Error};
use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;

/// Stands for standard input or standard output.
pub(crate) const STREAM: &str = "-";

pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == STREAM || path == Path::new("/dev/stdin")
}

/// Names of standard output. Its file may be one that others write into too, so it is never replaced by another.
fn is_stdout(path: &Path) -> bool {
    is_stream(path) || ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Whether it can be read once only: standard input, or a pipe as a shell's `<(…)` gives it.
pub(crate) fn is_read_once(path: &Path) -> bool {
    is_stream(path) || is_pipe(path)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|data| data.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Where results go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Beside each picture, under another name.
    Beside,
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

/// How results are named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// The format's suffix, without its dot.
    pub(crate) suffix: &'static str,
    /// Added to a name that lies beside its picture.
    pub(crate) beside: &'static str,
    /// What else the name is made from, before its suffix.
    pub(crate) pattern: Option<&'a Pattern>,
}

/// A name with places for what the picture's name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    const PLACES: [&'static str; 2] = ["{stem}", "{suffix}"];

    /// Reads what `--name` says.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let others = Self::PLACES.iter().fold(text.to_owned(), |text, place| text.replace(place, ""));
        match () {
            () if !text.contains("{stem}") => {
                Err("it has to have {stem}, the picture's name without its suffix".into())
            }
            () if others.contains(['{', '}']) => Err("it knows {stem} and {suffix} alone".into()),
            () if text.contains(std::path::is_separator) => Err("it is a name, without folders".into()),
            () => Ok(Self(text.to_owned())),
        }
    }

    fn of(&self, input: &Path) -> OsString {
        let (mut name, mut rest) = (OsString::new(), &*self.0);
        while let Some((text, (place, behind))) =
            rest.split_once('{').and_then(|(text, rest)| Some((text, rest.split_once('}')?)))
        {
            name.push(text);
            name.push(if place == "stem" { input.file_stem() } else { input.extension() }.unwrap_or_default());
            rest = behind;
        }
        name.push(rest);
        name
    }
}

/// One picture and where its result goes; either may be a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
}

#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) tasks: Vec<Task>,
    /// Tasks that would write over a picture or over each other's results.
    pub(crate) clashes: Vec<(Task, Failure)>,
    /// Folders that could not be looked into.
    pub(crate) unread: Vec<(PathBuf, Failure)>,
    /// Files in folders that have no name of a picture, and earlier results beside their pictures.
    pub(crate) passed_over: usize,
    /// Folders that links in folders lead to.
    pub(crate) linked: usize,
    /// Pictures whose results are there already, and stay.
    pub(crate) done: usize,
}

impl Destination {
    /// Reads OUT, given what the inputs are.
    pub(crate) fn of(inputs: &[PathBuf], out: Option<PathBuf>) -> Result<Self, Failure> {
        let many = inputs.len() > 1 || inputs.iter().any(|input| input.is_dir());
        if let ([input, result], None) = (inputs, &out)
            && input.exists()
            && !is_stream(result)
            && !result.exists()
        {
            let result = result.display();
            return Err(Failure::usage(format!(
                "There is no '{result}'. If the result is to have that name, say -o {result}"
            )));
        }
        match out {
            None => Self::unsaid(inputs),
            Some(out) if is_stdout(&out) && many => {
                Err(Failure::usage("Standard output takes one picture. Give a folder with -o"))
            }
            Some(out) if is_stdout(&out) => Ok(Self::Stdout),
            Some(out)
                if inputs.len() > 1 && !out.exists() && !ends_in_slash(&out) && remrembg::is_picture_name(&out) =>
            {
                let (out, count) = (out.display(), inputs.len());
                Err(Failure::usage(format!(
                    "'{out}' is the name of one picture, and there are {count}. Give a folder with -o"
                )))
            }
            Some(out) if many || out.is_dir() || ends_in_slash(&out) => Self::folder(inputs, out),
            Some(out) => Ok(Self::File(out)),
        }
    }

    fn unsaid(inputs: &[PathBuf]) -> Result<Self, Failure> {
        if let Some(folder) = inputs.iter().find(|input| input.is_dir()) {
            return Err(Failure::usage(format!("'{}' is a folder. Give another folder with -o", folder.display())));
        }
        match inputs {
            [input] if is_read_once(input) => Ok(Self::Stdout),
            _ if inputs.iter().any(|input| is_read_once(input)) => {
                Err(Failure::usage("A stream among other pictures has no place. Give a folder with -o"))
            }
            _ => Ok(Self::Beside),
        }
    }

    fn folder(inputs: &[PathBuf], out: PathBuf) -> Result<Self, Failure> {
        if out.exists() && !out.is_dir() {
            return Err(Failure::usage(format!("'{}' has to be a folder, but is a file", out.display())));
        }
        let same = |input: &&PathBuf| input.is_dir() && is_same(input, &out);
        match inputs.iter().find(same) {
            Some(input) => {
                let input = input.display();
                Err(Failure::usage(format!(
                    "Results cannot go among the pictures in '{input}'. Give another folder with -o"
                )))
            }
            None => Ok(Self::Folder(out)),
        }
    }
}

/// Finds every picture and the name of its result, which is not the mask's that is read beside it. `before` tells from
/// which pictures earlier results are.
pub(crate) fn plan(
    inputs: &[PathBuf],
    mask: Option<&Path>,
    destination: &Destination,
    naming: Naming<'_>,
    before: &HashMap<PathBuf, PathBuf>,
) -> Plan {
    let mut plan = Plan::default();
    for input in inputs {
        match destination {
            Destination::Stdout => plan.add(input, STREAM.into()),
            Destination::File(out) => plan.add(input, out.clone()),
            Destination::Beside => plan.add(input, beside(input, naming)),
            Destination::Folder(out) if input.is_dir() => plan.add_folder(input, out, naming),
            Destination::Folder(out) => plan.add(input, out.join(result_name(input, naming))),
        }
    }
    if *destination == Destination::Beside && naming.pattern.is_none() {
        plan.pass_over_results();
    }
    plan.tasks.sort_by_key(|task| before.get(&task.output) != Some(&task.input));
    plan.sort_out_clashes(mask, naming.pattern.is_some());
    plan
}

impl Plan {
    fn add(&mut self, input: &Path, output: PathBuf) {
        self.tasks.push(Task { input: input.into(), output });
    }

    fn add_folder(&mut self, folder: &Path, out: &Path, naming: Naming<'_>) {
        let own = out.canonicalize().ok();
        let walk = WalkDir::new(folder).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| is_visited(entry, own.as_deref())) {
            match entry {
                Ok(entry) if is_picture(&entry) => {
                    let beneath = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                    let result = out.join(beneath).with_file_name(result_name(entry.path(), naming));
                    self.add(entry.path(), result);
                }
                Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => self.linked += 1,
                Ok(entry) if entry.path_is_symlink() && is_named_as_picture(entry.path()) => {
                    let failure = entry.path().metadata().map_err(|error| Failure::cannot_read(entry.path(), error));
                    self.unread.extend(failure.err().map(|failure| (entry.path().to_owned(), failure)));
                }
                Ok(entry) => self.passed_over += usize::from(entry.file_type().is_file()),
                Err(error) => self.unread.push(unread(folder, error)),
            }
        }
    }

    /// What has the name that the result of another input will have is what an earlier run made of it, and no picture
    /// to cut out.
    fn pass_over_results(&mut self) {
        let results: HashSet<PathBuf> = self.tasks.iter().map(|task| place(&task.output)).collect();
        let before = self.tasks.len();
        self.tasks.retain(|task| !results.contains(&place(&task.input)));
        self.passed_over += before - self.tasks.len();
    }

    /// What has a result already is done.
    pub(crate) fn pass_over_done(&mut self) {
        let before = self.tasks.len();
        let is_there = |output: &Path| output.metadata().is_ok_and(|data| data.is_file() && data.len() > 0);
        self.tasks.retain(|task| is_stream(&task.output) || !is_there(&task.output));
        self.done = before - self.tasks.len();
    }

    /// Of several tasks with one output the first stays. None replaces a picture that is read.
    fn sort_out_clashes(&mut self, mask: Option<&Path>, has_pattern: bool) {
        let read = self.tasks.iter().map(|task| &*task.input).chain(mask);
        let pictures: HashSet<PathBuf> = read.filter_map(|picture| picture.canonicalize().ok()).collect();
        let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
        for task in std::mem::take(&mut self.tasks) {
            let place = place(&task.output);
            let failure = match taken.get(&place) {
                // Given twice, it is done once.
                Some(first) if is_same(first, &task.input) => continue,
                Some(first) => Some(both(first, &task, has_pattern)),
                None => pictures.contains(&place).then(|| over(&task)),
            };
            match failure {
                Some(failure) => self.clashes.push((task, failure)),
                None => {
                    taken.insert(place, task.input.clone());
                    self.tasks.push(task);
                }
            }
        }
    }
}

fn both(first: &Path, task: &Task, has_pattern: bool) -> Failure {
    let advice = if !has_pattern && first.extension() != task.input.extension() {
        "Name them apart, as by --name '{stem}-{suffix}'"
    } else {
        "Give the folder that they are in, whose folders results keep, or do them one by one"
    };
    let (first, second, output) = (first.display(), task.input.display(), task.output.display());
    Failure::usage(format!("'{first}' and '{second}' would both become '{output}'. {advice}"))
}

fn over(task: &Task) -> Failure {
    let output = task.output.display();
    Failure::usage(format!("The result would replace the picture '{output}'. Give another name or folder with -o"))
}

fn unread(folder: &Path, error: walkdir::Error) -> (PathBuf, Failure) {
    let path = error.path().unwrap_or(folder).to_owned();
    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    let message = format!("Cannot read '{}': {why}", path.display());
    (path, Error::with_message(Code::CannotRead, message).because(error).into())
}

/// Results are not looked at again, nor is what is hidden, such as files that
/// are not whole yet.
fn is_visited(entry: &DirEntry, own: Option<&Path>) -> bool {
    let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
    let is_own = || entry.file_type().is_dir() && own.is_some() && entry.path().canonicalize().ok().as_deref() == own;
    !hidden && !is_own()
}

fn is_picture(entry: &DirEntry) -> bool {
    is_named_as_picture(entry.path()) && entry.path().is_file()
}

/// Suffixes of pictures that are read, beside those of uploads.
const MORE_SUFFIXES: [&str; 5] = ["gif", "jfif", "jpe", "tif", "tiff"];

/// Whether the name is one of a picture that is read.
pub(crate) fn is_named_as_picture(path: &Path) -> bool {
    let suffix = path.extension().unwrap_or_default();
    remrembg::is_picture_name(path) || MORE_SUFFIXES.iter().any(|more| suffix.eq_ignore_ascii_case(more))
}

fn beside(input: &Path, naming: Naming<'_>) -> PathBuf {
    let mut usual: OsString = input.file_stem().unwrap_or_default().into();
    usual.push(naming.beside);
    input.with_file_name(with_suffix(naming.pattern.map_or(usual, |pattern| pattern.of(input)), naming))
}

fn result_name(input: &Path, naming: Naming<'_>) -> OsString {
    let name = if is_stream(input) { Path::new("stdin") } else { input };
    let usual = || name.file_stem().unwrap_or_default().to_owned();
    with_suffix(naming.pattern.map_or_else(usual, |pattern| pattern.of(name)), naming)
}

fn with_suffix(mut name: OsString, naming: Naming<'_>) -> OsString {
    name.push(".");
    name.push(naming.suffix);
    name
}

/// The one name of a place, whether or not anything is there yet.
fn place(path: &Path) -> PathBuf {
    if is_stream(path) {
        return path.into();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.into());
    path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()))
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn ends_in_slash(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last().copied();
    last == Some(b'/') || last.is_some_and(|last| char::from(last) == MAIN_SEPARATOR)
}
