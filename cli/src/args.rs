//! Arguments that several commands have.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use crate::settings;

/// rembg's `-x`, for which there is no other word here.
pub(crate) fn extras() -> Arg {
    Arg::new("extras").long("extras").hide(true)
}

pub(crate) fn jobs() -> Arg {
    number("jobs", "Pictures to work on at once [default: one more than there are threads]")
        .value_parser(value_parser!(u16).range(1..))
}

/// What [`jobs`] says: 0 for its default, which a remover knows as `in_flight`.
pub(crate) fn jobs_of(matches: &ArgMatches) -> usize {
    matches.get_one::<u16>("jobs").map_or(0, |&jobs| jobs.into())
}

/// The settings of a remover. How many pictures are worked on at once is told by [`jobs`].
pub(crate) fn running() -> impl Iterator<Item = Arg> {
    settings::flags(&["in_flight"], &[])
}

pub(crate) fn fetching() -> Arg {
    switch("fetch", "Fetch the model first, where it is not on this machine").help_heading(settings::HEADING)
}

pub(crate) fn telling() -> [Arg; 2] {
    [
        switch("json", "Print one JSON object a line for each result, and errors as the hosted API's JSON")
            .conflicts_with("quiet"),
        Arg::new("quiet").long("quiet").short('q').action(ArgAction::SetTrue).help("Print nothing but errors"),
    ]
}

pub(crate) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn number(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("N").help(help)
}

pub(crate) fn path(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).value_name(value).value_parser(value_parser!(PathBuf)).value_hint(ValueHint::AnyPath)
}

/// The first paragraph.
pub(crate) fn short(text: &'static str) -> &'static str {
    text.lines().next().unwrap_or_default()
}
