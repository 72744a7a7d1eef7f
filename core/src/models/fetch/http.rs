//! One request and what its answer means for a download.

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};

use super::FetchOptions;
use crate::error::{Code, Error, Result};

/// How often whoever waits for a server looks whether to stop.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes that are taken from a server at once, and how many such blocks wait to be written.
const BLOCK: usize = 1 << 17;
const BLOCKS: usize = 2;

/// What one thread gets from the server while another may stop waiting for it at any time. The thread ends at the next
/// byte, or when the server has been silent for too long.
struct Line {
    response: Receiver<Result<Response<()>, ureq::Error>>,
    blocks: Receiver<io::Result<Vec<u8>>>,
}

impl Line {
    fn open(request: ureq::RequestBuilder<ureq::typestate::WithoutBody>) -> io::Result<Self> {
        let ((tell, response), (give, blocks)) = (sync_channel(1), sync_channel(BLOCKS));
        let work = move || match request.call() {
            Ok(response) => {
                let (head, body) = response.into_parts();
                if tell.send(Ok(Response::from_parts(head, ()))).is_ok() {
                    hand_on(body.into_reader(), &give);
                }
            }
            // Nobody may wait for it any more.
            Err(error) => drop(tell.send(Err(error))),
        };
        std::thread::Builder::new().name("remrembg-fetch".to_owned()).spawn(work)?;
        Ok(Self { response, blocks })
    }
}

/// Block after block, until one is empty: the end.
fn hand_on(mut body: impl Read, give: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = vec![0; BLOCK];
        let read = body.read(&mut block).map(|read| {
            block.truncate(read);
            block
        });
        let ends = read.as_ref().map_or(true, Vec::is_empty);
        if give.send(read).is_err() || ends {
            return;
        }
    }
}

