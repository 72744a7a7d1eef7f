//! What comes out, and what is told of it.

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, guess_format};

use crate::bench::{Bench, HEIGHT, WIDTH, ball, encoded, fed};

#[test]
fn a_photo_becomes_a_cut_out_without_any_setup() {
    let bench = Bench::new(&["photo.png"]);
    let ran = bench.ran(["remove", "photo.png", "-o", "out.png"]).ok();
    assert_eq!(ran.text(), "");
    assert_eq!(ran.stderr, "photo.png → out.png\n");
    let cut = bench.open("out.png").into_rgba8();
    assert_eq!(cut.dimensions(), (WIDTH, HEIGHT));
    assert!(cut.get_pixel(30, 20).0[3] > 240, "the ball stays");
    assert!(cut.get_pixel(1, 1).0[3] < 16, "the background goes");
}

#[test]
fn remove_may_be_left_out_before_a_picture_a_folder_or_a_flag() {
    let bench = Bench::new(&["photo.png", "photos/a.png"]);
    let quick = ["--preset", "fast"];
    for (words, made) in [
        (vec!["photo.png", "-o", "one.webp"], "one.webp"),
        (vec!["photos", "-o", "two"], "two/a.webp"),
        (vec!["-o", "three.png", "photo.png"], "three.png"),
        (vec!["photo.png", "--mask"], "photo-mask.webp"),
    ] {
        bench.ran(words.iter().chain(&quick)).ok();
        assert!(!bench.read(made).is_empty(), "{words:?}");
    }
    let missing = bench.ran(["nowhere.png"]);
    assert!(missing.stderr.starts_with("remrembg: nowhere.png: Cannot read 'nowhere.png'"), "{}", missing.stderr);
    let typo = bench.ran(["modls"]);
    assert!(typo.stderr.contains("unrecognized subcommand 'modls'"), "{}", typo.stderr);
}

