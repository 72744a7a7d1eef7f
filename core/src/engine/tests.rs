//! All engines on a small model of our own and on the bundled one, and
//! runtimes that cannot be had. Tests that need ONNX Runtime look for it in
//! `REMREMBG_ONNXRUNTIME`, `ORT_DYLIB_PATH` and the workspace's `.venv`, and
//! fail when it is absent.

pub(super) mod onnx;
mod providers;
#[cfg(feature = "onnxruntime")]
mod runtimes;

use std::borrow::Cow;
use std::cell::Cell;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::exec::control::CancelToken;

const ALONE: &str = "REMREMBG_TEST_ALONE";

/// Runs one test again in a process of its own: what a process has loaded, how
/// much memory it took and what it printed is its own then.
fn alone(test: &str, prepare: impl FnOnce(&mut Command), body: impl FnOnce()) -> Option<Output> {
    if std::env::var_os(ALONE).is_some() {
        body();
        return None;
    }
    let mut command = Command::new(std::env::current_exe().expect("tests have a path"));
    command.args(["--exact", &format!("engine::tests::{test}"), "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    prepare(&mut command);
    let output = command.output().expect("a test can start itself");
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{test} alone: {}\n{text}", output.status);
    Some(output)
}

/// The ONNX Runtime to test with; `None` where the crate is built without it.
pub(crate) fn runtime() -> Option<PathBuf> {
    if cfg!(not(feature = "onnxruntime")) {
        return None;
    }
    let named = ["REMREMBG_ONNXRUNTIME", "ORT_DYLIB_PATH"].into_iter().find_map(std::env::var_os);
    let found = named.map(PathBuf::from).or_else(|| {
        let pythons = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.venv/lib")).ok()?;
        let capi = |python: std::fs::DirEntry| python.path().join("site-packages/onnxruntime/capi");
        pythons.filter_map(std::result::Result::ok).map(capi).find(|folder| folder.is_dir())
    });
    Some(found.expect("ONNX Runtime is in REMREMBG_ONNXRUNTIME, ORT_DYLIB_PATH or .venv: run `make setup`"))
}

/// What to say where a test has to be without ONNX Runtime.
const OF_THE_SYSTEM: &str = "the system's loader must find no ONNX Runtime of its own in this test";

/// This runtime and no other, where one is named.
fn at(path: Option<&Path>) -> Runtime<'_> {
    Runtime { path, ..Runtime::default() }
}

/// The engines that can be had here.
pub(crate) fn engines(weights: &Weights, threads: usize) -> Vec<Box<dyn Engine>> {
    let mut engines = Vec::new();
    if let Some(runtime) = runtime() {
        engines
            .push(open(EngineChoice::OnnxRuntime, weights, &Pool::of(threads), &at(Some(&runtime))).expect("it opens"));
    }
    if cfg!(feature = "rten") {
        engines.push(open(EngineChoice::Rten, weights, &Pool::of(threads), &at(None)).expect("it opens"));
    }
    if weights.is_bundled() {
        engines.push(open(EngineChoice::Native, weights, &Pool::of(threads), &at(None)).expect("it opens"));
    }
    engines
}

fn bytes(bytes: impl Into<Vec<u8>>) -> Weights {
    Weights::Bytes(Cow::Owned(bytes.into()))
}

/// Something that u2netp finds a subject in: a bright disc on a dark slope.
fn scene() -> Tensor {
    let value = |at: usize| {
        let (x, y) = ((at % 320) as f32 - 160.0, (at / 320 % 320) as f32 - 150.0);
        if x.hypot(y) < 90.0 { 1.8 } else { x / 320.0 - 1.0 }
    };
    Tensor { shape: vec![1, 3, 320, 320], data: (0..3 * 320 * 320).map(value).collect() }
}

#[cfg(feature = "bundled-model")]
fn bundled() -> Weights {
    Weights::BUNDLED
}

#[test]
fn an_engine_is_asked_for_by_name() {
    for choice in EngineChoice::ALL {
        assert_eq!(choice.name().parse::<EngineChoice>().expect("it is a name"), choice);
    }
    let error = "tensorflow".parse::<EngineChoice>().expect_err("there is no such engine");
    assert_eq!(error.message(), "Unknown engine 'tensorflow'. Engines: auto, onnxruntime, rten, native");
    for engine in engines(&bytes(onnx::identity(onnx::FLOAT, &["x"], &[1, 2])), 2) {
        let info = engine.info();
        assert!(info.name.parse::<EngineChoice>().is_ok() && info.threads == 2, "{info:?}");
        assert!(info.version.starts_with(|c: char| c.is_ascii_digit()), "{info:?}");
        assert_eq!(info.library.is_some(), info.name == "onnxruntime");
    }
}

#[test]
fn zero_threads_are_all_of_the_machine() {
    for engine in engines(&bytes(onnx::identity(onnx::FLOAT, &["x"], &[1, 2])), 0) {
        assert_eq!(engine.info().threads, thread::available_parallelism().map_or(1, usize::from));
    }
}

#[test]
fn a_model_runs_and_tells_its_input() {
    let input = Tensor { shape: vec![1, 2, 3], data: vec![1.0, -2.0, 3.0, 4.0, 5.0, 6.5] };
    for engine in engines(&bytes(onnx::identity(onnx::FLOAT, &["x"], &[1, -1, 3])), 1) {
        assert_eq!(engine.input(), [Some(1), None, Some(3)], "{}", engine.info().name);
        assert_eq!(engine.run(input.clone(), &Control::default()).expect("it runs"), input);
        let error = engine.run(Tensor { shape: vec![1, 2], data: vec![0.0; 2] }, &Control::default());
        assert_eq!(error.expect_err("the rank differs").code(), Code::EngineFailed);
        let error = engine.run(Tensor { shape: vec![1, 2, 3], data: vec![0.0; 2] }, &Control::default());
        assert_eq!(error.expect_err("numbers are missing").code(), Code::EngineFailed);
        assert_eq!(engine.run(input.clone(), &Control::default()).expect("it still runs"), input);
    }
}

#[test]
fn a_model_of_another_kind_is_refused() {
    const INT64: u8 = 7;
    let refused = [
        (onnx::identity(INT64, &["x"], &[1, 2]), Code::ModelShape),
        (onnx::identity(onnx::FLOAT, &["x", "y"], &[1, 2]), Code::ModelShape),
        (onnx::cast(INT64, &[1, 2]), Code::ModelShape),
        (Vec::new(), Code::ModelDamaged),
        (b"<!DOCTYPE html><title>404</title>".to_vec(), Code::ModelDamaged),
        (onnx::identity(onnx::FLOAT, &["x"], &[1, 2])[..60].to_vec(), Code::ModelDamaged),
    ];
    for (model, code) in refused {
        for (choice, runtime) in [(EngineChoice::Rten, None), (EngineChoice::OnnxRuntime, runtime())] {
            if cfg!(feature = "rten") && choice == EngineChoice::Rten || runtime.is_some() {
                let opened = open(choice, &bytes(model.clone()), &Pool::of(1), &at(runtime.as_deref()));
                let error = opened.err().unwrap_or_else(|| panic!("{choice} opens what should be {}", code.name()));
                assert_eq!(error.code(), code, "{choice}: {error}");
            }
        }
    }
}

#[test]
fn a_model_file_may_have_any_name_but_must_be_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.onnx", "model", "model.bin"] {
        let path = folder.path().join(name);
        std::fs::write(&path, onnx::identity(onnx::FLOAT, &["x"], &[1, 2])).expect("it is writable");
        engines(&Weights::File(path), 1);
    }
    let empty = folder.path().join("empty.onnx");
    std::fs::write(&empty, b"").expect("it is writable");
    for choice in [EngineChoice::Native, EngineChoice::Rten].into_iter().filter(|_| cfg!(feature = "rten")) {
        let opened = open(choice, &Weights::File(empty.clone()), &Pool::of(1), &at(None));
        assert_eq!(opened.err().map(|error| error.code()), Some(Code::ModelDamaged), "{choice}");
    }
    let pipe = folder.path().join("pipe.onnx");
    // Nobody writes into it.
    let has_pipe = Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success());
    let others = [folder.path().to_owned(), folder.path().join("gone.onnx")];
    for path in others.into_iter().chain(has_pipe.then_some(pipe)) {
        let opened = open(EngineChoice::Auto, &Weights::File(path.clone()), &Pool::of(1), &at(None));
        let error = opened.err().expect("it cannot be read");
        assert_eq!(error.code(), Code::CannotRead);
        assert!(error.message().contains(&path.display().to_string()), "{error}");
    }
}

