//! `users`, `keys`, `tokens` and `usage`, and a service that lets their users in.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::bench::Bench;
use crate::redis_server::RedisServer;
use crate::serve::{ANYWHERE, MODEL, Started};

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn the_documentations_commands_make_a_user_whom_the_service_lets_in() {
    let bench = Bench::new(&["photo.jpg"]);
    let text = include_str!("../../../docs/accounts.md");
    let blocks: Vec<_> = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    let [commands, requests, _] = blocks[..] else { panic!("three blocks of commands: {blocks:?}") };
    let program = bench.command([""; 0]).get_program().to_owned();
    let shell = |script: &str| {
        let script = format!("remrembg() {{ \"{}\" \"$@\"; }}\n{script}", program.display());
        let ran = Command::new("sh").args(["-ec", &script]).current_dir(bench.path("")).output();
        let ran = ran.expect("there is a shell");
        assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).expect("it prints text")
    };
    let told = shell(commands);
    assert!(told.starts_with("Added 'anna'.\nPremium-20000: 18500 credits a period, 2000 prepaid\n"), "{told}");

    let mut command = bench.command(ANYWHERE);
    command.args(MODEL).args(["--data", "accounts"]);
    let service = Started::new(command);
    let requests = requests.replace("127.0.0.1:7000", &service.url).replace("curl", "curl --silent --fail-with-body");
    let usage = shell(&requests);
    let usage = &json(&usage)[0];
    assert_eq!((&usage["app_usage"], &usage["api_usage"]), (&1.into(), &1.into()), "{usage}");
    assert_eq!(usage["billingCycle"]["remainingIncludedCredits"], 18_498);
    assert!(bench.open("cutout.webp").color().has_alpha());
    let shown = bench.ran(["usage", "anna", "--data", "accounts", "--json"]).ok().text().to_owned();
    assert_eq!(&json(&shown)[0], usage, "the command tells what the API tells");
    service.ended();
}

/// The flags for a folder, and those for a Redis.
fn each(test: impl Fn(&[&str; 2])) {
    test(&["--data", "accounts"]);
    let server = RedisServer::start();
    test(&["--redis", &server.url()]);
}

#[test]
fn users_keys_and_tokens_are_listed_changed_and_removed() {
    each(|place| {
        let bench = Bench::new(&[]);
        let run = |words: &[&str]| bench.ran([words, place, &["--json"]].concat());
        let done = |words: &[&str]| json(run(words).ok().text());
        let added = &done(&["users", "add", "bo", "--email", "bo@example.com", "--unverified", "--credits", "5"])[0];
        let bo = r#"{"name":"bo","email":"bo@example.com","emailVerified":false,"membership":"Free","credits":5,"prepaidCredits":0,"billingPeriod":null,"stripeCustomer":null}"#;
        assert_eq!(*added, json(bo)[0]);
        done(&["users", "add", "al", "--email", "al@example.com"]);
        let names: Vec<_> = done(&["users", "list"]).iter().map(|user| user["name"].clone()).collect();
        assert_eq!(names, ["al", "bo"]);
        let period = ["--period-start", "1774268612", "--period-end", "1776947012"];
        let changed = &done(
            &[&["users", "set", "bo", "--verified", "--prepaid", "4", "--add-prepaid", "3"][..], &period].concat(),
        )[0];
        assert_eq!(
            (&changed["emailVerified"], &changed["credits"], &changed["prepaidCredits"]),
            (&true.into(), &5.into(), &7.into())
        );
        assert_eq!(changed["billingPeriod"]["periodEndUnix"], 1_776_947_012);

        let key = bench.ran(["keys", "create", "bo", "--label", "laptop", place[0], place[1]]).ok().text().to_owned();
        assert!(key.starts_with("rk_") && key.trim_end().len() == 67, "the key alone: {key}");
        let listed = done(&["keys", "list", "bo"]);
        assert_eq!((&listed[0]["label"], &listed[0]["lastUsed"]), (&"laptop".into(), &Value::Null));
        assert!(!listed[0].to_string().contains(key.trim_end()));
        let table = bench.ran(["keys", "list", place[0], place[1]]).ok().text().to_owned();
        assert!(table.starts_with("ID ") && table.contains("laptop"), "{table}");
        let id = listed[0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(run(&["tokens", "revoke", &id]).status, Some(2), "it is no token");
        done(&["keys", "revoke", &id]);
        assert_eq!(done(&["keys", "list"]), [Value::Null; 0]);
        done(&["users", "remove", "bo"]);
        for (words, message) in [
            (&["users", "set", "bo", "--credits", "1"][..], "There is no user 'bo'"),
            (&["keys", "create", "bo"], "There is no user 'bo'"),
            (&["usage", "bo"], "There is no user 'bo'"),
            (&["users", "add", "al", "--email", "al@example.com"], "There is a user 'al' already"),
            (&["users", "set", "al", "--email", "nowhere"], "The e-mail address must have an @"),
        ] {
            let refused = run(words);
            assert_eq!((refused.status, refused.stdout.len()), (Some(2), 0), "{words:?}");
            assert!(refused.stderr.contains(message), "{words:?}: {}", refused.stderr);
        }
    });
}

#[test]
fn accounts_that_cannot_be_had_are_told_so() {
    let bench = Bench::new(&[]);
    bench.put("file", b"no folder");
    for (words, status, message) in [
        (&["--data", "file"][..], 1, "The accounts cannot be read or written: "),
        (&["--redis", "redis://:SECRET@127.0.0.1:1"], 1, "The accounts cannot be read or written: Redis: "),
        (&["--redis", "http://:SECRET@127.0.0.1"], 2, "--redis must be a URL as redis://127.0.0.1:6379/0"),
        (&["--redis", "redis://127.0.0.1", "--data", "file"], 2, "cannot be used with"),
        (&[], 2, "required"),
    ] {
        let failed = bench.ran([&["users", "list"], words].concat());
        assert_eq!(failed.status, Some(status), "{words:?}");
        assert!(failed.stderr.contains(message) && !failed.stderr.contains("SECRET"), "{}", failed.stderr);
    }
}

/// How often a service is killed at work.
const ROUNDS: u64 = 8;
const CLIENTS: u64 = 6;

#[test]
fn a_service_that_is_killed_at_work_keeps_what_it_charged() {
    each(killed_at_work);
}

fn killed_at_work(place: &[&str; 2]) {
    let bench = Bench::new(&["photo.jpg"]);
    let run = |words: &[&str]| bench.ran([words, place].concat()).ok().text().to_owned();
    run(&["users", "add", "anna", "--email", "anna@example.com", "--credits", "1000000"]);
    let key = run(&["keys", "create", "anna"]);
    let photo = std::fs::read(bench.path("photo.jpg")).expect("it is there");
    let answered = AtomicU64::new(0);
    for round in 0..ROUNDS {
        let mut command = bench.command(ANYWHERE);
        command.args(MODEL).args(place).args(["--log", "off"]);
        let mut service = Started::new(command);
        let url = service.url.clone();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while ask(&url, key.trim(), &photo) {
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            // At other moments of their work each time.
            thread::sleep(Duration::from_millis(60 + 37 * round % 100));
            service.kill();
        });
        let usage = json(&run(&["usage", "anna", "--json"]));
        let (charged, answered) = (usage[0]["api_usage"].as_u64().expect("a number"), answered.load(Ordering::SeqCst));
        // What was charged as the process died may never have arrived.
        let most = answered + CLIENTS * (round + 1);
        assert!((answered..=most).contains(&charged), "{answered} answered, {charged} charged");
    }
    assert!(answered.into_inner() > 0, "it was at work");
}

