//! What scripts for rembg's command line do, and the pictures that rembg reads.

use image::{DynamicImage, ImageFormat};

use crate::bench::{Bench, HEIGHT, WIDTH, ball, decoded, encoded, fed};

const FAST: [&str; 6] =
    ["--engine", "rten", "--model", "brightness.onnx", "--model-recipe", "size=32 mean=0 std=1 scale=255"];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Raw frames: the ball, and what is left when everything is black.
fn frames() -> Vec<u8> {
    [ball().into_rgb8().into_raw(), vec![0; (WIDTH * HEIGHT * 3) as usize]].concat()
}

fn size() -> [String; 2] {
    [WIDTH.to_string(), HEIGHT.to_string()]
}

#[test]
fn frames_become_files_with_numbers() {
    let bench = Bench::new(&["photo.png"]);
    let [width, height] = size();
    for command in [["frames", "-o"], ["b", "--output_specifier"]] {
        let words = [command[0], command[1], "out/%03u.png", &width, &height, "--jobs", "1"];
        let ran = fed(bench.command(words.iter().chain(&FAST)), &frames()).ok();
        assert!(ran.stderr.starts_with("frame 0 → out/000.png\n"), "{}", ran.stderr);
        bench.removed(["photo.png", "-o", "photo-cutout.png"]).ok();
        assert_eq!(bench.open("out/000.png"), bench.open("photo-cutout.png"), "a frame is as a picture");
        assert!(bench.open("out/001.png").into_rgba8().pixels().all(|pixel| pixel.0[3] == 0), "nothing is in it");
        assert_eq!(bench.files(), ["out/000.png", "out/001.png", "photo-cutout.png", "photo.png"]);
    }
}

#[test]
fn frames_go_to_standard_output_in_their_order() {
    let bench = Bench::new(&[]);
    let [width, height] = size();
    let five = [frames(), frames(), ball().into_rgb8().into_raw()].concat();
    let ran = fed(bench.command(["b", "-om", &width, &height, "--jobs", "3"].iter().chain(&FAST)), &five).ok();
    let starts: Vec<_> = ran.stdout.windows(PNG.len()).enumerate().filter(|(_, bytes)| *bytes == PNG).collect();
    let starts: Vec<_> = starts.into_iter().map(|(at, _)| at).chain([ran.stdout.len()]).collect();
    let masks: Vec<DynamicImage> = starts.windows(2).map(|ends| decoded(&ran.stdout[ends[0]..ends[1]])).collect();
    let whites: Vec<bool> = masks.iter().map(|mask| mask.to_luma8().get_pixel(30, 20).0[0] > 200).collect();
    assert_eq!(whites, [true, false, true, false, true]);
}

