//! Handles: what C holds of values that Rust counts references to. To C they are pointers; they lead nowhere, and
//! each is a number that is given once, so that one that was freed is never taken for a newer one.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use remrembg::Result;

use crate::argument::misuse;
use crate::guard::{NotCancelled, quietly};

/// What C may hold a pointer to.
pub(crate) trait Handle: Send + Sync + 'static {
    /// Its name in messages, article and all.
    const NAME: &'static str;
}

/// The first handle. With 64 bits no program has memory there: who follows a handle is stopped at once.
const FIRST: usize = !(usize::MAX >> 1);
/// Handles are so far apart, as pointers to what needs this alignment would be.
const STEP: usize = 16;

/// Every live handle.
static LIVE: Mutex<Register> = Mutex::new(Register { given: 0, live: BTreeMap::new() });

struct Register {
    /// How many handles there have been. With 64 bits they do not run out; with 32, those of a hundred million
    /// removals ago come up again.
    given: usize,
    live: BTreeMap<usize, Value>,
}

/// A value's type, and its address with the bits turned: a leak checker, which takes every number for a pointer, still
/// finds values that a program forgot to free.
#[derive(Clone, Copy)]
struct Value {
    kind: TypeId,
    turned: usize,
}

impl Value {
    fn of<T: Handle>(value: Arc<T>) -> Self {
        Self { kind: TypeId::of::<T>(), turned: !Arc::into_raw(value).expose_provenance() }
    }

    /// Where it is, if it is of this type.
    fn address<T: Handle>(self) -> Option<*const T> {
        (self.kind == TypeId::of::<T>()).then(|| ptr::with_exposed_provenance(!self.turned))
    }
}

type Live = MutexGuard<'static, Register>;

fn live() -> Live {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has every fork wait until this is dropped, for locks that a child would find taken for ever. Nothing here may be called
/// meanwhile.
pub(crate) fn no_fork() -> impl Drop {
    live()
}

/// Has every fork wait for the register: a child would find it locked for ever
/// by a thread that it does not have. May be called several times.
#[cfg(unix)]
extern "C" fn wait_in_forks() -> bool {
    use std::cell::Cell;
    use std::mem::ManuallyDrop;

    thread_local! {
        // Never dropped: to have that done would take memory, whose locks a fork may hold by then.
        static HELD: Cell<Option<ManuallyDrop<Live>>> = const { Cell::new(None) };
    }
    extern "C" fn lock() {
        let held = HELD.take().unwrap_or_else(|| ManuallyDrop::new(live()));
        HELD.set(Some(held));
    }
    extern "C" fn unlock() {
        drop(HELD.take().map(ManuallyDrop::into_inner));
    }
    // SAFETY: functions that stay, called on the thread that forks.
    unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) == 0 }
}

/// Called when the library is loaded: a fork that has begun already does not wait for what is registered then.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() -> bool = wait_in_forks;

/// Registered again, so that a fork waits for the register before it locks the memory of an allocator that was registered in
/// between: who has the register may need memory. Threads do not wait for each other, whom a child might not have either.
#[cfg(unix)]
fn survive_forks() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if !IS_DONE.load(Ordering::Acquire) {
        IS_DONE.store(wait_in_forks(), Ordering::Release);
    }
}

#[cfg(not(unix))]
fn survive_forks() {}

/// Hands a value to C.
pub(crate) fn give<T: Handle>(value: T) -> *mut T {
    survive_forks();
    let value = Value::of(Arc::new(value));
    let mut register = live();
    let handle = loop {
        let handle = FIRST | register.given.wrapping_mul(STEP);
        register.given = register.given.wrapping_add(1);
        if !register.live.contains_key(&handle) {
            break handle;
        }
    };
    register.live.insert(handle, value);
    ptr::without_provenance_mut(handle)
}

/// Another reference to the value, which stays alive for as long as this is
/// held, even when another thread frees the handle meanwhile.
///
/// # Errors
/// [`Misuse`](remrembg::Code::Misuse) when this is no live handle of the type.
pub(crate) fn borrow<T: Handle>(handle: *const T) -> Result<Arc<T>> {
    find(handle).ok_or_else(|| match handle.is_null() {
        true => misuse(format!("{} is needed, got: NULL", T::NAME)),
        false => misuse(format!("{} is needed, got a pointer that is none, or was freed", T::NAME)),
    })
}

/// As [`borrow`], without the words.
pub(crate) fn find<T: Handle>(handle: *const T) -> Option<Arc<T>> {
    let register = live();
    let address = register.live.get(&handle.addr())?.address::<T>()?;
    // SAFETY: the register has this address as a `T` that `give` made and
    // `free` has not taken back; it cannot while the register is locked.
    Some(unsafe {
        Arc::increment_strong_count(address);
        Arc::from_raw(address)
    })
}

/// Takes the handle back from C. Anything that is no live handle is left alone.
pub(crate) fn free<T: Handle>(handle: *mut T) {
    // The last reference to a remover waits for its threads.
    let _held = NotCancelled::begin();
    quietly((), || {
        let mut register = live();
        let address = register.live.get(&handle.addr())?.address::<T>()?;
        register.live.remove(&handle.addr());
        drop(register);
        // SAFETY: the register had this address as a `T` that `give` made, and
        // has it no more, so that this is the only time it is taken back.
        drop(unsafe { Arc::from_raw(address) });
        None
    });
}
