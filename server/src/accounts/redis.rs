//! Accounts in a Redis, which the servers of several machines share.
//!
//! Every change is one script, so that nobody sees half of it. A script whose answer was lost is sent again: a change and a
//! charge have numbers of their own, and are made once however often they are asked for.
//!
//! | Key | Type | Holds |
//! |---|---|---|
//! | `user:{uid}` | hash | a user |
//! | `user:{uid}:billing_period_start`, `…_end` | number | its billing period |
//! | `user:{uid}:app_usage:{year}:{month}`, `…:cycle:{start}` | number | a counter; `api_usage` in the same way |
//! | `user:{uid}:counters`, `user:{uid}:credentials` | set | which of them there are |
//! | `user:{uid}:subscriptions` | hash | what was told of each at Stripe, as JSON |
//! | `user:{uid}:reservations` | sorted set | credits that are held, by when they lapse |
//! | `remrembg:users`, `remrembg:customers` | hash | numbers of users by name and by customer |
//! | `remrembg:credential:{kind}:{id}` | hash | a key or a token, as a digest |
//! | `remrembg:settled:{id}`, `…:stripe:{id}`, `…:done:{id}` | text | what was done, for as long as it may be asked for again |
//! | `remrembg:anonymous:{day}:{address}` | set | pictures of an address |
//! | `remrembg:pace:{who}` | number | requests in a short time |

mod link;
mod scripts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use redis::{FromRedisValue, ScriptInvocation, cmd, pipe};
use subtle::ConstantTimeEq;

use super::calendar::{self, Period};
use super::left;
use super::secret::{self, Secret, digest};
use super::store::{Books, Store, Url, check};
use super::stripe::{Event, Moved};
use super::{Applied, Change, Charged, Credential, DAY, Holder, LATE, LEASE, Left, REMEMBERED, Reservation};
use super::{Trouble, Turn, Used, User, Via, Who};
use crate::limits;
use link::Link;
use scripts::Scripts;

/// The accounts of one Redis.
pub(super) struct Redis {
    link: Link,
    scripts: Scripts,
    /// What was taken without an answer, or could not be given back: nobody had a picture for it.
    owed: Vec<Owed>,
}

/// What is given back once Redis is there again.
enum Owed {
    Credit(Reservation),
    Turn(Turn),
}

impl Redis {
    /// It is connected to when it is first asked for something.
    ///
    /// # Errors
    /// [`Trouble::Invalid`].
    pub(super) fn new(url: &Url) -> Result<Self, Trouble> {
        Ok(Self { link: Link::new(url)?, scripts: Scripts::new(), owed: Vec::new() })
    }

    fn run<T: FromRedisValue>(link: &mut Link, script: &ScriptInvocation<'_>) -> Result<T, Trouble> {
        link.run(|connection| script.invoke(connection))
    }

    /// For a change, which is made once even if it is sent twice.
    fn once<T: FromRedisValue>(link: &mut Link, script: &mut ScriptInvocation<'_>) -> Result<T, Trouble> {
        Self::run(link, script.key(secret::number()?))
    }

    fn give_back(&mut self) -> Result<(), Trouble> {
        while let Some(what) = self.owed.last() {
            match what {
                Owed::Credit(reservation) => {
                    Self::run::<()>(&mut self.link, &of_charge(&self.scripts.refund, reservation))?;
                }
                Owed::Turn(turn) => Self::forget(&mut self.link, turn)?,
            }
            self.owed.pop();
        }
        Ok(())
    }

    fn forget(link: &mut Link, Turn { address, day, id }: &Turn) -> Result<(), Trouble> {
        let key = format!("remrembg:anonymous:{day}:{address}");
        link.run(|connection| cmd("SREM").arg(&key).arg(id).exec(connection))
    }
}

/// A script that takes what is charged.
fn of_charge<'a>(script: &'a redis::Script, reservation: &Reservation) -> ScriptInvocation<'a> {
    let Reservation { id, user, via, month, cycle } = reservation;
    let mut invocation = script.arg(user);
    invocation.arg(id).arg(via.name()).arg(month).arg(cycle.as_deref().unwrap_or_default()).arg(DAY);
    invocation
}

/// The first and the last second, or nothing twice.
fn ends(period: Option<Period>) -> [String; 2] {
    period.map_or_else(Default::default, |Period { start, end }| [start.to_string(), end.to_string()])
}

