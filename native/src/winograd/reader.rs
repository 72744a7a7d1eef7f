//! Squares of inputs, read from a tensor as it lies, or resized on the way.

use super::{Piece, Run, SIDE, stride};
use crate::kernels::{ALONG, Between, Kernels};
use crate::plan::Shape;
use crate::resize::{between, columns};
use crate::waves::Seen;

/// A piece of a tensor, and what it is read as.
pub(super) struct Reader<'a> {
    pub(super) piece: Piece,
    seen: Seen<'a>,
    /// Of a tensor that is resized as it is read: for each column of the output.
    columns: Vec<Between>,
    to: Shape,
}

impl<'a> Reader<'a> {
    pub(super) fn new(piece: Piece, seen: Seen<'a>, to: Shape) -> Self {
        Self { piece, seen, columns: columns(seen.shape, to, piece.first), to }
    }

    /// Transforms a run. `lines` is room to lay out what does not lie in memory as it is read.
    pub(super) fn transform(&self, kernels: Kernels, run: Run, lines: &mut [f32], inputs: &mut [f32]) {
        let Piece { first, channels, .. } = self.piece;
        let to = |square: usize| square * channels;
        if !self.columns.is_empty() {
            let length = (run.count * SIDE + ALONG - SIDE) * channels;
            self.resize(kernels, run, length, lines);
            for square in 0..run.count {
                let line = |row: usize| &lines[row * length..][square * SIDE * channels..length];
                let lines = std::array::from_fn(line);
                kernels.forward(&lines, channels, channels, &mut inputs[to(square)..], stride(channels));
            }
            return;
        }
        let (width, pixel) = (self.seen.shape.width, self.seen.shape.channels);
        let rows: [Option<usize>; ALONG] = std::array::from_fn(|step| self.row(run.row, step));
        for square in 0..run.count {
            let left = (run.first + square) * SIDE;
            let is_inside = rows.iter().all(Option::is_some) && left > 0 && left - 1 + ALONG <= width;
            if is_inside {
                let place =
                    |row: Option<usize>| ((row.unwrap_or(0) - self.seen.above) * width + left - 1) * pixel + first;
                let line = |row| &self.seen.data[place(row)..][..(ALONG - 1) * pixel + channels];
                let lines = rows.map(line);
                kernels.forward(&lines, pixel, channels, &mut inputs[to(square)..], stride(channels));
            } else {
                let length = ALONG * channels;
                for (row, line) in rows.into_iter().zip(lines.chunks_exact_mut(length)) {
                    self.copy(row, left, line);
                }
                let lines = std::array::from_fn(|row| &lines[row * length..][..length]);
                kernels.forward(&lines, channels, channels, &mut inputs[to(square)..], stride(channels));
            }
        }
    }

    /// What a run will read, line by line, as far as it is read where it lies. The first piece of a tensor has the lines of
    /// all.
    pub(super) fn lines(&self, run: Run) -> impl Iterator<Item = &'a [f32]> {
        let Shape { width, channels, .. } = self.seen.shape;
        let (left, right) = ((run.first * SIDE).saturating_sub(1), width.min((run.first + run.count) * SIDE + 1));
        let rows = (0..ALONG)
            .filter_map(move |step| self.row(run.row, step))
            .filter(|_| self.columns.is_empty() && self.piece.first == 0);
        rows.filter_map(move |row| {
            let start = row.checked_sub(self.seen.above)? * width;
            self.seen.data.get((start + left) * channels..(start + right) * channels)
        })
    }

    /// The row of the output's size that a square's line is, if it is one. A square begins one pixel above and to the left
    /// of its outputs.
    fn row(&self, row: usize, step: usize) -> Option<usize> {
        (row * SIDE + step).checked_sub(1).filter(|row| *row < self.to.height)
    }

    /// Copies eight pixels of a row, zeros beyond the edge.
    fn copy(&self, row: Option<usize>, left: usize, line: &mut [f32]) {
        let Piece { first, channels, .. } = self.piece;
        for (step, to) in line.chunks_exact_mut(channels).enumerate() {
            let column = (left + step).checked_sub(1).filter(|column| *column < self.seen.shape.width);
            match (row, column) {
                (Some(row), Some(column)) => {
                    let place =
                        ((row - self.seen.above) * self.seen.shape.width + column) * self.seen.shape.channels + first;
                    to.copy_from_slice(&self.seen.data[place..][..channels]);
                }
                _ => to.fill(0.0),
            }
        }
    }

    /// Resizes the lines of some squares, zeros beyond the edge.
    fn resize(&self, kernels: Kernels, run: Run, length: usize, lines: &mut [f32]) {
        let channels = self.piece.channels;
        let (begin, end) = (run.first * SIDE, (run.first + run.count) * SIDE + 1);
        let before = usize::from(begin == 0);
        let columns = &self.columns[begin + before - 1..end.min(self.to.width)];
        for (step, line) in lines.chunks_exact_mut(length).take(ALONG).enumerate() {
            let Some(row) = self.row(run.row, step) else {
                line.fill(0.0);
                continue;
            };
            let (above, below, down) = between(row, self.seen.shape.height, self.to.height);
            let of_row = |row: usize| {
                let length = self.seen.shape.width * self.seen.shape.channels;
                &self.seen.data[row * length..][..length]
            };
            let (outside, rest) = line.split_at_mut(before * channels);
            let (inside, beyond) = rest.split_at_mut(columns.len() * channels);
            outside.fill(0.0);
            beyond.fill(0.0);
            kernels.resize([of_row(above), of_row(below)], down, columns, channels, inside);
        }
    }
}
