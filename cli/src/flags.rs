//! The options of core as flags. Their values stay text: core alone reads them.

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
        .help_heading(HEADING)
        .allow_negative_numbers(true);
    let arg = if name == spec.key { arg } else { arg.alias(spec.key) };
    let arg = arg.long(name);
    match spec.kind {
        OptionKind::Boolean => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => arg,
    }
}

/// What was given of them, in the table's order.
pub(crate) fn pairs(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let value = |spec: &OptionSpec| Some((spec.key, matches.get_one::<String>(spec.key)?.clone()));
    OPTIONS.iter().filter_map(value).collect()
}
