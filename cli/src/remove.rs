//! `remrembg remove`: reads the order, plans it and has it done.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::thread;

use clap::ArgMatches;
use remrembg::{Config, Error, Options, check_request, read_bounded};

use crate::Host;
use crate::engine;
use crate::failure::Failure;
use crate::flags;
use crate::plan::{self, Destination, Naming, Plan, STREAM, Task, is_stream};
use crate::report::{Report, Voice};
use crate::shop::{Shop, as_input};
use crate::stop::Stop;
use crate::watch;

/// What a command line asks for.
pub(crate) struct Order {
    inputs: Vec<PathBuf>,
    destination: Destination,
    pub(crate) mask: Option<PathBuf>,
    pairs: Vec<(&'static str, String)>,
    pub(crate) config: Config,
    pub(crate) jobs: usize,
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
    let plan = order.plan(&options);
    if let Some((_, failure)) = plan.clashes.into_iter().next().filter(|_| !watched) {
        return Err(failure);
    }
    let report = Report::new(voice, (!watched).then_some(plan.tasks.len()));
    if plan.tasks.is_empty() && !watched {
        report.say("No pictures found");
    }
    // Signals are listened to afterwards: one that comes while input is waited
    // for ends the process.
    let (tasks, stdin) = order.read_stdin(plan.tasks, &report);
    let stop = Stop::listen();
    let shop = Shop::new(&order, &options, stdin, &stop, &report);
    plan.unread.iter().filter(|_| !watched).for_each(|(folder, failure)| report.failed(folder, failure));
    let worked = if watched { watch::run(&order, &shop) } else { shop.work(&tasks) };
    report.finish();
    worked?;
    Ok(stop.status().unwrap_or_else(|| report.status()))
}

impl Order {
    fn read(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<Self, Failure> {
        let inputs: Vec<PathBuf> = matches.get_many("input").unwrap_or_default().cloned().collect();
        let destination = Destination::of(&inputs, matches.get_one::<PathBuf>("out").cloned())?;
        if destination == Destination::Stdout {
            check_stdout(voice)?;
        }
        let mask = matches.get_one::<PathBuf>("mask-from").cloned();
        if mask.is_some() && (inputs.len() > 1 || inputs[0].is_dir()) {
            return Err(Failure::usage("--mask-from takes one picture as INPUT"));
        }
        let jobs = matches.get_one::<u16>("jobs").map_or_else(cores, |&jobs| jobs.into());
        let config = engine::config(matches, host, jobs)?;
        let pairs = with_format(flags::pairs(matches), &destination);
        Ok(Self { inputs, destination, mask, pairs, config, jobs, voice })
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (*key, value.as_str()))
    }

    pub(crate) fn plan(&self, options: &Options) -> Plan {
        let beside = if options.mask { "-mask" } else { "-cutout" };
        plan::plan(&self.inputs, &self.destination, Naming { suffix: options.format.extension(), beside })
    }

    /// Reads standard input where a task asks for it. Gives the tasks that can be
    /// done, and the bytes.
    fn read_stdin(&self, mut tasks: Vec<Task>, report: &Report) -> (Vec<Task>, Vec<u8>) {
        if !tasks.iter().any(|task| is_stream(&task.input)) {
            return (tasks, Vec::new());
        }
        match read_bounded(io::stdin(), &self.config.limits) {
            Ok(bytes) => (tasks, bytes),
            Err(error) => {
                report.failed(Path::new(STREAM), &error.into());
                tasks.retain(|task| !is_stream(&task.input));
                (tasks, Vec::new())
            }
        }
    }

    /// Refused options are told once. Of a single picture they are told together
    /// with what is wrong with the picture, as the hosted API does.
    fn refuse(&self, refusal: Error) -> Result<u8, Failure> {
        let [input] = self.inputs.as_slice() else { return Err(refusal.into()) };
        if input.is_dir() {
            return Err(refusal.into());
        }
        let bytes = if is_stream(input) { read_bounded(io::stdin(), &self.config.limits) } else { Ok(Vec::new()) };
        let all = bytes.and_then(|bytes| check_request(as_input(input, &bytes), self.pairs(), &self.config.limits));
        let report = Report::new(self.voice, None);
        report.failed(input, &all.err().unwrap_or(refusal).into());
        Ok(report.status())
    }

    fn check_watch(&self) -> Result<(), Failure> {
        let folders =
            matches!(self.destination, Destination::Folder(_)) && self.inputs.iter().all(|input| input.is_dir());
        if folders { Ok(()) } else { Err(Failure::usage("--watch needs folders as INPUT, and a folder with -o")) }
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn check_stdout(voice: Voice) -> Result<(), Failure> {
    if voice.json {
        return Err(Failure::usage("A picture on standard output leaves no room for --json. Give a file with -o"));
    }
    if io::stdout().is_terminal() {
        return Err(Failure::usage("Standard output is a terminal. Give a file with -o, or redirect it"));
    }
    Ok(())
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
