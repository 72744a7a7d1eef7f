//! The command line of remrembg, as one function: what the binary does, a
//! program that embeds it can do in its own process.

#![forbid(unsafe_code)]

mod accounts;
mod args;
mod command;
mod engine;
mod failure;
mod flags;
mod frames;
mod generate;
mod models;
mod order;
mod plan;
mod rembg;
mod remove;
mod report;
mod save;
mod serve;
mod settings;
mod shop;
mod stamp;
mod stop;
mod terminal;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;

use failure::{Failure, REFUSED};
use report::Voice;

/// Runs one command line, the program's name first, and gives the exit status:
/// 0 when all is done; 2 when the request was refused; 1 for any other failure;
/// 130 and 143 when SIGINT or SIGTERM ended it.
///
/// Pictures and errors go to this process's standard streams. While a picture
/// is worked on or a model fetched, SIGINT and SIGTERM ask for a stop, and a
/// second one ends the process; handlers that were there before are called too.
///
/// Afterwards those handlers still work, as Python's for SIGINT: one that came
/// meanwhile raises KeyboardInterrupt when this has returned 130. A signal that
/// had no handler, as SIGTERM there, is ignored from then on, until the host sets
/// what it is to do. A host that does so after a first run has that signal for
/// itself: later runs do not hear it. Not meant to run twice at once.
pub fn run<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>) -> u8 {
    run_with(args, &Host::default())
}

/// What a program that embeds the command line knows about where it runs.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// As [`remrembg::Config::onnxruntime_hints`]: `--onnxruntime` and the
    /// environment come first.
    pub onnxruntime_hints: Vec<PathBuf>,
}

/// [`run`], with what the program around it knows.
pub fn run_with<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>, host: &Host) -> u8 {
    let args = command::completed(args.into_iter().map(Into::into).collect());
    match command::command().try_get_matches_from(&args) {
        Ok(matches) => dispatch(&matches, host),
        Err(error) => explain(&error, args.iter().any(|arg| arg == "--json")),
    }
}

fn dispatch(matches: &ArgMatches, host: &Host) -> u8 {
    let (name, matches) = matches.subcommand().unwrap_or(("", matches));
    let voice = Voice::of(innermost(matches));
    let done = match name {
        "remove" => remove::run(matches, host, voice),
        "frames" => frames::run(matches, host, voice),
        "models" => models::run(matches),
        "engine" => engine::run(matches, host, voice),
        "serve" => serve::run(matches, host),
        "users" | "keys" | "tokens" | "usage" => accounts::run(name, matches),
        "health" => serve::check(matches),
        "completions" => generate::completions(matches),
        _ => generate::man(),
    };
    done.unwrap_or_else(|failure| {
        voice.tell(None, &failure);
        failure.status()
    })
}

fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}

/// Prints what clap has to say: help and version are no errors.
fn explain(error: &clap::Error, json: bool) -> u8 {
    if !error.use_stderr() {
        return terminal::printed(error.print()).map_or_else(|failure| failure.status(), |()| 0);
    }
    if json {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Voice::JSON.tell(None, &Failure::usage(message));
    } else {
        // Nobody is left to tell when standard error is closed.
        let _ = error.print();
    }
    REFUSED
}
