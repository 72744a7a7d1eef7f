//! Threads that compute, and stay. Whoever asks for as many has the same, so that several at work are no more than one.
//!
//! Who has work does it too, and the others help as they have time: nobody waits for a thread that does something else.
//! A thread that has just ended a piece of work looks for the next one for a moment before it sleeps, since stages of a
//! removal, and layers of a network, follow each other faster than the system wakes a thread.

use std::any::Any;
use std::collections::VecDeque;
use std::hint;
use std::iter;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a thread looks for work before it sleeps: about as long as it takes to wake it.
const MOMENT: Duration = Duration::from_micros(30);

/// Some threads. Clones are the same threads, which end with the last of them.
#[derive(Clone)]
pub struct Pool(Arc<Threads>);

struct Threads {
    team: Arc<Team>,
    helpers: Mutex<Vec<JoinHandle<()>>>,
    count: usize,
    process: u32,
}

static POOLS: Mutex<Vec<Weak<Threads>>> = Mutex::new(Vec::new());

/// `None` where it stays locked: a process that forked while another of its threads was here has nobody to open it.
fn pools() -> Option<MutexGuard<'static, Vec<Weak<Threads>>>> {
    for _ in 0..1000 {
        match POOLS.try_lock() {
            Ok(pools) => return Some(pools),
            Err(TryLockError::Poisoned(pools)) => return Some(pools.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(100)),
        }
    }
    None
}

impl Pool {
    /// The pool of so many threads, or of one for each core that this process may use where `count` is 0; the thread that
    /// has work counts as one of them. They start when they are first needed. In a process that has forked, it is another
    /// one than before.
    #[must_use]
    pub fn of(count: usize) -> Self {
        let count = if count == 0 { thread::available_parallelism().map_or(1, usize::from) } else { count };
        let process = process::id();
        let Some(mut pools) = pools() else { return Self::new(count) };
        pools.retain(|known| known.strong_count() > 0);
        let fits = |known: &Arc<Threads>| known.count == count && known.process == process;
        if let Some(known) = pools.iter().filter_map(Weak::upgrade).find(fits) {
            return Self(known);
        }
        let pool = Self::new(count);
        pools.push(Arc::downgrade(&pool.0));
        pool
    }

    fn new(count: usize) -> Self {
        Self(Arc::new(Threads { team: Arc::default(), helpers: Mutex::default(), count, process: process::id() }))
    }

    /// How many threads work at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.0.count
    }

    /// Does pieces of work, which threads take one after the other, in any order.
    ///
    /// # Panics
    /// If a piece does.
    pub fn for_each<T: Send>(&self, work: impl Iterator<Item = T> + Send, run: impl Fn(T) + Sync) {
        self.for_each_with(work, || (), |(), piece| run(piece));
    }

    /// As [`for_each`](Self::for_each), with something that each thread makes for itself first.
    ///
    /// # Panics
    /// If a piece does.
    pub fn for_each_with<S, T: Send>(
        &self,
        work: impl Iterator<Item = T> + Send,
        make: impl Fn() -> S + Sync,
        run: impl Fn(&mut S, T) + Sync,
    ) {
        let pieces = work.size_hint().1.unwrap_or(usize::MAX);
        let work = Mutex::new(work);
        let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
        let all = || {
            let mut own = None;
            iter::from_fn(next).for_each(|piece| run(own.get_or_insert_with(&make), piece));
        };
        self.help(pieces.saturating_sub(1), &all, all);
    }

    /// Does `mine` here, and `help` meanwhile on those of the other threads that have time, at most so many.
    ///
    /// # Panics
    /// If either does.
    pub fn help<R>(&self, most: usize, help: &(dyn Fn() + Sync), mine: impl FnOnce() -> R) -> R {
        let helpers = most.min(self.0.count - 1);
        // In the child of a fork there is nobody else.
        if helpers == 0 || self.0.process != process::id() {
            return mine();
        }
        self.0.start(helpers);
        let team = &*self.0.team;
        // SAFETY: only the lifetime changes. `End` is dropped before this function is left, by a panic too: it takes
        // back what nobody has begun, and waits for those who have.
        #[expect(unsafe_code, reason = "a scoped thread does not stay")]
        let help = unsafe { mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(help) };
        let job = Job { help, running: AtomicUsize::new(0), panic: Mutex::new(None) };
        let end = End { team, job: &job };
        team.ask(&job, helpers);
        let made = mine();
        drop(end);
        if let Some(panic) = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            panic::resume_unwind(panic);
        }
        made
    }
}

impl Threads {
    /// Starts helpers until there are so many.
    fn start(&self, wanted: usize) {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        while helpers.len() < wanted {
            let team = Arc::clone(&self.team);
            let started = thread::Builder::new().name("remrembg-compute".to_owned()).spawn(move || team.work());
            // Without a thread to be had the others do its work.
            let Ok(helper) = started else { return };
            helpers.push(helper);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let helpers = mem::take(self.helpers.get_mut().unwrap_or_else(PoisonError::into_inner));
        if self.process != process::id() {
            // They stayed in the other process.
            mem::forget(helpers);
            return;
        }
        self.team.state().is_over = true;
        self.team.bell.notify_all();
        for helper in helpers {
            // Panics of work went to who had it.
            let _ = helper.join();
        }
    }
}

/// What several threads are asked to help with.
struct Job {
    help: &'static (dyn Fn() + Sync),
    running: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// A job that somebody waits for the end of.
struct Asked(*const Job);

// SAFETY: a job may be looked at from any thread.
#[expect(unsafe_code, reason = "a pointer says nothing of that")]
unsafe impl Send for Asked {}

/// Who helps, and with what.
#[derive(Default)]
struct Team {
    state: Mutex<State>,
    /// As many as `state` has, to look at without its lock.
    asked: AtomicUsize,
    bell: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    asked: VecDeque<Asked>,
    sleeping: usize,
    waiting: usize,
    is_over: bool,
}

impl Team {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, job: &Job, helpers: usize) {
        let mut state = self.state();
        state.asked.extend(iter::repeat_with(|| Asked(job)).take(helpers));
        self.asked.store(state.asked.len(), Ordering::Relaxed);
        let sleeping = state.sleeping.min(helpers);
        drop(state);
        (0..sleeping).for_each(|_| self.bell.notify_one());
    }

