//! What runs the model: the flags that choose it, and the command that tells.

use std::path::PathBuf;

use clap::ArgMatches;
use remrembg::{Config, Model, Recipe, Remover};
use serde::Serialize;

use crate::failure::Failure;
use crate::report::Voice;
use crate::terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The flags of model and engine, and `in_flight` removals at once.
pub(crate) fn config(matches: &ArgMatches, in_flight: usize) -> Result<Config, Failure> {
    let mut config = Config::default();
    config.model = model(matches)?;
    config.in_flight = in_flight;
    config.threads = matches.get_one::<u16>("threads").copied().unwrap_or_default().into();
    config.onnxruntime = matches.get_one::<PathBuf>("onnxruntime").cloned();
    if let Some(name) = matches.get_one::<String>("engine") {
        config.engine = name.parse()?;
    }
    Ok(config)
}

fn model(matches: &ArgMatches) -> Result<Model, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("model") else { return Ok(Model::default()) };
    let model = match path.to_str() {
        Some(text) => Model::from_text(text)?,
        None => Model::File { path: path.clone(), recipe: Recipe::U2NET },
    };
    match matches.get_one::<String>("model-recipe") {
        Some(recipe) => Ok(model.with_recipe(recipe.parse()?)?),
        None => Ok(model),
    }
}

/// One line: versions, model, engine.
pub(crate) fn line(remover: &Remover) -> String {
    format!("remrembg {VERSION}, model {}, engine {}", remover.model(), remover.engine())
}

#[derive(Serialize)]
struct Told<'a> {
    remrembg: &'a str,
    model: &'a str,
    engine: &'a str,
    version: &'a str,
    provider: &'a str,
    threads: usize,
    library: Option<&'a str>,
    fallback: Option<&'a str>,
}

/// Loads what `remove` with the same flags would load, and describes it.
pub(crate) fn run(matches: &ArgMatches, voice: Voice) -> Result<u8, Failure> {
    let remover = Remover::new(config(matches, 0)?)?;
    let text = if voice.json { object(&remover) } else { table(&remover) };
    terminal::print(&text).map(|()| 0)
}

fn object(remover: &Remover) -> String {
    let info = remover.engine();
    let library = info.library.as_ref().map(|path| path.to_string_lossy());
    let told = Told {
        remrembg: VERSION,
        model: remover.model(),
        engine: info.name,
        version: &info.version,
        provider: &info.provider,
        threads: info.threads,
        library: library.as_deref(),
        fallback: info.fallback.as_deref(),
    };
    serde_json::to_string(&told).unwrap_or_default() + "\n"
}

fn table(remover: &Remover) -> String {
    let info = remover.engine();
    let library = info.library.as_ref().map(|path| format!("library   {}\n", path.display()));
    let fallback = info.fallback.as_ref().map(|why| format!("ONNX Runtime is not used:\n{why}\n"));
    format!(
        "remrembg  {VERSION}\nmodel     {}\nengine    {} {}\nprovider  {}\nthreads   {}\n{}{}",
        remover.model(),
        info.name,
        info.version,
        info.provider,
        info.threads,
        library.unwrap_or_default(),
        fallback.unwrap_or_default(),
    )
}
