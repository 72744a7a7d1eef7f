//! Where results go, and where they must not.

use crate::bench::{Bench, Ran, ball, encoded};

const PASSED_OVER: &str = "passed over: no name of a picture, or an earlier result";

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
    let end = format!("3 done\n1 file was {PASSED_OVER}\n");
    assert!(ran.stderr.ends_with(&end), "{}", ran.stderr);
}

#[test]
fn a_folder_without_pictures_is_told_of_and_what_was_passed_over_counted() {
    let bench = Bench::new(&[]);
    bench.put("in/notes.txt", b"no picture");
    bench.put("in/deep/more.txt", b"no picture");
    let message = format!("No pictures found. 2 files were {PASSED_OVER}");
    refused(&bench.removed(["in", "-o", "out"]), &message);
    let ran = bench.removed(["in", "-o", "out", "--json"]);
    assert_eq!((ran.status, ran.stderr), (Some(2), format!(r#"{{"error":"{message}","status":400}}"#) + "\n"));
    assert!(!bench.has("out"));
}

#[test]
fn results_beside_their_pictures_are_not_cut_out_again() {
    let bench = Bench::new(&["a.png", "b.png"]);
    for _ in 0..2 {
        let inputs = bench.files();
        bench.removed(inputs.iter().map(String::as_str).chain(["--format", "png"])).ok();
        assert_eq!(bench.files(), ["a-cutout.png", "a.png", "b-cutout.png", "b.png"]);
    }
}

#[test]
fn results_are_named_by_a_pattern() {
    let bench = Bench::new(&["in/a.png", "in/a.jpg", "in/deep/b.webp"]);
    bench.removed(["in", "-o", "out", "--name", "{stem}-{suffix}", "--format", "png"]).ok();
    let made = ["out/a-jpg.png", "out/a-png.png", "out/deep/b-webp.png"];
    assert_eq!(bench.files().iter().filter(|name| name.starts_with("out")).collect::<Vec<_>>(), made);
    bench.removed(["in/a.png", "--name=cut {stem}"]).ok();
    assert!(bench.has("in/cut a.webp"));
    for (pattern, why) in [
        ("cutout", "it has to have {stem}, the picture's name without its suffix"),
        ("{stem}-{size}", "it knows {stem} and {suffix} alone"),
        ("x/{stem}", "it is a name, without folders"),
    ] {
        let ran = bench.removed(["in", "-o", "out", "--name", pattern]);
        assert!(ran.status == Some(2) && ran.stderr.contains(why), "{}", ran.stderr);
    }
    let picture = bench.read("in/deep/b.webp");
    let over = |path| format!("The result would replace the picture '{path}'. Give another name or folder with -o");
    refused(&bench.removed(["in/deep/b.webp", "--name", "{stem}"]), &over("in/deep/b.webp"));
    bench.picture("in/deep/b.jpg");
    let ran = bench.removed(["in/deep/b.jpg", "in/deep/b.webp", "--name", "{stem}"]);
    assert!(ran.status == Some(2) && ran.stderr.contains(&over("in/deep/b.webp")), "{}", ran.stderr);
    assert!(bench.read("in/deep/b.webp") == picture, "an input is never replaced");
    let ran = bench.removed(["in/a.png", "-o", "b.png", "--name", "{stem}"]);
    refused(&ran, "--name names results beside their pictures or in a folder");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_as_standard_input_is() {
    let bench = Bench::new(&["a.png"]);
    let made = |name| std::process::Command::new("mkfifo").arg(bench.path(name)).status().expect("it runs");
    assert!(made("one").success() && made("two").success());
    let bytes = bench.read("a.png");
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let (bench, bytes) = (&bench, &bytes);
            scope.spawn(move || std::fs::write(bench.path(name), bytes).expect("it is read"));
        }
        bench.removed(["one", "two", "-o", "out/"]).ok();
    });
    assert!(bench.open("out/one.webp") == bench.open("out/two.webp"));
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
fn of_two_pictures_with_one_result_the_first_is_done_and_the_other_told() {
    let bench = Bench::new(&["a.png", "a.jpg", "b.png"]);
    let ran = bench.removed(["b.png", "a.png", "a.jpg", "-o", "out"]);
    let apart = "Name them apart, as by --name '{stem}-{suffix}'";
    let told = format!("remrembg: a.jpg: 'a.png' and 'a.jpg' would both become 'out/a.webp'. {apart}\n");
    assert!(ran.status == Some(2) && ran.stderr.starts_with(&told), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("2 done, 1 failed\n"), "{}", ran.stderr);
    assert_eq!(bench.files(), ["a.jpg", "a.png", "b.png", "out/a.webp", "out/b.webp"]);
    // No name would tell these apart.
    bench.picture("100/b.png");
    bench.picture("101/b.png");
    let named = ["100/b.png", "101/b.png", "-o", "out", "--name", "{stem}-{suffix}"];
    for words in [&named[..], &named[..4]] {
        let ran = bench.removed(words);
        assert_eq!(ran.status, Some(2));
        assert!(ran.stderr.contains("Give the folder that they are in"), "{}", ran.stderr);
    }
}

#[test]
fn a_picture_that_is_given_twice_is_done_once() {
    let bench = Bench::new(&["b.png", "d/c.png"]);
    assert_eq!(bench.removed(["b.png", "./b.png"]).ok().stderr, "b.png → b-cutout.webp\n");
    let ran = bench.removed(["d", "d/c.png", "-o", "out", "--delete-input"]).ok();
    assert_eq!(ran.stderr, "d/c.png → out/c.webp\n");
    assert_eq!(bench.files(), ["b-cutout.webp", "b.png", "out/c.webp"]);
}

#[cfg(unix)]
#[test]
fn links_in_folders_are_told_of() {
    let bench = Bench::new(&["in/a.png", "far/b.png"]);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, bench.path(name)).expect("a link is made");
    link("../far", "in/album");
    link("../far/b.png", "in/b.png");
    bench.removed(["in", "-o", "out"]).ok();
    link("nowhere", "in/c.png");
    let ran = bench.removed(["in", "-o", "out"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("Cannot read 'in/c.png'"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("2 done, 1 failed\n1 linked folder was passed over\n"), "{}", ran.stderr);
    assert_eq!(bench.files().iter().filter(|name| name.starts_with("out/")).count(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new(&[]);
    let names = [&b"in/caf\xe9.png"[..], b"in/caf\xea.png"].map(std::ffi::OsStr::from_bytes);
    let picture = encoded(&ball(), image::ImageFormat::Png);
    names.iter().for_each(|name| bench.put(name, &picture));
    bench.removed(["in", "-o", "out", "--name", "{stem}-{suffix}"]).ok();
    for name in [&b"out/caf\xe9-png.webp"[..], b"out/caf\xea-png.webp"] {
        assert!(bench.has(std::ffi::OsStr::from_bytes(name)));
    }
}

#[test]
fn a_mask_may_come_as_a_stream() {
    let bench = Bench::new(&["a.png", "mask.png"]);
    let mask = bench.read("mask.png");
    let words = ["a.png", "--mask-from", "-", "-o", "streamed.png"];
    let ran = crate::bench::fed(bench.remove(words), &mask);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    bench.removed(["a.png", "--mask-from", "mask.png", "-o", "file.png"]).ok();
    assert_eq!(bench.read("streamed.png"), bench.read("file.png"));
    let ran = crate::bench::fed(bench.remove(["-", "--mask-from", "-"]), &mask);
    assert!(ran.status == Some(2) && ran.stderr.contains("either INPUT or the mask"), "{}", ran.stderr);
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
    refused(
        &bench.removed(["b.png", "-o", "./a.png", "--mask-from", "a.png"]),
        &format!("The result would replace the picture './a.png'. {again}"),
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
fn results_are_as_readable_as_any_new_file_or_the_one_that_they_replace() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&["a.png"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "umask 027; exec \"$0\" \"$@\""]).current_dir(bench.path("."));
    let remove = bench.remove(["a.png", "-o", "o.png"]);
    command.arg(remove.get_program()).args(remove.get_args()).stdout(std::process::Stdio::null());
    let mut mode = || {
        assert!(command.status().expect("sh is there").success());
        bench.path("o.png").metadata().expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(), 0o640);
    std::fs::set_permissions(bench.path("o.png"), PermissionsExt::from_mode(0o600)).expect("it is ours");
    assert_eq!(mode(), 0o600, "what takes a file's place is no more readable");
}
