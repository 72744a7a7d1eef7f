//! How fast a caller may ask.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use remrembg::Code;

use crate::accounts::Accounts;
use crate::error::Refusal;
use crate::limits::{Left, PLACES, Who, place};

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

    /// Counted with the accounts where servers share those, else here.
    ///
    /// # Errors
    /// [`Refusal::Limited`], [`Refusal::Accounts`].
    pub(crate) async fn admit(&self, who: Who, accounts: Option<&Accounts>) -> Result<Left, Refusal> {
        let shared = match accounts {
            Some(accounts) => accounts.pace(who, self.most.get()).await?,
            None => None,
        };
        shared.unwrap_or_else(|| self.check(who)).map_err(|left| Refusal::Limited(Code::RateShortTerm, left))
    }

    /// # Errors
    /// When the next request is allowed.
    fn check(&self, who: Who) -> Result<Left, Left> {
        let place = match who {
            Who::User(id) => PLACES + id as u64,
            Who::Address(address) => place(self.hash.hash_one(address)),
        };
        let most = self.most.get();
        match self.limiter.check_key(&place) {
            Ok(room) => Ok(Left::within(most, room.remaining_burst_capacity().into())),
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Err(Left::wait(most, wait.as_millis() as u64))
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
    use axum::http::HeaderValue;

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
