//! Accounts in one file of SQLite, which several processes may use at once.
//!
//! Every change is a transaction that is on disk when the call returns, so that neither a killed process nor a
//! power cut takes back what was charged.

mod file;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use subtle::ConstantTimeEq;

use super::calendar::{self, Period};
use super::left;
use super::secret::{self, Secret};
use super::store::{Books, Store, check};
use super::stripe::Event;
use super::{Applied, Change, Charged, Credential, DAY, Holder, LEASE, Left, REMEMBERED, Reservation, Trouble};
use super::{Turn, Used, User, Via, Who};

const USER: &str = "name, email, verified, plan, included, prepaid, period_start, period_end, customer";

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The accounts of one folder.
pub(super) struct Embedded {
    connection: Connection,
}

impl Embedded {
    /// Opens the accounts in `folder`, which is made where it is missing, for nobody but this user.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(super) fn open(folder: &Path) -> Result<Self, Trouble> {
        let opened = file::open(folder);
        let told = |error| Trouble::Failed(format!("{}: {error}", folder.display()));
        opened.map(|connection| Self { connection }).map_err(told)
    }

    fn change(&mut self) -> Result<Transaction<'_>, Trouble> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

impl Store for Embedded {
    fn add_user(&mut self, user: &User) -> Result<(), Trouble> {
        check(user)?;
        let transaction = self.change()?;
        if find(&transaction, &user.name)?.is_some() {
            return Err(Trouble::Taken(user.name.clone()));
        }
        check_customer(&transaction, user)?;
        save(&transaction, user)?;
        Ok(transaction.commit()?)
    }

    fn set_user(&mut self, name: &str, change: Change) -> Result<User, Trouble> {
        let transaction = self.change()?;
        let (_, user) = find(&transaction, name)?.ok_or_else(|| Trouble::no_user(name))?;
        let user = change.onto(user)?;
        check_customer(&transaction, &user)?;
        save(&transaction, &user)?;
        transaction.commit()?;
        Ok(user)
    }

    fn remove_user(&mut self, name: &str) -> Result<(), Trouble> {
        match self.connection.execute("DELETE FROM users WHERE name = ?", [name])? {
            0 => Err(Trouble::no_user(name)),
            _ => Ok(()),
        }
    }

    fn users(&mut self) -> Result<Vec<User>, Trouble> {
        let mut all = self.connection.prepare(&format!("SELECT {USER} FROM users ORDER BY name"))?;
        let users = all.query_map([], user_of)?.collect::<Result<_, _>>()?;
        Ok(users)
    }

    fn create(&mut self, user: &str, via: Via, label: &str, now: i64) -> Result<(Secret, Credential), Trouble> {
        let secret = Secret::of(via)?;
        let digest = secret.digest();
        let id = secret::id_of(&digest);
        let transaction = self.change()?;
        let (owner, _) = find(&transaction, user)?.ok_or_else(|| Trouble::no_user(user))?;
        transaction.execute(
            "INSERT INTO credentials (id, digest, user, via, label, created) VALUES (?, ?, ?, ?, ?, ?)",
            params![id, digest, owner, via.name(), label, now],
        )?;
        transaction.commit()?;
        let (user, label) = (user.to_owned(), label.to_owned());
        Ok((secret, Credential { id, user, label, created: now, last_used: None }))
    }

