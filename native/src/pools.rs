//! Threads that compute: networks with as many threads share them, so that several at work are no more than one.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError, Weak};
use std::thread;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

struct Known {
    /// Of another process than this one there are no threads: it has forked.
    process: u32,
    threads: usize,
    pool: Weak<ThreadPool>,
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

/// The pool of so many threads; it ends with the last network that has it.
///
/// # Errors
/// [`Error::Threads`].
pub(crate) fn pool(threads: usize) -> Result<Arc<ThreadPool>, Error> {
    let process = std::process::id();
    let Some(mut pools) = pools() else { return made(threads) };
    pools.retain(|known| known.process == process && known.pool.strong_count() > 0);
    if let Some(pool) = pools.iter().find(|known| known.threads == threads).and_then(|known| known.pool.upgrade()) {
        return Ok(pool);
    }
    let pool = made(threads)?;
    pools.push(Known { process, threads, pool: Arc::downgrade(&pool) });
    Ok(pool)
}

fn made(threads: usize) -> Result<Arc<ThreadPool>, Error> {
    let built = ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "remrembg-infer".to_owned()).build();
    Ok(Arc::new(built.map_err(|error| Error::Threads(error.into()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test locks what the other opens.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn networks_with_as_many_threads_share_them() {
        let _alone = ALONE.lock();
        let (one, same, other) =
            (pool(3).expect("there are"), pool(3).expect("there are"), pool(5).expect("there are"));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        assert_eq!((one.current_num_threads(), other.current_num_threads()), (3, 5));
    }

    #[test]
    fn who_finds_them_locked_for_good_has_threads_of_its_own() {
        let _alone = ALONE.lock();
        let kept = pool(7).expect("there are");
        let locked = pools();
        let own = pool(7).expect("there are");
        drop(locked);
        assert!(!Arc::ptr_eq(&kept, &own) && own.current_num_threads() == 7);
    }
}
