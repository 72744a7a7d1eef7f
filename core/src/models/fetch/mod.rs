//! Gets weights over HTTP: into a part file beside, checked, then renamed.
//!
//! A file under its final name is whole and has the published checksum,
//! whatever happens on the way.

mod http;
mod part;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{ModelSpec, RELEASES, Store};
use crate::error::{Code, Error, Result};
use crate::exec::control::{CancelToken, Control};
use http::{Answer, Connection, Failure};
use part::Part;

/// What happens while weights are fetched.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// What the user has to know of the licence. Comes first, before any byte.
    Notice(&'a str),
    /// Another process or thread is fetching the same model; this one waits.
    Waiting,
    /// Bytes on this machine so far, those of an earlier attempt among them.
    Progress {
        /// So far.
        bytes: u64,
        /// In all.
        total: u64,
    },
    /// The connection failed; it is tried again after a pause.
    Retrying {
        /// How it failed.
        error: &'a Error,
    },
    /// All bytes are there; their checksum is being compared.
    Verifying,
}

/// How to fetch. The default suits most connections.
#[derive(Clone)]
pub struct FetchOptions<'a> {
    /// The base address, to which the file's name is added; `None`: the store's
    /// mirror, else [`RELEASES`]. `http://` will do: the checksum decides.
    pub mirror: Option<String>,
    /// Called on the thread that fetches, `Progress` after each block.
    pub on_event: Option<&'a dyn Fn(FetchEvent)>,
    /// Looked at every 20 ms. What was fetched stays for the next time.
    pub cancel: Option<&'a CancelToken>,
    /// For one connection to be made. Default: 20 seconds.
    pub connect_timeout: Duration,
    /// Without a byte from the server. Default: 30 seconds.
    pub read_timeout: Duration,
    /// Failures in a row after which it gives up, at least 1. Default: 4. An
    /// attempt that brought bytes begins a new row.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one. Default: 1 second.
    pub pause: Duration,
}

impl Default for FetchOptions<'_> {
    fn default() -> Self {
        Self {
            mirror: None,
            on_event: None,
            cancel: None,
            connect_timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(30),
            attempts: 4,
            pause: Duration::from_secs(1),
        }
    }
}

impl fmt::Debug for FetchOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FetchOptions");
        debug.field("mirror", &self.mirror).field("on_event", &self.on_event.is_some()).field("cancel", &self.cancel);
        debug.field("connect_timeout", &self.connect_timeout).field("read_timeout", &self.read_timeout);
        debug.field("attempts", &self.attempts).field("pause", &self.pause).finish()
    }
}

impl FetchOptions<'_> {
    fn tell(&self, event: FetchEvent) {
        if let Some(on_event) = self.on_event {
            on_event(event);
        }
    }

    fn check(&self) -> Result<()> {
        Control { cancel: self.cancel, ..Control::default() }.check()
    }

    /// Sleeps, but not past a stop.
    fn sleep(&self, pause: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(20);
        let mut left = pause;
        while !left.is_zero() {
            self.check()?;
            std::thread::sleep(left.min(STEP));
            left = left.saturating_sub(STEP);
        }
        self.check()
    }
}

impl Store {
    /// Makes sure that the weights of `spec` are on this machine and gives their
    /// path. Weights that are there and right are not fetched again.
    ///
    /// A download that broke off goes on where it ended, now or at the next call,
    /// if the server can. Several processes and threads may call this at once for
    /// the same model: one fetches, the others wait for it. The proxy comes from
    /// `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; this machine itself
    /// is never asked through it.
    ///
    /// # Errors
    /// [`Code::ModelFetchFailed`] with the address and what went wrong,
    /// [`Code::ModelDamaged`] for another checksum, [`Code::CannotWrite`] (a full
    /// disk, say), [`Code::CannotRead`], [`Code::Cancelled`]. After each of them
    /// the model is as absent as before.
    pub fn fetch(&self, spec: &ModelSpec, options: &FetchOptions<'_>) -> Result<PathBuf> {
        if let Some(notice) = spec.notice() {
            options.tell(FetchEvent::Notice(&notice));
        }
        if let Some(path) = self.present(spec)? {
            return Ok(path);
        }
        let connection = Connection::new(&spec.url(self.base(options)?), spec.size, options);
        let mut part = Part::open(self.path(spec)?, &mut |first| {
            first.then(|| options.tell(FetchEvent::Waiting));
            options.sleep(Duration::from_millis(50))
        })?;
        // Whoever held the part file before may have finished the model.
        if let Some(path) = self.present(spec)? {
            return Ok(path);
        }
        download(&connection, &mut part, options)?;
        options.tell(FetchEvent::Verifying);
        let mut difference = part.difference(spec)?;
        if difference.is_some() && part.is_of_several() {
            // An earlier answer was of something else: a page for logging in, another state of the file.
            part.restart(None)?;
            download(&connection, &mut part, options)?;
            options.tell(FetchEvent::Verifying);
            difference = part.difference(spec)?;
        }
        match difference {
            None => part.finish(),
            Some(difference) => {
                part.discard()?;
                let (url, name) = (connection.url(), spec.name);
                let message = format!("{url} is not the model '{name}': {difference}. What was fetched is deleted");
                Err(Error::with_message(Code::ModelDamaged, message))
            }
        }
    }

