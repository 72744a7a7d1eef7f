//! The threads that libwebp works on beside the one that encodes.
//!
//! It would start new ones for each picture. Allocators keep what a thread freed for that thread
//! or for the next one that starts, so memory would grow with each; and so each thread that encodes keeps
//! its own instead.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::ptr;
use std::sync::Once;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

/// `WebPWorkerHook` of libwebp: gives false for an error.
type Hook = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;

// `WebPWorkerStatus` of libwebp.
const NOT_OK: c_int = 0;
const OK: c_int = 1;
const WORK: c_int = 2;

/// `WebPWorker` of libwebp's `utils/thread_utils.h`.
#[repr(C)]
struct Worker {
    /// A [`Side`] in a box, or null.
    side: *mut c_void,
    status: c_int,
    hook: Option<Hook>,
    data: [*mut c_void; 2],
    had_error: c_int,
}

/// `WebPWorkerInterface` of the same.
#[repr(C)]
struct Interface {
    init: unsafe extern "C" fn(*mut Worker),
    reset: unsafe extern "C" fn(*mut Worker) -> c_int,
    sync: unsafe extern "C" fn(*mut Worker) -> c_int,
    launch: unsafe extern "C" fn(*mut Worker),
    execute: unsafe extern "C" fn(*mut Worker),
    end: unsafe extern "C" fn(*mut Worker),
}

unsafe extern "C" {
    fn WebPSetWorkerInterface(interface: *const Interface) -> c_int;
}

/// Tells libwebp of these threads, once, before it encodes anything.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the structure is copied. Every encoding waits here for the end of this call, and nothing
        // else in this crate's libwebp uses workers.
        let installed = unsafe { WebPSetWorkerInterface(&Interface { init, reset, sync, launch, execute, end }) };
        debug_assert_eq!(installed, 1, "every function is given");
    });
}

thread_local! {
    static IDLE: RefCell<Vec<Side>> = const { RefCell::new(Vec::new()) };
}

/// One more call of a hook.
struct Call {
    hook: Hook,
    data: [*mut c_void; 2],
}

// SAFETY: libwebp and `beside` make these pointers for another thread, and leave alone what they point at until it is
// done: until `sync`, and `wait`.
unsafe impl Send for Call {}

impl Call {
    fn make(self) -> bool {
        // SAFETY: the worker's owner set the hook and its data to fit together.
        unsafe { (self.hook)(self.data[0], self.data[1]) != 0 }
    }
}

/// Does two things at once, one of them on another thread if there is one to be had and `threads` allows it.
pub(crate) fn beside<T: Send, U>(threads: bool, aside: impl FnOnce() -> T + Send, here: impl FnOnce() -> U) -> (T, U) {
    let mut task = Task { work: Some(aside), made: None };
    let side = threads.then(Side::get).flatten();
    let calls = side.as_ref().and_then(|side| side.calls.as_ref());
    let call = Call { hook: task.hook(), data: [(&raw mut task).cast(), ptr::null_mut()] };
    let sent = calls.is_some_and(|calls| calls.send(call).is_ok());
    // Whatever happens here, the other thread has the task until it is done with it.
    let own = catch_unwind(AssertUnwindSafe(here));
    if let Some(side) = side {
        if sent {
            side.wait();
        }
        let _ = IDLE.try_with(|idle| idle.borrow_mut().push(side));
    }
    let own = own.unwrap_or_else(|panic| resume_unwind(panic));
    (task.finish(), own)
}

/// What another thread is to make, and what it made.
struct Task<F, T> {
    work: Option<F>,
    made: Option<thread::Result<T>>,
}

impl<T, F: FnOnce() -> T> Task<F, T> {
    /// Does the work of such a task.
    fn hook(&self) -> Hook {
        unsafe extern "C" fn run<T, F: FnOnce() -> T>(task: *mut c_void, _: *mut c_void) -> c_int {
            // SAFETY: `beside` gives the task away until it hears that the call has ended.
            let task = unsafe { &mut *task.cast::<Task<F, T>>() };
            task.run();
            OK
        }
        run::<T, F>
    }

