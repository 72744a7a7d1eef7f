//! The memory of uploads that come in or wait, and of answers that go out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Refusal;

/// The memory that all of them take together.
pub(crate) struct Transfers {
    most: u64,
    taken: AtomicU64,
}

impl Transfers {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, taken: AtomicU64::new(0) })
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// For an upload, which grows as it comes in.
    pub(crate) fn upload(self: &Arc<Self>) -> Charge {
        Charge { transfers: Arc::clone(self), bytes: 0 }
    }

    /// For an answer, which is there already: it may go beyond the bound, but the next one may not.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where there is no more memory.
    pub(crate) fn answer(self: &Arc<Self>, bytes: u64) -> Result<Charge, Refusal> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let charge = Charge { transfers: Arc::clone(self), bytes };
        if before < self.most { Ok(charge) } else { Err(Refusal::Busy) }
    }
}

/// What one transfer takes, given back when dropped.
pub(crate) struct Charge {
    transfers: Arc<Transfers>,
    bytes: u64,
}

impl Charge {
    /// # Errors
    /// [`Refusal::Busy`] where there is no more memory.
    pub(crate) fn set(&mut self, bytes: u64) -> Result<(), Refusal> {
        let Transfers { most, taken } = &*self.transfers;
        if bytes > self.bytes {
            let more = bytes - self.bytes;
            let taken = taken.fetch_add(more, Ordering::Relaxed) + more;
            self.bytes = bytes;
            return if taken > *most { Err(Refusal::Busy) } else { Ok(()) };
        }
        taken.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.transfers.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