#[test]
fn a_stream_that_ends_within_a_frame_is_told_and_the_frames_before_it_are_done() {
    let bench = Bench::new(&[]);
    let [width, height] = size();
    let cut = &frames()[..7200 + 100];
    let ran = fed(bench.command(["frames", &width, &height, "-o", "f%d.png"].iter().chain(&FAST)), cut);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.ends_with("remrembg: Standard input ends in frame 1: 100 of 7200 bytes\n"), "{}", ran.stderr);
    assert_eq!(bench.files(), ["f0.png"]);
    for (words, message) in [
        (["frames", "60", "0", "-o", "f%d.png"], "0 is not in 1"),
        (["frames", "60", "40", "-o", "f.png"], "it has to have one %d, or %03d for three digits"),
        (
            ["frames", "20000", "40", "-o", "f%d.png"],
            "Image width (20000px) exceeds the maximum allowed width of 10000px.",
        ),
        (["frames", "60", "40", "-o", "-"], "it has to have one %d"),
    ] {
        let ran = fed(bench.command(words.iter().chain(&FAST)), &frames());
        assert_eq!(ran.status, Some(2), "{words:?}");
        assert!(ran.stderr.contains(message), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn a_picture_is_deleted_once_its_result_is_there_and_only_then() {
    let bench = Bench::new(&["in/a.png", "in/b.png"]);
    bench.put("in/c.png", b"no picture");
    let words = ["p", "-d", "--accept-usage-cost", "in", "out"];
    let ran = bench.ran(words.iter().chain(&FAST));
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert_eq!(bench.files(), ["in/c.png", "out/a.png", "out/b.png"]);
    // What is found in no picture is kept, and so is one whose result would replace what a picture that is gone became.
    bench.put("in/black.png", &encoded(&DynamicImage::new_rgb8(60, 40), ImageFormat::Png));
    bench.picture("in/a.jpg");
    let ran = bench.ran(words.iter().chain(&FAST));
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 result was there already"), "{}", ran.stderr);
    let ran = bench.removed(["in", "-o", "out", "--format", "png", "--delete-input"]);
    assert_eq!(ran.status, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("There is 'out/a.png' already, and with --delete-input nothing is replaced"),
        "{}",
        ran.stderr
    );
    assert_eq!(bench.files(), ["in/a.jpg", "in/black.png", "in/c.png", "out/a.png", "out/b.png", "out/black.png"]);
}

#[test]
fn a_folder_is_gone_on_with_and_results_that_are_there_stay() {
    let bench = Bench::new(&["in/a.png", "in/b.png"]);
    bench.put("out/a.png", b"retouched");
    let run = || bench.ran(["p", "in", "out"].iter().chain(&FAST)).ok().stderr;
    assert!(run().ends_with("1 result was there already\n"));
    assert_eq!((bench.read("out/a.png"), bench.open("out/b.png").width()), (b"retouched".to_vec(), 60));
    assert_eq!(run(), "2 results were there already\n");
    // What a broken copy left is no result.
    bench.put("out/a.png", b"");
    assert!(run().ends_with("1 result was there already\n"));
    assert_eq!(bench.open("out/a.png").width(), 60);
}

#[test]
fn a_model_is_fetched_where_it_is_not_there() {
    let bench = Bench::new(&["a.png"]);
    for words in [["i", "-m", "silueta", "a.png", "b.png"], ["d", "silueta", "--mirror", "http://127.0.0.1:1/", "-q"]] {
        let mut command = bench.command(words);
        command.env("REMREMBG_MODEL_MIRROR", "http://127.0.0.1:1/");
        let ran = crate::bench::ran(command);
        assert!(ran.status == Some(1) && ran.stderr.contains("127.0.0.1:1"), "it is asked for: {}", ran.stderr);
    }
    let ran = bench.ran(["remove", "a.png", "--model", "silueta"]);
    assert!(ran.stderr.contains("remrembg models fetch silueta"), "nothing is fetched unasked: {}", ran.stderr);
}

#[test]
fn no_picture_is_deleted_for_a_result_that_goes_into_a_stream() {
    let bench = Bench::new(&["a.png"]);
    for out in ["-", "/dev/null", "/dev/stdout"] {
        let ran = bench.removed(["a.png", "-o", out, "--delete-input"]);
        assert_eq!(ran.status, Some(2), "{out}");
        assert!(ran.stderr.contains("--delete-input needs results in files") && bench.has("a.png"), "{}", ran.stderr);
    }
}

#[test]
fn a_picture_with_two_names_is_deleted_once_both_are_done() {
    let bench = Bench::new(&["in/sub/a.png"]);
    bench.removed(["in", "in/sub", "-o", "out", "--delete-input"]).ok();
    assert_eq!(bench.files(), ["out/a.webp", "out/sub/a.webp"]);
}

#[test]
fn extras_name_a_model_of_ones_own() {
    let bench = Bench::new(&["a.png"]);
    let home = r#"{"model_path": "~/brightness.onnx"}"#;
    let ran = bench.ran(["i", "-m", "u2net_custom", "-x", home, "a.png", "b.png"]);
    assert!(ran.stderr.contains("The model takes 1×3×32×32"), "it is found: {}", ran.stderr);
    let run = |model: &str, extras: &str| bench.ran(["i", "-m", model, "-x", extras, "a.png", "b.png"]);
    // The model here has other sides than rembg's: that is told, with those that its name stands for.
    for (model, side) in [("u2net_custom", 320), ("dis_custom", 1024), ("ben_custom", 1024)] {
        let ran = run(model, r#"{"model_path": "brightness.onnx"}"#);
        let message = format!("The model takes 1×3×32×32, but its description says 1×3×{side}×{side}");
        assert!(ran.stderr.contains(&message), "{model}: {}", ran.stderr);
    }
    let [width, height] = size();
    let raw = fed(
        bench.command(["b", "-m", "u2net_custom", "-x", r#"{"model_path": "brightness.onnx"}"#, &width, &height]),
        &frames(),
    );
    assert!(raw.stderr.contains("its description says 1×3×320×320"), "{}", raw.stderr);
    bench.ran(["i", "-x", "{}", "--preset", "fast", "a.png", "c.png"]).ok();
    for (model, extras, message) in [
        ("u2net_custom", "model.onnx", "--extras has to be a JSON object: "),
        ("u2net_custom", r#"{"sam_prompt": []}"#, "--extras knows model_path alone, not 'sam_prompt'"),
        ("u2netp", r#"{"model_path": "a.onnx"}"#, "with --model u2net_custom, dis_custom, ben_custom"),
    ] {
        let ran = run(model, extras);
        assert_eq!(ran.status, Some(2), "{extras}");
        assert!(ran.stderr.contains(message), "{extras}: {}", ran.stderr);
    }
}

#[test]
fn gif_and_tiff_are_read_alone_and_in_folders() {
    let bench = Bench::new(&["photo.png"]);
    bench.removed(["photo.png", "-o", "expected.png"]).ok();
    for (name, format) in
        [("in/a.gif", ImageFormat::Gif), ("in/b.tif", ImageFormat::Tiff), ("in/c.TIFF", ImageFormat::Tiff)]
    {
        bench.put(name, &encoded(&ball(), format));
    }
    bench.put("in/d.jfif", &encoded(&ball(), ImageFormat::Jpeg));
    bench.removed(["in", "-o", "out", "--format", "png"]).ok();
    let made = ["a", "b", "c", "d"].map(|stem| format!("out/{stem}.png"));
    for name in &made[..3] {
        assert_eq!(bench.open(name), bench.open("expected.png"), "{name}");
    }
    assert!(bench.has(&made[3]));
    let mask = bench.removed(["photo.png", "--mask-from", "in/a.gif", "-o", "masked.png"]);
    assert_eq!(mask.status, Some(0), "{}", mask.stderr);
}

#[test]
fn the_suffix_of_the_names_tells_the_format_of_frames() {
    let bench = Bench::new(&[]);
    let [width, height] = size();
    let run = |words: &[&str]| fed(bench.command(words.iter().chain(&FAST)), &frames()).ok();
    run(&["frames", &width, &height, "-o", "f%d.bmp"]);
    run(&["b", &width, &height, "-o", "g%d.bmp"]);
    assert!(bench.read("f0.bmp").starts_with(b"BM") && bench.read("g0.bmp").starts_with(PNG));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_wait_for_a_frame() {
    use std::process::Stdio;

    use crate::bench::{finished, signal};

    let bench = Bench::new(&[]);
    let [width, height] = size();
    let mut command = bench.command(["frames", &width, &height, "-o", "f%d.png"].iter().chain(&FAST));
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let stdin = child.stdin.as_mut().expect("it is piped");
    std::io::Write::write_all(stdin, &frames()[..7200 + 9]).expect("it is read");
    crate::bench::until("the first frame is done", || bench.has("f0.png"));
    signal(&child, "TERM");
    assert_eq!(finished(child).status, Some(143));
}

#[cfg(unix)]
#[test]
fn s_lets_in_whom_the_environment_says() {
    use crate::serve::Started;

    let bench = Bench::new(&[]);
    let mut command = bench.command(["s", "--port=0", "-h", "localhost"].iter().chain(&FAST));
    command.env("REMREMBG_KEYS", "secret");
    let service = Started::new(command);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let status = |key: &str| {
        let request = agent.post(format!("http://{}/api/remove", service.url)).header("x-api-key", key);
        request.send_empty().expect("it answers").status().as_u16()
    };
    assert_eq!((status("other"), status("secret")), (401, 400));
    service.ended();
}

#[cfg(unix)]
#[test]
fn s_answers_what_rembgs_service_answers() {
    use crate::serve::Started;

    let bench = Bench::new(&["photo.png"]);
    let words = ["s", "--port=0", "-h", "localhost", "-l", "warning", "--no-ui", "-t", "2"];
    let service = Started::new(bench.command(words.iter().chain(&FAST)));
    let url = format!("http://{}/api/remove", service.url);
    let boundary = "XboundaryX";
    let body = [
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"om\"\r\n\r\ntrue\r\n").into_bytes(),
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.gif\"\r\n\r\n")
            .into_bytes(),
        encoded(&ball(), ImageFormat::Gif),
        format!("\r\n--{boundary}--\r\n").into_bytes(),
    ];
    let request = ureq::post(&url).header("content-type", format!("multipart/form-data; boundary={boundary}"));
    let mut answer = request.send(&body.concat()[..]).expect("it is answered");
    let mask = decoded(&answer.body_mut().read_to_vec().expect("it is whole"));
    assert_eq!((mask.width(), mask.height(), mask.color()), (WIDTH, HEIGHT, image::ColorType::L8));
    let (status, log) = service.ended();
    assert_eq!((status, log.len()), (Some(0), 0), "{log:?}");
}
