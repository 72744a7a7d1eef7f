//! What `GET /api/membership-usage` tells of a user.

use remrembg::{Error, read_integer};
use serde::Serialize;

use super::calendar::{self, Period};
use super::{Store, Trouble, Used, User};
use crate::error::Refusal;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Every billing period that is known.
    List,
    /// The counters of one period.
    Counters {
        /// Which.
        of: Counted,
        /// Whether the billing period is told besides.
        with_cycle: bool,
    },
}

/// Which counters are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those of a month, by default that which runs.
    Month {
        /// The year, from 1.
        year: Option<i32>,
        /// The month, from 1 to 12.
        month: Option<u8>,
    },
    /// Those of the billing period that begins there, in Unix seconds.
    Cycle(i64),
}

impl Query {
    /// Reads the parameters of a request; of several with one name the last counts, and empty ones are unset.
    ///
    /// # Errors
    /// [`Refusal::Core`] with every bad number, in the words of the hosted API; [`Refusal::TwoPeriods`].
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let text = |key: &str| {
            let last = pairs.iter().rev().find(|(given, _)| given == key);
            last.map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
        };
        let is_on = |key: &str| text(key).is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"));
        if is_on("listBillingCycles") {
            return Ok(Self::List);
        }
        let mut problems = Vec::new();
        let mut number = |key: &str, most: u64| {
            let read = text(key).map(|text| read_integer(key, text, most)).transpose();
            read.map_err(|problem| problems.push(problem)).ok().flatten()
        };
        let (year, month) = (number("year", 9999), number("month", 12));
        let start = number("periodStartUnix", calendar::LAST as u64);
        Error::from_problems(problems).map_or(Ok(()), Err)?;
        if start.is_some() && (year.is_some() || month.is_some()) {
            return Err(Refusal::TwoPeriods);
        }
        let expands = text("expand").is_some_and(|flags| flags.split(',').any(|flag| flag.trim() == "billing_cycle"));
        let of = match start {
            Some(start) => Counted::Cycle(start as i64),
            None => Counted::Month { year: year.map(|year| year as i32), month: month.map(|month| month as u8) },
        };
        Ok(Self::Counters { of, with_cycle: expands || is_on("includeBillingCycle") })
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// To [`Query::List`], the newest first.
    List {
        /// Each with its counters.
        #[serde(rename = "billingCycles")]
        cycles: Vec<Cycle>,
    },
    /// To [`Query::Counters`].
    Counters {
        /// The name of the plan.
        membership: String,
        /// Removals that each period includes.
        credits: i64,
        /// Removals that were paid for beyond those.
        #[serde(rename = "prepaidCredits")]
        prepaid: i64,
        /// Removals with user tokens.
        app_usage: i64,
        /// Removals with API keys.
        api_usage: i64,
        /// Where it was asked for.
        #[serde(rename = "billingCycle", skip_serializing_if = "Option::is_none")]
        cycle: Option<Balance>,
    },
}

/// A billing period and what was used in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// When it is.
    #[serde(flatten)]
    pub period: Period,
    /// Removals with user tokens.
    #[serde(rename = "appUsage")]
    pub app: i64,
    /// Removals with API keys.
    #[serde(rename = "apiUsage")]
    pub api: i64,
}

/// A billing period, what was used in it, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// The period and its counters.
    #[serde(flatten)]
    pub cycle: Cycle,
    /// See [`User::included`].
    pub included_credits: i64,
    /// See [`User::prepaid`].
    pub prepaid_credits: i64,
    /// Of the included ones, those that were used.
    pub used_included_credits: i64,
    /// And those that were not.
    pub remaining_included_credits: i64,
    /// Whether the period is one of billing; else it is the calendar month.
    pub stripe_billing_synced: bool,
}

/// What the user with this number is told.
///
/// # Errors
/// [`Trouble::Unknown`], [`Trouble::Failed`].
pub(crate) fn of<S: Store + ?Sized>(store: &mut S, id: i64, query: &Query, now: i64) -> Result<Report, Trouble> {
    let user = store.user(id)?;
    let &Query::Counters { of, with_cycle } = query else {
        let starts = starts(store, id, &user)?;
        let cycles = starts.into_iter().map(|start| cycle(store, id, &user, start));
        return Ok(Report::List { cycles: cycles.collect::<Result<_, _>>()? });
    };
    let used = match of {
        Counted::Cycle(start) => store.used(id, &calendar::cycle_key(start))?,
        Counted::Month { year, month } => {
            let running = calendar::month_of(now);
            let key = calendar::month_key((year.unwrap_or(running.0), month.unwrap_or(running.1)));
            store.used(id, &key)?
        }
    };
    let cycle = with_cycle.then(|| balance(store, id, &user, of, now)).transpose()?;
    let User { plan, included, prepaid, .. } = user;
    let Used { app, api } = used;
    Ok(Report::Counters { membership: plan, credits: included, prepaid, app_usage: app, api_usage: api, cycle })
}