/// What a script tells of a user that it adds or changes.
fn told(name: &str, told: &[String]) -> Result<(), Trouble> {
    match told.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["taken"] => Err(Trouble::Taken(name.to_owned())),
        ["unknown"] => Err(Trouble::no_user(name)),
        ["customer", other] => Err(Trouble::customer_of(other)),
        _ => Ok(()),
    }
}

impl Store for Redis {
    fn add_user(&mut self, user: &User) -> Result<(), Trouble> {
        check(user)?;
        let mut script = self.scripts.add_user.arg(&user.name);
        script.arg(user.customer.as_deref().unwrap_or_default()).arg(&ends(user.period));
        script
            .arg("email")
            .arg(&user.email)
            .arg("verified")
            .arg(u8::from(user.is_verified))
            .arg("plan")
            .arg(&user.plan);
        script.arg("included").arg(user.included).arg("prepaid").arg(user.prepaid);
        told(&user.name, &Self::once::<Vec<String>>(&mut self.link, &mut script)?)
    }

    fn set_user(&mut self, name: &str, change: Change) -> Result<User, Trouble> {
        let id = self.id_of(name)?;
        change.onto(self.user(id)?)?;
        let mut script = self.scripts.set_user.arg(id);
        script.arg(change.customer.unwrap_or_default()).arg(&ends(change.period)).arg(change.more_prepaid);
        let verified = change.is_verified.map(|is_verified| u8::from(is_verified).to_string());
        let numbers = [change.included, change.prepaid].map(|number| number.map(|number| number.to_string()));
        let [included, prepaid] = numbers;
        let fields = ["email", "verified", "plan", "included", "prepaid"];
        for (field, text) in fields.into_iter().zip([change.email, verified, change.plan, included, prepaid]) {
            if let Some(text) = text {
                script.arg(field).arg(text);
            }
        }
        told(name, &Self::once::<Vec<String>>(&mut self.link, &mut script)?)?;
        self.user(id)
    }

    fn remove_user(&mut self, name: &str) -> Result<(), Trouble> {
        match Self::once(&mut self.link, &mut self.scripts.remove_user.arg(name))? {
            0 => Err(Trouble::no_user(name)),
            _ => Ok(()),
        }
    }

    fn users(&mut self) -> Result<Vec<User>, Trouble> {
        let all: HashMap<String, i64> =
            self.link.run(|connection| cmd("HGETALL").arg("remrembg:users").query(connection))?;
        let mut users = Vec::new();
        for id in all.into_values() {
            match self.user(id) {
                // Removed meanwhile.
                Err(Trouble::Unknown(_)) => {}
                user => users.push(user?),
            }
        }
        users.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(users)
    }

    fn create(&mut self, user: &str, via: Via, label: &str, now: i64) -> Result<(Secret, Credential), Trouble> {
        let secret = Secret::of(via)?;
        let digest = secret.digest();
        let id = secret::id_of(&digest);
        let mut script = self.scripts.create.arg(user);
        script.arg(via.name()).arg(&id).arg("digest").arg(&digest[..]).arg("label").arg(label).arg("created").arg(now);
        if Self::run(&mut self.link, &script)? {
            let (user, label) = (user.to_owned(), label.to_owned());
            return Ok((secret, Credential { id, user, label, created: now, last_used: None }));
        }
        Err(Trouble::no_user(user))
    }

    fn credentials(&mut self, via: Via, user: Option<&str>) -> Result<Vec<Credential>, Trouble> {
        let users = match user {
            Some(name) => vec![name.to_owned()],
            None => self.users()?.into_iter().map(|user| user.name).collect(),
        };
        let mut credentials = Vec::new();
        for user in users {
            let key = format!("user:{}:credentials", self.id_of(&user)?);
            let all: Vec<String> = self.link.run(|connection| cmd("SMEMBERS").arg(&key).query(connection))?;
            for id in all.iter().filter_map(|credential| credential.strip_prefix(via.name())?.strip_prefix(':')) {
                let key = format!("remrembg:credential:{}:{id}", via.name());
                let fields = ["label", "created", "last_used"];
                let read: (Option<String>, Option<i64>, Option<i64>) =
                    self.link.run(|connection| cmd("HMGET").arg(&key).arg(&fields).query(connection))?;
                // Without these it was revoked meanwhile.
                if let (Some(label), Some(created), last_used) = read {
                    credentials.push(Credential { id: id.to_owned(), user: user.clone(), label, created, last_used });
                }
            }
        }
        credentials.sort_unstable_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        Ok(credentials)
    }

