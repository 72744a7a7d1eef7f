//! The books of every store, without a server around them.

use super::stripe::{Event, Moved};
use super::*;
use crate::redis_server::RedisServer;

/// 2026-01-31T23:59:50Z.
const NOW: i64 = 1_769_903_990;

/// A place for accounts, which goes with it.
pub(super) enum Kept {
    Folder(tempfile::TempDir),
    Redis(Box<RedisServer>),
}

impl Kept {
    fn all() -> [Self; 2] {
        [Self::Folder(tempfile::tempdir().expect("a folder")), Self::Redis(Box::new(RedisServer::start()))]
    }

    fn open(&self) -> Box<dyn Books> {
        let place = match self {
            Self::Folder(folder) => Place::Folder(folder.path().to_owned()),
            Self::Redis(server) => Place::Redis(Url::new(&server.url()).expect("a URL")),
        };
        place::open_books(&place).expect("it opens")
    }
}

/// Does the same with each store.
pub(super) fn each(test: impl Fn(&mut dyn Books, &Kept)) {
    for kept in Kept::all() {
        test(&mut *kept.open(), &kept);
    }
}

/// The same with a user who is there.
fn with_user(included: i64, prepaid: i64, period: Option<Period>, test: impl Fn(&mut dyn Books, i64, &Kept)) {
    each(|store, kept| {
        let id = added(store, "one", included, prepaid, period);
        test(store, id, kept);
    });
}

fn added(store: &mut dyn Books, name: &str, included: i64, prepaid: i64, period: Option<Period>) -> i64 {
    let (email, plan) = (format!("{name}@example.com"), "Free".to_owned());
    let name = name.to_owned();
    let user = User { name, email, is_verified: true, plan, included, prepaid, period, customer: None };
    store.add_user(&user).expect("it is new");
    store.id_of(&user.name).expect("it is there")
}

#[track_caller]
fn reserved(store: &mut dyn Books, user: i64, now: i64) -> Option<Reservation> {
    store.reserve(user, Via::Api, now).expect("the store works").ok()
}

fn books(store: &mut dyn Books, user: i64, period: &str) -> (i64, i64) {
    let used = store.used(user, period).expect("the store works");
    (used.api, store.user(user).expect("it is there").prepaid)
}

#[test]
fn included_credits_come_before_prepaid_ones_and_what_is_held_counts() {
    with_user(1, 1, None, |store, user, _| {
        let first = reserved(store, user, NOW).expect("there are two");
        let second = reserved(store, user, NOW).expect("there is one more");
        assert_eq!(reserved(store, user, NOW), None, "both are held");
        assert_eq!(books(store, user, "2026:1"), (0, 1), "and none is charged");
        store.release(&first).expect("the store works");
        let third = reserved(store, user, NOW).expect("it is free again");
        // Whichever is done first takes the included one.
        assert_eq!(store.settle(&second), Ok(Charged::Included));
        assert_eq!(books(store, user, "2026:1"), (1, 1));
        assert_eq!(store.settle(&third), Ok(Charged::Prepaid));
        assert_eq!(books(store, user, "2026:1"), (1, 0));
        assert_eq!(reserved(store, user, NOW), None, "both are used");
        let next = reserved(store, user, NOW + 10).expect("the next month has its own");
        assert_eq!(store.settle(&next), Ok(Charged::Included));
        assert_eq!(books(store, user, "2026:2"), (1, 0));
        for (reservation, charged) in [(&third, Charged::Prepaid), (&next, Charged::Included)] {
            store.refund(reservation, charged).expect("the store works");
        }
        assert_eq!((books(store, user, "2026:1"), books(store, user, "2026:2")), ((1, 1), (0, 1)));
    });
}

#[test]
fn what_a_killed_process_held_lapses_within_a_minute_and_what_is_answered_late_is_charged() {
    with_user(1, 0, None, |store, user, kept| {
        let begin = NOW - 200;
        let lost = reserved(store, user, begin).expect("it is the first");
        store.renew(&lost, begin + 30).expect("the store works");
        assert_eq!(reserved(store, user, begin + 60), None, "it was renewed");
        assert!(reserved(store, user, begin + 90).is_some(), "its process has not renewed it for a minute");
        let user = added(store, "late", 1, 0, None);
        let late = reserved(store, user, NOW - 100).expect("it is the first");
        let next = reserved(store, user, NOW - 40).expect("the first has lapsed");
        store.settle(&late).expect("the store works");
        store.release(&next).expect("the store works");
        assert_eq!(books(store, user, "2026:1").0, 1);
        let mut again = kept.open();
        assert_eq!(books(&mut *again, user, "2026:1").0, 1, "every process sees it");
        assert_eq!(reserved(&mut *again, user, NOW), None);
    });
}

