//! Whether a file changed.

use std::path::Path;
use std::time::SystemTime;

/// What tells one state of a file from another; `None` when it is not there.
pub(crate) type Stamp = Option<(u64, SystemTime)>;

pub(crate) fn stamp(path: &Path) -> Stamp {
    let data = path.metadata().ok()?;
    Some((data.len(), data.modified().ok()?))
}
