//! What `make install` puts in place is found and used, and taken away again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{PREFIX, make, program, root, succeed, temporary};

/// A real photo and the bundled model: what a user runs first.
fn cuts_out(example: &Path) {
    let photo = root().join("demo/photo.png");
    assert!(photo.exists(), "demo/photo.png is absent: run `make setup`");
    let cutout = example.with_extension("png");
    succeed(program(example).arg(&photo).arg(&cutout).env("LD_LIBRARY_PATH", PREFIX.join("lib")));
    let made = image::open(&cutout).expect("the example writes a picture").into_rgba8();
    assert_eq!(made.dimensions(), (512, 512));
    let at = |x, y| made.get_pixel(x, y).0;
    assert!(at(200, 200)[3] > 250, "the astronaut's face is kept");
    let behind = at(500, 5);
    assert!(behind[3] == 0 || behind[..3].iter().all(|value| *value > 250), "what is behind her is not: {behind:?}");
}

fn flags(package: &str) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(["--cflags", "--libs", package]).env("PKG_CONFIG_PATH", PREFIX.join("lib/pkgconfig"));
    let text = String::from_utf8(succeed(&mut command).stdout).expect("flags are text");
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether a program needs libremrembg beside it.
fn is_dynamic(program: &Path) -> bool {
    let needed = succeed(Command::new("readelf").arg("--dynamic").arg(program)).stdout;
    String::from_utf8_lossy(&needed).contains("[libremrembg.so.")
}

#[test]
fn pkg_config_builds_the_examples_shared_and_static() {
    let folder = temporary("pkg-config");
    for (compiler, example) in [("cc", "cutout.c"), ("c++", "cutout.cpp")] {
        for package in ["remrembg", "remrembg-static"] {
            let program = folder.join(format!("{example}-{package}"));
            let mut command = Command::new(compiler);
            command.arg(root().join("ffi/examples").join(example)).arg("-o").arg(&program).args(flags(package));
            succeed(&mut command);
            assert_eq!(is_dynamic(&program), package == "remrembg", "{package}");
            cuts_out(&program);
        }
    }
}

/// The documentation's two lines, as they stand there.
#[test]
fn the_documentations_lines_build_and_run_the_example() {
    let photo = root().join("demo/photo.png");
    assert!(photo.exists(), "demo/photo.png is absent: run `make setup`");
    let page = fs::read_to_string(root().join("docs/c.md")).expect("the page is there");
    let folder = temporary("readme");
    fs::copy(&photo, folder.join("photo.jpg")).expect("a copy");
    for (example, start, made) in
        [("cutout.c", "cc cutout.c", "cutout.png"), ("cutout.cpp", "c++ -std=c++17 cutout.cpp", "on-white.png")]
    {
        let block = page.split("```sh\n").find(|block| block.starts_with(start)).expect("the page has the lines");
        let lines = block.split("```").next().expect("the block ends");
        assert_eq!(lines.lines().count(), 2);
        fs::copy(root().join("ffi/examples").join(example), folder.join(example)).expect("a copy");
        let mut shell = program("sh");
        shell.args(["-ec", lines]).current_dir(&folder).env("LD_LIBRARY_PATH", PREFIX.join("lib"));
        succeed(shell.env("PKG_CONFIG_PATH", PREFIX.join("lib/pkgconfig")));
        assert_eq!(image::image_dimensions(folder.join(made)).expect("a picture"), (512, 512));
    }
}

#[test]
fn cmake_builds_the_examples_shared_and_static() {
    let folder = temporary("cmake");
    let source = root().join("ffi/tests/cmake");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(&folder).arg(format!("-DCMAKE_PREFIX_PATH={}", PREFIX.display()));
    succeed(&mut configure);
    succeed(Command::new("cmake").arg("--build").arg(&folder));
    for (name, dynamic) in [("shared_c", true), ("static_c", false), ("shared_cpp", true), ("static_cpp", false)] {
        assert_eq!(is_dynamic(&folder.join(name)), dynamic, "{name}");
        cuts_out(&folder.join(name));
    }
}