#[test]
fn a_removal_counts_in_the_month_and_billing_period_in_which_it_began() {
    let first = Period { start: NOW - 1000, end: NOW + 5 };
    with_user(5, 0, Some(first), |store, user, _| {
        let began = reserved(store, user, NOW).expect("there are credits");
        let next = Period { start: NOW + 6, end: NOW + 2000 };
        store.set_user("one", Change { period: Some(next), ..Change::default() }).expect("it is there");
        store.settle(&began).expect("the store works");
        let second = reserved(store, user, NOW + 20).expect("there are credits");
        store.settle(&second).expect("the store works");
        let mut count = |period: &str| books(store, user, period).0;
        assert_eq!([count("2026:1"), count("2026:2")], [1, 1]);
        assert_eq!([first, next].map(|period| count(&calendar::cycle_key(period.start))), [1, 1]);
        assert_eq!(store.cycles(user).expect("the store works").len(), 2);
        let lapsed = reserved(store, user, next.end + LATE + 1).expect("there are credits");
        assert_eq!(lapsed.cycle, None, "nobody told of a period after that");
    });
}

#[test]
fn a_period_that_is_used_up_says_when_the_next_one_begins() {
    with_user(1, 0, Some(Period { start: NOW - 1000, end: NOW + 99 }), |store, user, _| {
        let held = reserved(store, user, NOW).expect("there is one");
        let refused = |store: &mut dyn Books| store.reserve(user, Via::App, NOW).expect("the store works").err();
        assert_eq!(refused(store), Some(Left { limit: 1, remaining: 0, reset: 45 }), "it may come back soon");
        store.settle(&held).expect("the store works");
        assert_eq!(refused(store), Some(Left { limit: 1, remaining: 0, reset: 100 }));
    });
}

#[test]
fn a_key_is_known_by_its_digest_until_it_is_revoked_and_a_user_goes_with_all_that_it_has() {
    with_user(1, 0, None, |store, user, _| {
        let (secret, credential) = store.create("one", Via::Api, "laptop", NOW).expect("the user is there");
        let holder = |store: &mut dyn Books, via| store.holder(&secret.digest(), via, NOW).expect("the store works");
        assert_eq!(holder(store, Via::Api).map(|holder| (holder.user, holder.is_verified)), Some((user, true)));
        assert_eq!(holder(store, Via::App), None, "a key is no token");
        let known = store.credentials(Via::Api, Some("one")).expect("the user is there");
        assert_eq!((known[0].label.as_str(), known[0].last_used), ("laptop", Some(NOW)));
        assert!(store.credentials(Via::App, None).expect("the store works").is_empty());
        assert_eq!(store.credentials(Via::App, Some("two")), Err(Trouble::no_user("two")));
        assert!(matches!(store.revoke(Via::App, &credential.id), Err(Trouble::Unknown(_))));
        store.revoke(Via::Api, &credential.id).expect("it is there");
        assert_eq!(holder(store, Via::Api), None);
        let (second, _) = store.create("one", Via::Api, "", NOW).expect("the user is there");
        let held = reserved(store, user, NOW).expect("there is a credit");
        store.set_user("one", Change { customer: Some("cus_1".to_owned()), ..Change::default() }).expect("it is there");
        store.remove_user("one").expect("it is there");
        store.settle(&held).expect("nobody is charged");
        assert_eq!(store.users(), Ok(Vec::new()));
        assert_eq!(store.holder(&second.digest(), Via::Api, NOW), Ok(None));
        assert!(matches!(store.remove_user("one"), Err(Trouble::Unknown(_))));
        let again = added(store, "one", 1, 0, None);
        assert_eq!(books(store, again, "2026:1"), (0, 0), "who has the name later begins anew");
        store.set_user("one", Change { customer: Some("cus_1".to_owned()), ..Change::default() }).expect("it is free");
    });
}

