//! The vectors of `testdata/` over HTTP.

use axum::body::Body;
use axum::http::Request;
use remrembg::{Limits, Options, Remover};
use serde_json::Value;

use crate::service::{Answer, both, config, encoded, field, get, image, part, png, post, remover, service, service_of};

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../testdata/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn pairs(case: &Value) -> Vec<(&str, &str)> {
    let pairs = case["pairs"].as_array().expect("a case has pairs");
    pairs.iter().map(|pair| (pair[0].as_str().expect("a key"), pair[1].as_str().expect("text"))).collect()
}

#[track_caller]
fn assert_refused(answer: &Answer, error: &Value, name: &str) {
    assert_eq!(answer.text(), error["body"].as_str().expect("a body"), "{name}");
    assert_eq!(u64::from(answer.status), error["status"].as_u64().expect("a status"), "{name}");
    assert_eq!(answer.header("content-type"), "application/json", "{name}");
}

#[test]
fn options_are_taken_and_refused_as_the_vectors_say() {
    let (send, picture) = (service(&[]), image(&png()));
    let (mut taken, mut refused) = (0, 0);
    for case in cases("options.json") {
        let name = case["name"].as_str().expect("a name");
        let pairs = pairs(&case);
        let error = &case["error"];
        let unknown = error["codes"].as_array().is_some_and(|codes| codes.iter().any(|code| code == "unknown_option"));
        // Over HTTP what is unknown is ignored; large results take long.
        let is_large = ["w", "h"].iter().any(|side| case["options"][side].as_u64().is_some_and(|side| side > 900));
        if unknown || is_large {
            continue;
        }
        let fields = pairs.iter().map(|(key, value)| field(key, value)).chain([picture.clone()]);
        let answer = send(post(&fields.collect::<Vec<_>>()));
        if error.is_null() {
            // Sizes of regions are checked against the picture, and a trimap needs a mask: core says the same.
            let options = Options::from_pairs(pairs).expect("the vectors say so");
            match remover().remove(&png(), &options) {
                Ok(output) => assert!(answer.status == 200 && answer.body == output.data, "{name}"),
                Err(error) => assert_eq!(answer.text(), error.to_json(), "{name}"),
            }
            taken += 1;
        } else {
            assert_refused(&answer, error, name);
            refused += 1;
        }
    }
    assert!(taken > 300 && refused > 100, "{taken} taken, {refused} refused");
}

#[test]
fn sizes_are_those_of_the_vectors() {
    let send = service(&[]);
    let mut count = 0;
    for case in cases("geometry.json") {
        let side = |of: &str, at: usize| case[of][at].as_u64().expect("a side") as u32;
        let sides = [side("input", 0), side("input", 1), side("output", 0), side("output", 1)];
        // Beyond this a result takes seconds in a test; core has them all.
        if [sides[0] * sides[1], sides[2] * sides[3]].iter().any(|&area| area > 1_000_000) {
            continue;
        }
        let picture = encoded(&image::RgbImage::new(sides[0], sides[1]), image::ImageFormat::Png);
        let fields = pairs(&case).into_iter().map(|(key, value)| field(key, value)).chain([image(&picture)]);
        let answer = send(post(&fields.chain([field("format", "bmp")]).collect::<Vec<_>>()));
        let told: [u32; 2] = ["x-width", "x-height"].map(|name| answer.header(name).parse().expect("a number"));
        assert_eq!(told, [sides[2], sides[3]], "{}", case["name"]);
        count += 1;
    }
    assert!(count > 150, "{count}");
}

