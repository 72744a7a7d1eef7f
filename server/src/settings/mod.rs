//! The settings of the server as text, from flags, environment and file. Those of the remover are core's.

mod table;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use remrembg::{Config, SETTINGS};
use tracing::level_filters::LevelFilter;

use crate::accounts::{Place, Url};
use crate::caller::Keys;
pub use table::{SPECS, Spec, settings_markdown};

/// What the server is told beside the remover's own settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the metrics are read, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Which API keys are accepted.
    pub keys: Keys,
    /// The folder of the accounts, where there are any.
    pub data: Option<PathBuf>,
    /// The Redis of the accounts, in place of a folder.
    pub redis: Option<Url>,
    /// What Stripe signs its events with.
    pub stripe_secret: Option<Signing>,
    /// Requests that a user or an address may make a minute; 0 is no limit.
    pub rate: u32,
    /// Pictures that an address without a key may have a day, where there are accounts.
    pub anonymous_daily: u32,
    /// Proxies that are believed about whom they ask for.
    pub proxies: Vec<IpNet>,
    /// The web origins whose pages may call it.
    pub cors: Vec<HeaderValue>,
    /// Connections that are open at once.
    pub connections: usize,
    /// Removals that may wait for their turn.
    pub queue: usize,
    /// Bytes of uploads and answers that are held at once.
    pub transfer_memory: u64,
    /// For the head of a request.
    pub header_timeout: Duration,
    /// Between two pieces of a body.
    pub receive_timeout: Duration,
    /// For a whole body.
    pub upload_timeout: Duration,
    /// Between two pieces of an answer that are taken.
    pub send_timeout: Duration,
    /// For a whole answer.
    pub answer_timeout: Duration,
    /// For what was accepted, once the server is to stop.
    pub shutdown_timeout: Duration,
    /// What is logged.
    pub log: LevelFilter,
    /// Whether rembg's own requests are answered too.
    pub rembg_api: bool,
}

impl Settings {
    /// Where the accounts are kept, where there are any.
    #[must_use]
    pub fn accounts(&self) -> Option<Place> {
        let folder = || self.data.clone().map(Place::Folder);
        self.redis.clone().map(Place::Redis).or_else(folder)
    }
}

/// A secret that things are signed with; it shows nowhere.
#[derive(Clone)]
pub struct Signing(pub(crate) String);

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing(..)")
    }
}

/// Memory for running removals where nothing else is said: what a picture of 10000 × 10000 pixels needs,
/// whatever the options.
pub const MEMORY: &str = "8589934592";

/// What is wrong with the settings, all at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(Vec<String>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Refused {}

impl Default for Settings {
    fn default() -> Self {
        let mut settings = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            metrics_listen: None,
            keys: Keys::Unset,
            data: None,
            redis: None,
            stripe_secret: None,
            rate: 0,
            anonymous_daily: 0,
            proxies: Vec::new(),
            cors: Vec::new(),
            connections: 0,
            queue: 0,
            transfer_memory: 0,
            header_timeout: Duration::ZERO,
            receive_timeout: Duration::ZERO,
            upload_timeout: Duration::ZERO,
            send_timeout: Duration::ZERO,
            answer_timeout: Duration::ZERO,
            shutdown_timeout: Duration::ZERO,
            log: LevelFilter::OFF,
            rembg_api: false,
        };
        for spec in SPECS.iter().filter(|spec| !spec.default.is_empty()) {
            (spec.read)(&mut settings, spec.default).expect("a test reads every default");
        }
        settings
    }
}

/// Reads the settings of server and remover from text; of several pairs with the
/// same key the last one counts, and empty text is unset.
///
/// # Errors
/// All that is wrong, at once.
pub fn read(pairs: &[(String, String)]) -> Result<(Settings, Config), Refused> {
    let of_core = |key: &str| SETTINGS.iter().any(|spec| spec.key == key);
    let (core, own): (Vec<_>, Vec<_>) = pairs.iter().cloned().partition(|(key, _)| of_core(key));
    let mut settings = Settings::default();
    let mut refused = Vec::new();
    for spec in SPECS {
        let last = own.iter().rev().find(|(key, _)| key == spec.key);
        let text = last.map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
        let read = text.map_or(Ok(()), |text| (spec.read)(&mut settings, text));
        refused.extend(read.err().map(|why| format!("'{}' {why}", spec.key)));
    }
    let unknown = own.iter().filter(|(key, _)| !SPECS.iter().any(|spec| spec.key == key));
    refused.extend(unknown.map(|(key, _)| format!("Unknown setting '{key}'. Known settings: {}", keys())));
    let accounts = settings.accounts();
    if settings.data.is_some() && settings.redis.is_some() {
        refused.push("'data' and 'redis' cannot both be set".to_owned());
    }
    if settings.keys == Keys::Unset && accounts.is_none() && !settings.listen.ip().is_loopback() {
        let listen = settings.listen;
        refused.push(format!(
            "'keys', 'data' or 'redis' must be set to listen on {listen}: API keys, or any to let everyone in"
        ));
    }
    let need = [("anonymous_daily", settings.anonymous_daily > 0), ("stripe_secret", settings.stripe_secret.is_some())];
    for (key, _) in need.iter().filter(|(_, is_set)| *is_set && accounts.is_none()) {
        refused.push(format!("'{key}' needs 'data' or 'redis'"));
    }
    let memory = ("memory".to_owned(), MEMORY.to_owned());
    let config = Config::from_pairs([memory].into_iter().chain(core));
    match config {
        Ok(config) if refused.is_empty() => Ok((settings, config)),
        Ok(_) => Err(Refused(refused)),
        Err(error) => {
            Err(Refused(error.details().iter().map(|problem| problem.message.clone()).chain(refused).collect()))
        }
    }
}

