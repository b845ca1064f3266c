/* SPDX-License-Identifier: MPL-2.0 */
/* A program's own repeating timers: an array sorted by due time. Programs have few of them. */
#include "core/timers.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct zl_timer_entry {
    uint64_t due;
    uint64_t interval;
    uint64_t round; /* of the execution that it was run or added in */
    zl_timer_handler *handler;
    void *arg;
    int id;
};

void zl_timers_init(struct zl_timers *timers)
{
    memset(timers, 0, sizeof(*timers));
}

void zl_timers_free(struct zl_timers *timers)
{
    free(timers->entries);
    zl_timers_init(timers);
}

/* A time too far away to be told is the end of time. */
static uint64_t due_after(uint64_t now, uint64_t interval)
{
    return interval > UINT64_MAX - now ? UINT64_MAX : now + interval;
}

/* The position of a timer, or count if there is none with that id. */
static size_t find(const struct zl_timers *timers, int id)
{
    size_t at = 0;

    while (at < timers->count && timers->entries[at].id != id)
        at++;
    return at;
}

/* Behind all that are due at the same time or before. There must be room. */
static void insert(struct zl_timers *timers, const struct zl_timer_entry *entry)
{
    size_t at = timers->count;

    while (at > 0 && timers->entries[at - 1].due > entry->due)
        at--;
    memmove(&timers->entries[at + 1], &timers->entries[at],
            (timers->count - at) * sizeof(*timers->entries));
    timers->entries[at] = *entry;
    timers->count++;
}

static struct zl_timer_entry take_out(struct zl_timers *timers, size_t at)
{
    struct zl_timer_entry entry = timers->entries[at];

    timers->count--;
    memmove(&timers->entries[at], &timers->entries[at + 1],
            (timers->count - at) * sizeof(*timers->entries));
    return entry;
}

static int make_room(struct zl_timers *timers)
{
    size_t capacity = timers->capacity > 0 ? 2 * timers->capacity : 8;
    struct zl_timer_entry *entries;

    if (timers->count < timers->capacity)
        return 0;
    if (capacity > SIZE_MAX / sizeof(*entries))
        return -ENOMEM;
    entries = realloc(timers->entries, capacity * sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    timers->entries = entries;
    timers->capacity = capacity;
    return 0;
}

/* Ids grow; when they are used up, they start anew with those that are free. */
static int next_id(struct zl_timers *timers)
{
    do {
        timers->last_id = timers->last_id == INT_MAX ? 1 : timers->last_id + 1;
    } while (find(timers, timers->last_id) < timers->count);
    return timers->last_id;
}

int zl_timers_add(struct zl_timers *timers, uint64_t now, uint64_t interval,
                  zl_timer_handler *handler, void *arg)
{
    struct zl_timer_entry entry = {.due = due_after(now, interval),
                                   .interval = interval,
                                   .round = timers->round,
                                   .handler = handler,
                                   .arg = arg};
    int rc = make_room(timers);

    if (rc < 0)
        return rc;
    entry.id = next_id(timers);
    insert(timers, &entry);
    return entry.id;
}

int zl_timers_cancel(struct zl_timers *timers, int id)
{
    size_t at = find(timers, id);

    if (at == timers->count)
        return -EINVAL;
    take_out(timers, at);
    return 0;
}

static void restart(struct zl_timers *timers, uint64_t now, size_t at, uint64_t interval)
{
    struct zl_timer_entry entry = take_out(timers, at);

    entry.interval = interval;
    entry.due = due_after(now, interval);
    insert(timers, &entry);
}

int zl_timers_set_interval(struct zl_timers *timers, uint64_t now, int id, uint64_t interval)
{
    size_t at = find(timers, id);

    if (at == timers->count)
        return -EINVAL;
    restart(timers, now, at, interval);
    return 0;
}

int zl_timers_reset(struct zl_timers *timers, uint64_t now, int id)
{
    size_t at = find(timers, id);

    if (at == timers->count)
        return -EINVAL;
    restart(timers, now, at, timers->entries[at].interval);
    return 0;
}

long zl_timers_timeout(const struct zl_timers *timers, uint64_t now)
{
    uint64_t due;

    if (timers->count == 0)
        return -EINVAL;
    due = timers->entries[0].due;
    if (due <= now)
        return 0;
    return due - now > LONG_MAX ? LONG_MAX : (long)(due - now);
}

/* The first timer that is due and belongs to an earlier round, or count. */
static size_t find_due(const struct zl_timers *timers, uint64_t now)
{
    for (size_t at = 0; at < timers->count && timers->entries[at].due <= now; at++) {
        if (timers->entries[at].round != timers->round)
            return at;
    }
    return timers->count;
}

void zl_timers_execute(struct zl_timers *timers, uint64_t now)
{
    size_t at;

    timers->round++;
    while ((at = find_due(timers, now)) < timers->count) {
        /* A copy, since the handler may change everything; and after the timer was restarted, so
         * that the handler has the last word on it. */
        struct zl_timer_entry entry = timers->entries[at];

        timers->entries[at].round = timers->round;
        restart(timers, now, at, entry.interval);
        entry.handler(entry.id, entry.arg);
    }
}
