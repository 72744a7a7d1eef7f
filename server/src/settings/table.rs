//! The one table that flags, environment, file and documentation are made from.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;

use super::{Settings, Signing};
use crate::accounts::Url;
use crate::caller::Keys;

/// One setting: what it is called, what it takes, what it does.
pub struct Spec {
    /// Its key in a file; with dashes the flag, in capitals behind `REMREMBG_` the variable.
    pub key: &'static str,
    /// The default, as it would be written; empty where there is none.
    pub default: &'static str,
    /// The values that are accepted, in words.
    pub range: &'static str,
    /// What it does: one or two plain sentences.
    pub help: &'static str,
    pub(super) read: fn(&mut Settings, &str) -> Result<(), String>,
}

/// Every setting of the server.
pub const SPECS: &[Spec] = &[
    Spec {
        key: "listen",
        default: "127.0.0.1:7000",
        range: "ADDRESS:PORT",
        help: "Where the server listens. Port 0 is any free one. Beyond this machine it needs keys.",
        read: |settings, text| address(text).map(|address| settings.listen = address),
    },
    Spec {
        key: "metrics_listen",
        default: "",
        range: "ADDRESS:PORT",
        help: "Where Prometheus reads /metrics. Without it there are none.",
        read: |settings, text| address(text).map(|address| settings.metrics_listen = Some(address)),
    },
    Spec {
        key: "keys",
        default: "",
        range: "API keys with commas between them, or any",
        help: "The API keys that are accepted. Without it every key is, and no key too, on this machine alone; any is \
               that for other machines.",
        read: |settings, text| {
            settings.keys = Keys::read(text);
            Ok(())
        },
    },
    Spec {
        key: "data",
        default: "",
        range: "a folder",
        help: "Where accounts are kept: users, their keys, credits and use. With it a request needs a key or a token, unless other settings let in whoever has none.",
        read: |settings, text| {
            settings.data = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Spec {
        key: "redis",
        default: "",
        range: "a URL as redis://127.0.0.1:6379/0, rediss: with TLS, unix:/path for a socket",
        help: "Keeps the accounts in a Redis, which several servers may share, in place of a folder.",
        read: |settings, text| {
            Url::new(text).map(|url| settings.redis = Some(url)).map_err(|trouble| trouble.to_string())
        },
    },
    Spec {
        key: "stripe_secret",
        default: "",
        range: "a signing secret as whsec_…",
        help: "Lets Stripe's events at /api/stripe/webhook move billing periods, plans and credits, where there are accounts.",
        read: |settings, text| {
            settings.stripe_secret = Some(Signing(text.to_owned()));
            Ok(())
        },
    },
    Spec {
        key: "rate",
        default: "0",
        range: "0 to 1000000",
        help: "Requests for a removal that each user, or each address without one, may make a minute; 0 is no limit.",
        read: |settings, text| whole(text, (0, 1_000_000)).map(|count| settings.rate = count as u32),
    },
    Spec {
        key: "anonymous_daily",
        default: "0",
        range: "0 to 1000000",
        help: "Pictures that each address without a key or token may have a day, in UTC, where there are accounts.",
        read: |settings, text| whole(text, (0, 1_000_000)).map(|count| settings.anonymous_daily = count as u32),
    },
    Spec {
        key: "proxies",
        default: "",
        range: "addresses or networks as 10.0.0.0/8 with commas between them",
        help: "Reverse proxies whose header X-Forwarded-For is believed.",
        read: |settings, text| {
            let networks = text.split(',').map(|text| network(text.trim()));
            networks.collect::<Result<_, _>>().map(|networks| settings.proxies = networks)
        },
    },
    Spec {
        key: "cors",
        default: "",
        range: "origins as https://example.com with commas between them, or *",
        help: "Web origins whose pages may call the server from a browser.",
        read: |settings, text| {
            let origins = text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(origin);
            origins.collect::<Result<_, _>>().map(|origins| settings.cors = origins)
        },
    },
    Spec {
        key: "connections",
        default: "1024",
        range: "1 to 65536",
        help: "Connections that are open at once; others wait to be taken.",
        read: |settings, text| whole(text, (1, 65_536)).map(|count| settings.connections = count as usize),
    },
    Spec {
        key: "queue",
        default: "64",
        range: "0 to 65536",
        help: "Removals that may wait for their turn; a request beyond them is answered with 503.",
        read: |settings, text| whole(text, (0, 65_536)).map(|count| settings.queue = count as usize),
    },
    Spec {
        key: "transfer_memory",
        default: "536870912",
        range: "1 to 1099511627776",
        help: "Memory in bytes for uploads that come in or wait and answers that go out; a request beyond it is \
               answered with 503.",
        read: |settings, text| whole(text, (1, 1 << 40)).map(|bytes| settings.transfer_memory = bytes),
    },
    Spec {
        key: "header_timeout",
        default: "10",
        range: "seconds, 1 to 86400",
        help: "How long the head of a request may take, and a connection be idle before it. Behind a proxy that keeps \
               connections open, give more than it does, so that it uses none that just closes.",
        read: |settings, text| seconds(text).map(|time| settings.header_timeout = time),
    },
    Spec {
        key: "receive_timeout",
        default: "15",
        range: "seconds, 1 to 86400",
        help: "How long a request may send nothing in the middle of its body.",
        read: |settings, text| seconds(text).map(|time| settings.receive_timeout = time),
    },
    Spec {
        key: "upload_timeout",
        default: "300",
        range: "seconds, 1 to 86400",
        help: "How long a whole request may take to arrive.",
        read: |settings, text| seconds(text).map(|time| settings.upload_timeout = time),
    },
    Spec {
        key: "send_timeout",
        default: "30",
        range: "seconds, 1 to 86400",
        help: "How long a client may take nothing of its answer.",
        read: |settings, text| seconds(text).map(|time| settings.send_timeout = time),
    },
    Spec {
        key: "answer_timeout",
        default: "300",
        range: "seconds, 1 to 86400",
        help: "How long a client may take to take a whole answer.",
        read: |settings, text| seconds(text).map(|time| settings.answer_timeout = time),
    },
    Spec {
        key: "shutdown_timeout",
        default: "30",
        range: "seconds, 1 to 86400",
        help: "How long requests that were accepted may go on after the server is told to stop.",
        read: |settings, text| seconds(text).map(|time| settings.shutdown_timeout = time),
    },
    Spec {
        key: "log",
        default: "info",
        range: "off, error, warn, info, debug",
        help: "What is written to standard error, as a JSON object a line. Neither pictures nor keys ever are.",
        read: |settings, text| {
            let known = ["off", "error", "warn", "info", "debug"].contains(&text);
            let level = text.parse().ok().filter(|_| known);
            level.map(|level| settings.log = level).ok_or_else(|| format!("must be one of them, got: '{text}'"))
        },
    },
    Spec {
        key: "rembg_api",
        default: "false",
        range: "true or false",
        help: "Answers POST /api/remove as rembg's own service does, for programs written for that.",
        read: |settings, text| {
            let read = text.parse().map(|on| settings.rembg_api = on);
            read.map_err(|_| format!("must be true or false, got: '{text}'"))
        },
    },
];

/// The table as Markdown, for the documentation.
#[must_use]
pub fn settings_markdown() -> String {
    let head = "| Setting | Default | Accepted | Meaning |\n|---|---|---|---|\n";
    let row = |spec: &Spec| {
        let default = if spec.default.is_empty() { "unset" } else { spec.default };
        format!("| `{}` | {default} | {} | {} |\n", spec.key, spec.range, spec.help)
    };
    SPECS.iter().map(row).fold(head.to_owned(), |table, row| table + &row)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("must be ADDRESS:PORT as 127.0.0.1:7000, got: '{text}'"))
}

/// An origin as browsers tell it: they compare every letter.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let text = text.to_ascii_lowercase();
    let host = text.split_once("://").map_or("", |(_, host)| host);
    let is_one = !host.is_empty() && !host.contains(['/', '?', '#', '@']) || text == "*" || text == "null";
    let value = HeaderValue::from_str(&text).ok().filter(|_| is_one);
    value.ok_or_else(|| format!("must be origins as https://example.com, or *, got: '{text}'"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse()).map_err(|_| format!("must be addresses or networks as 10.0.0.0/8, got: '{text}'"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    whole(text, (1, 86_400)).map(Duration::from_secs)
}

fn whole(text: &str, (low, high): (u64, u64)) -> Result<u64, String> {
    let number = text.parse::<u64>().ok().filter(|number| (low..=high).contains(number));
    number.ok_or_else(|| format!("must be a whole number from {low} to {high}, got: '{text}'"))
}
