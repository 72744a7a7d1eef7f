//! What is special about a file.

use super::*;
use crate::accounts::User;

const NOW: i64 = 1_769_903_990;

fn with_user() -> (tempfile::TempDir, Embedded) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Embedded::open(folder.path()).expect("it opens");
    let (name, email, plan) = ("one".to_owned(), "one@example.com".to_owned(), "Free".to_owned());
    let user = User { name, email, is_verified: true, plan, included: 1, prepaid: 0, period: None, customer: None };
    store.add_user(&user).expect("it is new");
    (folder, store)
}

#[test]
fn a_file_of_an_older_version_is_brought_up_to_date() {
    let (folder, store) = with_user();
    store
        .connection
        .execute_batch(
            "DROP TABLE anonymous; DROP TABLE deliveries; DROP INDEX users_by_customer;
             DROP TABLE subscriptions; ALTER TABLE users DROP COLUMN customer;
             PRAGMA user_version = 1",
        )
        .expect("they are there");
    drop(store);
    let mut store = Embedded::open(folder.path()).expect("it opens");
    assert!(store.admit("192.0.2.1".parse().expect("an address"), 1, NOW).expect("the table is there").is_ok());
    assert_eq!(store.users().expect("the store works").len(), 1, "all that it had is there");
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let (folder, store) = with_user();
    store.connection.pragma_update(None, "user_version", 99).expect("the store works");
    drop(store);
    let error = Embedded::open(folder.path()).err().expect("it is too new").to_string();
    assert!(error.contains("newer version"), "{error}");
}

#[test]
fn a_key_itself_is_nowhere_in_the_file() {
    let (folder, mut store) = with_user();
    let (secret, credential) = store.create("one", Via::Api, "laptop", NOW).expect("the user is there");
    drop(store);
    let file = std::fs::read(folder.path().join("accounts.db")).expect("it can be read");
    let has = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
    assert!(has(credential.id.as_bytes()) && !has(&secret.text().as_bytes()[3..]));
}

/// As root, who alone may give files away, for a service that is not root.
#[cfg(unix)]
#[test]
fn accounts_belong_to_whom_their_folder_belongs() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().expect("a folder");
    // Without the right to, both stay ours.
    let _ = chown(folder.path(), Some(65534), Some(65534));
    drop(Embedded::open(folder.path()).expect("it opens"));
    let owner = |path: &std::path::Path| path.metadata().expect("it is there").uid();
    assert_eq!(owner(&folder.path().join("accounts.db")), owner(folder.path()));
}
