//! `POST /api/stripe/webhook`: what Stripe tells of subscriptions.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::accounts::{Applied, now, stripe};
use crate::error::Refusal;

/// Bytes of an event.
const MOST: usize = 1 << 20;

pub(super) async fn webhook(State(app): State<Arc<App>>, request: Request<Body>) -> Result<Response, Refusal> {
    let (Some(accounts), Some(secret)) = (&app.accounts, &app.settings.stripe_secret) else {
        return Err(Refusal::NotFound);
    };
    let signature = signature(request.headers());
    let body = to_bytes(request.into_body(), MOST).await.map_err(|_| Refusal::Event("The event is too large."))?;
    let delivery = stripe::verified(&secret.0, &signature, &body, now()).map_err(Refusal::Event)?;
    let event = stripe::read(&body).map_err(Refusal::Event)?;
    match accounts.ask(move |store, now| store.apply(&delivery, event.as_ref(), now)).await? {
        Applied::Replayed => return Err(Refusal::Event("The event was delivered before.")),
        Applied::NoUser => tracing::warn!("an event of Stripe names no user of this server"),
        Applied::Moved | Applied::Nothing => {}
    }
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], r#"{"received":true}"#).into_response())
}

fn signature(headers: &HeaderMap) -> String {
    headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