    fn revoke(&mut self, via: Via, id: &str) -> Result<(), Trouble> {
        match Self::once(&mut self.link, self.scripts.revoke.arg(via.name()).arg(id))? {
            0 => Err(Trouble::no_credential(via, id)),
            _ => Ok(()),
        }
    }

    fn id_of(&mut self, name: &str) -> Result<i64, Trouble> {
        let found: Option<i64> =
            self.link.run(|connection| cmd("HGET").arg("remrembg:users").arg(name).query(connection))?;
        found.ok_or_else(|| Trouble::no_user(name))
    }

    fn user(&mut self, id: i64) -> Result<User, Trouble> {
        let (mut fields, start, end): (HashMap<String, String>, Option<i64>, Option<i64>) =
            self.link.run(|connection| {
                let [start, end] = ["start", "end"].map(|end| format!("user:{id}:billing_period_{end}"));
                pipe().atomic().hgetall(format!("user:{id}")).get(start).get(end).query(connection)
            })?;
        let name = fields.remove("name").ok_or_else(|| Trouble::no_number(id))?;
        let mut text = |field: &str| fields.remove(field).unwrap_or_default();
        Ok(User {
            name,
            email: text("email"),
            is_verified: text("verified") == "1",
            plan: text("plan"),
            included: text("included").parse().unwrap_or(0),
            prepaid: text("prepaid").parse().unwrap_or(0),
            customer: Some(text("customer")).filter(|customer| !customer.is_empty()),
            period: start.zip(end).map(|(start, end)| Period { start, end }),
        })
    }

    fn used(&mut self, user: i64, period: &str) -> Result<Used, Trouble> {
        let counters = [Via::App, Via::Api].map(|via| format!("user:{user}:{}_usage:{period}", via.name()));
        let (app, api): (Option<i64>, Option<i64>) =
            self.link.run(|connection| cmd("MGET").arg(&counters).query(connection))?;
        Ok(Used { app: app.unwrap_or(0), api: api.unwrap_or(0) })
    }

    fn cycles(&mut self, user: i64) -> Result<Vec<i64>, Trouble> {
        let key = format!("user:{user}:counters");
        let all: Vec<String> = self.link.run(|connection| cmd("SMEMBERS").arg(&key).query(connection))?;
        let mut starts: Vec<_> =
            all.iter().filter_map(|counter| calendar::cycle_start(counter.split_once("_usage:")?.1)).collect();
        starts.sort_unstable();
        starts.dedup();
        Ok(starts)
    }
}

impl Books for Redis {
    fn now(&mut self) -> i64 {
        self.link.now()
    }

    fn holder(&mut self, digest: &[u8; 32], via: Via, now: i64) -> Result<Option<Holder>, Trouble> {
        let id = secret::id_of(digest);
        let found: Option<(Vec<u8>, i64, Option<i64>, bool)> =
            Self::run(&mut self.link, self.scripts.holder.arg(via.name()).arg(&id))?;
        let Some((_, user, last_used, is_verified)) = found.filter(|found| found.0.ct_eq(digest).into()) else {
            return Ok(None);
        };
        // Once a minute is exact enough.
        if last_used.is_none_or(|last_used| last_used < now - 60) {
            Self::run::<()>(&mut self.link, self.scripts.touch.arg(via.name()).arg(&id).arg(now))?;
        }
        Ok(Some(Holder { user, is_verified, via }))
    }

