//! A part of the stage's progress.

use crate::error::Result;
use crate::exec::control::{Control, Stage};

/// From where to where in the stage some work takes it.
#[derive(Clone, Copy)]
pub(super) struct Share<'a> {
    control: &'a Control<'a>,
    stage: Stage,
    from: f32,
    to: f32,
}

/// Callers are told this often, so that a callback costs nothing.
const STEPS: usize = 20;

impl<'a> Share<'a> {
    pub(super) fn new(control: &'a Control<'a>, stage: Stage, (from, to): (f32, f32)) -> Self {
        Self { control, stage, from, to }
    }

    /// The part of this share between two fractions of it.
    pub(super) fn part(self, from: f32, to: f32) -> Self {
        let at = |fraction: f32| self.from + (self.to - self.from) * fraction;
        Self { from: at(from), to: at(to), ..self }
    }

    /// Says that `done` of `all` steps are done, where that is news.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::Code::Cancelled).
    pub(super) fn tell(self, done: usize, all: usize) -> Result<()> {
        let step = |done: usize| done * STEPS / all;
        if done == 0 || step(done) == step(done - 1) {
            return self.control.check();
        }
        let part = step(done) as f32 / STEPS as f32;
        self.control.report(self.stage, self.from + (self.to - self.from) * part)
    }
}
