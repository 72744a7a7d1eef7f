//! Who may remove how many backgrounds: users, their keys and tokens, credits and use.
//!
//! Included credits count by billing period, or by calendar month where a user has none; prepaid ones are
//! used up after them. A removal is reserved before its upload, and charged when it is answered with 200: a
//! reservation whose process died lapses by itself.

mod calendar;
mod embedded;
mod left;
mod place;
mod redis;
mod report;
mod secret;
mod store;
pub(crate) mod stripe;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::oneshot;

use crate::limits::{Left, Who};

pub(crate) use calendar::LAST;
pub use calendar::Period;
pub use place::{Place, open};
pub(crate) use report::of as report_of;
pub use report::{Balance, Counted, Cycle, Query, Report};
pub use secret::Secret;
pub(crate) use secret::digest;
pub(crate) use store::Books;
pub use store::{Store, Url};

/// Seconds after the end of a billing period within which the next one should be told.
const LATE: i64 = DAY;
/// Seconds for which a reservation holds unless it is renewed.
const LEASE: i64 = 45;
/// A day, in seconds.
const DAY: i64 = 86_400;
/// For how long deliveries and events are remembered: Stripe sends an event again for three days at most.
const REMEMBERED: i64 = 7 * DAY;
/// How long a request waits for the accounts.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often that is done.
const RENEW: Duration = Duration::from_secs(15);

/// Why accounts cannot be read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no such user, key or token.
    Unknown(String),
    /// There is a user of that name already.
    Taken(String),
    /// What was given cannot be.
    Invalid(String),
    /// The store cannot be opened, read or written.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "There is no {what}"),
            Self::Taken(name) => write!(f, "There is a user '{name}' already"),
            Self::Invalid(what) => f.write_str(what),
            Self::Failed(why) => write!(f, "The accounts cannot be read or written: {why}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// A user, as commands set and show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Unique, and what commands call it by.
    pub name: String,
    /// The address to reach it by.
    pub email: String,
    /// Whether that address was shown to be the user's.
    #[serde(rename = "emailVerified")]
    pub is_verified: bool,
    /// The name of the plan.
    #[serde(rename = "membership")]
    pub plan: String,
    /// Removals that each period includes.
    #[serde(rename = "credits")]
    pub included: i64,
    /// Removals that were paid for beyond those.
    #[serde(rename = "prepaidCredits")]
    pub prepaid: i64,
    /// The billing period that runs, where one was set.
    #[serde(rename = "billingPeriod")]
    pub period: Option<Period>,
    /// The customer that the user is at Stripe.
    #[serde(rename = "stripeCustomer")]
    pub customer: Option<String>,
}

impl User {
    /// The billing period by which credits count. One that has long ended does not: its successor was never told.
    pub(crate) fn running(&self, now: i64) -> Option<Period> {
        self.period.filter(|period| now <= period.end + LATE)
    }
}

/// What is to change about a user; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// See [`User::email`].
    pub email: Option<String>,
    /// See [`User::is_verified`].
    pub is_verified: Option<bool>,
    /// See [`User::plan`].
    pub plan: Option<String>,
    /// See [`User::included`].
    pub included: Option<i64>,
    /// See [`User::prepaid`].
    pub prepaid: Option<i64>,
    /// To be added to that.
    pub more_prepaid: i64,
    /// See [`User::period`].
    pub period: Option<Period>,
    /// See [`User::customer`].
    pub customer: Option<String>,
}

/// What a removal counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// A user token: use of an app.
    App,
    /// An API key: use of the API.
    Api,
}

impl Via {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Api => "api",
        }
    }
}

/// A key or a token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// What commands call it by.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What it is for.
    pub label: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds; `None` where it was never used.
    #[serde(rename = "lastUsed")]
    pub last_used: Option<i64>,
}

/// Who calls, by a key or a token that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) user: i64,
    pub(crate) is_verified: bool,
    pub(crate) via: Via,
}

/// Removals that were charged to included credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// With user tokens.
    pub app: i64,
    /// With API keys.
    pub api: i64,
}

/// A removal that is under way, and what it will be charged to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    id: i64,
    user: i64,
    via: Via,
    /// The key of the month in which it began.
    month: String,
    /// That of the billing period, where there is one.
    cycle: Option<String>,
}