#[test]
fn who_has_no_account_has_so_many_pictures_a_day() {
    with_user(0, 0, None, |store, user, _| {
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
        let midnight = 1_769_904_000;
        let mut admitted = |address, now| store.admit(address, 2, now).expect("the store works");
        assert!(admitted(one, NOW).is_ok() && admitted(one, NOW).is_ok() && admitted(other, NOW).is_ok());
        assert_eq!(admitted(one, NOW), Err(Left { limit: 2, remaining: 0, reset: 10 }));
        let turn = admitted(one, midnight).expect("the next day has its own");
        store.dismiss(&turn).expect("the store works");
        let mut admitted = |now| store.admit(one, 1, now).expect("the store works");
        assert!(admitted(midnight).is_ok() && admitted(midnight).is_err(), "what came to nothing was given back");
        let left = store.reserve(user, Via::App, NOW).expect("the store works").expect_err("there are no credits");
        assert_eq!(left, Left { limit: 0, remaining: 0, reset: 10 });
    });
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    with_user(1, 0, None, |store, _, _| {
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
        assert_eq!(store.users(), Ok(vec![user]), "nothing of it came in");
        assert_eq!(store.set_user("two", Change::default()), Err(Trouble::no_user("two")));
    });
}

#[test]
fn what_a_command_changes_is_changed_and_nothing_else() {
    with_user(1, 2, None, |store, id, _| {
        added(store, "two", 0, 0, None);
        let change = Change {
            email: Some("a@b".to_owned()),
            is_verified: Some(false),
            plan: Some("Premium".to_owned()),
            included: Some(7),
            more_prepaid: 3,
            period: Some(Period { start: 5, end: 6 }),
            customer: Some("cus_1".to_owned()),
            prepaid: None,
        };
        let user = store.set_user("one", change).expect("it is there");
        assert_eq!(
            serde_json::to_string(&user).expect("it is JSON"),
            r#"{"name":"one","email":"a@b","emailVerified":false,"membership":"Premium","credits":7,"prepaidCredits":5,"billingPeriod":{"periodStartUnix":5,"periodEndUnix":6},"stripeCustomer":"cus_1"}"#
        );
        assert_eq!(store.user(id), Ok(user.clone()));
        let customer = Change { customer: Some("cus_1".to_owned()), ..Change::default() };
        assert_eq!(store.set_user("two", customer.clone()), Err(Trouble::customer_of("one")));
        assert_eq!(store.set_user("one", customer), Ok(user.clone()), "its own it may have");
        assert_eq!(
            store
                .set_user("one", Change { prepaid: Some(4), more_prepaid: 1, ..Change::default() })
                .map(|user| user.prepaid),
            Ok(5)
        );
        let moved = Change { customer: Some("cus_2".to_owned()), ..Change::default() };
        store.set_user("one", moved).expect("it is there");
        let taken = User { name: "three".to_owned(), customer: Some("cus_2".to_owned()), ..user };
        assert_eq!(store.add_user(&taken), Err(Trouble::customer_of("one")));
        store.add_user(&User { customer: Some("cus_1".to_owned()), ..taken }).expect("it is free again");
        let names: Vec<_> = store.users().expect("the store works").into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["one", "three", "two"]);
    });
}

#[test]
fn events_move_the_user_that_they_name_once_and_never_back() {
    with_user(1, 2, None, |store, id, _| {
        let period = Some(Period { start: 5, end: 9 });
        let moved = Moved { plan: Some("Premium".to_owned()), included: Some(50), period };
        let (name, customer) = (Some("one".to_owned()), Some("cus_1".to_owned()));
        let event = |id: &str, created, moved: Option<Moved>| Event {
            id: id.to_owned(),
            created,
            user: name.clone(),
            customer: customer.clone(),
            subscription: "sub_1".to_owned(),
            since: 1,
            moved,
        };
        let mut apply = |delivery: &str, event: Option<&Event>| store.apply(delivery, event, NOW);
        let first = event("evt_1", 10, Some(moved));
        let nobody = Event { id: "evt_0".to_owned(), user: Some("nobody".to_owned()), ..first.clone() };
        for _ in 0..2 {
            assert_eq!(apply("d0", Some(&nobody)), Ok(Applied::NoUser), "it may be sent again");
        }
        assert_eq!(apply("d1", Some(&first)), Ok(Applied::Moved));
        assert_eq!(apply("d1", Some(&first)), Ok(Applied::Replayed));
        assert_eq!(apply("d2", Some(&first)), Ok(Applied::Nothing), "the event was done");
        assert_eq!(apply("d3", None), Ok(Applied::Nothing));
        let older = event("evt_2", 9, Some(Moved { included: Some(1), ..Moved::default() }));
        assert_eq!(apply("d4", Some(&older)), Ok(Applied::Nothing));
        // By the customer from now on, and what the event does not tell stays.
        let by_customer =
            Event { user: None, ..event("evt_3", 11, Some(Moved { included: Some(60), ..Moved::default() })) };
        assert_eq!(apply("d5", Some(&by_customer)), Ok(Applied::Moved));
        let user = store.user(id).expect("it is there");
        assert_eq!((&*user.plan, user.included, user.prepaid, user.period), ("Premium", 60, 2, period));
        assert_eq!(user.customer.as_deref(), Some("cus_1"));
        let other = Event { subscription: "sub_0".to_owned(), ..event("evt_4", 12, None) };
        assert_eq!(store.apply("d6", Some(&other), NOW), Ok(Applied::Nothing), "another took its place");
        assert_eq!(store.apply("d7", Some(&event("evt_5", 12, None)), NOW), Ok(Applied::Moved));
        let user = store.user(id).expect("it is there");
        assert_eq!((&*user.plan, user.included, user.prepaid, user.period), ("Free", 0, 2, None));
    });
}

