//! What removals take of memory, beside what they are charged.
#![cfg(target_os = "linux")]

#[path = "../src/engine/tests/onnx.rs"]
mod onnx;

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, Cursor, Read};
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use remrembg::{
    CancelToken, Code, Config, EngineChoice, Input, Job, Limits, Model, Options, Progress, Recipe, Remover, Stream,
};

fn remover(memory: u64) -> Remover {
    Remover::new(config(memory)).expect("the engine inside always works")
}

fn config(memory: u64) -> Config {
    let path = onnx::not_green_in(env!("CARGO_TARGET_TMPDIR"), "memory.onnx");
    let mut config = Config::default();
    config.engine = EngineChoice::Rten;
    config.model = Model::File { path, recipe: Recipe::U2NET };
    config.memory = memory;
    config
}

/// Red and green patches with noise, so that nothing compresses to nothing.
fn noisy(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 27) as u8;
        let (dx, dy) = (x as i32 - width as i32 / 2, y as i32 - height as i32 / 2);
        let inside = dx * dx + dy * dy < (height as i32 / 3).pow(2);
        if inside { Rgb([180 + noise, 40 + noise, 40]) } else { Rgb([40, 180 + noise, 40 + noise]) }
    })
}

/// A grid of lines inside a white border: nearly all of it is edge.
fn drawn(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let border = x.min(y).min(width - 1 - x).min(height - 1 - y) < 60;
        if !border && (x % 8 < 2 || y % 8 < 2) { Rgb([20, 60, 180]) } else { Rgb([255; 3]) }
    })
}

/// Dots of two greys inside a white border, and some black ones: all of it is edge, as in a picture printed with dots.
fn dotted(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let border = x.min(y).min(width - 1 - x).min(height - 1 - y) < 40;
        Rgb([if border || (x + y) % 2 == 0 {
            255
        } else if state >> 24 < 20 {
            0
        } else {
            215
        }; 3])
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).expect("it can be written to memory");
    bytes.into_inner()
}

/// A number of kilobytes that the system keeps on this process, in megabytes.
fn megabytes(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

/// What is made of a picture, and says whether there is something.
type Run = fn(Job<'_>) -> remrembg::Result<bool>;

const FILE: Run = |job| job.run().map(|output| !output.data.is_empty());
const PIXELS: Run = |job| job.run_to_pixels().map(|output| !output.pixels.data().is_empty());
const MATTE: Run = |job| job.run_to_matte().map(|matte| matte.width > 0);

/// Runs a removal and says by how many megabytes memory grew at its peak, the picture's file included.
fn taken(run: Run, remover: &Remover, file: &[u8], options: &[(&str, &str)]) -> f64 {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be reset");
    let before = megabytes("VmRSS");
    assert!(run(remover.job(file).pairs(options.iter().copied())).expect("it runs"));
    megabytes("VmHWM") - before + file.len() as f64 / Limits::MB as f64
}

/// What the removal is charged, in megabytes, as the refusal of one that may take a single byte tells.
fn charged(run: Run, file: &[u8], options: &[(&str, &str)]) -> f64 {
    let remover = remover(1);
    let error = run(remover.job(file).pairs(options.iter().copied())).expect_err("nothing fits into a byte");
    assert_eq!(error.code(), Code::OverBudget);
    let message = error.message().strip_prefix("Image and options need ").expect("it tells what is needed");
    message.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

type Case = &'static [(&'static str, &'static str)];

/// How many times as much as it takes a removal may be charged at most. One with matting of a
/// narrow outline is charged more: how much there is to solve shows only when it is solved.
const MOST: f64 = 3.0;

const CASES: &[Case] = &[
    &[("format", "webp")],
    &[("format", "png")],
    &[("format", "jpeg")],
    &[("format", "bmp")],
    &[("mask", "true"), ("format", "png")],
    &[("w", "300"), ("format", "png")],
    &[("w", "3600"), ("format", "png")],
    &[("w", "3600"), ("format", "webp")],
    &[("w", "2700"), ("angle", "45"), ("format", "png")],
    &[("angle", "45"), ("format", "bmp")],
    &[("angle", "45"), ("format", "bmp"), ("keep_colors", "true")],
    &[("angle", "90"), ("format", "bmp"), ("bg_color", "teal")],
    &[("preset", "best"), ("format", "bmp")],
    &[("compression", "small"), ("format", "webp")],
    &[("compression", "small"), ("format", "png")],
    &[("matting", "true"), ("matting_erode_size", "200"), ("format", "bmp")],
];

/// The allocator keeps what is given back for later, unless it is told not to when a process starts.
const TOLD: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "65536");

/// Runs a test of this file again, in a process of its own that sees a variable; gives false where this is that.
fn ran_alone(test: &str, (name, value): (&str, &str)) -> bool {
    if std::env::var_os(name).is_some() {
        return false;
    }
    let mut alone = Command::new(std::env::current_exe().expect("it is known"));
    alone.args(["--exact", test, "--nocapture"]).env(name, value);
    let output = alone.output().expect("it can be run");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{test} alone: {}\n{text}", output.status);
    true
}

#[test]
fn no_removal_takes_more_than_it_is_charged_nor_much_less() {
    if ran_alone("no_removal_takes_more_than_it_is_charged_nor_much_less", TOLD) {
        return;
    }
    let (width, height) = (1800, 1200);
    let picture = noisy(width, height);
    let clear = RgbaImage::from_fn(width, height, |x, y| {
        let Rgb([r, g, b]) = *picture.get_pixel(x, y);
        // Noise is what an alpha takes most for.
        image::Rgba([r, g, b, (r ^ g ^ b).wrapping_mul(37) | 1])
    });
    let sixteen = DynamicImage::from(picture.clone()).into_rgb16();
    let files = [
        ("png", FILE, encoded(picture.clone(), ImageFormat::Png), CASES),
        ("jpeg", FILE, encoded(picture.clone(), ImageFormat::Jpeg), &CASES[..1]),
        ("webp", FILE, encoded(picture.clone(), ImageFormat::WebP), &CASES[..1]),
        ("bmp", FILE, encoded(picture.clone(), ImageFormat::Bmp), &CASES[..1]),
        ("rgba", FILE, encoded(clear, ImageFormat::Png), &CASES[..2]),
        ("drawing", FILE, encoded(drawn(width, height), ImageFormat::Png), &CASES[..6]),
        ("dots", FILE, encoded(dotted(width, height), ImageFormat::Png), &CASES[3..4]),
        ("16 bit", FILE, encoded(sixteen, ImageFormat::Png), &CASES[..2]),
        ("pixels", PIXELS, encoded(picture.clone(), ImageFormat::Jpeg), &CASES[5..10]),
        ("matte", MATTE, encoded(picture, ImageFormat::Jpeg), &CASES[6..8]),
    ];
    let remover = remover(0);
    for (name, run, file, cases) in &files {
        for options in *cases {
            let (taken, charged) = (taken(*run, &remover, file, options), charged(*run, file, options));
            let told = format!("{name} {options:?}: takes {taken:.0} MB, charged {charged} MB, {:.2}", charged / taken);
            println!("{told}");
            assert!((taken..=taken * MOST + 20.0).contains(&charged), "{told}");
        }
    }
}

#[test]
fn many_callers_take_no_more_than_one_when_one_runs_at_a_time() {
    if ran_alone("many_callers_take_no_more_than_one_when_one_runs_at_a_time", ("REMREMBG_TEST_ALONE", "1")) {
        return;
    }
    let mut config = config(0);
    config.in_flight = 1;
    let remover = Remover::new(config).expect("the engine inside always works");
    let file = encoded(noisy(2400, 1600), ImageFormat::Jpeg);
    let by_callers = |callers| {
        thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| remover.job(&file).run().expect("it runs"));
            }
        });
        megabytes("VmHWM")
    };
    let (one, many) = (by_callers(1), by_callers(12));
    println!("one caller takes {one:.0} MB, twelve take {many:.0} MB");
    // On the callers' own threads it was 1.4 times as much.
    assert!(many < one * 1.2, "one caller takes {one:.0} MB, twelve take {many:.0} MB");
}

