//! The routes, a file each.

mod docs;
mod health;
mod page;
mod rembg;
mod rmbg;
mod stripe;
mod usage;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use remrembg::Code;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};

use crate::App;
use crate::answer;
use crate::caller;
use crate::error::Refusal;

/// The whole service.
pub fn router(app: Arc<App>) -> Router {
    let settings = &app.settings;
    let outside = ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(panicked))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(cors(&settings.cors))
        .layer(RequestBodyTimeoutLayer::new(settings.receive_timeout))
        .layer(RequestBodyDeadlineLayer::new(settings.upload_timeout));
    let observed = from_fn_with_state(Arc::clone(&app), answer::observed);
    let called = from_fn_with_state(Arc::clone(&app), caller::identify);
    let as_rembg = if settings.rembg_api { rembg::routes().layer(called.clone()) } else { Router::new() };
    Router::new()
        .route("/rmbg", post(rmbg::remove).layer(called.clone()))
        .route("/api/membership-usage", get(usage::report).layer(called))
        .route("/api/stripe/webhook", post(stripe::webhook))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(docs::routes())
        .merge(page::routes())
        .merge(as_rembg)
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(other_method)
        .layer(outside)
        .layer(observed)
        .with_state(app)
}

/// What Prometheus reads, for an address of its own.
pub(crate) fn metrics(app: Arc<App>) -> Router {
    let page = async move || {
        let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        ([(header::CONTENT_TYPE, kind)], app.metrics.render(&app.jobs, &app.transfers))
    };
    Router::new().route("/metrics", get(page)).fallback(async || Refusal::NotFound)
}

/// OPTIONS asks for what axum adds to every such answer: the header Allow.
async fn other_method(request: Request) -> Response {
    match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => Refusal::MethodNotAllowed.into_response(),
    }
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Refusal::Fault(Code::Internal, "a request panicked".to_owned()).into_response()
}

fn set(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// For the pages of these origins; without one a browser lets no other page in.
fn cors(origins: &[HeaderValue]) -> tower::util::Either<CorsLayer, tower::layer::util::Identity> {
    if origins.is_empty() {
        return tower::util::Either::Right(tower::layer::util::Identity::new());
    }
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        // Those of tracing and of upload libraries too.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(
            [
                "x-width",
                "x-height",
                "x-coverage",
                "x-confidence",
                "x-bounds",
                "x-request-id",
                "x-error-field",
                "x-error-reason",
                "retry-after",
                "x-ratelimit-limit",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
            ]
            .map(header::HeaderName::from_static),
        );
    tower::util::Either::Left(if origins.iter().any(|origin| origin == "*") {
        layer.allow_origin(Any)
    } else {
        layer.allow_origin(origins.to_vec())
    })
}
