//! The commands beside `remove`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use remrembg::OPTIONS;
use serde_json::Value;

use crate::bench::Bench;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers every request with this, until the test ends.
fn serve(status: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // The other side may hang up.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    format!("http://{address}")
}

#[test]
fn help_and_version_are_no_errors() {
    let bench = Bench::new(&[]);
    assert_eq!(bench.ran(["--version"]).ok().text(), format!("remrembg {VERSION}\n"));
    let help = bench.ran(["remove", "--help"]).ok();
    for spec in OPTIONS {
        assert!(help.text().contains(&format!("--{}", spec.key.replace('_', "-"))), "{}", spec.key);
    }
    assert!(help.text().contains("Exit status: 0"));
    assert!(!help.text().contains('\x1b'), "colours are for terminals");
    assert!(bench.ran(["--help"]).ok().text().contains("models"));
}

#[test]
fn completions_and_the_manual_name_every_option() {
    let bench = Bench::new(&[]);
    let shells = ["bash", "zsh", "fish", "powershell", "elvish"].map(|shell| vec!["completions", shell]);
    for args in shells.into_iter().chain([vec!["man"]]) {
        let text = bench.ran(&args).ok().text().replace('\\', "");
        let flags = OPTIONS.iter().map(|spec| spec.key.replace('_', "-"));
        for flag in flags.chain(["onnxruntime", "model-recipe", "jobs", "watch", "mirror"].map(str::to_owned)) {
            assert!(text.contains(&flag), "{args:?} without {flag}");
        }
    }
    let page = bench.ran(["man"]).ok();
    assert!(page.text().lines().any(|line| line.starts_with(".TH remrembg 1")), "it is a manual page");
    for section in ["REMREMBG REMOVE", "REMREMBG MODELS FETCH", "REMREMBG COMPLETIONS"] {
        assert!(page.text().contains(&format!(".SH \"{section}\"")), "{section}");
    }
}

#[test]
fn engine_tells_what_runs() {
    let bench = Bench::new(&[]);
    let ran = bench.ran(["engine", "--engine", "rten", "--threads", "1", "--json"]).ok();
    let told = &ran.json()[0];
    assert_eq!(
        (&told["remrembg"], &told["model"], &told["engine"]),
        (&VERSION.into(), &"u2netp".into(), &"rten".into())
    );
    assert_eq!((&told["threads"], &told["library"]), (&1.into(), &Value::Null));
    let ran = bench.ran(["engine", "--engine", "rten"]).ok();
    assert!(ran.text().contains("engine    rten 0."), "{}", ran.text());
}

#[test]
fn models_are_listed_with_licence_and_place() {
    let bench = Bench::new(&[]);
    let text = bench.ran(["models", "list"]).ok();
    let lines: Vec<&str> = text.text().lines().collect();
    assert_eq!(lines.len(), remrembg::models::MODELS.len() + 1);
    assert!(lines[0].starts_with("NAME "));
    let u2netp = lines.iter().find(|line| line.starts_with("u2netp ")).expect("it is listed");
    for cell in ["4.6 MB", "Apache-2.0", "allowed", "bundled"] {
        assert!(u2netp.contains(cell), "{u2netp}");
    }
    assert!(lines.iter().any(|line| line.contains("forbidden")), "some forbid commercial use");
    assert!(lines.iter().any(|line| line.contains("unclear")), "of some that is not sure");
    let rows = bench.ran(["models", "list", "--json"]).ok().json();
    assert_eq!(
        (&rows[1]["name"], &rows[1]["path"], &rows[1]["commercial"]),
        (&"u2net".into(), &Value::Null, &"allowed".into())
    );
}

#[test]
fn a_model_is_fetched_from_a_mirror_and_found() {
    let weights = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/u2netp.onnx")).expect("set up");
    let (bench, mirror) = (Bench::new(&[]), serve("200 OK", weights.clone()));
    let ran = bench.ran(["models", "fetch", "u2netp", "--mirror", &mirror, "--dir", "m"]).ok();
    assert_eq!(Path::new(ran.text().trim_end()), Path::new("m/u2netp.onnx"));
    assert_eq!(bench.read("m/u2netp.onnx"), weights);
    let found = bench.ran(["models", "path", "u2netp", "--dir", "m"]).ok();
    assert_eq!(found.text(), ran.text());
    let rows = bench.ran(["models", "list", "--dir", "m", "--json"]).ok().json();
    assert_eq!(rows[0]["path"], "m/u2netp.onnx");
}

