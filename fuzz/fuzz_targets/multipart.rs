//! A request with any body, in pieces of any size: it is answered, and never with a fault of the server's.

#![no_main]

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use remrembg::{Config, EngineChoice, Model, Recipe, Remover};
use remrembg_server::{App, Settings, router};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

#[path = "../../core/src/engine/tests/onnx.rs"]
mod onnx;

static SERVICE: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("remrembg-fuzz-{}.onnx", std::process::id()));
    std::fs::write(&path, onnx::not_green()).expect("the model can be written");
    let mut config = Config::default();
    (config.engine, config.threads) = (EngineChoice::Rten, 1);
    config.model = Model::File { path, recipe: Recipe::U2NET };
    // Large pictures are slow and show nothing new.
    (config.limits.max_bytes, config.limits.max_side) = (1 << 16, 64);
    let remover = Remover::new(config).expect("the engine inside always works");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let app = App::new(Arc::new(remover), Settings::default()).expect("it has no accounts");
    (runtime.expect("a runtime can be made"), router(app))
});

fuzz_target!(|data: &[u8]| {
    let Some((&size, body)) = data.split_first() else { return };
    // Sizes that are asked for would make large pictures.
    if body.windows(3).any(|name| name == b"\"w\"" || name == b"\"h\"") {
        return;
    }
    let pieces: Vec<Bytes> = body.chunks(usize::from(size).max(1)).map(Bytes::copy_from_slice).collect();
    let body = Body::from_stream(futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)));
    let request = Request::post("/rmbg").header("content-type", "multipart/form-data; boundary=b");
    let request = request.body(body).expect("the request is one");
    let (runtime, router) = &*SERVICE;
    let (status, answer) = runtime.block_on(async {
        let response = router.clone().oneshot(request).await.expect("a router always answers");
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.expect("the body is whole").to_bytes())
    });
    assert!([200, 400, 413].contains(&status), "{status}: {}", String::from_utf8_lossy(&answer));
    if status != 200 {
        let told: Value = serde_json::from_slice(&answer).expect("an error is JSON");
        assert_eq!(told["status"], status);
    }
});
