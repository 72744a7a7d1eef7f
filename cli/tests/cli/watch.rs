//! `--watch`.

use std::process::Child;

use crate::bench::{Bench, Ran, encoded, finished, until};

struct Watching<'a> {
    bench: &'a Bench,
    child: Child,
}

impl<'a> Watching<'a> {
    fn start(bench: &'a Bench, args: &[&str]) -> Self {
        let child = bench.remove(["in", "-o", "in/out", "--format", "bmp", "--watch"].iter().chain(args)).spawn();
        Self { bench, child: child.expect("the binary starts") }
    }

    #[track_caller]
    fn comes(&self, name: &str) {
        until(name, || self.bench.has(name));
    }

    fn end(self) -> Ran {
        crate::bench::signal(&self.child, "INT");
        finished(self.child)
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

    assert_eq!(ran.status, Some(130), "{}", ran.stderr);
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
