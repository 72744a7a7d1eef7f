//! Threads that stay, for what must not run on the threads of callers.
//!
//! An allocator keeps what a thread freed for that thread. With removals on the threads of their
//! callers memory grew with the number of those: sixteen took 1100 MB where one takes 590, one at a time.

use std::cell::Cell;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{self, Result};
use crate::exec::control::{Control, Progress};

/// ONNX Runtime may need more stack than a Rust thread has by default. Only what is touched takes memory.
const STACK: usize = 8 << 20;

/// How long after a caller was asked whether to stop it is asked again.
const LOOK: Duration = Duration::from_millis(5);

type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

/// A thread that does what it is sent, in the order of arrival.
pub(crate) struct Thread {
    work: Option<Sender<Work<'static>>>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Thread {
    /// Starts the thread, idle.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (work, inbox) = mpsc::channel::<Work<'static>>();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(move || inbox.into_iter().for_each(|work| work()))?;
        Ok(Self { work: Some(work), thread: Some(thread), process: process::id() })
    }

    /// Whether the thread stayed in the process that this one was forked from.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// Gives whether there still is a thread to do it. `work` must not panic.
    pub(crate) fn send(&self, work: Work<'static>) -> bool {
        self.work.as_ref().is_some_and(|inbox| inbox.send(work).is_ok())
    }
}

/// Waits for the work that was sent.
impl Drop for Thread {
    fn drop(&mut self) {
        let (work, thread) = (self.work.take(), self.thread.take());
        if self.is_left_behind() {
            // Its locks may be held by the thread that is missing.
            mem::forget((work, thread));
            return;
        }
        drop(work);
        // Work does not panic.
        let _ = thread.map(JoinHandle::join);
    }
}

/// The threads on which removals run, no more than have ever run at once.
#[derive(Default)]
pub(crate) struct Threads {
    idle: Mutex<Vec<Thread>>,
}

impl Threads {
    /// Runs `work` on one of the threads, and the callbacks of `control` on this one meanwhile.
    ///
    /// # Errors
    /// Those of `work`; [`Code::EngineFailed`](crate::Code::EngineFailed) when the system gives no thread, and in a
    /// child that a callback forked, which has no such thread.
    pub(crate) fn run<T: Send>(
        &self,
        control: &Control<'_>,
        work: impl FnOnce(Control<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let idle = self.idle().pop();
        let thread = idle.map_or_else(|| Thread::start("remrembg-job"), Ok);
        let thread = thread.map_err(|error| error::failed("A removal", &error).because(error))?;
        let (asks, asked) = mpsc::sync_channel(1);
        let (answers, answered) = mpsc::sync_channel(1);
        let (done, outcome) = mpsc::sync_channel(1);
        let (follows, may_stop, cancel) = (control.progress.is_some(), control.stop.is_some(), control.cancel);
        let body = move || {
            let caller = Caller { asks, answered, is_over: Cell::new(false), asked: Cell::new(None) };
            let progress = |progress| caller.tell(progress);
            let stop = || caller.is_over.get() || (may_stop && caller.stops());
            let control = Control {
                progress: follows.then_some(&progress as &dyn Fn(Progress)),
                cancel,
                stop: (follows || may_stop).then_some(&stop as &dyn Fn() -> bool),
            };
            work(control)
        };
        let job: Work<'_> = Box::new(move || {
            // What `body` borrows is given back before the caller hears of its end.
            let made = panic::catch_unwind(AssertUnwindSafe(body));
            let _ = done.send(made);
        });
        // SAFETY: only the lifetime changes. The job borrows from the caller, and `Running` waits for its end
        // before this function is left, by a panic of a callback too. In the child of a fork, where
        // nobody waits, there is no thread that could run it.
        #[expect(unsafe_code, reason = "a scoped thread neither stays nor lets go of the child of a fork")]
        let job = unsafe { mem::transmute::<Work<'_>, Work<'static>>(job) };
        let mut running = Running { threads: self, thread: Some(thread), outcome: Some(outcome) };
        running.start(job);
        // Dropped before `running`, which waits: without them the job stops.
        let (asked, answers) = (asked, answers);
        while let Ok(ask) = asked.recv() {
            let stops = match ask {
                Ask::Progress(progress) => {
                    control.progress.into_iter().for_each(|told| told(progress));
                    // What was told may be why.
                    control.stop.is_some_and(|stop| stop())
                }
                Ask::Stop => control.stop.is_some_and(|stop| stop()),
            };
            if running.is_left_behind() {
                mem::forget((asked, answers));
                return Err(error::left_behind());
            }
            // It asks one thing at a time, and waits for the answer.
            let _ = answers.send(stops);
        }
        running.end().unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a job asks of its caller, who answers with whether to stop.
enum Ask {
    Progress(Progress),
    Stop,
}

/// The caller, as its job sees it.
struct Caller {
    asks: SyncSender<Ask>,
    answered: Receiver<bool>,
    /// It asked for a stop, or its callback panicked and nobody waits for the result.
    is_over: Cell<bool>,
    /// When it was asked whether to stop.
    asked: Cell<Option<Instant>>,
}

impl Caller {
    fn tell(&self, progress: Progress) {
        self.ask(Ask::Progress(progress));
    }

    /// Stages look every few rows: asking each time would cost more than their work.
    fn stops(&self) -> bool {
        let is_fresh = self.asked.get().is_some_and(|asked| asked.elapsed() < LOOK);
        !is_fresh && self.ask(Ask::Stop)
    }

    fn ask(&self, ask: Ask) -> bool {
        let answer = self.asks.send(ask).ok().and_then(|()| self.answered.recv().ok());
        let is_over = answer.unwrap_or(true);
        self.is_over.set(self.is_over.get() || is_over);
        self.asked.set(Some(Instant::now()));
        is_over
    }
}

/// A job that is waited for when this is dropped, and its thread, which then is idle again.
struct Running<'a, T> {
    threads: &'a Threads,
    thread: Option<Thread>,
    outcome: Option<Receiver<thread::Result<T>>>,
}

impl<T> Running<'_, T> {
    fn start(&mut self, job: Work<'static>) {
        let sent = self.thread.as_ref().is_some_and(|thread| thread.send(job));
        assert!(sent, "an idle thread waits for work");
    }

    fn is_left_behind(&self) -> bool {
        self.thread.as_ref().is_some_and(Thread::is_left_behind)
    }

    fn end(mut self) -> thread::Result<T> {
        self.wait().expect("it is waited for once")
    }

    fn wait(&mut self) -> Option<thread::Result<T>> {
        let outcome = self.outcome.take()?;
        if self.is_left_behind() {
            mem::forget(outcome);
            return None;
        }
        let made = outcome.recv().expect("the job sends what it made");
        self.threads.idle().extend(self.thread.take());
        Some(made)
    }
}

impl<T> Drop for Running<'_, T> {
    fn drop(&mut self) {
        // The panic that is under way is the one to be heard.
        drop(self.wait());
    }
}
