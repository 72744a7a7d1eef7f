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

/// Calls `work` with each row of `out` and its number, in any order, here and on threads of a pool that have time.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::error::Code;
    use crate::exec::control::CancelToken;
    use crate::image::pixels::Layout;

    #[test]
    fn a_stop_ends_the_work_of_helpers_too() {
        let (mut out, done) = (Pixels::filled(1024, 1024, Layout::Rgba8, 0), AtomicUsize::new(0));
        let token = CancelToken::new();
        let control = Control { cancel: Some(&token), ..Control::default() };
        let work = |_, _: &mut [u8]| {
            token.cancel();
            done.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        };
        let error = for_each_row(&mut out, Stage::Rotate, &Pool::of(2), &control, work).expect_err("it was stopped");
        assert_eq!(error.code(), Code::Cancelled);
        // Where only this thread heard of it, the helper would do nearly all rows.
        assert!(done.into_inner() < 512);
    }
}
