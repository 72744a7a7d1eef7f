//! Rows of a result, worked on by several threads.

use std::iter::Enumerate;
use std::slice::ChunksMut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::{Control, Stage};
use crate::image::pixels::Pixels;

/// Bytes of work that are worth a thread of their own.
const WORTH_A_THREAD: usize = 1 << 20;
/// Rows between two looks at the cancel token.
const LOOK_EVERY: usize = 16;

/// Calls `work` with each row of `out` and its number, in any order, on the threads of a pool.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn for_each_row(
    out: &mut Pixels,
    stage: Stage,
    pool: &Pool,
    control: &Control<'_>,
    work: impl Fn(usize, &mut [u8]) + Sync,
) -> Result<()> {
    let (height, bytes) = (out.height() as f32, out.data().len());
    let row = out.width() as usize * out.layout().bytes();
    let queue = Queue { rows: Mutex::new(out.data_mut().chunks_mut(row).enumerate()), stop: AtomicBool::new(false) };
    let help = || while queue.take().map(|(y, row)| work(y, row)).is_some() {};
    pool.help(bytes / WORTH_A_THREAD, &help, || {
        for taken in 0.. {
            let Some((y, row)) = queue.take() else { break };
            if taken % LOOK_EVERY == 0 {
                control.report(stage, y as f32 / height).inspect_err(|_| queue.stop.store(true, Ordering::Relaxed))?;
            }
            work(y, row);
        }
        Ok(())
    })
}

struct Queue<'a> {
    rows: Mutex<Enumerate<ChunksMut<'a, u8>>>,
    stop: AtomicBool,
}

impl<'a> Queue<'a> {
    fn take(&self) -> Option<(usize, &'a mut [u8])> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}
