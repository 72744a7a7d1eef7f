//! The connection: made when it is needed, and made again when it was lost.

use std::thread;
use std::time::{Duration, Instant};

use redis::{Client, Connection, ErrorKind, RedisResult, ServerErrorKind, cmd};

use super::super::secret::random;
use super::super::store::Url;
use super::super::{Trouble, now};

/// How long one answer, or a new connection, may take; also how long a Redis that has just started may read its data.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before such a Redis is asked again.
const LOADING: Duration = Duration::from_millis(10);
/// For how long nobody tries anew after a connection could not be made.
const REST: Duration = Duration::from_millis(500);
/// For how long it counts what Redis told of the time.
const FRESH: Duration = Duration::from_secs(10);
/// The version of what is kept.
const VERSION: u32 = 1;

/// A connection that may be away.
pub(super) struct Link {
    client: Client,
    open: Option<Open>,
    /// Why there is none, and until when that is not looked at again.
    failed: Option<(Instant, Trouble)>,
}

/// One that is there.
struct Open {
    connection: Connection,
    clock: Clock,
    /// Which no caller can know.
    secret: Vec<u8>,
}

/// That of Redis. This machine's may be set while it runs, and does not count.
struct Clock {
    /// Since 1970, and when that was so.
    told: Duration,
    at: Instant,
}

impl Clock {
    fn read(connection: &mut Connection) -> RedisResult<Self> {
        let (seconds, micros) = cmd("TIME").query(connection)?;
        Ok(Self { told: Duration::from_secs(seconds) + Duration::from_micros(micros), at: Instant::now() })
    }

    fn seconds(&self) -> i64 {
        i64::try_from((self.told + self.at.elapsed()).as_secs()).unwrap_or(i64::MAX)
    }
}

impl Link {
    /// # Errors
    /// [`Trouble::Invalid`].
    pub(super) fn new(url: &Url) -> Result<Self, Trouble> {
        let client = Client::open(url.text()).map_err(|error| Trouble::Invalid(error.to_string()))?;
        Ok(Self { client, open: None, failed: None })
    }

    /// Does `work`, once more where the connection was lost: what it does twice must count once.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(super) fn run<T>(&mut self, work: impl Fn(&mut Connection) -> RedisResult<T>) -> Result<T, Trouble> {
        match self.attempt(&work) {
            // Else there was no connection.
            Err(_) if self.failed.is_none() => self.attempt(&work),
            done => done,
        }
    }

    fn attempt<T>(&mut self, work: impl Fn(&mut Connection) -> RedisResult<T>) -> Result<T, Trouble> {
        let done = work(&mut self.opened()?.connection);
        done.map_err(|error| {
            // Whatever it was, nothing of it is left in the next one.
            self.open = None;
            failed(&error)
        })
    }

    fn opened(&mut self) -> Result<&mut Open, Trouble> {
        if self.open.is_none() {
            if let Some((until, trouble)) = &self.failed
                && Instant::now() < *until
            {
                return Err(trouble.clone());
            }
            let opened = Open::new(&self.client);
            self.failed = opened.as_ref().err().map(|trouble| (Instant::now() + REST, trouble.clone()));
            self.open = Some(opened?);
        }
        self.open.as_mut().ok_or_else(|| Trouble::Failed("Redis: not connected".to_owned()))
    }

    /// Unix seconds by the clock of Redis, which all servers share; by this machine's while there is none.
    pub(super) fn now(&mut self) -> i64 {
        if self.opened().is_ok_and(|open| open.clock.at.elapsed() > FRESH)
            && let Ok(clock) = self.run(Clock::read)
            && let Some(open) = &mut self.open
        {
            open.clock = clock;
        }
        self.opened().map_or_else(|_| now(), |open| open.clock.seconds())
    }

    /// A secret that all servers share.
    ///
    /// # Errors
    /// [`Trouble::Failed`].
    pub(super) fn secret(&mut self) -> Result<&[u8], Trouble> {
        self.opened().map(|open| &*open.secret)
    }
}

impl Open {
    fn new(client: &Client) -> Result<Self, Trouble> {
        let failed = |error| failed(&error);
        let mut connection = client.get_connection_with_timeout(PATIENCE).map_err(failed)?;
        connection.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        connection.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let ours = VERSION.to_string();
        let version = loaded(|| first(&mut connection, "remrembg:version", ours.as_bytes())).map_err(failed)?;
        if version != ours.as_bytes() {
            return Err(Trouble::Failed("it was written by a newer version of remrembg".to_owned()));
        }
        let secret = first(&mut connection, "remrembg:secret", &random::<16>()?).map_err(failed)?;
        let clock = Clock::read(&mut connection).map_err(failed)?;
        Ok(Self { connection, clock, secret })
    }
}

/// What `ask` tells once Redis no longer answers that it is reading its data.
fn loaded<T>(mut ask: impl FnMut() -> RedisResult<T>) -> RedisResult<T> {
    let start = Instant::now();
    loop {
        match ask() {
            Err(error) if is_loading(&error) && start.elapsed() < PATIENCE => thread::sleep(LOADING),
            told => return told,
        }
    }
}

fn is_loading(error: &redis::RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading)
}

/// What stands at a key: `value`, unless something stood there before.
fn first(connection: &mut Connection, key: &str, value: &[u8]) -> RedisResult<Vec<u8>> {
    cmd("SET").arg(key).arg(value).arg("NX").exec(connection)?;
    cmd("GET").arg(key).query(connection)
}

fn failed(error: &redis::RedisError) -> Trouble {
    Trouble::Failed(format!("Redis: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis_server::RedisServer;

    #[test]
    fn the_time_is_that_of_redis_as_it_told_it_lately() {
        let server = RedisServer::start();
        let mut link = Link::new(&Url::new(&server.url()).expect("a URL")).expect("a URL");
        let is_right = |told: i64| (told - now()).abs() <= 1;
        assert!(is_right(link.now()));
        let told = Duration::from_secs(1000);
        let mut set = |at| link.open.as_mut().expect("it is open").clock = Clock { told, at };
        set(Instant::now());
        assert_eq!(link.now(), 1000, "whatever the clock of this machine says");
        let Some(before) = Instant::now().checked_sub(2 * FRESH) else { return };
        let mut set = |at| link.open.as_mut().expect("it is open").clock = Clock { told, at };
        set(before);
        assert!(is_right(link.now()), "it is asked again");
    }
}
