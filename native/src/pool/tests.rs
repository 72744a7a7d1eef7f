//! Threads that help, wait, panic and end.

use std::collections::HashSet;
use std::sync::mpsc;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// One that no other test has.
fn pool(count: usize) -> Pool {
    Pool::new(count, process::id())
}

fn sum_of_squares(pool: &Pool, numbers: usize) -> usize {
    let sum = AtomicUsize::new(0);
    pool.for_each(0..numbers, |number| {
        sum.fetch_add(number * number, Ordering::Relaxed);
    });
    sum.into_inner()
}

/// Two threads, the one that calls and a helper, each hear of the other.
fn meet(pool: &Pool) {
    let (tell, hear) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let (hear, answer) = (Mutex::new(hear), Mutex::new(answer));
    let help = || {
        hear.lock().expect("one hears").recv_timeout(LONG).expect("the other one tells");
        answer.lock().expect("one answers").send(()).expect("the other one waits");
    };
    pool.help(1, &help, || {
        tell.send(()).expect("it is waited for");
        answered.recv_timeout(LONG).expect("the helper answers");
    });
}

#[test]
fn every_piece_is_done_once_whatever_the_number_of_threads() {
    for threads in [1, 2, 3, 9] {
        let pool = pool(threads);
        assert_eq!(pool.threads(), threads);
        for pieces in [0, 1, 2, 7, 200] {
            let mut done = vec![0; pieces];
            pool.for_each(done.iter_mut().enumerate(), |(number, done)| *done += number);
            assert_eq!(done, (0..pieces).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}

#[test]
fn a_helper_is_there_when_it_looks_for_work_and_when_it_sleeps() {
    let pool = pool(2);
    for pause in [0, 0, 20, 0, 20] {
        thread::sleep(Duration::from_millis(pause));
        meet(&pool);
    }
}

#[test]
fn each_thread_has_its_own() {
    let (pool, made) = (pool(3), AtomicUsize::new(0));
    let make = || made.fetch_add(1, Ordering::Relaxed);
    let owners = Mutex::new(Vec::new());
    pool.for_each_with(0..100, make, |own, _| {
        owners.lock().expect("nobody panics").push((*own, thread::current().id()));
    });
    let owners = owners.into_inner().expect("nobody panics");
    assert_eq!(owners.len(), 100);
    let threads: HashSet<_> = owners.iter().map(|(_, thread)| *thread).collect();
    let all: HashSet<_> = owners.into_iter().collect();
    assert_eq!((threads.len(), all.len()), (made.load(Ordering::Relaxed), made.into_inner()));
}

#[test]
fn who_has_work_does_not_wait_for_a_thread_that_is_busy() {
    let pool = pool(2);
    let (let_go, held) = mpsc::channel::<()>();
    let (tell, is_busy) = mpsc::channel();
    let (held, tell) = (Mutex::new(held), Mutex::new(tell));
    let help = || {
        tell.lock().expect("one tells").send(()).expect("it is waited for");
        // Ends when it is let go.
        let _ = held.lock().expect("one waits").recv();
    };
    pool.help(1, &help, || {
        is_busy.recv_timeout(LONG).expect("it begins");
        assert_eq!(sum_of_squares(&pool, 100), 328_350);
        drop(let_go);
    });
}

#[test]
fn several_have_work_at_once_and_within_their_work() {
    let (pool, times) = (pool(3), if cfg!(miri) { 2 } else { 50 });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..times {
                    let sum = AtomicUsize::new(0);
                    pool.for_each(0..5, |_| {
                        sum.fetch_add(sum_of_squares(&pool, 10), Ordering::Relaxed);
                    });
                    assert_eq!(sum.into_inner(), 5 * 285);
                }
            });
        }
    });
}

#[test]
fn a_panic_reaches_who_had_the_work_after_the_others_have_ended() {
    let pool = pool(2);
    for panics_here in [true, false] {
        let (begin, begun) = mpsc::channel();
        let (begin, ended) = (Mutex::new(begin), AtomicBool::new(false));
        let help = || {
            begin.lock().expect("one begins").send(()).expect("it is waited for");
            thread::sleep(Duration::from_millis(20));
            ended.store(true, Ordering::Relaxed);
            assert!(panics_here, "told so");
        };
        let caught = panic::catch_unwind(AssertUnwindSafe(|| {
            pool.help(1, &help, || {
                begun.recv_timeout(LONG).expect("it begins");
                assert!(!panics_here, "told so");
            });
        }));
        let panic = caught.expect_err("one of them panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"told so"));
        assert!(ended.load(Ordering::Relaxed), "the helper was waited for");
    }
    meet(&pool);
}

#[test]
fn threads_end_with_the_pool() {
    let pool = pool(2);
    meet(&pool);
    let team = Arc::downgrade(&pool.0.team);
    let same = pool.clone();
    drop(pool);
    meet(&same);
    drop(same);
    assert!(team.upgrade().is_none(), "no thread has it any more");
}

/// One test locks what the other opens.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn who_asks_for_as_many_has_the_same() {
    let _alone = ALONE.lock();
    let (one, same, other) = (Pool::of(4), Pool::of(4), Pool::of(5));
    assert!(Arc::ptr_eq(&one.0, &same.0) && !Arc::ptr_eq(&one.0, &other.0));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(Pool::of(0).threads(), cores);
}

#[test]
fn who_finds_them_locked_for_good_has_threads_of_its_own() {
    let _alone = ALONE.lock();
    let kept = Pool::of(7);
    let locked = pools();
    let own = Pool::of(7);
    drop(locked);
    assert!(!Arc::ptr_eq(&kept.0, &own.0));
    assert_eq!(sum_of_squares(&own, 10), 285);
}
