//! `/api/openapi`, and the interactive reference at `/api/docs`.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::App;
use crate::openapi::openapi;

/// The reference writes styles into its elements, and shows pictures that it got.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<App>> {
    let config = Config::new(["/api/openapi"]).use_base_layout().validator_url("none").try_it_out_enabled(true);
    let reference: Router<Arc<App>> = SwaggerUi::new("/api/docs").config(config).into();
    let policy = SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Router::new().merge(reference.layer(policy)).route("/api/openapi", get(description)).route("/docs", get(docs))
}

async fn description() -> Response {
    static JSON: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.as_str()).into_response()
}

async fn docs() -> Redirect {
    Redirect::permanent("/api/docs/")
}
