//! A service of its own for each test, and forms for it.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use image::{ImageFormat, Rgb, RgbImage};
use remrembg::{Config, EngineChoice, Model, Recipe, Remover};
use remrembg_server::{App, Settings, router, settings};
use tower::ServiceExt;

use crate::onnx;

pub(crate) const BOUNDARY: &str = "XboundaryX";

/// A remover that is done at once: what is not green is subject.
pub(crate) fn config() -> Config {
    static MODEL: LazyLock<PathBuf> =
        LazyLock::new(|| onnx::not_green_in(env!("CARGO_TARGET_TMPDIR"), "http-not-green.onnx"));
    let mut config = Config::default();
    config.engine = EngineChoice::Rten;
    config.model = Model::File { path: MODEL.clone(), recipe: Recipe::U2NET };
    config
}

pub(crate) fn remover() -> Arc<Remover> {
    static REMOVER: LazyLock<Arc<Remover>> =
        LazyLock::new(|| Arc::new(Remover::new(config()).expect("the engine inside always works")));
    Arc::clone(&REMOVER)
}

/// The settings of the service, and those of its remover.
pub(crate) fn both(pairs: &[(&str, &str)]) -> (Settings, Config) {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    settings::read(&pairs).expect("the settings are good")
}

pub(crate) fn settings_of(pairs: &[(&str, &str)]) -> Settings {
    both(pairs).0
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header is text"))
    }
}

/// A service with these settings.
pub(crate) fn service(pairs: &[(&str, &str)]) -> impl Fn(Request<Body>) -> Answer + use<> {
    service_of(remover(), settings_of(pairs))
}

pub(crate) fn service_of(remover: Arc<Remover>, settings: Settings) -> impl Fn(Request<Body>) -> Answer + use<> {
    let router = router(App::new(remover, settings).expect("its accounts can be opened"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    move |request| {
        runtime.block_on(async {
            let response: Response = router.clone().oneshot(request).await.expect("a router always answers");
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await.expect("the body is whole").to_bytes().to_vec();
            Answer { status: StatusCode::as_u16(&status), headers, body }
        })
    }
}

/// One part of a form: a field, or a file with a name.
pub(crate) fn part(name: &str, file_name: Option<&str>, data: &[u8]) -> Vec<u8> {
    let file = file_name.map_or(String::new(), |file| format!("; filename=\"{}\"", file.replace('"', "%22")));
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
    [head.as_bytes(), data, b"\r\n"].concat()
}

pub(crate) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

pub(crate) fn kind() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

pub(crate) fn post(parts: &[Vec<u8>]) -> Request<Body> {
    let request = Request::post("/rmbg").header("x-api-key", "YOUR_API_KEY_HERE").header(header::CONTENT_TYPE, kind());
    request.body(Body::from(form(parts))).expect("the request is one")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("the request is one")
}

/// A red ball on green.
pub(crate) fn ball() -> RgbImage {
    RgbImage::from_fn(60, 40, |x, y| {
        let is_in = (x as i32 - 30).pow(2) + (y as i32 - 20).pow(2) < 144;
        if is_in { Rgb([200, 30, 20]) } else { Rgb([40, 200, 60]) }
    })
}

pub(crate) fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a picture is encoded");
    bytes.into_inner()
}

pub(crate) fn png() -> Vec<u8> {
    encoded(&ball(), ImageFormat::Png)
}

pub(crate) fn image(data: &[u8]) -> Vec<u8> {
    part("image", Some("photo.png"), data)
}

pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    part(name, None, value.as_bytes())
}
