//! `--watch`.

use std::process::Child;

use crate::bench::{Bench, Ran, encoded, finished, until};

struct Watching<'a> {
    bench: &'a Bench,
    /// Until it is asked to end.
    child: Option<Child>,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // Where a test failed.
        let _ = self.child.take().map(|mut child| child.kill().and_then(|()| child.wait()));
    }
}

impl<'a> Watching<'a> {
    fn start(bench: &'a Bench, args: &[&str]) -> Self {
        let child = bench.remove(["in", "-o", "in/out", "--format", "bmp", "--watch"].iter().chain(args)).spawn();
        Self { bench, child: Some(child.expect("the binary starts")) }
    }

    #[track_caller]
    fn comes(&self, name: &str) {
        until(name, || self.bench.has(name));
    }

    fn end(mut self) -> Ran {
        let child = self.child.take().expect("it was not asked before");
        // Not SIGINT: a shell that starts the tests in the background has them ignore it.
        crate::bench::signal(&child, "TERM");
        finished(child)
    }
}

#[test]
fn pictures_are_done_as_they_come_and_change() {
    let bench = Bench::new(&["in/there.png"]);
    let watching = Watching::start(&bench, &["--json"]);
    watching.comes("in/out/there.bmp");
    bench.picture("in/new/later.png");
    watching.comes("in/out/new/later.bmp");

    let turned = encoded(&crate::bench::ball().rotate90(), image::ImageFormat::Png);
    bench.put("in/there.png", &turned);
    until("the changed picture", || bench.open("in/out/there.bmp").width() == crate::bench::HEIGHT);

    bench.put("in/bad.png", b"not a picture");
    bench.picture("in/late.png");
    watching.comes("in/out/late.bmp");
    let ran = watching.end();

    assert_eq!(ran.status, Some(143), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "the bad one is told once: {}", ran.stderr);
    let inputs: Vec<_> = ran.json().iter().map(|line| line["input"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(inputs[..3], ["in/there.png", "in/new/later.png", "in/there.png"]);
    assert_eq!(inputs.len(), 5, "each once, results never: {inputs:?}");
    let results = bench.files().into_iter().filter(|name| name.starts_with("in/out")).collect::<Vec<_>>();
    assert_eq!(results, ["in/out/late.bmp", "in/out/new/later.bmp", "in/out/there.bmp"]);
}

#[test]
fn a_picture_is_left_alone_while_it_grows_and_when_it_is_done_already() {
    let bench = Bench::new(&["in/done.png"]);
    bench.put("in/out/done.bmp", b"the newer result");
    let watching = Watching::start(&bench, &[]);
    let whole = encoded(&crate::bench::ball(), image::ImageFormat::Png);
    // A picture that stays as it is, which is known after two looks, while the other grows.
    bench.picture("in/witness.png");
    let mut part = 0;
    until("a picture that does not grow", || {
        part = part % (whole.len() - 1) + 1;
        bench.put("in/slow.png", &whole[..part]);
        bench.has("in/out/witness.bmp")
    });
    assert!(!bench.has("in/out/slow.bmp"));
    bench.put("in/slow.png", &whole);
    watching.comes("in/out/slow.bmp");
    let ran = watching.end();
    assert_eq!(
        ran.stderr,
        "Watching for pictures; Ctrl-C ends it\nin/witness.png → in/out/witness.bmp\nin/slow.png → in/out/slow.bmp\n2 done\n"
    );
    assert_eq!(bench.read("in/out/done.bmp"), b"the newer result");
}

#[test]
fn a_folder_that_was_away_for_a_while_is_not_done_again_but_what_changed_there_is() {
    let bench = Bench::new(&["in/sub/same.png", "in/sub/lost.png", "in/sub/other.png"]);
    let watching = Watching::start(&bench, &["--json"]);
    ["same", "lost", "other"].iter().for_each(|name| watching.comes(&format!("in/out/sub/{name}.bmp")));
    std::fs::rename(bench.path("in/sub"), bench.path("away")).expect("it is moved");
    bench.picture("in/witness.png");
    watching.comes("in/out/witness.bmp");
    std::fs::remove_file(bench.path("in/out/sub/lost.bmp")).expect("it is there");
    bench.put("away/other.png", &encoded(&crate::bench::ball().rotate90(), image::ImageFormat::Png));
    std::fs::rename(bench.path("away"), bench.path("in/sub")).expect("it is moved back");
    watching.comes("in/out/sub/lost.bmp");
    until("the changed picture", || bench.open("in/out/sub/other.bmp").width() == crate::bench::HEIGHT);
    bench.picture("in/end.png");
    watching.comes("in/out/end.bmp");
    let inputs: Vec<_> = watching.end().json().iter().map(|line| line["input"].to_string()).collect();
    assert_eq!(inputs.len(), 7, "{inputs:?}");
    assert_eq!(inputs.iter().filter(|input| input.contains("same")).count(), 1, "{inputs:?}");
}

#[test]
fn a_picture_that_comes_later_does_not_replace_the_result_of_another() {
    let bench = Bench::new(&["in/photo.png"]);
    let watching = Watching::start(&bench, &[]);
    watching.comes("in/out/photo.bmp");
    let first = bench.read("in/out/photo.bmp");
    // It sorts before the other.
    bench.put("in/photo.jpg", &encoded(&crate::bench::ball().rotate90(), image::ImageFormat::Jpeg));
    bench.picture("in/witness.png");
    watching.comes("in/out/witness.bmp");
    bench.put("in/photo.png", &encoded(&crate::bench::ball().rotate180(), image::ImageFormat::Png));
    until("the changed picture", || bench.read("in/out/photo.bmp") != first);
    assert_eq!(bench.open("in/out/photo.bmp").width(), crate::bench::ball().width());
    let ran = watching.end();
    let both = "'in/photo.png' and 'in/photo.jpg' would both become 'in/out/photo.bmp'. Name them apart";
    assert_eq!(ran.stderr.matches(both).count(), 1, "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_a_script_has_its_jobs_ignore_ends_nothing() {
    let bench = Bench::new(&["in/a.png"]);
    let remove = bench.remove(["in", "-o", "out", "--format", "bmp", "--watch"]);
    let mut job = std::process::Command::new("sh");
    job.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]).current_dir(bench.path("."));
    job.arg(remove.get_program()).args(remove.get_args());
    let child =
        job.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    until("the first", || bench.has("out/a.bmp"));
    crate::bench::signal(&child, "INT");
    bench.picture("in/b.png");
    until("the second", || bench.has("out/b.bmp"));
    crate::bench::signal(&child, "TERM");
    assert_eq!(finished(child).status, Some(143));
}
