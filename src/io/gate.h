/* SPDX-License-Identifier: MPL-2.0 */
/* The gate: one small futex lock per socket. Uncontended it costs two atomic operations and no
   system call. Nobody holds two gates, and nobody makes a blocking system call inside one. */
#ifndef ZL_IO_GATE_H
#define ZL_IO_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* 0 free, 1 held, 2 held and somebody may sleep on it. */
struct zl_gate {
    atomic_uint state;
};

void zl_gate_lock_slow(struct zl_gate *gate);
void zl_gate_unlock_slow(struct zl_gate *gate);

static inline void zl_gate_init(struct zl_gate *gate)
{
    atomic_init(&gate->state, 0);
}

static inline void zl_gate_lock(struct zl_gate *gate)
{
    unsigned expected = 0;
    /* acquire: pairs with the release in zl_gate_unlock */
    if (!atomic_compare_exchange_strong_explicit(&gate->state, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        zl_gate_lock_slow(gate);
}

static inline void zl_gate_unlock(struct zl_gate *gate)
{
    /* release: pairs with the acquire in zl_gate_lock */
    if (atomic_exchange_explicit(&gate->state, 0, memory_order_release) == 2)
        zl_gate_unlock_slow(gate);
}

/* Sleeps while *word == expected. timeout_ms < 0: no limit.
   Returns 0 (woken or changed), -EINTR (a signal) or -ETIMEDOUT. Any thread. */
int zl_futex_wait(atomic_uint *word, unsigned expected, int64_t timeout_ms);

/* Wakes every thread that sleeps on the word. Never blocks. */
void zl_futex_wake_all(atomic_uint *word);

/* Number of processors this process may run on, read once; 1 means that spinning is useless. */
int zl_usable_cpus(void);

#endif
