//! `remrembg frames`: raw video frames in, pictures out, as `ffmpeg -f rawvideo -pix_fmt rgb24` writes them.

use std::io::{self, IsTerminal, Read as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use remrembg::{Input, Layout, Options, Output, PixelView, Remover, batch, check_size};

use crate::failure::{EXIT, Failure};
use crate::plan::{STREAM, Task};
use crate::report::{Report, Voice, Written};
use crate::stop::Stop;
use crate::{Host, args, engine, flags, models, save, terminal};

/// How often signals are looked for while there is no frame.
const LOOK: Duration = Duration::from_millis(50);

const FRAMES: &str = "\
Reads frames from standard input, one after the other, each of WIDTH × HEIGHT pixels of three bytes (red, green, blue), \
and cuts the subject out of each.

For example: ffmpeg -i video.mp4 -an -f rawvideo -pix_fmt rgb24 pipe:1 | remrembg frames 1280 720 -o 'frame-%03d.png'. \
Without -o the pictures go to standard output, one after the other, as ffmpeg -f image2pipe reads them. Their format \
is that of --format, else that of the suffix, else PNG. The first frame has the number 0.";

pub(crate) fn command() -> Command {
    let side = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .value_name(name.to_uppercase())
            .value_parser(value_parser!(u32).range(1..))
            .required(true)
            .help(help)
    };
    Command::new("frames")
        .about("Cut the subject out of raw video frames")
        .long_about(FRAMES)
        .after_help(EXIT)
        .args_override_self(true)
        .arg(side("width", "Width of a frame in pixels"))
        .arg(side("height", "Height of a frame in pixels"))
        .arg(
            Arg::new("out")
                .short('o')
                .long("out")
                .value_name("PATTERN")
                .value_parser(Numbered::read)
                .help("Names of the results, with %d or %03d where the number goes [default: standard output]"),
        )
        .args(flags::flags())
        .args(args::running())
        .arg(args::fetching())
        .arg(args::extras())
        .arg(args::jobs())
        .args(args::telling())
}

/// A name with a place for a number, as `printf` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbered {
    before: String,
    /// How many digits at least, and what fills them.
    width: usize,
    zeros: bool,
    after: String,
}

impl Numbered {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || "it has to have one %d, or %03d for three digits".to_owned();
        let start = Self::place(text).ok_or_else(wrong)?;
        let (before, rest) = (&text[..start], &text[start + 1..]);
        let digits = rest.len() - rest.trim_start_matches(|next: char| next.is_ascii_digit()).len();
        let after = rest[digits..].strip_prefix(['d', 'u', 'i']).ok_or_else(wrong)?;
        if Self::place(after).is_some() {
            return Err(wrong());
        }
        let width =
            if digits == 0 { 0 } else { rest[..digits].parse().ok().filter(|width| *width <= 20).ok_or_else(wrong)? };
        let plain = |text: &str| text.replace("%%", "%");
        Ok(Self { before: plain(before), width, zeros: rest.starts_with('0'), after: plain(after) })
    }

    /// Where the first `%` is that does not stand for itself.
    fn place(text: &str) -> Option<usize> {
        let mut at = 0;
        while let Some(next) = text[at..].find('%') {
            if !text[at + next + 1..].starts_with('%') {
                return Some(at + next);
            }
            at += next + 2;
        }
        None
    }

    fn name(&self, number: usize) -> PathBuf {
        let Self { before, width, zeros, after } = self;
        let number = if *zeros { format!("{number:0width$}") } else { format!("{number:width$}") };
        format!("{before}{number}{after}").into()
    }
}

