//! How memory grows with the picture: the budget in docs/speed.md, held by an allocator that counts.

#[path = "support/allocator.rs"]
mod allocator;
#[path = "../src/engine/tests/onnx.rs"]
mod onnx;

use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

use allocator::Counting;
use image::{ImageFormat, Rgb, RgbImage};
use remrembg::{Config, EngineChoice, Model, Recipe, Remover};

#[global_allocator]
static ALLOCATOR: Counting = Counting { took, gave_back, resized };

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    PEAK.fetch_max(HELD.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
}

fn gave_back(bytes: usize) {
    HELD.fetch_sub(bytes, Ordering::SeqCst);
}

/// Large buffers are moved by changing the page table: they are never there twice.
fn resized(from: usize, to: usize) {
    gave_back(from);
    took(to);
}

/// A red ball on green, in waves.
fn ball(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let noise = ((x * 7 + y * 3) >> 6 & 15) as u8;
        let (dx, dy) = (x as i32 - width as i32 / 2, y as i32 - height as i32 / 2);
        let inside = dx * dx + dy * dy < (height as i32 / 3).pow(2);
        if inside { Rgb([180 + noise, 40, 40]) } else { Rgb([40, 180 + noise, 40]) }
    });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Jpeg).expect("it can be written");
    file.into_inner()
}

fn remover() -> Remover {
    let path = onnx::not_green_in(env!("CARGO_TARGET_TMPDIR"), "growth.onnx");
    let mut config = Config::default();
    (config.engine, config.model) = (EngineChoice::Rten, Model::File { path, recipe: Recipe::U2NET });
    Remover::new(config).expect("the engine inside always works")
}

/// Bytes that a removal holds at its peak, beside the files that come in and out.
fn peak(remover: &Remover, file: &[u8], format: &str, preset: &str) -> usize {
    let before = HELD.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let output = remover.job(file).pairs([("format", format), ("preset", preset)]).run().expect("it is cut out");
    PEAK.load(Ordering::SeqCst) - before - output.data.len()
}

/// The rows of the table: a format, and bytes a pixel.
fn budget() -> Vec<(&'static str, f64)> {
    let page = include_str!("../../docs/speed.md");
    let (_, table) = page.split_once("| result | bytes a pixel |\n|---|---|\n").expect("the page has the table");
    let rows = table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.map(|(format, bytes)| (format, bytes.parse().expect("a number"))).collect()
}

/// One test alone, as it counts what the whole process holds.
#[test]
fn memory_grows_with_the_picture_as_the_documentation_says() {
    let remover = remover();
    let (small, large) = ((1600, 1200), (3200, 2400));
    let files = [small, large].map(|(width, height)| ball(width, height));
    let pixels = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
    let budget = budget();
    assert_eq!(budget.len(), 4, "{budget:?}");
    let growth = |format: &str, preset: &str| {
        let [less, more] = [0, 1].map(|at| peak(&remover, &files[at], format, preset) as f64);
        (more - less) / (pixels(large) - pixels(small))
    };
    for (format, most) in budget {
        let growth = growth(format, "fast").max(growth(format, "best"));
        assert!(growth <= most, "{format} takes {growth:.2} bytes a pixel, and may take {most}");
        assert!(growth > most / 1.5, "{format} takes {growth:.2} bytes a pixel: the documentation says {most}");
    }
}
