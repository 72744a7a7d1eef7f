//! A service that listens, and what is sent to it and heard of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use remrembg::{Progress, Remover};
use remrembg_server::{Listening, run};

use crate::service::{both, config, form, kind, png};

/// Longer than anything here should take, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service that listens until it is dropped.
pub(crate) struct Served {
    pub(crate) at: Listening,
    pub(crate) remover: Arc<Remover>,
    pub(crate) stop: Arc<AtomicBool>,
    ended: Option<JoinHandle<io::Result<()>>>,
}

pub(crate) fn served(in_flight: usize, pairs: &[(&str, &str)]) -> Served {
    let (settings, limits) = both(&[&[("listen", "127.0.0.1:0"), ("metrics_listen", "127.0.0.1:0")], pairs].concat());
    let mut config = config();
    (config.in_flight, config.limits, config.memory) = (in_flight, limits.limits, limits.memory);
    let remover = Arc::new(Remover::new(config).expect("the engine inside always works"));
    let stop = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    let ended = thread::spawn({
        let (remover, stop) = (Arc::clone(&remover), Arc::clone(&stop));
        move || {
            let ready = |listening| tell.send(listening).expect("the test listens");
            run(remover, settings, || stop.load(Ordering::SeqCst), ready)
        }
    });
    Served { at: told.recv().expect("it listens"), remover, stop, ended: Some(ended) }
}

impl Served {
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.at.service)
    }

    /// Asks for the end, and waits for it.
    pub(crate) fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(ended) = self.ended.take() {
            ended.join().expect("it does not panic").expect("it ends well");
        }
    }

    /// Takes the only place, until what is given back is waited for.
    pub(crate) fn hold(&self) -> (Arc<Barrier>, JoinHandle<()>) {
        let (begun, over) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let held = thread::spawn({
            let (remover, begun, over) = (Arc::clone(&self.remover), Arc::clone(&begun), Arc::clone(&over));
            move || {
                let waited = std::cell::Cell::new(false);
                let hold = |_: Progress| {
                    if !waited.replace(true) {
                        begun.wait();
                        over.wait();
                    }
                };
                remover.job(&png()).progress(&hold).run().expect("it runs");
            }
        });
        begun.wait();
        (over, held)
    }

    pub(crate) fn until_waiting(&self, waiting: u64) {
        until(|| metric(self, "remrembg_removals_waiting ") == Some(waiting));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

#[track_caller]
pub(crate) fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never happens");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn head(length: usize, more: &str) -> String {
    format!("POST /rmbg HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nContent-Length: {length}\r\n{more}\r\n", kind())
}

pub(crate) fn request(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = form(parts);
    [head(body.len(), "").into_bytes(), body].concat()
}

/// One answer: its status, its head, its body.
pub(crate) fn answer(stream: &mut TcpStream) -> io::Result<(u16, String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length = value("content-length:").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head[9..12].parse().expect("a status"), head, body))
}

pub(crate) fn asked(stream: &mut TcpStream, request: &[u8]) -> (u16, String, Vec<u8>) {
    stream.write_all(request).expect("it is sent");
    answer(stream).expect("it is answered")
}

/// Reads until the other side ends the connection.
pub(crate) fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

/// A number of the metrics.
pub(crate) fn metric(served: &Served, name: &str) -> Option<u64> {
    let mut stream = connect(served.at.metrics.expect("they are on"));
    let (status, head, body) = asked(&mut stream, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(status, 200, "{head}");
    let text = String::from_utf8(body).expect("text");
    text.lines().find_map(|line| line.strip_prefix(name)).and_then(|value| value.parse().ok())
}
