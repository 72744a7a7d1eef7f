//! What a command line of `remove` asks for.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use remrembg::{Config, Error, Input, Options, check_request, read_bounded};

use crate::failure::Failure;
use crate::plan::{self, Destination, Naming, Pattern, Plan, Task, is_read_once, is_stream};
use crate::report::{Report, Voice};
use crate::{Host, args, engine, flags, terminal};

/// What a command line asks for.
pub(crate) struct Order {
    inputs: Vec<PathBuf>,
    destination: Destination,
    pub(crate) mask: Option<PathBuf>,
    pairs: Vec<(&'static str, String)>,
    pattern: Option<Pattern>,
    pub(crate) config: Config,
    /// Whether a picture goes once its result is there.
    pub(crate) deletes: bool,
    /// Whether results that are there already stay.
    skips: bool,
    pub(crate) voice: Voice,
}

impl Order {
    pub(crate) fn read(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<Self, Failure> {
        let inputs: Vec<PathBuf> = matches.get_many("input").unwrap_or_default().cloned().collect();
        let destination = Destination::of(&inputs, matches.get_one::<PathBuf>("out").cloned())?;
        if destination == Destination::Stdout {
            terminal::check_stdout(voice.json)?;
        }
        let mask = matches.get_one::<PathBuf>("mask-from").cloned();
        if mask.is_some() && (inputs.len() > 1 || inputs[0].is_dir()) {
            return Err(Failure::usage("--mask-from takes one picture as INPUT"));
        }
        if mask.as_deref().is_some_and(|mask| is_stream(mask) && is_stream(&inputs[0])) {
            return Err(Failure::usage("Standard input is either INPUT or the mask of --mask-from"));
        }
        let config = engine::config(matches, host, args::jobs_of(matches))?;
        let pairs = with_format(flags::pairs(matches), &destination);
        let pattern = matches.get_one::<Pattern>("name").cloned();
        if pattern.is_some() && matches!(destination, Destination::File(_) | Destination::Stdout) {
            return Err(Failure::usage("--name names results beside their pictures or in a folder"));
        }
        let deletes = matches.get_flag("delete-input");
        let is_into_stream = match &destination {
            Destination::Stdout => true,
            Destination::File(out) => out.metadata().is_ok_and(|data| !data.is_file()),
            Destination::Beside | Destination::Folder(_) => false,
        };
        if deletes && is_into_stream {
            return Err(Failure::usage("--delete-input needs results in files. Give a file or a folder with -o"));
        }
        let skips = matches.get_flag("skip-existing");
        Ok(Self { inputs, destination, mask, pairs, pattern, config, deletes, skips, voice })
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Where several would become one file, that of `before` stays: which picture became which result.
    pub(crate) fn plan(&self, options: &Options, before: &HashMap<PathBuf, PathBuf>) -> Plan {
        let beside = if options.mask { "-mask" } else { "-cutout" };
        let naming = Naming { suffix: options.format.extension(), beside, pattern: self.pattern.as_ref() };
        let mut plan = plan::plan(&self.inputs, self.mask.as_deref(), &self.destination, naming, before);
        if self.skips {
            plan.pass_over_done();
        }
        plan
    }

    /// Reads standard input and pipes where tasks ask for them. Gives the tasks that can be
    /// done, and the bytes.
    pub(crate) fn read_streams(&self, mut tasks: Vec<Task>, report: &Report) -> (Vec<Task>, Streams) {
        let mut streams = Streams::new();
        if let Some(mask) = self.mask.as_deref().filter(|mask| is_read_once(mask)) {
            match self.read_stream(mask) {
                Ok(bytes) => drop(streams.insert(mask.to_owned(), bytes)),
                Err(failure) => {
                    report.failed(mask, &failure);
                    tasks.clear();
                }
            }
        }
        tasks.retain(|task| {
            if !is_read_once(&task.input) {
                return true;
            }
            match self.read_stream(&task.input) {
                Ok(bytes) => drop(streams.insert(task.input.clone(), bytes)),
                Err(failure) => report.failed(&task.input, &failure),
            }
            streams.contains_key(&task.input)
        });
        (tasks, streams)
    }

    fn read_stream(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        if is_stream(path) {
            return Ok(read_bounded(io::stdin(), &self.config.limits)?);
        }
        let file = File::open(path).map_err(|error| Failure::cannot_read(path, error))?;
        Ok(read_bounded(file, &self.config.limits)?)
    }

    /// Refused options are told once. Of a single picture they are told together
    /// with what is wrong with the picture, as the hosted API does.
    pub(crate) fn refuse(&self, refusal: Error) -> Result<u8, Failure> {
        let [input] = self.inputs.as_slice() else { return Err(refusal.into()) };
        if input.is_dir() {
            return Err(refusal.into());
        }
        let report = Report::new(self.voice, None);
        let mut streams = Streams::new();
        if is_read_once(input) {
            match self.read_stream(input) {
                Ok(bytes) => drop(streams.insert(input.clone(), bytes)),
                Err(failure) => {
                    report.failed(input, &failure);
                    return Ok(report.status());
                }
            }
        }
        let all = check_request(as_input(input, &streams), self.pairs(), &self.config.limits);
        report.failed(input, &all.err().unwrap_or(refusal).into());
        Ok(report.status())
    }

    pub(crate) fn check_watch(&self) -> Result<(), Failure> {
        let folders =
            matches!(self.destination, Destination::Folder(_)) && self.inputs.iter().all(|input| input.is_dir());
        if folders { Ok(()) } else { Err(Failure::usage("--watch needs folders as INPUT, and a folder with -o")) }
    }
}

/// A file's suffix tells the format where no flag does; core judges both.
fn with_format(mut pairs: Vec<(&'static str, String)>, destination: &Destination) -> Vec<(&'static str, String)> {
    let Destination::File(out) = destination else { return pairs };
    // Of a device the name says nothing.
    let is_device = out.metadata().is_ok_and(|data| !data.is_file());
    if let Some(suffix) = out.extension().filter(|_| !is_device && pairs.iter().all(|(key, _)| *key != "format")) {
        pairs.push(("format", suffix.to_string_lossy().into_owned()));
    }
    pairs
}

/// What was read of inputs that can be read once only.
pub(crate) type Streams = HashMap<PathBuf, Vec<u8>>;

pub(crate) fn as_input<'a>(path: &'a Path, streams: &'a Streams) -> Input<'a> {
    streams.get(path).map_or(Input::Path(path), |bytes| Input::Bytes(bytes))
}
