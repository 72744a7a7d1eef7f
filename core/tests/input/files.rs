//! The vectors of `testdata/files.json`, and what vectors cannot say.

use std::fs;
use std::path::Path;

use remrembg::{Code, Collector, Control, Error, Input, Layout, Limits, PixelView, check_input, decode_input};
use serde::Deserialize;

use crate::memory::peak_of;
use crate::samples::hex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    input: Source,
    #[serde(default)]
    limits: Bounds,
    error: Option<Refusal>,
    ok: Option<Size>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(default)]
    missing: bool,
    parts: Option<Vec<Part>>,
    file_name: Option<String>,
    path_suffix: Option<String>,
    pixels: Option<Buffer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    hex: Option<String>,
    fill: Option<String>,
    #[serde(default)]
    count: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Buffer {
    width: u32,
    height: u32,
    layout: String,
    stride: usize,
    length: usize,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Bounds {
    max_bytes: Option<u64>,
    max_side: Option<u32>,
    decode_memory: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    body: String,
    status: u16,
    codes: Vec<String>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Size {
    width: u32,
    height: u32,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../testdata/files.json");
    serde_json::from_str(text).expect("testdata/files.json has the shape that testdata/README.md describes")
}

impl Bounds {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.max_bytes = self.max_bytes.unwrap_or(limits.max_bytes);
        limits.max_side = self.max_side.unwrap_or(limits.max_side);
        limits.decode_memory = self.decode_memory.unwrap_or(limits.decode_memory);
        limits
    }
}

impl Source {
    fn bytes(&self) -> Vec<u8> {
        let part = |part: &Part| match (&part.hex, &part.fill) {
            (Some(text), None) => hex(text),
            (None, Some(byte)) => hex(byte).repeat(part.count),
            _ => panic!("a part is either hex or a fill"),
        };
        self.parts.iter().flatten().flat_map(part).collect()
    }

    fn outcome(&self, limits: &Limits) -> Result<Size, Error> {
        let bytes = self.bytes();
        match (&self.file_name, &self.path_suffix, &self.pixels) {
            _ if self.missing => size_of(Input::Missing, limits),
            (Some(name), ..) => size_of(Input::Upload { name, bytes: &bytes }, limits),
            (_, Some(suffix), _) => {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join(format!("picture{suffix}"));
                fs::write(&path, bytes).expect("written");
                size_of(Input::NamedPath(&path), limits)
            }
            (.., Some(buffer)) => buffer.outcome(limits),
            _ => size_of(Input::Bytes(&bytes), limits),
        }
    }
}

impl Buffer {
    fn outcome(&self, limits: &Limits) -> Result<Size, Error> {
        let layout = match self.layout.as_str() {
            "rgb8" => Layout::Rgb8,
            "rgba8" => Layout::Rgba8,
            other => panic!("unknown layout {other}"),
        };
        let data = vec![0; self.length];
        size_of(PixelView::new(&data, self.width, self.height, layout, self.stride)?.into(), limits)
    }
}

/// The same bytes, a thousand at a time.
fn collected(source: &Source, limits: &Limits) -> Collector {
    let mut collector = Collector::new(source.file_name.clone(), limits);
    source.bytes().chunks(1000).all(|piece| collector.push(piece));
    collector
}

/// The size that decoding finds, which must be the one of the header check.
fn size_of(input: Input<'_>, limits: &Limits) -> Result<Size, Error> {
    let pixels = decode_input(input, limits, &Control::default())?.pixels;
    let size = (pixels.width(), pixels.height());
    assert_eq!(check_input(input, limits).ok(), Some(size));
    Ok(Size { width: size.0, height: size.1 })
}

#[test]
fn every_vector_holds_to_the_letter() {
    for vector in vectors() {
        let outcome = vector.input.outcome(&vector.limits.limits());
        match (outcome, &vector.error, &vector.ok) {
            (Err(error), Some(expected), None) => {
                assert_eq!(error.to_json(), expected.body, "{}", vector.name);
                assert_eq!(error.status(), expected.status, "{}", vector.name);
                let codes: Vec<_> = error.details().iter().map(|problem| problem.code.name()).collect();
                let codes = if codes.is_empty() { vec![error.code().name()] } else { codes };
                assert_eq!(codes, expected.codes, "{}", vector.name);
            }
            (Ok(size), None, Some(expected)) => assert_eq!(&size, expected, "{}", vector.name),
            (outcome, ..) => panic!("{}: {outcome:?}", vector.name),
        }
    }
}

#[test]
fn a_picture_in_pieces_is_held_to_the_letter_too() {
    for vector in vectors() {
        let (source, limits) = (&vector.input, vector.limits.limits());
        if source.parts.is_some() && source.path_suffix.is_none() {
            let told = |size: Result<Size, Error>| size.map_err(|error| (error.code(), error.to_json()));
            let outcome = told(size_of(Input::Collected(&collected(source, &limits)), &limits));
            assert_eq!(outcome, told(source.outcome(&limits)), "{}", vector.name);
        }
    }
}

#[test]
fn every_file_error_has_a_vector() {
    let seen: Vec<_> = vectors().into_iter().filter_map(|vector| vector.error).flat_map(|error| error.codes).collect();
    let file_errors = [
        Code::NoImage,
        Code::NoFileSelected,
        Code::FileType,
        Code::EmptyFile,
        Code::FileTooLarge,
        Code::CorruptImage,
        Code::ImageTooWide,
        Code::ImageTooTall,
        Code::TooMuchMemory,
        Code::BadPixels,
    ];
    for code in file_errors {
        assert!(seen.iter().any(|name| name == code.name()), "{} has no vector", code.name());
    }
}

#[test]
fn file_errors_carry_the_field_image() {
    let error = check_input(Input::Missing, &Limits::default()).expect_err("refused");
    assert_eq!(error.details().iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["image"]);
}

#[test]
fn a_picture_in_pieces_is_refused_by_its_name_before_its_size() {
    let mut limits = Limits::default();
    limits.max_bytes = 1000;
    let mut collector = Collector::new(Some("setup.exe".to_owned()), &limits);
    assert!(!collector.push(&[0; 9000]));
    let error = check_input(&collector, &limits).expect_err("refused");
    assert_eq!(error.message(), "File type '.exe' is not supported. Allowed formats: webp, bmp, png, jpg, jpeg");
    assert_eq!(format!("{collector:?}"), r#"Collector { name: Some("setup.exe"), size: 9000, .. }"#);
}

#[test]
fn a_picture_in_pieces_takes_no_more_memory_than_its_limit_and_none_once_too_large() {
    let limits = Limits::default();
    let most = limits.max_bytes as usize;
    let piece = vec![7; 1 << 16];
    let mut collector = Collector::new(None, &limits);
    let ((), peak) = peak_of(|| (0..most / piece.len()).for_each(|_| assert!(collector.push(&piece))));
    // A buffer that grows may exist twice for a moment.
    assert!(peak <= 2 * most, "{peak} bytes for {most}");
    let (more, peak) = peak_of(|| (0..1000).all(|_| collector.push(&piece)));
    assert!(more && peak == 0, "{peak} bytes more");
    let error = check_input(&collector, &limits).expect_err("refused");
    assert_eq!(error.message(), "File size (112.5 MB) exceeds the maximum allowed size of 50 MB.");
}

fn refusal(path: &Path) -> Error {
    check_input(path, &Limits::default()).expect_err("refused")
}

#[test]
fn path_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.png");
    let without_suffix = folder.path().join("missing");
    for path in [missing.as_path(), without_suffix.as_path(), folder.path()] {
        let error = refusal(path);
        assert_eq!((error.code(), error.status()), (Code::CannotRead, 500));
        assert!(error.message().contains(&path.display().to_string()), "{error}");
    }
    let source = std::error::Error::source(&refusal(&missing))
        .and_then(|source| source.downcast_ref())
        .map(std::io::Error::kind);
    assert_eq!(source, Some(std::io::ErrorKind::NotFound));
}

#[test]
fn suffix_of_a_path_is_tested_before_the_file_is_looked_for() {
    let path = Path::new("/no/such/folder/setup.EXE");
    let error = check_input(Input::NamedPath(path), &Limits::default()).expect_err("refused");
    assert_eq!(error.message(), "File type '.exe' is not supported. Allowed formats: webp, bmp, png, jpg, jpeg");
}

#[test]
fn a_path_that_stands_in_for_no_upload_goes_by_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["photo", "photo.jfif", "photo.txt"] {
        let path = folder.path().join(name);
        image::GrayImage::new(3, 2).save_with_format(&path, image::ImageFormat::Png).expect("written");
        assert_eq!(check_input(path.as_path(), &Limits::default()).ok(), Some((3, 2)), "{name}");
        fs::write(&path, "text").expect("written");
        assert_eq!(refusal(&path).code(), Code::CorruptImage, "{name}");
    }
}

#[test]
fn size_of_a_path_is_asked_before_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sparse.png");
    // Sparse: a terabyte that no disk holds and no memory could take.
    fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("created");
    let message = "File size (1048576.0 MB) exceeds the maximum allowed size of 50 MB.";
    assert_eq!(refusal(&path).message(), message);
}

#[cfg(unix)]
#[test]
fn pipe_under_a_good_name_does_not_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(refusal(&path).code(), Code::CannotRead);
}