/// Tells a store of subscriptions: of which, how many seconds after `NOW` it was made, how many seconds after it the
/// event was, and whether the subscription is there. Gives the plan that the user has then.
fn plan_after<'a>(store: &'a mut dyn Books, id: i64) -> impl FnMut(&str, i64, i64, bool) -> String + 'a {
    let mut number = 0;
    move |subscription, since, created, is_there| {
        number += 1;
        let moved = Moved {
            plan: Some(subscription.to_owned()),
            included: Some(since),
            period: Some(Period { start: since, end: since + 9 }),
        };
        let event = Event {
            id: format!("evt_{number}"),
            created: NOW + created,
            user: Some("one".to_owned()),
            customer: None,
            subscription: subscription.to_owned(),
            since: NOW + since,
            moved: is_there.then_some(moved),
        };
        store.apply(&number.to_string(), Some(&event), NOW).expect("the store works");
        let user = store.user(id).expect("it is there");
        let expected = if user.plan == "Free" { None } else { Some(user.included) };
        assert_eq!(user.period.map(|period| period.start), expected, "all of it moves together");
        user.plan
    }
}

#[test]
fn of_two_subscriptions_the_newer_one_counts_and_after_its_end_the_older_one() {
    with_user(1, 0, None, |store, id, _| {
        let mut plan_after = plan_after(store, id);
        assert_eq!(plan_after("older", 1, 10, true), "older");
        assert_eq!(plan_after("newer", 20, 20, true), "newer");
        assert_eq!(plan_after("older", 1, 30, true), "newer", "whatever is told of the older one");
        assert_eq!(plan_after("newer", 20, 50, false), "older");
        assert_eq!(plan_after("newer", 20, 50, true), "older", "which came late");
        assert_eq!(plan_after("older", 1, 60, false), "Free");
        assert_eq!(plan_after("newer", 20, 49, true), "Free", "which came later still");
        assert_eq!(plan_after("newest", 50, 50, true), "newest", "which began when another ended");
    });
}

#[test]
fn events_of_two_subscriptions_count_in_whatever_order_they_come() {
    with_user(1, 0, None, |store, id, _| {
        let mut plan_after = plan_after(store, id);
        assert_eq!(plan_after("older", 1, 10, true), "older");
        // One is made in the second before the other ends, and that is told first.
        assert_eq!(plan_after("older", 1, 101, false), "Free");
        assert_eq!(plan_after("newer", 100, 100, true), "newer");
        assert_eq!(plan_after("older", 1, 100, true), "newer");
        assert_eq!(plan_after("newer", 100, 120, false), "Free");
        assert_eq!(plan_after("newer", 100, 130, true), "newer", "it goes on");
    });
}

#[test]
fn what_an_event_does_not_say_of_its_subscription_stays() {
    with_user(1, 0, None, |store, id, _| {
        assert_eq!(plan_after(store, id)("older", 1, 10, true), "older");
        let silent = Event {
            id: "silent".to_owned(),
            created: NOW + 20,
            user: Some("one".to_owned()),
            customer: None,
            subscription: "older".to_owned(),
            since: NOW + 1,
            moved: Some(Moved::default()),
        };
        store.apply("silent", Some(&silent), NOW).expect("the store works");
        let newer = |created, plan: Option<&str>| {
            let moved = plan.map(|plan| Moved { plan: Some(plan.to_owned()), ..Moved::default() });
            let (id, subscription) = (format!("newer {created}"), "newer".to_owned());
            Event { id, created: NOW + created, subscription, since: NOW + 30, moved, ..silent.clone() }
        };
        store.apply("newer", Some(&newer(30, Some("newer"))), NOW).expect("the store works");
        store.apply("ended", Some(&newer(40, None)), NOW).expect("the store works");
        let user = store.user(id).expect("it is there");
        assert_eq!((&*user.plan, user.included, user.period), ("older", 1, Some(Period { start: 1, end: 10 })));
    });
}

