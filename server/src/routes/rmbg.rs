//! `POST /rmbg`: a form with a picture in, a picture out.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use remrembg::Code;

use crate::App;
use crate::accounts::Held;
use crate::caller::Caller;
use crate::error::Refusal;
use crate::form;
use crate::sending::{Deadline, Sending};

const WIDTH: HeaderName = HeaderName::from_static("x-width");
const HEIGHT: HeaderName = HeaderName::from_static("x-height");

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Refusal> {
    // Whoever is sent away anyway is so before the upload.
    if app.jobs.is_full() || app.is_stopping() {
        return Err(Refusal::Busy);
    }
    let credit = credit(&app, &caller).await?;
    let work = removed(&app, request);
    let Some(credit) = credit else { return work.await };
    let answer = credit.during(work).await?;
    credit.charge().await?;
    Ok(answer)
}

/// What the removal will be charged to, where somebody counts.
///
/// # Errors
/// [`Code::EmailNotVerified`], [`Code::RateMonthly`], [`Refusal::Accounts`].
async fn credit<'a>(app: &'a App, caller: &Caller) -> Result<Option<Held<'a>>, Refusal> {
    let (Some(accounts), Caller::User(holder)) = (&app.accounts, caller) else { return Ok(None) };
    if !holder.is_verified {
        return Err(Code::EmailNotVerified.into());
    }
    let held = accounts.hold(holder).await?;
    held.map(Some).ok_or_else(|| Code::RateMonthly.into())
}

async fn removed(app: &App, request: Request) -> Result<Response, Refusal> {
    let deadline = request.extensions().get::<Deadline>().cloned();
    let form = form::read(request, app.jobs.remover().limits(), &app.transfers).await?;
    let start = Instant::now();
    let output = app.jobs.run(form).await?;
    app.metrics.removed(start.elapsed(), &output.times);
    let charge = app.transfers.answer(output.data.len() as u64)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(output.mime())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (WIDTH, output.width.into()),
        (HEIGHT, output.height.into()),
    ];
    let body = Sending::new(output.data, charge, deadline, app.settings.answer_timeout);
    Ok((headers, Body::new(body)).into_response())
}
