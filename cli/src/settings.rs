//! The settings of a remover as flags and environment variables, from the one table of core. Their values stay text:
//! core alone reads them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, ValueHint, value_parser};
use remrembg::{Config, EngineChoice, Model, Provider, Recipe, SETTINGS, SettingSpec};

use crate::Host;
use crate::failure::Failure;

/// Where help lists them.
pub(crate) const HEADING: &str = "Model options";

/// What a path may be that is no text.
const PATHS: [&str; 2] = ["model", "onnxruntime"];

/// A flag for each setting but those of `without`; some defaults are others here.
pub(crate) fn flags(without: &[&str], defaults: &[(&str, &str)]) -> impl Iterator<Item = Arg> {
    let default =
        |spec: &SettingSpec| defaults.iter().find(|(key, _)| *key == spec.key).map_or(spec.default, |other| other.1);
    SETTINGS.iter().filter(|spec| !without.contains(&spec.key)).map(move |spec| flag(spec, default(spec)))
}

fn flag(spec: &SettingSpec, default: &str) -> Arg {
    let arg = of(spec.key, spec.help, spec.range, default).help_heading(HEADING);
    match spec.key {
        "engine" => arg.value_parser(PossibleValuesParser::new(EngineChoice::ALL.map(EngineChoice::name))),
        "providers" => arg.value_parser(Provider::list),
        key if PATHS.contains(&key) => arg.value_parser(value_parser!(OsString)).value_hint(ValueHint::AnyPath),
        _ => arg.allow_negative_numbers(true),
    }
}

/// A flag of a table, which an environment variable may stand in for.
pub(crate) fn of(key: &'static str, help: &'static str, range: &str, default: &str) -> Arg {
    let default = if default.is_empty() { "unset" } else { default };
    let arg = Arg::new(key)
        .long(key.replace('_', "-"))
        .value_name(key.to_uppercase())
        .help(help)
        .long_help(format!("{help}\n\nAccepted: {range}. Default: {default}."))
        .hide_env_values(true);
    // For ONNX Runtime core itself looks there, among other places.
    if key == "onnxruntime" { arg } else { or_variable(arg, format!("REMREMBG_{}", key.to_uppercase())) }
}

/// Lets an environment variable stand in for a flag. An empty one is not set.
pub(crate) fn or_variable(arg: Arg, variable: impl Into<String>) -> Arg {
    let variable = variable.into();
    let is_empty = std::env::var_os(&variable).is_some_and(|value| value.is_empty());
    if is_empty { arg } else { arg.env(variable) }
}

/// What was given of them.
pub(crate) fn pairs(matches: &ArgMatches) -> impl Iterator<Item = (&'static str, &OsStr)> {
    SETTINGS.iter().filter_map(|spec| {
        let mut given = matches.try_get_raw(spec.key).ok().flatten()?;
        given.next().filter(|value| !value.is_empty()).map(|value| (spec.key, value))
    })
}

/// A remover's settings, and `in_flight` removals at once, 0 for the default. `model` stands in for what is given.
pub(crate) fn config(
    matches: &ArgMatches,
    host: &Host,
    model: Option<Model>,
    in_flight: usize,
) -> Result<Config, Failure> {
    let is_said = |key| matches.value_source(key) == Some(ValueSource::CommandLine);
    let is_no_text = |key| pairs(matches).any(|(known, value)| known == key && value.to_str().is_none());
    // A variable says how to feed the model of a variable, and no other.
    let is_others = !is_said("model_recipe") && (is_said("model") || model.is_some());
    let is_read = |key: &str| match key {
        "model" => model.is_none(),
        "model_recipe" => !is_others && !is_no_text("model"),
        _ => true,
    };
    let given = || pairs(matches).filter(|(key, _)| is_read(key));
    let mut config = Config::from_pairs(given().filter_map(|(key, value)| Some((key, value.to_str()?))))?;
    for (key, path) in given().filter(|(_, value)| value.to_str().is_none()) {
        let path = PathBuf::from(path);
        match key {
            "model" => {
                config.model = Model::File { path, recipe: if is_others { Recipe::U2NET } else { recipe(matches)? } }
            }
            _ => config.onnxruntime = Some(path),
        }
    }
    config.model = model.unwrap_or(config.model);
    config.in_flight = in_flight;
    config.onnxruntime_hints.clone_from(&host.onnxruntime_hints);
    Ok(config)
}

fn recipe(matches: &ArgMatches) -> Result<Recipe, Failure> {
    match matches.get_one::<String>("model_recipe") {
        Some(text) => Ok(text.parse()?),
        None => Ok(Recipe::U2NET),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    fn read(words: &[&str], host: &Host) -> Config {
        let matches = command::command().get_matches_from(["remrembg", "engine"].iter().chain(words));
        let (_, matches) = matches.subcommand().expect("it is a command");
        config(matches, host, None, 0).expect("it is accepted")
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

    #[test]
    fn every_setting_is_a_flag() {
        let config =
            read(&["--max-side", "9", "--max-bytes=8", "--decode-memory", "7", "--memory", "6"], &Host::default());
        let limits = &config.limits;
        assert_eq!((limits.max_side, limits.max_bytes, limits.decode_memory, config.memory), (9, 8, 7, 6));
    }
}
