//! What happens around every answer: its id, its line in the log, its count, and the rest of a
//! body that was not read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use uuid::Uuid;

use crate::App;
use crate::error::Told;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most of a body that is read after its refusal: until it is read, a client hears nothing.
const DRAINED: usize = 64 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// Gives a request its id, and tells log and metrics how it was answered.
pub(crate) async fn observed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = id_of(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, id.clone());
    let told = response.extensions_mut().remove::<Told>();
    let error = told.as_ref().map(|told| told.name);
    let status = response.status().as_u16();
    app.metrics.answered(&route, status, error);
    let (id, milliseconds) = (id.to_str().unwrap_or_default(), start.elapsed().as_millis() as u64);
    if let Some(fault) = told.and_then(|told| told.fault) {
        tracing::error!(request = id, method = method.as_str(), route, status, milliseconds, fault, "failed");
    } else {
        tracing::info!(request = id, method = method.as_str(), route, status, milliseconds, error, "answered");
    }
    response
}

/// The id that a proxy gave, if it is a plain one, or a new one.
fn id_of(request: &Request) -> HeaderValue {
    let plain = |id: &&HeaderValue| id.len() <= 128 && id.to_str().is_ok_and(|id| !id.is_empty());
    let given = request.headers().get(REQUEST_ID).filter(plain).cloned();
    given.unwrap_or_else(|| HeaderValue::try_from(Uuid::new_v4().to_string()).expect("hex digits and dashes"))
}

/// Reads on where a request was refused before all of it was read: a connection that is closed
/// on unread bytes takes the answer with it.
pub(crate) async fn drained(request: Request, next: Next) -> Response {
    // Who waits for leave to send sends nothing.
    if request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    let response = next.run(Request::from_parts(head, Body::new(Lent(Arc::clone(&body))))).await;
    if !response.status().is_success() && response.status() != StatusCode::REQUEST_TIMEOUT {
        let rest = std::mem::take(&mut *body.lock().unwrap_or_else(PoisonError::into_inner));
        // What comes beyond the bounds goes down with the connection.
        let _ = tokio::time::timeout(DRAINED_FOR, read_out(rest)).await;
    }
    response
}

async fn read_out(mut body: Body) {
    let mut left = DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// A body that its owner can have back.
struct Lent(Arc<Mutex<Body>>);

impl Lent {
    fn with<T>(&self, work: impl FnOnce(&mut Body) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.with(|body| body.size_hint())
    }
}
