//! What programs for rembg's own service meet.

use axum::body::Body;
use axum::http::{Request, header};
use image::{ColorType, ImageFormat};
use remrembg::Options;

use crate::service::{Answer, encoded, field, form, get, kind, part, png, remover, service};

fn post(path: &str, parts: &[Vec<u8>]) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, kind());
    request.body(Body::from(form(parts))).expect("the request is one")
}

fn file(data: &[u8]) -> Vec<u8> {
    part("file", Some("photo"), data)
}

fn refused(answer: &Answer, message: &str) {
    let body = serde_json::json!({"error": message, "status": 400}).to_string();
    assert_eq!((answer.status, answer.text()), (400, &*body));
}

#[test]
fn a_file_comes_back_as_a_png_with_the_options_of_form_and_address() {
    let send = service(&[("rembg_api", "true")]);
    let pairs = [("format", "png"), ("keep_alpha", "true"), ("bg_color", "#0a141eff"), ("smooth_mask", "true")];
    let expected = remover().remove(&png(), &Options::from_pairs(pairs).expect("they are good")).expect("it runs");
    let answer = send(post("/api/remove?bgc=10,20,30,255&ppm=false", &[field("ppm", "true"), file(&png())]));
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"));
    assert!(answer.body == expected.data);

    let mask = send(post("/api/remove", &[field("om", "true"), field("a", "true"), file(&png())]));
    assert_eq!(image::load_from_memory(&mask.body).expect("it is a picture").color(), ColorType::L8);
}

#[test]
fn its_reference_is_where_rembg_has_it() {
    let answer = service(&[("rembg_api", "true")])(get("/api"));
    assert_eq!((answer.status, answer.header("location")), (308, "api/docs/"));
    assert_eq!(service(&[])(get("/api")).status, 404);
}

#[test]
fn it_reads_what_rembg_reads_and_the_hosted_api_does_not() {
    let send = service(&[("rembg_api", "true")]);
    let gif = encoded(&crate::service::ball(), ImageFormat::Gif);
    let (as_rembg, hosted) =
        (send(post("/api/remove", &[file(&gif)])), send(post("/rmbg", &[part("image", Some("photo.png"), &gif)])));
    assert_eq!((as_rembg.status, hosted.status), (200, 400));
    assert_eq!(hosted.header("x-error-reason"), "this is a GIF picture");
}

#[test]
fn what_it_does_not_have_is_refused() {
    let send = service(&[("rembg_api", "true")]);
    let message = "This service fetches no addresses. Send the picture itself: POST, as the field 'file'.";
    refused(&send(get("/api/remove?url=http%3A%2F%2Fexample.com%2Fa.png")), message);
    let other = send(post("/api/remove", &[field("model", "u2net"), file(&png())]));
    // Of a file, its name: where it lies is told to nobody.
    assert!(remover().model().ends_with("/http-not-green.onnx"), "{}", remover().model());
    refused(&other, "The model 'u2net' is not the one that this service runs: http-not-green.");
    let named = send(post("/api/remove", &[field("model", "http-not-green"), file(&png())]));
    assert_eq!(named.status, 200);
    let extras = send(post("/api/remove", &[field("extras", "{\"a\":1}"), file(&png())]));
    refused(&extras, "This service does not have 'extras'.");
    let none = send(post("/api/remove", &[field("a", "true")]));
    refused(&none, "There is no picture. Send it as the field 'file'.");
}

#[test]
fn it_is_there_only_where_it_is_asked_for_and_keys_count() {
    assert_eq!(service(&[])(post("/api/remove", &[file(&png())])).status, 404);
    let send = service(&[("rembg_api", "true"), ("keys", "secret")]);
    assert_eq!(send(post("/api/remove", &[file(&png())])).status, 401);
}
