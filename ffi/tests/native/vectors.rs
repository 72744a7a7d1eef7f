//! Replays `testdata/` through a C program, which knows nothing of JSON: every
//! value of a case goes to it as `length:bytes`, in the order that it reads.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;
use std::thread;

use serde_json::Value;

use crate::build::{compile, program, root, temporary};

/// The cases, as the program reads them.
#[derive(Default)]
struct Script(Vec<u8>);

impl Script {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(format!("{}:", bytes.len()).into_bytes());
        self.0.extend(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, value: &Value) {
        self.text(&value.as_u64().expect("a number").to_string());
    }

    fn pairs<'a>(&mut self, pairs: impl ExactSizeIterator<Item = (&'a str, String)>) {
        self.text(&pairs.len().to_string());
        for (key, value) in pairs {
            self.text(key);
            self.text(&value);
        }
    }

    /// The refusal's body, status and name; an empty body where there is none.
    fn refusal(&mut self, error: Option<&Value>) {
        let Some(error) = error else { return self.text("") };
        let codes = error["codes"].as_array().expect("codes");
        self.text(text(&error["body"]));
        self.number(&error["status"]);
        self.text(if codes.len() == 1 { text(&codes[0]) } else { "multiple" });
    }
}

fn cases(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("testdata").join(file)).expect("the vectors are there");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn option_pairs(case: &Value) -> Vec<(&str, String)> {
    let pairs = case["pairs"].as_array().expect("pairs");
    pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]).to_owned())).collect()
}

/// Hands the cases to the program, which counts those that it replayed.
fn replay(script: Script, count: usize) {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| compile("gcc", "ffi/tests/c/vectors.c", &["-std=c99"]));
    let mut child = program(&*PROGRAM)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let writer = thread::spawn(move || stdin.write_all(&script.0));
    let mut stderr = child.stderr.take().expect("it is piped");
    let errors = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let output = child.wait_with_output().expect("the program ends");
    let written = writer.join().expect("no panic");
    let errors = errors.join().expect("no panic").expect("text");
    assert!(output.status.success() && written.is_ok(), "{}: {errors}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{count} cases\n"), "{errors}");
}

#[test]
fn option_text_is_taken_or_refused_as_the_vectors_say() {
    let cases = cases("options.json");
    let mut script = Script::default();
    for case in &cases {
        script.text("options");
        script.text(text(&case["name"]));
        script.pairs(option_pairs(case).into_iter());
        script.refusal(case.get("error"));
    }
    replay(script, cases.len());
}

#[test]
fn results_have_the_size_of_the_vectors() {
    let cases = cases("geometry.json");
    let mut script = Script::default();
    for case in &cases {
        script.text("geometry");
        script.text(text(&case["name"]));
        script.pairs(option_pairs(case).into_iter());
        for number in [&case["input"][0], &case["input"][1], &case["output"][0], &case["output"][1]] {
            script.number(number);
        }
    }
    replay(script, cases.len());
}

#[test]
fn files_are_taken_or_refused_as_the_vectors_say() {
    // Names of paths count where they stand in for an upload, which they never do in C.
    let by_path = |case: &Value| case["input"].get("path_suffix").is_some() && case.get("error").is_some();
    let (cases, folder) = (cases("files.json"), temporary("files"));
    let cases: Vec<Value> = cases.into_iter().filter(|case| !by_path(case)).collect();
    let mut script = Script::default();
    for (number, case) in cases.iter().enumerate() {
        let input = &case["input"];
        script.text("file");
        script.text(text(&case["name"]));
        let limits = case.get("limits").and_then(Value::as_object);
        let limits: Vec<(&str, String)> =
            limits.into_iter().flatten().map(|(key, value)| (key.as_str(), value.to_string())).collect();
        script.pairs(limits.into_iter());
        if let Some(pixels) = input.get("pixels") {
            script.text("pixels");
            script.text(text(&pixels["layout"]));
            ["width", "height", "stride", "length"].iter().for_each(|key| script.number(&pixels[key]));
        } else if input.get("missing").is_some() {
            script.text("missing");
        } else if let Some(suffix) = input.get("path_suffix") {
            let path = folder.join(format!("{number}{}", text(suffix)));
            fs::write(&path, file(input)).expect("the file can be written");
            script.text("path");
            script.text(path.to_str().expect("the folder's name is text"));
        } else {
            script.text(if input.get("file_name").is_some() { "upload" } else { "bytes" });
            script.bytes(&file(input));
            input.get("file_name").into_iter().for_each(|name| script.text(text(name)));
        }
        script.refusal(case.get("error"));
    }
    replay(script, cases.len());
}

fn file(input: &Value) -> Vec<u8> {
    input["parts"].as_array().expect("parts").iter().flat_map(part).collect()
}

fn part(part: &Value) -> Vec<u8> {
    match part.get("hex") {
        Some(hex) => bytes(text(hex)),
        None => bytes(text(&part["fill"])).repeat(part["count"].as_u64().expect("a count") as usize),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex digits")).collect()
}