    fn credentials(&mut self, via: Via, user: Option<&str>) -> Result<Vec<Credential>, Trouble> {
        if let Some(name) = user {
            find(&self.connection, name)?.ok_or_else(|| Trouble::no_user(name))?;
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

    fn revoke(&mut self, via: Via, id: &str) -> Result<(), Trouble> {
        match self.connection.execute("DELETE FROM credentials WHERE id = ? AND via = ?", [id, via.name()])? {
            0 => Err(Trouble::no_credential(via, id)),
            _ => Ok(()),
        }
    }

    fn id_of(&mut self, name: &str) -> Result<i64, Trouble> {
        find(&self.connection, name)?.map(|(id, _)| id).ok_or_else(|| Trouble::no_user(name))
    }

    fn user(&mut self, id: i64) -> Result<User, Trouble> {
        let query = format!("SELECT {USER} FROM users WHERE id = ?");
        let user = self.connection.query_row(&query, [id], user_of).optional()?;
        user.ok_or_else(|| Trouble::no_number(id))
    }

    fn used(&mut self, user: i64, period: &str) -> Result<Used, Trouble> {
        let of = |via: Via| {
            let query = "SELECT count FROM usage WHERE user = ? AND via = ? AND period = ?";
            let count =
                self.connection.query_row(query, params![user, via.name(), period], |row| row.get(0)).optional();
            count.map(Option::unwrap_or_default)
        };
        Ok(Used { app: of(Via::App)?, api: of(Via::Api)? })
    }

    fn cycles(&mut self, user: i64) -> Result<Vec<i64>, Trouble> {
        let query = "SELECT DISTINCT period FROM usage WHERE user = ? AND period LIKE 'cycle:%'";
        let mut all = self.connection.prepare(query)?;
        let keys = all.query_map([user], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(keys.iter().filter_map(|key| calendar::cycle_start(key)).collect())
    }
}

impl Books for Embedded {
    fn holder(&mut self, digest: &[u8; 32], via: Via, now: i64) -> Result<Option<Holder>, Trouble> {
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

    fn reserve(&mut self, user: i64, via: Via, now: i64) -> Result<Result<Reservation, Left>, Trouble> {
        let transaction = self.change()?;
        transaction.execute("DELETE FROM reservations WHERE expires < ?", [now])?;
        let query = format!("SELECT {USER} FROM users WHERE id = ?");
        let owner = transaction.query_row(&query, [user], user_of).optional()?;
        let owner = owner.ok_or_else(|| Trouble::no_number(user))?;
        let month = calendar::month_key(calendar::month_of(now));
        let cycle = owner.running(now).map(|period| calendar::cycle_key(period.start));
        let used = used(&transaction, user, cycle.as_ref().unwrap_or(&month))?;
        let held: i64 =
            transaction.query_row("SELECT count(*) FROM reservations WHERE user = ?", [user], |row| row.get(0))?;
        let left = (owner.included - used).max(0).saturating_add(owner.prepaid);
        if held >= left {
            // What lapsed stays away.
            transaction.commit()?;
            return Ok(Err(left::of_credits(owner.included, left, owner.running(now).map(|period| period.end), now)));
        }
        let expires = now + LEASE;
        transaction.execute("INSERT INTO reservations (user, expires) VALUES (?, ?)", params![user, expires])?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(Ok(Reservation { id, user, via, month, cycle }))
    }

    fn renew(&mut self, reservation: &Reservation, now: i64) -> Result<(), Trouble> {
        let query = "UPDATE reservations SET expires = ? WHERE id = ?";
        self.connection.execute(query, params![now + LEASE, reservation.id])?;
        Ok(())
    }

    fn settle(&mut self, reservation: &Reservation) -> Result<Charged, Trouble> {
        let Reservation { id, user, via, month, cycle } = reservation;
        let transaction = self.change()?;
        transaction.execute("DELETE FROM reservations WHERE id = ?", [id])?;
        let used = used(&transaction, *user, cycle.as_ref().unwrap_or(month))?;
        let prepaid = "UPDATE users SET prepaid = prepaid - 1 WHERE id = ? AND included <= ? AND prepaid > 0";
        let charged = if transaction.execute(prepaid, params![user, used])? > 0 {
            Charged::Prepaid
        } else {
            for period in reservation.periods() {
                // A user that was removed meanwhile has no counters.
                transaction.execute(
                    "INSERT INTO usage (user, via, period, count) SELECT id, ?2, ?3, 1 FROM users WHERE id = ?1
                     ON CONFLICT DO UPDATE SET count = count + 1",
                    params![user, via.name(), period],
                )?;
            }
            Charged::Included
        };
        transaction.commit()?;
        Ok(charged)
    }

    fn refund(&mut self, reservation: &Reservation, charged: Charged) -> Result<(), Trouble> {
        let Reservation { user, via, .. } = reservation;
        let transaction = self.change()?;
        if charged == Charged::Prepaid {
            transaction.execute("UPDATE users SET prepaid = prepaid + 1 WHERE id = ?", [user])?;
        } else {
            for period in reservation.periods() {
                let query = "UPDATE usage SET count = count - 1 WHERE user = ? AND via = ? AND period = ?";
                transaction.execute(query, params![user, via.name(), period])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn release(&mut self, reservation: &Reservation) -> Result<(), Trouble> {
        self.connection.execute("DELETE FROM reservations WHERE id = ?", [reservation.id])?;
        Ok(())
    }

    fn admit(&mut self, address: IpAddr, most: u32, now: i64) -> Result<Result<Turn, Left>, Trouble> {
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
            return Ok(Ok(Turn { address, day, id: 0 }));
        }
        Ok(Err(left::of_day(most, now)))
    }

    fn dismiss(&mut self, &Turn { address, day, .. }: &Turn) -> Result<(), Trouble> {
        let transaction = self.change()?;
        let turn = params![address.to_string(), day];
        transaction.execute("UPDATE anonymous SET count = count - 1 WHERE address = ? AND day = ?", turn)?;
        // So that the table has a row for each address with a picture, and not for each that asked.
        transaction.execute("DELETE FROM anonymous WHERE address = ? AND day = ? AND count < 1", turn)?;
        Ok(transaction.commit()?)
    }

    fn apply(&mut self, delivery: &str, event: Option<&Event>, now: i64) -> Result<Applied, Trouble> {
        let transaction = self.change()?;
        transaction.execute("DELETE FROM deliveries WHERE at < ?", [now - REMEMBERED])?;
        let remember = "INSERT INTO deliveries (id, at) VALUES (?, ?) ON CONFLICT DO NOTHING";
        if transaction.execute(remember, params![delivery, now])? == 0 {
            return Ok(Applied::Replayed);
        }
        let applied = match event {
            Some(event) if transaction.execute(remember, params![event.id, now])? > 0 => {
                subscriptions::apply(&transaction, event, now)?
            }
            // What was done already is sent again where its answer was lost.
            _ => Applied::Nothing,
        };
        // Sent again once the user is there, it is not one that was done.
        if applied != Applied::NoUser {
            transaction.commit()?;
        }
        Ok(applied)
    }

    fn pace(&mut self, _: Who, _: u32) -> Result<Option<Result<Left, Left>>, Trouble> {
        Ok(None)
    }

    #[cfg(test)]
    fn set_counter(&mut self, user: i64, via: Via, period: &str, count: i64) {
        let query = "INSERT INTO usage (user, via, period, count) VALUES (?, ?, ?, ?)";
        self.connection.execute(query, params![user, via.name(), period, count]).expect("it is new");
    }
}

/// Included credits that were used in a period.
fn used(connection: &Connection, user: i64, period: &str) -> rusqlite::Result<i64> {
    let query = "SELECT coalesce(sum(count), 0) FROM usage WHERE user = ? AND period = ?";
    connection.query_row(query, params![user, period], |row| row.get(0))
}

fn find(connection: &Connection, name: &str) -> Result<Option<(i64, User)>, Trouble> {
    let query = format!("SELECT {USER}, id FROM users WHERE name = ?");
    Ok(connection.query_row(&query, [name], |row| Ok((row.get("id")?, user_of(row)?))).optional()?)
}

/// Writes a user, in place of the one of that name.
fn save(connection: &Connection, user: &User) -> Result<(), Trouble> {
    connection.execute(
        "INSERT INTO users (name, email, verified, plan, included, prepaid, period_start, period_end, customer)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET email = excluded.email, verified = excluded.verified, plan = excluded.plan,
         included = excluded.included, prepaid = excluded.prepaid, period_start = excluded.period_start,
         period_end = excluded.period_end, customer = excluded.customer",
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
    Ok(())
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

fn check_customer(connection: &Connection, user: &User) -> Result<(), Trouble> {
    let query = "SELECT name FROM users WHERE customer = ? AND name != ?";
    let other =
        connection.query_row(query, params![user.customer, user.name], |row| row.get::<_, String>(0)).optional()?;
    other.map_or(Ok(()), |other| Err(Trouble::customer_of(&other)))
}