#[test]
fn only_the_interface_is_exported() {
    for (file, flag) in [("libremrembg.so", "--dynamic"), ("libremrembg.a", "--extern-only")] {
        let mut command = Command::new("nm");
        command.args([flag, "--defined-only", "--format=just-symbols"]).arg(PREFIX.join("lib").join(file));
        let output = succeed(&mut command).stdout;
        let names: Vec<&str> = std::str::from_utf8(&output).expect("names are text").lines().collect();
        let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && !name.ends_with(':')).collect();
        let header = fs::read_to_string(root().join("include/remrembg.h")).expect("the header is there");
        assert!(names.len() > 20, "{file} has {names:?}");
        for name in names {
            assert!(name.starts_with("remrembg_") && header.contains(&format!("{name}(")), "{file} has {name}");
        }
    }
}

/// Two archives that share a group of sections do not link, or lose one's.
#[test]
fn the_static_library_shares_nothing_with_other_libraries() {
    let archive = PREFIX.join("lib/libremrembg.a");
    let groups = succeed(Command::new("readelf").arg("--section-groups").arg(archive)).stdout;
    let groups = String::from_utf8_lossy(&groups).into_owned();
    assert!(!groups.contains("COMDAT") && groups.contains("no section groups"), "{groups}");
}

#[test]
fn an_installed_tree_can_be_moved() {
    let (stage, folder) = (temporary("moved"), temporary("cmake-of-moved"));
    make(&["install"], Path::new("/usr"), &stage.display().to_string());
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(root().join("ffi/tests/cmake")).arg("-B").arg(&folder);
    succeed(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", stage.join("usr").display())));
    succeed(Command::new("cmake").arg("--build").arg(&folder).args(["--target", "shared_c"]));
    let mut flags = Command::new("pkg-config");
    flags.args(["--define-prefix", "--cflags", "remrembg"]).env("PKG_CONFIG_PATH", stage.join("usr/lib/pkgconfig"));
    let flags = String::from_utf8(succeed(&mut flags).stdout).expect("flags are text");
    assert_eq!(flags.trim(), format!("-I{}", stage.join("usr/include").display()));
}

#[test]
fn the_shared_library_has_a_versioned_name() {
    let lib = PREFIX.join("lib");
    let link = |name: &str| fs::read_link(lib.join(name)).expect("a link");
    let (version, abi) = (env!("CARGO_PKG_VERSION"), concat!("0.", env!("CARGO_PKG_VERSION_MINOR")));
    assert_eq!(link("libremrembg.so"), PathBuf::from(format!("libremrembg.so.{abi}")));
    assert_eq!(link(&format!("libremrembg.so.{abi}")), PathBuf::from(format!("libremrembg.so.{version}")));
    let dynamic = succeed(Command::new("readelf").arg("--dynamic").arg(lib.join("libremrembg.so"))).stdout;
    let dynamic = String::from_utf8_lossy(&dynamic).into_owned();
    assert!(dynamic.contains(&format!("soname: [libremrembg.so.{abi}]")), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "dlclose must leave the engines' threads their code");
}

#[test]
fn what_is_installed_can_be_removed() {
    let (stage, prefix) = (temporary("stage"), Path::new("/opt/a folder"));
    make(&["install"], prefix, &stage.display().to_string());
    let files = || -> Vec<PathBuf> {
        let output = succeed(Command::new("find").arg(&stage).args(["-not", "-type", "d"])).stdout;
        String::from_utf8_lossy(&output).lines().map(PathBuf::from).collect()
    };
    assert_eq!(files().len(), 14, "{:?}", files());
    let licences = std::fs::read(stage.join("opt/a folder/share/doc/remrembg/THIRD-PARTY.txt")).expect("it is there");
    assert!(licences.windows(8).any(|bytes| bytes == b"image 0."), "it names the crates that are compiled in");
    let headers = |folder: PathBuf| fs::read_dir(folder).expect("a folder").count();
    assert_eq!(headers(stage.join("opt/a folder/include")), headers(root().join("include")));
    let mut flags = Command::new("pkg-config");
    flags.args(["--cflags", "remrembg"]).env("PKG_CONFIG_PATH", stage.join("opt/a folder/lib/pkgconfig"));
    assert_eq!(String::from_utf8_lossy(&succeed(&mut flags).stdout).trim(), r"-I/opt/a\ folder/include");
    make(&["uninstall"], prefix, &stage.display().to_string());
    assert!(files().is_empty(), "{:?}", files());
    for folder in ["lib", "include", "share"] {
        assert!(!stage.join("opt/a folder").join(folder).exists(), "{folder}");
    }
}
