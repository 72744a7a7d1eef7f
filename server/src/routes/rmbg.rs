//! `POST /rmbg`: a form with a picture in, a picture out.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::error::Refusal;
use crate::form;
use crate::sending::{Deadline, Sending};

const WIDTH: HeaderName = HeaderName::from_static("x-width");
const HEIGHT: HeaderName = HeaderName::from_static("x-height");

pub(super) async fn remove(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    // Whoever is sent away anyway is so before the upload.
    if app.jobs.is_full() || app.is_stopping() {
        return Err(Refusal::Busy);
    }
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
