//! Threads that compute, and stay.
//!
//! Who has work does it too, and others help as they have time: nobody waits for a thread that does something else. Whoever
//! asks for as many has the same helpers, so that several at work have few threads more than one.
//!
//! A helper that is done looks for more for a moment before it sleeps, since stages of a removal, and layers of a network,
//! follow each other faster than the system wakes a thread.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::VecDeque;
use std::hint;
use std::iter;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a helper looks for work before it sleeps: about as long as it takes to wake it.
const MOMENT: Duration = Duration::from_micros(30);

/// Some threads. Clones are the same threads, which end with the last of them.
#[derive(Clone)]
pub struct Pool(Arc<Threads>);

struct Threads {
    team: Arc<Team>,
    helpers: Mutex<Helpers>,
    count: usize,
    process: u32,
}

#[derive(Default)]
struct Helpers {
    threads: Vec<JoinHandle<()>>,
    /// The system gave none, and is not asked again.
    no_more: bool,
}

struct Known {
    count: usize,
    /// Of another process than this one there are no threads: it has forked.
    process: u32,
    threads: Weak<Threads>,
}

static POOLS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// `None` where it stays locked: a process that forked while another of its threads was here has nobody to open it.
fn pools() -> Option<MutexGuard<'static, Vec<Known>>> {
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
    /// has work counts as one of them. The others start when they are first needed, as far as the system gives them. In a
    /// process that has forked, it is another pool than before.
    #[must_use]
    pub fn of(count: usize) -> Self {
        let count = if count == 0 { thread::available_parallelism().map_or(1, usize::from) } else { count };
        let process = process::id();
        let Some(mut pools) = pools() else { return Self::new(count, process) };
        pools.retain(|known| known.process == process && known.threads.strong_count() > 0);
        let known = pools.iter().find(|known| known.count == count).and_then(|known| known.threads.upgrade());
        known.map_or_else(
            || {
                let pool = Self::new(count, process);
                pools.push(Known { count, process, threads: Arc::downgrade(&pool.0) });
                pool
            },
            Self,
        )
    }

    fn new(count: usize, process: u32) -> Self {
        Self(Arc::new(Threads { team: Arc::default(), helpers: Mutex::default(), count, process }))
    }

    /// How many threads work at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.0.count
    }

    /// Does pieces of work, in any order: this thread and those that have time take one after the other.
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

    /// Does `mine` here, and `help` meanwhile on other threads that have time, at most so many.
    ///
    /// # Panics
    /// If either does.
    pub fn help<R>(&self, most: usize, help: &(dyn Fn() + Sync), mine: impl FnOnce() -> R) -> R {
        let wanted = most.min(self.0.count - 1);
        // In the child of a fork there is nobody else.
        let helpers = if wanted == 0 || self.0.process != process::id() { 0 } else { self.0.helpers(wanted) };
        if helpers == 0 {
            return mine();
        }
        // SAFETY: only the lifetime changes. `End` is dropped before this function is left, by a panic too. It takes the
        // job back, so that nobody begins it any more, and waits for those who have: who begins says so before the lock
        // opens under which a job is taken back.
        #[expect(unsafe_code, reason = "a scoped thread does not stay")]
        let help = unsafe { mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(help) };
        let job = Arc::new(Job { help, running: AtomicUsize::new(0), panic: Mutex::new(None) });
        let end = End { team: &self.0.team, job: &job };
        self.0.team.ask(Asked { job: Arc::clone(&job), places: helpers });
        let made = mine();
        drop(end);
        let panic = job.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        panic.map_or(made, |panic| panic::resume_unwind(panic))
    }
}

impl Threads {
    /// How many helpers there are, at most so many; they are started where they are missing.
    fn helpers(&self, wanted: usize) -> usize {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        while helpers.threads.len() < wanted && !helpers.no_more {
            let team = Arc::clone(&self.team);
            match thread::Builder::new().name("remrembg-compute".to_owned()).spawn(move || team.work()) {
                Ok(helper) => helpers.threads.push(helper),
                Err(_) => helpers.no_more = true,
            }
        }
        helpers.threads.len().min(wanted)
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
        for helper in helpers.threads {
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

/// A job that so many more threads may begin.
struct Asked {
    job: Arc<Job>,
    places: usize,
}

/// Who helps, and with what.
#[derive(Default)]
struct Team {
    state: Mutex<State>,
    /// Whether `state` has a job, to look at without its lock.
    is_asked: AtomicBool,
    bell: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    asked: VecDeque<Asked>,
    /// Helpers that look for work, and that sleep.
    looking: usize,
    sleeping: usize,
    /// Threads that wait for the end of a job.
    waiting: usize,
    is_over: bool,
}

impl State {
    /// The next job, which runs from now on.
    fn begin(&mut self) -> Option<Arc<Job>> {
        let asked = self.asked.front_mut()?;
        asked.places -= 1;
        let (job, places) = (Arc::clone(&asked.job), asked.places);
        job.running.fetch_add(1, Ordering::Relaxed);
        if places == 0 {
            self.asked.pop_front();
        }
        Some(job)
    }
}

impl Team {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, state: &State) {
        self.is_asked.store(!state.asked.is_empty(), Ordering::Relaxed);
    }

    fn ask(&self, asked: Asked) {
        let mut state = self.state();
        let wanted = asked.places.saturating_sub(state.looking);
        state.asked.push_back(asked);
        self.told(&state);
        let sleeping = state.sleeping;
        drop(state);
        if wanted < sleeping {
            (0..wanted).for_each(|_| self.bell.notify_one());
        } else if sleeping > 0 {
            self.bell.notify_all();
        }
    }

    /// What a helper does until the pool ends.
    fn work(&self) {
        let mut state = self.state();
        while !state.is_over {
            let Some(job) = state.begin() else {
                state.sleeping += 1;
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
                continue;
            };
            self.told(&state);
            drop(state);
            job.run();
            state = self.state();
            if state.waiting > 0 {
                self.done.notify_all();
            }
            if state.asked.is_empty() {
                state.looking += 1;
                drop(state);
                a_moment_until(|| self.is_asked.load(Ordering::Relaxed));
                state = self.state();
                state.looking -= 1;
            }
        }
    }
}

impl Job {
    fn run(&self) {
        let made = panic::catch_unwind(AssertUnwindSafe(self.help));
        if let Err(panic) = made {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            // Dropping a panic's payload may panic.
            mem::forget(first.replace(panic));
        }
        self.running.fetch_sub(1, Ordering::Release);
    }

    fn is_over(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0
    }
}

/// Ends a job when it is dropped.
struct End<'a> {
    team: &'a Team,
    job: &'a Arc<Job>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.team.state();
        state.asked.retain(|asked| !Arc::ptr_eq(&asked.job, self.job));
        self.team.told(&state);
        drop(state);
        if a_moment_until(|| self.job.is_over()) {
            return;
        }
        let mut state = self.team.state();
        state.waiting += 1;
        while !self.job.is_over() {
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
