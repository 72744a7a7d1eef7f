//! A Redis of a test's own, on a socket in a folder of its own, which ends with it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) struct RedisServer {
    folder: TempDir,
    process: Child,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = started(folder.path());
        Self { folder, process }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    /// Ends it as a power cut does.
    #[allow(dead_code, reason = "not every test that starts one ends it")]
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ended");
    }

    /// Starts it again, with what it had on disk.
    #[allow(dead_code, reason = "not every test that starts one ends it")]
    pub(crate) fn restart(&mut self) {
        self.process = started(self.folder.path());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn started(folder: &Path) -> Child {
    let socket = folder.join("socket");
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder);
    command.arg("--unixsocket").arg(&socket).stdout(Stdio::null());
    let mut process = command.spawn().expect("redis-server is there once `make tools` has run");
    let start = Instant::now();
    while !is_ready(&socket).unwrap_or(false) {
        let ended = process.try_wait().expect("it can be asked");
        assert!(ended.is_none() && start.elapsed() < Duration::from_secs(20), "Redis does not answer: {ended:?}");
        thread::sleep(Duration::from_millis(5));
    }
    process
}

/// Whether Redis answers, and has read its data.
fn is_ready(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"+PONG")
}
