/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting for several sockets and descriptors at once: the core of zmq_poll, zmq_ppoll and the
   poller. The calling thread drives all sockets of the set while it waits. */
#ifndef ZL_CORE_POLL_SET_H
#define ZL_CORE_POLL_SET_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct zl_socket;

struct zl_poll_entry {
    struct zl_socket *socket; /* NULL: `fd` counts */
    int fd;
    short events;  /* ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLPRI | ZMQ_POLLERR; 0: a socket never
                      fires, a descriptor only with ZMQ_POLLERR */
    short revents; /* out */
};

/* Waits until an entry has an event, for at most timeout_ms (-1: no limit, 0: only looks). sigmask,
   if not NULL, is in force while it sleeps.
   Returns the number of entries with events, 0 on timeout, or -EINTR, -ETERM, -ENOTSOCK, -ENOMEM,
   or what opening a descriptor gave. No gate held. */
int zl_poll_wait(struct zl_poll_entry *entries, size_t count, long timeout_ms,
                 const sigset_t *sigmask);

#endif
