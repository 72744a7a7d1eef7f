//! What happens when Redis goes away, or its answers do.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::*;
use crate::redis_server::RedisServer;

const NOW: i64 = 1_769_903_990;

fn opened(url: &str) -> Redis {
    Redis::new(&Url::new(url).expect("a URL")).expect("a URL")
}

fn named(name: &str) -> User {
    let (name, email, plan) = (name.to_owned(), "one@example.com".to_owned(), "Free".to_owned());
    User { name, email, is_verified: true, plan, included: 9, prepaid: 0, period: None, customer: None }
}

fn with_user(store: &mut Redis) -> i64 {
    store.add_user(&named("one")).expect("it is new");
    store.id_of("one").expect("it is there")
}

fn charged(store: &mut Redis, user: i64) -> i64 {
    store.used(user, "2026:1").expect("the store works").api
}

#[test]
fn while_redis_is_away_nobody_is_charged_and_when_it_is_back_all_is_as_it_was() {
    let mut server = RedisServer::start();
    let mut store = opened(&server.url());
    let user = with_user(&mut store);
    let reserve = |store: &mut Redis| store.reserve(user, Via::Api, NOW).map(|held| held.expect("a credit"));
    let first = reserve(&mut store).expect("it works");
    let second = reserve(&mut store).expect("it works");
    assert_eq!(store.settle(&first), Ok(Charged::Included));
    server.kill();
    for _ in 0..3 {
        assert!(matches!(store.settle(&second), Err(Trouble::Failed(_))));
        assert!(matches!(reserve(&mut store), Err(Trouble::Failed(_))));
    }
    server.restart();
    thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(charged(&mut store, user), 1, "without another start");
    let third = reserve(&mut store).expect("it works again");
    assert_eq!(store.settle(&third), Ok(Charged::Included));
    assert_eq!(charged(&mut store, user), 2);
    // A short break is not noticed.
    server.kill();
    server.restart();
    assert_eq!(charged(&mut store, user), 2);
}

/// What happens on the way to a server to the next so many requests.
#[derive(Clone)]
enum Fault {
    /// The answer of a script gets lost, and the connection with it.
    Lost(Arc<AtomicUsize>),
    /// The server does not do it, since it still reads its data.
    Loading(Arc<AtomicUsize>),
}

impl Fault {
    fn strikes(&self) -> bool {
        let (Self::Lost(left) | Self::Loading(left)) = self;
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// A way to a server on which that happens.
fn faulty(folder: &std::path::Path, server: &RedisServer, fault: &Fault) -> String {
    let way = folder.join("way");
    let listener = UnixListener::bind(&way).expect("a socket");
    let (to, fault) = (server.url().trim_start_matches("unix://").to_owned(), fault.clone());
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (to, fault) = (to.clone(), fault.clone());
            thread::spawn(move || pass(client, UnixStream::connect(to).ok(), &fault));
        }
    });
    format!("unix://{}", way.display())
}

fn pass(mut client: UnixStream, server: Option<UnixStream>, fault: &Fault) -> Option<()> {
    let mut server = server?;
    let mut bytes = [0; 1 << 16];
    loop {
        let count = client.read(&mut bytes).ok().filter(|count| *count > 0)?;
        let asked = bytes.get(..count)?;
        if matches!(fault, Fault::Loading(_)) && fault.strikes() {
            let commands = 1 + asked.windows(3).filter(|bytes| bytes == b"\r\n*").count();
            client
                .write_all(b"-LOADING Redis is loading the dataset in memory\r\n".repeat(commands).as_slice())
                .ok()?;
            continue;
        }
        let is_script = asked.windows(7).any(|bytes| bytes == b"EVALSHA");
        server.write_all(asked).ok()?;
        let count = server.read(&mut bytes).ok().filter(|count| *count > 0)?;
        if is_script && matches!(fault, Fault::Lost(_)) && fault.strikes() {
            return None;
        }
        client.write_all(bytes.get(..count)?).ok()?;
    }
}

#[test]
fn a_redis_that_still_reads_its_data_is_waited_for() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), RedisServer::start());
    let user = with_user(&mut opened(&server.url()));
    let left = Arc::new(AtomicUsize::new(9));
    let mut store = opened(&faulty(folder.path(), &server, &Fault::Loading(Arc::clone(&left))));
    assert_eq!(charged(&mut store, user), 0);
    assert_eq!(left.load(Ordering::SeqCst), 0);
}