/// Whether our own engine multiplies matrices of 16-bit numbers.
pub(crate) fn rounds() -> bool {
    let named = std::env::var("REMREMBG_KERNEL").unwrap_or_default();
    let runs = if named.is_empty() { remrembg_native::kernels()[0] } else { &named };
    ["amx", "bfloat16"].contains(&runs)
}

#[cfg(feature = "bundled-model")]
#[test]
fn all_engines_give_the_same_mask() {
    let engines = engines(&bundled(), 2);
    let masks: Vec<_> =
        engines.iter().map(|engine| engine.run(scene(), &Control::default()).expect("it runs")).collect();
    let range = masks[0].data.iter().fold((1.0_f32, 0.0_f32), |(low, high), v| (low.min(*v), high.max(*v)));
    assert!(range.0 < 0.01 && range.1 > 0.9, "a subject is found: {range:?}");
    for mask in &masks[1..] {
        assert_eq!(mask.shape, masks[0].shape);
        let most = mask.data.iter().zip(&masks[0].data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < if rounds() { 0.05 } else { 1.0 / 255.0 }, "masks differ by {most}");
        println!("masks differ by {most}");
    }
}

#[cfg(feature = "bundled-model")]
#[test]
fn the_bundled_model_runs_on_our_own_engine_unless_another_is_asked_for() {
    let on = |runtime: &Runtime<'_>| {
        open(EngineChoice::Auto, &bundled(), &Pool::of(1), runtime).map(|engine| engine.info().clone())
    };
    for providers in [&[][..], &[Provider::Cpu]] {
        let info = on(&Runtime { providers, ..at(None) }).expect("it is inside");
        assert_eq!((info.name, info.library, info.fallback), ("native", None, None));
    }
    if let Some(path) = runtime() {
        assert_eq!(on(&at(Some(&path))).expect("it is there").name, "onnxruntime");
    }
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    for asked in [at(Some(nowhere)), Runtime { providers: &[Provider::DirectMl], ..at(None) }] {
        assert_eq!(on(&asked).expect_err("there is none").code(), Code::EngineUnavailable);
    }
}