/// The period that was asked for, else that which runs, else the calendar month.
fn balance<S: Store + ?Sized>(store: &mut S, id: i64, user: &User, of: Counted, now: i64) -> Result<Balance, Trouble> {
    let asked = if let Counted::Cycle(start) = of { Some(start) } else { None };
    let running = user.running(now);
    let cycle = match asked.or(running.map(|period| period.start)) {
        Some(start) => cycle(store, id, user, start)?,
        None => {
            let Used { app, api } = store.used(id, &calendar::month_key(calendar::month_of(now)))?;
            Cycle { period: calendar::month_around(now), app, api }
        }
    };
    let used = cycle.app + cycle.api;
    Ok(Balance {
        cycle,
        included_credits: user.included,
        prepaid_credits: user.prepaid,
        used_included_credits: used,
        remaining_included_credits: (user.included - used).max(0),
        stripe_billing_synced: asked.map_or(running, |_| user.period).is_some(),
    })
}

/// The period that runs and those that have counters, the newest first.
fn starts<S: Store + ?Sized>(store: &mut S, id: i64, user: &User) -> Result<Vec<i64>, Trouble> {
    let mut starts = store.cycles(id)?;
    starts.extend(user.period.map(|period| period.start));
    starts.sort_unstable_by(|one, other| other.cmp(one));
    starts.dedup();
    Ok(starts)
}

