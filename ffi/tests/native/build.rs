//! An installed library, and compilers that make programs of it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use crate::onnx;

/// Warnings that no program of ours may cause.
pub(crate) const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// The installed library: the one that was built with these tests, which has its
/// overflow checks on.
pub(crate) static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
    let prefix = temporary("prefix");
    make(&["install"], &prefix, "");
    prefix
});

/// A model that gives its input back, so that the matte is the picture's red
/// channel and a removal takes a millisecond.
static MODEL: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = temporary("model").join("identity.onnx");
    fs::write(&path, onnx::identity(onnx::FLOAT, &["x"], &[1, 3, 8, 8])).expect("the model can be written");
    path
});

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Held until this process ends: another run would empty the folders that this one makes programs in.
static TURN: LazyLock<fs::File> = LazyLock::new(|| {
    let file = fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("native.lock")).expect("it can be made");
    file.lock().expect("it can be locked");
    file
});

/// An empty folder of this name for what the tests make.
pub(crate) fn temporary(name: &str) -> PathBuf {
    LazyLock::force(&TURN);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Runs `make` as a user would, on the development build.
pub(crate) fn make(targets: &[&str], prefix: &Path, destdir: &str) {
    let mut make = Command::new("make");
    make.current_dir(root()).args(targets).arg("PROFILE=dev").arg(format!("DESTDIR={destdir}"));
    make.arg(format!("PREFIX={}", prefix.display()));
    succeed(make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL"));
}

/// Compiles a program of this project against the installed library.
pub(crate) fn compile(compiler: &str, source: &str, flags: &[&str]) -> PathBuf {
    let name: String = [compiler, source].concat().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let program = temporary(&name).join("program");
    let lib = PREFIX.join("lib");
    let mut command = Command::new(compiler);
    command.args(STRICT).args(flags).arg("-I").arg(PREFIX.join("include")).arg(root().join(source));
    command.arg("-o").arg(&program).arg("-L").arg(&lib).arg(format!("-Wl,-rpath,{}", lib.display()));
    succeed(command.args(["-lremrembg", "-lpthread", "-ldl"]));
    program
}

/// A program with the surroundings that the tests give it.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    command.env("REMREMBG_TEST_MODEL", &*MODEL).env_remove("REMREMBG_ONNXRUNTIME").env_remove("ORT_DYLIB_PATH");
    command
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}
