//! The books, without a server around them.

use super::*;

/// 2026-01-31T23:59:50Z.
const NOW: i64 = 1_769_903_990;

fn store(included: i64, prepaid: i64, period: Option<Period>) -> (tempfile::TempDir, Embedded, i64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Embedded::open(folder.path()).expect("it opens");
    let (name, email, plan) = ("one".to_owned(), "one@example.com".to_owned(), "Free".to_owned());
    store
        .add_user(&User { name, email, is_verified: true, plan, included, prepaid, period, customer: None })
        .expect("it is new");
    let id = store.id_of("one").expect("it is there");
    (folder, store, id)
}

#[track_caller]
fn reserved(store: &mut Embedded, user: i64, now: i64) -> Option<Reservation> {
    store.reserve(user, Via::Api, now).expect("the store works").ok()
}

fn books(store: &Embedded, user: i64, period: &str) -> (i64, i64) {
    let used = store.used(user, period).expect("the store works");
    (used.api, store.user(user).expect("it is there").prepaid)
}

#[test]
fn included_credits_come_before_prepaid_ones_and_what_is_held_counts() {
    let (_folder, mut store, user) = store(1, 1, None);
    let first = reserved(&mut store, user, NOW).expect("there are two");
    let second = reserved(&mut store, user, NOW).expect("there is one more");
    assert_eq!(reserved(&mut store, user, NOW), None, "both are held");
    assert_eq!(books(&store, user, "2026:1"), (0, 1), "and none is charged");
    store.release(first.id).expect("the store works");
    let third = reserved(&mut store, user, NOW).expect("it is free again");
    // Whichever is done first takes the included one.
    store.settle(&second).expect("the store works");
    assert_eq!(books(&store, user, "2026:1"), (1, 1));
    store.settle(&third).expect("the store works");
    assert_eq!(books(&store, user, "2026:1"), (1, 0));
    assert_eq!(reserved(&mut store, user, NOW), None, "both are used");
    assert!(reserved(&mut store, user, NOW + 10).is_some(), "the next month has its own");
}

#[test]
fn what_a_killed_process_held_lapses_within_a_minute_and_what_is_answered_late_is_charged() {
    let (_folder, mut store, user) = store(1, 0, None);
    let begin = NOW - 200;
    let lost = reserved(&mut store, user, begin).expect("it is the first");
    store.renew(lost.id, begin + 30).expect("the store works");
    assert_eq!(reserved(&mut store, user, begin + 60), None, "it was renewed");
    assert!(reserved(&mut store, user, begin + 90).is_some(), "its process has not renewed it for a minute");
    let (folder, mut store, user) = self::store(1, 0, None);
    let late = reserved(&mut store, user, NOW - 100).expect("it is the first");
    let next = reserved(&mut store, user, NOW - 40).expect("the first has lapsed");
    store.settle(&late).expect("the store works");
    store.release(next.id).expect("the store works");
    assert_eq!(books(&store, user, "2026:1").0, 1);
    drop(store);
    let mut again = Embedded::open(folder.path()).expect("it opens again");
    assert_eq!(books(&again, user, "2026:1").0, 1, "it is on disk");
    assert_eq!(reserved(&mut again, user, NOW), None);
}

#[test]
fn a_removal_counts_in_the_month_and_billing_period_in_which_it_began() {
    let first = Period { start: NOW - 1000, end: NOW + 5 };
    let (_folder, mut store, user) = store(5, 0, Some(first));
    let began = reserved(&mut store, user, NOW).expect("there are credits");
    let next = Period { start: NOW + 6, end: NOW + 2000 };
    store.set_user("one", Change { period: Some(next), ..Change::default() }).expect("it is there");
    store.settle(&began).expect("the store works");
    let second = reserved(&mut store, user, NOW + 20).expect("there are credits");
    store.settle(&second).expect("the store works");
    let count = |period: &str| books(&store, user, period).0;
    assert_eq!([count("2026:1"), count("2026:2")], [1, 1]);
    assert_eq!([first, next].map(|period| count(&calendar::cycle_key(period.start))), [1, 1]);
    assert_eq!(store.cycles(user).expect("the store works").len(), 2);
}

