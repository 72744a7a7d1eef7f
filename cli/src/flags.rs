//! The options of core as flags. Their values stay text: core alone reads them.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, ArgMatches};
use remrembg::{OPTIONS, OptionKind, OptionSpec};

/// Where help lists them.
pub(crate) const HEADING: &str = "Picture options";

/// A flag for each option of the table.
pub(crate) fn flags() -> impl Iterator<Item = Arg> {
    OPTIONS.iter().map(flag)
}

fn flag(spec: &OptionSpec) -> Arg {
    let name = spec.key.replace('_', "-");
    let long = format!("{}\n\nAccepted: {}. Default: {}.", spec.help, spec.range, spec.default);
    let arg = Arg::new(spec.key)
        .value_name(spec.kind.name().to_uppercase())
        .help(spec.help)
        .long_help(long)
        .help_heading(HEADING);
    let arg = if name == spec.key { arg } else { arg.alias(spec.key) };
    let arg = arg.long(name);
    match spec.kind {
        OptionKind::Boolean => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        // Core says what is no number: -.5 and -inf are some to Python.
        OptionKind::Integer | OptionKind::Number => arg.allow_hyphen_values(true),
        _ => arg,
    }
}

/// What may stand after the flag of a boolean, as a word of its own.
const BOOLEANS: [&str; 8] = ["true", "false", "1", "0", "yes", "no", "on", "off"];

/// Joins such a word to the flag before it, `--refine off` to `--refine=off`: else it would be taken for a picture. One
/// that is the name of a file is a picture.
pub(crate) fn joined(words: Vec<OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(words.len());
    let mut are_flags = true;
    for word in words {
        are_flags &= word != "--";
        match joined.last_mut() {
            Some(flag) if are_flags && is_boolean(flag) && is_value(&word) => {
                flag.push("=");
                flag.push(word);
            }
            _ => joined.push(word),
        }
    }
    joined
}

fn is_boolean(flag: &OsStr) -> bool {
    let Some(name) = flag.to_str().and_then(|flag| flag.strip_prefix("--")) else { return false };
    OPTIONS.iter().any(|spec| spec.kind == OptionKind::Boolean && spec.key == name.replace('-', "_"))
}

fn is_value(word: &OsStr) -> bool {
    BOOLEANS.iter().any(|boolean| word.eq_ignore_ascii_case(boolean)) && !Path::new(word).exists()
}

/// What was given of them, in the table's order.
pub(crate) fn pairs(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let value = |spec: &OptionSpec| Some((spec.key, matches.get_one::<String>(spec.key)?.clone()));
    OPTIONS.iter().filter_map(value).collect()
}
