//! `remrembg models`: what there is, what is here, and how it gets here.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use indicatif::ProgressBar;
use remrembg::models::{FetchEvent, FetchOptions, MODELS, ModelSpec, Store, find};
use remrembg::{Code, Error, Model};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::report::Voice;
use crate::stop::Stop;
use crate::terminal;

pub(crate) fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let (name, matches) = matches.subcommand().unwrap_or(("", matches));
    match name {
        "list" => list(matches),
        "fetch" => fetch(matches),
        _ => path(matches),
    }
}

fn store(matches: &ArgMatches) -> Store {
    matches.get_one::<PathBuf>("dir").map_or_else(Store::from_env, Store::new)
}

/// One model as `models list` shows it.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    summary: &'static str,
    size: u64,
    license: &'static str,
    license_source: &'static str,
    commercial: &'static str,
    bundled: bool,
    path: Option<String>,
}

impl Row {
    fn new(spec: &'static ModelSpec, store: &Store) -> Self {
        let ModelSpec { name, summary, size, license, license_source, .. } = *spec;
        Self {
            name,
            summary,
            size,
            license,
            license_source,
            commercial: spec.commercial.name(),
            bundled: is_bundled(name),
            path: store.locate_spec(spec).ok().map(|path| path.to_string_lossy().into_owned()),
        }
    }

    fn cells(&self) -> [String; 6] {
        let here = if self.bundled { "bundled" } else { self.path.as_ref().map_or("no", |_| "yes") };
        let size = format!("{:.1} MB", self.size as f64 / 1e6);
        [self.name, &size, self.license, self.commercial, here, self.summary].map(str::to_owned)
    }
}

fn list(matches: &ArgMatches) -> Result<u8, Failure> {
    let store = store(matches);
    let rows: Vec<Row> = MODELS.iter().map(|spec| Row::new(spec, &store)).collect();
    let text = if matches.get_flag("json") {
        rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default() + "\n").collect()
    } else {
        let head = ["NAME", "SIZE", "LICENCE", "COMMERCIAL USE", "HERE", "FOR"];
        terminal::table(head, rows.iter().map(Row::cells))
    };
    terminal::print(&text).map(|()| 0)
}

fn is_bundled(name: &str) -> bool {
    Model::from_text(name).is_ok_and(|model| model == Model::Bundled)
}

fn inside(name: &str) -> Error {
    Error::with_message(Code::ModelNotFetched, format!("The model '{name}' is inside this program and needs no file"))
}

fn path(matches: &ArgMatches) -> Result<u8, Failure> {
    let store = store(matches);
    let path = match matches.get_one::<String>("name") {
        Some(name) => store.locate(name).map_err(|error| if is_bundled(name) { inside(name) } else { error })?,
        None => store.folder()?.to_owned(),
    };
    let mut line = path.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    terminal::write(&line).map(|()| 0)
}

fn fetch(matches: &ArgMatches) -> Result<u8, Failure> {
    let voice = Voice::of(matches);
    let names = matches.get_many::<String>("name").unwrap_or_default();
    let specs = names.map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let (store, stop) = (store(matches), Stop::listen());
    let mut status = 0;
    for spec in specs {
        match fetch_one(spec, &store, matches.get_one("mirror"), voice, &stop).and_then(|path| tell(spec, &path, voice))
        {
            Err(failure) if failure.is_cancelled() => break,
            Err(failure) => {
                voice.tell(None, &failure);
                status = failure.status();
            }
            Ok(()) => {}
        }
    }
    Ok(stop.status().unwrap_or(status))
}

/// Fetches the model that a removal is to run, where `--fetch` asks for that. Gives the exit status after a stop.
pub(crate) fn fetch_first(matches: &ArgMatches, voice: Voice) -> Result<Option<u8>, Failure> {
    let name = matches.get_one::<OsString>("model").and_then(|name| name.to_str());
    let named = name.filter(|name| matches.get_flag("fetch") && !is_bundled(name));
    let Some(spec) = named.and_then(|name| find(name).ok()) else { return Ok(None) };
    let store = Store::from_env();
    if store.locate_spec(spec).is_ok() {
        return Ok(None);
    }
    let stop = Stop::listen();
    // Standard output is for results.
    let fetched = fetch_one(spec, &store, None, Voice { json: false, ..voice }, &stop);
    let status = stop.status();
    // Its handlers stay: without them a signal would be lost until the next ones are there.
    std::mem::forget(stop);
    match fetched {
        Err(failure) if !failure.is_cancelled() => Err(failure),
        _ => Ok(status),
    }
}

fn fetch_one(
    spec: &ModelSpec,
    store: &Store,
    mirror: Option<&String>,
    voice: Voice,
    stop: &Stop,
) -> Result<PathBuf, Failure> {
    let teller = Teller { name: spec.name, voice, bar: RefCell::default() };
    let on_event = |event: FetchEvent<'_>| teller.tell(event);
    let options = FetchOptions {
        mirror: mirror.cloned(),
        on_event: Some(&on_event),
        cancel: Some(stop.token()),
        ..FetchOptions::default()
    };
    let fetched = store.fetch(spec, &options);
    teller.finish();
    Ok(fetched?)
}

fn tell(spec: &ModelSpec, path: &Path, voice: Voice) -> Result<(), Failure> {
    if voice.json {
        let line = json!({"name": spec.name, "path": path.to_string_lossy()});
        return terminal::print(&format!("{line}\n"));
    }
    if voice.quiet { Ok(()) } else { terminal::print(&format!("{}\n", path.display())) }
}

/// Tells of one fetch.
struct Teller {
    name: &'static str,
    voice: Voice,
    bar: RefCell<Option<ProgressBar>>,
}

impl Teller {
    fn tell(&self, event: FetchEvent<'_>) {
        match event {
            // What the licence forbids is said whatever else is not.
            FetchEvent::Notice(notice) if self.voice.json => {
                let line = json!({"name": self.name, "notice": notice});
                // The fetch itself does not depend on a reader.
                let _ = terminal::print(&format!("{line}\n"));
            }
            FetchEvent::Notice(notice) => self.note(notice),
            FetchEvent::Progress { bytes, total } => self.progress(bytes, total),
            FetchEvent::Waiting => self.say("Another process is fetching it; waiting"),
            FetchEvent::Retrying { error } => self.say(&format!("{}; trying again", error.message())),
            FetchEvent::Verifying => self.say("Comparing the checksum"),
            _ => {}
        }
    }

    fn progress(&self, bytes: u64, total: u64) {
        if !self.voice.is_chatty() {
            return;
        }
        let mut bar = self.bar.borrow_mut();
        if bar.is_none() {
            *bar = terminal::bar(total, "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left");
        }
        if let Some(bar) = &*bar {
            bar.set_position(bytes);
        }
    }

    fn say(&self, line: &str) {
        if self.voice.is_chatty() {
            self.note(line);
        }
    }

    fn note(&self, line: &str) {
        terminal::note(self.bar.borrow().as_ref(), &format!("{}: {line}", self.name));
    }

    fn finish(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
