//! The hosted API on a machine of one's own: `POST /rmbg` and what belongs to it.
//!
//! [`router`] is the whole service as a function from requests to answers, which tests call.
//! [`run`] puts it behind a socket, with limits on connections and time, until it is told to stop.
//!
//! A request passes through these, one after the other:
//!
//! ```text
//! connection → request id → panic guard → CORS → caller → route: limits → form → queue → core → answer
//! ```

#![forbid(unsafe_code)]

pub mod accounts;
mod answer;
mod caller;
mod disposition;
mod error;
mod form;
mod jobs;
mod limits;
mod linger;
mod listen;
mod log;
mod metrics;
mod openapi;
mod rates;
#[cfg(test)]
#[path = "../tests/support/redis.rs"]
mod redis_server;
mod routes;
mod sending;
pub mod settings;
mod transfers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use remrembg::Remover;

pub use caller::Keys;
pub use listen::{Listening, run};
pub use log::log_to_stderr;
pub use routes::router;
pub use settings::Settings;

use accounts::{Accounts, Trouble};
use jobs::Jobs;
use metrics::Metrics;
use rates::Rates;
use transfers::Transfers;

/// What all requests share.
pub struct App {
    settings: Settings,
    jobs: Jobs,
    transfers: Arc<Transfers>,
    metrics: Metrics,
    accounts: Option<Accounts>,
    rates: Option<Rates>,
    stopping: AtomicBool,
}

impl App {
    /// A service around one remover.
    ///
    /// # Errors
    /// [`Trouble::Failed`] for accounts that cannot be opened.
    pub fn new(remover: Arc<Remover>, settings: Settings) -> Result<Arc<Self>, Trouble> {
        let accounts = settings.accounts().as_ref().map(Accounts::open).transpose()?;
        let jobs = Jobs::new(remover, settings.queue);
        let transfers = Transfers::new(settings.transfer_memory);
        let rates = Rates::new(settings.rate);
        let (metrics, stopping) = (Metrics::new(), AtomicBool::new(false));
        Ok(Arc::new(Self { settings, jobs, transfers, metrics, accounts, rates, stopping }))
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
