//! One thread for one model: one inference at a time, first come, first served.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::exec::control::Control;
use crate::exec::guard::caught;
use crate::exec::threads::Thread;

/// How often a waiting caller looks for a cancellation.
const POLL: Duration = Duration::from_millis(10);

/// Infers for every caller, in the order in which they come. Dropping it waits for work that a
/// cancellation left behind: an engine that is taken down while it runs may crash the process.
///
/// Two inferences at once would fight for the same cores, finish no sooner and
/// take twice the memory. And they stay on one thread because an allocator may
/// keep what each thread freed for that thread: without an arena of its own,
/// ONNX Runtime called from eight threads in turn grew from 303 to 1700 MB.
pub(super) struct Worker {
    name: &'static str,
    thread: Thread,
}

impl Worker {
    /// Starts the thread, idle. `name` is the engine's, for errors.
    ///
    /// # Errors
    /// [`Code::EngineFailed`] when the system gives no thread.
    pub(super) fn start(name: &'static str) -> Result<Self> {
        let thread = Thread::start("remrembg-infer").map_err(|error| super::failed(name, &error).because(error))?;
        Ok(Self { name, thread })
    }

    /// Waits for its turn and for the work. Who cancels gets the answer within
    /// [`POLL`]: work that has not begun never will, and work that has is asked
    /// through `stop` to end. The next turn comes only when it did.
    ///
    /// # Errors
    /// [`Code::Cancelled`], [`Code::EngineFailed`] for a panic, and the work's own.
    pub(super) fn run<T: Send + 'static>(
        &self,
        control: &Control<'_>,
        work: impl FnOnce() -> Result<T> + Send + 'static,
        stop: impl FnOnce(),
    ) -> Result<T> {
        control.check()?;
        // A callback may have forked since the removal began.
        if self.thread.is_left_behind() {
            return Err(super::left_behind());
        }
        let work = Arc::new(Mutex::new(Some(work)));
        let (answer, answered) = mpsc::sync_channel(1);
        let job = {
            let (work, name) = (Arc::clone(&work), self.name);
            move || {
                if let Some(work) = take(&work) {
                    // Nobody listens any more after a cancellation.
                    let _ = answer.send(caught(work).unwrap_or_else(|panic| Err(super::failed(name, panic))));
                }
            }
        };
        let sent = self.thread.send(Box::new(job));
        let answer = if sent { wait(&answered, control) } else { Err(RecvTimeoutError::Disconnected) };
        match answer {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(super::failed(self.name, "its thread has ended")),
            Err(RecvTimeoutError::Timeout) => {
                if take(&work).is_none() {
                    stop();
                }
                Err(Error::new(Code::Cancelled))
            }
        }
    }
}

/// Waits for an answer, or for a cancellation, which is a timeout.
fn wait<T>(answered: &Receiver<T>, control: &Control<'_>) -> std::result::Result<T, RecvTimeoutError> {
    if control.runs_to_its_end() {
        return answered.recv().map_err(|_| RecvTimeoutError::Disconnected);
    }
    loop {
        match answered.recv_timeout(POLL) {
            Err(RecvTimeoutError::Timeout) if !control.is_stopped() => {}
            answer => return answer,
        }
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::exec::control::CancelToken;

    /// Work that tells when it begins and goes on until it is let go.
    fn held(begun: &Arc<AtomicBool>, go: Receiver<()>) -> impl FnOnce() -> Result<()> + Send + 'static {
        let begun = Arc::clone(begun);
        move || {
            begun.store(true, Ordering::SeqCst);
            let _ = go.recv();
            Ok(())
        }
    }

    /// Never stops, and counts: at the second look the work is in the queue.
    fn looking(looks: &AtomicUsize) -> impl Fn() -> bool + '_ {
        move || {
            looks.fetch_add(1, Ordering::SeqCst);
            false
        }
    }

    fn until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn work_is_done_in_the_order_of_arrival_on_one_thread() {
        let worker = Worker::start("a test").expect("a thread");
        let (begun, (go, held_back)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
        let (order, looks) = (Arc::new(Mutex::new(Vec::new())), <[AtomicUsize; 8]>::default());
        thread::scope(|scope| {
            scope.spawn(|| worker.run(&Control::default(), held(&begun, held_back), || ()));
            until(|| begun.load(Ordering::SeqCst));
            for (number, looks) in looks.iter().enumerate() {
                let (worker, order) = (&worker, Arc::clone(&order));
                scope.spawn(move || {
                    let note = move || {
                        order.lock().expect("nobody panics").push((number, thread::current().id()));
                        Ok(())
                    };
                    let stop = looking(looks);
                    worker.run(&Control { stop: Some(&stop), ..Control::default() }, note, || ())
                });
                until(|| looks.load(Ordering::SeqCst) >= 2);
            }
            go.send(()).expect("it waits");
        });
        let order = order.lock().expect("nobody panics");
        assert_eq!(order.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
        assert!(order.iter().all(|(_, thread)| *thread == order[0].1));
    }

    #[test]
    fn a_cancellation_is_answered_at_once_whether_work_waits_or_runs() {
        let worker = Worker::start("a test").expect("a thread");
        let (begun, (go, held_back)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
        let (token, stopped, waits) = (CancelToken::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let control = || Control { cancel: Some(&token), ..Control::default() };
        let never = Arc::new(AtomicBool::new(false));
        let count = &|| {
            stopped.fetch_add(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            let running = scope.spawn(|| worker.run(&control(), held(&begun, held_back), count));
            until(|| begun.load(Ordering::SeqCst));
            let waiting = scope.spawn(|| {
                let stop = looking(&waits);
                let control = Control { stop: Some(&stop), ..control() };
                worker.run(&control, held(&never, mpsc::channel().1), count)
            });
            until(|| waits.load(Ordering::SeqCst) >= 2);
            token.cancel();
            // What runs cannot end before it is let go below.
            for caller in [running, waiting] {
                let error = caller.join().expect("no panic").expect_err("it is cancelled");
                assert_eq!(error.code(), Code::Cancelled);
            }
            go.send(()).expect("it still runs");
        });
        worker.run(&Control::default(), || Ok(()), || ()).expect("the next one works");
        assert_eq!(stopped.load(Ordering::SeqCst), 1, "only what runs is asked to stop");
        assert!(!never.load(Ordering::SeqCst), "what was cancelled while it waited never runs");
    }

    #[test]
    fn a_panic_is_an_error_and_the_next_one_works() {
        let worker = Worker::start("a test").expect("a thread");
        let error = worker.run::<()>(&Control::default(), || panic!("on purpose"), || ()).expect_err("it panics");
        assert_eq!((error.code(), error.message()), (Code::EngineFailed, "a test failed: on purpose"));
        assert_eq!(worker.run(&Control::default(), || Ok(7), || ()).expect("it works"), 7);
    }
}
