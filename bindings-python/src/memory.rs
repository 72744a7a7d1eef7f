//! Memory of Python objects, read in place. The only unsafe code of this crate.
//!
//! The buffer protocol is in the stable ABI from Python 3.11 on, and this module
//! serves 3.9: so `remrembg._pictures` finds the address, and Rust trusts it.

use std::{ptr, slice};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// Bytes that a Python object holds.
pub(crate) enum Memory {
    Bytes(PyBackedBytes),
    /// Address and length, and what keeps the bytes where they are.
    Place(usize, usize, #[expect(dead_code, reason = "held, never looked at")] Py<PyAny>),
}

impl Memory {
    /// The bytes. Core copies a decoded picture before it looks at it; a Python
    /// thread that writes to an array in that moment gets old and new pixels mixed.
    pub(crate) fn bytes(&self) -> &[u8] {
        match *self {
            Self::Bytes(ref bytes) => bytes,
            Self::Place(_, 0, _) => &[],
            // SAFETY: `remrembg._pictures` took address and length from one NumPy array,
            // which cannot be resized while it is referred to, and the owner, that
            // array, lives as long as `self`. Its bytes are always initialized. That
            // nobody writes to them meanwhile is up to the caller, as for all readers of
            // arrays that let other threads run.
            Self::Place(address, length, _) => unsafe {
                slice::from_raw_parts(ptr::with_exposed_provenance(address), length)
            },
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Memory {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract() {
            return Ok(Self::Bytes(bytes));
        }
        let (address, length, owner) = object.extract()?;
        Ok(Self::Place(address, length, owner))
    }
}
