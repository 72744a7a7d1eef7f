//! The bundled network's mask by every kernel of this architecture, beside the portable one's.
//!
//! It is a harness of its own, since only the processor tells which kernels can run: it prints and counts the others as
//! ignored, in the words of Rust's own harness.

use std::sync::atomic::AtomicBool;

use remrembg_native::{Network, Pool, kernels};

/// The most that masks may differ on average, of 1.
type Most = f32;

const FLOAT: Most = 1e-5;
const HALF: Most = 1.0 / 255.0;

const ALL: &[(&str, Most)] = &[
    #[cfg(target_arch = "x86_64")]
    ("amx", HALF),
    #[cfg(target_arch = "x86_64")]
    ("avx512", FLOAT),
    #[cfg(target_arch = "x86_64")]
    ("avx2", FLOAT),
    #[cfg(target_arch = "aarch64")]
    ("neon", FLOAT),
    ("portable", FLOAT),
    ("bfloat16", HALF),
];

const SIDE: usize = 320;

fn main() {
    // What follows such a flag of Rust's own harness is its value.
    const WITH_VALUE: [&str; 6] = ["--test-threads", "--skip", "--format", "--color", "--logfile", "-Z"];
    let words: Vec<_> = std::env::args().collect();
    let is_value = |word: &String| WITH_VALUE.contains(&word.as_str());
    let pairs = words.windows(2).filter(|pair| !is_value(&pair[0]) && !pair[1].starts_with('-'));
    let filter = pairs.map(|pair| pair[1].clone()).next();
    let listed = std::env::args().any(|word| word == "--list");
    let asked = ALL.iter().filter(|(name, _)| filter.as_ref().is_none_or(|filter| title(name).contains(filter)));
    if listed {
        asked.for_each(|(name, _)| println!("{}: test", title(name)));
        return;
    }
    let there = kernels();
    assert!(there.iter().all(|name| ALL.iter().any(|(known, _)| known == name)), "{there:?}");
    let (mut passed, mut ignored) = (0, 0);
    for (name, most) in asked {
        if there.contains(name) {
            check(name, *most);
            passed += 1;
            println!("test {} ... ok", title(name));
        } else {
            ignored += 1;
            println!("test {} ... ignored, this processor cannot run it", title(name));
        }
    }
    println!("\ntest result: ok. {passed} passed; 0 failed; {ignored} ignored; 0 measured; 0 filtered out");
}

fn title(name: &str) -> String {
    format!("the_mask_by_{name}_is_that_of_the_portable_kernels")
}

fn check(name: &str, most: Most) {
    let (ours, right) = (mask(name), mask("portable"));
    let difference = ours.iter().zip(&right).map(|(one, other)| (one - other).abs()).sum::<f32>() / ours.len() as f32;
    let found = ours.iter().filter(|value| **value > 0.5).count();
    assert!((5_000..50_000).contains(&found), "{name} finds {found} pixels of the disc");
    assert!(difference <= most, "{name}: {difference} on average");
}

/// That of a dark disc on a light ground.
fn mask(name: &str) -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/u2netp.onnx");
    let weights = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}: run `make setup`"));
    let network = Network::load(&weights, &Pool::of(2), name).expect("its kernels can run");
    let pixel = |place: usize| {
        let (x, y) = ((place % SIDE) as f32 - 150.0, (place / SIDE) as f32 - 170.0);
        if x * x + y * y < 80.0 * 80.0 { -1.5 + 0.002 * x } else { 1.8 + 0.001 * y }
    };
    let channel: Vec<_> = (0..SIDE * SIDE).map(pixel).collect();
    let (shape, mask) = network.run(&channel.repeat(3), &AtomicBool::new(false)).expect("nobody stops it");
    assert_eq!((shape.height, shape.width, shape.channels), (SIDE, SIDE, 1));
    mask
}
