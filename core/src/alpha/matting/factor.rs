//! An incomplete Cholesky factor of the Laplacian: what makes conjugate
//! gradients converge in tens of steps.
//!
//! Column by column, as Jones and Plassmann do it ("An Improved Incomplete
//! Cholesky Factorization", ACM TOMS 21(1), 1995), but entries are dropped where
//! they are small, and no column keeps more than a fixed number of them: memory
//! is bounded whatever the picture.
//!
//! What is dropped can leave a matrix without a factor. Ajiz and Jennings ("A
//! Robust Incomplete Choleski-Conjugate Gradient Algorithm", IJNME 20(5), 1984) add
//! the size of a dropped value to the diagonal at both ends of it, after
//! which there is always one. That costs convergence, so small values are dropped
//! without, until it turns out that they must not be.

use super::laplacian::Laplacian;
use super::share::Share;
use crate::error::Result;

/// Entries below this are dropped.
const SMALLEST: f64 = 1e-4;

/// The most entries that one column keeps.
const MOST: usize = 96;

/// Below this, what is left of a diagonal entry is rounding.
const LEAST_PIVOT: f64 = 1e-12;

/// A lower triangle L, column after column, with L·Lᵀ close to the Laplacian.
pub(super) struct Factor {
    /// Where each column's entries start, and where the last ones end.
    starts: Vec<usize>,
    /// How far below the diagonal each entry is.
    steps: Vec<u16>,
    entries: Vec<f32>,
    /// One over the diagonal.
    pivots: Vec<f64>,
}

impl Factor {
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub(super) fn of(laplacian: &Laplacian, share: Share<'_>) -> Result<Self> {
        for (compensate, share) in [(false, share.part(0.0, 0.5)), (true, share.part(0.5, 1.0))] {
            if let Some(factor) = Columns::new(laplacian, compensate).factor(share)? {
                return Ok(factor);
            }
        }
        Ok(Self::of_diagonal(laplacian))
    }

    /// The factor of the diagonal alone, for a Laplacian that is mostly rounding.
    fn of_diagonal(laplacian: &Laplacian) -> Self {
        let pivots = laplacian.diagonal.iter().map(|value| 1.0 / value.max(SMALLEST).sqrt()).collect();
        let starts = vec![0; laplacian.diagonal.len() + 1];
        Self { starts, steps: Vec::new(), entries: Vec::new(), pivots }
    }

    fn column(&self, j: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[j]..self.starts[j + 1];
        let entries = self.entries[range.clone()].iter().map(|entry| f64::from(*entry));
        self.steps[range].iter().map(move |step| j + usize::from(*step)).zip(entries)
    }

    /// Solves L·Lᵀ·x = b, where `x` holds b.
    pub(super) fn solve(&self, x: &mut [f64]) {
        for j in 0..x.len() {
            x[j] *= self.pivots[j];
            let value = x[j];
            self.column(j).for_each(|(i, entry)| x[i] -= entry * value);
        }
        for j in (0..x.len()).rev() {
            let below: f64 = self.column(j).map(|(i, entry)| entry * x[i]).sum();
            x[j] = (x[j] - below) * self.pivots[j];
        }
    }
}

/// The factor while it grows.
struct Columns<'a> {
    laplacian: &'a Laplacian,
    /// Whether small values too are added to the diagonal when they are dropped.
    compensate: bool,
    made: Factor,
    /// What is left of each diagonal entry.
    rest: Vec<f64>,
    /// For each row the first of the columns whose next entry is in it …
    first: Vec<u32>,
    /// … and for each column the one after it in that list, and where its next entry is.
    after: Vec<u32>,
    next: Vec<usize>,
    window: Window,
    kept: Vec<(u16, f64)>,
}

/// Ends a list of columns.
const END: u32 = u32::MAX;

impl<'a> Columns<'a> {
    fn new(laplacian: &'a Laplacian, compensate: bool) -> Self {
        let count = laplacian.diagonal.len();
        let (starts, pivots) = (vec![0], Vec::with_capacity(count));
        let made = Factor { starts, steps: Vec::new(), entries: Vec::new(), pivots };
        let rest = laplacian.diagonal.clone();
        let (first, after, next) = (vec![END; count], vec![END; count], vec![0; count]);
        let reach = laplacian.steps.iter().flatten().copied().max().unwrap_or(0);
        Self { laplacian, compensate, made, rest, first, after, next, window: Window::new(reach), kept: Vec::new() }
    }

    /// `None` when a pivot is not positive.
    fn factor(mut self, share: Share<'_>) -> Result<Option<Factor>> {
        let count = self.rest.len();
        for j in 0..count {
            if j % 1024 == 0 {
                share.tell(j / 1024, count / 1024 + 1)?;
            }
            if self.rest[j] <= LEAST_PIVOT {
                return Ok(None);
            }
            self.gather(j);
            self.keep(j);
        }
        Ok(Some(self.made))
    }

