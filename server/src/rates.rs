//! How fast a caller may ask, and what it is told of its limits.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

/// Addresses share so many places, by a hash that nobody outside can tell: however many there are, the
/// table stays as small. Two that share a place share its limit.
const PLACES: u64 = 1 << 18;

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

/// The limit on requests in a short time.
pub(crate) struct Rates {
    most: NonZeroU32,
    limiter: RateLimiter<u64, DashMapStateStore<u64>, DefaultClock, StateInformationMiddleware>,
    hash: RandomState,
}

impl Rates {
    /// So many requests a minute, which may also come at once; `None` for no limit.
    pub(crate) fn new(a_minute: u32) -> Option<Self> {
        let most = NonZeroU32::new(a_minute)?;
        let limiter = RateLimiter::dashmap(Quota::per_minute(most)).with_middleware();
        Some(Self { most, limiter, hash: RandomState::new() })
    }

    /// # Errors
    /// When the next request is allowed.
    pub(crate) fn check(&self, who: Who) -> Result<Left, Left> {
        let place = match who {
            Who::User(id) => PLACES + id as u64,
            Who::Address(address) => self.hash.hash_one(address) % PLACES,
        };
        let most = self.most.get();
        match self.limiter.check_key(&place) {
            Ok(room) => {
                let remaining = room.remaining_burst_capacity();
                let reset = (u64::from(most - remaining.min(most)) * 60).div_ceil(most.into());
                Ok(Left { limit: most.into(), remaining: remaining.into(), reset })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                let reset = wait.as_millis().div_ceil(1000).max(1) as u64;
                Err(Left { limit: most.into(), remaining: 0, reset })
            }
        }
    }
}

/// The address of a caller: that of the connection, or what proxies told that are trusted. An owner of IPv6
/// addresses has 2⁶⁴ of them, which count as one.
pub(crate) fn address(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let mut address = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical();
    let values = headers.get_all("x-forwarded-for").iter();
    let told: Vec<&[u8]> = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
    // The last is what the nearest proxy saw; what stands before an untrusted one could be anything.
    for told in told.into_iter().rev() {
        if !proxies.iter().any(|proxy| proxy.contains(&address)) {
            break;
        }
        let Some(next) = std::str::from_utf8(told).ok().and_then(|text| parsed(text.trim())) else { break };
        address = next.to_canonical();
    }
    match address {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

/// An address, or one with the port that some proxies tell too.
fn parsed(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_burst_is_let_in_and_the_next_one_is_told_when_to_come() {
        let rates = Rates::new(3).expect("a limit");
        let who = Who::Address(ip("192.0.2.1"));
        for remaining in [2, 1, 0] {
            let left = rates.check(who).expect("it is let in");
            assert_eq!((left.limit, left.remaining), (3, remaining));
        }
        let refused = rates.check(who).expect_err("it is one too many");
        assert!((1..=20).contains(&refused.reset) && refused.remaining == 0, "{refused:?}");
        assert!(rates.check(Who::User(1)).is_ok(), "a user has a limit of its own");
        assert!(Rates::new(0).is_none());
    }

    #[test]
    fn a_million_addresses_fill_no_more_than_the_places_there_are() {
        let rates = Rates::new(1).expect("a limit");
        for number in 0..1_000_000_u32 {
            let _ = rates.check(Who::Address(IpAddr::V4(number.into())));
        }
        assert!(rates.limiter.len() as u64 <= PLACES);
    }

    #[test]
    fn proxies_are_believed_as_far_as_they_are_trusted() {
        let proxies: Vec<IpNet> =
            ["10.0.0.0/8", "2001:db8::1/128"].map(|text| text.parse().expect("a network")).to_vec();
        let seen = |peer: &str, told: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in told {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
            }
            address(Some(ip(peer)), &headers, &proxies).to_string()
        };
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"]), "192.0.2.1", "anybody can say so");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 203.0.113.9", "10.2.3.4"]), "203.0.113.9", "the first was made up");
        assert_eq!(seen("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9", "\u{e4}"]), "10.0.0.1", "it is not passed over");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(seen("2001:db8::1", &["2001:db8:1:2:3:4:5:6"]), "2001:db8:1:2::", "a household is one caller");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }
}