#[test]
fn a_licence_that_forbids_commercial_use_is_told_before_the_download() {
    let (bench, mirror) = (Bench::new(&[]), serve("404 Not Found", Vec::new()));
    let forbids = |spec: &&remrembg::models::ModelSpec| spec.notice().is_some();
    let spec = remrembg::models::MODELS.iter().find(forbids).expect("some do");
    let ran = bench.ran(["models", "fetch", spec.name, "--mirror", &mirror, "--dir", "m", "--quiet"]);
    assert_eq!(ran.status, Some(1));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].contains("forbids commercial use"), "{lines:?}");
    assert!(lines[1].starts_with("remrembg: Cannot fetch ") && lines[1].contains("404"), "{lines:?}");
    let ran = bench.ran(["models", "fetch", spec.name, "--mirror", &mirror, "--dir", "m", "--json"]);
    assert!(ran.json()[0]["notice"].is_string());
    assert!(ran.stderr.starts_with("{\"error\":\"Cannot fetch ") && ran.stderr.ends_with(",\"status\":500}\n"));
}

#[test]
fn models_path_tells_the_folder_or_what_to_do() {
    let bench = Bench::new(&[]);
    let mut command = bench.command(["models", "path"]);
    command.env("REMREMBG_MODELS", "/models/here");
    assert_eq!(crate::bench::ran(command).ok().text(), "/models/here\n");
    let ran = bench.ran(["models", "path", "u2net"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("remrembg models fetch u2net"), "{}", ran.stderr);
    let ran = bench.ran(["models", "path", "nosuch"]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.starts_with("remrembg: "), "{}", ran.stderr);
    let ran = bench.ran(["models", "fetch", "nosuch", "--json"]);
    assert!(ran.stderr.starts_with("{\"error\":") && ran.stderr.contains("nosuch"), "{}", ran.stderr);
}

#[test]
fn an_empty_variable_is_not_set_and_a_recipe_of_one_is_not_for_another_model() {
    let bench = Bench::new(&["a.png"]);
    let run = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = bench.command(words);
        let ran = crate::bench::ran({
            command.envs(variables.iter().copied());
            command
        });
        (ran.status, ran.stderr)
    };
    let keys = remrembg::SETTINGS.iter().map(|spec| format!("REMREMBG_{}", spec.key.to_uppercase()));
    let keys: Vec<String> = keys.collect();
    let empty: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "")).collect();
    assert_eq!(run(&["engine", "--json"], &empty), (Some(0), String::new()));
    let others = [("REMREMBG_DATA", ""), ("REMREMBG_REDIS", ""), ("REMREMBG_CONFIG", ""), ("REMREMBG_LISTEN", "")];
    assert_eq!(run(&["users", "list", "--data", "accounts"], &others), (Some(0), String::new()));
    let (_, told) = run(&["serve", "--threads", "none"], &others);
    assert!(told.contains("'threads' must be"), "{told}");
    let (_, told) = run(&["health"], &others);
    assert!(told.is_empty() || told.starts_with("127.0.0.1:7000 is not ready"), "{told}");
    let service = [("REMREMBG_MODEL", "brightness.onnx"), ("REMREMBG_MODEL_RECIPE", "size=32 mean=0 std=1 scale=255")];
    assert_eq!(run(&["engine", "--json"], &service), (Some(0), String::new()), "they belong together");
    assert_eq!(run(&["engine", "--json", "--model", "u2netp"], &service), (Some(0), String::new()));
    assert_eq!(run(&["engine", "--threads", "-1"], &[]).0, Some(2));
    let (status, told) = run(&["engine", "--model-recipe", "size=32"], &[]);
    assert_eq!(status, Some(2), "a recipe without a file is refused: {told}");
}
