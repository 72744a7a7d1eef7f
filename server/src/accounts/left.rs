//! What is left of credits, and of the pictures of a day.

use super::calendar::month_around;
use super::{DAY, LEASE};
use crate::limits::Left;

/// Of the pictures of a day, when there were all.
pub(super) fn of_day(most: u32, now: i64) -> Left {
    Left { limit: most.into(), remaining: 0, reset: (DAY - now.rem_euclid(DAY)) as u64 }
}

/// Of a user's credits, when all that are left are held or none is. `end` is that of the billing period.
pub(super) fn of_credits(included: i64, left: i64, end: Option<i64>, now: i64) -> Left {
    let end = end.map_or_else(|| month_around(now).end, |end| end.max(now));
    // What is held may come back soon.
    let reset = if left > 0 { LEASE } else { end + 1 - now };
    Left { limit: included as u64, remaining: 0, reset: reset as u64 }
}
