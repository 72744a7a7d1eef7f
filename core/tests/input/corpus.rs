//! Public test images of other projects, in the folder that `REMREMBG_TEST_PICTURES` names.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use remrembg::{Code, Control, Decoded, Limits, Result, decode_input, hush_guarded_panics};

use crate::hostile::{LONGEST, SLACK};
use crate::memory::peak_of;

struct Entry {
    path: String,
    expected: String,
    orientation: String,
}

/// The rows of the manifest.
fn manifest() -> Vec<Entry> {
    let text = fs::read_to_string(root().join("MANIFEST.tsv")).expect("the corpus has a manifest");
    let entry = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let path = fields.next()?;
        let (expected, orientation) = (fields.nth(5)?, fields.next()?);
        Some(Entry { path, expected, orientation })
    };
    let entries: Vec<_> = text.lines().skip(1).map(|line| entry(line).expect("eight fields")).collect();
    assert!(entries.len() > 400, "the manifest has {} rows", entries.len());
    entries
}

fn root() -> PathBuf {
    let pictures = std::env::var_os("REMREMBG_TEST_PICTURES").expect("it names the folder of public test pictures");
    PathBuf::from(pictures).join("corpus")
}

fn decoded(entry: &Entry) -> (usize, Result<Decoded>, usize) {
    let file = fs::read(root().join(&entry.path)).expect("the file of the manifest");
    let (outcome, peak) = peak_of(|| decode_input(&file, &Limits::default(), &Control::default()));
    (file.len(), outcome, peak)
}

#[test]
#[ignore = "needs the folder of public test pictures in REMREMBG_TEST_PICTURES"]
fn corpus_behaves_as_its_manifest_says() {
    hush_guarded_panics();
    let mut wrong = Vec::new();
    for entry in manifest() {
        let (_, outcome, _) = decoded(&entry);
        let code = outcome.err().map(|error| error.code());
        let right = match entry.expected.as_str() {
            "decodes" => code.is_none(),
            "refuse" => matches!(code, Some(Code::CorruptImage | Code::ImageTooWide | Code::ImageTooTall)),
            "refuse-too-big" => matches!(code, Some(Code::ImageTooWide | Code::ImageTooTall)),
            "odd" | "refuse-or-lenient" => matches!(code, None | Some(Code::CorruptImage)),
            other => panic!("the manifest has a new word: {other}"),
        };
        if !right {
            wrong.push(format!("{}: {} but {code:?}", entry.path, entry.expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs the folder of public test pictures in REMREMBG_TEST_PICTURES"]
fn corpus_takes_little_time_and_no_memory_beyond_the_images_own() {
    hush_guarded_panics();
    for entry in manifest() {
        let start = Instant::now();
        let (length, outcome, peak) = decoded(&entry);
        assert!(start.elapsed() < LONGEST, "{} took {:?}", entry.path, start.elapsed());
        let size = outcome.map(|decoded| decoded.pixels.width() as usize * decoded.pixels.height() as usize);
        // Twenty bytes a pixel are the canvases of an animated PNG.
        let own = 20 * size.unwrap_or_default() + 4 * length + SLACK;
        assert!(peak <= own, "{} held {peak} bytes, not {own}", entry.path);
    }
}

#[test]
#[ignore = "needs the folder of public test pictures in REMREMBG_TEST_PICTURES"]
fn corpus_orientations_are_read() {
    for entry in manifest() {
        if let (Ok(expected), (_, Ok(decoded), _)) = (entry.orientation.parse::<u8>(), decoded(&entry)) {
            assert_eq!(decoded.orientation as u8, expected.max(1), "{}", entry.path);
        }
    }
}
