/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting for several sockets and descriptors at once. */
#define _GNU_SOURCE
#include "core/poll_set.h"

#include "base/clock.h"
#include "core/drive.h"
#include "core/pipe.h"
#include "core/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { ON_STACK = 16, PASSES_PER_LOOK = 64 };

static short from_poll(short revents, short wanted)
{
    short events = 0;
    if (revents & POLLIN)
        events |= ZMQ_POLLIN;
    if (revents & POLLOUT)
        events |= ZMQ_POLLOUT;
    if (revents & POLLPRI)
        events |= ZMQ_POLLPRI;
    if (revents & ~(POLLIN | POLLOUT | POLLPRI))
        events |= ZMQ_POLLERR;
    return events & (wanted | ZMQ_POLLERR);
}

static short to_poll(short events)
{
    short wanted = 0;
    if (events & ZMQ_POLLIN)
        wanted |= POLLIN;
    if (events & ZMQ_POLLOUT)
        wanted |= POLLOUT;
    if (events & ZMQ_POLLPRI)
        wanted |= POLLPRI;
    return wanted;
}

/* What the socket can do now, after taking in all news that need no system call. */
static int look_locked(struct zl_poll_entry *entry)
{
    struct zl_socket *socket = entry->socket;
    if (socket->closed)
        return -ENOTSOCK;
    if (socket->terminated)
        return -ETERM;
    zl_socket_take_signals_locked(socket);
    int events = zl_socket_events_locked(socket) & entry->events;
    /* A flood of what the pattern filters out is progress for ever. */
    for (int passes = 0; !events && passes < PASSES_PER_LOOK; passes++) {
        if (!zl_drive_flagged_locked(socket))
            break;
        events = zl_socket_events_locked(socket) & entry->events;
    }
    entry->revents = (short)events;
    return events != 0;
}

/* One look at a socket. poll: also asks the kernel when nothing is known. */
static int look_at_socket(struct zl_poll_entry *entry, int poll_kernel)
{
    struct zl_socket *socket = entry->socket;
    zl_socket_lock(socket);
    socket->calls++;
    int rc = look_locked(entry);
    if (rc == 0 && poll_kernel && !socket->fd_user && zl_drive_poll_locked(socket))
        rc = look_locked(entry);
    if (rc > 0)
        zl_drive_leave_locked(socket);
    else
        zl_drive_leave_input_locked(socket); /* after the last of many passes */
    zl_socket_unlock(socket);
    return rc;
}

/* items: NULL, or what the sleep ended with: then only sockets whose descriptor has something are
   looked at, as every change since the announcement of the sleep shows there. */
static int look_at_sockets(struct zl_poll_entry *entries, size_t count, int poll_kernel,
                           const struct pollfd *items)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        entries[i].revents = 0;
        if (!entries[i].socket || (items && !items[i].revents))
            continue;
        int rc = look_at_socket(&entries[i], poll_kernel);
        if (rc < 0)
            return rc;
        ready += rc;
    }
    return ready;
}

/* Puts the waiting state of the first `count` sockets back. */
static void end_waits(struct zl_poll_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct zl_socket *socket = entries[i].socket;
        if (!socket)
            continue;
        zl_socket_lock(socket);
        zl_drive_end_wait_locked(socket);
        zl_socket_unlock(socket);
    }
}

static int begin_waits(struct zl_poll_entry *entries, size_t count, struct pollfd *items)
{
    for (size_t i = 0; i < count; i++) {
        struct zl_socket *socket = entries[i].socket;
        if (!socket) {
            items[i].fd = entries[i].fd;
            items[i].events = to_poll(entries[i].events);
            continue;
        }
        zl_socket_lock(socket);
        int fd = zl_drive_begin_wait_locked(socket);
        zl_socket_unlock(socket);
        if (fd < 0) {
            end_waits(entries, i);
            return fd;
        }
        items[i].fd = fd;
        items[i].events = POLLIN;
    }
    return 0;
}

