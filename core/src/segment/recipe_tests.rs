//! Our mask against the one that `tools/rembg_recipe.py` makes with NumPy,
//! Pillow and ONNX Runtime, on public test photos. Both start from
//! the pixels that Pillow decodes: another JPEG decoder's roundings alone move
//! u2netp's mask of some photos by 4/255.
#![cfg(feature = "bundled-model")]

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Plan;
use crate::alpha::refine::{Maker, mask_of, refine};
use crate::engine::tests::{engines, rounds};
use crate::engine::{Engine, Weights};
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};
use crate::models::Recipe;
use crate::options::cutout::CutOut;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn photos() -> Vec<PathBuf> {
    let pictures = std::env::var_os("REMREMBG_TEST_PICTURES").expect("it names the folder of public test pictures");
    let folders = std::fs::read_dir(Path::new(&pictures).join("eval")).expect("the photos are there").flatten();
    let images = folders.filter_map(|set| std::fs::read_dir(set.path().join("image")).ok());
    let mut photos: Vec<PathBuf> = images.flatten().flatten().map(|entry| entry.path()).collect();
    photos.sort();
    photos
}

/// Pictures `0.bmp`, `1.bmp`, … and their masks `0.png`, `1.png`, ….
fn reference(photos: &[PathBuf], folder: &Path) {
    let python = std::env::var("REMREMBG_PYTHON").unwrap_or_else(|_| format!("{ROOT}/.venv/bin/python"));
    let knows = Command::new(&python)
        .args(["-c", "import numpy, onnxruntime, PIL; assert int(PIL.__version__.split('.')[0]) < 13"])
        .output();
    let knows = knows.is_ok_and(|output| output.status.success());
    assert!(knows, "{python} has numpy, onnxruntime and pillow before 13: run `make setup`");
    let model = folder.join("u2netp.onnx");
    let Weights::Bytes(bytes) = Weights::BUNDLED else { panic!("the bundled model is bytes") };
    std::fs::write(&model, bytes).expect("a temporary folder is writable");
    let made = Command::new(&python)
        .arg(format!("{ROOT}/tools/rembg_recipe.py"))
        .args([&model, folder])
        .args(photos)
        .output()
        .expect("it could be started before");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn our_mask(picture: &Path, engine: &dyn Engine) -> Pixels {
    let rgb = image::open(picture).expect("it was made").to_rgb8();
    let size = rgb.dimensions();
    let pixels = Pixels::new(size.0, size.1, Layout::Rgb8, rgb.into_raw()).expect("the sizes agree");
    let matte = super::segment(
        &pixels,
        Plan { views: 1, closer: 0, unsure: 0 },
        &Recipe::U2NET,
        engine,
        &Pool::of(2),
        &Control::default(),
    )
    .expect("it runs");
    mask_of(&matte)
        .and_then(|mask| {
            refine(
                mask,
                Maker::Model,
                &pixels,
                &CutOut { refine: false, ..CutOut::default() },
                &Pool::of(1),
                &Control::default(),
            )
        })
        .map(|refined| refined.alpha)
        .expect("it can be enlarged")
}

/// The mean difference in 255ths, and the overlap of what is more than half subject.
fn compare(ours: &[u8], theirs: &[u8]) -> (f64, f64) {
    assert_eq!(ours.len(), theirs.len());
    let (mut sum, mut both, mut either) = (0_u64, 0_u64, 0_u64);
    for (a, b) in ours.iter().zip(theirs) {
        sum += u64::from(a.abs_diff(*b));
        both += u64::from(*a > 127 && *b > 127);
        either += u64::from(*a > 127 || *b > 127);
    }
    (sum as f64 / ours.len() as f64, if either == 0 { 1.0 } else { both as f64 / either as f64 })
}

/// The most by which a mask may differ on average, and the least by which it has to overlap. Where a processor multiplies
/// matrices of 16-bit numbers, our own engine does, and whether something faint is found may depend on it.
fn tolerance(engine: &str) -> (f64, f64) {
    if engine == "native" && rounds() { (1.5, 0.9) } else { (0.5, 0.995) }
}

/// Every fourth photo, each by one of the engines; by rten, which is slow and gives what the others give, every eighth of them.
#[test]
#[ignore = "needs the folder of public test pictures in REMREMBG_TEST_PICTURES"]
fn the_mask_is_that_of_rembg() {
    let photos: Vec<PathBuf> = photos().into_iter().step_by(4).collect();
    assert!(photos.len() > 50, "{} photos", photos.len());
    let folder = tempfile::tempdir().expect("a temporary folder");
    reference(&photos, folder.path());
    let (slow, quick): (Vec<_>, Vec<_>) =
        engines(&Weights::BUNDLED, 0).into_iter().partition(|engine| engine.info().name == "rten");
    let (mut worst_mean, mut worst_overlap) = (0.0_f64, 1.0_f64);
    for (number, photo) in photos.iter().enumerate() {
        let engine = slow.first().filter(|_| number % 8 == 0).unwrap_or(&quick[number % quick.len()]);
        let made = |suffix| folder.path().join(format!("{number}.{suffix}"));
        let theirs = image::open(made("png")).expect("it was made").to_luma8();
        let ours = our_mask(&made("bmp"), engine.as_ref());
        let (mean, overlap) = compare(ours.data(), theirs.as_raw());
        println!("{} {}: mean {mean:.4}, overlap {overlap:.5}", engine.info().name, photo.display());
        let (most, least) = tolerance(engine.info().name);
        assert!(mean <= most && overlap >= least, "{}: mean {mean}, overlap {overlap}", photo.display());
        (worst_mean, worst_overlap) = (worst_mean.max(mean), worst_overlap.min(overlap));
    }
    println!("{} photos: mean at most {worst_mean:.4}/255, overlap at least {worst_overlap:.5}", photos.len());
}
