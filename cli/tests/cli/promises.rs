//! What docs/security.md promises of the whole program: where nothing goes, what is written nowhere, and what is bounded.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::bench::{Bench, ran, until};
use crate::serve::{ANYWHERE, MODEL, Started};

const PHOTO: &str = "image=@photo.png;filename=the-name-of-a-file.png";

/// curl's answer: its status.
fn curl(bench: &Bench, words: &[&str]) -> String {
    let always = ["--silent", "--noproxy", "*", "--output", "/dev/null", "--write-out", "%{http_code}"];
    let ran = Command::new("curl").args(always).args(words).current_dir(bench.path("")).output();
    String::from_utf8(ran.expect("curl is there").stdout).expect("a number")
}

#[cfg(target_os = "linux")]
mod net {
    use super::*;

    /// What notes every connection to another host.
    struct Watched {
        library: PathBuf,
        notes: PathBuf,
    }

    impl Watched {
        fn new(bench: &Bench) -> Self {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/connections.c");
            let library = bench.path("connections.so");
            let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
            let mut words = compiler.split_whitespace();
            let mut compile = Command::new(words.next().expect("CC names a compiler"));
            compile.args(words).args(["-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library);
            let compiled = compile.status();
            assert!(compiled.expect("there is a C compiler").success());
            Self { library, notes: bench.path("connections") }
        }

        fn watch(&self, command: &mut Command) {
            command.env("LD_PRELOAD", &self.library).env("CONNECTIONS", &self.notes);
        }

        fn noted(&self) -> String {
            fs::read_to_string(&self.notes).unwrap_or_default()
        }
    }

    #[test]
    fn a_removal_connects_to_nobody() {
        let bench = Bench::new(&["photo.png"]);
        let watched = Watched::new(&bench);
        // Where something connects, it is noted.
        let mut health = bench.command(["health", "127.0.0.1:1"]);
        watched.watch(&mut health);
        assert_eq!(ran(health).status, Some(1));
        assert!(watched.noted().contains("connect"), "{:?}", watched.noted());
        fs::remove_file(&watched.notes).expect("it was there");
        let mut bundled = bench.command(["remove", "photo.png", "-o", "bundled.png"]);
        let mut own = bench.remove(["photo.png", "-o", "own.png"]);
        for command in [&mut bundled, &mut own] {
            watched.watch(command);
            assert!(command.status().expect("the binary starts").success());
        }
        assert_eq!(watched.noted(), "");
    }

    #[test]
    fn the_service_connects_to_nobody_and_writes_nothing() {
        let bench = Bench::new(&["photo.png"]);
        let watched = Watched::new(&bench);
        fs::create_dir(bench.path("temporary")).expect("a folder is made");
        let mut command = bench.command(ANYWHERE);
        command.args(MODEL).env("TMPDIR", bench.path("temporary"));
        watched.watch(&mut command);
        let before = bench.files();
        let service = Started::new(command);
        let url = format!("http://{}/rmbg", service.url);
        for mask in [&[][..], &["--form", "mask=@photo.png"]] {
            assert_eq!(curl(&bench, &[&[&url, "--form", PHOTO][..], mask].concat()), "200");
        }
        assert_eq!(curl(&bench, &[&url, "--form", "image=http://127.0.0.1:1/photo.png"]), "400");
        assert_eq!(bench.files(), before);
        service.ended();
        assert_eq!((watched.noted(), bench.files()), (String::new(), before));
    }
}

#[test]
fn keys_tokens_secrets_and_names_of_files_are_in_no_log() {
    let bench = Bench::new(&["photo.png"]);
    let add = ["users", "add", "anna", "--email", "anna@example.com", "--credits", "9", "--data", "accounts"];
    bench.ran(add).ok();
    let made = |kind: &str| bench.ran([kind, "create", "anna", "--data", "accounts"]).ok().text().trim().to_owned();
    let (key, token) = (made("keys"), made("tokens"));
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL).args(["--data", "accounts", "--log", "debug", "--stripe-secret", "whsec_secret-of-stripe"]);
    command.args(["--keys", "key-of-the-settings"]);
    let service = Started::new(command);
    let (rmbg, usage) =
        (format!("http://{}/rmbg", service.url), format!("http://{}/api/membership-usage", service.url));
    let webhook = format!("http://{}/api/stripe/webhook", service.url);
    let header = |name: &str, value: &str| format!("{name}: {value}");
    let bearer = format!("Bearer {token}");
    for (name, value, status) in [
        ("x-api-key", &*key, "200"),
        ("x-api-key", "key-of-the-settings", "200"),
        ("x-api-key", "key-of-nobody", "401"),
        ("authorization", &bearer, "200"),
        ("authorization", "Bearer token-of-nobody", "401"),
    ] {
        assert_eq!(curl(&bench, &[&rmbg, "--form", PHOTO, "--header", &header(name, value)]), status, "{name}");
    }
    assert_eq!(curl(&bench, &[&usage, "--header", &header("x-api-key", &key)]), "200");
    let broken =
        ["--form", "image=@brightness.onnx;filename=the-name-of-a-file.png", "--form", "bg_color=text-of-a-field"];
    let right = header("x-api-key", &key);
    assert_eq!(curl(&bench, &[&[&*rmbg, "--header", &right][..], &broken].concat()), "400");
    let forged = header("stripe-signature", "t=1,v1=forged-signature");
    assert_eq!(curl(&bench, &[&webhook, "--header", &forged, "--data", "{\"text\":\"event-of-nobody\"}"]), "400");
    let (_, log) = service.ended();
    assert!(log.len() >= 8, "{log:?}");
    let log = format!("{log:?}");
    for secret in [
        &*key,
        &token,
        "key-of-the-settings",
        "key-of-nobody",
        "token-of-nobody",
        "secret-of-stripe",
        "forged-signature",
        "event-of-nobody",
        "the-name-of-a-file",
        "text-of-a-field",
        "anna@example.com",
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_loses_its_lines_and_no_answer() {
    let bench = Bench::new(&["photo.png"]);
    let mut command = bench.command(ANYWHERE);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("it is a device");
    command.args(MODEL).stderr(full);
    let service = Started::new(command);
    for _ in 0..2 {
        assert_eq!(curl(&bench, &[&format!("http://{}/rmbg", service.url), "--form", PHOTO]), "200");
    }
}

#[test]
fn a_connection_beyond_the_bound_waits_until_another_ends() {
    let bench = Bench::new(&[]);
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL).args(["--connections", "2"]);
    let service = Started::new(command);
    let ask = || {
        let mut stream = TcpStream::connect(&service.url).expect("it listens");
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is sent");
        stream
    };
    let answered = |stream: &mut TcpStream, patience| {
        stream.set_read_timeout(Some(Duration::from_millis(patience))).expect("it is set");
        stream.read(&mut [0; 512]).is_ok_and(|length| length > 0)
    };
    let mut two = [ask(), ask()];
    assert!(two.iter_mut().all(|stream| answered(stream, 60_000)));
    let mut third = ask();
    assert!(!answered(&mut third, 300), "it waits");
    drop(two);
    assert!(answered(&mut third, 60_000));
    service.ended();
}

#[cfg(target_os = "linux")]
#[test]
fn each_address_has_a_rate_of_its_own() {
    let bench = Bench::new(&["photo.png"]);
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL).args(["--rate", "1"]);
    let service = Started::new(command);
    let url = format!("http://{}/rmbg", service.url);
    let from = |address: &str| curl(&bench, &[&url, "--form", PHOTO, "--interface", address]);
    assert_eq!([from("127.0.0.1"), from("127.0.0.2")], ["200", "200"]);
    assert_eq!(from("127.0.0.1"), "429");
    service.ended();
}

#[test]
fn a_head_of_a_part_that_does_not_end_is_refused_before_it_is_kept() {
    let bench = Bench::new(&[]);
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL);
    let service = Started::new(command);
    let mut stream = TcpStream::connect(&service.url).expect("it listens");
    let kind = "Content-Type: multipart/form-data; boundary=b";
    let head = format!("POST /rmbg HTTP/1.1\r\nHost: a\r\n{kind}\r\nContent-Length: 999999999\r\n\r\n--b\r\nX: ");
    stream.write_all(head.as_bytes()).expect("it is sent");
    stream.set_nonblocking(true).expect("it is set");
    let (mut sent, mut answer) = (0, Vec::new());
    until("an answer", || {
        if sent < 4 << 20 {
            sent += stream.write(&[b'x'; 1000]).unwrap_or(0);
        }
        let mut bytes = [0; 512];
        let length = stream.read(&mut bytes).unwrap_or(0);
        answer.extend_from_slice(&bytes[..length]);
        !answer.is_empty()
    });
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    service.ended();
}
