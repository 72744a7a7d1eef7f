//! One inference at a time, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::control::Control;
use crate::error::Result;

/// How long a waiting or watching thread sleeps before it looks for a
/// cancellation again.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// Lets one inference in at a time. Two at once would fight for the same
/// cores, finish no sooner, and take twice the memory.
#[derive(Debug, Default)]
pub(super) struct Gate {
    queue: Mutex<Queue>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    busy: bool,
    next: u64,
    waiting: VecDeque<u64>,
}

/// The right to infer, until it is dropped, on whichever thread.
#[derive(Debug)]
pub(super) struct Turn(Arc<Gate>);

impl Gate {
    /// Waits for this caller's turn.
    ///
    /// # Errors
    /// `Cancelled`, within [`POLL`] of the request.
    pub(super) fn enter(self: &Arc<Self>, control: &Control<'_>) -> Result<Turn> {
        control.check()?;
        let mut queue = self.lock();
        let ticket = queue.take_ticket();
        while queue.busy || queue.waiting.front() != Some(&ticket) {
            if let Err(cancelled) = control.check() {
                queue.waiting.retain(|waiting| *waiting != ticket);
                // The one behind may now be the first.
                self.freed.notify_all();
                return Err(cancelled);
            }
            queue = self.wait(queue, control);
        }
        queue.waiting.pop_front();
        queue.busy = true;
        Ok(Turn(Arc::clone(self)))
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, control: &Control<'_>) -> MutexGuard<'a, Queue> {
        if control.cancel.is_none() {
            return self.freed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        self.freed.wait_timeout(queue, POLL).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The queue is whole between any two statements, so a panic elsewhere
    /// that poisoned the lock broke nothing.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn take_ticket(&mut self) -> u64 {
        let ticket = self.next;
        self.next = self.next.wrapping_add(1);
        self.waiting.push_back(ticket);
        ticket
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().busy = false;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::control::CancelToken;
    use crate::error::Code;

    #[test]
    fn one_at_a_time_and_in_the_order_of_arrival() {
        let gate = Arc::new(Gate::default());
        let (inside, order) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let first = gate.enter(&Control::default()).expect("the gate is free");
        thread::scope(|scope| {
            for number in 0..8 {
                let (gate, inside, order) = (&gate, &inside, &order);
                scope.spawn(move || {
                    let _turn = gate.enter(&Control::default()).expect("nobody cancels");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "another one is inside");
                    order.lock().expect("nobody panics").push(number);
                    thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
                while gate.lock().waiting.len() <= number {
                    thread::yield_now();
                }
            }
            drop(first);
        });
        assert_eq!(order.into_inner().expect("nobody panics"), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn who_waits_notices_a_cancellation_and_lets_the_next_one_pass() {
        let gate = Arc::new(Gate::default());
        let token = CancelToken::new();
        let first = gate.enter(&Control::default()).expect("the gate is free");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let control = Control { cancel: Some(&token), ..Control::default() };
                gate.enter(&control).map(drop).expect_err("it is cancelled").code()
            });
            let behind = scope.spawn(|| {
                while gate.lock().waiting.is_empty() {
                    thread::yield_now();
                }
                gate.enter(&Control::default()).map(drop)
            });
            while gate.lock().waiting.len() < 2 {
                thread::yield_now();
            }
            let start = Instant::now();
            token.cancel();
            assert_eq!(waiting.join().expect("no panic"), Code::Cancelled);
            assert!(start.elapsed() < Duration::from_millis(500), "it took {:?}", start.elapsed());
            drop(first);
            behind.join().expect("no panic").expect("nobody cancels this one");
        });
    }

    #[test]
    fn a_panic_inside_leaves_the_gate_open() {
        let gate = Arc::new(Gate::default());
        let inside = Arc::clone(&gate);
        let panicked = thread::spawn(move || {
            let _turn = inside.enter(&Control::default());
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(gate.enter(&Control::default()).is_ok());
    }
}
