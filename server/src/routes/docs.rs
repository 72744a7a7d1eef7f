//! `/api/openapi`, and the interactive reference at `/api/docs/`, which is Swagger UI.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use remrembg::Code;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};

use super::page::{CSS, HTML, JAVASCRIPT, TEXT, file};
use crate::App;
use crate::error::Refusal;
use crate::openapi::openapi;

/// The reference writes styles into its elements, and shows pictures that it got.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<App>> {
    static STYLE: Unpacked = LazyLock::new(|| unpacked("swagger-ui.css"));
    static SCRIPT: Unpacked = LazyLock::new(|| unpacked("swagger-ui-bundle.js"));
    let licences = include_bytes!("../page/swagger-ui-bundle.js.LICENSE.txt");
    let (page, start) = (include_bytes!("../page/reference.html"), include_bytes!("../page/reference.js"));
    Router::new()
        .route("/api/openapi", get(description))
        .route("/docs", get(to_reference))
        .route("/api/docs", get(to_reference))
        .route("/api/docs/", get(async || file(HTML, POLICY, page)))
        .route("/api/docs/reference.js", get(async || file(JAVASCRIPT, POLICY, start)))
        .route("/api/docs/swagger-ui.css", get(async || of_archive(CSS, &STYLE)))
        .route("/api/docs/swagger-ui-bundle.js", get(async || of_archive(JAVASCRIPT, &SCRIPT)))
        .route("/api/docs/swagger-ui-bundle.js.LICENSE.txt", get(async || file(TEXT, POLICY, licences)))
}

async fn description() -> Response {
    static JSON: LazyLock<String> = LazyLock::new(|| openapi().to_string());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.as_str()).into_response()
}

/// From where the request asks, so that it holds below a path of a reverse proxy too.
pub(super) async fn to_reference(uri: Uri) -> Redirect {
    Redirect::permanent(if uri.path().starts_with("/api/") { "docs/" } else { "api/docs/" })
}

type Unpacked = LazyLock<ZipResult<Vec<u8>>>;

fn of_archive(kind: &'static str, unpacked: &'static Unpacked) -> Response {
    match &**unpacked {
        Ok(bytes) => file(kind, POLICY, bytes),
        Err(error) => Refusal::Fault(Code::Internal, format!("Swagger UI: {error}")).into_response(),
    }
}

/// One of the files that make up Swagger UI in a browser. The folder in its archive has the version in its name.
fn unpacked(name: &str) -> ZipResult<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let end = format!("/dist/{name}");
    let path = archive.file_names().flatten().find(|path| path.ends_with(&end)).map(Cow::into_owned);
    let mut bytes = Vec::new();
    archive.by_name(&path.ok_or(ZipError::FileNotFound)?)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
