//! Progress and cancellation through the reader that a decoder reads from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

use crate::exec::control::{Control, Stage};
use crate::exec::guard::host_call;

/// Bytes handed out at once, so that a decoder comes back often enough.
const WINDOW: usize = 32 << 10;
/// Progress is reported this often, at most.
const STEPS: usize = 64;

/// Where the reports of one decoding go.
pub(super) struct Watch<'a> {
    control: &'a Control<'a>,
    length: usize,
    step: Cell<usize>,
    panic: RefCell<Option<Box<dyn Any + Send>>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(control: &'a Control<'a>, length: usize) -> Self {
        Self { control, length, step: Cell::new(0), panic: RefCell::new(None) }
    }

    /// Goes on with the panic of a progress callback, which the guard around
    /// the decoder must not take for one of the decoder's.
    pub(super) fn let_panic_go_on(&self) {
        if let Some(payload) = self.panic.take() {
            std::panic::resume_unwind(payload);
        }
    }

    fn reached(&self, position: u64) -> io::Result<()> {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let step = (position.saturating_mul(STEPS) / self.length.max(1)).min(STEPS - 1);
        if step <= self.step.get() {
            return self.control.check().map_err(io::Error::other);
        }
        self.step.set(step);
        let outcome = host_call(|| self.control.report(Stage::Decode, step as f32 / STEPS as f32));
        match outcome {
            Ok(reported) => reported.map_err(io::Error::other),
            Err(payload) => {
                *self.panic.borrow_mut() = Some(payload);
                Err(io::Error::other("the progress callback panicked"))
            }
        }
    }
}

/// A file in memory that tells the watch how far it was read.
pub(super) struct Meter<'a> {
    file: Cursor<&'a [u8]>,
    watch: &'a Watch<'a>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(bytes: &'a [u8], watch: &'a Watch<'a>) -> Self {
        Self { file: Cursor::new(bytes), watch }
    }
}

impl Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.watch.reached(self.file.position())?;
        self.file.read(buffer)
    }
}

impl BufRead for Meter<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.watch.reached(self.file.position())?;
        self.file.fill_buf().map(|rest| &rest[..rest.len().min(WINDOW)])
    }

    fn consume(&mut self, count: usize) {
        self.file.consume(count);
    }
}

impl Seek for Meter<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
