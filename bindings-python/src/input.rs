//! Pictures on their way in.

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use remrembg::{Input, Layout, PixelView, Stream};

use crate::memory::Memory;

/// How much is asked of a file object at once, in bytes.
const BLOCK: usize = 1 << 20;

/// What `remrembg._pictures` hands over.
#[derive(FromPyObject)]
pub(crate) enum Given {
    /// A file object, and the name that it has as an upload; or a path that is held to the rule for those.
    File(Py<PyAny>, Option<String>),
    #[pyo3(transparent)]
    Kept(Kept),
}

/// A picture that stays where it is, a variant by the number of its parts.
#[derive(FromPyObject)]
pub(crate) enum Kept {
    /// Memory, width, height, channels, stride and ICC profile of a decoded picture.
    Pixels(Memory, u32, u32, u8, usize, Option<PyBackedBytes>),
    #[pyo3(transparent)]
    Memory(Memory),
    #[pyo3(transparent)]
    Path(PathBuf),
}

/// A picture that core can borrow.
pub(crate) enum Held {
    Nothing,
    Named(PathBuf),
    File(RefCell<File>, Option<String>),
    Kept(Kept),
}

impl Held {
    pub(crate) fn new(given: Option<Given>) -> Self {
        match given {
            None => Self::Nothing,
            Some(Given::Kept(kept)) => Self::Kept(kept),
            Some(Given::File(file, name)) => match Python::attach(|py| file.extract(py)) {
                Ok(path) => Self::Named(path),
                Err(_) => Self::File(RefCell::new(File::new(file)), name),
            },
        }
    }

    /// As core takes it.
    ///
    /// # Errors
    /// [`BadPixels`](remrembg::Code::BadPixels).
    pub(crate) fn input(&self) -> remrembg::Result<Input<'_>> {
        Ok(match self {
            Self::Nothing => Input::Missing,
            Self::Named(path) => Input::NamedPath(path),
            Self::File(file, name) => Input::Stream(name.as_deref(), Stream::new(file)),
            Self::Kept(Kept::Memory(memory)) => Input::Bytes(memory.bytes()),
            Self::Kept(Kept::Path(path)) => Input::Path(path),
            Self::Kept(Kept::Pixels(memory, width, height, channels, stride, profile)) => {
                let view = PixelView::new(memory.bytes(), *width, *height, layout(*channels), *stride)?;
                Input::Pixels(profile.iter().fold(view, |view, profile| view.with_profile(profile)))
            }
        })
    }

    /// What a file object raised while it was read.
    pub(crate) fn raised(self) -> Option<PyErr> {
        if let Self::File(file, _) = self { file.into_inner().raised } else { None }
    }
}

const fn layout(channels: u8) -> Layout {
    match channels {
        1 => Layout::Gray8,
        3 => Layout::Rgb8,
        _ => Layout::Rgba8,
    }
}

/// A Python file object as Rust reads files.
pub(crate) struct File {
    file: Py<PyAny>,
    block: Option<PyBackedBytes>,
    taken: usize,
    raised: Option<PyErr>,
}

impl File {
    const fn new(file: Py<PyAny>) -> Self {
        Self { file, block: None, taken: 0, raised: None }
    }

    fn next(&self) -> PyResult<PyBackedBytes> {
        Python::attach(|py| {
            let block = self.file.call_method1(py, "read", (BLOCK,))?;
            let wrong = || PyTypeError::new_err("a file object must give bytes: open the file with mode 'rb'");
            block.extract(py).map_err(|_| wrong())
        })
    }
}

impl Read for File {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.block.as_ref().is_none_or(|block| block.len() == self.taken) {
            let next = self.next().map_err(|error| {
                let told = io::Error::other(error.to_string());
                self.raised = Some(error);
                told
            })?;
            (self.block, self.taken) = (Some(next), 0);
        }
        let rest = self.block.as_ref().map_or(&[][..], |block| &block[self.taken..]);
        let count = rest.len().min(room.len());
        room[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}
