//! The refusals of `testdata/options.json`, replayed through the command line.

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

#[test]
fn refused_options_are_told_to_the_letter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/options.json");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let vectors: Vec<Value> = serde_json::from_str(&text).expect("the vectors are JSON");
    let bench = Bench::new(&["a.png"]);
    let mut replayed = 0;
    for vector in vectors.iter().filter(|vector| vector.get("error").is_some()) {
        let Some(arguments) = arguments(vector) else { continue };
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
