//! `serve` and `health`: settings from flags, environment and file, and the end by a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command};

use remrembg::SETTINGS;
use remrembg_server::settings::SPECS;
use serde_json::Value;

use crate::bench::Bench;

/// A service that has begun to listen, and where.
pub(crate) struct Started {
    child: Child,
    pub(crate) url: String,
}

impl Started {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints");
        let url = line.trim().strip_prefix("Listening on http://").unwrap_or_else(|| panic!("{line:?}"));
        Self { url: url.to_owned(), child }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it ends");
    }

    /// Asks for the end as a supervisor does: its status and its log.
    pub(crate) fn ended(mut self) -> (Option<i32>, Vec<Value>) {
        let kill = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(kill.expect("it is there").success());
        let status = self.child.wait().expect("it ends");
        let mut log = String::new();
        self.child.stderr.as_mut().expect("it is piped").read_to_string(&mut log).expect("it is text");
        (status.code(), log.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Where a test failed; else it has ended.
        let _ = self.child.kill();
    }
}

pub(crate) const ANYWHERE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
pub(crate) const MODEL: [&str; 6] =
    ["--engine", "rten", "--model", "brightness.onnx", "--model-recipe", "size=32 mean=0 std=1 scale=255"];

#[test]
fn a_service_answers_is_healthy_logs_without_keys_and_ends_well() {
    let bench = Bench::new(&["photo.png"]);
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL);
    let service = Started::new(command);
    let url = service.url.clone();
    assert_eq!(bench.ran(["health", &url]).ok().text(), "ready\n");
    let agent = ureq::Agent::new_with_defaults();
    let answer = agent.get(format!("http://{url}/health/live?secret=1")).header("x-api-key", "secret-key").call();
    assert_eq!(answer.expect("it answers").status(), 200);
    let (status, log) = service.ended();
    assert_eq!(status, Some(0));
    assert!(log.iter().any(|line| line["route"] == "/health/live" && line["status"] == 200), "{log:?}");
    assert!(log.iter().all(|line| line["request"].as_str().is_some_and(|id| id.len() == 36)), "{log:?}");
    assert!(!format!("{log:?}").contains("secret"));
    let gone = bench.ran(["health", &url]);
    assert_eq!(gone.status, Some(1));
    assert!(gone.stderr.starts_with(&format!("{url} is not ready: ")), "{}", gone.stderr);
}

/// The commands of the documentation that ask the service.
fn examples() -> Vec<&'static str> {
    let texts = [include_str!("../../../README.md"), include_str!("../../../docs/server.md")];
    texts.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("curl ")).collect()
}

#[test]
fn the_documentations_commands_make_what_they_say() {
    let bench = Bench::new(&["photo.jpg", "mask.png"]);
    let mut command = bench.command(ANYWHERE);
    command.args(MODEL);
    let service = Started::new(command);
    let examples = examples();
    assert!(examples.len() >= 4, "{examples:?}");
    for example in examples {
        let example = example.replace("127.0.0.1:7000", &service.url);
        let mut shell = Command::new("sh");
        let ran = shell.args(["-ec", &format!("{example} --silent --fail-with-body")]).current_dir(bench.path(""));
        assert!(ran.status().expect("there is a shell").success(), "{example}");
    }
    assert!(bench.open("cutout.webp").color().has_alpha());
    assert_eq!(bench.open("small.png").width(), 300);
    assert!(bench.open("again.webp").color().has_alpha());
    service.ended();
}

#[test]
fn a_flag_counts_before_a_variable_and_that_before_the_file() {
    let bench = Bench::new(&[]);
    bench.put("settings.toml", b"keys = \"file\"\nlisten = \"127.0.0.1:1\"\nlog = \"off\"\n");
    let mut command = bench.command(ANYWHERE);
    command.args(["--config", "settings.toml"]).args(MODEL).env("REMREMBG_KEYS", "variable");
    let service = Started::new(command);
    let status = |key: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("http://{}/rmbg", service.url)).header("x-api-key", key);
        request.send_empty().expect("it answers").status().as_u16()
    };
    assert_eq!((status("file"), status("variable")), (401, 400));
    let (ended, log) = service.ended();
    assert_eq!((ended, log.len()), (Some(0), 0), "the log is off");
}

