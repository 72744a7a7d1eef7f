//! Numbers that begin at the start of a cache line, so that no register full of them lies in two.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;

/// Room for some numbers.
#[derive(Default)]
pub(crate) struct Buffer<T = f32> {
    /// Zeros from the system are had when they are touched, by whichever thread that is.
    data: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy + Default> Buffer<T> {
    /// Zeros.
    pub(crate) fn new(length: usize) -> Self {
        let data = vec![T::default(); length + LINE / size_of::<T>()];
        // Where no such place can be told, it begins anywhere.
        let start = data.as_ptr().align_offset(LINE).min(data.len() - length);
        Self { data, start, length }
    }

    pub(crate) fn of(numbers: &[T]) -> Self {
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

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.data[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..self.start + self.length]
    }
}
