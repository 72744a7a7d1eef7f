//! Where accounts are kept, and how they are opened there.

use std::path::PathBuf;

use super::Trouble;
use super::embedded::Embedded;
use super::redis::Redis;
use super::store::{Books, Store, Url};

/// Where accounts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a Redis, which several machines may share.
    Redis(Url),
}

/// Opens the accounts of a place: a folder is made where it is missing, a Redis is asked when it is first used.
///
/// # Errors
/// [`Trouble::Failed`].
pub fn open(place: &Place) -> Result<Box<dyn Store>, Trouble> {
    Ok(open_books(place)?)
}

pub(super) fn open_books(place: &Place) -> Result<Box<dyn Books>, Trouble> {
    Ok(match place {
        Place::Folder(folder) => Box::new(Embedded::open(folder)?),
        Place::Redis(url) => Box::new(Redis::new(url)?),
    })
}
