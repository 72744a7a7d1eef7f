//! A place to try fetching at.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use remrembg::Result;
use remrembg::models::{FetchOptions, Store};

use crate::server::{Reply, Server};
use crate::{spec, weights};

/// A folder to fetch into and a server to fetch from.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) server: Server,
}

impl Site {
    pub(crate) fn new(script: &[Reply]) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), server: Server::start(weights(), script) }
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.dir.path().join("made.onnx")
    }

    pub(crate) fn part(&self) -> PathBuf {
        self.dir.path().join("made.onnx.part")
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.dir.path())
    }

    pub(crate) fn options(&self) -> FetchOptions<'static> {
        FetchOptions {
            mirror: Some(self.server.base.clone()),
            read_timeout: Duration::from_secs(60),
            attempts: 1,
            pause: Duration::from_millis(1),
            ..FetchOptions::default()
        }
    }

    pub(crate) fn fetch(&self) -> Result<PathBuf> {
        self.store().fetch(&spec(), &self.options())
    }

    /// Fetches with so many attempts.
    pub(crate) fn fetch_trying(&self, attempts: u32) -> Result<PathBuf> {
        self.store().fetch(&spec(), &FetchOptions { attempts, ..self.options() })
    }

    pub(crate) fn assert_whole(&self) {
        assert!(fs::read(self.model()).unwrap() == weights(), "the model is right, byte for byte");
        assert!(!self.part().exists() && !self.part().with_added_extension("etag").exists(), "nothing is left over");
    }

    /// Nothing under the final name, and so many bytes to go on from.
    pub(crate) fn assert_absent(&self, kept: usize) {
        assert!(!self.model().exists(), "no partial model under the final name");
        let part = fs::read(self.part()).unwrap_or_default();
        assert!(part == weights()[..kept], "{} bytes are kept, not {kept}", part.len());
        assert!(kept > 0 || !self.part().exists(), "no empty file is left over");
    }
}

/// The `Range` header that asks for the bytes from `start` on.
pub(crate) fn range(start: usize) -> Option<String> {
    Some(format!("bytes={start}-"))
}
