//! What a caller is told of its limits, and whose requests are counted together.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Addresses share so many places, by a hash that nobody outside can tell: however many there are, the
/// table stays as small. Two that share a place share its limit.
pub(crate) const PLACES: u64 = 1 << 18;

/// Every answer of a route with limits has the first three.
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Requests that are allowed in all.
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Seconds until all of them are allowed again, or, where none remains, until the next one is.
    pub(crate) reset: u64,
}

impl Left {
    /// Of so many requests a minute, when so many more may come at once.
    pub(crate) fn within(most: u32, remaining: u64) -> Self {
        let limit = u64::from(most);
        Self { limit, remaining, reset: (limit.saturating_sub(remaining) * 60).div_ceil(limit.max(1)) }
    }

    /// Of so many requests a minute, when the next may come in so many milliseconds.
    pub(crate) fn wait(most: u32, millis: u64) -> Self {
        Self { limit: most.into(), remaining: 0, reset: millis.div_ceil(1000).max(1) }
    }

    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, self.reset.into());
    }

    /// For a refusal: with the seconds after which to come again.
    pub(crate) fn refuse(&self, headers: &mut HeaderMap) {
        self.tell(headers);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(self.reset));
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    User(i64),
    Address(IpAddr),
}

/// The place of an address with this hash.
pub(crate) const fn place(hash: u64) -> u64 {
    hash % PLACES
}