/// Gives whether a picture came back whole.
fn ask(url: &str, key: &str, photo: &[u8]) -> bool {
    asked(url, key, photo)
        .is_ok_and(|mut answer| answer.body_mut().read_to_vec().is_ok_and(|picture| picture.starts_with(b"RIFF")))
}

/// The answer, whatever it is.
fn asked(url: &str, key: &str, photo: &[u8]) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    let head = b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\n";
    let body = [&head[..], photo, b"\r\n--b--\r\n"].concat();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(format!("http://{url}/rmbg")).header("x-api-key", key);
    request.header("content-type", "multipart/form-data; boundary=b").send(&body)
}

#[test]
fn of_64_clients_of_two_servers_on_one_redis_one_gets_the_last_credit_and_none_is_charged_while_it_is_away() {
    let bench = Bench::new(&["photo.jpg"]);
    let mut redis = RedisServer::start();
    let url = redis.url();
    let run = |words: &[&str]| bench.ran([words, &["--redis", &url]].concat()).ok().text().to_owned();
    run(&["users", "add", "anna", "--email", "anna@example.com", "--credits", "1"]);
    let key = run(&["keys", "create", "anna"]);
    let photo = std::fs::read(bench.path("photo.jpg")).expect("it is there");
    let servers = [(); 2].map(|()| {
        let mut command = bench.command(ANYWHERE);
        command.args(MODEL).args(["--redis", &url, "--log", "off"]);
        Started::new(command)
    });
    let status = |server: &Started| asked(&server.url, key.trim(), &photo).expect("it answers").status().as_u16();
    let statuses = thread::scope(|scope| {
        let (servers, status) = (&servers, &status);
        let clients: Vec<_> = (0..64).map(|number| scope.spawn(move || status(&servers[number % 2]))).collect();
        clients.into_iter().map(|client| client.join().expect("it runs")).collect::<Vec<_>>()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (1, 63));
    run(&["users", "set", "anna", "--add-prepaid", "5"]);
    redis.kill();
    assert_eq!(servers.each_ref().map(status), [503, 503]);
    redis.restart();
    // The servers try again after half a second.
    thread::sleep(Duration::from_millis(700));
    assert_eq!(servers.each_ref().map(status), [200, 200]);
    let usage = json(&run(&["usage", "anna", "--json"]));
    assert_eq!((&usage[0]["api_usage"], &usage[0]["prepaidCredits"]), (&1.into(), &3.into()), "{usage:?}");
}
