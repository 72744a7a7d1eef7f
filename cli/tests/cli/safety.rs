//! Results are whole or not there, however a run ends.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::bench::{Bench, ball, encoded, finished, ran, until};

/// Names of files that are not hidden; a result that is not whole is.
fn shown(bench: &Bench, folder: &str) -> Vec<String> {
    let hidden = |name: &String| name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    bench.files().into_iter().filter(|name| name.starts_with(folder) && !hidden(name)).collect()
}

fn many() -> Bench {
    let names: Vec<String> = (0..100).map(|n| format!("in/{n:03}.png")).collect();
    Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_a_failure_and_stays_a_device() {
    use std::os::unix::fs::FileTypeExt;
    let bench = Bench::new(&["a.png"]);
    let ran = bench.removed(["a.png", "-o", "/dev/full"]);
    assert_eq!(ran.status, Some(1));
    let message = "Cannot write '/dev/full': No space left on device (os error 28)";
    assert_eq!(ran.stderr, format!("remrembg: a.png: {message}\n"));
    assert!(std::fs::metadata("/dev/full").expect("it is there").file_type().is_char_device());
    bench.removed(["a.png", "-o", "/dev/null"]).ok();
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_nothing_and_the_older_result() {
    let bench = Bench::new(&["a.png"]);
    bench.put("o.bmp", b"older");
    let remove = bench.remove(["a.png", "-o", "o.bmp", "--json"]);
    let mut limited = Command::new("sh");
    // A file may have no more than 1 KiB, and who writes on gets a signal.
    limited.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]).current_dir(bench.path("."));
    limited.arg(remove.get_program()).args(remove.get_args()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = ran(limited);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.starts_with(r#"{"error":"Cannot write 'o.bmp': File too large"#), "{}", ran.stderr);
    assert!(!ran.stderr.contains(".remrembg-"), "the name of the unfinished file is of no use: {}", ran.stderr);
    assert_eq!(bench.read("o.bmp"), b"older");
    assert_eq!(bench.files(), ["a.png", "o.bmp"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_a_failure() {
    let bench = Bench::new(&["a.png"]);
    bench.put("file", b"");
    let ran = bench.removed(["a.png", "-o", "file/o.png"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.starts_with("remrembg: a.png: Cannot write 'file/o.png': "), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_stop_ends_the_run_and_leaves_whole_results_only() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let bench = many();
        let large = ["--w", "1000", "--h", "1000", "--exact-resize", "--delete-input"];
        let remove = bench.remove(["in", "-o", "out", "--format", "bmp"].iter().chain(&large));
        // A shell that starts the tests in the background has them ignore SIGINT, and nohup SIGHUP.
        let mut env = Command::new("env");
        env.arg("--default-signal=INT,HUP").arg(remove.get_program()).args(remove.get_args());
        env.current_dir(bench.path(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = env.spawn().expect("the binary starts");
        until("a first result", || !shown(&bench, "out").is_empty());
        crate::bench::signal(&child, signal);
        let ran = finished(child);
        assert_eq!(ran.status, Some(status), "{}", ran.stderr);
        let results = shown(&bench, "out");
        assert!(results.len() < 100, "it stopped before the end");
        assert_eq!(bench.files().iter().filter(|name| name.starts_with("out")).count(), results.len(), "no leftovers");
        results.iter().for_each(|name| assert_eq!(bench.open(name).width(), 1000));
        let pictures = shown(&bench, "in");
        assert_eq!(pictures.len() + results.len(), 100, "each is a picture still or a result");
        assert!(!ran.stderr.contains("remrembg:"), "a stop is no error of a picture: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_stop_ends_a_wait_for_input() {
    use std::os::unix::process::ExitStatusExt;
    let bench = Bench::new(&[]);
    let mut command = bench.remove(["-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    // More than a pipe holds: it is written once the program reads.
    let picture = [encoded(&ball(), image::ImageFormat::Png), vec![0; 1 << 17]].concat();
    child.stdin.as_mut().expect("it is piped").write_all(&picture).expect("it is read");
    // Not SIGINT: a shell that starts the tests in the background has them ignore it.
    crate::bench::signal(&child, "TERM");
    until("its end", || child.try_wait().expect("it can be waited for").is_some());
    assert_eq!(child.wait().expect("it ended").signal(), Some(15));
}

#[test]
fn a_killed_run_leaves_whole_results_only() {
    let names: Vec<String> = (0..40).map(|n| format!("in/{n}.png")).collect();
    let bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    // 16 MB each, so that most of the time one is being written.
    let large = ["--format", "bmp", "--w", "2000", "--h", "2000", "--exact-resize"];
    let mut child = bench.remove(["in", "-o", "out"].iter().chain(&large)).spawn().expect("the binary starts");
    until("a few results", || shown(&bench, "out").len() >= 3);
    child.kill().expect("it is killed");
    finished(child);
    let results = shown(&bench, "out");
    assert!(results.len() < 40, "it was killed before the end");
    results.iter().for_each(|name| assert_eq!(bench.open(name).height(), 2000));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let bench = Bench::new(&["a.png", "b.png"]);
    for (args, status) in [
        (&["remove", "a.png", "-o", "-"][..], 1),
        (&["remove", "a.png", "b.png", "-o", "out", "--json"], 1),
        (&["models", "list"], 0),
        (&["remove", "--help"], 0),
        (&["man"], 0),
        (&["completions", "bash"], 0),
    ] {
        let mut child = bench.command(args).spawn().expect("the binary starts");
        drop(child.stdout.take());
        let ran = finished(child);
        assert_eq!(ran.status, Some(status), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{args:?}: {}", ran.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_full_is_a_failure() {
    let bench = Bench::new(&["a.png"]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let mut command = bench.remove(["a.png", "-o", "-"]);
    command.stdout(full());
    let ran = ran(command);
    assert_eq!(ran.status, Some(1));
    let message = "Cannot write to standard output: No space left on device (os error 28)";
    assert_eq!(ran.stderr, format!("remrembg: a.png: {message}\n"));
}

#[test]
fn onnxruntime_leaves_nothing_behind_and_tells_nobody_of_its_use() {
    let pythons = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.venv/lib"));
    let capi = |python: std::fs::DirEntry| python.path().join("site-packages/onnxruntime/capi");
    let found = pythons.ok().and_then(|mut folders| folders.find_map(|python| python.ok().map(capi)));
    let runtime = found.filter(|folder| folder.is_dir()).expect("ONNX Runtime is absent: run `make setup`");
    let bench = Bench::new(&["photo.png"]);
    let mut command = bench.command(["photo.png", "-o", "out.png", "--onnxruntime"]);
    command.arg(runtime).env("TMPDIR", bench.path("")).env_remove("ORT_DISABLE_TELEMETRY");
    ran(command).ok();
    assert_eq!(bench.files(), ["out.png", "photo.png"], "no identifier of the device, no queue of events");
}

/// Runs a line of a shell, in which `"$0" "$@" OUT` is a removal.
#[cfg(target_os = "linux")]
fn shell(bench: &Bench, line: &str) -> Vec<u8> {
    let remove = bench.remove(["a.png", "--format", "bmp", "-o"]);
    let mut shell = Command::new("sh");
    shell.args(["-ec", line]).arg(remove.get_program()).args(remove.get_args());
    shell.current_dir(bench.path(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
    ran(shell).ok().stdout
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_written_by_the_name_of_an_open_file_goes_into_that_file() {
    let bench = Bench::new(&["a.png"]);
    let picture = shell(&bench, "\"$0\" \"$@\" -");
    for out in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        shell(&bench, &format!("printf before > all; \"$0\" \"$@\" {out} >> all; printf after >> all"));
        assert_eq!(bench.read("all"), [b"before", &*picture, b"after"].concat(), "{out}");
    }
    let written = shell(&bench, "exec 3<>gone; rm gone; \"$0\" \"$@\" /dev/fd/3 > told; cat < /dev/fd/3");
    assert_eq!(written, picture, "a file that has no name any more");
}
