//! What every store of accounts does, wherever it keeps them.

use std::fmt;
use std::net::IpAddr;

use super::stripe::Event;
use super::{Applied, Change, Charged, Credential, Holder, Left, Query, Report, Reservation, Secret};
use super::{Trouble, Turn, Used, User, Via, Who, report};

/// Where a Redis is. It may hold a password, so it shows nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// # Errors
    /// The text is no address of a Redis.
    pub fn new(text: &str) -> Result<Self, Trouble> {
        let invalid = |_| Trouble::Invalid("must be a URL as redis://127.0.0.1:6379/0".to_owned());
        ::redis::Client::open(text).map(|_| Self(text.to_owned())).map_err(invalid)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url(..)")
    }
}

/// What commands do with accounts. Several processes may do so at once.
pub trait Store: Send {
    /// # Errors
    /// [`Trouble::Taken`], [`Trouble::Invalid`], [`Trouble::Failed`].
    fn add_user(&mut self, user: &User) -> Result<(), Trouble>;

    /// Changes a user, and gives it as it is then.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Invalid`], [`Trouble::Failed`].
    fn set_user(&mut self, name: &str, change: Change) -> Result<User, Trouble>;

    /// Removes a user with its keys, tokens and counters.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn remove_user(&mut self, name: &str) -> Result<(), Trouble>;

    /// All of them, by name.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    fn users(&mut self) -> Result<Vec<User>, Trouble>;

    /// Makes a key, or a token: this is the only time that it is shown.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn create(&mut self, user: &str, via: Via, label: &str, now: i64) -> Result<(Secret, Credential), Trouble>;

    /// The keys, or the tokens, of one user or of all, the oldest first.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn credentials(&mut self, via: Via, user: Option<&str>) -> Result<Vec<Credential>, Trouble>;

    /// Ends a key or a token.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn revoke(&mut self, via: Via, id: &str) -> Result<(), Trouble>;

    /// The number of a user.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn id_of(&mut self, name: &str) -> Result<i64, Trouble>;

    /// A user by its number.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn user(&mut self, id: i64) -> Result<User, Trouble>;

    /// What a user's counters of one period say.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    fn used(&mut self, user: i64, period: &str) -> Result<Used, Trouble>;

    /// The starts of the billing periods that have counters.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    fn cycles(&mut self, user: i64) -> Result<Vec<i64>, Trouble>;

    /// What a user is told of its credits and their use.
    ///
    /// # Errors
    /// [`Trouble::Unknown`], [`Trouble::Failed`].
    fn report(&mut self, name: &str, query: &Query, now: i64) -> Result<Report, Trouble> {
        let id = self.id_of(name)?;
        report::of(self, id, query, now)
    }
}

/// What the service does with accounts.
///
/// # Errors
/// All of them [`Trouble::Failed`], where the store cannot be read or written; then nothing was charged.
pub(crate) trait Books: Store {
    /// Unix seconds by the clock that leases and periods go by.
    fn now(&mut self) -> i64 {
        super::now()
    }

    /// Who holds the key or token with this digest.
    fn holder(&mut self, digest: &[u8; 32], via: Via, now: i64) -> Result<Option<Holder>, Trouble>;

    /// Holds a credit for a removal, an included one where there is one; where there is none at all, tells so.
    fn reserve(&mut self, user: i64, via: Via, now: i64) -> Result<Result<Reservation, Left>, Trouble>;

    /// Holds a credit for longer.
    fn renew(&mut self, reservation: &Reservation, now: i64) -> Result<(), Trouble>;

    /// Charges what was reserved, in the periods in which it began: an included credit where one is left.
    fn settle(&mut self, reservation: &Reservation) -> Result<Charged, Trouble>;

    /// Takes back what [`settle`](Self::settle) charged.
    fn refund(&mut self, reservation: &Reservation, charged: Charged) -> Result<(), Trouble>;

    /// Gives a credit back that was not charged.
    fn release(&mut self, reservation: &Reservation) -> Result<(), Trouble>;

    /// Counts one of the `most` pictures a day of an address; where it had them all, tells so.
    fn admit(&mut self, address: IpAddr, most: u32, now: i64) -> Result<Result<Turn, Left>, Trouble>;

    /// Takes back what [`admit`](Self::admit) counted.
    fn dismiss(&mut self, turn: &Turn) -> Result<(), Trouble>;

    /// Does what an event of Stripe says, once; of one subscription's events the latest counts.
    fn apply(&mut self, delivery: &str, event: Option<&Event>, now: i64) -> Result<Applied, Trouble>;

    /// Whether one more request is within `most` a minute, counted for all servers that share the store;
    /// `None` where each counts its own.
    fn pace(&mut self, who: Who, most: u32) -> Result<Option<Result<Left, Left>>, Trouble>;

    #[cfg(test)]
    fn set_counter(&mut self, user: i64, via: Via, period: &str, count: i64);
}

impl Change {
    /// What a user is after it.
    ///
    /// # Errors
    /// [`Trouble::Invalid`].
    pub(super) fn onto(&self, user: User) -> Result<User, Trouble> {
        let user = User {
            email: self.email.clone().unwrap_or(user.email),
            is_verified: self.is_verified.unwrap_or(user.is_verified),
            plan: self.plan.clone().unwrap_or(user.plan),
            included: self.included.unwrap_or(user.included),
            prepaid: self.prepaid.unwrap_or(user.prepaid).saturating_add(self.more_prepaid),
            period: self.period.or(user.period),
            customer: self.customer.clone().or(user.customer),
            name: user.name,
        };
        check(&user).map(|()| user)
    }
}

/// # Errors
/// [`Trouble::Invalid`].
pub(super) fn check(user: &User) -> Result<(), Trouble> {
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
    if user.period.is_some_and(|period| !period.is_valid()) {
        return invalid("A billing period must end after it begins");
    }
    Ok(())
}

impl Trouble {
    pub(super) fn no_user(name: &str) -> Self {
        Self::Unknown(format!("user '{name}'"))
    }

    pub(super) fn no_number(id: i64) -> Self {
        Self::Unknown(format!("user {id}"))
    }

    pub(super) fn no_credential(via: Via, id: &str) -> Self {
        Self::Unknown(format!("{} '{id}'", if via == Via::Api { "key" } else { "token" }))
    }

    pub(super) fn customer_of(other: &str) -> Self {
        Self::Invalid(format!("The customer is that of '{other}' already"))
    }
}