    fn reserve(&mut self, user: i64, via: Via, now: i64) -> Result<Result<Reservation, Left>, Trouble> {
        self.give_back()?;
        let (id, month) = (secret::number()?, calendar::month_key(calendar::month_of(now)));
        let mut script = self.scripts.reserve.arg(user);
        script.arg(id).arg(now).arg(now + LEASE).arg(&month).arg(LATE);
        let told: Vec<String> = Self::run(&mut self.link, &script)?;
        match told.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["held", cycle] => {
                let cycle = Some(cycle.to_owned()).filter(|cycle| !cycle.is_empty());
                Ok(Ok(Reservation { id, user, via, month, cycle }))
            }
            ["none", included, left, end] => {
                let [included, left] = [included, left].map(|number| number.parse().unwrap_or(0));
                Ok(Err(left::of_credits(included, left, end.parse().ok(), now)))
            }
            _ => Err(Trouble::no_number(user)),
        }
    }

    fn renew(&mut self, reservation: &Reservation, now: i64) -> Result<(), Trouble> {
        let key = format!("user:{}:reservations", reservation.user);
        let (id, expires) = (reservation.id, now + LEASE);
        self.link.run(|connection| cmd("ZADD").arg(&key).arg("XX").arg(expires).arg(id).exec(connection))
    }

    fn settle(&mut self, reservation: &Reservation) -> Result<Charged, Trouble> {
        let charged: Result<String, _> = Self::run(&mut self.link, &of_charge(&self.scripts.settle, reservation));
        match charged.as_deref() {
            Ok("included") => Ok(Charged::Included),
            Ok("prepaid") => Ok(Charged::Prepaid),
            Ok(_) => Err(Trouble::Failed("it was given back already".to_owned())),
            Err(trouble) => {
                self.owed.push(Owed::Credit(reservation.clone()));
                Err(trouble.clone())
            }
        }
    }

    fn refund(&mut self, reservation: &Reservation, _: Charged) -> Result<(), Trouble> {
        self.owed.push(Owed::Credit(reservation.clone()));
        self.give_back()
    }

    fn release(&mut self, reservation: &Reservation) -> Result<(), Trouble> {
        let (key, id) = (format!("user:{}:reservations", reservation.user), reservation.id);
        self.link.run(|connection| cmd("ZREM").arg(&key).arg(id).exec(connection))
    }

    fn admit(&mut self, address: IpAddr, most: u32, now: i64) -> Result<Result<Turn, Left>, Trouble> {
        self.give_back()?;
        let turn = Turn { address, day: now / DAY, id: secret::number()? };
        let mut script = self.scripts.admit.arg(turn.day);
        script.arg(address.to_string()).arg(turn.id).arg(most).arg(2 * DAY);
        match Self::run(&mut self.link, &script) {
            Ok(true) => Ok(Ok(turn)),
            Ok(false) => Ok(Err(left::of_day(most, now))),
            Err(trouble) => {
                self.owed.push(Owed::Turn(turn));
                Err(trouble)
            }
        }
    }

    fn dismiss(&mut self, turn: &Turn) -> Result<(), Trouble> {
        self.owed.push(Owed::Turn(*turn));
        self.give_back()
    }

    fn apply(&mut self, delivery: &str, event: Option<&Event>, now: i64) -> Result<Applied, Trouble> {
        let mut script = self.scripts.apply.arg(delivery);
        script.arg(REMEMBERED);
        if let Some(Event { id, created, user, customer, subscription, since, moved }) = event {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            script.arg(id).arg(text(user)).arg(text(customer)).arg(created).arg(subscription).arg(since);
            let Moved { plan, included, period } = moved.clone().unwrap_or_default();
            let included = included.filter(|included| *included >= 0).map(|included| included.to_string());
            script.arg(if moved.is_some() { "moved" } else { "ended" }).arg(text(&plan)).arg(text(&included));
            script.arg(&ends(period.filter(Period::is_valid))).arg(now);
        } else {
            script.arg("");
        }
        let applied: String = Self::once(&mut self.link, &mut script)?;
        Ok(match &*applied {
            "moved" => Applied::Moved,
            "no user" => Applied::NoUser,
            "replayed" => Applied::Replayed,
            _ => Applied::Nothing,
        })
    }

    fn pace(&mut self, who: Who, most: u32) -> Result<Option<Result<Left, Left>>, Trouble> {
        let who = match who {
            Who::User(id) => format!("user:{id}"),
            Who::Address(address) => format!("address:{}", self.place(address)?),
        };
        let (is_within, rest): (bool, u64) = Self::run(&mut self.link, self.scripts.pace.arg(who).arg(most))?;
        Ok(Some(if is_within { Ok(Left::within(most, rest)) } else { Err(Left::wait(most, rest)) }))
    }

    #[cfg(test)]
    fn set_counter(&mut self, user: i64, via: Via, period: &str, count: i64) {
        let counter = format!("{}_usage:{period}", via.name());
        let key = format!("user:{user}:{counter}");
        let set = |connection: &mut redis::Connection| {
            pipe().set(&key, count).sadd(format!("user:{user}:counters"), &counter).exec(connection)
        };
        self.link.run(set).expect("the store works");
    }
}

impl Redis {
    /// The place that an address shares with others, so that there are no more of them than in a server's own table.
    fn place(&mut self, address: IpAddr) -> Result<u64, Trouble> {
        let secret = self.link.secret()?;
        let [a, b, c, d, e, f, g, h, ..] = digest(&[secret, address.to_string().as_bytes()].concat());
        Ok(limits::place(u64::from_le_bytes([a, b, c, d, e, f, g, h])))
    }
}
