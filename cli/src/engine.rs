//! What runs the model: the flags that choose it, and the command that tells.

use std::ffi::OsString;
use std::path::Path;

use clap::ArgMatches;
use remrembg::{Config, Remover};
use serde::Serialize;

use crate::Host;
use crate::failure::Failure;
use crate::rembg;
use crate::report::Voice;
use crate::settings;
use crate::terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The settings that the flags of model and engine say, and `in_flight` removals at once, 0 for the default.
pub(crate) fn config(matches: &ArgMatches, host: &Host, in_flight: usize) -> Result<Config, Failure> {
    let model = match matches.try_get_one::<String>("extras").ok().flatten() {
        Some(extras) => rembg::model_of_extras(matches.get_one::<OsString>("model").map(Path::new), extras)?,
        None => None,
    };
    let mut config = settings::config(matches, host, model, in_flight)?;
    config.limits.more_formats = true;
    Ok(config)
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
