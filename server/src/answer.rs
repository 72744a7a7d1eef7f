//! What happens around every answer: its id, its line in the log, its count.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use uuid::Uuid;

use crate::App;
use crate::error::Told;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, and tells log and metrics how it was answered.
pub(crate) async fn observed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = id_of(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let (request, is_read) = Watched::around(request);
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id.clone());
    // An error may be told before the body is read, which then has no end to go on from.
    if response.status().as_u16() >= 400 && !is_read.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let told = response.extensions_mut().remove::<Told>();
    let error = told.as_ref().map(|told| told.name);
    let status = response.status().as_u16();
    app.metrics.answered(&route, status, told.as_ref());
    let (id, milliseconds) = (id.to_str().unwrap_or_default(), start.elapsed().as_millis() as u64);
    let (reason, fault) = told.map_or((None, None), |told| (told.reason, told.fault));
    if let Some(fault) = fault {
        tracing::error!(request = id, method = method.as_str(), route, status, milliseconds, error, fault, "failed");
    } else {
        tracing::info!(request = id, method = method.as_str(), route, status, milliseconds, error, reason, "answered");
    }
    response
}

/// The id that a proxy gave, if it is a plain one, or a new one.
fn id_of(request: &Request) -> HeaderValue {
    let plain = |id: &&HeaderValue| id.len() <= 128 && id.to_str().is_ok_and(|id| !id.is_empty());
    let given = request.headers().get(REQUEST_ID).filter(plain).cloned();
    given.unwrap_or_else(|| HeaderValue::try_from(Uuid::new_v4().to_string()).expect("hex digits and dashes"))
}

/// A body that tells whether it was read to its end.
struct Watched {
    body: Body,
    is_read: Arc<AtomicBool>,
}

impl Watched {
    fn around(request: Request) -> (Request, Arc<AtomicBool>) {
        let is_read = Arc::new(AtomicBool::new(http_body::Body::is_end_stream(request.body())));
        let request = request.map(|body| Body::new(Self { body, is_read: Arc::clone(&is_read) }));
        (request, is_read)
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
