//! Threads that compute: networks with as many threads share them, so that several at work are no more than one.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

struct Known {
    /// Of another process than this one there are no threads: it has forked.
    process: u32,
    threads: usize,
    pool: Weak<ThreadPool>,
}

static POOLS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// The pool of so many threads; it ends with the last network that has it.
///
/// # Errors
/// [`Error::Threads`].
pub(crate) fn pool(threads: usize) -> Result<Arc<ThreadPool>, Error> {
    let process = std::process::id();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.retain(|known| known.process == process && known.pool.strong_count() > 0);
    if let Some(pool) = pools.iter().find(|known| known.threads == threads).and_then(|known| known.pool.upgrade()) {
        return Ok(pool);
    }
    let built = ThreadPoolBuilder::new().num_threads(threads).thread_name(|_| "remrembg-infer".to_owned()).build();
    let pool = Arc::new(built.map_err(|error| Error::Threads(error.into()))?);
    pools.push(Known { process, threads, pool: Arc::downgrade(&pool) });
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_with_as_many_threads_share_them() {
        let (one, same, other) =
            (pool(3).expect("there are"), pool(3).expect("there are"), pool(5).expect("there are"));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        assert_eq!((one.current_num_threads(), other.current_num_threads()), (3, 5));
    }
}
