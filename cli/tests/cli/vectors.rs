//! The vectors of `testdata/options.json`, replayed through the command line.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::bench::Bench;

/// The arguments of a vector; `None` when it has a key that is no flag, or text
/// that no command line can carry.
fn arguments(vector: &Value) -> Option<Vec<String>> {
    let pairs = vector["pairs"].as_array()?;
    let argument = |pair: &Value| {
        let (key, value) = (pair[0].as_str()?, pair[1].as_str()?);
        let known = remrembg::OPTIONS.iter().any(|spec| spec.key == key);
        (known && !value.contains('\0')).then(|| format!("--{}={value}", key.replace('_', "-")))
    };
    pairs.iter().map(argument).collect()
}

/// The vectors that have this key.
fn vectors(kind: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/options.json");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("the vectors are JSON");
    vectors.into_iter().filter(|vector| vector.get(kind).is_some()).collect()
}

/// That all of it is taken shows in the empty file being the only problem. One vector for each
/// option and each value that it comes to is enough: core reads the text.
#[test]
fn accepted_options_are_taken() {
    let bench = Bench::new(&["mask.png"]);
    bench.put("empty.png", b"");
    let (mut keys, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for vector in vectors("options") {
        let Some(arguments) = arguments(&vector) else { continue };
        if !seen.insert(vector["options"].to_string()) {
            continue;
        }
        let mask: &[&str] = if vector["options"]["own"]["trimap"] == true { &["--mask-from", "mask.png"] } else { &[] };
        let words = ["remove", "empty.png", "--json"].iter().chain(mask).copied();
        let ran = bench.ran(words.chain(arguments.iter().map(String::as_str)));
        let body = r#"{"error":"Uploaded file is empty (0 bytes).","status":400}"#;
        assert_eq!(ran.stderr, format!("{body}\n"), "{}", vector["name"]);
        keys.extend(
            vector["pairs"].as_array().into_iter().flatten().filter_map(|pair| Some(pair[0].as_str()?.to_owned())),
        );
    }
    let all: BTreeSet<String> = remrembg::OPTIONS.iter().map(|spec| spec.key.to_owned()).collect();
    assert_eq!(keys, all);
}

#[test]
fn refused_options_are_told_to_the_letter() {
    let bench = Bench::new(&["a.png"]);
    let mut replayed = 0;
    for vector in vectors("error") {
        let Some(arguments) = arguments(&vector) else { continue };
        let ran = bench.ran(["remove", "a.png", "--json"].into_iter().chain(arguments.iter().map(String::as_str)));
        let body = vector["error"]["body"].as_str().expect("a refusal has a body");
        assert_eq!(ran.stderr, format!("{body}\n"), "{}", vector["name"]);
        assert_eq!(ran.text(), format!("{{\"input\":\"a.png\",\"error\":{body}}}\n"), "{}", vector["name"]);
        assert_eq!(ran.status, Some(2), "{}", vector["name"]);
        replayed += 1;
    }
    assert!(replayed > 200, "only {replayed} vectors were replayed");
    assert_eq!(bench.files(), ["a.png"]);
}
