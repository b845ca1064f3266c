/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A program's own repeating timers, behind zmq_timers_*. Pure: time, in ms, is an argument that
 * must not run backwards. Not thread-safe. Functions return 0, a count, or a negative errno.
 */
#ifndef ZL_CORE_TIMERS_H
#define ZL_CORE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

typedef void(zl_timer_handler)(int id, void *arg);

struct zl_timers {
    struct zl_timer_entry *entries; /* sorted by the time they are due, equals by age */
    size_t count;
    size_t capacity;
    int last_id;
    uint64_t round; /* counts the calls of zl_timers_execute */
};

void zl_timers_init(struct zl_timers *timers);
/* Forgets all timers. The memory of `timers` itself is the caller's. */
void zl_timers_free(struct zl_timers *timers);

/* Returns the id of a new timer, > 0 and not in use, or -ENOMEM. */
int zl_timers_add(struct zl_timers *timers, uint64_t now, uint64_t interval,
                  zl_timer_handler *handler, void *arg);

/* These return -EINVAL if there is no timer with that id. */
int zl_timers_cancel(struct zl_timers *timers, int id);
int zl_timers_set_interval(struct zl_timers *timers, uint64_t now, int id, uint64_t interval);
int zl_timers_reset(struct zl_timers *timers, uint64_t now, int id);

/* ms until the first timer is due, 0 if it is already, or -EINVAL if there is none. */
long zl_timers_timeout(const struct zl_timers *timers, uint64_t now);

/* Calls the handlers of all timers due at `now`, each once and in the order in which they became
 * due; each is due again at now + interval. Handlers may add, cancel and change timers; what they
 * add waits for the next call, even if its interval is 0. */
void zl_timers_execute(struct zl_timers *timers, uint64_t now);

#endif
