//! The log: a JSON object a line on standard error.

use tracing::level_filters::LevelFilter;

/// Writes what happens to standard error, unless this process keeps a log of its own already.
/// Neither pictures nor keys are in it.
pub fn log_to_stderr(most: LevelFilter) {
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(most).with_writer(std::io::stderr);
    // A line that cannot be written is lost: told on standard error, it would be a panic.
    let log = log.log_internal_errors(false);
    // The log that is there already is as good.
    let _ = log.try_init();
}
