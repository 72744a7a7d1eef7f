//! Where results go, and where they must not.

use crate::bench::{Bench, Ran};

#[track_caller]
fn refused(ran: &Ran, message: &str) {
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert_eq!(ran.stderr, format!("remrembg: {message}\n"));
    assert_eq!(ran.text(), "");
}

#[test]
fn folders_are_mirrored_beneath_the_output() {
    let bench = Bench::new(&["in/a.png", "in/b/c/d.JPG", "in/b/e.webp", "in/.hidden.png", "in/.git/f.png"]);
    bench.put("in/notes.txt", b"no picture");
    let ran = bench.removed(["in", "-o", "out/deep", "--format", "png"]).ok();
    let results = ["out/deep/a.png", "out/deep/b/c/d.png", "out/deep/b/e.png"];
    assert_eq!(bench.files().iter().filter(|name| name.starts_with("out")).collect::<Vec<_>>(), results);
    assert!(results.iter().all(|name| bench.open(name).color().has_alpha()));
    assert!(ran.stderr.ends_with("3 done\n"), "{}", ran.stderr);
}

#[test]
fn a_folder_without_pictures_is_no_failure() {
    let bench = Bench::new(&[]);
    bench.put("in/notes.txt", b"no picture");
    assert_eq!(bench.removed(["in", "-o", "out"]).ok().stderr, "No pictures found\n");
}

#[test]
fn results_inside_the_input_are_not_done_again() {
    let bench = Bench::new(&["in/a.png"]);
    for _ in 0..2 {
        bench.removed(["in", "-o", "in/out"]).ok();
        assert_eq!(bench.files(), ["in/a.png", "in/out/a.webp"]);
    }
}

#[test]
fn an_older_result_is_replaced_and_a_link_followed() {
    let bench = Bench::new(&["a.png"]);
    bench.put("o.png", b"older");
    bench.removed(["a.png", "-o", "o.png"]).ok();
    bench.open("o.png");
    #[cfg(unix)]
    {
        bench.put("far/target.png", b"older");
        std::os::unix::fs::symlink("far/target.png", bench.path("link.png")).expect("a link is made");
        bench.removed(["a.png", "-o", "link.png"]).ok();
        assert!(bench.path("link.png").is_symlink());
        bench.open("far/target.png");
    }
}

#[test]
fn two_pictures_with_one_result_are_refused_before_any_work() {
    let bench = Bench::new(&["a.png", "a.jpg", "b.png"]);
    let ran = bench.removed(["b.png", "a.png", "a.jpg", "-o", "out"]);
    refused(&ran, "'a.png' and 'a.jpg' would both become 'out/a.webp'");
    let ran = bench.removed(["b.png", "./b.png"]);
    refused(&ran, "'b.png' and './b.png' would both become './b-cutout.webp'");
    assert_eq!(bench.files(), ["a.jpg", "a.png", "b.png"]);
}

#[test]
fn a_result_never_replaces_a_picture() {
    let bench = Bench::new(&["a.png", "b.png", "d/c.png"]);
    let before = bench.read("a.png");
    let again = "Give another name or folder with -o";
    refused(
        &bench.removed(["a.png", "-o", "a.png"]),
        &format!("The result would replace the picture 'a.png'. {again}"),
    );
    refused(
        &bench.removed(["a.png", "b.png", "--format", "png", "-o", "."]),
        &format!("The result would replace the picture './a.png'. {again}"),
    );
    refused(
        &bench.removed(["d", "-o", "d/../d"]),
        "Results cannot go among the pictures in 'd'. Give another folder with -o",
    );
    assert_eq!(bench.read("a.png"), before);
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    let bench = Bench::new(&["a.png", "b.png", "d/c.png"]);
    let message = "Standard output takes one picture. Give a folder with -o";
    refused(&bench.removed(["a.png", "b.png", "-o", "-"]), message);
    refused(&bench.removed(["d", "-o", "-"]), message);
    refused(&bench.removed(["d"]), "'d' is a folder. Give another folder with -o");
    refused(&bench.removed(["d", "-o", "a.png"]), "'a.png' has to be a folder, but is a file");
    refused(&bench.removed(["a.png", "-o", "o", "--watch"]), "--watch needs folders as INPUT, and a folder with -o");
    let ran = bench.removed(["a.png", "-o", "-", "--json"]);
    let body =
        r#"{"error":"A picture on standard output leaves no room for --json. Give a file with -o","status":400}"#;
    assert_eq!((ran.status, ran.stderr), (Some(2), format!("{body}\n")));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_text_work() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new(&[]);
    let (input, output) = (OsStr::from_bytes(b"p\xff.png"), OsStr::from_bytes(b"p\xff.webp"));
    bench.put(input, &crate::bench::encoded(&crate::bench::ball(), image::ImageFormat::Png));
    bench.removed([input, OsStr::new("-o"), OsStr::new("out/")]).ok();
    bench.open(std::path::Path::new("out").join(output));
    bench.removed([input]).ok();
    bench.open(OsStr::from_bytes(b"p\xff-cutout.webp"));
}

#[cfg(unix)]
#[test]
fn results_are_as_readable_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&["a.png"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "umask 027; exec \"$0\" \"$@\""]).current_dir(bench.path("."));
    let remove = bench.remove(["a.png", "-o", "o.png"]);
    command.arg(remove.get_program()).args(remove.get_args()).stdout(std::process::Stdio::null());
    assert!(command.status().expect("sh is there").success());
    let mode = bench.path("o.png").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
