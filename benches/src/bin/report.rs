//! What the benchmarks measured, in tables: medians in milliseconds, and how they grow.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use remrembg_benches::{MEGAPIXELS, name, root};
use serde_json::Value;

/// Medians in milliseconds, by group and function.
type Medians = BTreeMap<String, BTreeMap<String, f64>>;

/// The stages of a photo that goes from JPEG to PNG, besides the inference.
const WAY: [&str; 6] = [
    "decode JPEG",
    "tensor, threads: 2",
    "refine, threads: 2",
    "colours, threads: 2",
    "compose",
    "encode png, threads: 2",
];
const INFERENCE: &str = "onnxruntime, threads: 2";

fn main() -> Result<(), Box<dyn Error>> {
    let medians = medians()?;
    let none = BTreeMap::new();
    let group = |name: &str| medians.get(name).unwrap_or(&none);
    println!("### Stages, in ms\n");
    table(|size| group(&size));
    println!("\n### JPEG to file, in ms\n");
    table(|size| group(&format!("JPEG of {size}")));
    println!("\n### Inference, in ms\n\n| engine | ms |\n|---|---|");
    group("inference").iter().for_each(|(setup, ms)| println!("| {setup} | {ms:.1} |"));
    println!("\n### Shares of JPEG to PNG\n");
    shares(&|size| group(&size), group("inference").get(INFERENCE).copied());
    Ok(())
}

/// A row for each function, a column for each size, and how time grows from 1 megapixel
/// to the largest: as which power of the pixels.
fn table<'a>(group: impl Fn(String) -> &'a BTreeMap<String, f64>) {
    let sizes: Vec<&BTreeMap<String, f64>> = MEGAPIXELS.iter().map(|size| group(name(*size))).collect();
    println!("| | {} | ms/MP at 12 MP | grows as |", MEGAPIXELS.map(name).join(" | "));
    println!("|---|{}", "---|".repeat(MEGAPIXELS.len() + 2));
    for function in sizes.iter().flat_map(|size| size.keys()).collect::<std::collections::BTreeSet<_>>() {
        let times: Vec<Option<f64>> = sizes.iter().map(|size| size.get(function).copied()).collect();
        let cells: Vec<String> = times.iter().map(|ms| ms.map_or("–".to_owned(), |ms| format!("{ms:.2}"))).collect();
        let at = |megapixels: f64| MEGAPIXELS.iter().position(|size| *size == megapixels).and_then(|at| times[at]);
        let each = at(12.0).map_or("–".to_owned(), |ms| format!("{:.2}", ms / 12.0));
        let growth = at(1.0).zip(at(50.0)).map(|(small, large)| (large / small).ln() / 50_f64.ln());
        let growth = growth.map_or("–".to_owned(), |power| format!("n^{power:.2}"));
        println!("| {function} | {} | {each} | {growth} |", cells.join(" | "));
    }
}

fn shares<'a>(group: &impl Fn(String) -> &'a BTreeMap<String, f64>, inference: Option<f64>) {
    println!("| | {} |\n|---|{}", MEGAPIXELS.map(name).join(" | "), "---|".repeat(MEGAPIXELS.len()));
    let ways = MEGAPIXELS.map(|size| {
        let times = WAY.map(|stage| group(name(size)).get(stage).copied());
        times.into_iter().chain([inference]).collect::<Option<Vec<f64>>>()
    });
    for (at, stage) in WAY.into_iter().chain(["inference"]).enumerate() {
        let share = |way: &Option<Vec<f64>>| {
            way.as_ref().map_or("–".to_owned(), |way| format!("{:.0} %", 100.0 * way[at] / way.iter().sum::<f64>()))
        };
        println!("| {stage} | {} |", ways.iter().map(share).collect::<Vec<_>>().join(" | "));
    }
}

/// What criterion wrote down last.
fn medians() -> Result<Medians, Box<dyn Error>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join("criterion");
    let mut medians = Medians::new();
    for group in
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}. `make bench` measures", folder.display()))?
    {
        for function in fs::read_dir(group?.path())? {
            let new = function?.path().join("new");
            let read = |file: &str| -> Result<Value, Box<dyn Error>> {
                Ok(serde_json::from_slice(&fs::read(new.join(file))?)?)
            };
            if !new.join("benchmark.json").exists() {
                continue;
            }
            let (what, times) = (read("benchmark.json")?, read("estimates.json")?);
            if let (Some(group), Some(function), Some(ns)) =
                (what["group_id"].as_str(), what["function_id"].as_str(), times["median"]["point_estimate"].as_f64())
            {
                medians.entry(group.to_owned()).or_default().insert(function.to_owned(), ns / 1e6);
            }
        }
    }
    Ok(medians)
}
