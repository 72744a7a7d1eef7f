//! SIGINT, SIGTERM and SIGHUP: the first asks the work to stop, the second ends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use remrembg::CancelToken;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

#[cfg(unix)]
const HEARD: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const HEARD: [i32; 2] = [SIGINT, SIGTERM];
/// How soon the token hears of a signal.
const LOOK: Duration = Duration::from_millis(10);

/// Listens until it is dropped.
pub(crate) struct Stop {
    token: CancelToken,
    heard: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl Stop {
    /// Listens where the platform lets it; where it does not, a signal ends the
    /// process at once.
    pub(crate) fn listen() -> Self {
        let (token, heard, over) = (CancelToken::new(), Arc::default(), Arc::default());
        let before = Arc::default();
        let heard_of = HEARD.into_iter().filter(|&signal| !is_ignored(signal));
        let handlers = heard_of.flat_map(|signal| handle(signal, &heard, &before).unwrap_or_default());
        let handlers = handlers.chain(pass_over_large_files()).collect();
        forward(token.clone(), Arc::clone(&heard), Arc::clone(&over));
        Self { token, heard, over, handlers }
    }

    pub(crate) fn token(&self) -> &CancelToken {
        &self.token
    }

    /// The exit status that a shell gives to a process ended by that signal.
    pub(crate) fn status(&self) -> Option<u8> {
        let signal = self.heard.load(Ordering::Acquire);
        u8::try_from(signal).ok().filter(|&signal| signal > 0).map(|signal| 128 + signal)
    }

    /// Sleeps, but not past a stop; gives whether there was one.
    pub(crate) fn sleep(&self, pause: Duration) -> bool {
        let mut left = pause;
        while !left.is_zero() && !self.token.is_cancelled() {
            thread::sleep(left.min(LOOK));
            left = left.saturating_sub(LOOK);
        }
        self.token.is_cancelled()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.handlers.drain(..).for_each(|id| {
            low_level::unregister(id);
        });
    }
}

/// Whether whoever started the program had it ignore a signal, as a shell does for a script's `… &`: it is meant for others.
/// Known on Linux.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored >> (signal - 1) & 1 == 1)
}

/// `before` is set by the first signal of any kind.
fn handle(signal: i32, heard: &Arc<AtomicUsize>, before: &Arc<AtomicBool>) -> io::Result<Vec<SigId>> {
    let number = usize::try_from(signal).unwrap_or_default();
    // Handlers run in this order: the first signal finds `before` unset.
    let second = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(before))?;
    let first = flag::register(signal, Arc::clone(before))?;
    Ok(vec![second, first, flag::register_usize(signal, Arc::clone(heard), number)?])
}

/// A file that is larger than the process may write is then an error of that file, and does not end the process.
#[cfg(unix)]
fn pass_over_large_files() -> Option<SigId> {
    flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).ok()
}

#[cfg(not(unix))]
fn pass_over_large_files() -> Option<SigId> {
    None
}

/// A handler may do little more than set a flag, so a thread looks at it.
fn forward(token: CancelToken, heard: Arc<AtomicUsize>, over: Arc<AtomicBool>) {
    thread::spawn(move || {
        while !over.load(Ordering::Acquire) {
            if heard.load(Ordering::Acquire) > 0 {
                return token.cancel();
            }
            thread::sleep(LOOK);
        }
    });
}