    fn run(&mut self) {
        if let Some(work) = self.work.take() {
            self.made = Some(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    fn finish(mut self) -> T {
        self.run();
        match self.made {
            Some(Ok(made)) => made,
            Some(Err(panic)) => resume_unwind(panic),
            None => unreachable!("the work was there, and was done once"),
        }
    }
}

/// A thread that waits for calls. It ends when the thread that encodes does.
struct Side {
    calls: Option<SyncSender<Call>>,
    succeeded: Option<Receiver<bool>>,
    thread: Option<JoinHandle<bool>>,
    process: u32,
}

impl Side {
    /// One that is idle, or a new one, if there is one to be had.
    fn get() -> Option<Self> {
        let idle = IDLE.try_with(|idle| idle.borrow_mut().pop()).ok().flatten();
        idle.filter(|side| side.process == process::id()).or_else(Self::start)
    }

    fn start() -> Option<Self> {
        let (calls, inbox) = mpsc::sync_channel::<Call>(1);
        let (successes, succeeded) = mpsc::sync_channel(1);
        let work = move || inbox.into_iter().map(Call::make).all(|succeeded| successes.send(succeeded).is_ok());
        let thread = thread::Builder::new().name("remrembg-webp".to_owned()).spawn(work).ok()?;
        Some(Self { calls: Some(calls), succeeded: Some(succeeded), thread: Some(thread), process: process::id() })
    }
}

impl Side {
    /// Waits for the end of a call, and gives whether it succeeded.
    fn wait(&self) -> bool {
        self.succeeded.as_ref().is_some_and(|succeeded| succeeded.recv().unwrap_or(false))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let (calls, succeeded, thread) = (self.calls.take(), self.succeeded.take(), self.thread.take());
        if self.process != process::id() {
            // It stayed behind in the process that this one was forked from, maybe with a lock.
            std::mem::forget((calls, succeeded, thread));
            return;
        }
        drop(calls);
        // Windows lets nobody wait for a thread where another one ends, as here.
        if !cfg!(windows) {
            // C code does not panic.
            let _ = thread.map(JoinHandle::join);
        }
    }
}

impl Worker {
    fn side(&self) -> Option<&Side> {
        // SAFETY: null, or what `reset` made of a box that `end` takes back.
        unsafe { self.side.cast::<Side>().as_ref() }
    }

    fn execute(&mut self) {
        let Some(hook) = self.hook else { return };
        let succeeded = Call { hook, data: self.data }.make();
        self.had_error |= c_int::from(!succeeded);
    }

    fn sync(&mut self) {
        if self.status != WORK {
            return;
        }
        let succeeded = self.side().is_some_and(Side::wait);
        self.had_error |= c_int::from(!succeeded);
        self.status = OK;
    }
}

/// SAFETY: libwebp gives a worker that may be written, here and below; below it is one that `init` has set up.
unsafe extern "C" fn init(worker: *mut Worker) {
    let idle = Worker { side: ptr::null_mut(), status: NOT_OK, hook: None, data: [ptr::null_mut(); 2], had_error: 0 };
    // SAFETY: as said.
    unsafe { worker.write(idle) }
}

unsafe extern "C" fn reset(worker: *mut Worker) -> c_int {
    // SAFETY: as for `init`; nobody else looks at it during the call.
    let worker = unsafe { &mut *worker };
    worker.had_error = 0;
    worker.sync();
    if worker.status == NOT_OK {
        // Without a thread the work is done on this one.
        worker.side = Side::get().map_or(ptr::null_mut(), |side| Box::into_raw(Box::new(side)).cast());
        worker.status = OK;
    }
    c_int::from(worker.had_error == 0)
}

unsafe extern "C" fn sync(worker: *mut Worker) -> c_int {
    // SAFETY: as for `init`.
    let worker = unsafe { &mut *worker };
    worker.sync();
    c_int::from(worker.had_error == 0)
}

unsafe extern "C" fn launch(worker: *mut Worker) {
    // SAFETY: as for `init`.
    let worker = unsafe { &mut *worker };
    worker.sync();
    let (side, hook) = (worker.side(), worker.hook);
    let calls = side.and_then(|side| side.calls.as_ref());
    match (calls, hook) {
        (Some(calls), Some(hook)) if calls.send(Call { hook, data: worker.data }).is_ok() => worker.status = WORK,
        _ => worker.execute(),
    }
}

unsafe extern "C" fn execute(worker: *mut Worker) {
    // SAFETY: as for `init`.
    unsafe { &mut *worker }.execute();
}

unsafe extern "C" fn end(worker: *mut Worker) {
    // SAFETY: as for `init`.
    let worker = unsafe { &mut *worker };
    worker.sync();
    let side = std::mem::replace(&mut worker.side, ptr::null_mut()).cast::<Side>();
    if !side.is_null() {
        // SAFETY: it came from a box in `reset`, and nothing has it any more.
        let side = unsafe { Box::from_raw(side) };
        let _ = IDLE.try_with(|idle| idle.borrow_mut().push(*side));
    }
    worker.status = NOT_OK;
}
