//! `POST /rmbg`: a form with a picture in, a picture out.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::App;
use crate::error::Refusal;
use crate::form;

const WIDTH: HeaderName = HeaderName::from_static("x-width");
const HEIGHT: HeaderName = HeaderName::from_static("x-height");

pub(super) async fn remove(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    // Whoever is sent away anyway is so before the upload.
    if app.jobs.is_full() || app.is_stopping() {
        return Err(Refusal::Busy);
    }
    let form = form::read(request, app.jobs.remover().limits(), &app.uploads).await?;
    let start = Instant::now();
    let output = app.jobs.run(form).await?;
    app.metrics.removed(start.elapsed(), &output.times);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(output.mime())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (WIDTH, output.width.into()),
        (HEIGHT, output.height.into()),
    ];
    Ok((headers, Bytes::from(output.data)).into_response())
}
