//! Many things worked on side by side, and handed over in their order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

/// More threads than that are not begun.
const MOST: usize = 1024;

/// Works on the items of `source` on `jobs` threads of their own, 1 to 1024, and hands over what becomes of them on the
/// caller's thread: in their order, each as soon as all before it are done. At most twice as many items as `jobs` are taken and
/// not handed over yet, so that a source may be without end; an item that takes long holds up what comes behind those.
///
/// Ends when the source does, or after `hand_over` breaks: then each thread takes one more item at most, and what is being
/// worked on is waited for and not handed over. Whoever does not want to wait cancels the work besides. A source that waits
/// for its next item holds back nothing that is done, but the end after a break comes no sooner than that item.
///
/// # Panics
/// When the source, the work or `hand_over` does: what comes before it is handed over first.
pub fn batch<Item, Made>(
    jobs: usize,
    source: impl IntoIterator<Item = Item, IntoIter: Send>,
    work: impl Fn(Item) -> Made + Sync,
    hand_over: impl FnMut(Made) -> ControlFlow<()>,
) where
    Made: Send,
{
    let source = source.into_iter();
    let jobs = jobs.min(source.size_hint().1.unwrap_or(jobs)).clamp(1, MOST);
    batch_on(jobs, 2 * jobs, source, work, hand_over);
}

