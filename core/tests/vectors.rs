//! Replays the vectors of `testdata/` through the public API, and checks that
//! every refusal of the contract has one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use remrembg::{Code, Compression, CutOut, Error, Matting, OPTIONS, OptionKind, Options, Prompts, Region, output_size};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionsCase {
    name: String,
    pairs: Vec<(String, String)>,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Options(Resolved),
    Error(Refusal),
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Resolved {
    format: String,
    w: Option<u32>,
    h: Option<u32>,
    exact_resize: bool,
    mask: bool,
    expand: bool,
    angle: f64,
    bg_color: Option<[u8; 4]>,
    #[serde(default)]
    own: Own,
}

/// remrembg's own options; a vector has those that differ from the default.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields, default)]
struct Own {
    quality: Option<u8>,
    compression: String,
    preset: String,
    refine: bool,
    flat: String,
    decontaminate: bool,
    matting: Option<Thresholds>,
    trimap: bool,
    clean_mask: bool,
    keep: Vec<Vec<u32>>,
    drop: Vec<Vec<u32>>,
    smooth_mask: bool,
    invert_mask: bool,
    keep_colors: bool,
    keep_alpha: bool,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    foreground_threshold: i64,
    background_threshold: i64,
    erode_size: i64,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            quality: None,
            compression: "default".to_owned(),
            preset: "balanced".to_owned(),
            refine: true,
            flat: "auto".to_owned(),
            decontaminate: true,
            matting: None,
            trimap: false,
            clean_mask: false,
            keep: Vec::new(),
            drop: Vec::new(),
            smooth_mask: false,
            invert_mask: false,
            keep_colors: false,
            keep_alpha: false,
        }
    }
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Refusal {
    status: u16,
    codes: Vec<String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GeometryCase {
    name: String,
    input: (u32, u32),
    pairs: Vec<(String, String)>,
    output: (u32, u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountCase {
    code: String,
    status: u16,
    body: String,
}

impl From<Options> for Resolved {
    fn from(options: Options) -> Self {
        Self {
            format: options.format.name().to_owned(),
            w: options.w,
            h: options.h,
            exact_resize: options.exact_resize,
            mask: options.mask,
            expand: options.expand,
            angle: options.angle,
            bg_color: options.bg_color.map(|color| [color.r, color.g, color.b, color.a]),
            own: Own::of(options.cut_out, options.quality, options.compression),
        }
    }
}

impl Own {
    /// A new field cannot be forgotten here: each option has a vector, and its key must be one of `Own`.
    fn of(cut_out: CutOut, quality: Option<u8>, compression: Compression) -> Self {
        let CutOut {
            preset,
            refine,
            flat,
            decontaminate,
            trimap,
            clean_mask,
            prompts: Prompts { keep, drop },
            smooth_mask,
            invert_mask,
            matting,
            keep_colors,
            keep_alpha,
            ..
        } = cut_out;
        let numbers = |regions: Vec<Region>| regions.into_iter().map(numbers_of).collect();
        Self {
            quality,
            compression: compression.name().to_owned(),
            preset: preset.name().to_owned(),
            refine,
            flat: flat.name().to_owned(),
            decontaminate,
            matting: matting.map(|Matting { foreground_threshold, background_threshold, erode_size }| Thresholds {
                foreground_threshold,
                background_threshold,
                erode_size,
            }),
            trimap,
            clean_mask,
            keep: numbers(keep),
            drop: numbers(drop),
            smooth_mask,
            invert_mask,
            keep_colors,
            keep_alpha,
        }
    }
}

fn numbers_of(region: Region) -> Vec<u32> {
    match region {
        Region::Point { x, y } => vec![x, y],
        Region::Box { left, top, right, bottom } => vec![left, top, right, bottom],
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let codes = error.details().iter().map(|problem| problem.code.name().to_owned()).collect();
        Self { status: error.status(), codes, body: error.to_json() }
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of a file, which has some, each with a name of its own.
fn cases<T: DeserializeOwned>(file: &str, name: impl Fn(&T) -> &str) -> Vec<T> {
    let cases: Vec<T> = read(&testdata().join(file));
    let names: BTreeSet<&str> = cases.iter().map(name).collect();
    assert!(!cases.is_empty(), "{file} has no case");
    assert_eq!(names.len(), cases.len(), "two cases of {file} share a name");
    cases
}

#[test]
fn option_text_becomes_the_values_or_the_error_body_of_the_vectors() {
    for case in cases("options.json", |case: &OptionsCase| &case.name) {
        let got = match Options::from_pairs(case.pairs) {
            Ok(options) => Expected::Options(options.into()),
            Err(error) => Expected::Error(error.into()),
        };
        assert_eq!(got, case.expected, "{}", case.name);
    }
}

#[test]
fn values_that_text_can_give_also_pass_as_typed_values() {
    for case in cases("options.json", |case: &OptionsCase| &case.name) {
        if let Ok(options) = Options::from_pairs(case.pairs) {
            assert!(options.check().is_ok(), "{}", case.name);
        }
    }
}

#[test]
fn results_have_the_size_of_the_vectors() {
    for case in cases("geometry.json", |case: &GeometryCase| &case.name) {
        let options = Options::from_pairs(case.pairs).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(output_size(case.input, &options), case.output, "{}", case.name);
    }
}

#[test]
fn account_errors_have_the_status_and_the_body_of_the_vectors() {
    for case in cases("errors.json", |case: &AccountCase| &case.code) {
        let code = Code::ALL.iter().find(|code| code.name() == case.code);
        let error = Error::new(*code.unwrap_or_else(|| panic!("no code is called {}", case.code)));
        assert_eq!((error.status(), error.to_json()), (case.status, case.body), "{}", case.code);
    }
}

/// What a row of the table accepts has a vector that is taken, and what it refuses one that is
/// refused. No text is refused as true or false.
#[test]
fn every_option_has_a_success_and_a_refusal_among_the_vectors() {
    let cases = cases("options.json", |case: &OptionsCase| &case.name);
    let named = |wanted: bool| -> BTreeSet<&str> {
        let right = cases.iter().filter(|case| matches!(case.expected, Expected::Options(_)) == wanted);
        right.flat_map(|case| case.pairs.iter().map(|(key, _)| key.as_str())).collect()
    };
    let (taken, refused) = (named(true), named(false));
    for spec in OPTIONS {
        assert!(taken.contains(spec.key), "{} is taken in no vector", spec.key);
        assert!(spec.kind == OptionKind::Boolean || refused.contains(spec.key), "{} is refused in none", spec.key);
    }
}

/// Codes of 499 and above are failures of this machine, not the contract's.
#[test]
fn every_refusal_of_the_contract_has_a_vector() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(testdata()).expect("testdata can be listed") {
        let path = entry.expect("testdata can be listed").path();
        if path.extension().is_some_and(|suffix| suffix == "json") {
            collect_codes(&read(&path), &mut seen);
        }
    }
    let refusals = Code::ALL.iter().filter(|code| code.status() < 499).map(|code| code.name());
    let missing: Vec<&str> = refusals.filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "codes without a vector in testdata/*.json: {missing:?}");
}

/// Collects what stands under `code` and `codes`; several at once make up the
/// error `multiple`.
fn collect_codes(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_codes(item, seen)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("code", Value::String(code)) => drop(seen.insert(code.clone())),
            ("codes", Value::Array(codes)) => {
                seen.extend(codes.iter().filter_map(Value::as_str).map(str::to_owned));
                seen.extend((codes.len() > 1).then(|| Code::Multiple.name().to_owned()));
            }
            _ => collect_codes(value, seen),
        }),
        _ => {}
    }
}
