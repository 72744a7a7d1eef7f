//! What a command tells: results, errors, how far it is.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ArgMatches;
use indicatif::ProgressBar;
use remrembg::{Found, Output, Stage};
use serde::{Serialize, Serializer};

use crate::failure::{FAILED, Failure, REFUSED};
use crate::plan::{Task, is_stream};
use crate::terminal;

/// A result that was written, and is no longer held.
pub(crate) struct Written {
    output: Output,
    bytes: usize,
}

impl From<Output> for Written {
    fn from(mut output: Output) -> Self {
        let bytes = std::mem::take(&mut output.data).len();
        Self { output, bytes }
    }
}

/// How a command speaks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Voice {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) stats: bool,
}

impl Voice {
    pub(crate) const JSON: Self = Self { json: true, quiet: false, stats: false };

    /// What was asked for, as far as the command has such flags.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let is_on = |name| matches.try_get_one(name).ok().flatten().copied().unwrap_or(false);
        Self { json: is_on("json"), quiet: is_on("quiet"), stats: is_on("stats") }
    }

    /// Whether to say what goes well.
    pub(crate) fn is_chatty(self) -> bool {
        !self.json && !self.quiet
    }

    /// Puts a failure on standard error.
    pub(crate) fn tell(self, input: Option<&Path>, failure: &Failure) {
        self.tell_above(None, input, failure);
    }

    fn tell_above(self, bar: Option<&ProgressBar>, input: Option<&Path>, failure: &Failure) {
        if matches!(failure, Failure::ReaderGone) {
            return;
        }
        if self.json {
            return terminal::note(bar, &failure.to_json());
        }
        let whose = input.map(|input| format!("{}: ", input.display())).unwrap_or_default();
        for message in failure.messages() {
            terminal::note(bar, &format!("remrembg: {whose}{message}"));
        }
    }
}

/// Tells of each picture, and counts.
pub(crate) struct Report {
    voice: Voice,
    bar: Option<ProgressBar>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    done: usize,
    refused: usize,
    failed: usize,
    reader_gone: bool,
}

impl Report {
    /// For `pictures` of them, `None` when there is no telling how many.
    pub(crate) fn new(voice: Voice, pictures: Option<usize>) -> Self {
        let many = pictures.filter(|&pictures| pictures > 1 && voice.is_chatty());
        let bar = many.and_then(|many| terminal::bar(many as u64, "{wide_bar} {pos}/{len} pictures, {eta} left"));
        Self { voice, bar, tally: Mutex::default() }
    }

    /// Says something that is neither a result nor an error.
    pub(crate) fn say(&self, line: &str) {
        if self.voice.is_chatty() {
            terminal::note(self.bar.as_ref(), line);
        }
    }

    /// Tells how a picture went.
    pub(crate) fn end(&self, task: &Task, ended: Result<Written, Failure>) {
        match ended {
            Ok(written) => self.done(task, &written),
            Err(failure) if failure.is_cancelled() => {}
            Err(failure) => self.failed(&task.input, &failure),
        }
    }

    fn done(&self, task: &Task, written: &Written) {
        let mut tally = self.tally();
        tally.done += 1;
        if self.voice.json {
            tally.reader_gone |= terminal::write(done_line(task, written).as_bytes()).is_err();
        } else if self.voice.stats {
            self.say(&stats(task, written));
        } else if !is_stream(&task.output) {
            self.say(&format!("{} → {}", task.input.display(), task.output.display()));
        }
        if written.output.found.bounds.is_none() && self.voice.is_chatty() {
            terminal::note(self.bar.as_ref(), &format!("remrembg: {}: {}", task.input.display(), Found::NOTHING));
        }
        self.step();
    }

    pub(crate) fn failed(&self, input: &Path, failure: &Failure) {
        let mut tally = self.tally();
        match failure.status() {
            REFUSED => tally.refused += 1,
            _ => tally.failed += 1,
        }
        tally.reader_gone |= matches!(failure, Failure::ReaderGone);
        if self.voice.json {
            let name = serde_json::Value::from(input.to_string_lossy());
            let reason = failure.reason().map(|reason| format!(",\"reason\":{}", serde_json::Value::from(reason)));
            let line = format!("{{\"input\":{name},\"error\":{}{}}}\n", failure.to_json(), reason.unwrap_or_default());
            tally.reader_gone |= terminal::write(line.as_bytes()).is_err();
        }
        self.voice.tell_above(self.bar.as_ref(), Some(input), failure);
        self.step();
    }

    fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Whether nobody reads the results any more.
    pub(crate) fn is_pointless(&self) -> bool {
        self.tally().reader_gone
    }

    /// Takes the bar away and sums up, but for a single picture, which spoke for itself.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let Tally { done, refused, failed, .. } = *self.tally();
        match (done, refused + failed) {
            (0, 0) | (1, 0) | (0, 1) => {}
            (done, 0) => self.say(&format!("{done} done")),
            (done, failed) => self.say(&format!("{done} done, {failed} failed")),
        }
    }

    pub(crate) fn status(&self) -> u8 {
        let tally = self.tally();
        match (tally.failed > 0 || tally.reader_gone, tally.refused > 0) {
            (true, _) => FAILED,
            (false, true) => REFUSED,
            (false, false) => 0,
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line of `--json`, as programs read it.
#[derive(Serialize)]
struct Done<'a> {
    input: &'a str,
    output: &'a str,
    width: u32,
    height: u32,
    format: &'a str,
    mime: &'a str,
    bytes: usize,
    coverage: f64,
    /// Nothing where nothing was found.
    bounds: Option<(u32, u32, u32, u32)>,
    confidence: f64,
    #[serde(serialize_with = "milliseconds")]
    times: &'a [(Stage, Duration)],
}

fn done_line(task: &Task, Written { output, bytes }: &Written) -> String {
    let done = Done {
        input: &task.input.to_string_lossy(),
        output: &task.output.to_string_lossy(),
        width: output.width,
        height: output.height,
        format: output.format.name(),
        mime: output.mime(),
        bytes: *bytes,
        coverage: rounded(output.found.coverage),
        bounds: output.found.bounds,
        confidence: rounded(output.found.confidence),
        times: &output.times,
    };
    // Text and numbers always serialize.
    serde_json::to_string(&done).unwrap_or_default() + "\n"
}

/// To four places.
fn rounded(part: f32) -> f64 {
    (f64::from(part) * 1e4).round() / 1e4
}

fn milliseconds<S: Serializer>(times: &[(Stage, Duration)], serializer: S) -> Result<S::Ok, S::Error> {
    let rounded = |time: &Duration| time.as_micros() as f64 / 1000.0;
    serializer.collect_map(times.iter().map(|(stage, time)| (stage.name(), rounded(time))))
}

fn stats(task: &Task, Written { output, bytes }: &Written) -> String {
    let (input, target) = (task.input.display(), task.output.display());
    let (from, to) = (output.upright, (output.width, output.height));
    let stages: Vec<_> = output.times.iter().map(|(stage, time)| format!("{stage} {}", shown(*time))).collect();
    let total = shown(output.times.iter().map(|(_, time)| *time).sum());
    format!(
        "{input} → {target}\n  {}×{} → {}×{} {}, {bytes} bytes\n  subject {:.0} %, confidence {:.2}\n  {total}: {}",
        from.0,
        from.1,
        to.0,
        to.1,
        output.mime(),
        output.found.coverage * 100.0,
        output.found.confidence,
        stages.join(", ")
    )
}

fn shown(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}
