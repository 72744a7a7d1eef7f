//! What is refused before any picture is looked at.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::service::{Answer, BOUNDARY, field, form, get, image, kind, part, png, post, service};

fn request(method: Method, path: &str, kind: Option<&str>, body: &[u8]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-length", body.len());
    let request = kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
    request.body(Body::from(body.to_vec())).expect("the request is one")
}

#[track_caller]
fn assert_json(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.text(), format!(r#"{{"error":"{message}","status":{status}}}"#));
    assert_eq!((answer.status, answer.header("content-type")), (status, "application/json"));
}

#[test]
fn what_does_not_exist_is_told_in_the_same_shape() {
    let send = service(&[]);
    for path in ["/nothing", "/rmbg/", "/RMBG", "/api", "/metrics", "/page/../../etc/passwd"] {
        assert_json(&send(get(path)), 404, "Not found");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = send(request(method, "/rmbg", None, b""));
        assert_json(&answer, 405, "Method not allowed");
        assert_eq!(answer.header("allow"), "POST");
    }
    let head = send(request(Method::HEAD, "/rmbg", None, b""));
    assert_eq!((head.status, head.body.len()), (405, 0));
    let options = send(request(Method::OPTIONS, "/rmbg", None, b""));
    assert_eq!((options.status, options.header("allow"), options.body.len()), (204, "POST", 0));
    let head = send(request(Method::HEAD, "/health/live", None, b""));
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn a_body_that_is_no_form_is_told_apart_from_a_form_that_is_broken() {
    let send = service(&[]);
    let whole = form(&[image(&png())]);
    let media = "Unsupported media type. Send the image as multipart/form-data.";
    for kind in ["application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=a", "image/png"] {
        assert_json(&send(request(Method::POST, "/rmbg", Some(kind), &whole)), 415, media);
    }
    assert_json(&send(request(Method::POST, "/rmbg", None, &whole)), 415, media);
    let empty = send(request(Method::POST, "/rmbg", None, b""));
    assert_json(&empty, 400, "No image file provided. Please include an 'image' field in your form data.");
    let empty = send(request(Method::POST, "/rmbg", Some(&kind()), b""));
    assert_json(&empty, 400, "No image file provided. Please include an 'image' field in your form data.");
    let no_boundary = send(request(Method::POST, "/rmbg", Some("multipart/form-data"), &whole));
    assert_json(&no_boundary, 400, "The form cannot be read: it has no boundary.");
    for length in [70, 71] {
        let kind = format!("multipart/form-data; boundary={}", "x".repeat(length));
        let answer = send(request(Method::POST, "/rmbg", Some(&kind), &whole));
        assert_eq!(
            (answer.status, answer.text().contains("its boundary is too long")),
            (400, length > 70),
            "{}",
            answer.text()
        );
    }

    let mut packed = request(Method::POST, "/rmbg", Some(&kind()), &whole);
    packed.headers_mut().insert("content-encoding", "gzip".parse().expect("a value"));
    assert_json(&send(packed), 415, "The body is compressed, as its Content-Encoding says. Send it as it is.");

    // Cut off at every place: each is refused, none is a fault of the server's.
    let kind = kind();
    for length in (0..whole.len() - 4).step_by(7) {
        let answer = send(request(Method::POST, "/rmbg", Some(&kind), &whole[..length]));
        assert_eq!(answer.status, 400, "{length} of {}: {}", whole.len(), answer.text());
    }
}

#[test]
fn an_image_field_that_is_no_file_is_no_image() {
    let send = service(&[]);
    let missing = "No image file provided. Please include an 'image' field in your form data.";
    assert_json(&send(post(&[field("image", "photo.png")])), 400, missing);
    assert_json(&send(post(&[field("w", "10")])), 400, missing);
    let answer = send(post(&[field("image", "text"), image(&png()), part("image", Some("b.png"), b"not this one")]));
    assert_eq!(answer.status, 200, "the first file counts");
}

#[test]
fn an_image_is_a_file_however_its_name_is_written() {
    let send = service(&[]);
    for name in [&b"filename=\"\xe4.png\""[..], b"filename*=UTF-8''%C3%A4.png", b"FILENAME=a.png"] {
        let start = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; ");
        let part = [start.as_bytes(), name, b"\r\n\r\n", &png(), b"\r\n"].concat();
        assert_eq!(send(post(&[part])).status, 200, "{}", String::from_utf8_lossy(name));
    }
}

#[test]
fn a_mask_that_was_not_chosen_is_none_and_files_that_nobody_reads_may_be_large() {
    let send = service(&[("max_bytes", "5000")]);
    let unset = part("mask", Some(""), b"");
    assert_eq!(send(post(&[unset, image(&png())])).status, 200);
    assert_eq!(send(post(&[image(&png()), part("mask", Some("m.png"), b"")])).status, 400);
    let unread = part("notes", Some("notes.txt"), &[b'a'; 9000]);
    assert_eq!(send(post(&[unread, image(&png()), part("image", Some("b.png"), &[1; 9000])])).status, 200);
}

#[test]
fn a_boundary_without_the_quotes_that_it_needs_is_understood() {
    let send = service(&[]);
    for boundary in ["===7===", "\"a b=c\"", "=7="] {
        let bare = boundary.trim_matches('"');
        let text = String::from_utf8_lossy(&image(b"|")).replace(BOUNDARY, bare);
        let (start, end) = text.split_once('|').expect("it has a middle");
        let body = [start.as_bytes(), &png(), end.as_bytes(), format!("--{bare}--\r\n").as_bytes()].concat();
        let kind = format!("Multipart/Form-Data; boundary={boundary}");
        assert_eq!(send(request(Method::POST, "/rmbg", Some(&kind), &body)).status, 200, "{boundary}");
    }
}

#[test]
fn a_single_problem_names_its_field_in_a_header() {
    let send = service(&[]);
    assert_eq!(send(post(&[image(&png()), field("w", "x")])).header("x-error-field"), "w");
    assert_eq!(send(post(&[])).header("x-error-field"), "image");
    assert_eq!(send(post(&[field("w", "x")])).header("x-error-field"), "", "the body has them all");
}

#[test]
fn fields_parts_and_heads_are_bounded() {
    let send = service(&[]);
    let long = |length: usize| part("bg_color", None, &vec![b'f'; length]);
    assert_eq!(send(post(&[long(64 << 10), image(&png())])).status, 400, "it is read, and is no colour");
    assert_json(&send(post(&[long((64 << 10) + 1), image(&png())])), 413, "A field of the form is too large.");
    assert_json(&send(post(&[long(1 << 22), image(&png())])), 413, "A field of the form is too large.");
    // A picture without a file name is none, however large it is.
    let missing = "No image file provided. Please include an 'image' field in your form data.";
    assert_json(&send(post(&[part("image", None, &[7; 1 << 20])])), 400, missing);
    let unknown = |length: usize| send(post(&[part("x", None, &vec![b'f'; length]), image(&png())])).status;
    assert_eq!([unknown(64 << 10), unknown((64 << 10) + 1)], [200, 413]);
    let all = [vec![field("x", "1"); 199], vec![image(&png())]].concat();
    assert_eq!(send(post(&all)).status, 200);
    let many = vec![field("x", "1"); 201];
    assert_json(&send(post(&many)), 413, "The form has more than 200 fields.");
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n\r\n", "x".repeat(1 << 20));
    // A body of one piece is taken as one.
    assert!([400, 413].contains(&send(post(&[head.into_bytes()])).status));
}

#[test]
fn without_memory_for_uploads_a_request_is_sent_away() {
    let send = service(&[("transfer_memory", "1000")]);
    let answer = send(post(&[part("image", Some("a.png"), &[1; 2000])]));
    assert_json(&answer, 503, "The server is busy. Please try again in a moment.");
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(send(post(&[image(&png()[..200])])).status, 400, "what it took was given back");
}

#[test]
fn other_origins_are_let_in_where_a_setting_says_so() {
    let asked = |settings: &[(&str, &str)], origin: &str| {
        let mut request = request(Method::OPTIONS, "/rmbg", None, b"");
        for (name, value) in [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-api-key,traceparent"),
        ] {
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let answer = service(settings)(request);
        ["access-control-allow-origin", "access-control-allow-headers"].map(|name| answer.header(name).to_owned())
    };
    assert_eq!(asked(&[], "https://a.example"), ["", ""]);
    let some = [("cors", "https://a.example, https://b.example")];
    assert_eq!(asked(&some, "https://b.example"), ["https://b.example", "x-api-key,traceparent"]);
    assert_eq!(asked(&some, "https://c.example")[0], "");
    assert_eq!(asked(&[("cors", "*")], "https://c.example")[0], "*");
}
