//! What runs the model: the flags that choose it, and the command that tells.

use std::path::PathBuf;

use clap::ArgMatches;
use remrembg::{Config, Model, Provider, Recipe, Remover};
use serde::Serialize;

use crate::Host;
use crate::failure::Failure;
use crate::rembg;
use crate::report::Voice;
use crate::terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The flags of model and engine, and `in_flight` removals at once.
pub(crate) fn config(matches: &ArgMatches, host: &Host, in_flight: usize) -> Result<Config, Failure> {
    let mut config = Config::default();
    config.model = model(matches)?;
    config.in_flight = in_flight;
    config.limits.more_formats = true;
    config.threads = matches.get_one::<u16>("threads").copied().unwrap_or_default().into();
    config.onnxruntime = matches.get_one::<PathBuf>("onnxruntime").cloned();
    config.onnxruntime_hints.clone_from(&host.onnxruntime_hints);
    config.providers = matches.get_one::<Vec<Provider>>("providers").cloned().unwrap_or_default();
    if let Some(name) = matches.get_one::<String>("engine") {
        config.engine = name.parse()?;
    }
    Ok(config)
}

fn model(matches: &ArgMatches) -> Result<Model, Failure> {
    if let Some(extras) = matches.try_get_one::<String>("extras").ok().flatten() {
        let name = matches.get_one::<PathBuf>("model").map(PathBuf::as_path);
        if let Some(model) = rembg::model_of_extras(name, extras)? {
            return Ok(model);
        }
    }
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
pub(crate) fn run(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<u8, Failure> {
    let remover = Remover::new(config(matches, host, 0)?)?;
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
    let fallback = info.fallback.as_ref().map(|why| format!("fallback  {why}\n"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    fn read(words: &[&str], host: &Host) -> Config {
        let matches = args::command().get_matches_from(["remrembg", "engine"].iter().chain(words));
        let (_, matches) = matches.subcommand().expect("it is a command");
        config(matches, host, 0).expect("it is accepted")
    }

    #[test]
    fn what_the_host_knows_is_where_to_look_besides_what_is_given() {
        let host = Host { onnxruntime_hints: vec!["/site-packages/onnxruntime/capi".into()] };
        let config = read(&["--onnxruntime", "here", "--providers", "CUDA,cpu"], &host);
        assert_eq!(config.onnxruntime_hints, host.onnxruntime_hints);
        assert_eq!(config.onnxruntime, Some("here".into()));
        assert_eq!(config.providers, [Provider::Cuda, Provider::Cpu]);
        assert!(read(&["--providers", "auto"], &Host::default()).providers.is_empty());
    }
}
