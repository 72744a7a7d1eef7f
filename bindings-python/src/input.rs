//! Pictures on their way in.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyTuple;
use remrembg::{Input, Layout, PixelView};

/// What `remrembg._inputs` hands over, kept alive while a removal reads it.
pub(crate) enum Given {
    Nothing,
    Bytes(PyBackedBytes),
    Upload(String, PyBackedBytes),
    Path(PathBuf),
    /// Rows without gaps, and their width, height and channels.
    Pixels(PyBackedBytes, u32, u32, Layout),
}

impl Given {
    /// As core takes it.
    ///
    /// # Errors
    /// [`BadPixels`](remrembg::Code::BadPixels).
    pub(crate) fn input(&self) -> remrembg::Result<Input<'_>> {
        Ok(match self {
            Self::Nothing => Input::Missing,
            Self::Bytes(bytes) => Input::Bytes(bytes),
            Self::Upload(name, bytes) => Input::Upload { name, bytes },
            Self::Path(path) => Input::Path(path),
            Self::Pixels(bytes, width, height, layout) => {
                let stride = *width as usize * layout.bytes();
                Input::Pixels(PixelView::new(bytes, *width, *height, *layout, stride)?)
            }
        })
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_none() {
            return Ok(Self::Nothing);
        }
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        let Ok(parts) = object.cast::<PyTuple>() else { return object.extract().map(Self::Path) };
        match parts.len() {
            2 => parts.extract().map(|(name, bytes)| Self::Upload(name, bytes)),
            4 => {
                let (bytes, width, height, channels) = parts.extract::<(PyBackedBytes, u32, u32, u8)>()?;
                Ok(Self::Pixels(bytes, width, height, layout(channels)?))
            }
            _ => Err(PyTypeError::new_err("a picture is bytes, (name, bytes) or (bytes, width, height, channels)")),
        }
    }
}

fn layout(channels: u8) -> PyResult<Layout> {
    match channels {
        1 => Ok(Layout::Gray8),
        3 => Ok(Layout::Rgb8),
        4 => Ok(Layout::Rgba8),
        _ => Err(PyTypeError::new_err(format!("a pixel has 1, 3 or 4 channels, got: {channels}"))),
    }
}