/// Every key, of core and of the server.
fn keys() -> String {
    let keys = SPECS.iter().map(|spec| spec.key).chain(SETTINGS.iter().map(|spec| spec.key));
    keys.collect::<Vec<_>>().join(", ")
}

/// The settings in a file of TOML: `key = value`, a line each.
///
/// # Errors
/// The file is no TOML, or a value is neither text nor a number, true or false. What stands in the file is not told: it may be a key.
pub fn from_toml(text: &str) -> Result<Vec<(String, String)>, Refused> {
    let wrong = |error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Refused(vec![format!("Line {} is no TOML: {}", before.matches('\n').count() + 1, error.message())])
    };
    let table: toml::Table = text.parse().map_err(wrong)?;
    let pair = |(key, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((key, text)),
        toml::Value::Integer(number) => Ok((key, number.to_string())),
        toml::Value::Boolean(is_so) if takes_boolean(&key) => Ok((key, is_so.to_string())),
        toml::Value::Boolean(_) => Err(Refused(vec![format!("'{key}' must not be true or false")])),
        _ => Err(Refused(vec![format!("'{key}' must be text, a whole number, true or false")])),
    };
    table.into_iter().map(pair).collect()
}

fn takes_boolean(key: &str) -> bool {
    SPECS.iter().any(|spec| spec.key == key && spec.range == "true or false")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn refused(given: &[(&str, &str)]) -> Vec<String> {
        read(&pairs(given)).map(|_| ()).expect_err("it is wrong").0
    }

    #[test]
    fn every_default_is_read_and_bounds_are_as_the_table_tells() {
        let settings = read(&[]).expect("the defaults are good").0;
        assert_eq!((settings.listen.to_string(), settings.queue), ("127.0.0.1:7000".to_owned(), 64));
        for spec in SPECS {
            let range = spec.range.trim_start_matches("seconds, ");
            let Some((low, high)) = range.split_once(" to ").filter(|_| !range.contains("keys")) else { continue };
            for text in [low, high] {
                assert!(read(&pairs(&[("data", "accounts"), (spec.key, text)])).is_ok(), "{}={text}", spec.key);
            }
            let above = format!("{}", high.parse::<u64>().expect("a number") + 1);
            assert_eq!(refused(&[("data", "accounts"), (spec.key, &above)]).len(), 1, "{}", spec.key);
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wrong = [
            ("anonymous_daily", "5"),
            ("proxies", "10.0.0.1, me"),
            ("listen", "here"),
            ("queue", "-1"),
            ("cors", "https://app.example.com/"),
            ("log", "loud"),
            ("zoom", "1"),
            ("threads", "two"),
        ];
        let messages = refused(&wrong);
        let starts = [
            "'threads' must be an integer, got: 'two'",
            "'listen' must be ADDRESS:PORT as 127.0.0.1:7000, got: 'here'",
            "'proxies' must be addresses or networks as 10.0.0.0/8, got: 'me'",
            "'cors' must be origins as https://example.com, or *, got: 'https://app.example.com/'",
            "'queue' must be a whole number from 0 to 65536, got: '-1'",
            "'log' must be one of them, got: 'loud'",
            "Unknown setting 'zoom'. Known settings: listen, metrics_listen, ",
            "'anonymous_daily' needs 'data' or 'redis'",
        ];
        assert_eq!(messages.len(), starts.len(), "{messages:?}");
        for (message, start) in messages.iter().zip(starts) {
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn beyond_this_machine_keys_are_needed() {
        let open = [("listen", "0.0.0.0:80")];
        assert_eq!(
            refused(&open)[0],
            "'keys', 'data' or 'redis' must be set to listen on 0.0.0.0:80: API keys, or any to let everyone in"
        );
        for keys in ["any", "one,two"] {
            assert!(read(&pairs(&[open[0], ("keys", keys)])).is_ok(), "{keys}");
        }
        assert!(read(&pairs(&[("listen", "[::1]:80")])).is_ok());
    }

    #[test]
    fn a_file_has_numbers_and_text_and_the_last_word_counts() {
        let file = from_toml("queue = 3\nlisten = \"127.0.0.1:1\" # here\nmax_side = 9\n").expect("it is TOML");
        let all: Vec<_> = file.into_iter().chain(pairs(&[("queue", "4"), ("listen", "")])).collect();
        let (settings, config) = read(&all).expect("it is good");
        assert_eq!((settings.queue, config.limits.max_side), (4, 9));
        assert_eq!(config.memory, 8 << 30, "the server has a budget without being told");
        assert_eq!(from_toml("rembg_api = true"), Ok(pairs(&[("rembg_api", "true")])));
        let text = from_toml("keys = true").expect_err("it is text").to_string();
        assert_eq!(text, "'keys' must not be true or false");
        assert!(from_toml("queue = [1]").is_err_and(|error| error.to_string().contains("'queue' must be text")));
        let error =
            from_toml("queue = 1\nkeys = \"SECRET\nlog = \"info\"").expect_err("a quote is missing").to_string();
        assert!(error.starts_with("Line 2 is no TOML: ") && !error.contains("SECRET"), "{error}");
    }
}
