//! Who is calling: the one place that looks at credentials.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use remrembg::Code;
use sha2::{Digest, Sha256};

use crate::App;
use crate::error::Refusal;

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
    /// Nobody was asked for a name.
    Anyone,
    /// The holder of a key, by its digest.
    Key([u8; 32]),
}

impl Keys {
    pub(crate) fn read(text: &str) -> Self {
        if text == "any" {
            return Self::Any;
        }
        let keys = text.split(',').map(str::trim).filter(|key| !key.is_empty());
        Self::These(keys.map(|key| digest(key.as_bytes())).collect())
    }

    /// # Errors
    /// [`Code::KeyAndToken`], [`Code::InvalidApiKey`].
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Code> {
        let key = headers.get("x-api-key").map(|key| digest(key.as_bytes()));
        let token = headers.get(header::AUTHORIZATION).is_some_and(|value| {
            value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
        });
        if key.is_some() && token {
            return Err(Code::KeyAndToken);
        }
        match (self, key) {
            (Self::Unset | Self::Any, key) => Ok(key.map_or(Caller::Anyone, Caller::Key)),
            (Self::These(keys), Some(key)) if keys.contains(&key) => Ok(Caller::Key(key)),
            (Self::These(_), _) => Err(Code::InvalidApiKey),
        }
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Lets a request on that says who calls, or that need not say it.
pub(crate) async fn identify(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match app.settings.keys.caller(request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(code) => Refusal::from(code).into_response(),
    }
}