#[test]
fn rembgs_own_commands_run_as_they_are() {
    let bench = Bench::new(&["a.png", "in/b.png"]);
    bench.ran(["i", "a.png", "out.png"]).ok();
    assert!(bench.open("out.png").color().has_alpha());
    bench.ran(["i", "-om", "-ppm", "a.png", "mask.png"]).ok();
    assert_eq!(bench.open("mask.png").color(), image::ColorType::L8);
    bench.ran(["i", "--alpha-matting", "-ae", "5", "-bgc", "0", "0", "255", "255", "a.png", "blue.png"]).ok();
    assert_eq!(bench.open("blue.png").into_rgb8().get_pixel(0, 0).0, [0, 0, 255]);
    bench.ran(["p", "-m", "u2netp", "in", "out"]).ok();
    bench.open("out/b.png");
    let ran = fed(bench.command(["i"]), &bench.read("a.png"));
    assert_eq!(
        (ran.status, image::guess_format(&ran.stdout).ok()),
        (Some(0), Some(ImageFormat::Png)),
        "{}",
        ran.stderr
    );
    bench.ran(["i", "-a", "a.png", "matted.png"]).ok();
    let ran = bench.ran(["i", "-vm", "a.png", "vitmatte.png"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no ViTMatte here"), "{}", ran.stderr);
    assert_eq!(bench.read("vitmatte.png"), bench.read("matted.png"));
    for quiet in ["--quiet", "--json"] {
        let ran = bench.ran(["i", quiet, "-vm", "a.png", "vitmatte.png"]);
        assert_eq!((ran.status, &*ran.stderr), (Some(0), ""), "{quiet}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_a_stream_goes_by_its_bytes() {
    let bench = Bench::new(&["a.png"]);
    bench.ran(["a.png", "-o", "file.png"]).ok();
    fed(bench.command(["/dev/stdin", "-o", "stream.png"]), &bench.read("a.png")).ok();
    assert_eq!(bench.read("stream.png"), bench.read("file.png"));
}

#[test]
fn a_boolean_stands_after_its_flag_with_or_without_an_equals_sign() {
    let bench = Bench::new(&["a.png"]);
    let made = |words: &[&str]| {
        bench.ran([&["a.png", "-o", "o.png", "--preset", "fast"], words].concat()).ok();
        bench.read("o.png")
    };
    let (on, off) = (made(&["--mask=on"]), made(&["--mask=off"]));
    assert_ne!(on, off);
    assert_eq!(made(&["--mask"]), on);
    for (words, right) in [(["on", "TRUE", "1", "yes"], &on), (["off", "False", "0", "no"], &off)] {
        words.into_iter().for_each(|word| assert_eq!(&made(&["--mask", word]), right, "{word}"));
    }
    let bench = Bench::new(&["a.png", "on"]);
    let ran = bench.ran(["a.png", "--mask", "on", "-o", "out", "--preset", "fast"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(bench.has("out/a.webp") && bench.has("out/on.webp"), "a picture of that name is a picture");
}

#[test]
fn a_name_for_the_result_is_told_from_a_second_picture() {
    let bench = Bench::new(&["a.png", "b.png"]);
    let ran = bench.ran(["a.png", "out.png"]);
    assert_eq!(
        (ran.status, &*ran.stderr),
        (Some(2), "remrembg: There is no 'out.png'. If the result is to have that name, say -o out.png\n")
    );
    let ran = bench.ran(["a.png", "b.png", "-o", "new.png"]);
    let said = "remrembg: 'new.png' is the name of one picture, and there are 2. Give a folder with -o\n";
    assert_eq!((ran.status, &*ran.stderr), (Some(2), said));
    assert!(!bench.has("new.png"), "no folder is made");
}

#[test]
fn the_flag_tells_the_format_else_the_suffix_else_webp() {
    let bench = Bench::new(&["a.png"]);
    for (args, name, format) in [
        (vec!["-o", "o.png"], "o.png", ImageFormat::Png),
        (vec!["-o", "o.JPG"], "o.JPG", ImageFormat::Jpeg),
        (vec!["-o", "o.jpeg"], "o.jpeg", ImageFormat::Jpeg),
        (vec!["-o", "o.bmp"], "o.bmp", ImageFormat::Bmp),
        (vec!["-o", "o"], "o", ImageFormat::WebP),
        (vec!["-o", "p.png", "--format", "bmp"], "p.png", ImageFormat::Bmp),
        (vec!["-o", "q.png", "--format="], "q.png", ImageFormat::WebP),
        (vec!["-o", "d/", "--format", "jpeg"], "d/a.jpg", ImageFormat::Jpeg),
        (vec![], "a-cutout.webp", ImageFormat::WebP),
        (vec!["--mask"], "a-mask.webp", ImageFormat::WebP),
    ] {
        bench.removed(["a.png"].iter().chain(&args)).ok();
        assert_eq!(guess_format(&bench.read(name)).ok(), Some(format), "{args:?}");
    }
    let ran = bench.removed(["a.png", "-o", "o.gif"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.stderr, "remrembg: a.png: Invalid format 'gif'. Allowed formats: PNG, JPEG, WEBP, BMP\n");
}

#[test]
fn standard_input_becomes_standard_output() {
    let bench = Bench::new(&[]);
    let jpeg = encoded(&ball(), ImageFormat::Jpeg);
    for args in [vec!["-"], vec!["-", "-o", "-"]] {
        let ran = fed(bench.remove(&args), &jpeg).ok();
        assert_eq!(guess_format(&ran.stdout).ok(), Some(ImageFormat::WebP));
        assert_eq!(ran.stderr, "", "a filter is silent");
    }
    let ran = fed(bench.remove(["-", "-o", "out.png"]), &jpeg).ok();
    assert_eq!(ran.stderr, "- → out.png\n");
    assert!(bench.open("out.png").color().has_alpha());
}

#[test]
fn every_option_reaches_the_picture() {
    let bench = Bench::new(&["a.png"]);
    let size = |args: &[&str]| {
        bench.removed(["a.png", "-o", "o.png"].iter().chain(args)).ok();
        let picture = bench.open("o.png");
        (picture.width(), picture.height())
    };
    assert_eq!(size(&["--w", "30"]), (30, 20));
    assert_eq!(size(&["--h=80"]), (120, 80));
    assert_eq!(size(&["--w", "30", "--h", "30"]), (30, 20));
    assert_eq!(size(&["--w", "30", "--h", "30", "--exact-resize"]), (30, 30));
    assert_eq!(size(&["--w", "30", "--h", "30", "--exact_resize=yes"]), (30, 30));
    assert_eq!(size(&["--angle", "-90"]), (40, 60));
    // Numbers as Python writes them, too.
    assert_eq!([size(&["--angle", "-.0"]), size(&["--angle", "-9_0.0"])], [(60, 40), (40, 60)]);
    assert_eq!(size(&["--angle", "90", "--expand=false"]), (60, 40));
    assert_eq!(size(&["--w", "7", "--w", "30"]), (30, 20), "the last one counts");
    size(&["--mask"]);
    assert!(matches!(bench.open("o.png"), DynamicImage::ImageLuma8(_)), "a mask is grey");
    size(&["--mask=false", "--bg-color", "#00f"]);
    assert_eq!(bench.open("o.png").into_rgb8().get_pixel(1, 1).0, [0, 0, 255]);
}

#[test]
fn json_has_one_object_for_each_picture() {
    let bench = Bench::new(&["a.png"]);
    bench.put("bad.png", b"not a picture");
    let ran =
        bench.removed(["a.png", "bad.png", "-o", "out", "--format", "jpeg", "--w", "30", "--jobs", "1", "--json"]);
    assert_eq!(ran.status, Some(2));
    let body = r#"{"error":"File does not appear to be a valid image (invalid file signature)","status":400}"#;
    assert_eq!(ran.stderr, format!("{body}\n"));
    let lines: Vec<&str> = ran.text().lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.contains(&format!(r#"{{"input":"bad.png","error":{body},"reason":"this is text"}}"#).as_str()),
        "{lines:?}"
    );
    let done = lines.iter().find(|line| line.contains("a.jpg")).expect("the good one is done");
    let bytes = bench.read("out/a.jpg").len();
    let head = format!(
        r#"{{"input":"a.png","output":"out/a.jpg","width":30,"height":20,"format":"jpeg","mime":"image/jpeg","bytes":{bytes},"coverage":0."#
    );
    assert!(done.starts_with(&head), "{done}");
    let line = ran.json().into_iter().find(|line| line.get("coverage").is_some()).expect("the good one is done");
    // An ellipse of half the picture's sides.
    assert!(line["coverage"].as_f64().is_some_and(|part| (0.1..0.4).contains(&part)), "{line}");
    assert!(line["confidence"].as_f64().is_some_and(|part| (0.5..=1.0).contains(&part)), "{line}");
    let bounds: Vec<u64> = line["bounds"].as_array().expect("it is found").iter().filter_map(|n| n.as_u64()).collect();
    assert!(bounds.len() == 4 && bounds[0] > 0 && bounds[2] < 60 && bounds[3] < 40, "{bounds:?}");
    let times = ran.json().into_iter().find_map(|line| line["times"].as_object().cloned()).expect("it has times");
    for stage in ["decode", "segment", "refine", "cut_out", "resize", "background", "encode"] {
        assert!(times[stage].as_f64().is_some_and(|ms| ms >= 0.0), "{stage}");
    }
    assert_eq!(times.len(), 7, "only stages that ran are there");
}

#[test]
fn stats_tell_sizes_times_model_and_engine() {
    let bench = Bench::new(&["a.png"]);
    let ran = bench.removed(["a.png", "-o", "o.png", "--w", "30", "--threads", "1", "--stats"]).ok();
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let version = env!("CARGO_PKG_VERSION");
    assert!(lines[0].starts_with(&format!("remrembg {version}, model brightness.onnx, engine rten 0.")), "{lines:?}");
    assert!(lines[0].ends_with("(CPU, 1 thread)"), "{lines:?}");
    assert_eq!(lines[1], "a.png → o.png");
    assert_eq!(lines[2], format!("  60×40 → 30×20 image/png, {} bytes", bench.read("o.png").len()));
    assert!(lines[3].starts_with("  subject ") && lines[3].contains(" %, confidence "), "{lines:?}");
    assert!(lines[4].contains("decode ") && lines[4].contains(" ms, segment "), "{lines:?}");
}

#[test]
fn a_picture_in_which_nothing_is_found_is_told_of_and_is_no_error() {
    let bench = Bench::new(&["a.png"]);
    bench.put("black.png", &encoded(&DynamicImage::new_rgb8(60, 40), ImageFormat::Png));
    let ran = bench.removed(["a.png", "black.png", "-o", "out", "--jobs", "1"]).ok();
    let warning = "remrembg: black.png: nothing was found in the picture: the result is empty, or nearly so";
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("remrembg: ")).collect::<Vec<_>>(), [warning]);
    let ran = bench.removed(["black.png", "-o", "o.png", "--json"]).ok();
    assert_eq!(ran.json()[0]["bounds"], serde_json::Value::Null);
    assert_eq!(ran.json()[0]["confidence"], 0.0);
    assert_eq!(bench.removed(["black.png", "-o", "o.png", "-q"]).ok().stderr, "");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let bench = Bench::new(&["a.png"]);
    let ran = bench.removed(["a.png", "gone.png", "-o", "out", "-q"]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(ran.text(), "");
    assert_eq!(ran.stderr.lines().count(), 1);
    assert!(ran.stderr.starts_with("remrembg: gone.png: Cannot read 'gone.png'"), "{}", ran.stderr);
}

#[test]
fn a_mask_of_ones_own_stands_in_for_the_models() {
    let bench = Bench::new(&["photo.png", "photos/a.png"]);
    let left = image::GrayImage::from_fn(WIDTH, HEIGHT, |x, _| image::Luma([if x < WIDTH / 2 { 255 } else { 0 }]));
    left.save(bench.path("left.png")).expect("the folder can be written to");
    let alpha = |name: &str| [2, WIDTH - 2].map(|x| bench.open(name).into_rgba8().get_pixel(x, HEIGHT / 2).0[3]);
    bench.removed(["photo.png", "-o", "cut.png", "--mask-from", "left.png", "--refine=off"]).ok();
    assert_eq!(alpha("cut.png"), [255, 0]);
    bench.removed(["photo.png", "-o", "known.png", "--mask-from", "left.png", "--trimap"]).ok();
    assert_eq!(alpha("known.png"), [255, 0]);
    let ran = bench.removed(["photos", "-o", "out", "--mask-from", "left.png"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), "remrembg: --mask-from takes one picture as INPUT\n"));
    let ran = bench.removed(["photo.png", "-o", "cut.png", "--mask-from", "gone.png"]);
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("Cannot read 'gone.png'"), "{}", ran.stderr);
}

#[test]
fn points_choose_what_is_kept_and_those_outside_are_refused() {
    let bench = Bench::new(&["photo.png"]);
    bench.removed(["photo.png", "-o", "kept.png", "--keep", "30,20", "--preset", "fast"]).ok();
    bench.removed(["photo.png", "-o", "gone.png", "--drop", "30,20"]).ok();
    let alpha = |name: &str| bench.open(name).into_rgba8().get_pixel(30, 20).0[3];
    assert_eq!((alpha("kept.png") > 240, alpha("gone.png")), (true, 0));
    let ran = bench.removed(["photo.png", "-o", "kept.png", "--keep", "9999,5"]);
    let message =
        format!("remrembg: photo.png: 'keep' must lie in the picture of {WIDTH}×{HEIGHT} pixels, got: '9999,5'\n");
    assert_eq!((ran.status, ran.stderr), (Some(2), message));
}

#[test]
fn several_at_once_are_told_of_in_the_order_in_which_they_were_given() {
    let bench = Bench::new(&["small.png"]);
    let large = ball().resize_exact(4000, 3000, FilterType::Nearest);
    bench.put("large.png", &encoded(&large, ImageFormat::Png));
    let ran = bench.removed(["large.png", "small.png", "-o", "made", "--format", "png", "--jobs", "2", "--json"]).ok();
    let inputs: Vec<_> = ran.json().iter().map(|line| line["input"].clone()).collect();
    assert_eq!(inputs, ["large.png", "small.png"]);
}
