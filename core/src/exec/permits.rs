//! Permits: a bounded number of removals at once, and a bounded number of bytes
//! that they take together. Who finds no room waits in line, and hears a cancellation.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{process, ptr};

use crate::error::{Result, left_behind};
use crate::exec::control::Control;

/// How often a waiting caller looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    /// Whose permits this thread holds, by their addresses: a callback that calls back in
    /// must not wait for the permit that its own caller holds. One that calls another remover waits as anyone does.
    /// Nothing of it is dropped with the thread, so that what runs at its very end may remove too: an empty one takes no memory.
    static INSIDE: RefCell<ManuallyDrop<Vec<usize>>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

pub(crate) struct Permits {
    places: usize,
    budget: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// Whose threads these are. The child of a fork may find them locked for ever by a thread that it does not have.
    process: u32,
}

/// Who holds what, and who waits.
#[derive(Default)]
struct State {
    running: usize,
    bytes: u64,
    next: u64,
    /// First come, first served: a large job is not overtaken for ever by small ones.
    line: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    /// Its thread is busy with what the caller does to tell of a stop. That may call back in
    /// and wait here itself, so those behind may go ahead.
    is_away: bool,
}

/// What a remover is busy with at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Removals that hold a place.
    pub running: usize,
    /// Removals that wait for one.
    pub waiting: usize,
    /// Bytes that the running ones are charged together.
    pub bytes: u64,
}

impl Permits {
    /// For so many removals at once, at least one, which together take no more than `budget` bytes.
    pub(crate) fn new(places: usize, budget: u64) -> Self {
        Self { places: places.max(1), budget, state: Mutex::default(), changed: Condvar::new(), process: process::id() }
    }

    /// How many places there are, free or taken: at least 1.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    pub(crate) fn load(&self) -> Load {
        let state = self.lock();
        Load { running: state.running, waiting: state.line.len(), bytes: state.bytes }
    }

    /// Waits for a place and for `bytes` of the budget, which has that many in all.
    pub(crate) fn enter(&self, bytes: u64, control: &Control) -> Result<Permit<'_>> {
        if INSIDE.with_borrow(|held| held.contains(&self.address())) {
            return Ok(Permit { held: None });
        }
        let turn = self.wait_in_line();
        while !self.took(turn.number, bytes) {
            // Without the lock: what the caller does here may wait for others that leave.
            let calls_back = control.stop.is_some();
            turn.is_away(calls_back);
            control.check()?;
            if self.is_left_behind() {
                return Err(left_behind());
            }
            turn.is_away(false);
        }
        INSIDE.with_borrow_mut(|held| held.push(self.address()));
        Ok(Permit { held: Some((self, bytes)) })
    }

    fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// No other has it for as long as a permit of these is held.
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn wait_in_line(&self) -> Turn<'_> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.line.push_back(Waiting { number, is_away: false });
        Turn { permits: self, number }
    }

    /// Takes what there is for the first in line, or waits a moment.
    fn took(&self, number: u64, bytes: u64) -> bool {
        let fits = |state: &State| {
            let is_first = state.line.iter().take_while(|other| other.number != number).all(|other| other.is_away);
            is_first && state.running < self.places && state.bytes.saturating_add(bytes) <= self.budget
        };
        let mut state = self.lock();
        let waited = self.changed.wait_timeout_while(state, LOOK, |state| !fits(state));
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if !fits(&state) {
            return false;
        }
        state.running += 1;
        state.bytes += bytes;
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in the line, which is left when this is dropped.
struct Turn<'a> {
    permits: &'a Permits,
    number: u64,
}

impl Turn<'_> {
    fn is_away(&self, is_away: bool) {
        let mut state = self.permits.lock();
        let own = state.line.iter_mut().find(|waiting| waiting.number == self.number);
        own.into_iter().for_each(|waiting| waiting.is_away = is_away);
        let is_room = state.running < self.permits.places;
        drop(state);
        if is_away && is_room {
            self.permits.changed.notify_all();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.permits.is_left_behind() {
            self.permits.lock().line.retain(|waiting| waiting.number != self.number);
            self.permits.changed.notify_all();
        }
    }
}

