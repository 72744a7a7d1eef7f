/* Tells ThreadSanitizer what Rust's locks do.
 *
 * The standard library comes compiled, without ThreadSanitizer's marks. Where a
 * lock is free, code of ours takes it and is seen; where it is not, the standard
 * library waits, and what the other thread did before would look like a race.
 * The linker puts these functions around the few that wait: each says what the
 * wait orders, and nothing more, so that a race beside a lock is still found.
 * check-native.sh names the functions as the compiler has mangled them. */
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define GLUE(prefix, name) prefix##name
#define REAL(name) GLUE(__real_, name)
#define WRAP(name) GLUE(__wrap_, name)

void REAL(LOCK_CONTENDED)(void *mutex);
void WRAP(LOCK_CONTENDED)(void *mutex)
{
    REAL(LOCK_CONTENDED)(mutex);
    __tsan_acquire(mutex);
}

void REAL(CONDVAR_WAIT)(void *condvar, void *mutex);
void WRAP(CONDVAR_WAIT)(void *condvar, void *mutex)
{
    __tsan_release(mutex);
    REAL(CONDVAR_WAIT)(condvar, mutex);
    __tsan_acquire(mutex);
}

bool REAL(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds);
bool WRAP(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds)
{
    bool in_time;
    __tsan_release(mutex);
    in_time = REAL(CONDVAR_WAIT_TIMEOUT)(condvar, mutex, seconds, nanoseconds);
    __tsan_acquire(mutex);
    return in_time;
}

/* The closure is two words: what it holds, and what it does. */
void REAL(ONCE_CALL)(void *once, bool again, void *closure, const void *does, const void *where);
void WRAP(ONCE_CALL)(void *once, bool again, void *closure, const void *does, const void *where)
{
    REAL(ONCE_CALL)(once, again, closure, does, where);
    __tsan_acquire(once);
    __tsan_release(once);
}

/* Who wakes a thread sets a word in what its handle points to, after the two
 * counts of references, the number and the name; that code is ours and seen. */
enum { WORD_OF_THREAD = 40 };

void REAL(THREAD_PARK)(char **thread);
void WRAP(THREAD_PARK)(char **thread)
{
    REAL(THREAD_PARK)(thread);
    __tsan_acquire(*thread + WORD_OF_THREAD);
}

void REAL(THREAD_PARK_TIMEOUT)(char **thread, uint64_t seconds, uint32_t nanoseconds);
void WRAP(THREAD_PARK_TIMEOUT)(char **thread, uint64_t seconds, uint32_t nanoseconds)
{
    REAL(THREAD_PARK_TIMEOUT)(thread, seconds, nanoseconds);
    __tsan_acquire(*thread + WORD_OF_THREAD);
}
