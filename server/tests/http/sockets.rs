//! Clients that are slow, leave, send without end or come too many at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use image::ImageFormat;
use remrembg_server::accounts::{Place, User, Via, open};
use remrembg_server::run;

use crate::served::{Served, answer, asked, head, is_closed, metric, request, served, until};
use crate::service::{encoded, field, form, image, kind, part, png, settings_of};

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let served = served(2, &[]);
    let mut stream = served.connect();
    for _ in 0..3 {
        assert_eq!(asked(&mut stream, &request(&[image(&png())])).0, 200);
        assert_eq!(asked(&mut stream, &request(&[field("w", "abc"), image(&png())])).0, 400);
    }
}

#[test]
fn a_slow_head_and_a_slow_body_are_given_up() {
    let served = served(1, &[("header_timeout", "1"), ("receive_timeout", "1"), ("upload_timeout", "2")]);
    let mut stream = served.connect();
    stream.write_all(b"POST /rmbg HTTP/1.1\r\nHos").expect("it is sent");
    assert!(is_closed(&mut stream), "a head that stops");

    let whole = request(&[image(&png())]);
    let begins = whole.len() - form(&[image(&png())]).len();
    for sent in [begins, begins + 5, whole.len() - 30] {
        let mut stream = served.connect();
        stream.write_all(&whole[..sent]).expect("it is sent");
        let (status, head, body) = answer(&mut stream).expect("it is answered");
        assert_eq!((status, &*body), (408, &br#"{"error":"The request did not arrive in time.","status":408}"#[..]));
        assert!(head.contains("connection: close"), "{head}");
    }

    // Never idle for a second, and never done.
    let mut stream = served.connect();
    let mut slow = stream.try_clone().expect("a second handle");
    let body = whole.len() - form(&[image(&png())]).len();
    slow.write_all(&whole[..body]).expect("the head is sent");
    let trickle = thread::spawn(move || {
        whole[body..]
            .iter()
            .take_while(|byte| slow.write_all(&[**byte]).is_ok())
            .for_each(|_| thread::sleep(Duration::from_millis(100)));
    });
    assert_eq!(answer(&mut stream).expect("it is answered").0, 408);
    drop(stream);
    trickle.join().expect("it ends");
}

/// A request whose answer has 36 MB, more than sockets hold.
fn large() -> Vec<u8> {
    let size = [("w", "3000"), ("h", "3000"), ("exact_resize", "true"), ("format", "bmp")];
    request(&[&size.map(|(key, value)| field(key, value))[..], &[image(&png())]].concat())
}

/// Sends a request, and waits until its answer is under way.
fn asks(served: &Served, request: &[u8]) -> TcpStream {
    let mut stream = served.connect();
    stream.write_all(request).expect("it is sent");
    until(|| metric(served, "remrembg_requests_total{route=\"/rmbg\",status=\"200\"} ") == Some(1));
    stream
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let served = served(1, &[("send_timeout", "1")]);
    let mut stream = asks(&served, &large());
    until(|| metric(&served, "remrembg_connections ") == Some(0));
    assert!(answer(&mut stream).is_err(), "the rest was never sent");
}

#[test]
fn a_client_that_takes_its_answer_too_slowly_is_let_go() {
    let served = served(1, &[("answer_timeout", "1")]);
    let mut stream = asks(&served, &large());
    let mut piece = [0; 256 << 10];
    // Never idle for long, and at this rate done after a minute.
    let slow = std::iter::from_fn(|| {
        thread::sleep(Duration::from_millis(100));
        stream.read(&mut piece).ok().filter(|count| *count > 0)
    });
    let taken = slow.take_while(|_| metric(&served, "remrembg_connections ") != Some(0)).sum::<usize>();
    until(|| metric(&served, "remrembg_connections ") == Some(0));
    assert!(taken < 30 << 20, "the rest was never sent: {taken}");
    assert_eq!(metric(&served, "remrembg_transfers_bytes "), Some(0));
}

#[test]
fn answers_that_are_under_way_count_as_memory() {
    let served = served(1, &[("transfer_memory", "1000000")]);
    let mut stream = asks(&served, &large());
    assert!(metric(&served, "remrembg_transfers_bytes ").is_some_and(|bytes| bytes > 30 << 20));
    assert_eq!(asked(&mut served.connect(), &request(&[image(&png())])).0, 503, "there is no memory for it");
    assert_eq!(
        answer(&mut stream).expect("it is sent").2.len(),
        3000 * 3000 * 4 + 122,
        "one alone is sent whatever its size"
    );
    until(|| metric(&served, "remrembg_transfers_bytes ") == Some(0));
    assert_eq!(asked(&mut served.connect(), &request(&[image(&png())])).0, 200, "there is room again");
}

#[test]
fn who_is_refused_before_the_body_is_read_is_told_that_the_connection_ends() {
    let served = served(1, &[("keys", "right")]);
    let body = form(&[image(&vec![7; 1 << 20])]);
    let post = |path: &str, more: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{more}\r\n", body.len());
        let (status, head, _) = asked(&mut served.connect(), &[head.as_bytes(), &body].concat());
        (status, head.contains("\r\nconnection: close\r\n"))
    };
    assert_eq!(post("/rmbg", "x-api-key: wrong\r\n"), (401, true));
    assert_eq!(post("/nowhere", ""), (404, true));
    assert_eq!(post("/health/live", ""), (405, true));
    let mut stream = served.connect();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    for (path, expected) in [("/nowhere", 404), ("/rmbg", 405), ("/health/live", 200)] {
        let (status, head, _) = asked(&mut stream, &get(path));
        assert_eq!((status, head.contains("connection: close")), (expected, false), "without a body it goes on");
    }
}

#[test]
fn beyond_the_queue_a_request_is_sent_away_at_once() {
    let served = served(1, &[("queue", "1")]);
    let (over, held) = served.hold();
    let waits = |expected: u64| {
        let mut stream = served.connect();
        stream.write_all(&request(&[image(&png())])).expect("it is sent");
        served.until_waiting(expected);
        stream
    };
    let mut accepted = [waits(1), waits(2)];
    let (status, head, body) = asked(&mut served.connect(), &request(&[image(&png())]));
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: 2"), "{head}");
    assert_eq!(body, br#"{"error":"The server is busy. Please try again in a moment.","status":503}"#);
    over.wait();
    held.join().expect("it runs");
    for stream in &mut accepted {
        assert_eq!(answer(stream).expect("it is answered").0, 200, "what was accepted is done");
    }
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(asked(&mut served.connect(), &request(&[image(&png())])).0, 200, "there is room again");
}

#[test]
fn a_client_that_goes_away_takes_its_work_with_it() {
    let served = served(1, &[]);
    let whole = request(&[image(&png())]);
    let body = form(&[image(&png())]);
    let chunk = format!("POST /rmbg HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\n", kind());
    let chunk = format!("{chunk}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    let chunks = [chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    // Whole at once, or so that its last bytes come when the form has been read already.
    for (sent, late) in [(&whole, 0), (&whole, 2), (&chunks, 5)] {
        let (over, held) = served.hold();
        let mut stream = served.connect();
        let (first, last) = sent.split_at(sent.len() - late);
        stream.write_all(first).expect("it is sent");
        if late > 0 {
            thread::sleep(Duration::from_millis(100));
        }
        stream.write_all(last).expect("it is sent");
        served.until_waiting(1);
        drop(stream);
        served.until_waiting(0);
        over.wait();
        held.join().expect("it runs");
        assert_eq!(metric(&served, "remrembg_removal_seconds_count "), Some(0), "it was never done");
    }
    let mut stream = served.connect();
    stream.write_all(&chunks[..chunks.len() - 5]).expect("it is sent");
    thread::sleep(Duration::from_millis(100));
    stream.write_all(&chunks[chunks.len() - 5..]).expect("it is sent");
    assert_eq!(answer(&mut stream).expect("it is answered").0, 200);
    assert_eq!(asked(&mut stream, &whole).0, 200, "the connection goes on");
}

#[test]
fn a_client_that_goes_away_gets_its_credit_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&Place::Folder(folder.path().to_owned())).expect("it opens");
    let (name, email, plan) = ("one".to_owned(), "one@example.com".to_owned(), "Free".to_owned());
    let user = User { name, email, is_verified: true, plan, included: 1, prepaid: 0, period: None, customer: None };
    store.add_user(&user).expect("it is new");
    let key = store.create("one", Via::Api, "", 0).expect("the user is there").0.text().to_owned();
    let served = served(1, &[("data", folder.path().to_str().expect("it is text"))]);
    let body = form(&[image(&png())]);
    let request = [head(body.len(), &format!("x-api-key: {key}\r\n")).into_bytes(), body].concat();
    let status = || asked(&mut served.connect(), &request).0;
    let (over, held) = served.hold();
    let mut stream = served.connect();
    stream.write_all(&request).expect("it is sent");
    served.until_waiting(1);
    assert_eq!(status(), 429, "the only credit is held");
    drop(stream);
    served.until_waiting(0);
    over.wait();
    held.join().expect("it runs");
    until(|| status() == 200);
    assert_eq!(status(), 429, "now it is used");
}

#[test]
fn what_was_accepted_is_finished_before_the_end() {
    let mut served = served(1, &[]);
    let (over, held) = served.hold();
    let mut stream = served.connect();
    stream.write_all(&request(&[image(&png())])).expect("it is sent");
    served.until_waiting(1);
    let mut idle = served.connect();
    assert_eq!(asked(&mut idle, b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").0, 200);
    served.stop.store(true, Ordering::SeqCst);
    assert!(is_closed(&mut idle), "a connection without a request ends");
    over.wait();
    held.join().expect("it runs");
    assert_eq!(answer(&mut stream).expect("it is answered").0, 200);
    let address = served.at.service;
    served.end();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn what_cannot_be_finished_in_time_is_cut_off() {
    let mut served = served(1, &[("shutdown_timeout", "1")]);
    let (over, held) = served.hold();
    let mut stream = served.connect();
    stream.write_all(&request(&[image(&png())])).expect("it is sent");
    served.until_waiting(1);
    served.end();
    assert!(answer(&mut stream).is_err());
    until(|| served.remover.load().waiting == 0);
    over.wait();
    held.join().expect("it runs");
}

#[test]
fn a_body_without_end_is_answered_and_left() {
    let served = served(1, &[("max_bytes", "1048576")]);
    let mut stream = served.connect();
    let endless = stream.try_clone().expect("a second handle");
    let sender = thread::spawn(move || {
        let mut endless = endless;
        let chunk = [b"10000\r\n".to_vec(), vec![7; 1 << 16], b"\r\n".to_vec()].concat();
        let head =
            format!("POST /rmbg HTTP/1.1\r\nHost: a\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n", kind());
        let begin = part("image", Some("a.png"), b"");
        let begin = &begin[..begin.len() - 2];
        let begin = [head.as_bytes(), format!("{:x}\r\n", begin.len()).as_bytes(), begin, b"\r\n"].concat();
        let mut next = &begin;
        while endless.write_all(next).is_ok() {
            next = &chunk;
        }
    });
    let (status, _, body) = answer(&mut stream).expect("it is answered");
    let told = String::from_utf8(body).expect("text");
    assert_eq!(status, 400, "{told}");
    assert!(
        told.starts_with("{\"error\":\"File size (8.") && told.contains("exceeds the maximum allowed size of 1 MB."),
        "{told}"
    );
    drop(stream);
    sender.join().expect("it ends");
}

#[test]
fn many_idle_sockets_keep_nobody_out() {
    let served = served(1, &[]);
    let idle: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = served.connect();
            stream.write_all(b"POST /rmbg HTTP/1.1\r\nHost: a\r\n").expect("it is sent");
            stream
        })
        .collect();
    assert_eq!(asked(&mut served.connect(), &request(&[image(&png())])).0, 200);
    drop(idle);
}

#[test]
fn who_asks_for_leave_to_send_gets_it_or_the_refusal() {
    let served = served(1, &[]);
    let body = form(&[image(&png())]);
    let mut stream = served.connect();
    stream.write_all(head(body.len(), "Expect: 100-continue\r\n").as_bytes()).expect("it is sent");
    assert_eq!(answer(&mut stream).expect("leave").0, 100);
    assert_eq!(asked(&mut stream, &body).0, 200);

    let mut stream = served.connect();
    let refused = head(body.len(), "Expect: 100-continue\r\n").replace("/rmbg", "/nothing");
    assert_eq!(asked(&mut stream, refused.as_bytes()).0, 404);
}

#[test]
fn broken_heads_are_refused_without_harm() {
    let served = served(1, &[]);
    let many = "a: b\r\n".repeat(200);
    let long = format!("a: {}\r\n", "b".repeat(64 << 10));
    let heads = [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{long}\r\n"),
        head(10, "Content-Length: 11\r\n"),
        head(10, "Transfer-Encoding: gzip\r\n"),
    ];
    for bytes in heads {
        let mut stream = served.connect();
        // It may be refused before all of it is sent.
        let _ = stream.write_all(bytes.as_bytes());
        if let Ok((status, ..)) = answer(&mut stream) {
            assert!((400..500).contains(&status), "{status} for {:?}", &bytes[..bytes.len().min(60)]);
        }
    }
    assert_eq!(asked(&mut served.connect(), &request(&[image(&png())])).0, 200);
}

#[test]
fn metrics_count_answers_errors_and_stages_and_live_on_their_own_address() {
    let served = served(1, &[]);
    let mut stream = served.connect();
    assert_eq!(asked(&mut stream, &request(&[image(&png())])).0, 200);
    assert_eq!(asked(&mut stream, &request(&[image(b"GIF89a")])).0, 400);
    assert_eq!(asked(&mut stream, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").0, 404);
    for (name, value) in [
        ("remrembg_requests_total{route=\"/rmbg\",status=\"200\"} ", 1),
        ("remrembg_errors_total{error=\"corrupt_image\",kind=\"validation\"} ", 1),
        ("remrembg_errors_total{error=\"not_found\",kind=\"validation\"} ", 1),
        ("remrembg_removal_seconds_count ", 1),
        ("remrembg_stage_seconds_count{stage=\"encode\"} ", 1),
        ("remrembg_removals_running ", 0),
        ("remrembg_removals_waiting ", 0),
        ("remrembg_memory_charged_bytes ", 0),
        ("remrembg_transfers_bytes ", 0),
        ("remrembg_connections ", 1),
    ] {
        assert_eq!(metric(&served, name), Some(value), "{name}");
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let served = served(1, &[]);
    let taken = served.at.service.to_string();
    let settings = settings_of(&[("listen", &taken)]);
    let error = run(Arc::clone(&served.remover), settings, || true, |_| ()).expect_err("it is taken");
    assert!(error.to_string().starts_with(&format!("Cannot listen on {taken}: ")), "{error}");
}

#[test]
fn a_large_picture_that_does_not_fit_the_budget_is_refused_by_name() {
    let served = served(1, &[("memory", "31457280")]);
    let mut stream = served.connect();
    let large = encoded(&image::RgbImage::new(2000, 1000), ImageFormat::Png);
    let (status, _, body) = asked(&mut stream, &request(&[image(&large)]));
    let body = String::from_utf8(body).expect("text");
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("MB of memory, more than the budget of 30 MB."), "{body}");
    assert_eq!(asked(&mut stream, &request(&[image(&png())])).0, 200);
}
