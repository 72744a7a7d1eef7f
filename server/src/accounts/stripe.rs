//! Events of Stripe, which move a user's billing period, plan and included credits.
//!
//! Signatures are those of <https://docs.stripe.com/webhooks#verify-manually>.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Period;
use super::secret::hex;

/// How many seconds the clock of a sender may be away from this one's.
const TOLERANCE: u64 = 300;
const INVALID: &str = "The signature of the event is not valid.";

/// What an event says of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// Unix seconds: of two events of one subscription the later one counts, in whatever order they come.
    pub(crate) created: i64,
    /// The name of the user, where the subscription tells it.
    pub(crate) user: Option<String>,
    /// Else the user that has this customer.
    pub(crate) customer: Option<String>,
    /// Which of the customer's subscriptions it is about.
    pub(crate) subscription: String,
    /// Unix seconds: when that was made. Of a customer's subscriptions the newest counts.
    pub(crate) since: i64,
    /// `None` where that has ended.
    pub(crate) moved: Option<Moved>,
}

/// What it moves; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Moved {
    pub(crate) plan: Option<String>,
    pub(crate) included: Option<i64>,
    pub(crate) period: Option<Period>,
}

/// Who an event says that it is from.
pub(crate) struct Signature<'a> {
    time: i64,
    /// One for each secret, while one takes the other's place.
    all: Vec<&'a str>,
}

impl<'a> Signature<'a> {
    /// Reads the header, without which nothing else of a request has to be read.
    ///
    /// # Errors
    /// What is wrong, for the sender.
    pub(crate) fn read(header: &'a str, now: i64) -> Result<Self, &'static str> {
        let mut time = None;
        let mut all = Vec::new();
        for (key, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
            match key {
                "t" => time = value.parse::<i64>().ok(),
                "v1" => all.push(value),
                _ => {}
            }
        }
        let time = time.ok_or("The signature of the event has no time.")?;
        if now.abs_diff(time) > TOLERANCE {
            return Err("The signature of the event is too old.");
        }
        if all.is_empty() { Err(INVALID) } else { Ok(Self { time, all }) }
    }

    /// Checks that it is one of the holder of `secret`, for `body`. Gives the signature, which names this delivery.
    ///
    /// # Errors
    /// What is wrong, for the sender.
    pub(crate) fn check(&self, secret: &str, body: &[u8]) -> Result<String, &'static str> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| "The secret cannot be used.")?;
        [self.time.to_string().as_bytes(), b".", body].into_iter().for_each(|part| mac.update(part));
        let expected = hex(&mac.finalize().into_bytes());
        let is_signed = self.all.iter().any(|signature| expected.as_bytes().ct_eq(signature.as_bytes()).into());
        if is_signed { Ok(expected) } else { Err(INVALID) }
    }
}

