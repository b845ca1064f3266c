/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_poll and zmq_ppoll. */
#define _GNU_SOURCE
#include "api/handles.h"

#include "core/poll_set.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum { ON_STACK = 16 };

static int sleep_only(long timeout, const sigset_t *sigmask)
{
    if (timeout == 0)
        return 0;
    struct timespec limit = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000};
    int rc = ppoll(NULL, 0, timeout < 0 ? NULL : &limit, sigmask);
    return rc < 0 ? -errno : 0;
}

/* Every handle is checked before anything is waited for. */
static int fill(struct zl_poll_entry *entries, const zmq_pollitem_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].socket = NULL;
        if (items[i].socket) {
            entries[i].socket = zl_api_socket(items[i].socket);
            if (!entries[i].socket)
                return -ENOTSOCK;
            if (zl_api_is_inherited(entries[i].socket))
                return -EINTR;
        }
        entries[i].fd = items[i].fd;
        entries[i].events = items[i].events;
        entries[i].revents = 0;
    }
    return 0;
}

static int poll_items(zmq_pollitem_t *items, int nitems, long timeout, const sigset_t *sigmask)
{
    if (nitems < 0)
        return -EINVAL;
    if (nitems == 0)
        return sleep_only(timeout, sigmask);
    if (!items)
        return -EFAULT;
    size_t count = (size_t)nitems;
    struct zl_poll_entry few[ON_STACK];
    struct zl_poll_entry *entries = count <= ON_STACK ? few : malloc(count * sizeof *entries);
    if (!entries)
        return -ENOMEM;
    int rc = fill(entries, items, count);
    if (rc == 0)
        rc = zl_poll_wait(entries, count, timeout, sigmask);
    for (size_t i = 0; rc >= 0 && i < count; i++)
        items[i].revents = entries[i].revents;
    if (entries != few)
        free(entries);
    return rc;
}

int zmq_poll(zmq_pollitem_t *items, int nitems, long timeout)
{
    return zl_api_result(poll_items(items, nitems, timeout, NULL));
}

int zmq_ppoll(zmq_pollitem_t *items, int nitems, long timeout, const sigset_t *sigmask)
{
    return zl_api_result(poll_items(items, nitems, timeout, sigmask));
}
