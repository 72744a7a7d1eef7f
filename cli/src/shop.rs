//! Doing tasks: one after the other, or several at once.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use remrembg::{Options, Remover, batch, check_request};

use crate::engine;
use crate::failure::Failure;
use crate::order::{Order, Streams, as_input};
use crate::plan::{Task, is_read_once, is_stream};
use crate::report::{Report, Written};
use crate::save;
use crate::stamp::{Stamp, stamp};
use crate::stop::Stop;
use crate::terminal;

/// Does tasks. The model is loaded when the first picture is worth it, so that
/// a request that is refused is refused at once.
pub(crate) struct Shop<'a> {
    order: &'a Order,
    pub(crate) options: &'a Options,
    pub(crate) stop: &'a Stop,
    pub(crate) report: &'a Report,
    remover: OnceLock<Remover>,
    streams: Streams,
    /// Pictures that are read under two names.
    shared: Mutex<HashSet<PathBuf>>,
    /// Those of them that may be deleted, each as it was before it was read.
    finished: Mutex<Vec<(PathBuf, Stamp)>>,
}

impl<'a> Shop<'a> {
    pub(crate) fn new(
        order: &'a Order,
        options: &'a Options,
        streams: Streams,
        stop: &'a Stop,
        report: &'a Report,
    ) -> Self {
        Self {
            order,
            options,
            stop,
            report,
            streams,
            remover: OnceLock::new(),
            shared: Mutex::default(),
            finished: Mutex::default(),
        }
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
        if self.order.deletes {
            *locked(&self.shared) = twice(tasks);
        }
        if let Some(remover) = self.remover.get() {
            self.share(remover, tasks);
        }
        locked(&self.finished).drain(..).for_each(|(input, before)| self.delete(&input, &before));
        Ok(())
    }

    /// Deletes a picture whose result is written, unless it came anew meanwhile.
    fn delete(&self, input: &Path, before: &Stamp) {
        if !is_read_once(input)
            && stamp(input) == *before
            && let Err(error) = fs::remove_file(input)
        {
            self.report.failed(input, &Failure::cannot_delete(input, error));
        }
    }

    fn check(&self, task: &Task) -> Result<(), Failure> {
        let input = as_input(&task.input, &self.streams);
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
        let coming = tasks.iter().take_while(|_| !self.is_over());
        batch(
            remover.in_flight(),
            coming,
            |task| (task, self.remove(remover, task)),
            |(task, ended)| {
                self.report.end(task, ended);
                ControlFlow::Continue(())
            },
        );
    }

    fn is_over(&self) -> bool {
        self.stop.token().is_cancelled() || self.report.is_pointless()
    }

    fn remove(&self, remover: &Remover, task: &Task) -> Result<Written, Failure> {
        if self.order.deletes && task.output.exists() {
            return Err(stands(&task.output));
        }
        let before = stamp(&task.input);
        let job = remover.job(as_input(&task.input, &self.streams)).options(self.options);
        let job = self.order.mask.iter().fold(job, |job, mask| job.mask_from(as_input(mask, &self.streams)));
        let output = job.cancel(self.stop.token()).run()?;
        if is_stream(&task.output) {
            terminal::write(&output.data)?;
        } else {
            save::save(&task.output, &output.data, !self.order.deletes).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists if task.output.exists() => stands(&task.output),
                _ => Failure::cannot_write(&task.output, error),
            })?;
            if self.order.deletes && output.found.bounds.is_some() && task.output.is_file() {
                save::settle_name(&task.output).map_err(|error| Failure::cannot_write(&task.output, error))?;
                if locked(&self.shared).contains(&task.input) {
                    locked(&self.finished).push((task.input.clone(), before));
                } else {
                    self.delete(&task.input, &before);
                }
            }
        }
        Ok(output.into())
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pictures that several tasks read, under all of their names.
fn twice(tasks: &[Task]) -> HashSet<PathBuf> {
    let mut names: HashMap<PathBuf, Vec<&Path>> = HashMap::new();
    for task in tasks {
        let place = task.input.canonicalize().unwrap_or_else(|_| task.input.clone());
        names.entry(place).or_default().push(&task.input);
    }
    names.into_values().filter(|names| names.len() > 1).flatten().map(Path::to_owned).collect()
}

fn stands(output: &Path) -> Failure {
    let output = output.display();
    Failure::usage(format!("There is '{output}' already, and with --delete-input nothing is replaced"))
}