    /// Puts column `j` of the Laplacian, less what earlier columns account for,
    /// into the window.
    fn gather(&mut self, j: usize) {
        for (step, link) in self.laplacian.steps[j].iter().zip(&self.laplacian.links[j]) {
            if *link != 0.0 {
                self.window.set(j + usize::from(*step), *link);
            }
        }
        let mut column = self.first[j];
        while column != END {
            let k = column as usize;
            column = self.after[k];
            self.subtract(k);
        }
    }

    /// Takes column `k`, whose next entry is in the row at hand, off the window.
    fn subtract(&mut self, k: usize) {
        let (at, end) = (self.next[k], self.made.starts[k + 1]);
        let factor = f64::from(self.made.entries[at]);
        let Factor { steps, entries, .. } = &self.made;
        self.window.add(k, &steps[at + 1..end], &entries[at + 1..end], -factor);
        self.next[k] = at + 1;
        self.list(k, end);
    }

    /// Puts column `k` into the list of the row of its next entry.
    fn list(&mut self, k: usize, end: usize) {
        if self.next[k] < end {
            let row = k + usize::from(self.made.steps[self.next[k]]);
            self.after[k] = self.first[row];
            self.first[row] = k as u32;
        }
    }

    /// Moves column `j` out of the window into the factor.
    fn keep(&mut self, j: usize) {
        self.sift(j);
        let pivot = 1.0 / self.rest[j].sqrt();
        let start = self.made.entries.len();
        for (step, value) in &self.kept {
            let entry = value * pivot;
            self.rest[j + usize::from(*step)] -= entry * entry;
            self.made.steps.push(*step);
            self.made.entries.push(entry as f32);
        }
        self.made.pivots.push(pivot);
        self.made.starts.push(self.made.entries.len());
        self.next[j] = start;
        self.list(j, self.made.entries.len());
    }

    /// Keeps the largest values of column `j` and accounts for the others.
    fn sift(&mut self, j: usize) {
        let Self { window, rest, kept, compensate, .. } = self;
        kept.clear();
        let (diagonal, least) = (rest[j], SMALLEST * rest[j].sqrt());
        let mut added = 0.0;
        window.drain(j, |i, value| match value.abs() > least {
            true => kept.push(((i - j) as u16, value)),
            false if *compensate => added += compensation(diagonal, &mut rest[i], value),
            false => rest[i] -= value * value / diagonal,
        });
        if kept.len() > MOST {
            kept.select_nth_unstable_by(MOST, |a, b| b.1.abs().total_cmp(&a.1.abs()));
            for (step, value) in kept.drain(MOST..) {
                added += compensation(diagonal, &mut rest[j + usize::from(step)], value);
            }
            kept.sort_unstable_by_key(|(step, _)| *step);
        }
        rest[j] += added;
    }
}

/// Adds the size of a dropped value to the diagonal in its row, and gives what
/// belongs to that in its column.
fn compensation(in_column: f64, in_row: &mut f64, dropped: f64) -> f64 {
    let ratio = (in_column / in_row.max(LEAST_PIVOT)).sqrt();
    *in_row += dropped.abs() / ratio;
    dropped.abs() * ratio
}

/// The rows below the diagonal that one column can reach, as a ring, with room
/// for the rest of the block in which they start.
struct Window {
    values: Vec<f64>,
    /// Which blocks of values anything was added to.
    touched: Vec<bool>,
    /// The last row that anything was added to.
    last: usize,
}

const BLOCK: usize = 32;

impl Window {
    fn new(reach: u16) -> Self {
        let length = (usize::from(reach) + 1 + BLOCK).next_power_of_two();
        Self { values: vec![0.0; length], touched: vec![false; length / BLOCK], last: 0 }
    }

    /// Adds `factor` times the entries to the rows `steps` below `column`, the
    /// last of which is the lowest.
    fn add(&mut self, column: usize, steps: &[u16], entries: &[f32], factor: f64) {
        let mask = self.values.len() - 1;
        for (step, entry) in steps.iter().zip(entries) {
            let at = (column + usize::from(*step)) & mask;
            self.values[at] += factor * f64::from(*entry);
            self.touched[at / BLOCK] = true;
        }
        self.reach(column + steps.last().copied().map_or(0, usize::from));
    }

    fn set(&mut self, row: usize, value: f64) {
        let at = row & (self.values.len() - 1);
        self.values[at] = value;
        self.touched[at / BLOCK] = true;
        self.reach(row);
    }

    fn reach(&mut self, row: usize) {
        self.last = self.last.max(row);
    }

    /// Hands out what was added below row `j`, from the top, and forgets it.
    fn drain(&mut self, j: usize, mut take: impl FnMut(usize, f64)) {
        let mask = self.values.len() - 1;
        let mut start = j + 1;
        while start <= self.last {
            let end = (start / BLOCK + 1) * BLOCK;
            let block = start & mask;
            if self.touched[block / BLOCK] {
                self.touched[block / BLOCK] = false;
                for (row, value) in (start..end).zip(&mut self.values[block..]) {
                    if *value != 0.0 {
                        take(row, std::mem::take(value));
                    }
                }
            }
            start = end;
        }
    }
}
