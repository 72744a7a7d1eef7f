//! Doing tasks: one after the other, or several at once.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

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
    /// Pictures that may be deleted, each as it was before it was read.
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
        Self { order, options, stop, report, streams, remover: OnceLock::new(), finished: Mutex::default() }
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
        self.delete_finished();
        Ok(())
    }

    /// Deletes the pictures whose results are written, but those that came anew meanwhile. All at the end, as one picture may have
    /// two names.
    fn delete_finished(&self) {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        for (input, before) in finished.drain(..).filter(|(input, _)| !is_read_once(input)) {
            if stamp(&input) == before
                && let Err(error) = fs::remove_file(&input)
            {
                self.report.failed(&input, &Failure::cannot_delete(&input, error));
            }
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
            let output = task.output.display();
            return Err(Failure::usage(format!(
                "There is '{output}' already, and with --delete-input nothing is replaced"
            )));
        }
        let before = stamp(&task.input);
        let job = remover.job(as_input(&task.input, &self.streams)).options(self.options);
        let job = self.order.mask.iter().fold(job, |job, mask| job.mask_from(mask.as_path()));
        let output = job.cancel(self.stop.token()).run()?;
        if is_stream(&task.output) {
            terminal::write(&output.data)?;
        } else {
            save::save(&task.output, &output.data).map_err(|error| Failure::cannot_write(&task.output, error))?;
            if self.order.deletes && output.found.bounds.is_some() && task.output.is_file() {
                save::settle_name(&task.output).map_err(|error| Failure::cannot_write(&task.output, error))?;
                self.finished.lock().unwrap_or_else(PoisonError::into_inner).push((task.input.clone(), before));
            }
        }
        Ok(output.into())
    }
}
