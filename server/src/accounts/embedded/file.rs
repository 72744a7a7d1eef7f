//! The file: where it is, what it holds, and how an older one is brought up to date.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

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
    "
    ALTER TABLE users ADD COLUMN subscribed INTEGER;
    ALTER TABLE users ADD COLUMN ended TEXT;
",
    "
    ALTER TABLE users DROP COLUMN last_event;
    ALTER TABLE users DROP COLUMN subscription;
    ALTER TABLE users DROP COLUMN subscribed;
    ALTER TABLE users DROP COLUMN ended;
    CREATE TABLE subscriptions (
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        id TEXT NOT NULL,
        since INTEGER NOT NULL,
        at INTEGER NOT NULL,
        live INTEGER NOT NULL,
        plan TEXT,
        included INTEGER,
        period_start INTEGER,
        period_end INTEGER,
        PRIMARY KEY (user, id)
    ) STRICT, WITHOUT ROWID;
",
];

/// Opens the file of a folder, both made where they are missing.
pub(super) fn open(folder: &Path) -> Result<Connection, Box<dyn Error>> {
    private(folder)?;
    let file = folder.join("accounts.db");
    private_file(&file)?;
    let mut connection = Connection::open(file)?;
    prepare(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // SQLite does not wait where two make the same new file ready.
    let start = Instant::now();
    while let Err(error) = connection.pragma_update(None, "journal_mode", "WAL") {
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || start.elapsed() > PATIENCE {
            return Err(error);
        }
        thread::sleep(Duration::from_millis(10));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn migrate(connection: &mut Connection) -> Result<(), Box<dyn Error>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let missing = MIGRATIONS.get(version as usize..).ok_or("it was written by a newer version of remrembg")?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    Ok(transaction.commit()?)
}

#[cfg(unix)]
fn private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
    let mut options = fs::OpenOptions::new();
    options.append(true).mode(0o600);
    match options.clone().create_new(true).open(file) {
        Ok(made) => {
            // Made by root in the folder of a service, it is the service's; who is not root makes it for itself.
            if let Some(Ok(folder)) = file.parent().map(fs::metadata)
                && folder.uid() != made.metadata()?.uid()
            {
                let _ = fchown(&made, Some(folder.uid()), Some(folder.gid()));
            }
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => options.create(true).open(file).map(drop),
        Err(error) => Err(error),
    }
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