#[test]
fn what_is_asked_twice_since_an_answer_was_lost_is_done_once() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), RedisServer::start());
    let lost = Arc::new(AtomicUsize::new(0));
    let mut store = opened(&faulty(folder.path(), &server, &Fault::Lost(Arc::clone(&lost))));
    let user = with_user(&mut store);
    let lose = |count| lost.store(count, Ordering::SeqCst);
    // From here on Redis knows the scripts, and does what it is asked at once.
    let known = store.reserve(user, Via::Api, NOW).expect("it works").expect("there are credits");
    store.settle(&known).and_then(|charged| store.refund(&known, charged)).expect("it works");
    lose(1);
    let first = store.reserve(user, Via::Api, NOW).expect("it was asked again").expect("there are credits");
    let held: usize = opened(&server.url())
        .link
        .run(|connection| cmd("ZCARD").arg(format!("user:{user}:reservations")).query(connection))
        .expect("it works");
    assert_eq!(held, 1);
    lose(1);
    assert_eq!(store.settle(&first), Ok(Charged::Included));
    assert_eq!(charged(&mut store, user), 1);
    let [address, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
    assert!(store.admit(other, 1, NOW).expect("it works").is_ok());
    lose(1);
    assert!(store.admit(address, 2, NOW).expect("it was asked again").is_ok());
    assert!(store.admit(address, 2, NOW).expect("it works").is_ok(), "the first counted once");

    // Where no answer comes at all, what was charged unheard is given back as soon as Redis answers again.
    let second = store.reserve(user, Via::Api, NOW).expect("it works").expect("there are credits");
    lose(2);
    assert!(matches!(store.settle(&second), Err(Trouble::Failed(_))));
    lose(0);
    let mut direct = opened(&server.url());
    assert_eq!(charged(&mut direct, user), 2, "Redis did hear it");
    thread::sleep(std::time::Duration::from_millis(600));
    let third = store.reserve(user, Via::Api, NOW).expect("it works").expect("there are credits");
    assert_eq!(charged(&mut direct, user), 1);
    store.release(&third).expect("it works");
    // So is one of the pictures of a day.
    let address = IpAddr::from([192, 0, 2, 3]);
    lose(2);
    assert!(matches!(store.admit(address, 1, NOW), Err(Trouble::Failed(_))));
    lose(0);
    thread::sleep(std::time::Duration::from_millis(600));
    assert!(store.admit(address, 1, NOW).expect("it works").is_ok());
}

#[test]
fn what_a_command_changes_is_changed_once_even_if_its_answer_was_lost() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), RedisServer::start());
    let lost = Arc::new(AtomicUsize::new(0));
    let way = faulty(folder.path(), &server, &Fault::Lost(Arc::clone(&lost)));
    let mut store = opened(&way);
    // The first time for Redis to learn the scripts, the second with an answer that is lost.
    for (number, prepaid) in [(0, 5), (1, 10)] {
        let lose = || assert_eq!(lost.swap(number, Ordering::SeqCst), 0, "the one before was lost");
        let user = User { name: format!("user {number}"), ..named("other") };
        if number == 0 {
            with_user(&mut store);
        }
        lose();
        assert_eq!(opened(&way).add_user(&user), Ok(()), "also as the first on its connection");
        lose();
        let change = Change { more_prepaid: 5, ..Change::default() };
        assert_eq!(store.set_user("one", change).map(|user| user.prepaid), Ok(prepaid));
        let (_, key) = store.create(&user.name, Via::Api, "", NOW).expect("it works");
        lose();
        assert_eq!(store.revoke(Via::Api, &key.id), Ok(()));
        lose();
        assert_eq!(store.remove_user(&user.name), Ok(()));
        let event = Event {
            id: format!("evt_{number}"),
            created: 10 + i64::try_from(number).unwrap_or(0),
            user: Some("one".to_owned()),
            customer: None,
            subscription: "sub_1".to_owned(),
            since: 1,
            moved: Some(Moved::default()),
        };
        lose();
        assert_eq!(store.apply(&format!("delivery {number}"), Some(&event), NOW), Ok(Applied::Moved));
    }
    assert_eq!(lost.load(Ordering::SeqCst), 0, "the last was lost");
}

#[test]
fn several_servers_share_one_pace_and_one_clock() {
    let server = RedisServer::start();
    let mut stores = [opened(&server.url()), opened(&server.url())];
    let start = Instant::now();
    let mut pace = |number: usize, who| stores[number].pace(who, 3).expect("it works").expect("it is shared");
    let address = Who::Address(IpAddr::from([192, 0, 2, 1]));
    for (number, remaining) in [(0, 2), (1, 1), (0, 0)] {
        assert_eq!(pace(number, address).map(|left| (left.limit, left.remaining)), Ok((3, remaining)));
    }
    let refused = pace(1, address).expect_err("it is one too many");
    // A place comes back every 20 seconds; some of the first have gone by.
    let gone = start.elapsed().as_secs() + 1;
    assert!((20_u64.saturating_sub(gone)..=20).contains(&refused.reset) && refused.remaining == 0, "{refused:?}");
    assert!(pace(1, Who::User(1)).is_ok(), "a user has a limit of its own");
    assert!(pace(1, Who::Address(IpAddr::from([192, 0, 2, 2]))).is_ok());
    let [one, other] = stores.each_mut().map(Books::now);
    assert!((one - other).abs() <= 1);
    let kept: i64 =
        stores[0].link.run(|connection| cmd("PTTL").arg("remrembg:pace:user:1").query(connection)).expect("it works");
    assert!((1..=20_000).contains(&kept), "it is forgotten once it says nothing any more: {kept}");
}

#[test]
fn what_a_newer_version_wrote_is_left_alone_and_no_address_shows_a_password() {
    let server = RedisServer::start();
    let mut store = opened(&server.url());
    with_user(&mut store);
    store.link.run(|connection| cmd("SET").arg("remrembg:version").arg("2").exec(connection)).expect("it works");
    let error = opened(&server.url()).users().expect_err("it is too new").to_string();
    assert!(error.contains("newer version"), "{error}");
    let url = Url::new("redis://someone:SECRET@127.0.0.1:1/0").expect("a URL");
    let error = Redis::new(&url).expect("a URL").users().expect_err("nobody is there");
    assert!(!format!("{error}{error:?}{url:?}").contains("SECRET"), "{error}");
    for wrong in ["127.0.0.1", "http://127.0.0.1", "redis://SECRET@127.0.0.1/x"] {
        let error = Url::new(wrong).expect_err("it is no URL").to_string();
        assert_eq!(error, "must be a URL as redis://127.0.0.1:6379/0");
    }
}
