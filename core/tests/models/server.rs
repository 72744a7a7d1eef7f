//! An HTTP server that answers as a script says, and records what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How the server answers one request.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// The file, from the byte asked for.
    File,
    /// The file from its first byte, whatever was asked for, and no ETag.
    NoRange,
    /// As `File`, but the connection closes after so many bytes of it.
    CutAfter(usize),
    /// As `File`, but nothing more comes after so many bytes of it while the test holds `stall`.
    StallAfter(usize),
    /// As many bytes as the file has, every one of them wrong.
    Wrong,
    /// From the byte asked for what is not the file's rest, as long as that.
    Rest,
    /// Nothing while the test holds `stall`.
    Silent,
    /// A short page in chunks, as who wants a login answers.
    Page,
    /// The file and more, without saying how much.
    TooLong,
    /// This status, with a short page.
    Status(u16),
    /// A redirect to another path of this server.
    Redirect,
}

/// What a client asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
}

pub(crate) struct Server {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Who has it keeps a stalled answer from going on.
    pub(crate) stall: Arc<Mutex<()>>,
}

const ETAG: &str = "\"v1\"";

impl Server {
    /// Serves `file`: one reply of `script` for each request, the last for ever.
    pub(crate) fn start(file: Vec<u8>, script: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/m", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stall = Arc::new(Mutex::new(()));
        let (script, record, held) = (script.to_vec(), Arc::clone(&asked), Arc::clone(&stall));
        // The thread ends with the test's process.
        thread::spawn(move || {
            let file = Arc::new(file);
            for stream in listener.incoming().map_while(Result::ok) {
                let (file, script) = (Arc::clone(&file), script.clone());
                let (record, held) = (Arc::clone(&record), Arc::clone(&held));
                thread::spawn(move || {
                    let Some(asked) = read(&stream) else { return };
                    let index = {
                        let mut record = record.lock().unwrap();
                        record.push(asked.clone());
                        record.len() - 1
                    };
                    let reply = script[index.min(script.len() - 1)];
                    // A client that has gone is part of several tests.
                    let _ = answer(&stream, &file, reply, &asked, &held);
                });
            }
        });
        Self { base, asked, stall }
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The `Range` header of each request so far.
    pub(crate) fn ranges(&self) -> Vec<Option<String>> {
        self.asked().into_iter().map(|asked| asked.range).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut asked = Asked { path: lines.next()?.split(' ').nth(1)?.to_owned(), ..Asked::default() };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_lowercase().as_str() {
            "range" => asked.range = Some(value.to_owned()),
            "if-range" => asked.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(asked)
}

fn answer(mut stream: &TcpStream, file: &[u8], reply: Reply, asked: &Asked, stall: &Mutex<()>) -> std::io::Result<()> {
    let wrong: Vec<u8> = file.iter().map(|byte| !byte).collect();
    match reply {
        Reply::File => send(stream, file, asked, usize::MAX),
        Reply::CutAfter(bytes) => send(stream, file, asked, bytes),
        Reply::StallAfter(bytes) => {
            send(stream, file, asked, bytes)?;
            drop(stall.lock());
            Ok(())
        }
        Reply::NoRange => whole(stream, file),
        Reply::Wrong => whole(stream, &wrong),
        Reply::Rest => send(stream, &wrong, asked, usize::MAX),
        Reply::Silent => {
            drop(stall.lock());
            Ok(())
        }
        Reply::Page => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close";
            write!(stream, "{head}\r\n\r\n6\r\nlog in\r\n0\r\n\r\n")
        }
        Reply::TooLong => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            stream.write_all(&file.repeat(3))
        }
        Reply::Status(status) => {
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 5\r\nConnection: close\r\n\r\npage\n")
        }
        Reply::Redirect => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
    }
}

fn whole(mut stream: &TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len())?;
    stream.write_all(bytes)
}

/// Answers ranges as RFC 9110 has it, and stops after `limit` bytes of the body.
fn send(mut stream: &TcpStream, file: &[u8], asked: &Asked, limit: usize) -> std::io::Result<()> {
    let fresh = asked.if_range.as_deref().is_none_or(|etag| etag == ETAG);
    let start = asked.range.as_deref().filter(|_| fresh).map(|range| {
        let start = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        start.and_then(|start| start.parse::<usize>().ok()).expect("a range as the client writes it")
    });
    let total = file.len();
    let head = match start {
        Some(start) if start >= total => {
            return write!(stream, "HTTP/1.1 416 X\r\nContent-Range: bytes */{total}\r\nConnection: close\r\n\r\n");
        }
        Some(start) => format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}", total - 1),
        None => "200 OK".to_owned(),
    };
    let body = &file[start.unwrap_or(0)..];
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nETag: {ETAG}\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body[..limit.min(body.len())])
}