static int sleep_on(struct pollfd *items, size_t count, int64_t timeout_ms, const sigset_t *sigmask)
{
    struct timespec limit = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000};
    int rc = ppoll(items, count, timeout_ms < 0 ? NULL : &limit, sigmask);
    return rc < 0 ? -errno : rc;
}

static int collect_fds(struct zl_poll_entry *entries, size_t count, const struct pollfd *items)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].socket || items[i].fd < 0)
            continue;
        entries[i].revents = from_poll(items[i].revents, entries[i].events);
        ready += entries[i].revents != 0;
    }
    return ready;
}

/* A look at plain descriptors without waiting. */
static int look_at_fds(struct zl_poll_entry *entries, size_t count, struct pollfd *items)
{
    size_t plain = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].fd = entries[i].socket ? -1 : entries[i].fd;
        items[i].events = to_poll(entries[i].events);
        items[i].revents = 0;
        plain += !entries[i].socket;
    }
    if (plain == 0)
        return 0;
    int rc = sleep_on(items, count, 0, NULL);
    return rc < 0 ? rc : collect_fds(entries, count, items);
}

static int64_t left_until(uint64_t deadline)
{
    if (deadline == ZL_NO_DEADLINE)
        return -1;
    uint64_t now = zl_now_ms();
    return deadline > now ? (int64_t)(deadline - now) : 0;
}

/* The common case, one socket and nothing else: no second descriptor is needed. */
static int wait_for_one(struct zl_poll_entry *entry, uint64_t deadline)
{
    struct zl_socket *socket = entry->socket;
    int rc;
    zl_socket_lock(socket);
    for (;;) {
        socket->calls++;
        rc = look_locked(entry);
        if (rc != 0)
            break;
        rc = zl_drive_wait_locked(socket, deadline, !(entry->events & ZMQ_POLLOUT));
        if (rc < 0)
            break;
        if (left_until(deadline) == 0) {
            rc = look_locked(entry);
            break;
        }
    }
    zl_drive_leave_locked(socket);
    zl_socket_unlock(socket);
    return rc == -EAGAIN ? 0 : rc;
}

static int wait_for_all(struct zl_poll_entry *entries, size_t count, struct pollfd *items,
                        uint64_t deadline, const sigset_t *sigmask)
{
    for (;;) {
        int rc = begin_waits(entries, count, items);
        if (rc < 0)
            return rc;
        /* What happened before the sleep was announced is seen now; what happens later wakes. */
        int ready = look_at_sockets(entries, count, 0, NULL);
        bool slept = ready == 0;
        if (slept)
            rc = sleep_on(items, count, left_until(deadline), sigmask);
        end_waits(entries, count);
        if (ready < 0 || rc < 0)
            return ready < 0 ? ready : rc;
        if (slept) {
            ready = look_at_sockets(entries, count, 1, items);
            if (ready < 0)
                return ready;
            ready += collect_fds(entries, count, items);
        }
        if (ready > 0 || left_until(deadline) == 0)
            return ready;
    }
}

int zl_poll_wait(struct zl_poll_entry *entries, size_t count, long timeout_ms,
                 const sigset_t *sigmask)
{
    uint64_t deadline = timeout_ms < 0 ? ZL_NO_DEADLINE : zl_now_ms() + (uint64_t)timeout_ms;
    if (count == 1 && entries[0].socket && timeout_ms != 0 && !sigmask && entries[0].events)
        return wait_for_one(&entries[0], deadline);
    struct pollfd few[ON_STACK];
    struct pollfd *items = count <= ON_STACK ? few : calloc(count, sizeof *items);
    if (!items)
        return -ENOMEM;
    int ready = look_at_sockets(entries, count, timeout_ms == 0, NULL);
    if (ready >= 0) {
        int fds = look_at_fds(entries, count, items);
        ready = fds < 0 ? fds : ready + fds;
    }
    if (ready == 0 && timeout_ms != 0)
        ready = wait_for_all(entries, count, items, deadline, sigmask);
    if (items != few)
        free(items);
    return ready;
}