/// What comes, or a stop that comes before it.
fn awaited<T>(from: &Receiver<T>, options: &FetchOptions<'_>) -> Result<Option<T>> {
    loop {
        options.check()?;
        match from.recv_timeout(LOOK) {
            Ok(what) => return Ok(Some(what)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Why an attempt brought no file.
pub(super) enum Failure {
    /// Another attempt may go better.
    Passing(Error),
    /// No other attempt would.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// An answer that has bytes, or that makes another request useful.
pub(super) struct Answer {
    /// Where in the file the bytes begin; `None`: not where they were asked for.
    pub(super) start: Option<u64>,
    /// What names this state of the file, strong enough to resume on.
    pub(super) etag: Option<String>,
    /// Whether the bytes come in chunks, of which the last says that it is.
    pub(super) tells_end: bool,
    blocks: Receiver<io::Result<Vec<u8>>>,
}

impl Answer {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// A stop; within, what broke the connection.
    pub(super) fn next(&self, options: &FetchOptions<'_>) -> Result<io::Result<Vec<u8>>> {
        let gone = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        Ok(awaited(&self.blocks, options)?.unwrap_or_else(gone))
    }
}

/// Where the file is, how large it is, and how to ask for it.
pub(super) struct Connection {
    agent: Agent,
    asked: String,
    shown: String,
    size: u64,
    read_timeout: Duration,
}

impl Connection {
    pub(super) fn new(url: &str, size: u64, options: &FetchOptions<'_>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("remrembg/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout));
        let config = if is_this_machine(url) { config.proxy(None) } else { config };
        let (agent, read_timeout) = (Agent::new_with_config(config.build()), options.read_timeout);
        Self { agent, asked: url.to_owned(), shown: without_password(url), size, read_timeout }
    }

    /// The address for people to read.
    pub(super) fn url(&self) -> &str {
        &self.shown
    }

    /// Bytes in the whole file.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Asks for the file from byte `start`, if it still is the one that `etag` names.
    pub(super) fn ask(&self, start: u64, etag: Option<&str>, options: &FetchOptions<'_>) -> Result<Answer, Failure> {
        let mut request = self.agent.get(&self.asked);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
            request = etag.into_iter().fold(request, |request, etag| request.header(header::IF_RANGE, etag));
        }
        let line = Line::open(request).map_err(|error| Failure::Passing(self.error(&error.to_string())))?;
        let response = awaited(&line.response, options)?.unwrap_or(Err(ureq::Error::ConnectionFailed));
        let response = response.map_err(|error| self.no_answer(error))?;
        let start = self.start(start, response.status(), response.headers())?;
        // A length that is told was compared.
        let tells_end = response.headers().contains_key(header::TRANSFER_ENCODING);
        Ok(Answer { start, etag: strong_etag(&response), tells_end, blocks: line.blocks })
    }

    fn start(&self, asked: u64, status: StatusCode, headers: &HeaderMap) -> Result<Option<u64>, Failure> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match status.as_u16() {
            200 => match text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()) {
                Some(length) if length != self.size => Err(self.another_file(length)),
                _ => Ok(Some(0)),
            },
            206 if asked > 0 => {
                let range = text(header::CONTENT_RANGE).and_then(content_range);
                Ok(range.filter(|&(start, total)| start == asked && total.is_none_or(|n| n == self.size)).map(|r| r.0))
            }
            416 if asked > 0 => Ok(None),
            408 | 429 | 500..=599 => Err(Failure::Passing(self.error(&format!("the server answered {status}")))),
            _ => Err(Failure::Final(self.error(&format!("the server answered {status}")))),
        }
    }

    fn no_answer(&self, error: ureq::Error) -> Failure {
        use ureq::Error::{ConnectionFailed, HostNotFound, Io, Protocol, Timeout};
        let how = match &error {
            HostNotFound => "the host is not known; is this machine online?".to_owned(),
            Timeout(_) => "the server did not answer in time".to_owned(),
            other => other.to_string(),
        };
        let passing = matches!(error, Io(_) | Timeout(_) | ConnectionFailed | Protocol(_));
        let error = self.error(&how).because(error);
        if passing { Failure::Passing(error) } else { Failure::Final(error) }
    }

    /// The bytes stopped coming after `bytes` of the file.
    pub(super) fn broke(&self, bytes: u64, error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.ended(bytes);
        }
        let how = match ureq::Error::from(error) {
            ureq::Error::Timeout(_) => format!("no byte came for {:?}", self.read_timeout),
            other => other.to_string(),
        };
        Failure::Passing(self.error(&format!("{how}, after {bytes} of {} bytes. {KEPT}", self.size)))
    }

    /// The server sent no more than `bytes` of the file.
    pub(super) fn ended(&self, bytes: u64) -> Failure {
        let size = self.size;
        Failure::Passing(self.error(&format!("the connection ended after {bytes} of {size} bytes. {KEPT}")))
    }

    /// The server sent more than the file.
    pub(super) fn too_long(&self) -> Failure {
        Failure::Final(self.error(&format!("it is longer than the model, which has {} bytes", self.size)))
    }

    /// It has so many bytes in all, which are not the model's.
    pub(super) fn another_file(&self, length: u64) -> Failure {
        let how = format!("it has {length} bytes, the model has {}: it is another file", self.size);
        Failure::Final(self.error(&how))
    }

    fn error(&self, how: &str) -> Error {
        Error::with_message(Code::ModelFetchFailed, format!("Cannot fetch {}: {how}", self.shown))
    }
}

const KEPT: &str = "The next fetch goes on from there";

/// A weak tag names what files mean, not their bytes: no good to resume on.
fn strong_etag<T>(response: &Response<T>) -> Option<String> {
    let etag = response.headers().get(header::ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

/// The first byte and the whole length (`None` for `*`) of `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.parse().ok()?;
    if total == "*" { Some((start, None)) } else { Some((start, Some(total.parse().ok()?))) }
}

fn is_this_machine(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_servers_write_them() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(content_range("bytes */10"), None);
        assert_eq!(content_range("lines 5-9/10"), None);
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for url in ["http://localhost:8/m", "http://127.0.0.9/m", "http://[::1]:80/m"] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in ["http://localhost.example/m", "https://10.0.0.1/m", "nonsense"] {
            assert!(!is_this_machine(url), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        assert_eq!(without_password("https://ann:secret@host/m@1/x.onnx"), "https://host/m@1/x.onnx");
        assert_eq!(without_password("https://host/x"), "https://host/x");
    }
}
