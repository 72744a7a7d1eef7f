//! `POST /api/stripe/webhook`: what Stripe tells of subscriptions.

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use crate::App;
use crate::accounts::stripe::{self, Signature};
use crate::accounts::{Applied, now};
use crate::error::Refusal;
use crate::form::broken;
use crate::transfers::Charge;

/// Bytes of an event.
const MOST: usize = 1 << 20;

pub(super) async fn webhook(State(app): State<Arc<App>>, request: Request<Body>) -> Result<Response, Refusal> {
    let (Some(accounts), Some(secret)) = (&app.accounts, &app.settings.stripe_secret) else {
        return Err(Refusal::NotFound);
    };
    let header = header_of(request.headers());
    let signature = Signature::read(&header, now()).map_err(Refusal::Event)?;
    let mut charge = app.transfers.upload();
    let body = whole(request.into_body(), &mut charge).await?;
    let delivery = signature.check(&secret.0, &body).map_err(Refusal::Event)?;
    let event = stripe::read(&body).map_err(Refusal::Event)?;
    let subscription = event.as_ref().map(|event| event.subscription.clone());
    match accounts.ask(move |store, now| store.apply(&delivery, event.as_ref(), now)).await? {
        Applied::Replayed => return Err(Refusal::Event("The event was delivered before.")),
        Applied::NoUser => tracing::warn!(subscription, "an event of Stripe names no user of this server"),
        Applied::Moved | Applied::Nothing => {}
    }
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], r#"{"received":true}"#).into_response())
}

fn header_of(headers: &HeaderMap) -> String {
    headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The whole of an event, however small the pieces are in which it comes.
async fn whole(body: Body, charge: &mut Charge) -> Result<Vec<u8>, Refusal> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error, "event"))?;
        let Some(piece) = frame.data_ref() else { continue };
        if bytes.len() + piece.len() > MOST {
            return Err(Refusal::Event("The event is too large."));
        }
        bytes.extend_from_slice(piece);
        charge.set(bytes.len() as u64)?;
    }
    Ok(bytes)
}
