//! Accounts in one file of SQLite, which several processes may use at once.
//!
//! Every change is a transaction that is on disk when the call returns, so that neither a killed process nor a
//! power cut takes back what was charged.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use subtle::ConstantTimeEq;

use super::calendar::{self, Period};
use super::secret::{self, Secret};
use super::stripe::{Event, Moved};
use super::{Applied, Change, Credential, Holder, LEASE, Reservation, Trouble, Used, User, Via};
use crate::rates::Left;

/// Seconds.
const DAY: i64 = 86_400;

/// How long to wait for a process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What brings a file from one version to the next.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL,
        verified INTEGER NOT NULL,
        plan TEXT NOT NULL,
        included INTEGER NOT NULL CHECK (included >= 0),
        prepaid INTEGER NOT NULL CHECK (prepaid >= 0),
        period_start INTEGER,
        period_end INTEGER
    ) STRICT;
    CREATE TABLE credentials (
        id TEXT PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        via TEXT NOT NULL,
        label TEXT NOT NULL,
        created INTEGER NOT NULL,
        last_used INTEGER
    ) STRICT;
    CREATE TABLE usage (
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        via TEXT NOT NULL,
        period TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (user, via, period)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE reservations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX reservations_of_user ON reservations (user);
",
    "
    CREATE TABLE anonymous (
        address TEXT NOT NULL,
        day INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (day, address)
    ) STRICT, WITHOUT ROWID;
",
    "
    ALTER TABLE users ADD COLUMN customer TEXT;
    ALTER TABLE users ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN subscription TEXT;
    CREATE UNIQUE INDEX users_by_customer ON users (customer) WHERE customer IS NOT NULL;
    CREATE TABLE deliveries (
        id TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

const USER: &str = "name, email, verified, plan, included, prepaid, period_start, period_end, customer";

/// For how long deliveries and events are remembered: Stripe sends an event again for three days at most.
const REMEMBERED: i64 = 7 * DAY;

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The accounts of one folder.
pub struct Embedded {
    connection: Connection,
}

impl Embedded {
    /// Opens the accounts in `folder`, which is made where it is missing, for nobody but this user.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub fn open(folder: &Path) -> Result<Self, Trouble> {
        let told = |error: &dyn std::fmt::Display| Trouble::Failed(format!("{}: {error}", folder.display()));
        private(folder).map_err(|error| told(&error))?;
        let file = folder.join("accounts.db");
        private_file(&file).map_err(|error| told(&error))?;
        let connection = Connection::open(file).map_err(|error| told(&error))?;
        let mut store = Self { connection };
        store.prepare().map_err(|error| told(&error))?;
        store.migrate()?;
        Ok(store)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        // SQLite does not wait where two make the same new file ready.
        let start = Instant::now();
        while let Err(error) = self.connection.pragma_update(None, "journal_mode", "WAL") {
            if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || start.elapsed() > PATIENCE {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "foreign_keys", true)
    }

    fn migrate(&mut self) -> Result<(), Trouble> {
        let transaction = self.change()?;
        let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let Some(missing) = MIGRATIONS.get(version as usize..) else {
            return Err(Trouble::Failed("they were written by a newer version of remrembg".to_owned()));
        };
        for migration in missing {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
        Ok(transaction.commit()?)
    }

    fn change(&mut self) -> Result<Transaction<'_>, Trouble> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// # Errors
    /// [`Trouble::Taken`], [`Trouble::Invalid`], [`Trouble::Failed`].
    pub fn add_user(&mut self, user: &User) -> Result<(), Trouble> {
        check(user)?;
        let transaction = self.change()?;
        if find(&transaction, &user.name)?.is_some() {
            return Err(Trouble::Taken(user.name.clone()));
        }
        check_customer(&transaction, user)?;
        transaction.execute(
            "INSERT INTO users (name, email, verified, plan, included, prepaid, period_start, period_end, customer)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                user.name,
                user.email,
                user.is_verified,
                user.plan,
                user.included,
                user.prepaid,
                user.period.map(|period| period.start),
                user.period.map(|period| period.end),
                user.customer,
            ],
        )?;
        Ok(transaction.commit()?)
    }

    /// Changes a user, and gives it as it is then.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Invalid`], [`Trouble::Failed`].
    pub fn set_user(&mut self, name: &str, change: Change) -> Result<User, Trouble> {
        let transaction = self.change()?;
        let (id, user) = find(&transaction, name)?.ok_or_else(|| unknown_user(name))?;
        let user = User {
            email: change.email.unwrap_or(user.email),
            is_verified: change.is_verified.unwrap_or(user.is_verified),
            plan: change.plan.unwrap_or(user.plan),
            included: change.included.unwrap_or(user.included),
            prepaid: change.prepaid.unwrap_or(user.prepaid).saturating_add(change.more_prepaid),
            period: change.period.or(user.period),
            customer: change.customer.or(user.customer),
            name: user.name,
        };
        check(&user)?;
        check_customer(&transaction, &user)?;
        transaction.execute(
            "UPDATE users SET email = ?, verified = ?, plan = ?, included = ?, prepaid = ?, period_start = ?,
             period_end = ?, customer = ? WHERE id = ?",
            params![
                user.email,
                user.is_verified,
                user.plan,
                user.included,
                user.prepaid,
                user.period.map(|period| period.start),
                user.period.map(|period| period.end),
                user.customer,
                id,
            ],
        )?;
        transaction.commit()?;
        Ok(user)
    }

    /// Removes a user with its keys, tokens and counters.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    pub fn remove_user(&mut self, name: &str) -> Result<(), Trouble> {
        match self.connection.execute("DELETE FROM users WHERE name = ?", [name])? {
            0 => Err(unknown_user(name)),
            _ => Ok(()),
        }
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub fn users(&self) -> Result<Vec<User>, Trouble> {
        let mut all = self.connection.prepare(&format!("SELECT {USER} FROM users ORDER BY name"))?;
        let users = all.query_map([], user_of)?.collect::<Result<_, _>>()?;
        Ok(users)
    }

    /// Makes a key, or a token: this is the only time that it is shown.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    pub fn create(&mut self, user: &str, via: Via, label: &str, now: i64) -> Result<(Secret, Credential), Trouble> {
        let prefix = if via == Via::Api { "rk" } else { "rt" };
        let secret = Secret::new(prefix).map_err(|error| Trouble::Failed(error.to_string()))?;
        let digest = secret.digest();
        let id = secret::id_of(&digest);
        let transaction = self.change()?;
        let (owner, _) = find(&transaction, user)?.ok_or_else(|| unknown_user(user))?;
        transaction.execute(
            "INSERT INTO credentials (id, digest, user, via, label, created) VALUES (?, ?, ?, ?, ?, ?)",
            params![id, digest, owner, via.name(), label, now],
        )?;
        transaction.commit()?;
        let (user, label) = (user.to_owned(), label.to_owned());
        Ok((secret, Credential { id, user, label, created: now, last_used: None }))
    }

    /// The keys, or the tokens, of one user or of all, the oldest first.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    pub fn credentials(&self, via: Via, user: Option<&str>) -> Result<Vec<Credential>, Trouble> {
        if let Some(name) = user {
            find(&self.connection, name)?.ok_or_else(|| unknown_user(name))?;
        }
        let mut all = self.connection.prepare(
            "SELECT credentials.id, name, label, created, last_used FROM credentials JOIN users ON users.id = user
             WHERE via = ?1 AND (?2 IS NULL OR name = ?2) ORDER BY created, credentials.id",
        )?;
        let read = |row: &Row<'_>| {
            let (id, user, label) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Credential { id, user, label, created: row.get(3)?, last_used: row.get(4)? })
        };
        let credentials = all.query_map(params![via.name(), user], read)?.collect::<Result<_, _>>()?;
        Ok(credentials)
    }

    /// Ends a key or a token.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    pub fn revoke(&mut self, via: Via, id: &str) -> Result<(), Trouble> {
        match self.connection.execute("DELETE FROM credentials WHERE id = ? AND via = ?", [id, via.name()])? {
            0 => Err(Trouble::Unknown(format!("{} '{id}'", if via == Via::Api { "key" } else { "token" }))),
            _ => Ok(()),
        }
    }

    /// Who holds the key or token with this digest.
    pub(crate) fn holder(&mut self, digest: &[u8; 32], via: Via, now: i64) -> Result<Option<Holder>, Trouble> {
        let id = secret::id_of(digest);
        let found = self
            .connection
            .query_row(
                "SELECT digest, user, verified FROM credentials JOIN users ON users.id = user
                 WHERE credentials.id = ? AND via = ?",
                params![id, via.name()],
                |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        let Some((_, user, is_verified)) = found.filter(|(known, _, _)| known.ct_eq(digest).into()) else {
            return Ok(None);
        };
        // Once a minute is exact enough, and spares the disk.
        self.connection.execute(
            "UPDATE credentials SET last_used = ?1 WHERE id = ?2 AND (last_used IS NULL OR last_used < ?1 - 60)",
            params![now, id],
        )?;
        Ok(Some(Holder { user, is_verified, via }))
    }

    /// Holds a credit for a removal, an included one where there is one; where there is none at all, tells so.
    pub(crate) fn reserve(&mut self, user: i64, via: Via, now: i64) -> Result<Result<Reservation, Left>, Trouble> {
        let transaction = self.change()?;
        transaction.execute("DELETE FROM reservations WHERE expires < ?", [now])?;
        let query = format!("SELECT {USER} FROM users WHERE id = ?");
        let owner = transaction.query_row(&query, [user], user_of).optional()?;
        let owner = owner.ok_or_else(|| Trouble::Unknown(format!("user {user}")))?;
        let month = calendar::month_key(calendar::month_of(now));
        let cycle = owner.running(now).map(|period| calendar::cycle_key(period.start));
        let used = used(&transaction, user, cycle.as_ref().unwrap_or(&month))?;
        let held: i64 =
            transaction.query_row("SELECT count(*) FROM reservations WHERE user = ?", [user], |row| row.get(0))?;
        let left = (owner.included - used).max(0).saturating_add(owner.prepaid);
        if held >= left {
            // What lapsed stays away.
            transaction.commit()?;
            let ends = owner.running(now).map_or_else(|| calendar::month_around(now).end, |period| period.end.max(now));
            // What is held may come back soon.
            let reset = if left > 0 { LEASE } else { ends + 1 - now };
            return Ok(Err(Left { limit: owner.included as u64, remaining: 0, reset: reset as u64 }));
        }
        let expires = now + LEASE;
        transaction.execute("INSERT INTO reservations (user, expires) VALUES (?, ?)", params![user, expires])?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(Ok(Reservation { id, user, via, month, cycle }))
    }

    /// Counts one of the `most` pictures a day of an address, and gives the day; where it had them all, tells so.
    pub(crate) fn admit(&mut self, address: IpAddr, most: u32, now: i64) -> Result<Result<i64, Left>, Trouble> {
        let day = now / DAY;
        let transaction = self.change()?;
        transaction.execute("DELETE FROM anonymous WHERE day < ?", [day])?;
        let counted = transaction.execute(
            "INSERT INTO anonymous (address, day, count) VALUES (?1, ?2, 1)
             ON CONFLICT DO UPDATE SET count = count + 1 WHERE count < ?3",
            params![address.to_string(), day, most],
        )?;
        transaction.commit()?;
        if counted > 0 {
            return Ok(Ok(day));
        }
        Ok(Err(Left { limit: most.into(), remaining: 0, reset: ((day + 1) * DAY - now) as u64 }))
    }

    /// Takes back what [`admit`](Self::admit) counted.
    pub(crate) fn dismiss(&mut self, address: IpAddr, day: i64) -> Result<(), Trouble> {
        let query = "UPDATE anonymous SET count = count - 1 WHERE address = ? AND day = ? AND count > 0";
        self.connection.execute(query, params![address.to_string(), day])?;
        Ok(())
    }

    /// Holds a credit for longer.
    pub(crate) fn renew(&mut self, id: i64, now: i64) -> Result<(), Trouble> {
        let expires = now + LEASE;
        self.connection.execute("UPDATE reservations SET expires = ? WHERE id = ?", params![expires, id])?;
        Ok(())
    }

    /// Charges what was reserved, in the periods in which it began: an included credit where one is left.
    pub(crate) fn settle(&mut self, reservation: &Reservation) -> Result<(), Trouble> {
        let Reservation { id, user, via, month, cycle } = reservation;
        let transaction = self.change()?;
        transaction.execute("DELETE FROM reservations WHERE id = ?", [id])?;
        let used = used(&transaction, *user, cycle.as_ref().unwrap_or(month))?;
        let prepaid = "UPDATE users SET prepaid = prepaid - 1 WHERE id = ? AND included <= ? AND prepaid > 0";
        if transaction.execute(prepaid, params![user, used])? == 0 {
            for period in [Some(month), cycle.as_ref()].into_iter().flatten() {
                // A user that was removed meanwhile has no counters.
                transaction.execute(
                    "INSERT INTO usage (user, via, period, count) SELECT id, ?2, ?3, 1 FROM users WHERE id = ?1
                     ON CONFLICT DO UPDATE SET count = count + 1",
                    params![user, via.name(), period],
                )?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Gives a credit back.
    pub(crate) fn release(&mut self, id: i64) -> Result<(), Trouble> {
        self.connection.execute("DELETE FROM reservations WHERE id = ?", [id])?;
        Ok(())
    }

    /// Does what an event of Stripe says, once; of one user's events the latest counts.
    pub(crate) fn apply(&mut self, delivery: &str, event: Option<&Event>, now: i64) -> Result<Applied, Trouble> {
        let transaction = self.change()?;
        transaction.execute("DELETE FROM deliveries WHERE at < ?", [now - REMEMBERED])?;
        let remember = "INSERT INTO deliveries (id, at) VALUES (?, ?) ON CONFLICT DO NOTHING";
        if transaction.execute(remember, params![delivery, now])? == 0 {
            return Ok(Applied::Replayed);
        }
        let applied = match event {
            Some(event) if transaction.execute(remember, params![event.id, now])? > 0 => moved(&transaction, event)?,
            // What was done already is sent again where its answer was lost.
            _ => Applied::Nothing,
        };
        // Sent again once the user is there, it is not one that was done.
        if applied != Applied::NoUser {
            transaction.commit()?;
        }
        Ok(applied)
    }

    /// A user by its number.
    pub(crate) fn user(&self, id: i64) -> Result<User, Trouble> {
        let query = format!("SELECT {USER} FROM users WHERE id = ?");
        let user = self.connection.query_row(&query, [id], user_of).optional()?;
        user.ok_or_else(|| Trouble::Unknown(format!("user {id}")))
    }

    /// The number of a user.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    pub(crate) fn id_of(&self, name: &str) -> Result<i64, Trouble> {
        find(&self.connection, name)?.map(|(id, _)| id).ok_or_else(|| unknown_user(name))
    }

    /// What a user's counters of one period say.
    pub(crate) fn used(&self, user: i64, period: &str) -> Result<Used, Trouble> {
        let of = |via: Via| {
            let query = "SELECT count FROM usage WHERE user = ? AND via = ? AND period = ?";
            let count =
                self.connection.query_row(query, params![user, via.name(), period], |row| row.get(0)).optional();
            count.map(Option::unwrap_or_default)
        };
        Ok(Used { app: of(Via::App)?, api: of(Via::Api)? })
    }

    /// The starts of the billing periods that have counters.
    pub(crate) fn cycles(&self, user: i64) -> Result<Vec<i64>, Trouble> {
        let query = "SELECT DISTINCT period FROM usage WHERE user = ? AND period LIKE 'cycle:%'";
        let mut all = self.connection.prepare(query)?;
        let keys = all.query_map([user], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(keys.iter().filter_map(|key| calendar::cycle_start(key)).collect())
    }
}

#[cfg(unix)]
fn private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

#[cfg(not(unix))]
fn private_file(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// Included credits that were used in a period.
fn used(connection: &Connection, user: i64, period: &str) -> rusqlite::Result<i64> {
    let query = "SELECT coalesce(sum(count), 0) FROM usage WHERE user = ? AND period = ?";
    connection.query_row(query, params![user, period], |row| row.get(0))
}

fn unknown_user(name: &str) -> Trouble {
    Trouble::Unknown(format!("user '{name}'"))
}

fn find(connection: &Connection, name: &str) -> Result<Option<(i64, User)>, Trouble> {
    let query = format!("SELECT {USER}, id FROM users WHERE name = ?");
    Ok(connection.query_row(&query, [name], |row| Ok((row.get("id")?, user_of(row)?))).optional()?)
}

fn user_of(row: &Row<'_>) -> rusqlite::Result<User> {
    let (start, end): (Option<i64>, Option<i64>) = (row.get("period_start")?, row.get("period_end")?);
    Ok(User {
        name: row.get("name")?,
        email: row.get("email")?,
        is_verified: row.get("verified")?,
        plan: row.get("plan")?,
        included: row.get("included")?,
        prepaid: row.get("prepaid")?,
        period: start.zip(end).map(|(start, end)| Period { start, end }),
        customer: row.get("customer")?,
    })
}

fn moved(transaction: &Transaction<'_>, event: &Event) -> Result<Applied, Trouble> {
    let Event { created, user, customer, subscription, moved, .. } = event;
    // Who is named is known by its customer from then on.
    let query = "SELECT id FROM users WHERE name = ?1 OR (?1 IS NULL AND customer = ?2)";
    let found: Option<i64> = transaction.query_row(query, params![user, customer], |row| row.get(0)).optional()?;
    let Some(found) = found else { return Ok(Applied::NoUser) };
    let changed = match moved {
        // Another subscription may have taken its place.
        None => transaction.execute(
            "UPDATE users SET last_event = ?2, plan = 'Free', included = 0, period_start = NULL, period_end = NULL,
             subscription = NULL
             WHERE id = ?1 AND last_event <= ?2 AND (subscription IS NULL OR subscription = ?3)",
            params![found, created, subscription],
        )?,
        Some(Moved { plan, included, period }) => {
            let period = period.filter(|Period { start, end }| 0 <= *start && start < end && *end <= calendar::LAST);
            transaction.execute(
                "UPDATE users SET last_event = ?2, plan = coalesce(?3, plan), included = coalesce(?4, included),
                 period_start = coalesce(?5, period_start), period_end = coalesce(?6, period_end), subscription = ?8,
                 customer = coalesce(customer, (SELECT ?7 WHERE NOT EXISTS (SELECT 1 FROM users WHERE customer = ?7)))
                 WHERE id = ?1 AND last_event <= ?2",
                params![
                    found,
                    created,
                    plan,
                    included.filter(|included| *included >= 0),
                    period.map(|period| period.start),
                    period.map(|period| period.end),
                    customer,
                    subscription,
                ],
            )?
        }
    };
    Ok(if changed == 0 { Applied::Nothing } else { Applied::Moved })
}

fn check_customer(connection: &Connection, user: &User) -> Result<(), Trouble> {
    let query = "SELECT name FROM users WHERE customer = ? AND name != ?";
    let other =
        connection.query_row(query, params![user.customer, user.name], |row| row.get::<_, String>(0)).optional()?;
    other.map_or(Ok(()), |other| Err(Trouble::Invalid(format!("The customer is that of '{other}' already"))))
}

fn check(user: &User) -> Result<(), Trouble> {
    let invalid = |what: &str| Err(Trouble::Invalid(what.to_owned()));
    if user.name.trim().is_empty() || user.name.len() > 100 {
        return invalid("The name of a user must have from 1 to 100 bytes");
    }
    if !user.email.contains('@') {
        return invalid("The e-mail address must have an @");
    }
    if user.included < 0 || user.prepaid < 0 {
        return invalid("Credits must be at least 0");
    }
    match user.period {
        Some(Period { start, end }) if !(0 <= start && start < end && end <= calendar::LAST) => {
            invalid("A billing period must end after it begins")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
impl Embedded {
    pub(super) fn set_counter(&self, user: i64, via: Via, period: &str, count: i64) {
        let query = "INSERT INTO usage (user, via, period, count) VALUES (?, ?, ?, ?)";
        self.connection.execute(query, params![user, via.name(), period, count]).expect("it is new");
    }
}

#[cfg(test)]
mod tests {
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
}
