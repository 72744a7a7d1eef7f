//! The work: so many removals at once, so many that wait, and no more.

use std::sync::Arc;

use remrembg::{CancelToken, Code, Output, Remover};
use tokio::sync::Semaphore;
use tokio::task;

use crate::error::Refusal;
use crate::form::Form;

pub(crate) struct Jobs {
    remover: Arc<Remover>,
    /// A permit for each removal that runs or waits.
    room: Arc<Semaphore>,
    most: usize,
    /// A permit for each that has a thread. The others wait without one.
    threads: Semaphore,
}

impl Jobs {
    pub(crate) fn new(remover: Arc<Remover>, queue: usize) -> Self {
        let places = remover.in_flight();
        let most = places + queue;
        Self { remover, room: Arc::new(Semaphore::new(most)), most, threads: Semaphore::new(places) }
    }

    pub(crate) fn remover(&self) -> &Remover {
        &self.remover
    }

    /// Whether a removal that comes now is sent away.
    pub(crate) fn is_full(&self) -> bool {
        self.room.available_permits() == 0
    }

    /// Removals that run, and that wait.
    pub(crate) fn load(&self) -> (usize, usize) {
        let load = self.remover.load();
        let accepted = self.most.saturating_sub(self.room.available_permits());
        let threads = self.remover.in_flight().saturating_sub(self.threads.available_permits());
        (load.running, accepted.saturating_sub(threads) + load.waiting)
    }

    /// Removes on a thread of its own; stops soon after the caller stopped waiting.
    ///
    /// # Errors
    /// [`Refusal::Busy`] beyond the queue, and what core says.
    pub(crate) async fn run(&self, form: Form) -> Result<Output, Refusal> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let _thread =
            self.threads.acquire().await.map_err(|error| Refusal::Fault(Code::Internal, error.to_string()))?;
        let remover = Arc::clone(&self.remover);
        let token = CancelToken::new();
        let _left = CancelWhenDropped(token.clone());
        let work = task::spawn_blocking(move || {
            let _room = room;
            let job = remover.job(form.picture()).pairs(form.pairs.iter().map(|(key, value)| (*key, value)));
            let job = form.mask().into_iter().fold(job, remrembg::Job::mask_from);
            let job = if form.more_formats { job.more_formats() } else { job };
            job.cancel(&token).run()
        });
        match work.await {
            Ok(done) => Ok(done?),
            Err(error) => Err(Refusal::Fault(Code::Internal, format!("a removal ended before its time: {error}"))),
        }
    }
}

/// A client that goes away drops the future of its request, and with it this.
struct CancelWhenDropped(CancelToken);

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