#[test]
fn files_are_taken_and_refused_as_the_vectors_say() {
    let send = service(&[]);
    let (mut taken, mut refused) = (0, 0);
    for case in cases("files.json") {
        let input = &case["input"];
        // Other ways in have paths and pixels, and what comes as bytes has no name that could be wrong.
        if !input["path_suffix"].is_null() || !input["pixels"].is_null() {
            continue;
        }
        let name = case["name"].as_str().expect("a name");
        let file = (!input["parts"].is_null())
            .then(|| part("image", Some(input["file_name"].as_str().unwrap_or("a.png")), &bytes(&input["parts"])));
        let limits = case["limits"].as_object().into_iter().flatten();
        let limits: Vec<_> = limits.map(|(key, value)| (key.as_str(), value.to_string())).collect();
        let request = post(&file.into_iter().collect::<Vec<_>>());
        let answer = if limits.is_empty() { send(request) } else { limited(&limits)(request) };
        if case["error"].is_null() {
            assert_eq!(answer.status, 200, "{name}: {:?}", String::from_utf8_lossy(&answer.body));
            taken += 1;
        } else {
            assert_refused(&answer, &case["error"], name);
            refused += 1;
        }
    }
    assert!(taken > 10 && refused > 50, "{taken} taken, {refused} refused");
}

/// A service whose remover has limits of its own.
fn limited(limits: &[(&str, String)]) -> impl Fn(Request<Body>) -> Answer {
    let pairs: Vec<_> = limits.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let (settings, given) = both(&pairs);
    let mut config = config();
    config.limits = given.limits;
    service_of(Remover::new(config).expect("the engine inside always works").into(), settings)
}

fn bytes(parts: &Value) -> Vec<u8> {
    let part = |part: &Value| match part["hex"].as_str() {
        Some(hex) => of_hex(hex),
        None => {
            of_hex(part["fill"].as_str().expect("a byte")).repeat(part["count"].as_u64().expect("a count") as usize)
        }
    };
    parts.as_array().expect("parts").iter().flat_map(part).collect()
}

fn of_hex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    digits.iter().map(|two| u8::from_str_radix(str::from_utf8(two).expect("text"), 16).expect("hex")).collect()
}

#[test]
fn a_large_file_is_counted_without_being_stored() {
    let send = service(&[]);
    let size = Limits::default().max_bytes as usize + (26 << 20) / 5;
    let answer = send(post(&[part("image", Some("large.png"), &vec![0; size]), field("w", "abc")]));
    let expected = r#"{"error":"Multiple validation errors","details":[{"field":"image","message":"File size (55.2 MB) exceeds the maximum allowed size of 50 MB."},{"field":"w","message":"'w' must be an integer, got: 'abc'"}],"status":400}"#;
    assert_eq!((answer.status, answer.text()), (400, expected));
}

#[test]
fn errors_of_accounts_have_the_bodies_of_the_vectors() {
    let cases = cases("errors.json");
    let body = |code: &str| {
        let case = cases.iter().find(|case| case["code"] == code).expect("there is a vector");
        (case["status"].as_u64().expect("a status") as u16, case["body"].as_str().expect("a body").to_owned())
    };
    let send = service(&[("keys", "one, two")]);
    let answered = |change: &dyn Fn(&mut axum::http::HeaderMap)| {
        let mut request = post(&[image(&png())]);
        change(request.headers_mut());
        let answer = send(request);
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    };
    let wrong = [
        answered(&|headers| drop(headers.insert("x-api-key", "three".parse().expect("a value")))),
        answered(&|headers| drop(headers.remove("x-api-key"))),
        answered(&|headers| drop(headers.insert("x-api-key", "one,two".parse().expect("a value")))),
    ];
    assert!(wrong.iter().all(|answer| *answer == body("invalid_api_key")), "{wrong:?}");
    for key in ["one", "two"] {
        let right = answered(&|headers| drop(headers.insert("x-api-key", key.parse().expect("a value"))));
        assert_eq!(right.0, 200, "{key}");
    }
    let both = answered(&|headers| drop(headers.insert("authorization", "Bearer abc".parse().expect("a value"))));
    assert_eq!(both, body("key_and_token"));
    assert_eq!(send(get("/health/ready")).status, 200, "checks need no key");
}
