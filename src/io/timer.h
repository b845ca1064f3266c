/* SPDX-License-Identifier: MPL-2.0 */
/* A binary heap of timers. Pure: time is an argument. Owned and used by one thread (its loop). */
#ifndef ZL_IO_TIMER_H
#define ZL_IO_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in its owner; the owner stops it before it goes away. */
struct zl_timer {
    uint64_t due;                            /* ms */
    size_t position;                         /* 1-based place in the heap; 0 = not running */
    void (*expired)(struct zl_timer *timer); /* runs with the timer already stopped */
};

struct zl_timer_heap {
    struct zl_timer **items;
    size_t count;
    size_t capacity;
};

void zl_timer_heap_init(struct zl_timer_heap *heap);
void zl_timer_heap_free(struct zl_timer_heap *heap);

void zl_timer_init(struct zl_timer *timer, void (*expired)(struct zl_timer *timer));

static inline bool zl_timer_running(const struct zl_timer *timer)
{
    return timer->position != 0;
}

/* Starts or restarts. 0 or -ENOMEM (then a running timer keeps its old time). */
int zl_timer_set(struct zl_timer_heap *heap, struct zl_timer *timer, uint64_t due);

/* Harmless on a timer that is not running. */
void zl_timer_cancel(struct zl_timer_heap *heap, struct zl_timer *timer);

/* Takes out the earliest timer that is due at `now`; NULL when there is none. */
struct zl_timer *zl_timer_pop(struct zl_timer_heap *heap, uint64_t now);

/* Milliseconds until the earliest timer: 0 when overdue, -1 when there is none. */
int zl_timer_wait(const struct zl_timer_heap *heap, uint64_t now);

#endif