    /// What a helper does until the pool ends.
    fn work(&self) {
        let mut state = self.state();
        while !state.is_over {
            let Some(Asked(job)) = state.asked.pop_front() else {
                state.sleeping += 1;
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
                continue;
            };
            self.asked.store(state.asked.len(), Ordering::Relaxed);
            // SAFETY: it was still asked for, so whoever did it has not gone on, and waits from now on.
            #[expect(unsafe_code, reason = "the job lies with the thread that waits")]
            let job = unsafe { &*job };
            job.running.fetch_add(1, Ordering::Relaxed);
            drop(state);
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(job.help)) {
                *job.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            // The last that is known of it.
            job.running.fetch_sub(1, Ordering::Release);
            state = self.state();
            if state.waiting > 0 {
                self.done.notify_all();
            }
            if state.asked.is_empty() {
                drop(state);
                a_moment_until(|| self.asked.load(Ordering::Relaxed) > 0);
                state = self.state();
            }
        }
    }
}

/// Ends a job when it is dropped.
struct End<'a> {
    team: &'a Team,
    job: &'a Job,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.team.state();
        state.asked.retain(|Asked(job)| !ptr::eq(*job, self.job));
        self.team.asked.store(state.asked.len(), Ordering::Relaxed);
        drop(state);
        let is_over = || self.job.running.load(Ordering::Acquire) == 0;
        if a_moment_until(is_over) {
            return;
        }
        let mut state = self.team.state();
        state.waiting += 1;
        while !is_over() {
            state = self.team.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }
}

/// Looks again and again, and gives whether it came to be.
fn a_moment_until(is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > MOMENT {
            return false;
        }
        (0..32).for_each(|_| hint::spin_loop());
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Barrier, mpsc};

    use super::*;

    fn sum_of_squares(pool: &Pool, numbers: usize) -> usize {
        let sum = AtomicUsize::new(0);
        pool.for_each(0..numbers, |number| {
            sum.fetch_add(number * number, Ordering::Relaxed);
        });
        sum.into_inner()
    }

    #[test]
    fn every_piece_is_done_once_whatever_the_number_of_threads() {
        for threads in [0, 1, 2, 3, 9] {
            let pool = Pool::of(threads);
            assert!(pool.threads() == threads || threads == 0 && pool.threads() > 0);
            for pieces in [0, 1, 2, 7, 200] {
                let mut done = vec![0; pieces];
                pool.for_each(done.iter_mut().enumerate(), |(number, done)| *done += number);
                assert_eq!(done, (0..pieces).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn threads_work_at_the_same_time_and_each_has_its_own() {
        let (met, made) = (Barrier::new(3), AtomicUsize::new(0));
        let pool = Pool::of(3);
        // Would wait for ever if they did one after the other.
        pool.for_each_with(
            0..3,
            || made.fetch_add(1, Ordering::Relaxed),
            |own, _| {
                met.wait();
                *own += 1;
            },
        );
        assert_eq!(made.into_inner(), 3);
    }

    #[test]
    fn who_has_work_does_not_wait_for_a_thread_that_is_busy() {
        let pool = Pool::of(2);
        let (let_go, held) = mpsc::channel::<()>();
        let (tell, is_busy) = mpsc::channel();
        let (held, tell) = (Mutex::new(held), Mutex::new(tell));
        let help = || {
            tell.lock().expect("one tells").send(()).expect("it is waited for");
            // Ends when it is let go.
            let _ = held.lock().expect("one waits").recv();
        };
        pool.help(1, &help, || {
            is_busy.recv().expect("it begins");
            assert_eq!(sum_of_squares(&pool, 100), 328_350);
            drop(let_go);
        });
    }

    #[test]
    fn several_have_work_at_once_and_within_their_work() {
        let pool = Pool::of(3);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
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
    fn a_panic_reaches_who_had_the_work_after_all_have_ended() {
        let pool = Pool::of(2);
        let (met, ended) = (Barrier::new(2), AtomicBool::new(false));
        for panics_here in [true, false] {
            ended.store(false, Ordering::Relaxed);
            let here = thread::current().id();
            let caught = panic::catch_unwind(AssertUnwindSafe(|| {
                pool.for_each(0..2, |_| {
                    met.wait();
                    assert!((thread::current().id() == here) != panics_here, "told so");
                    thread::sleep(Duration::from_millis(5));
                    ended.store(true, Ordering::Relaxed);
                });
            }));
            let panic = caught.expect_err("one of them panics");
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"told so"));
            assert!(ended.load(Ordering::Relaxed), "the other one was waited for");
        }
        assert_eq!(sum_of_squares(&pool, 10), 285, "the threads are still there");
    }

    /// One test locks what the other opens.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn who_asks_for_as_many_has_the_same() {
        let _alone = ALONE.lock();
        let (one, same, other) = (Pool::of(4), Pool::of(4), Pool::of(5));
        assert!(Arc::ptr_eq(&one.0, &same.0) && !Arc::ptr_eq(&one.0, &other.0));
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
}