#[test]
fn the_end_of_one_that_nothing_was_told_of_ends_what_a_command_set_unless_another_counts() {
    with_user(1, 0, None, |store, id, _| {
        let set = || Change { plan: Some("set".to_owned()), included: Some(5), ..Change::default() };
        store.set_user("one", set()).expect("it is there");
        assert_eq!(plan_after(store, id)("unknown", 1, 10, false), "Free");
        let period = Some(Period { start: 5, end: 9 });
        store.set_user("one", Change { period, ..set() }).expect("it is there");
        let mut later = plan_after(store, id);
        assert_eq!(later("", 0, 0, false), "set", "a delivery that was there before");
        assert_eq!(later("unknown", 1, 20, false), "set", "it had ended");
        assert_eq!(later("one", 30, 30, true), "one");
        assert_eq!(later("another", 40, 40, false), "one");
    });
}

/// Accounts with one user, who has a single credit.
fn with_one_credit(test: impl AsyncFnOnce(&Accounts, &Holder)) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::Folder(folder.path().to_owned());
    let user = added(&mut *place::open_books(&place).expect("it opens"), "one", 1, 0, None);
    let accounts = Accounts::open(&place).expect("it opens");
    let holder = Holder { user, is_verified: true, via: Via::Api };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(test(&accounts, &holder));
}

/// Keeps the accounts' thread from its work until what this gives is dropped.
fn busy(accounts: &Accounts) -> mpsc::Sender<()> {
    let (done, wait) = mpsc::channel();
    accounts.work.send(Box::new(move |_| _ = wait.recv())).expect("the thread is there");
    done
}

/// Begins what has to wait.
async fn begun(mut work: std::pin::Pin<&mut impl Future>) {
    std::future::poll_fn(|context| {
        assert!(work.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

#[test]
fn a_credit_is_free_again_if_its_client_leaves_while_the_charge_waits() {
    with_one_credit(async |accounts, holder| {
        let hold = async || accounts.hold(holder).await.expect("the store works");
        let held = hold().await.expect("there is one");
        let done = busy(accounts);
        {
            let mut charge = std::pin::pin!(held.charge());
            begun(charge.as_mut()).await;
        }
        drop(done);
        hold().await.expect("it was given back").charge().await.expect("the store works");
        assert!(hold().await.is_err(), "that one was charged");
    });
}

#[test]
fn a_charge_is_taken_back_if_its_client_leaves_once_it_was_made() {
    with_one_credit(async |accounts, holder| {
        let hold = async || accounts.hold(holder).await.expect("the store works");
        let held = hold().await.expect("there is one");
        let done = busy(accounts);
        {
            let mut charge = std::pin::pin!(held.charge());
            begun(charge.as_mut()).await;
            drop(done);
            accounts.ask(|_, _| Ok(())).await.expect("the charge is made");
        }
        hold().await.expect("it was taken back").charge().await.expect("the store works");
        assert!(hold().await.is_err(), "that one was charged");
    });
}

#[test]
fn a_day_is_over_for_who_had_its_pictures_and_not_for_who_has_them_under_way() {
    with_one_credit(async |accounts, _| {
        let admit =
            async || accounts.admit("192.0.2.1".parse().expect("an address"), 1).await.expect("the store works");
        let refused = async || admit().await.err().expect("there was one").reset;
        let held = admit().await.expect("there is one");
        assert!(refused().await <= LEASE as u64, "it may be taken back soon");
        drop(held);
        admit().await.expect("it was taken back").charge().await.expect("the store works");
        assert!(refused().await.abs_diff((DAY - now().rem_euclid(DAY)) as u64) < 60, "until midnight");
    });
}

#[test]
fn work_goes_on_while_a_credit_cannot_be_held_longer() {
    with_one_credit(async |accounts, holder| {
        let held = accounts.hold(holder).await.expect("the store works").expect("there is one");
        let done = busy(accounts);
        let often = Duration::from_millis(1);
        let work = tokio::time::sleep(20 * often);
        let worked = tokio::time::timeout(PATIENCE / 2, held.renewed_during(work, often)).await;
        assert!(worked.is_ok(), "it waited for the accounts");
        drop(done);
    });
}
