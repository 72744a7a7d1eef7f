//! Who is calling: the one place that looks at credentials.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use remrembg::Code;
use subtle::ConstantTimeEq;

use crate::App;
use crate::accounts::{Holder, Via, digest};
use crate::error::Refusal;
use crate::rates;

/// Which API keys are accepted. Keys are kept as digests, so that comparing them tells nothing of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// None were set: every key, and no key, on this machine.
    Unset,
    /// Every key, and no key.
    Any,
    /// These alone.
    These(Vec<[u8; 32]>),
}

/// Who calls, for what comes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody was asked for a name, or the key is one of the settings.
    Anyone,
    /// A user, who has credits.
    User(Holder),
    /// Nobody, who may have some pictures a day.
    Anonymous,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// From where a request comes, beyond trusted proxies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) IpAddr);

/// What a request shows: a digest, so that nothing keeps the key itself.
enum Shown {
    Nothing,
    Key([u8; 32]),
    Token([u8; 32]),
}

impl Shown {
    /// # Errors
    /// [`Code::KeyAndToken`].
    fn of(headers: &HeaderMap) -> Result<Self, Code> {
        // One that is empty, as a script sends it whose variable is not set, is none.
        let key = headers.get("x-api-key").map(HeaderValue::as_bytes).filter(|key| !key.is_empty()).map(digest);
        let token = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.as_bytes().split_at_checked(7)?;
            let token = token.trim_ascii();
            (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then(|| digest(token))
        });
        match (key, token) {
            (Some(_), Some(_)) => Err(Code::KeyAndToken),
            (Some(key), None) => Ok(Self::Key(key)),
            (None, Some(token)) => Ok(Self::Token(token)),
            (None, None) => Ok(Self::Nothing),
        }
    }
}

impl Keys {
    pub(crate) fn read(text: &str) -> Self {
        if text == "any" {
            return Self::Any;
        }
        let keys = text.split(',').map(str::trim).filter(|key| !key.is_empty());
        Self::These(keys.map(|key| digest(key.as_bytes())).collect())
    }

    fn have(&self, key: &[u8; 32]) -> bool {
        let Self::These(keys) = self else { return false };
        // All are looked at, whichever it is.
        keys.iter().fold(false, |found, known| found | bool::from(known.ct_eq(key)))
    }
}

/// Of the users first, then of the settings.
///
/// # Errors
/// [`Code::KeyAndToken`], [`Code::InvalidApiKey`], [`Refusal::Accounts`].
async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let shown = Shown::of(headers)?;
    if let (Some(accounts), Shown::Key(digest) | Shown::Token(digest)) = (&app.accounts, &shown) {
        let via = if matches!(shown, Shown::Key(_)) { Via::Api } else { Via::App };
        let digest = *digest;
        if let Some(holder) = accounts.ask(move |store, now| store.holder(&digest, via, now)).await? {
            return Ok(Caller::User(holder));
        }
    }
    let is_open = match app.settings.keys {
        Keys::Any => true,
        Keys::Unset => app.accounts.is_none(),
        Keys::These(_) => false,
    };
    match shown {
        Shown::Nothing if !is_open && app.settings.anonymous_daily > 0 => Ok(Caller::Anonymous),
        Shown::Key(key) if app.settings.keys.have(&key) => Ok(Caller::Anyone),
        _ if is_open => Ok(Caller::Anyone),
        _ => Err(Code::InvalidApiKey.into()),
    }
}

/// Lets a request on that says who calls, or that need not say it.
pub(crate) async fn identify(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match caller(&app, request.headers()).await {
        Ok(caller) => {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
            let address = rates::address(peer, request.headers(), &app.settings.proxies);
            request.extensions_mut().insert(Address(address));
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}
