/* SPDX-License-Identifier: MPL-2.0 */
/* Slow paths of the gate, and the futex under it. */
#define _GNU_SOURCE
#include "io/gate.h"

#include "base/fence.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { GATE_SPINS = 100 };

int zl_futex_wait(atomic_uint *word, unsigned expected, int64_t timeout_ms)
{
    /* Without a limit the kernel would resume the wait after a handler with SA_RESTART, and callers
       rely on EINTR; so "for ever" is a very long time. */
    if (timeout_ms < 0)
        timeout_ms = INT64_C(1000) * 3600 * 24 * 365;
    struct timespec limit = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000};
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &limit, NULL, 0);
    if (rc == 0 || errno == EAGAIN)
        return 0;
    return errno == EINTR ? -EINTR : -ETIMEDOUT;
}

static void futex_wake(atomic_uint *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void zl_futex_wake_all(atomic_uint *word)
{
    futex_wake(word, INT_MAX);
}

int zl_usable_cpus(void)
{
    static atomic_int cached;
    int count = atomic_load_explicit(&cached, memory_order_relaxed);
    if (count == 0) {
        cpu_set_t set;
        count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
        atomic_store_explicit(&cached, count, memory_order_relaxed);
    }
    return count;
}

void zl_gate_lock_slow(struct zl_gate *gate)
{
    /* Gates are held for tens of nanoseconds, so a short spin usually saves the sleep; on one
       core the holder cannot progress while we spin. */
    int spins = zl_usable_cpus() > 1 ? GATE_SPINS : 0;
    while (spins-- > 0) {
        unsigned expected = 0;
        if (atomic_load_explicit(&gate->state, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&gate->state, &expected, 1,
                                                    memory_order_acquire, memory_order_relaxed))
            return;
        zl_cpu_relax();
    }
    /* From here on we take it as "contended", since other sleepers may remain behind us. */
    while (atomic_exchange_explicit(&gate->state, 2, memory_order_acquire) != 0)
        zl_futex_wait(&gate->state, 2, -1);
}

void zl_gate_unlock_slow(struct zl_gate *gate)
{
    futex_wake(&gate->state, 1);
}