#[test]
fn a_key_is_known_by_its_digest_until_it_is_revoked_and_a_user_goes_with_all_that_it_has() {
    let (folder, mut store, user) = store(1, 0, None);
    let (secret, credential) = store.create("one", Via::Api, "laptop", NOW).expect("the user is there");
    let holder = |store: &mut Embedded, via| store.holder(&secret.digest(), via, NOW).expect("the store works");
    assert_eq!(holder(&mut store, Via::Api).map(|holder| holder.user), Some(user));
    assert_eq!(holder(&mut store, Via::App), None, "a key is no token");
    let known = store.credentials(Via::Api, Some("one")).expect("the user is there");
    assert_eq!((known[0].label.as_str(), known[0].last_used), ("laptop", Some(NOW)));
    assert!(store.credentials(Via::App, None).expect("the store works").is_empty());
    let file = std::fs::read(folder.path().join("accounts.db")).expect("it can be read");
    assert!(!file.windows(64).any(|text| secret.text().as_bytes()[3..] == *text), "the key itself is nowhere");
    assert!(matches!(store.revoke(Via::App, &credential.id), Err(Trouble::Unknown(_))));
    store.revoke(Via::Api, &credential.id).expect("it is there");
    assert_eq!(holder(&mut store, Via::Api), None);
    let held = reserved(&mut store, user, NOW).expect("there is a credit");
    store.remove_user("one").expect("it is there");
    store.settle(&held).expect("nobody is charged");
    assert_eq!(store.users().expect("the store works"), []);
}

#[test]
fn who_has_no_account_has_so_many_pictures_a_day() {
    let (_folder, mut store, user) = store(0, 0, None);
    let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
    let midnight = 1_769_904_000;
    let mut admitted = |address, now| store.admit(address, 2, now).expect("the store works");
    let day = admitted(one, NOW).expect("the first");
    assert!(admitted(one, NOW).is_ok() && admitted(other, NOW).is_ok());
    assert_eq!(admitted(one, NOW), Err(Left { limit: 2, remaining: 0, reset: 10 }));
    assert!(admitted(one, midnight).is_ok(), "the next day has its own");
    store.dismiss(one, day + 1).expect("the store works");
    let mut admitted = |now| store.admit(one, 1, now).expect("the store works");
    assert!(admitted(midnight).is_ok() && admitted(midnight).is_err(), "what came to nothing was given back");
    let left = store.reserve(user, Via::App, NOW).expect("the store works").expect_err("there are no credits");
    assert_eq!(left, Left { limit: 0, remaining: 0, reset: 10 });
}

#[test]
fn a_file_of_an_older_version_is_brought_up_to_date() {
    let (folder, store, _) = store(1, 0, None);
    store
        .connection
        .execute_batch(
            "DROP TABLE anonymous; DROP TABLE deliveries; DROP INDEX users_by_customer;
             ALTER TABLE users DROP COLUMN customer; ALTER TABLE users DROP COLUMN last_event; ALTER TABLE users DROP COLUMN subscription;
             PRAGMA user_version = 1",
        )
        .expect("they are there");
    drop(store);
    let mut store = Embedded::open(folder.path()).expect("it opens");
    assert!(store.admit("192.0.2.1".parse().expect("an address"), 1, NOW).expect("the table is there").is_ok());
    assert_eq!(store.users().expect("the store works").len(), 1, "all that it had is there");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let (folder, mut store, _) = store(1, 0, None);
    let user = store.users().expect("the store works").remove(0);
    assert_eq!(store.add_user(&user), Err(Trouble::Taken("one".to_owned())));
    let period = Some(Period { start: 5, end: 5 });
    for change in [
        Change { email: Some("nobody".to_owned()), ..Change::default() },
        Change { included: Some(-1), ..Change::default() },
        Change { period, ..Change::default() },
    ] {
        assert!(matches!(store.set_user("one", change), Err(Trouble::Invalid(_))));
    }
    assert_eq!(store.users().expect("the store works"), [user], "nothing of it came in");
    assert!(matches!(store.set_user("two", Change::default()), Err(Trouble::Unknown(_))));
    store.connection.pragma_update(None, "user_version", 99).expect("the store works");
    drop(store);
    let error = Embedded::open(folder.path()).err().expect("it is too new").to_string();
    assert!(error.contains("newer version"), "{error}");
}
