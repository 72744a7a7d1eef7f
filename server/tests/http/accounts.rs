//! Users, their keys and their credits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::body::Body;
use axum::http::{HeaderName, Request};
use hmac::{Hmac, KeyInit, Mac};
use remrembg_server::accounts::{Change, Period, Place, Store, Url, User, Via, now, open};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::redis_server::RedisServer;
use crate::service::{Answer, field, get, image, png, post, service};

/// A store with one user, who has so many credits, and a key and a token of that user.
struct Accounts {
    place: Setting,
    store: Box<dyn Store>,
    key: String,
    token: String,
}

/// Where the accounts are, as a setting.
type Setting = (&'static str, String);

/// Does the same with each store.
fn each(included: i64, prepaid: i64, test: impl Fn(&mut Accounts)) {
    let folder = tempfile::tempdir().expect("a folder");
    test(&mut accounts(included, prepaid, ("data", folder.path().to_str().expect("it is text").to_owned())));
    let server = RedisServer::start();
    test(&mut accounts(included, prepaid, ("redis", server.url())));
}

fn accounts(included: i64, prepaid: i64, place: Setting) -> Accounts {
    let at = if place.0 == "data" {
        Place::Folder(place.1.clone().into())
    } else {
        Place::Redis(Url::new(&place.1).expect("a URL"))
    };
    let mut store = open(&at).expect("it opens");
    let (name, email, plan) = ("one".to_owned(), "one@example.com".to_owned(), "Premium-20000".to_owned());
    let user = User { name, email, is_verified: true, plan, included, prepaid, period: None, customer: None };
    store.add_user(&user).expect("it is new");
    let mut made = |via| store.create("one", via, "", 0).expect("the user is there").0.text().to_owned();
    let (key, token) = (made(Via::Api), made(Via::App));
    Accounts { place, store, key, token }
}

/// The request with these headers for credentials, and no others.
fn with(mut request: Request<Body>, credentials: &[(&'static str, &str)]) -> Request<Body> {
    request.headers_mut().remove("x-api-key");
    for (name, value) in credentials {
        request.headers_mut().insert(HeaderName::from_static(name), value.parse().expect("a value"));
    }
    request
}

fn picture() -> Request<Body> {
    post(&[image(&png()), field("format", "bmp")])
}

impl Accounts {
    fn serving(&self, more: &[(&str, &str)]) -> impl Fn(Request<Body>) -> Answer + use<> {
        let (key, value) = &self.place;
        service(&[&[(*key, value.as_str())], more].concat())
    }

    fn key(&self) -> (&'static str, &str) {
        ("x-api-key", &self.key)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Use by apps, by keys, and what is left of prepaid credits.
    fn books(&self, send: &impl Fn(Request<Body>) -> Answer) -> [i64; 3] {
        let answer = send(with(get("/api/membership-usage"), &[self.key()]));
        let told: Value = serde_json::from_str(answer.text()).expect("it is JSON");
        ["app_usage", "api_usage", "prepaidCredits"].map(|key| told[key].as_i64().expect("a number"))
    }
}

#[test]
fn keys_and_tokens_are_told_apart_and_only_what_is_answered_with_a_picture_is_charged() {
    each(3, 0, |accounts| {
        let send = accounts.serving(&[]);
        assert_eq!(send(with(picture(), &[accounts.key()])).status, 200);
        assert_eq!(send(with(picture(), &[("authorization", &accounts.bearer())])).status, 200);
        assert_eq!(send(with(post(&[field("w", "abc"), image(&png())]), &[accounts.key()])).status, 400);
        assert_eq!(send(with(post(&[]), &[accounts.key()])).status, 400);
        assert_eq!(accounts.books(&send), [1, 1, 0]);
        assert_eq!(send(with(picture(), &[accounts.key()])).status, 200, "what was refused gave its credit back");
        let refused = send(with(post(&[]), &[accounts.key()]));
        let expected =
            r#"{"error":"You've reached your monthly limit. Consider purchasing more credits.","status":429}"#;
        assert_eq!((refused.status, refused.text()), (429, expected), "before the form is looked at");
        assert_eq!(accounts.books(&send), [1, 2, 0]);
    });
}

#[test]
fn who_is_not_let_in_is_told_so_in_the_order_of_the_contract() {
    each(0, 0, |accounts| {
        let send = accounts.serving(&[]);
        let wrong = |credentials: &[(&'static str, &str)]| {
            let answer = send(with(post(&[]), credentials));
            (answer.status, answer.text().to_owned())
        };
        let invalid = (401, r#"{"error":"invalid api key","status":401}"#.to_owned());
        assert_eq!(wrong(&[]), invalid);
        assert_eq!(wrong(&[("x-api-key", "rk_0")]), invalid);
        assert_eq!(wrong(&[("x-api-key", &accounts.token)]), invalid, "a token is no key");
        assert_eq!(wrong(&[("authorization", "Bearer rt_0")]), invalid);
        let both = r#"{"error":"This is a mistake: Cannot use both API key and user token","status":400}"#;
        assert_eq!(wrong(&[("x-api-key", "rk_0"), ("authorization", "Bearer rt_0")]), (400, both.to_owned()));
        let limited = (
            429,
            r#"{"error":"You've reached your monthly limit. Consider purchasing more credits.","status":429}"#
                .to_owned(),
        );
        for empty in [("x-api-key", ""), ("authorization", "Bearer ")] {
            let other = if empty.0 == "x-api-key" { ("authorization", &*accounts.bearer()) } else { accounts.key() };
            assert_eq!(wrong(&[empty]), invalid);
            assert_eq!(wrong(&[empty, other]), limited, "an empty one is none");
        }
        let unverified = r#"{"error":"Email address not verified – please check your inbox","status":403}"#;
        assert_eq!(wrong(&[accounts.key()]), limited);
        // The server sees at once what a command changes.
        let verified = |is_verified| Change { is_verified: Some(is_verified), ..Default::default() };
        accounts.store.set_user("one", verified(false)).expect("it is there");
        assert_eq!(wrong(&[accounts.key()]), (403, unverified.to_owned()));
        assert_eq!(
            send(with(get("/api/membership-usage"), &[accounts.key()])).status,
            200,
            "its use is told all the same"
        );
        let id = accounts.store.credentials(Via::Api, None).expect("the store works")[0].id.clone();
        accounts.store.revoke(Via::Api, &id).expect("it is there");
        assert_eq!(wrong(&[accounts.key()]), invalid);
    });
}

#[test]
fn of_64_clients_of_two_servers_one_gets_the_last_credit() {
    each(1, 1, |accounts| {
        let servers = [accounts.serving(&[]), accounts.serving(&[])];
        let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let race = || {
            thread::scope(|scope| {
                for number in 0..64 {
                    let (servers, key, answered, refused) = (&servers, accounts.key(), &answered, &refused);
                    scope.spawn(move || {
                        match servers[number % 2](with(picture(), &[key])).status {
                            200 => answered.fetch_add(1, Ordering::Relaxed),
                            429 => refused.fetch_add(1, Ordering::Relaxed),
                            status => panic!("{status}"),
                        };
                    });
                }
            });
        };
        assert_eq!(servers[0](with(picture(), &[accounts.key()])).status, 200);
        race();
        assert_eq!((answered.into_inner(), refused.into_inner()), (1, 63));
        assert_eq!(accounts.books(&servers[1]), [0, 1, 0], "one included, one prepaid");
    });
}

#[test]
fn use_is_told_to_the_holder_of_a_key() {
    each(5, 2, |accounts| {
        let send = accounts.serving(&[("keys", "fixed")]);
        assert_eq!(send(with(picture(), &[("x-api-key", "fixed")])).status, 200, "a key of the settings is nobody's");
        let asked = |path: &str| send(with(get(path), &[accounts.key()]));
        let answer = asked("/api/membership-usage");
        assert_eq!(answer.header("content-type"), "application/json");
        let usage = r#"{"membership":"Premium-20000","credits":5,"prepaidCredits":2,"app_usage":0,"api_usage":0}"#;
        assert_eq!((answer.status, answer.text()), (200, usage));
        let conflict = asked("/api/membership-usage?periodStartUnix=5&month=3");
        assert_eq!(conflict.status, 400);
        assert_eq!(
            asked("/api/membership-usage?month=%31%33").text(),
            r#"{"error":"'month' must be at most 12, got: 13","status":400}"#
        );
        assert_eq!(asked("/api/membership-usage?listBillingCycles=1").text(), r#"{"billingCycles":[]}"#);
        let period = Some(Period { start: 1_774_268_612, end: 1_776_947_012 });
        accounts.store.set_user("one", Change { period, ..Default::default() }).expect("it is there");
        let asked = |path: &str| send(with(get(path), &[accounts.key()]));
        assert_eq!(
            asked("/api/membership-usage?listBillingCycles=1").text(),
            r#"{"billingCycles":[{"periodStartUnix":1774268612,"periodEndUnix":1776947012,"appUsage":0,"apiUsage":0}]}"#
        );
        let refused =
            |credentials: &[(&'static str, &str)]| send(with(get("/api/membership-usage"), credentials)).status;
        assert_eq!(refused(&[("authorization", &accounts.bearer())]), 401, "a token is for apps");
        assert_eq!(refused(&[("x-api-key", "fixed")]), 401, "it has no use of its own");
        assert_eq!(refused(&[]), 401);
        let without = service(&[])(with(get("/api/membership-usage"), &[]));
        assert_eq!(
            (without.status, without.text()),
            (404, r#"{"error":"This server keeps no accounts.","status":404}"#)
        );
    });
}

#[test]
fn a_form_that_breaks_off_gives_its_credit_back() {
    each(1, 0, |accounts| {
        let send = accounts.serving(&[]);
        let mut request = picture();
        *request.body_mut() =
            Body::from("--XboundaryX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\nabc");
        assert_eq!(send(with(request, &[accounts.key()])).status, 400);
        assert_eq!(accounts.books(&send), [0, 0, 0]);
        assert_eq!(send(with(picture(), &[accounts.key()])).status, 200, "the credit is there again");
    });
}

#[track_caller]
fn assert_limited(answer: &Answer, message: &str, limit: &str, most_seconds: u64) {
    assert_eq!((answer.status, answer.text()), (429, format!(r#"{{"error":"{message}","status":429}}"#).as_str()));
    let [retry, reset] = ["retry-after", "x-ratelimit-reset"].map(|name| answer.header(name).parse::<u64>());
    let reset = reset.expect("a number");
    assert!((1..=most_seconds).contains(&reset) && retry == Ok(reset), "{reset}");
    assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), (limit, "0"));
}

const TOO_QUICK: &str = "You're making requests too quickly, Please Upgrade or slow down.";
const DAILY: &str = "You've reached your daily limit. Please sign up for more access.";
const MONTHLY: &str = "You've reached your monthly limit. Consider purchasing more credits.";

#[test]
fn who_asks_too_quickly_is_told_when_to_come_again() {
    each(10, 0, |accounts| {
        let send = accounts.serving(&[("rate", "2"), ("keys", "fixed")]);
        for remaining in ["1", "0"] {
            // What is refused counts too: it is about requests, not pictures.
            let answer = send(with(post(&[]), &[accounts.key()]));
            assert_eq!(answer.status, 400);
            let told = ["x-ratelimit-limit", "x-ratelimit-remaining"].map(|name| answer.header(name));
            assert_eq!(told, ["2", remaining]);
        }
        assert_limited(&send(with(picture(), &[accounts.key()])), TOO_QUICK, "2", 30);
        assert_limited(&send(with(picture(), &[("authorization", &accounts.bearer())])), TOO_QUICK, "2", 30);
        assert_eq!(send(with(picture(), &[("x-api-key", "fixed")])).status, 200, "another caller");
        assert_eq!(accounts.books(&send), [0, 0, 0]);

        let open = service(&[("rate", "1")]);
        assert_eq!(open(with(picture(), &[])).status, 200);
        assert_limited(&open(with(picture(), &[])), TOO_QUICK, "1", 60);
        assert_eq!(open(get("/health/ready")).status, 200);
    });
}

#[test]
fn who_has_no_account_has_some_pictures_a_day_by_address() {
    each(0, 0, |accounts| {
        // Without a connection a request comes from the address of no one, which is the proxy here.
        let send = accounts.serving(&[("anonymous_daily", "2"), ("proxies", "::")]);
        let from = |address: &str, request| send(with(request, &[("x-forwarded-for", address)]));
        assert_eq!(from("192.0.2.1", picture()).status, 200);
        assert_eq!(from("192.0.2.1", post(&[])).status, 400, "it counts for nothing");
        assert_eq!(from("192.0.2.1", picture()).status, 200);
        assert_limited(&from("192.0.2.1", picture()), DAILY, "2", 86_400);
        assert_eq!(from("192.0.2.2", picture()).status, 200);
        assert_eq!(send(with(picture(), &[("x-api-key", "wrong")])).status, 401, "a key that nobody has is no account");
        assert_limited(&send(with(picture(), &[accounts.key()])), MONTHLY, "0", 31 * 86_400);
    });
}

const SECRET: &str = "whsec_test";

/// Stripe's delivery of an event, signed at this time.
fn delivered(event: &Value, time: i64) -> Request<Body> {
    let body = event.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(format!("{time}.{body}").as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = Request::post("/api/stripe/webhook").header("stripe-signature", format!("t={time},v1={signature}"));
    request.body(Body::from(body)).expect("the request is one")
}

fn subscription(id: &str, created: i64, credits: &str, start: i64) -> Value {
    json!({
        "id": id, "type": "customer.subscription.updated", "created": created, "api_version": "2099-01-01.tomorrow",
        "data": {"object": {
            "id": "sub_1", "customer": "cus_1", "status": "active", "metadata": {"user": "one"},
            "items": {"data": [{
                "current_period_start": start, "current_period_end": start + 1000,
                "price": {"nickname": "Premium-500", "metadata": {"credits": credits}},
            }]},
        }},
    })
}

#[test]
fn events_of_stripe_move_period_plan_and_credits_once_and_in_their_order() {
    each(1, 2, |accounts| {
        let send = accounts.serving(&[("stripe_secret", SECRET)]);
        let store = &mut accounts.store;
        let mut user = || store.users().expect("the store works").remove(0);
        let now = now();
        let first = subscription("evt_1", 100, "500", 5_000);
        let answer = send(delivered(&first, now));
        assert_eq!((answer.status, answer.text()), (200, r#"{"received":true}"#));
        let moved = user();
        assert_eq!((moved.plan.as_str(), moved.included, moved.prepaid), ("Premium-500", 500, 2));
        assert_eq!(
            (moved.period, moved.customer.as_deref()),
            (Some(Period { start: 5_000, end: 6_000 }), Some("cus_1"))
        );

        let replayed = send(delivered(&first, now));
        assert_eq!(
            (replayed.status, replayed.text()),
            (400, r#"{"error":"The event was delivered before.","status":400}"#)
        );
        assert_eq!(send(delivered(&subscription("evt_2", 200, "700", 6_001), now)).status, 200);
        assert_eq!(user().included, 700);
        for again in [delivered(&first, now - 1), delivered(&subscription("evt_0", 99, "1", 1), now)] {
            assert_eq!(send(again).status, 200, "Stripe may send an event twice, and late");
        }
        assert_eq!(user().included, 700, "and neither moves anything");
        for passed_over in [
            json!({"id": "evt_3", "type": "something.new", "created": 300, "data": {"object": {}}}),
            json!({"id": "evt_4", "type": "customer.subscription.updated", "created": 300, "data": {"object": {"id": "sub_9", "status": "active", "customer": "cus_9"}}}),
        ] {
            assert_eq!(send(delivered(&passed_over, now)).status, 200);
        }
        let mut refused = |request| (send(request).status, user().included);
        assert_eq!(refused(delivered(&subscription("evt_5", 400, "9", 1), now - 301)), (400, 700), "too old");
        let mut forged = delivered(&subscription("evt_6", 400, "9", 1), now);
        *forged.body_mut() = Body::from(subscription("evt_6", 400, "99999", 1).to_string());
        assert_eq!(refused(forged), (400, 700));
        assert_eq!(
            refused(Request::post("/api/stripe/webhook").body(Body::from("{}")).expect("a request")),
            (400, 700)
        );
        let ended = |event: &str, subscription: &str| {
            json!({
                "id": event, "type": "customer.subscription.deleted", "created": 500,
                "data": {"object": {"id": subscription, "customer": "cus_1", "status": "canceled"}},
            })
        };
        assert_eq!(send(delivered(&ended("evt_8", "sub_0"), now)).status, 200);
        assert_eq!(user().included, 700, "an older subscription ends beside the one that runs");
        assert_eq!(send(delivered(&ended("evt_9", "sub_1"), now)).status, 200);
        assert_eq!((user().included, user().plan.as_str(), user().period), (0, "Free", None));
        let deaf = accounts.serving(&[]);
        assert_eq!(
            deaf(delivered(&subscription("evt_7", 400, "9", 1), now)).status,
            404,
            "without a secret nobody listens"
        );
    });
}

#[test]
fn an_event_is_bounded_and_who_did_not_sign_it_is_sent_away_before_it_is_read() {
    each(1, 2, |accounts| {
        let send = accounts.serving(&[("stripe_secret", SECRET), ("transfer_memory", "1000")]);
        let told = |header: Option<&str>, bytes: usize| {
            let request = Request::post("/api/stripe/webhook");
            let request = header.into_iter().fold(request, |request, text| request.header("stripe-signature", text));
            let answer = send(request.body(Body::from(vec![b' '; bytes])).expect("a request"));
            let body: Value = serde_json::from_str(answer.text()).expect("it is JSON");
            (answer.status, body["error"].as_str().expect("it says why").to_owned())
        };
        let (time, refused) = (now(), |why: &str| (400, format!("The {why}.")));
        let unsigned = format!("t={time},v0=00");
        for (header, why) in [
            (None, "signature of the event has no time"),
            (Some("t=1,v1=00"), "signature of the event is too old"),
            (Some(&*unsigned), "signature of the event is not valid"),
        ] {
            assert_eq!(told(header, 2 << 20), refused(why), "{header:?}");
        }
        let forged = format!("t={time},v1=00");
        assert_eq!(told(Some(&forged), 100), refused("signature of the event is not valid"));
        assert_eq!(told(Some(&forged), (1 << 20) + 1), refused("event is too large"));
        assert_eq!(told(Some(&forged), 10_000).0, 503, "there is no memory for it");
    });
}

#[test]
fn a_server_whose_accounts_cannot_be_read_is_not_ready() {
    let redis = RedisServer::start();
    let send = service(&[("redis", &redis.url())]);
    assert_eq!(send(get("/health/ready")).status, 200);
    drop(redis);
    let answer = send(get("/health/ready"));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
    assert_eq!(send(get("/health/live")).status, 200);
}
