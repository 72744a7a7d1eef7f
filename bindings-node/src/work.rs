//! The threads at work for one JavaScript environment (the main thread's, or a
//! worker's), and the way back from them.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use napi::bindgen_prelude::{Env, FnArgs, Function, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};
use napi_derive::napi;
use remrembg::{CancelToken, Code, Error, Progress};

use crate::errors::Refusal;
use crate::news::{News, Outcome, Step};

/// How long the end of an environment waits for what cannot be stopped at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// The number of a task, what it has to tell, and whether that is all.
type Told = FnArgs<(u32, News, bool)>;
type Tell = ThreadsafeFunction<(u32, News, bool), Unknown<'static>, Told, Status, false, true, 0>;

/// The threads at work for one environment, which stops them when it ends.
#[napi]
pub struct Work {
    state: Arc<State>,
    tell: Arc<Tell>,
}

#[napi]
impl Work {
    /// `tell` hears of every task, in order, and must not throw.
    #[napi(constructor)]
    pub fn new(env: Env, tell: Function<'_, Told, Unknown<'static>>) -> Result<Self> {
        let builder = tell.build_threadsafe_function::<(u32, News, bool)>().weak::<true>();
        let tell = Arc::new(builder.build_callback(|context| Ok(FnArgs::from(context.value)))?);
        let state = Arc::new(State::default());
        // Node runs the newest hook first: all threads have ended when it closes `tell`.
        env.add_env_cleanup_hook(Arc::clone(&state), |state| state.end())?;
        Ok(Self { state, tell })
    }

    /// Stops everybody, and waits until they have left: for an end that runs no hooks.
    #[napi]
    pub fn end(&self) {
        self.state.end();
    }
}

impl Work {
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Does a task on a thread of its own, until `stop` is cancelled or the
    /// environment ends.
    pub(crate) fn start(&self, task: u32, stop: CancelToken, run: impl FnOnce(&Teller) -> Outcome + Send + 'static) {
        let teller = Teller { task, tell: Arc::clone(&self.tell) };
        let failed = teller.clone();
        let started = self.state.spawn(stop, move || {
            let last = Last(Some(teller));
            let news = run(last.teller()).unwrap_or_else(|error| News::E(Refusal::from(&error)));
            last.tell(news);
        });
        if let Err(error) = started {
            failed.send(News::E(Refusal::from(&Error::new(Code::Internal).because(error))), true);
        }
    }
}

/// Tells JavaScript of one task, from any thread.
#[derive(Clone)]
pub(crate) struct Teller {
    task: u32,
    tell: Arc<Tell>,
}

impl Teller {
    pub(crate) fn step(&self, stage: &str, done: f64, total: f64) {
        self.send(News::A(Step { stage: stage.to_owned(), done, total }), false);
    }

    pub(crate) fn progress(&self, Progress { stage, fraction }: Progress) {
        self.step(stage.name(), fraction.into(), 1.0);
    }

    fn send(&self, news: News, last: bool) {
        // Refused only when the environment ends: nobody listens any more.
        let _ = self.tell.call((self.task, news, last), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Sees to it that JavaScript hears of a task's end, even if that is a panic.
struct Last(Option<Teller>);

impl Last {
    fn teller(&self) -> &Teller {
        self.0.as_ref().expect("it is there until it has told")
    }

    fn tell(mut self, news: News) {
        if let Some(teller) = self.0.take() {
            teller.send(news, true);
        }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(teller) = self.0.take() {
            teller.send(News::E(Refusal::from(&Error::new(Code::Internal))), true);
        }
    }
}

/// Who is at work.
#[derive(Default)]
pub(crate) struct State {
    running: Mutex<Running>,
    left: Condvar,
}

#[derive(Default)]
struct Running {
    over: bool,
    next: u64,
    stops: HashMap<u64, CancelToken>,
}

impl State {
    /// Runs `work` on a thread that the end of the environment waits for.
    pub(crate) fn spawn(self: &Arc<Self>, stop: CancelToken, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let place = self.enter(stop).ok_or_else(|| io::Error::other("the environment has ended"))?;
        let run = move || {
            let _place = place;
            work();
        };
        thread::Builder::new().name("remrembg-node".to_owned()).spawn(run).map(drop)
    }

    /// Whether the environment has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// A place for somebody, until the environment ends.
    fn enter(self: &Arc<Self>, stop: CancelToken) -> Option<Place> {
        let mut running = self.lock();
        if running.over {
            return None;
        }
        running.next += 1;
        let number = running.next;
        running.stops.insert(number, stop);
        Some(Place { state: Arc::clone(self), number })
    }

    /// Stops everybody, and waits until they have left: once, although an
    /// environment that exits is told twice.
    fn end(&self) {
        let mut running = self.lock();
        if mem::replace(&mut running.over, true) {
            return;
        }
        running.stops.values().for_each(CancelToken::cancel);
        let busy = |running: &mut Running| !running.stops.is_empty();
        // Who has not left by then is at work in memory of its own, and harmless.
        drop(self.left.wait_timeout_while(running, PATIENCE, busy));
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts somebody as at work until it is dropped.
struct Place {
    state: Arc<State>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.lock().stops.remove(&self.number);
        self.state.left.notify_all();
    }
}
