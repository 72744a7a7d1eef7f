//! Runtimes that are missing, broken, too old or no runtime at all.

use super::*;

fn text_file(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, "this is no library\n").expect("a temporary folder is writable");
    path
}

/// A library made from C.
fn compiled(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (c, library) = (folder.join(name).with_extension("c"), folder.join(name));
    std::fs::write(&c, source).expect("a temporary folder is writable");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&c).status();
    assert!(made.expect("a C compiler is there").success(), "{name} is made");
    library
}

const NO_RUNTIME: &str = "int answer(void) { return 42; }";

const TOO_OLD: &str = r#"
typedef struct { const void *(*api)(unsigned); const char *(*version)(void); } base;
static const void *api(unsigned version) { (void)version; return 0; }
static const char *version(void) { return "1.10.0"; }
const base *OrtGetApiBase(void) { static const base it = { api, version }; return &it; }
"#;

fn model() -> Weights {
    bytes(onnx::identity(onnx::FLOAT, &["x"], &[1, 2]))
}

fn refusal(choice: EngineChoice, runtime: &Path) -> String {
    let error = open(choice, &model(), &Pool::of(1), &at(Some(runtime))).err().expect("this is no runtime");
    assert_eq!(error.code(), Code::EngineUnavailable);
    let message = error.message().to_owned();
    assert!(message.contains(&runtime.display().to_string()), "{message}");
    message
}

/// Each of these is refused with a reason, and a good one serves afterwards.
#[test]
fn a_bad_runtime_is_one_clear_error_and_a_good_one_serves_later() {
    alone(
        "runtimes::a_bad_runtime_is_one_clear_error_and_a_good_one_serves_later",
        |_| (),
        || {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let folder = folder.path();
            let empty = folder.join("empty.so");
            std::fs::write(&empty, "").expect("a temporary folder is writable");
            let cases = [
                (folder.join("gone.so"), "No such file"),
                (folder.to_owned(), "the folder has no libonnxruntime"),
                (text_file(folder, "text.so"), ""),
                (empty, ""),
                (compiled(folder, "other.so", NO_RUNTIME), "it is not ONNX Runtime"),
                (compiled(folder, "old.so", TOO_OLD), "version 1.10.0 is too old, 1.17 or newer is needed"),
            ];
            for (path, why) in cases {
                for choice in [EngineChoice::OnnxRuntime, EngineChoice::Auto] {
                    let message = refusal(choice, &path);
                    assert!(message.contains(why) && message.lines().count() == 2, "{message}");
                    println!("{message}");
                }
            }
            if let Some(good) = runtime() {
                let engine = open(EngineChoice::OnnxRuntime, &model(), &Pool::of(1), &at(Some(&good)))
                    .expect("it is a good one");
                let loaded = engine.info().library.clone().expect("a library was loaded");
                assert!(loaded.starts_with(&good), "{}", loaded.display());
                let later = text_file(folder, "later.so");
                let engine =
                    open(EngineChoice::OnnxRuntime, &model(), &Pool::of(1), &at(Some(&later))).expect("one is loaded");
                assert_eq!(engine.info().library.as_ref(), Some(&loaded), "it tells which one is in use");
                refusal(EngineChoice::OnnxRuntime, &folder.join("gone.so"));
            }
        },
    );
}

#[cfg(feature = "rten")]
#[test]
fn without_a_runtime_rten_serves_and_tells_why() {
    let clear = |command: &mut Command| {
        command.env_remove("REMREMBG_ONNXRUNTIME").env_remove("ORT_DYLIB_PATH");
    };
    alone("runtimes::without_a_runtime_rten_serves_and_tells_why", clear, || {
        let hint = PathBuf::from("/nowhere/onnxruntime/capi");
        let here = Runtime { hints: &[hint], ..at(None) };
        let info = open(EngineChoice::Auto, &model(), &Pool::of(1), &here).expect("rten serves").info().clone();
        assert_eq!(info.name, "rten", "{OF_THE_SYSTEM}");
        let why = info.fallback.expect("it tells why");
        assert!(why.starts_with("ONNX Runtime was not found. Tried:"), "{why}");
        assert!(why.contains("beside the library: /nowhere/onnxruntime/capi: "), "{why}");
        let info =
            open(EngineChoice::Rten, &model(), &Pool::of(1), &at(None)).expect("it was asked for").info().clone();
        assert_eq!(info.fallback, None);
    });
}

#[cfg(feature = "rten")]
#[test]
fn a_broken_runtime_is_told_from_a_missing_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = text_file(folder.path(), "broken.so");
    let set = |command: &mut Command| {
        command.env("REMREMBG_ONNXRUNTIME", &broken).env_remove("ORT_DYLIB_PATH");
    };
    alone("runtimes::a_broken_runtime_is_told_from_a_missing_one", set, || {
        let info = open(EngineChoice::Auto, &model(), &Pool::of(1), &at(None)).expect("rten serves").info().clone();
        let why = info.fallback.expect(OF_THE_SYSTEM);
        assert!(why.starts_with("ONNX Runtime was found but cannot be used"), "{why}");
        assert!(why.contains("REMREMBG_ONNXRUNTIME: ") && why.contains("broken.so: "), "{why}");
    });
}

#[test]
fn the_next_place_is_tried_when_one_is_broken() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = text_file(folder.path(), "broken.so");
    let good = runtime();
    let set = |command: &mut Command| {
        command.env("REMREMBG_ONNXRUNTIME", &broken);
        match &good {
            Some(good) => command.env("ORT_DYLIB_PATH", good),
            None => command.env_remove("ORT_DYLIB_PATH"),
        };
    };
    alone("runtimes::the_next_place_is_tried_when_one_is_broken", set, || {
        if let Some(good) = std::env::var_os("ORT_DYLIB_PATH") {
            let info = open(EngineChoice::Auto, &model(), &Pool::of(1), &at(None)).expect("it serves").info().clone();
            let library = info.library.expect("ONNX Runtime serves");
            assert!(library.starts_with(good), "{}", library.display());
        }
    });
}