/// Hundredths of a second from which on their ratio tells something.
#[cfg(feature = "bundled-model")]
const MEASURABLE: u64 = 10;

/// For how long this process computed, where the system tells: in its hundredths of a second.
#[cfg(feature = "bundled-model")]
fn spent() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, numbers) = told.rsplit_once(')')?;
    let numbers: Vec<_> =
        numbers.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).collect();
    Some(numbers.iter().sum())
}

#[cfg(feature = "bundled-model")]
#[test]
fn a_stop_ends_an_inference_and_the_next_one_works() {
    alone(
        "a_stop_ends_an_inference_and_the_next_one_works",
        |_| {},
        || {
            for engine in engines(&bundled(), 1) {
                let name = engine.info().name;
                let token = CancelToken::new();
                let control = Control { cancel: Some(&token), ..Control::default() };
                let whole = engine.run(scene(), &Control::default()).expect("it runs");
                let start = spent();
                assert_eq!(engine.run(scene(), &control).expect("nobody cancels"), whole);
                let full = spent().zip(start).map(|(end, start)| end - start);

                // At the third look the inference runs.
                let looks = Cell::new(0);
                let stop = || {
                    looks.set(looks.get() + 1);
                    if looks.get() == 3 {
                        token.cancel();
                    }
                    false
                };
                let start = spent();
                let stopped =
                    engine.run(scene(), &Control { cancel: Some(&token), stop: Some(&stop), ..Control::default() });
                assert_eq!(stopped.expect_err("it is cancelled").code(), Code::Cancelled, "{name}");
                let again = engine.run(scene(), &control);
                assert_eq!(again.expect_err("the token stays cancelled").code(), Code::Cancelled);
                assert_eq!(engine.run(scene(), &Control::default()).expect("it still runs"), whole);
                let both = spent().zip(start).map(|(end, start)| end - start);
                // What goes on unheard costs as much as a whole one. rten cannot be stopped: only nobody waits for it.
                if let Some((full, both)) = full.zip(both).filter(|(full, _)| name != "rten" && *full >= MEASURABLE) {
                    assert!(
                        both * 10 < full * 17,
                        "{name}: {full} for one, {both} for one that was stopped and one more"
                    );
                }
            }
        },
    );
}