/// A place and its bytes, given back when dropped.
pub(crate) struct Permit<'a> {
    held: Option<(&'a Permits, u64)>,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some((permits, bytes)) = self.held {
            INSIDE.with_borrow_mut(|held| {
                held.retain(|&address| address != permits.address());
                if held.is_empty() {
                    **held = Vec::new();
                }
            });
            if permits.is_left_behind() {
                return;
            }
            let mut state = permits.lock();
            state.running -= 1;
            state.bytes -= bytes;
            drop(state);
            permits.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::exec::control::CancelToken;

    /// Waits until so many stand in line.
    fn until_waiting(permits: &Permits, waiting: usize) {
        while permits.load().waiting != waiting {
            thread::yield_now();
        }
    }

    #[test]
    fn bytes_are_waited_for_as_places_are_and_the_first_in_line_comes_first() {
        let permits = Permits::new(9, 100);
        let order = Mutex::new(Vec::new());
        let held = permits.enter(60, &Control::default()).expect("there is room");
        thread::scope(|scope| {
            for (place, bytes) in [(0, 90), (1, 10), (2, 100)] {
                let (permits, order) = (&permits, &order);
                scope.spawn(move || {
                    let _permit = permits.enter(bytes, &Control::default()).expect("nobody stops it");
                    order.lock().expect("no panic").push(bytes);
                });
                until_waiting(permits, place + 1);
            }
            assert_eq!(permits.load(), Load { running: 1, waiting: 3, bytes: 60 });
            drop(held);
        });
        let order = order.into_inner().expect("no panic");
        // The first two fit together, in whatever order they tell of it.
        assert_eq!((order.len(), order[2]), (3, 100), "{order:?}");
        assert_eq!(permits.load(), Load { running: 0, waiting: 0, bytes: 0 });
    }

    #[test]
    fn who_asks_whether_to_stop_may_call_back_in_and_wait_too() {
        let permits = Permits::new(1, 100);
        let held = std::cell::RefCell::new(Some(permits.enter(60, &Control::default()).expect("there is room")));
        // The thread of this test is another than that which holds a place.
        INSIDE.with_borrow_mut(|held| held.clear());
        let stop = || {
            held.take().into_iter().for_each(|held| {
                drop(held);
                drop(permits.enter(60, &Control::default()).expect("it is not behind its own caller"));
            });
            false
        };
        let control = Control { stop: Some(&stop), ..Control::default() };
        drop(permits.enter(60, &control).expect("it comes last"));
        assert_eq!(permits.load(), Load { running: 0, waiting: 0, bytes: 0 });
    }

    #[test]
    fn a_callback_is_let_in_by_its_own_remover_and_waits_for_any_other() {
        let (own, other) = (Permits::new(1, 100), Permits::new(1, 100));
        let _held = own.enter(60, &Control::default()).expect("there is room");
        drop(own.enter(60, &Control::default()).expect("its own caller is not waited for"));
        assert_eq!(own.load(), Load { running: 1, waiting: 0, bytes: 60 }, "it is charged nothing");
        let inside = other.enter(60, &Control::default()).expect("there is room");
        assert_eq!(other.load(), Load { running: 1, waiting: 0, bytes: 60 }, "it is charged as anyone");
        drop(inside);
        let (ready, go_on) = (mpsc::channel(), mpsc::channel::<()>());
        thread::scope(|scope| {
            let other = &other;
            scope.spawn(move || {
                let _held = other.enter(60, &Control::default()).expect("there is room");
                ready.0.send(()).expect("it is waited for");
                go_on.1.recv().expect("it is told");
            });
            ready.1.recv().expect("it is taken");
            let control = Control { stop: Some(&|| true), ..Control::default() };
            let refused = other.enter(1, &control).map(drop).expect_err("it waits, and hears the stop");
            assert_eq!(refused.code(), crate::error::Code::Cancelled);
            go_on.0.send(()).expect("it waits");
        });
    }

    #[test]
    fn the_child_of_a_fork_waits_for_no_thread_of_its_parent() {
        let mut permits = Permits::new(1, 100);
        permits.process = 0;
        let (permits, (done, told)) = (&permits, mpsc::channel());
        thread::scope(|scope| {
            let held = permits.enter(60, &Control::default()).expect("there is room");
            // As a thread has it that the child does not have.
            let locked = permits.lock();
            scope.spawn(move || {
                drop(held);
                done.send(()).expect("it is waited for");
            });
            let told = told.recv_timeout(Duration::from_secs(20));
            drop(locked);
            told.expect("it does not wait");
        });
    }

    #[test]
    fn who_is_cancelled_leaves_the_line_to_those_behind() {
        let permits = Permits::new(1, 100);
        let token = CancelToken::new();
        let held = permits.enter(60, &Control::default()).expect("there is room");
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let control = Control { cancel: Some(&token), ..Control::default() };
                permits.enter(90, &control).map(|_| ()).expect_err("it is cancelled")
            });
            until_waiting(&permits, 1);
            let second = scope.spawn(|| drop(permits.enter(40, &Control::default()).expect("nobody stops it")));
            until_waiting(&permits, 2);
            token.cancel();
            first.join().expect("no panic");
            drop(held);
            second.join().expect("no panic");
        });
        assert_eq!(permits.load(), Load { running: 0, waiting: 0, bytes: 0 });
    }
}
