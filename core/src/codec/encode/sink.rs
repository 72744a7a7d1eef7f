//! Where encoders write to.

use std::io::{self, Write};

use crate::exec::control::Control;

/// Collects bytes, and refuses more of them once a stop was asked for.
pub(super) struct Sink<'a> {
    bytes: Vec<u8>,
    control: &'a Control<'a>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(control: &'a Control<'a>) -> Self {
        Self { bytes: Vec::new(), control }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.control.check().map_err(io::Error::other)?;
        self.bytes.try_reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
