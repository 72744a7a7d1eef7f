//! Counts the bytes that a thread holds, for tests of what a file may cost.

use std::cell::Cell;

use crate::allocator::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting { took, gave_back, resized };

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn took(bytes: usize) {
    // A thread that ends frees after its counters are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get().wrapping_add(bytes));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

fn gave_back(bytes: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().wrapping_sub(bytes)));
}

/// A buffer that grows may exist twice for a moment; one that shrinks stays.
fn resized(from: usize, to: usize) {
    if to > from {
        took(to);
        gave_back(from);
    } else {
        gave_back(from - to);
    }
}

/// Runs `work` on this thread and says how many bytes it held at most.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    // Bytes from before that `work` gave back make the count fall below.
    (result, PEAK.get().saturating_sub(before))
}
