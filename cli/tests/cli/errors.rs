//! What is told when something is wrong, and the exit status.

use image::{DynamicImage, ImageFormat};

use crate::bench::{Bench, ball, encoded, fed};

const CORRUPT: &str = "File does not appear to be a valid image (invalid file signature)";
const EMPTY: &str = "Uploaded file is empty (0 bytes).";

#[test]
fn one_bad_picture_among_many_is_told_and_the_others_are_done() {
    let bench = Bench::new(&["in/a.png", "in/c.png"]);
    bench.put("in/b.png", b"not a picture");
    let ran = bench.removed(["in", "-o", "out"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains(&format!("remrembg: in/b.png: {CORRUPT}: this is text\n")), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("2 done, 1 failed\n"), "{}", ran.stderr);
    bench.open("out/a.webp");
    bench.open("out/c.webp");
    assert!(!bench.has("out/b.webp"));
}

#[test]
fn the_status_is_2_only_when_every_failure_is_a_refusal() {
    let bench = Bench::new(&["a.png"]);
    bench.put("empty.png", b"");
    bench.put("b.heic", b"\0\0\0\x1cftypheic\0\0\0\0");
    let status = |inputs: &[&str]| bench.removed(inputs.iter().chain(&["-o", "out/"])).status;
    assert_eq!(status(&["a.png"]), Some(0));
    assert_eq!(status(&["a.png", "empty.png", "b.heic"]), Some(2));
    assert_eq!(status(&["a.png", "empty.png", "gone.png"]), Some(1));
    assert_eq!(status(&["gone.png"]), Some(1));
}

#[test]
fn pictures_are_refused_in_the_words_of_the_contract() {
    let bench = Bench::new(&[]);
    bench.put("b.HEIC", b"\0\0\0\x1cftypheic\0\0\0\0");
    bench.put("none", b"\0\0\0\x1cftypheic\0\0\0\0");
    bench.put("empty.png", b"");
    let wide = encoded(&DynamicImage::new_luma8(10_001, 1), ImageFormat::Png);
    bench.put("wide.png", &wide);
    for (name, message, reason) in [
        ("b.HEIC", CORRUPT, ": this is a HEIC picture"),
        ("none", CORRUPT, ": this is a HEIC picture"),
        ("empty.png", EMPTY, ""),
        ("wide.png", "Image width (10001px) exceeds the maximum allowed width of 10000px.", ""),
    ] {
        let ran = bench.removed([name, "--json"]);
        let body = format!(r#"{{"error":"{message}","status":400}}"#);
        assert_eq!((ran.status, ran.stderr), (Some(2), format!("{body}\n")));
        let ran = bench.removed([name]);
        assert_eq!((ran.status, ran.stderr), (Some(2), format!("remrembg: {name}: {message}{reason}\n")));
    }
    let ran = bench.removed(["-", "-o", "out.webp"]);
    assert_eq!((ran.status, ran.stderr), (Some(2), format!("remrembg: -: {EMPTY}\n")));
}

#[test]
fn the_bytes_tell_what_a_picture_is_and_not_its_name() {
    let bench = Bench::new(&[]);
    for name in ["photo.jfif", "photo", "photo.txt"] {
        bench.put(name, &encoded(&ball(), ImageFormat::Png));
        let ran = bench.removed([name, "-o", "out.png"]);
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.stderr);
        bench.open("out.png");
    }
}

#[test]
fn too_much_on_standard_input_is_counted_and_refused() {
    let bench = Bench::new(&[]);
    let ran = fed(bench.remove(["-"]), &vec![0; 51 << 20]);
    let message = "File size (51.0 MB) exceeds the maximum allowed size of 50 MB.";
    assert_eq!((ran.status, ran.stderr), (Some(2), format!("remrembg: -: {message}\n")));
}

#[test]
fn all_that_is_wrong_with_one_picture_is_told_at_once() {
    let bench = Bench::new(&[]);
    bench.put("b.heic", b"\0\0\0\x1cftypheic\0\0\0\0");
    let wrong = ["--w=abc", "--angle", "-500"];
    let ran = bench.removed(["b.heic", "--json"].iter().chain(&wrong));
    let body = format!(
        r#"{{"error":"Multiple validation errors","details":[{{"field":"image","message":"{CORRUPT}"}},{{"field":"w","message":"'w' must be an integer, got: 'abc'"}},{{"field":"angle","message":"'angle' must be between -360 and 360 degrees, got: -500.0"}}],"status":400}}"#
    );
    assert_eq!((ran.status, ran.stderr), (Some(2), format!("{body}\n")));
    let ran = bench.removed(["b.heic"].iter().chain(&wrong));
    assert_eq!(
        ran.stderr.lines().collect::<Vec<_>>(),
        [
            format!("remrembg: b.heic: {CORRUPT}: this is a HEIC picture"),
            "remrembg: b.heic: 'w' must be an integer, got: 'abc'".into(),
            "remrembg: b.heic: 'angle' must be between -360 and 360 degrees, got: -500.0".into(),
        ]
    );
    let ran = fed(bench.remove(["-", "--w=abc"]), &encoded(&ball(), ImageFormat::Png));
    assert_eq!(ran.stderr, "remrembg: -: 'w' must be an integer, got: 'abc'\n");
}

#[test]
fn refused_options_of_many_pictures_are_told_once_and_nothing_is_begun() {
    let bench = Bench::new(&["in/a.png", "in/b.png"]);
    let ran = bench.removed(["in", "-o", "out", "--w", "-5", "--json"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.stderr, "{\"error\":\"'w' must be at least 1, got: -5\",\"status\":400}\n");
    assert_eq!(ran.text(), "");
    let ran = bench.removed(["in", "-o", "out", "--mask", "--bg-color", "red"]);
    let message = "Cannot use 'mask=true' together with 'bg_color'. Choose one or the other.";
    assert_eq!(ran.stderr, format!("remrembg: {message}\n"));
    assert!(!bench.has("out"));
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let bench = Bench::new(&["a.png"]);
    let ran = bench.removed(["a.png", "--colour", "red"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("--colour"), "{}", ran.stderr);
    let ran = bench.removed(["a.png", "--json", "--colour", "red"]);
    assert_eq!((ran.status, ran.text()), (Some(2), ""));
    assert_eq!(ran.stderr, "{\"error\":\"unexpected argument '--colour' found\",\"status\":400}\n");
    let ran = bench.removed(["a.png", "--providers", "tpu"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("Unknown provider 'tpu'. Providers: cpu (CPUExecutionProvider), "), "{}", ran.stderr);
    assert_eq!(bench.ran::<&str>([]).status, Some(2));
}

#[test]
fn models_and_engines_that_are_not_there_are_status_1() {
    let bench = Bench::new(&["a.png"]);
    for (args, says) in [
        (["--model", "nosuch"], "nosuch"),
        (["--model", "gone.onnx"], "gone.onnx"),
        (["--model", "u2net"], "remrembg models fetch u2net"),
        (["--onnxruntime", "a.png"], "a.png"),
    ] {
        let ran = bench.ran(["remove", "a.png"].iter().chain(&args));
        assert_eq!(ran.status, Some(1), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("remrembg: ") && ran.stderr.contains(says), "{}", ran.stderr);
    }
    let ran = bench.ran(["remove", "a.png", "--engine", "rten", "--providers", "cuda,cpu"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("CUDAExecutionProvider needs the engine onnxruntime"), "{}", ran.stderr);
    assert_eq!(bench.files(), ["a.png"]);
    let ran = bench.ran(["remove", "a.png", "--model", "brightness.onnx", "--model-recipe", "size=0"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.stderr, "remrembg: 'size' must be WIDTHxHEIGHT, each 1 to 8192, got: '0'\n");
}
