//! `GET /api/membership-usage`: a user's plan, credits and use.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use remrembg::Code;

use crate::App;
use crate::accounts::{Query, Trouble, Via, report_of};
use crate::caller::Caller;
use crate::error::Refusal;

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Refusal> {
    let Some(accounts) = &app.accounts else { return Err(Refusal::NoAccounts) };
    // Use is told to the holder of a key alone.
    let Caller::User(holder) = caller else { return Err(Code::InvalidApiKey.into()) };
    if holder.via != Via::Api {
        return Err(Code::InvalidApiKey.into());
    }
    let parameters = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned();
    let parameters: Vec<_> = parameters.collect();
    let query = Query::read(&parameters)?;
    let report = accounts.ask(move |store, now| report_of(store, holder.user, &query, now)).await?;
    let json = serde_json::to_string(&report).map_err(|error| Trouble::Failed(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, json).into_response())
}