impl Reservation {
    /// The periods whose counters an included credit counts in.
    fn periods(&self) -> impl Iterator<Item = &String> {
        [Some(&self.month), self.cycle.as_ref()].into_iter().flatten()
    }
}

/// What a removal was charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charged {
    Included,
    Prepaid,
}

/// One of the pictures that an address may have a day: counted at once, and taken back where none came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    address: IpAddr,
    /// Since 1970.
    day: i64,
    /// Where the store tells turns apart.
    id: i64,
}

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    Moved,
    /// It says nothing here, or nothing new.
    Nothing,
    NoUser,
    /// This very delivery was there before.
    Replayed,
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

type Work = Box<dyn FnOnce(&mut dyn Books) + Send>;

/// The accounts as the server asks for them: on a thread of their own, since a store waits for a disk or a network.
pub(crate) struct Accounts {
    work: Sender<Work>,
    /// How many pictures without an account are under way here, by address: what they count may be taken back.
    turns: Mutex<HashMap<IpAddr, u32>>,
}

impl Accounts {
    /// # Errors
    /// [`Trouble::Failed`].
    pub(crate) fn open(place: &Place) -> Result<Self, Trouble> {
        let mut store = place::open_books(place)?;
        let (work, inbox) = mpsc::channel::<Work>();
        thread::Builder::new()
            .name("remrembg-accounts".to_owned())
            .spawn(move || {
                for work in inbox {
                    // Whoever asked hears that there is no answer; the next one is served.
                    let _ = panic::catch_unwind(AssertUnwindSafe(|| work(&mut *store)));
                }
            })
            .map_err(|error| Trouble::Failed(error.to_string()))?;
        Ok(Self { work, turns: Mutex::default() })
    }

    /// Waits until all that was given back before is given back, but no longer than `most`.
    pub(crate) fn finish(&self, most: Duration) {
        let (tell, told) = mpsc::channel();
        // Whether that was in time is nothing that changes what comes next.
        let _ = self.work.send(Box::new(move |_| _ = tell.send(())));
        let _ = told.recv_timeout(most);
    }

    /// Does `work`, which is given the time too, on that thread.
    ///
    /// # Errors
    /// Those of `work`; [`Trouble::Failed`] where it takes too long.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Books, i64) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.ask_or_undo(work, |_, _| ()).await
    }

    /// As [`ask`](Self::ask); what nobody waits for any more is not begun, or else undone.
    async fn ask_or_undo<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Books, i64) -> Result<T, Trouble> + Send + 'static,
        undo: impl FnOnce(&mut dyn Books, T) + Clone + Send + 'static,
    ) -> Result<T, Trouble> {
        let failed = |why: &str| Trouble::Failed(why.to_owned());
        let (tell, told) = oneshot::channel();
        let mut answer = Answer { accounts: self, told, undo: Some(undo.clone()) };
        let work = move |store: &mut dyn Books| {
            if tell.is_closed() {
                return;
            }
            let now = store.now();
            if let Err(Ok(made)) = tell.send(work(store, now)) {
                undo(store, made);
            }
        };
        self.work.send(Box::new(work)).map_err(|_| failed("their thread has ended"))?;
        match tokio::time::timeout(PATIENCE, &mut answer.told).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(failed("their thread gave up"))),
            Err(_) => Err(failed("they are not to be had in time")),
        }
    }

    /// Holds a credit for a removal that begins now, or tells when there are some again.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(crate) async fn hold(&self, holder: &Holder) -> Result<Result<Held<'_>, Left>, Trouble> {
        let (user, via) = (holder.user, holder.via);
        let undo = |store: &mut dyn Books, reserved: Result<Reservation, Left>| {
            drop(reserved.map(|reservation| store.release(&reservation)));
        };
        let reserved = self.ask_or_undo(move |store, now| store.reserve(user, via, now), undo).await?;
        Ok(reserved.map(|reservation| Held { accounts: self, what: Some(What::Credit(reservation)) }))
    }

    /// Holds one of the `most` pictures a day of who has no account, or tells when there are some again.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(crate) async fn admit(&self, address: IpAddr, most: u32) -> Result<Result<Held<'_>, Left>, Trouble> {
        let undo = |store: &mut dyn Books, turn: Result<Turn, Left>| {
            drop(turn.map(|turn| store.dismiss(&turn)));
        };
        let admitted = self.ask_or_undo(move |store, now| store.admit(address, most, now), undo).await?;
        let mut turns = self.turns();
        Ok(match admitted {
            Ok(turn) => {
                *turns.entry(address).or_default() += 1;
                Ok(Held { accounts: self, what: Some(What::Turn(turn)) })
            }
            // One of those may be taken back soon.
            Err(left) if turns.contains_key(&address) => Err(Left { reset: left.reset.min(LEASE as u64), ..left }),
            Err(left) => Err(left),
        })
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_turn(&self, address: IpAddr) {
        if let Entry::Occupied(mut count) = self.turns().entry(address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// Whether one more request is within `most` a minute; `None` where each server counts its own.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(crate) async fn pace(&self, who: Who, most: u32) -> Result<Option<Result<Left, Left>>, Trouble> {
        self.ask(move |store, _| store.pace(who, most)).await
    }
}