    /// The weights, if they are there and right. Wrong ones where fetched ones
    /// go are as good as none; anywhere else they are the user's to remove.
    fn present(&self, spec: &ModelSpec) -> Result<Option<PathBuf>> {
        let Ok(found) = self.locate_spec(spec) else { return Ok(None) };
        match self.verify(spec) {
            Err(error) if error.code() == Code::ModelDamaged && self.path(spec).ok() == Some(found) => Ok(None),
            verified => verified.map(Some),
        }
    }

    fn base<'a>(&'a self, options: &'a FetchOptions<'_>) -> Result<&'a str> {
        let base = options.mirror.as_deref().or(self.mirror()).unwrap_or(RELEASES).trim();
        if base.starts_with("http://") || base.starts_with("https://") {
            return Ok(base);
        }
        let hint = "A folder of models goes into REMREMBG_OFFLINE_MODELS";
        let message = format!("The mirror must begin with http:// or https://, got: '{base}'. {hint}");
        Err(Error::with_message(Code::ModelFetchFailed, message))
    }
}

/// Attempt after attempt, until the part file has all bytes.
fn download(connection: &Connection, part: &mut Part, options: &FetchOptions<'_>) -> Result<()> {
    let (mut failures, mut furthest) = (0, part.len());
    loop {
        let error = match attempt(connection, part, options) {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing(error)) => error,
        };
        failures = if part.len() > furthest { 1 } else { failures + 1 };
        furthest = furthest.max(part.len());
        if failures >= options.attempts {
            return Err(error);
        }
        options.tell(FetchEvent::Retrying { error: &error });
        options.sleep(options.pause * 2_u32.saturating_pow(failures - 1).min(64))?;
    }
}

fn attempt(connection: &Connection, part: &mut Part, options: &FetchOptions<'_>) -> Result<(), Failure> {
    if part.len() > connection.size() {
        part.restart(None)?;
    }
    if part.len() == connection.size() {
        return Ok(());
    }
    let mut answer = connection.ask(part.len(), part.etag(), options)?;
    if answer.start.is_none() {
        part.restart(None)?;
        answer = connection.ask(0, None, options)?;
    }
    if part.len() == 0 || answer.start != Some(part.len()) {
        part.restart(answer.etag.as_deref())?;
    } else {
        part.go_on();
    }
    copy(connection, &answer, part, options)
}

fn copy(connection: &Connection, answer: &Answer, part: &mut Part, options: &FetchOptions<'_>) -> Result<(), Failure> {
    let total = connection.size();
    loop {
        options.tell(FetchEvent::Progress { bytes: part.len(), total });
        let block = answer.next(options)?.map_err(|error| connection.broke(part.len(), error))?;
        match part.len() + block.len() as u64 {
            length if length > total => {
                part.restart(None)?;
                return Err(connection.too_long());
            }
            length if block.is_empty() && length == total => return Ok(()),
            length if block.is_empty() && answer.start == Some(0) && answer.tells_end => {
                part.restart(None)?;
                return Err(connection.another_file(length));
            }
            length if block.is_empty() => return Err(connection.ended(length)),
            _ => part.write(&block)?,
        }
    }
}
