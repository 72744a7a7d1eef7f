//! What a user's subscriptions at Stripe come to: of those that have not ended, the one made last counts.

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::stripe::{Event, Moved};
use super::{Applied, Period, REMEMBERED, Trouble};

/// Does what an event says.
pub(super) fn apply(transaction: &Transaction<'_>, event: &Event, now: i64) -> Result<Applied, Trouble> {
    let Event { created, user, customer, subscription, moved, .. } = event;
    // Who is named is known by its customer from then on.
    let query = "SELECT id FROM users WHERE name = ?1 OR (?1 IS NULL AND customer = ?2)";
    let found: Option<i64> = transaction.query_row(query, params![user, customer], |row| row.get(0)).optional()?;
    let Some(user) = found else { return Ok(Applied::NoUser) };
    let query = "SELECT at, live FROM subscriptions WHERE user = ? AND id = ?";
    let known: Option<(i64, bool)> =
        transaction.query_row(query, params![user, subscription], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if known.is_some_and(|(at, is_live)| at > *created || at == *created && !is_live) {
        return Ok(Applied::Nothing);
    }
    // One that nothing was told of may be what the plan was set for.
    let was_it = counting(transaction, user)?.map_or(known.is_none(), |former| former == *subscription);
    keep(transaction, user, event)?;
    let ended = "DELETE FROM subscriptions WHERE user = ? AND NOT live AND at < ?";
    transaction.execute(ended, params![user, now - REMEMBERED])?;
    let counting = counting(transaction, user)?;
    if moved.is_none() && was_it {
        transaction.execute(
            "UPDATE users SET plan = 'Free', included = 0, period_start = NULL, period_end = NULL WHERE id = ?",
            [user],
        )?;
    } else if moved.is_none() || counting.as_ref() != Some(subscription) {
        return Ok(Applied::Nothing);
    }
    transaction.execute(
        "UPDATE users SET plan = coalesce(its.plan, users.plan), included = coalesce(its.included, users.included),
         period_start = coalesce(its.period_start, users.period_start),
         period_end = coalesce(its.period_end, users.period_end)
         FROM subscriptions AS its WHERE users.id = ?1 AND its.user = ?1 AND its.id = ?2",
        params![user, counting],
    )?;
    transaction.execute(
        "UPDATE users SET customer = ?2
         WHERE id = ?1 AND customer IS NULL AND NOT EXISTS (SELECT 1 FROM users WHERE customer = ?2)",
        params![user, customer],
    )?;
    Ok(Applied::Moved)
}

/// The subscription that counts.
fn counting(transaction: &Transaction<'_>, user: i64) -> rusqlite::Result<Option<String>> {
    let query = "SELECT id FROM subscriptions WHERE user = ? AND live ORDER BY since DESC, at DESC, id DESC LIMIT 1";
    transaction.query_row(query, [user], |row| row.get(0)).optional()
}

/// Keeps what an event says of its subscription; what it does not say stays.
fn keep(transaction: &Transaction<'_>, user: i64, event: &Event) -> rusqlite::Result<()> {
    let Moved { plan, included, period } = event.moved.clone().unwrap_or_default();
    let period = period.filter(Period::is_valid);
    transaction.execute(
        "INSERT INTO subscriptions (user, id, since, at, live, plan, included, period_start, period_end)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET since = excluded.since, at = excluded.at, live = excluded.live,
         plan = coalesce(excluded.plan, plan), included = coalesce(excluded.included, included),
         period_start = coalesce(excluded.period_start, period_start),
         period_end = coalesce(excluded.period_end, period_end)",
        params![
            user,
            event.subscription,
            event.since,
            event.created,
            event.moved.is_some(),
            plan,
            included.filter(|included| *included >= 0),
            period.map(|period| period.start),
            period.map(|period| period.end),
        ],
    )?;
    Ok(())
}
