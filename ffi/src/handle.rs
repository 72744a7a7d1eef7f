//! Handles: pointers that C holds to values that Rust counts references to.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use remrembg::Result;

use crate::boundary::{misuse, quietly};

/// What C may hold a pointer to.
pub(crate) trait Handle: Send + Sync + 'static {
    /// Its name in messages, article and all.
    const NAME: &'static str;
}

/// Every live handle and its type. Addresses are kept with their bits turned,
/// so that a leak checker, which takes every number for a pointer, still finds
/// handles that a program forgot to free.
static LIVE: Mutex<BTreeMap<usize, TypeId>> = Mutex::new(BTreeMap::new());

type Live = MutexGuard<'static, BTreeMap<usize, TypeId>>;

fn live() -> Live {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has every fork wait for the register: a child would find it locked for ever
/// by a thread that it does not have.
#[cfg(unix)]
fn survive_forks() {
    use std::cell::RefCell;
    use std::sync::Once;

    thread_local! {
        static HELD: RefCell<Option<Live>> = const { RefCell::new(None) };
    }
    extern "C" fn lock() {
        let _ = HELD.try_with(|held| held.replace(Some(live())));
    }
    extern "C" fn unlock() {
        let _ = HELD.try_with(RefCell::take);
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: functions that stay, called on the thread that forks.
        unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) };
    });
}

#[cfg(not(unix))]
fn survive_forks() {}

fn key<T>(handle: *const T) -> usize {
    !handle.addr()
}

/// Hands a value to C.
pub(crate) fn give<T: Handle>(value: T) -> *mut T {
    survive_forks();
    let handle = Arc::into_raw(Arc::new(value)).cast_mut();
    live().insert(key(handle), TypeId::of::<T>());
    handle
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
    let live = live();
    (live.get(&key(handle)) == Some(&TypeId::of::<T>())).then(|| {
        // SAFETY: the register has this address as a `T` that `give` made and
        // `free` has not taken back; it cannot while the register is locked.
        unsafe {
            Arc::increment_strong_count(handle);
            Arc::from_raw(handle)
        }
    })
}

/// Takes the handle back from C. Anything that is no live handle is left alone.
pub(crate) fn free<T: Handle>(handle: *mut T) {
    quietly((), || {
        let mut live = live();
        if live.get(&key(handle)) == Some(&TypeId::of::<T>()) {
            live.remove(&key(handle));
            drop(live);
            // SAFETY: the register had this address as a `T` that `give` made, and
            // has it no more, so that this is the only time it is taken back.
            drop(unsafe { Arc::from_raw(handle.cast_const()) });
        }
        None
    });
}