/// What the accounts' thread will say. If that was said, and nobody took it, it is undone.
struct Answer<'a, T: Send + 'static, U: FnOnce(&mut dyn Books, T) + Send + 'static> {
    accounts: &'a Accounts,
    told: oneshot::Receiver<Result<T, Trouble>>,
    undo: Option<U>,
}

impl<T: Send + 'static, U: FnOnce(&mut dyn Books, T) + Send + 'static> Drop for Answer<'_, T, U> {
    fn drop(&mut self) {
        self.told.close();
        if let (Ok(Ok(made)), Some(undo)) = (self.told.try_recv(), self.undo.take()) {
            // Where the thread has ended, nothing can be undone.
            let _ = self.accounts.work.send(Box::new(move |store| undo(store, made)));
        }
    }
}

/// What a removal will cost.
#[derive(Clone)]
enum What {
    Credit(Reservation),
    Turn(Turn),
}

/// What is given back when this is dropped, unless it was charged.
pub(crate) struct Held<'a> {
    accounts: &'a Accounts,
    what: Option<What>,
}

impl Held<'_> {
    /// Keeps a credit while `work` goes on, which does not wait for that.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        self.renewed_during(work, RENEW).await
    }

    async fn renewed_during<T>(&self, work: impl Future<Output = T>, often: Duration) -> T {
        let kept = async {
            loop {
                tokio::time::sleep(often).await;
                // It is charged at the end even if it lapses.
                if let Err(error) = self.renewed().await {
                    tracing::warn!(%error, "a credit could not be held longer");
                }
            }
        };
        tokio::select! {
            done = work => done,
            never = kept => never,
        }
    }

    async fn renewed(&self) -> Result<(), Trouble> {
        let Some(What::Credit(reservation)) = self.what.clone() else { return Ok(()) };
        self.accounts.ask(move |store, now| store.renew(&reservation, now)).await
    }

    /// Charges the removal. Unless that comes to its end, it is given back.
    ///
    /// # Errors
    /// [`Trouble::Failed`]: then it is not charged.
    pub(crate) async fn charge(mut self) -> Result<(), Trouble> {
        if let Some(What::Turn(turn)) = self.what {
            self.accounts.end_turn(turn.address);
        }
        if let Some(What::Credit(reservation)) = self.what.clone() {
            let charged = reservation.clone();
            let undo = move |store: &mut dyn Books, to| {
                if let Err(error) = store.refund(&charged, to) {
                    tracing::warn!(%error, "a charge that came too late could not be taken back");
                }
            };
            self.accounts.ask_or_undo(move |store, _| store.settle(&reservation), undo).await?;
        }
        self.what = None;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Some(what) = self.what.take() else { return };
        if let What::Turn(turn) = what {
            self.accounts.end_turn(turn.address);
        }
        let back = move |store: &mut dyn Books| {
            drop(match what {
                What::Credit(reservation) => store.release(&reservation),
                What::Turn(turn) => store.dismiss(&turn),
            });
        };
        // Where the thread has ended, a reservation lapses.
        let _ = self.accounts.work.send(Box::new(back));
    }
}
