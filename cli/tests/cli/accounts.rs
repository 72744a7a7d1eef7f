//! `users`, `keys`, `tokens` and `usage`, and a service that lets their users in.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::bench::Bench;
use crate::serve::{ANYWHERE, MODEL, Started};

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn the_documentations_commands_make_a_user_whom_the_service_lets_in() {
    let bench = Bench::new(&["photo.jpg"]);
    let text = include_str!("../../../docs/accounts.md");
    let blocks: Vec<_> = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    let [commands, requests] = blocks[..] else { panic!("two blocks of commands: {blocks:?}") };
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

#[test]
fn users_keys_and_tokens_are_listed_changed_and_removed() {
    let bench = Bench::new(&[]);
    let run = |words: &[&str]| bench.ran([words, &["--data", "accounts", "--json"]].concat());
    let done = |words: &[&str]| json(run(words).ok().text());
    let added = &done(&["users", "add", "bo", "--email", "bo@example.com", "--unverified", "--credits", "5"])[0];
    let bo = r#"{"name":"bo","email":"bo@example.com","emailVerified":false,"membership":"Free","credits":5,"prepaidCredits":0,"billingPeriod":null,"stripeCustomer":null}"#;
    assert_eq!(*added, json(bo)[0]);
    done(&["users", "add", "al", "--email", "al@example.com"]);
    let names: Vec<_> = done(&["users", "list"]).iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["al", "bo"]);
    let period = ["--period-start", "1774268612", "--period-end", "1776947012"];
    let changed =
        &done(&[&["users", "set", "bo", "--verified", "--prepaid", "4", "--add-prepaid", "3"][..], &period].concat())
            [0];
    assert_eq!(
        (&changed["emailVerified"], &changed["credits"], &changed["prepaidCredits"]),
        (&true.into(), &5.into(), &7.into())
    );
    assert_eq!(changed["billingPeriod"]["periodEndUnix"], 1_776_947_012);

    let key = bench.ran(["keys", "create", "bo", "--label", "laptop", "--data", "accounts"]).ok().text().to_owned();
    assert!(key.starts_with("rk_") && key.trim_end().len() == 67, "the key alone: {key}");
    let listed = done(&["keys", "list", "bo"]);
    assert_eq!((&listed[0]["label"], &listed[0]["lastUsed"]), (&"laptop".into(), &Value::Null));
    assert!(!listed[0].to_string().contains(key.trim_end()));
    let table = bench.ran(["keys", "list", "--data", "accounts"]).ok().text().to_owned();
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
    bench.put("file", b"no folder");
    let failed = bench.ran(["users", "list", "--data", "file"]);
    assert_eq!(failed.status, Some(1));
    assert!(failed.stderr.contains("The accounts cannot be read or written: "), "{}", failed.stderr);
}

/// How often a service is killed at work.
const ROUNDS: u64 = 8;
const CLIENTS: u64 = 6;

#[test]
fn a_service_that_is_killed_at_work_keeps_what_it_charged() {
    let bench = Bench::new(&["photo.jpg"]);
    let run = |words: &[&str]| bench.ran([words, &["--data", "accounts"]].concat()).ok().text().to_owned();
    run(&["users", "add", "anna", "--email", "anna@example.com", "--credits", "1000000"]);
    let key = run(&["keys", "create", "anna"]);
    let photo = std::fs::read(bench.path("photo.jpg")).expect("it is there");
    let answered = AtomicU64::new(0);
    for round in 0..ROUNDS {
        let mut command = bench.command(ANYWHERE);
        command.args(MODEL).args(["--data", "accounts", "--log", "off"]);
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
    let head = b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\n";
    let body = [&head[..], photo, b"\r\n--b--\r\n"].concat();
    let agent = ureq::Agent::new_with_defaults();
    let request = agent.post(format!("http://{url}/rmbg")).header("x-api-key", key);
    let answer = request.header("content-type", "multipart/form-data; boundary=b").send(&body);
    answer.is_ok_and(|mut answer| answer.body_mut().read_to_vec().is_ok_and(|picture| picture.starts_with(b"RIFF")))
}
