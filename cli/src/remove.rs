//! `remrembg remove`: reads the order, plans it and has it done.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use remrembg::{Config, Error, Options, check_request, read_bounded};

use crate::Host;
use crate::args;
use crate::engine;
use crate::failure::Failure;
use crate::flags;
use crate::plan::{self, Destination, Naming, Pattern, Plan, Task, is_read_once, is_stream};
use crate::report::{Report, Voice};
use crate::shop::{Shop, Streams, as_input};
use crate::stop::Stop;
use crate::terminal;
use crate::watch;

/// What a command line asks for.
pub(crate) struct Order {
    inputs: Vec<PathBuf>,
    destination: Destination,
    pub(crate) mask: Option<PathBuf>,
    pairs: Vec<(&'static str, String)>,
    pattern: Option<Pattern>,
    pub(crate) config: Config,
    pub(crate) jobs: usize,
    /// Whether a picture goes once its result is there.
    pub(crate) deletes: bool,
    pub(crate) voice: Voice,
}

pub(crate) fn run(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<u8, Failure> {
    let order = Order::read(matches, host, voice)?;
    let options = match Options::from_pairs(order.pairs()) {
        Ok(options) => options,
        Err(refusal) => return order.refuse(refusal),
    };
    let watched = matches.get_flag("watch");
    watched.then(|| order.check_watch()).transpose()?;
    let mut plan = order.plan(&options);
    if plan.tasks.is_empty() && plan.unread.is_empty() && !watched {
        let first = plan.clashes.drain(..).next();
        return Err(first.map_or_else(|| nothing_to_do(plan.passed_over), |(_, failure)| failure));
    }
    let report = Report::new(voice, (!watched).then_some(plan.tasks.len()));
    // Signals are listened to afterwards: one that comes while input is waited
    // for ends the process.
    let (tasks, streams) = order.read_streams(std::mem::take(&mut plan.tasks), &report);
    let stop = Stop::listen();
    let shop = Shop::new(&order, &options, streams, &stop, &report);
    let clashes = plan.clashes.iter().map(|(task, failure)| (&task.input, failure));
    let troubles = clashes.chain(plan.unread.iter().map(|(folder, failure)| (folder, failure)));
    troubles.filter(|_| !watched).for_each(|(path, failure)| report.failed(path, failure));
    let worked = if watched { watch::run(&order, &shop) } else { shop.work(&tasks) };
    report.finish();
    if plan.passed_over > 0 && !watched {
        report.say(&passed_over(plan.passed_over));
    }
    worked?;
    Ok(stop.status().unwrap_or_else(|| report.status()))
}

impl Order {
    fn read(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<Self, Failure> {
        let inputs: Vec<PathBuf> = matches.get_many("input").unwrap_or_default().cloned().collect();
        let destination = Destination::of(&inputs, matches.get_one::<PathBuf>("out").cloned())?;
        if destination == Destination::Stdout {
            terminal::check_stdout(voice)?;
        }
        let mask = matches.get_one::<PathBuf>("mask-from").cloned();
        if mask.is_some() && (inputs.len() > 1 || inputs[0].is_dir()) {
            return Err(Failure::usage("--mask-from takes one picture as INPUT"));
        }
        let jobs = args::jobs_of(matches);
        let config = engine::config(matches, host, jobs)?;
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
        Ok(Self { inputs, destination, mask, pairs, pattern, config, jobs, deletes, voice })
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (*key, value.as_str()))
    }

    pub(crate) fn plan(&self, options: &Options) -> Plan {
        let beside = if options.mask { "-mask" } else { "-cutout" };
        let naming = Naming { suffix: options.format.extension(), beside, pattern: self.pattern.as_ref() };
        plan::plan(&self.inputs, &self.destination, naming)
    }

    /// Reads standard input and pipes where tasks ask for them. Gives the tasks that can be
    /// done, and the bytes.
    fn read_streams(&self, mut tasks: Vec<Task>, report: &Report) -> (Vec<Task>, Streams) {
        let mut streams = Streams::new();
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
    fn refuse(&self, refusal: Error) -> Result<u8, Failure> {
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

    fn check_watch(&self) -> Result<(), Failure> {
        let folders =
            matches!(self.destination, Destination::Folder(_)) && self.inputs.iter().all(|input| input.is_dir());
        if folders { Ok(()) } else { Err(Failure::usage("--watch needs folders as INPUT, and a folder with -o")) }
    }
}

fn nothing_to_do(passed_over: usize) -> Failure {
    let others = (passed_over > 0).then(|| format!(". {}", self::passed_over(passed_over)));
    Failure::usage(format!("No pictures found{}", others.unwrap_or_default()))
}

fn passed_over(count: usize) -> String {
    let files = if count == 1 { "1 file was" } else { &format!("{count} files were") };
    format!("{files} passed over: no name of a picture, or an earlier result")
}

/// A file's suffix tells the format where no flag does; core judges both.
fn with_format(mut pairs: Vec<(&'static str, String)>, destination: &Destination) -> Vec<(&'static str, String)> {
    let Destination::File(out) = destination else { return pairs };
    // Of a device, such as /dev/stdout, the name says nothing.
    let is_device = out.metadata().is_ok_and(|data| !data.is_file());
    if let Some(suffix) = out.extension().filter(|_| !is_device && pairs.iter().all(|(key, _)| *key != "format")) {
        pairs.push(("format", suffix.to_string_lossy().into_owned()));
    }
    pairs
}
