//! The page at `/`: plain HTML, CSS and JavaScript, the form made from the table of options.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use remrembg::{OPTIONS, OptionKind, OptionSpec};

use crate::App;

/// Nothing from elsewhere, nothing inside the page itself; pictures are the user's own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// So many of the table's options are seen at once: those of the hosted API.
const BASIC: usize = 8;

pub(super) fn routes() -> Router<Arc<App>> {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let (basic, more) = OPTIONS.split_at(BASIC);
        let page = include_str!("../page/index.html");
        page.replace("<!-- basic options -->", &fields(basic)).replace("<!-- more options -->", &fields(more))
    });
    Router::new()
        .route("/", get(async || file(HTML, POLICY, PAGE.as_bytes())))
        .route("/page/style.css", get(async || file(CSS, POLICY, include_bytes!("../page/style.css"))))
        .route("/page/script.js", get(async || file(JAVASCRIPT, POLICY, include_bytes!("../page/script.js"))))
        .route("/page/icon.svg", get(async || file("image/svg+xml", POLICY, include_bytes!("../page/icon.svg"))))
}

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const CSS: &str = "text/css; charset=utf-8";
pub(super) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// A file for browsers, of this media type, under this policy.
pub(super) fn file(kind: &'static str, policy: &'static str, bytes: &'static [u8]) -> Response {
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    let cached = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    ([policy, cached, (header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response()
}

/// A field for each option, with its help and a place for its error.
fn fields(specs: &[OptionSpec]) -> String {
    let mut html = String::new();
    for spec in specs {
        let key = spec.key;
        let label = match key {
            "w" => "width".to_owned(),
            "h" => "height".to_owned(),
            _ => key.replace('_', " "),
        };
        // Writing to memory does not fail.
        let _ = write!(
            html,
            "<div class=\"field\" data-field=\"{key}\">\n<label for=\"option-{key}\">{label}</label>\n{}\n\
             <p class=\"help\" id=\"help-{key}\">{}</p>\n<p class=\"error\" id=\"error-{key}\"></p>\n</div>\n",
            control(spec),
            escaped(spec.help),
        );
    }
    html
}

fn control(spec: &OptionSpec) -> String {
    let key = spec.key;
    let common = format!(
        "id=\"option-{key}\" name=\"{key}\" aria-describedby=\"help-{key} error-{key}\" data-default=\"{}\"",
        spec.default
    );
    match spec.kind {
        OptionKind::Boolean => {
            let checked = if spec.default == "true" { " checked" } else { "" };
            format!("<input type=\"checkbox\" {common}{checked}>")
        }
        OptionKind::Choice => {
            let selected = |name| if name == spec.default { " selected" } else { "" };
            let option = |name| format!("<option{}>{name}</option>", selected(name));
            let options: String = spec.choices().map(|names| option(names[0])).collect();
            format!("<select {common}>{options}</select>")
        }
        OptionKind::Integer | OptionKind::Number => {
            format!("<input {common} inputmode=\"decimal\" placeholder=\"{}\">", spec.default)
        }
        _ => format!("<input {common} placeholder=\"{}\">", spec.default),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