#[test]
fn what_fits_one_by_one_waits_and_what_never_fits_is_refused_by_name() {
    let file = encoded(noisy(300, 200), ImageFormat::Png);
    let need = charged(FILE, &file, &[]) as u64;
    let error = remover(need << 19).remove(&file, &Options::default()).expect_err("it is half of what it needs");
    let message = format!("Image and options need {need} MB of memory, more than the budget of {} MB.", need / 2);
    assert_eq!((error.code(), error.message()), (Code::OverBudget, &*message));
    assert_eq!(error.details()[0].field, "image");

    let remover = remover((need + need / 2) << 20);
    assert!(remover.in_flight() > 1, "places are not what holds them back");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let alone = |_: Progress| {
                    let load = remover.load();
                    assert_eq!(load.running, 1);
                    assert!(load.bytes.div_ceil(Limits::MB) <= need + 1, "{load:?}");
                };
                remover.job(&file).progress(&alone).run().expect("it waits for its turn");
            });
        }
    });
    assert_eq!(remover.load().bytes, 0);
}

/// Gives one byte, then asks for a stop, and never ends.
struct Endless<'a>(&'a CancelToken);

impl Read for Endless<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.cancel();
        room[0] = 0x89;
        Ok(1)
    }
}

#[test]
fn a_stream_is_read_before_its_turn_and_until_a_stop() {
    let mut config = config(0);
    config.in_flight = 1;
    let remover = Remover::new(config).expect("the engine inside always works");
    let file = encoded(noisy(30, 20), ImageFormat::Png);
    let (running, read) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let begun = Cell::new(false);
            let hold = |_: Progress| {
                if !begun.replace(true) {
                    running.wait();
                    // Ends only when the other has read its stream, without a place.
                    read.wait();
                }
            };
            remover.job(&file).progress(&hold).run().expect("it runs");
        });
        running.wait();
        let told = RefCell::new(Told { file: &file, read: &read, is_told: false });
        remover.job(Input::Stream(None, Stream::new(&told))).run().expect("it runs afterwards");
    });
    let token = CancelToken::new();
    let endless = RefCell::new(Endless(&token));
    let error =
        remover.job(Input::Stream(None, Stream::new(&endless))).cancel(&token).run().expect_err("it is stopped");
    assert_eq!(error.code(), Code::Cancelled);
}

/// A file that says when it was read.
struct Told<'a> {
    file: &'a [u8],
    read: &'a Barrier,
    is_told: bool,
}

impl Read for Told<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(room)?;
        if count == 0 && !std::mem::replace(&mut self.is_told, true) {
            self.read.wait();
        }
        Ok(count)
    }
}
