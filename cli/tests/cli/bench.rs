//! A folder of its own for each test, and the binary run in it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbImage};
use serde_json::Value;
use tempfile::TempDir;

use crate::onnx;

pub(crate) const WIDTH: u32 = 60;
pub(crate) const HEIGHT: u32 = 40;

/// Feeds the model of [`onnx::brightness`]; runs everywhere alike.
const FAST: [&str; 6] =
    ["--engine", "rten", "--model", "brightness.onnx", "--model-recipe", "size=32 mean=0 std=1 scale=255"];

pub(crate) struct Bench(TempDir);

pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is text")
    }

    pub(crate) fn json(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        self
    }
}

/// A white ball on black: its mask is the picture itself.
pub(crate) fn ball() -> DynamicImage {
    let is_in = |x: u32, y: u32| (x as i32 - 30).pow(2) + (y as i32 - 20).pow(2) < 144;
    let grey = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([if is_in(x, y) { 255 } else { 0 }]));
    DynamicImage::ImageRgb8(RgbImage::from(DynamicImage::ImageLuma8(grey)))
}

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a picture is encoded");
    bytes.into_inner()
}

pub(crate) fn decoded(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).expect("a whole picture")
}

impl Bench {
    /// A folder with the model and a picture under each of these names.
    pub(crate) fn new(pictures: &[&str]) -> Self {
        let bench = Self(TempDir::new().expect("a folder is made"));
        bench.put("brightness.onnx", &onnx::brightness());
        pictures.iter().for_each(|name| bench.picture(name));
        bench
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder is made");
        fs::write(path, bytes).expect("a file is written");
    }

    pub(crate) fn picture(&self, name: &str) {
        let format = ImageFormat::from_path(name).unwrap_or(ImageFormat::Png);
        self.put(name, &encoded(&ball(), format));
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    pub(crate) fn open(&self, name: impl AsRef<Path>) -> DynamicImage {
        decoded(&self.read(name))
    }

    pub(crate) fn has(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).exists()
    }

    /// Every file beneath, sorted, without the model.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.0.path(), &mut files);
        let name = |path: PathBuf| path.strip_prefix(self.0.path()).expect("it is beneath").display().to_string();
        let mut files: Vec<_> = files.into_iter().map(name).filter(|name| name != "brightness.onnx").collect();
        files.sort();
        files
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remrembg"));
        let ours = std::env::vars_os().map(|(key, _)| key).filter(|key| key.to_string_lossy().starts_with("REMREMBG_"));
        ours.for_each(|key| {
            command.env_remove(key);
        });
        command.args(args).current_dir(self.0.path());
        command.env("HOME", self.0.path()).env_remove("XDG_CACHE_HOME");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `remrembg remove` with the fast model.
    pub(crate) fn remove<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(["remove"]);
        command.args(FAST).args(args);
        command
    }

    pub(crate) fn removed<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        ran(self.remove(args))
    }

    pub(crate) fn ran<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        ran(self.command(args))
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is read") {
        let path = entry.expect("the folder is read").path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}

pub(crate) fn ran(mut command: Command) -> Ran {
    finished(command.spawn().expect("the binary starts"))
}

/// Runs with `input` on standard input.
pub(crate) fn fed(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A refusal may come before all is read.
    let _ = stdin.write_all(input);
    drop(stdin);
    finished(child)
}

pub(crate) fn finished(child: Child) -> Ran {
    let output = child.wait_with_output().expect("the binary ends");
    let stderr = String::from_utf8(output.stderr).expect("standard error is text");
    Ran { status: output.status.code(), stdout: output.stdout, stderr }
}

/// Waits until `what` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
pub(crate) fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}
