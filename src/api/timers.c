/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_timers_*: checks the handle, reads the clock, and leaves the rest to core/timers.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/timers.h"
#include "zmq.h"

#define TIMERS_TAG 0x7a6c746dU

struct timers_handle {
    uint32_t tag; /* TIMERS_TAG, or else it is not, or no longer, a set of timers */
    struct zl_timers timers;
};

/* The set of timers, or NULL with errno set. */
static struct zl_timers *timers_of(void *handle)
{
    struct timers_handle *candidate = handle;

    if (!candidate || candidate->tag != TIMERS_TAG) {
        errno = EFAULT;
        return NULL;
    }
    return &candidate->timers;
}

static long translate(long rc)
{
    if (rc >= 0)
        return rc;
    errno = (int)-rc;
    return -1;
}

void *zmq_timers_new(void)
{
    struct timers_handle *handle = malloc(sizeof(*handle));

    if (!handle) {
        errno = ENOMEM;
        return NULL;
    }
    handle->tag = TIMERS_TAG;
    zl_timers_init(&handle->timers);
    return handle;
}

int zmq_timers_destroy(void **timers)
{
    struct timers_handle *handle;

    if (!timers || !timers_of(*timers)) {
        errno = EFAULT;
        return -1;
    }
    handle = *timers;
    handle->tag = 0;
    zl_timers_free(&handle->timers);
    free(handle);
    *timers = NULL;
    return 0;
}

int zmq_timers_add(void *timers, size_t interval, zmq_timer_fn handler, void *arg)
{
    struct zl_timers *set = timers_of(timers);

    if (!set)
        return -1;
    if (!handler) {
        errno = EFAULT;
        return -1;
    }
    return (int)translate(zl_timers_add(set, zl_now_ms(), interval, handler, arg));
}

int zmq_timers_cancel(void *timers, int timer_id)
{
    struct zl_timers *set = timers_of(timers);

    return set ? (int)translate(zl_timers_cancel(set, timer_id)) : -1;
}

int zmq_timers_set_interval(void *timers, int timer_id, size_t interval)
{
    struct zl_timers *set = timers_of(timers);

    if (!set)
        return -1;
    return (int)translate(zl_timers_set_interval(set, zl_now_ms(), timer_id, interval));
}

int zmq_timers_reset(void *timers, int timer_id)
{
    struct zl_timers *set = timers_of(timers);

    return set ? (int)translate(zl_timers_reset(set, zl_now_ms(), timer_id)) : -1;
}

long zmq_timers_timeout(void *timers)
{
    struct zl_timers *set = timers_of(timers);

    return set ? translate(zl_timers_timeout(set, zl_now_ms())) : -1;
}

int zmq_timers_execute(void *timers)
{
    struct zl_timers *set = timers_of(timers);

    if (!set)
        return -1;
    zl_timers_execute(set, zl_now_ms());
    return 0;
}
