//! A bounded number of places: who finds none waits, and hears a cancellation.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::control::Control;
use crate::error::Result;

/// How often a waiting caller looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    /// Whether this thread holds a place already: a callback that calls back in
    /// must not wait for the place that its own caller holds.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

pub(crate) struct Gate {
    places: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

impl Gate {
    pub(crate) fn new(places: usize) -> Self {
        let places = places.max(1);
        Self { places, free: Mutex::new(places), freed: Condvar::new() }
    }

    /// How many places there are, free or taken: at least 1.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// Waits for a place.
    pub(crate) fn enter(&self, control: &Control) -> Result<Place<'_>> {
        if INSIDE.get() {
            return Ok(Place { gate: None });
        }
        while !self.took_one() {
            // Without the lock: what the caller does here may wait for others that leave.
            control.check()?;
        }
        INSIDE.set(true);
        Ok(Place { gate: Some(self) })
    }

    /// Takes a place, or waits a moment for the next to be given back.
    fn took_one(&self) -> bool {
        let mut free = self.lock();
        if *free == 0 {
            free = self.freed.wait_timeout(free, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        let taken = *free > 0;
        *free -= usize::from(taken);
        taken
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, given back when dropped.
pub(crate) struct Place<'a> {
    gate: Option<&'a Gate>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate {
            INSIDE.set(false);
            *gate.lock() += 1;
            gate.freed.notify_one();
        }
    }
}