/// A period ends before the next begins, that which runs at its own end; one that has no next is as long as a month.
fn cycle<S: Store + ?Sized>(store: &mut S, id: i64, user: &User, start: i64) -> Result<Cycle, Trouble> {
    let Used { app, api } = store.used(id, &calendar::cycle_key(start))?;
    let next = starts(store, id, user)?.into_iter().rfind(|other| *other > start);
    let end = match (user.period, next) {
        (Some(period), _) if period.start == start => period.end,
        (_, Some(next)) => next - 1,
        _ => start + calendar::length_of_month(start) - 1,
    };
    Ok(Cycle { period: Period { start, end }, app, api })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::tests::each;
    use crate::accounts::{Books, Via};

    fn read(pairs: &[(&str, &str)]) -> Result<Query, String> {
        let pairs: Vec<_> = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        Query::read(&pairs).map_err(|refusal| refusal.json())
    }

    #[test]
    fn parameters_are_read_as_the_vendor_describes_them() {
        let month = |year, month, with_cycle| Ok(Query::Counters { of: Counted::Month { year, month }, with_cycle });
        assert_eq!(read(&[]), month(None, None, false));
        assert_eq!(read(&[("year", "2026"), ("month", " 3 ")]), month(Some(2026), Some(3), false));
        assert_eq!(read(&[("month", ""), ("expand", "other, billing_cycle")]), month(None, None, true));
        for (text, with_cycle) in [("1", true), ("true", true), ("TRUE", true), ("0", false), ("yes", false)] {
            assert_eq!(read(&[("includeBillingCycle", text)]), month(None, None, with_cycle), "{text}");
        }
        let cycle = Query::Counters { of: Counted::Cycle(1_774_268_612), with_cycle: true };
        assert_eq!(read(&[("periodStartUnix", "1774268612"), ("expand", "billing_cycle")]), Ok(cycle));
        assert_eq!(read(&[("listBillingCycles", "1"), ("year", "abc"), ("periodStartUnix", "5")]), Ok(Query::List));
        assert_eq!(read(&[("listBillingCycles", "no")]), month(None, None, false));
    }

    /// A user whose counters are set as they are told.
    fn with_counters(store: &mut dyn Books, user: &User, counters: &[(Via, &str, i64)]) {
        // The one of another case has its name.
        drop(store.remove_user(&user.name));
        store.add_user(user).expect("it is new");
        let id = store.id_of(&user.name).expect("it is there");
        counters.iter().for_each(|(via, period, count)| store.set_counter(id, *via, period, *count));
    }

    fn told(store: &mut dyn Books, pairs: &[(&str, &str)], now: i64) -> String {
        let query = read(pairs).expect("the parameters are good");
        let report = store.report("one", &query, now).expect("the user is there");
        serde_json::to_string(&report).expect("it is JSON")
    }

    fn user(period: Option<Period>) -> User {
        let (name, email, plan) = ("one".to_owned(), "one@example.com".to_owned(), "Premium-20000".to_owned());
        User { name, email, is_verified: true, plan, included: 18_500, prepaid: 2_000, period, customer: None }
    }

    #[test]
    fn the_vendors_examples_come_as_they_are_printed() {
        each(|store, _| the_vendors_examples(store));
    }

    fn the_vendors_examples(store: &mut dyn Books) {
        let period = Period { start: 1_740_441_600, end: 1_743_033_599 };
        let counters = [
            (Via::App, "2025:3", 8_500),
            (Via::Api, "2025:3", 10_000),
            (Via::App, "cycle:1740441600", 4_200),
            (Via::Api, "cycle:1740441600", 5_100),
        ];
        with_counters(store, &user(Some(period)), &counters);
        let counted =
            r#"{"membership":"Premium-20000","credits":18500,"prepaidCredits":2000,"app_usage":8500,"api_usage":10000"#;
        let cycle = r#","billingCycle":{"periodStartUnix":1740441600,"periodEndUnix":1743033599,"appUsage":4200,"apiUsage":5100,"includedCredits":18500,"prepaidCredits":2000,"usedIncludedCredits":9300,"remainingIncludedCredits":9200,"stripeBillingSynced":true}"#;
        // In the middle of March 2025, and by name from elsewhere.
        assert_eq!(told(store, &[("expand", "billing_cycle")], 1_742_000_000), format!("{counted}{cycle}}}"));
        assert_eq!(told(store, &[("year", "2025"), ("month", "3")], 1_800_000_000), format!("{counted}}}"));

        with_counters(
            store,
            &user(Some(Period { start: 1_774_268_612, end: 1_776_947_012 })),
            &[(Via::App, "cycle:1774268612", 120), (Via::Api, "cycle:1774268612", 880)],
        );
        let list = r#"{"billingCycles":[{"periodStartUnix":1774268612,"periodEndUnix":1776947012,"appUsage":120,"apiUsage":880}]}"#;
        assert_eq!(told(store, &[("listBillingCycles", "1")], 1_775_000_000), list);
        let asked = told(store, &[("periodStartUnix", "1774268612"), ("expand", "billing_cycle")], 1_775_000_000);
        assert!(asked.contains(r#""app_usage":120,"api_usage":880,"billingCycle":{"periodStartUnix":1774268612,"periodEndUnix":1776947012,"appUsage":120,"#), "{asked}");
    }

    #[test]
    fn a_period_ends_before_the_next_and_without_billing_it_is_the_calendar_month() {
        each(|store, _| periods(store));
    }

    fn periods(store: &mut dyn Books) {
        let period = Period { start: 3_000_000, end: 5_000_000 };
        let counters = [(Via::App, "cycle:1000000", 1), (Via::Api, "cycle:2000000", 2), (Via::Api, "1970:1", 7)];
        with_counters(store, &user(Some(period)), &counters);
        let list = [(3_000_000, 5_000_000, 0, 0), (2_000_000, 2_999_999, 0, 2), (1_000_000, 1_999_999, 1, 0)].map(
            |(start, end, app, api)| {
                format!(r#"{{"periodStartUnix":{start},"periodEndUnix":{end},"appUsage":{app},"apiUsage":{api}}}"#)
            },
        );
        assert_eq!(
            told(store, &[("listBillingCycles", "true")], 4_000_000),
            format!(r#"{{"billingCycles":[{}]}}"#, list.join(","))
        );

        with_counters(store, &user(None), &[(Via::Api, "1970:1", 7), (Via::App, "1970:1", 20_000)]);
        let told = told(store, &[("includeBillingCycle", "1")], 100);
        let cycle = r#""app_usage":20000,"api_usage":7,"billingCycle":{"periodStartUnix":0,"periodEndUnix":2678399,"appUsage":20000,"apiUsage":7,"includedCredits":18500,"prepaidCredits":2000,"usedIncludedCredits":20007,"remainingIncludedCredits":0,"stripeBillingSynced":false}}"#;
        assert!(told.ends_with(cycle), "{told}");
    }

    #[test]
    fn bad_numbers_are_told_as_those_of_pictures_are() {
        let wrong = [
            (&[("year", "abc")][..], r#"{"error":"'year' must be an integer, got: 'abc'","status":400}"#),
            (&[("year", "0")], r#"{"error":"'year' must be at least 1, got: 0","status":400}"#),
            (&[("year", "10000")], r#"{"error":"'year' must be at most 9999, got: 10000","status":400}"#),
            (&[("month", "13")], r#"{"error":"'month' must be at most 12, got: 13","status":400}"#),
            (&[("periodStartUnix", "-5")], r#"{"error":"'periodStartUnix' must be at least 1, got: -5","status":400}"#),
            (
                &[("month", "3"), ("periodStartUnix", "5")],
                r#"{"error":"Cannot use 'periodStartUnix' together with 'year' or 'month'. Choose one or the other.","status":400}"#,
            ),
            (
                &[("year", "x"), ("month", "0")],
                r#"{"error":"Multiple validation errors","details":[{"field":"year","message":"'year' must be an integer, got: 'x'"},{"field":"month","message":"'month' must be at least 1, got: 0"}],"status":400}"#,
            ),
        ];
        for (pairs, body) in wrong {
            assert_eq!(read(pairs), Err(body.to_owned()));
        }
    }
}