/// Reads an event; `None` for one that says nothing here, of whatever kind or version.
///
/// # Errors
/// It is no event.
pub(crate) fn read(body: &[u8]) -> Result<Option<Event>, &'static str> {
    let wrong = "The event cannot be read.";
    let event: Value = serde_json::from_slice(body).map_err(|_| wrong)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (id, kind) = (text(&event["id"]).ok_or(wrong)?, text(&event["type"]).ok_or(wrong)?);
    let Some(kind) = kind.strip_prefix("customer.subscription.") else { return Ok(None) };
    let subscription = &event["data"]["object"];
    let is = |all: &[&str]| subscription["status"].as_str().is_some_and(|status| all.contains(&status));
    let ended = kind == "deleted" || is(&["canceled", "unpaid", "paused"]);
    // One that was never paid moves nothing: neither before it is, nor when it never will be.
    if is(&["incomplete", "incomplete_expired"]) || !ended && !is(&["active", "trialing", "past_due"]) {
        return Ok(None);
    }
    let item = &subscription["items"]["data"][0];
    let price = &item["price"];
    let credits = [&subscription["metadata"]["credits"], &price["metadata"]["credits"]];
    let plan =
        [&subscription["metadata"]["plan"], &price["metadata"]["plan"], &price["nickname"], &price["lookup_key"]];
    // Newer versions of the API tell the period of each item.
    let period = [subscription, item].into_iter().find_map(|of| {
        let (start, end) = (of["current_period_start"].as_i64()?, of["current_period_end"].as_i64()?);
        Some(Period { start, end })
    });
    let moved = (!ended).then(|| Moved {
        plan: plan.into_iter().find_map(text),
        included: credits.into_iter().find_map(|text| text.as_str()?.parse().ok()),
        period,
    });
    let customer = &subscription["customer"];
    let created = event["created"].as_i64().ok_or(wrong)?;
    Ok(Some(Event {
        id,
        created,
        user: text(&subscription["metadata"]["user"]),
        // Sent as an object where a request asked for that.
        customer: text(customer).or_else(|| text(&customer["id"])),
        subscription: text(&subscription["id"]).ok_or(wrong)?,
        since: subscription["created"].as_i64().unwrap_or(created),
        moved,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signature_is_of_the_secret_the_time_and_every_byte() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        let signature = "38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";
        let header = format!("t=1700000000, v1=00ff, v1={signature}, v0=abc");
        let check = |secret: &str, header: &str, body: &[u8], now| {
            Signature::read(header, now).and_then(|signature| signature.check(secret, body))
        };
        assert_eq!(check("whsec_test", &header, br#"{"a":1}"#, 1_700_000_300).as_deref(), Ok(signature));
        let invalid = Err("The signature of the event is not valid.");
        assert_eq!(check("whsec_other", &header, br#"{"a":1}"#, 1_700_000_000), invalid);
        assert_eq!(check("whsec_test", &header, br#"{"a":1} "#, 1_700_000_000), invalid);
        assert_eq!(
            check("whsec_test", &header.replace("t=1700000000", "t=1700000001"), br#"{"a":1}"#, 1_700_000_000),
            invalid
        );
        assert_eq!(check("whsec_test", "t=1700000000", b"", 1_700_000_000), invalid);
        let old = Err("The signature of the event is too old.");
        for now in [1_700_000_301, 1_699_999_699, i64::MIN, i64::MAX] {
            assert_eq!(check("whsec_test", &header, br#"{"a":1}"#, now), old);
        }
        assert_eq!(check("whsec_test", "nonsense", b"", 0), Err("The signature of the event has no time."));
    }

    #[test]
    fn subscriptions_are_read_in_older_and_newer_versions_and_all_else_is_passed_over() {
        let price = json!({"nickname": "Premium-20000", "metadata": {"credits": "18500"}});
        let event = |kind: &str, subscription: Value| {
            let event = json!({"id": "evt_1", "type": kind, "created": 7, "data": {"object": subscription}});
            read(event.to_string().as_bytes())
        };
        let older = json!({"id": "sub_1", "customer": "cus_1", "status": "active", "current_period_start": 5, "current_period_end": 9,
                           "items": {"data": [{"price": price}]}});
        let newer = json!({"id": "sub_1", "customer": {"id": "cus_1"}, "status": "active", "new_field": [],
                           "items": {"data": [{"price": price, "current_period_start": 5, "current_period_end": 9}]}});
        let moved = Moved {
            plan: Some("Premium-20000".to_owned()),
            included: Some(18_500),
            period: Some(Period { start: 5, end: 9 }),
        };
        for subscription in [older, newer.clone()] {
            let read = event("customer.subscription.updated", subscription).expect("it is an event").expect("of use");
            assert_eq!((read.customer.as_deref(), read.created, read.moved.as_ref()), (Some("cus_1"), 7, Some(&moved)));
        }
        let ended = event("customer.subscription.deleted", newer.clone()).expect("it is an event").expect("of use");
        assert_eq!((ended.moved, ended.subscription.as_str()), (None, "sub_1"));
        let unpaid =
            json!({"id": "sub_1", "customer": "cus_1", "status": "incomplete", "items": {"data": [{"price": price}]}});
        assert_eq!(event("customer.subscription.created", unpaid.clone()), Ok(None), "nothing before it is paid");
        assert_eq!(event("customer.subscription.deleted", unpaid.clone()), Ok(None), "nothing if it never is");
        let mut expired = unpaid;
        expired["status"] = "incomplete_expired".into();
        assert_eq!(event("customer.subscription.updated", expired), Ok(None), "nothing if it never is");
        for kind in ["invoice.paid", "customer.created", "something.of.tomorrow"] {
            assert_eq!(event(kind, newer.clone()), Ok(None), "{kind}");
        }
        assert_eq!(read(b"{}"), Err("The event cannot be read."));
        assert_eq!(read(b"\xff"), Err("The event cannot be read."));
    }
}
