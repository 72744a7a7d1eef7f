//! Numbers that begin at the start of a cache line, so that no register full of them lies in two.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;

/// Room for some numbers.
#[derive(Default)]
pub(crate) struct Buffer {
    /// Zeros from the system are had when they are touched, by whichever thread that is.
    data: Vec<f32>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// Zeros.
    pub(crate) fn new(length: usize) -> Self {
        let data = vec![0.0; length + LINE / size_of::<f32>()];
        // Where no such place can be told, it begins anywhere.
        let start = data.as_ptr().align_offset(LINE).min(data.len() - length);
        Self { data, start, length }
    }

    pub(crate) fn of(numbers: &[f32]) -> Self {
        let mut buffer = Self::new(numbers.len());
        buffer.copy_from_slice(numbers);
        buffer
    }

    /// Makes room for at least so many numbers, whatever they are.
    pub(crate) fn grow(&mut self, length: usize) {
        if self.length < length {
            *self = Self::new(length);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[self.start..self.start + self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..self.start + self.length]
    }
}