/// Cuts frames out until the stream ends, a signal comes, or one fails.
pub(crate) fn run(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<u8, Failure> {
    let side = |name| matches.get_one::<u32>(name).copied().unwrap_or_default();
    let size = (side("width"), side("height"));
    let out = matches.get_one::<Numbered>("out");
    if io::stdin().is_terminal() {
        return Err(Failure::usage("Frames are read from standard input, which is a terminal here"));
    }
    if out.is_none() {
        terminal::check_stdout(voice.json)?;
    }
    let options = Options::from_pairs(pairs(matches, out).iter().map(|(key, value)| (*key, value)))?;
    let config = engine::config(matches, host, args::jobs_of(matches))?;
    check_size(size, &config.limits)?;
    if let Some(status) = models::fetch_first(matches, voice)? {
        return Ok(status);
    }
    let remover = Remover::new(config)?;
    let jobs = remover.in_flight();
    let stop = Stop::listen();
    let report = Report::new(voice, None);
    let (is_over, mut end) = (AtomicBool::new(false), Ok(()));
    let ends = || stop.token().is_cancelled() || is_over.load(Ordering::Relaxed);
    let stream = read(size, jobs.div_ceil(2));
    let frames = std::iter::from_fn(move || next(&stream, ends));
    let cut_out = |frame: Result<Frame, Failure>| {
        frame.map(|frame| (frame.number, cut_out(&remover, &frame, size, &options, &stop)))
    };
    batch(jobs, frames, cut_out, |made| {
        let went_well = made.map(|(number, made)| {
            let output = out.map_or_else(|| STREAM.into(), |out| out.name(number));
            let task = Task { input: format!("frame {number}").into(), output };
            let made = made.and_then(|made| written(&task, made));
            let went_well = made.is_ok();
            report.end(&task, made);
            went_well
        });
        match went_well {
            Ok(true) => return ControlFlow::Continue(()),
            // The frames behind it would have other numbers than in the video.
            Ok(false) => {}
            Err(failure) => end = Err(failure),
        }
        is_over.store(true, Ordering::Relaxed);
        ControlFlow::Break(())
    });
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    end?;
    if !is_over.load(Ordering::Relaxed) {
        report.finish();
    }
    Ok(report.status())
}

/// The options, with the format that the results' name has, else PNG.
fn pairs(matches: &ArgMatches, out: Option<&Numbered>) -> Vec<(&'static str, String)> {
    let mut pairs = flags::pairs(matches);
    if pairs.iter().all(|(key, _)| *key != "format") {
        let suffix = out.and_then(|out| Some(out.name(0).extension()?.to_string_lossy().into_owned()));
        pairs.push(("format", suffix.unwrap_or_else(|| "png".to_owned())));
    }
    pairs
}

fn written(task: &Task, made: Output) -> Result<Written, Failure> {
    if task.output.as_os_str() == STREAM {
        terminal::write(&made.data)?;
    } else {
        save::save(&task.output, &made.data, true).map_err(|error| Failure::cannot_write(&task.output, error))?;
    }
    Ok(made.into())
}

fn cut_out(
    remover: &Remover,
    frame: &Frame,
    (width, height): (u32, u32),
    options: &Options,
    stop: &Stop,
) -> Result<Output, Failure> {
    let view = PixelView::new(&frame.pixels, width, height, Layout::Rgb8, width as usize * 3)?;
    Ok(remover.job(Input::Pixels(view)).options(options).cancel(stop.token()).run()?)
}

struct Frame {
    number: usize,
    pixels: Vec<u8>,
}

/// Reads standard input on a thread of its own, so many frames ahead. It ends with the process: after a failure it may still
/// wait for a frame.
fn read((width, height): (u32, u32), ahead: usize) -> Receiver<Result<Frame, Failure>> {
    let (sender, receiver) = mpsc::sync_channel(ahead);
    let need = width as usize * height as usize * 3;
    thread::spawn(move || {
        for read in (0..).map_while(|number| frame(number, need).transpose()) {
            let is_over = read.is_err();
            if sender.send(read).is_err() || is_over {
                return;
            }
        }
    });
    receiver
}

/// `None` where the stream ends before it.
fn frame(number: usize, need: usize) -> Result<Option<Frame>, Failure> {
    let mut pixels = Vec::with_capacity(need);
    let read = io::stdin().lock().take(need as u64).read_to_end(&mut pixels);
    read.map_err(|error| Failure::cannot_read("standard input".as_ref(), error))?;
    match pixels.len() {
        0 => Ok(None),
        got if got < need => {
            Err(Failure::usage(format!("Standard input ends in frame {number}: {got} of {need} bytes")))
        }
        _ => Ok(Some(Frame { number, pixels })),
    }
}

/// The next frame, or what failed; `None` at the end, or once it is over.
fn next(stream: &Receiver<Result<Frame, Failure>>, is_over: impl Fn() -> bool) -> Option<Result<Frame, Failure>> {
    while !is_over() {
        match stream.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            read => return read.ok(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_where_printf_has_them() {
        for (pattern, expected) in [
            ("out-%d.png", "out-7.png"),
            ("out-%03u.png", "out-007.png"),
            ("%4i", "   7"),
            ("100%%-%02d%%.png", "100%-07%.png"),
        ] {
            let name = Numbered::read(pattern).map(|numbered| numbered.name(7));
            assert_eq!(name, Ok(expected.into()), "{pattern}");
        }
        for wrong in ["out.png", "%d-%d.png", "%s.png", "%", "%%d", "%99d", "%0"] {
            assert!(Numbered::read(wrong).is_err(), "{wrong}");
        }
    }
}