#[test]
fn a_picture_of_the_day_that_the_end_cut_off_is_given_back() {
    let bench = Bench::new(&["photo.png"]);
    let started = || {
        let mut command = bench.command(ANYWHERE);
        command.args(["--data", "accounts", "--anonymous-daily", "1", "--shutdown-timeout", "1"]).args(MODEL);
        Started::new(command)
    };
    let service = started();
    let mut slow = std::net::TcpStream::connect(&service.url).expect("it listens");
    let kind = "Content-Type: multipart/form-data; boundary=b";
    let head =
        format!("POST /rmbg HTTP/1.1\r\nHost: a\r\n{kind}\r\nContent-Length: 999\r\nExpect: 100-continue\r\n\r\n");
    slow.write_all(head.as_bytes()).expect("it is sent");
    let mut leave = [0; 25];
    slow.read_exact(&mut leave).expect("it is answered");
    assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n", "it was counted");
    let status = |url: &str| {
        let post = [&*format!("http://{url}/rmbg"), "--form", "image=@photo.png"];
        let curl = ["--silent", "--output", "answer", "--write-out", "%{http_code}"];
        let ran = Command::new("curl").args(curl).args(post).current_dir(bench.path("")).output();
        String::from_utf8(ran.expect("curl is there").stdout).expect("a number")
    };
    assert_eq!(status(&service.url), "429");
    assert_eq!(service.ended().0, Some(0));
    let service = started();
    assert_eq!(status(&service.url), "200");
    service.ended();
}

#[test]
fn wrong_settings_are_told_all_at_once_and_nothing_is_served() {
    let bench = Bench::new(&[]);
    let ran = bench.ran(["serve", "--queue", "many", "--listen", "0.0.0.0:80", "--threads", "two"]);
    assert_eq!(ran.status, Some(2));
    for told in [
        "'queue' must be a whole number",
        "'keys', 'data' or 'redis' must be set to listen on 0.0.0.0:80",
        "'threads' must be an",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert!(ran.stdout.is_empty());
    let ran = bench.ran(["serve", "--config", "none.toml"]);
    assert!(ran.status == Some(2) && ran.stderr.contains("Cannot read 'none.toml'"), "{}", ran.stderr);
    bench.put("bad.toml", b"queue");
    let ran = bench.ran(["serve", "--config", "bad.toml"]);
    assert!(ran.status == Some(2) && ran.stderr.contains("Cannot read 'bad.toml'"), "{}", ran.stderr);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let mut words = vec!["serve", "--listen", &address];
    words.extend(MODEL);
    let ran = bench.ran(&words);
    assert!(ran.status == Some(1) && ran.stderr.contains(&format!("Cannot listen on {address}")), "{}", ran.stderr);
}

#[test]
fn help_has_every_setting_and_its_variable() {
    let bench = Bench::new(&[]);
    let help = bench.ran(["serve", "--help"]).ok();
    for key in SPECS.iter().map(|spec| spec.key).chain(SETTINGS.iter().map(|spec| spec.key)) {
        assert!(help.text().contains(&format!("--{}", key.replace('_', "-"))), "{key}");
        let variable = format!("REMREMBG_{}", key.to_uppercase());
        assert!(key == "onnxruntime" || help.text().contains(&variable), "{variable}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_signal_ends_the_service_at_once_whichever_the_first_was() {
    use std::net::TcpStream;
    use std::process::Stdio;

    use crate::bench::{signal, until};

    let bench = Bench::new(&[]);
    let words = ["--receive-timeout", "60", "--shutdown-timeout", "60"];
    let service = bench.command(ANYWHERE.iter().chain(&MODEL).chain(&words));
    // Who starts the tests with nohup has them ignore SIGHUP.
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP").arg(service.get_program()).args(service.get_args());
    command.current_dir(bench.path(".")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut service = Started::new(command);
    let mut upload = TcpStream::connect(&service.url).expect("it listens");
    let head =
        "POST /rmbg HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\n";
    write!(upload, "{head}Expect: 100-continue\r\n\r\n").expect("it is read");
    upload.read_exact(&mut [0; 12]).expect("it waits for the rest");
    signal(&service.child, "TERM");
    until("the service to take nothing more", || TcpStream::connect(&service.url).is_err());
    signal(&service.child, "HUP");
    assert_eq!(service.child.wait().expect("it ends").code(), Some(129));
}
