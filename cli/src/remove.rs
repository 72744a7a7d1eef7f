//! `remrembg remove`: reads the order, plans it, and does it on several threads.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clap::ArgMatches;
use remrembg::{Config, Error, Input, Options, Output, Remover, check_request, read_bounded};

use crate::engine;
use crate::failure::Failure;
use crate::flags;
use crate::plan::{self, Destination, Naming, Plan, Task, is_stream};
use crate::report::{Report, Voice};
use crate::save;
use crate::stop::Stop;
use crate::terminal;
use crate::watch;

/// What a command line asks for.
pub(crate) struct Order {
    inputs: Vec<PathBuf>,
    destination: Destination,
    pairs: Vec<(&'static str, String)>,
    config: Config,
    jobs: usize,
    voice: Voice,
}

pub(crate) fn run(matches: &ArgMatches, voice: Voice) -> Result<u8, Failure> {
    let order = Order::read(matches, voice)?;
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
    let stop = Stop::listen();
    let report = Report::new(voice, (!watched).then_some(plan.tasks.len()));
    let shop = Shop::new(&order, &options, &stop, &report);
    if watched {
        watch::run(&order, &shop)?;
    } else {
        plan.unread.iter().for_each(|(folder, failure)| report.failed(folder, failure));
        shop.work(&plan.tasks)?;
    }
    report.finish();
    Ok(stop.status().unwrap_or_else(|| report.status()))
}

impl Order {
    fn read(matches: &ArgMatches, voice: Voice) -> Result<Self, Failure> {
        let inputs: Vec<PathBuf> = matches.get_many("input").unwrap_or_default().cloned().collect();
        let destination = Destination::of(&inputs, matches.get_one::<PathBuf>("out").cloned())?;
        if destination == Destination::Stdout {
            check_stdout(voice)?;
        }
        let jobs = matches.get_one::<u16>("jobs").map_or_else(cores, |&jobs| jobs.into());
        let config = engine::config(matches, jobs)?;
        let pairs = with_format(flags::pairs(matches), &destination);
        Ok(Self { inputs, destination, pairs, config, jobs, voice })
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (*key, value.as_str()))
    }

    pub(crate) fn plan(&self, options: &Options) -> Plan {
        let beside = if options.mask { "-mask" } else { "-cutout" };
        plan::plan(&self.inputs, &self.destination, Naming { suffix: options.format.extension(), beside })
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

fn as_input<'a>(path: &'a Path, stdin: &'a [u8]) -> Input<'a> {
    if is_stream(path) { Input::Bytes(stdin) } else { Input::Path(path) }
}

/// Does tasks. The model is loaded when the first picture is worth it, so that
/// a request that is refused is refused at once.
pub(crate) struct Shop<'a> {
    order: &'a Order,
    pub(crate) options: &'a Options,
    pub(crate) stop: &'a Stop,
    pub(crate) report: &'a Report,
    remover: OnceLock<Remover>,
    stdin: OnceLock<Vec<u8>>,
}

impl<'a> Shop<'a> {
    fn new(order: &'a Order, options: &'a Options, stop: &'a Stop, report: &'a Report) -> Self {
        Self { order, options, stop, report, remover: OnceLock::new(), stdin: OnceLock::new() }
    }

    /// Does `tasks`, or as many of them as come before a stop.
    ///
    /// # Errors
    /// When the model or the engine is not to be had.
    pub(crate) fn work(&self, tasks: &[Task]) -> Result<(), Failure> {
        let mut tasks = tasks;
        while let Some((first, rest)) = tasks.split_first().filter(|_| self.remover.get().is_none() && !self.is_over())
        {
            match self.check(first) {
                Ok(()) => self.load()?,
                Err(failure) => {
                    self.report.failed(&first.input, &failure);
                    tasks = rest;
                }
            }
        }
        if let Some(remover) = self.remover.get() {
            self.share(remover, tasks);
        }
        Ok(())
    }

    fn check(&self, task: &Task) -> Result<(), Failure> {
        let input = self.input(&task.input)?;
        check_request(input, self.order.pairs(), &self.order.config.limits)?;
        Ok(())
    }

    fn load(&self) -> Result<(), Failure> {
        let remover = Remover::new(self.order.config.clone())?;
        if self.order.voice.stats {
            self.report.say(&engine::line(&remover));
        }
        self.remover.get_or_init(|| remover);
        Ok(())
    }

    fn share(&self, remover: &Remover, tasks: &[Task]) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !self.is_over()) {
                self.report.end(task, self.remove(remover, task));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.order.jobs.min(tasks.len()) {
                scope.spawn(work);
            }
            work();
        });
    }

    fn is_over(&self) -> bool {
        self.stop.token().is_cancelled() || self.report.is_pointless()
    }

    fn remove(&self, remover: &Remover, task: &Task) -> Result<Output, Failure> {
        let job = remover.job(self.input(&task.input)?).options(self.options);
        let output = job.cancel(self.stop.token()).run()?;
        if is_stream(&task.output) {
            terminal::write(&output.data)?;
        } else {
            save::save(&task.output, &output.data).map_err(|error| Failure::cannot_write(&task.output, error))?;
        }
        Ok(output)
    }

    /// Standard input is read once and kept.
    fn input<'b>(&'b self, path: &'b Path) -> Result<Input<'b>, Failure> {
        if is_stream(path) && self.stdin.get().is_none() {
            let bytes = read_bounded(io::stdin(), &self.order.config.limits)?;
            self.stdin.get_or_init(|| bytes);
        }
        Ok(as_input(path, self.stdin.get().map_or(&[], Vec::as_slice)))
    }
}
