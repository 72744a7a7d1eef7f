//! Whether the process lives, and whether it takes requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::accounts::Via;
use crate::error::Refusal;

fn told(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

pub(super) async fn live() -> Response {
    told(StatusCode::OK, r#"{"status":"live"}"#)
}

/// The model is loaded before the first connection is taken. Where there are accounts that cannot be read, every request
/// would be refused.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_stopping() {
        return told(StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"The server is stopping.","status":503}"#);
    }
    if let Some(accounts) = &app.accounts
        && let Err(trouble) = accounts.ask(|store, now| store.holder(&[0; 32], Via::Api, now)).await
    {
        return Refusal::from(trouble).into_response();
    }
    told(StatusCode::OK, r#"{"status":"ready"}"#)
}