#[cfg(feature = "bundled-model")]
#[test]
fn who_waits_for_a_turn_can_be_stopped() {
    for engine in engines(&bundled(), 1) {
        let (token, done) = (&CancelToken::new(), AtomicUsize::new(0));
        let looks = <[AtomicUsize; 4]>::default();
        // At the third look the caller is in the queue, or has had its turn.
        let queued = |number: usize| {
            while looks[number].load(Ordering::SeqCst) < 3 {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            let (engine, looks) = (&engine, &looks);
            let run = move |number: usize, cancel| {
                let looks = &looks[number];
                let stop = || {
                    looks.fetch_add(1, Ordering::SeqCst);
                    false
                };
                let outcome = engine.run(scene(), &Control { cancel, stop: Some(&stop), ..Control::default() });
                looks.fetch_add(3, Ordering::SeqCst);
                outcome
            };
            for number in 0..3 {
                let (run, done) = (run, &done);
                scope.spawn(move || {
                    run(number, None).expect("nobody cancels this one");
                    done.fetch_add(1, Ordering::SeqCst);
                });
                queued(number);
            }
            let waiting = scope.spawn(move || run(3, Some(token)));
            queued(3);
            token.cancel();
            let error = waiting.join().expect("no panic").expect_err("it is cancelled");
            assert_eq!(error.code(), Code::Cancelled);
            assert!(done.load(Ordering::SeqCst) < 3, "it waited for all that were before it");
        });
    }
}

#[cfg(all(target_os = "linux", feature = "bundled-model"))]
#[test]
fn many_threads_share_the_memory_of_one_inference() {
    let test = "many_threads_share_the_memory_of_one_inference";
    alone(
        test,
        |_| (),
        || {
            // The thriftier engine first: a peak never sinks.
            for engine in engines(&bundled(), 2).into_iter().rev() {
                let expected = engine.run(scene(), &Control::default()).expect("it runs");
                let one = peak_megabytes();
                let token = CancelToken::new();
                thread::scope(|scope| {
                    for number in 0..8 {
                        let (engine, expected, token) = (&engine, &expected, &token);
                        let cancel = (number % 2 == 0).then_some(token);
                        scope.spawn(move || {
                            let control = Control { cancel, ..Control::default() };
                            assert_eq!(&engine.run(scene(), &control).expect("it runs"), expected);
                        });
                    }
                });
                let eight = peak_megabytes();
                println!("{}: {one} MB for one thread, {eight} MB for eight", engine.info().name);
                assert!(eight < one + 100, "{one} MB for one thread became {eight} MB for eight");
            }
        },
    );
}

/// The most memory that this process ever had.
#[cfg(target_os = "linux")]
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[cfg(feature = "bundled-model")]
#[test]
fn nothing_is_printed() {
    let output = alone(
        "nothing_is_printed",
        |_| (),
        || {
            for weights in [bundled(), bytes(*b"not a model")] {
                for (choice, runtime) in [(EngineChoice::Rten, None), (EngineChoice::OnnxRuntime, runtime())] {
                    if let Ok(engine) = open(choice, &weights, &Pool::of(1), &at(runtime.as_deref())) {
                        let wrong = Tensor { shape: vec![1, 1, 320, 320], data: vec![0.0; 320 * 320] };
                        assert!(engine.run(wrong, &Control::default()).is_err());
                    }
                }
            }
        },
    );
    let printed = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    assert_eq!(printed, "");
}

#[cfg(feature = "rten")]
#[test]
fn rten_tells_the_version_that_is_locked() {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let engine = open(EngineChoice::Rten, &bytes(onnx::identity(onnx::FLOAT, &["x"], &[1])), &Pool::of(1), &at(None));
    let version = engine.map(|engine| engine.info().version.clone()).expect("it opens");
    assert!(lock.contains(&format!("name = \"rten\"\nversion = \"{version}\"")), "{version} is not the locked one");
}