/// On so many threads; where there are none, or the system gives none, the caller does the work. At most `ahead` items are
/// taken and not handed over.
fn batch_on<Item, Made: Send>(
    threads: usize,
    ahead: usize,
    source: impl Iterator<Item = Item> + Send,
    work: impl Fn(Item) -> Made + Sync,
    mut hand_over: impl FnMut(Made) -> ControlFlow<()>,
) {
    let (freed, places) = mpsc::sync_channel(ahead);
    (0..ahead).for_each(|_| _ = freed.send(()));
    let is_over = &AtomicBool::new(false);
    // Who has its lock waits for a place, then for the next item.
    let coming = Mutex::new((source.fuse().enumerate(), places));
    let next = || {
        let Ok(mut coming) = coming.lock() else { return None };
        let (items, places) = &mut *coming;
        places.recv().ok().filter(|()| !is_over.load(Ordering::Relaxed)).and_then(|()| items.next())
    };
    let next_made = &|| next().map(|(number, item)| (number, guarded(|| work(item))));
    let handed_over = move |made: thread::Result<Made>| match made.and_then(|made| guarded(|| hand_over(made))) {
        Ok(ControlFlow::Continue(())) => Ok(freed.try_send(()).is_ok()),
        ended => {
            is_over.store(true, Ordering::Relaxed);
            ended.map(|_| false)
        }
    };
    let (made, results) = mpsc::channel();
    let ended = thread::scope(|scope| {
        // Nobody listens after a break.
        let work_all = move |made: mpsc::Sender<_>| std::iter::from_fn(next_made).for_each(|one| _ = made.send(one));
        let begin = |made| thread::Builder::new().spawn_scoped(scope, move || work_all(made)).is_ok();
        match std::iter::repeat_n(made, threads).filter(|made| begin(made.clone())).count() {
            0 => in_order(std::iter::from_fn(next_made), handed_over),
            _ => in_order(results, handed_over),
        }
    });
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

/// Takes results as they come, and gives them on by their numbers, as long as it is told to.
fn in_order<Made>(
    results: impl IntoIterator<Item = (usize, Made)>,
    mut give: impl FnMut(Made) -> thread::Result<bool>,
) -> thread::Result<()> {
    let (mut early, mut first) = (BTreeMap::new(), 0);
    for (number, made) in results {
        early.insert(number, made);
        while let Some(made) = early.remove(&first) {
            first += 1;
            if !give(made)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn guarded<T>(run: impl FnOnce() -> T) -> thread::Result<T> {
    catch_unwind(AssertUnwindSafe(run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Barrier, Condvar};
    use std::time::Duration;

    fn all<Made: Send>(
        jobs: usize,
        items: impl IntoIterator<Item = usize, IntoIter: Send>,
        work: impl Fn(usize) -> Made + Sync,
    ) -> Vec<Made> {
        let mut made = Vec::new();
        batch(jobs, items, work, |one| {
            made.push(one);
            ControlFlow::Continue(())
        });
        made
    }

    /// Two at once, with nothing to do.
    fn handed_over(items: impl Iterator<Item = usize> + Send, hand_over: impl FnMut(usize) -> ControlFlow<()>) {
        batch(2, items, |at| at, hand_over);
    }

    #[test]
    fn without_a_thread_the_caller_works() {
        let caller = thread::current().id();
        let mut made = Vec::new();
        let work = |at| (at, thread::current().id() == caller);
        batch_on(0, 4, 0.., work, |(at, is_here)| {
            assert!(is_here);
            made.push(at);
            if at == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(made, (0..=20).collect::<Vec<_>>());
    }

    #[test]
    fn all_come_in_their_order_whoever_is_done_first() {
        for jobs in [0, 1, 2, 5] {
            let wait = |at: usize| thread::sleep(Duration::from_micros((at as u64 * 7919) % 300));
            let made = all(jobs, 0..100, |at| {
                wait(at);
                at * at
            });
            assert_eq!(made, (0..100).map(|at| at * at).collect::<Vec<_>>(), "{jobs} jobs");
            assert!(all(jobs, 0..0, |at| at).is_empty());
        }
    }

    #[test]
    fn so_many_are_worked_on_at_once() {
        // Each waits for two others, which fewer jobs would never bring.
        let three = Barrier::new(3);
        assert_eq!(all(3, 0..9, |at| (three.wait(), at).1), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_are_taken_than_can_be_handed_over_soon() {
        let taken = AtomicUsize::new(0);
        let items = (0..1000).inspect(|_| _ = taken.fetch_add(1, Ordering::SeqCst));
        let mut handed = 0;
        handed_over(items, |_| {
            handed += 1;
            let ahead = taken.load(Ordering::SeqCst) - (handed - 1);
            assert!(ahead <= 4, "{ahead} are taken and not handed over");
            ControlFlow::Continue(())
        });
        assert_eq!(handed, 1000);
    }

    #[test]
    fn what_is_done_does_not_wait_for_a_slow_source() {
        // The source has its second item only when the first was handed over.
        let (handed, told) = (Mutex::new(false), Condvar::new());
        let items = (0..2).inspect(|at| {
            if *at == 1 {
                drop(told.wait_while(handed.lock().expect("not poisoned"), |handed| !*handed).expect("not poisoned"));
            }
        });
        let mut made = Vec::new();
        handed_over(items, |at| {
            made.push(at);
            *handed.lock().expect("not poisoned") = true;
            told.notify_all();
            ControlFlow::Continue(())
        });
        assert_eq!(made, [0, 1]);
    }

    #[test]
    fn after_a_break_nothing_is_handed_over_and_each_thread_takes_one_more_at_most() {
        // The first is handed over while the second is being taken, which takes until well after the break.
        let (taking, broken) = (Barrier::new(2), Barrier::new(2));
        let taken = AtomicUsize::new(0);
        let items = (0..).inspect(|at| {
            taken.fetch_add(1, Ordering::SeqCst);
            if *at == 1 {
                taking.wait();
                broken.wait();
                thread::sleep(Duration::from_millis(200));
            }
        });
        let mut made = Vec::new();
        handed_over(items, |at| {
            made.push(at);
            taking.wait();
            broken.wait();
            ControlFlow::Break(())
        });
        assert_eq!(made, [0]);
        assert!(taken.load(Ordering::SeqCst) <= 3, "of the four that there was room for");
    }

    #[test]
    fn a_panic_of_the_work_the_source_or_the_end_comes_out() {
        for of in ["source", "work", "hand over"] {
            let fails = |what: &str, at: usize| assert!(what != of || at != 5, "{of}");
            let mut made = Vec::new();
            let run = AssertUnwindSafe(|| {
                let items = (0..).inspect(|at| fails("source", *at));
                let work = |at| {
                    fails("work", at);
                    at
                };
                batch(2, items, work, |at| {
                    fails("hand over", at);
                    made.push(at);
                    ControlFlow::Continue(())
                });
            });
            assert!(catch_unwind(run).is_err(), "{of}");
            assert_eq!(made, (0..5).collect::<Vec<_>>(), "{of}");
        }
    }

    #[test]
    fn what_comes_early_waits_for_what_is_before_it() {
        let mut given = Vec::new();
        let all = [(2, 'c'), (0, 'a'), (1, 'b'), (4, 'e'), (3, 'd')];
        let ended = in_order(all, |made| {
            given.push(made);
            Ok(made != 'd')
        });
        assert!(ended.is_ok());
        assert_eq!(given, ['a', 'b', 'c', 'd']);
    }
}
