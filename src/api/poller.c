/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_poller_*: keeps what was registered; the waiting itself is that of zmq_poll. */
#define _GNU_SOURCE
#include "api/handles.h"

#include "core/drive.h"
#include "core/poll_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define POLLER_TAG 0x7a6c706cu

enum { ALL_EVENTS = ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLERR | ZMQ_POLLPRI };

struct item {
    struct zl_socket *socket; /* counted, so that it may be closed while it is registered */
    int fd;                   /* -1 for a socket */
    void *user_data;
    short events;
};

struct poller {
    uint32_t tag; /* POLLER_TAG, or else it is not, or no longer, a poller */
    struct item *items;
    struct zl_poll_entry *entries; /* scratch of a wait; as long as `items` */
    size_t count, capacity;
    bool thread_safe; /* a thread-safe socket has ever been registered */
    int fd;           /* of zmq_poller_fd: an epoll set of the ZMQ_FD of those; -1 until needed */
};

/* ---- Handles --------------------------------------------------------------------------------- */

static int fail(int error)
{
    return zl_api_result(-error);
}

static struct poller *poller_of(void *handle)
{
    struct poller *poller = handle;
    if (poller && poller->tag == POLLER_TAG)
        return poller;
    errno = EFAULT;
    return NULL;
}

void *zmq_poller_new(void)
{
    struct poller *poller = calloc(1, sizeof *poller);
    if (!poller) {
        errno = ENOMEM;
        return NULL;
    }
    poller->tag = POLLER_TAG;
    poller->fd = -1;
    return poller;
}

int zmq_poller_destroy(void **handle)
{
    struct poller *poller = handle ? poller_of(*handle) : NULL;
    if (!poller)
        return fail(EFAULT);
    for (size_t i = 0; i < poller->count; i++)
        if (poller->items[i].socket)
            zl_socket_release(poller->items[i].socket);
    if (poller->fd >= 0)
        close(poller->fd);
    poller->tag = 0;
    free(poller->items);
    free(poller->entries);
    free(poller);
    *handle = NULL;
    return 0;
}

int zmq_poller_size(void *handle)
{
    const struct poller *poller = poller_of(handle);
    return poller ? (int)poller->count : -1;
}

/* ---- The descriptor of thread-safe sockets --------------------------------------------------- */

static bool is_thread_safe(const struct zl_socket *socket)
{
    return socket->ops->flags & ZL_PATTERN_THREAD_SAFE;
}

static int watch(struct poller *poller, struct zl_socket *socket)
{
    zl_socket_lock(socket);
    int fd = socket->closed ? -ENOTSOCK : zl_drive_fd_locked(socket);
    zl_socket_unlock(socket);
    if (fd < 0)
        return fd;
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch(struct poller *poller, struct zl_socket *socket)
{
    zl_socket_lock(socket);
    int fd = socket->wake_fd;
    zl_socket_unlock(socket);
    (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Only a program that asks for the descriptor pays for it: these sockets take no lease any more. */
static int open_fd(struct poller *poller)
{
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    if (poller->fd < 0)
        return -errno;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < poller->count; i++)
        if (poller->items[i].socket && is_thread_safe(poller->items[i].socket))
            rc = watch(poller, poller->items[i].socket);
    if (rc < 0) {
        close(poller->fd);
        poller->fd = -1;
    }
    return rc;
}

/* Whoever looks at the sockets takes their signals back first. */
static void reset_fd(struct poller *poller)
{
    for (size_t i = 0; i < poller->count; i++) {
        struct zl_socket *socket = poller->items[i].socket;
        if (!socket || !is_thread_safe(socket))
            continue;
        zl_socket_lock(socket);
        if (!socket->closed)
            zl_drive_fd_reset_locked(socket);
        zl_socket_unlock(socket);
    }
}

int zmq_poller_fd(void *handle, zmq_fd_t *fd)
{
    struct poller *poller = poller_of(handle);
    if (!poller)
        return -1;
    if (!fd)
        return fail(EFAULT);
    if (!poller->thread_safe)
        return fail(EINVAL);
    int rc = poller->fd < 0 ? open_fd(poller) : 0;
    if (rc == 0)
        *fd = poller->fd;
    return zl_api_result(rc);
}

/* ---- Registering ----------------------------------------------------------------------------- */

static struct item *find(const struct poller *poller, const struct zl_socket *socket, int fd)
{
    for (size_t i = 0; i < poller->count; i++)
        if (poller->items[i].socket == socket && poller->items[i].fd == fd)
            return &poller->items[i];
    return NULL;
}

static int make_room(struct poller *poller)
{
    if (poller->count < poller->capacity)
        return 0;
    size_t capacity = poller->capacity ? poller->capacity * 2 : 8;
    struct item *items = realloc(poller->items, capacity * sizeof *items);
    if (items)
        poller->items = items;
    struct zl_poll_entry *entries = realloc(poller->entries, capacity * sizeof *entries);
    if (entries)
        poller->entries = entries;
    if (!items || !entries)
        return -ENOMEM;
    poller->capacity = capacity;
    return 0;
}

static int add(struct poller *poller, const struct item *item)
{
    if ((item->events & ~ALL_EVENTS) || find(poller, item->socket, item->fd))
        return -EINVAL;
    int rc = make_room(poller);
    if (rc < 0)
        return rc;
    bool thread_safe = item->socket && is_thread_safe(item->socket);
    if (thread_safe && poller->fd >= 0)
        rc = watch(poller, item->socket);
    if (rc < 0)
        return rc;
    if (item->socket)
        zl_socket_acquire(item->socket);
    poller->thread_safe |= thread_safe;
    poller->items[poller->count++] = *item;
    return 0;
}

static int modify(struct poller *poller, const struct zl_socket *socket, int fd, short events)
{
    struct item *item = find(poller, socket, fd);
    if ((events & ~ALL_EVENTS) || !item)
        return -EINVAL;
    item->events = events;
    return 0;
}

/* The others keep their order. */
static int take_off(struct poller *poller, const struct zl_socket *socket, int fd)
{
    struct item *item = find(poller, socket, fd);
    if (!item)
        return -EINVAL;
    struct zl_socket *taken = item->socket;
    size_t after = poller->count - (size_t)(item - poller->items) - 1;
    memmove(item, item + 1, after * sizeof *item);
    poller->count--;
    if (!taken)
        return 0;
    if (poller->fd >= 0 && is_thread_safe(taken))
        unwatch(poller, taken);
    zl_socket_release(taken);
    return 0;
}

/* Both handles, in this order. NULL with errno when one is not what it should be. */
static struct poller *check_socket(void *handle, void *socket_handle, struct zl_socket **socket)
{
    struct poller *poller = poller_of(handle);
    *socket = poller ? zl_api_socket(socket_handle) : NULL;
    return *socket ? poller : NULL;
}

static struct poller *check_fd(void *handle, zmq_fd_t fd)
{
    struct poller *poller = poller_of(handle);
    if (poller && fd == -1) {
        errno = EBADF;
        return NULL;
    }
    return poller;
}

int zmq_poller_add(void *handle, void *socket_handle, void *user_data, short events)
{
    struct zl_socket *socket;
    struct poller *poller = check_socket(handle, socket_handle, &socket);
    struct item item = {.socket = socket, .fd = -1, .user_data = user_data, .events = events};
    return poller ? zl_api_result(add(poller, &item)) : -1;
}

int zmq_poller_modify(void *handle, void *socket_handle, short events)
{
    struct zl_socket *socket;
    struct poller *poller = check_socket(handle, socket_handle, &socket);
    return poller ? zl_api_result(modify(poller, socket, -1, events)) : -1;
}

int zmq_poller_remove(void *handle, void *socket_handle)
{
    struct zl_socket *socket;
    struct poller *poller = check_socket(handle, socket_handle, &socket);
    return poller ? zl_api_result(take_off(poller, socket, -1)) : -1;
}

int zmq_poller_add_fd(void *handle, zmq_fd_t fd, void *user_data, short events)
{
    struct poller *poller = check_fd(handle, fd);
    struct item item = {.fd = fd, .user_data = user_data, .events = events};
    return poller ? zl_api_result(add(poller, &item)) : -1;
}

int zmq_poller_modify_fd(void *handle, zmq_fd_t fd, short events)
{
    struct poller *poller = check_fd(handle, fd);
    return poller ? zl_api_result(modify(poller, NULL, fd, events)) : -1;
}

int zmq_poller_remove_fd(void *handle, zmq_fd_t fd)
{
    struct poller *poller = check_fd(handle, fd);
    return poller ? zl_api_result(take_off(poller, NULL, fd)) : -1;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Those that are waited for. The number of entries or a negative errno. */
static int fill_entries(struct poller *poller)
{
    int count = 0;
    for (size_t i = 0; i < poller->count; i++) {
        const struct item *item = &poller->items[i];
        if (!item->events)
            continue;
        if (item->socket && zl_api_is_inherited(item->socket))
            return -EINTR;
        poller->entries[count++] =
            (struct zl_poll_entry){.socket = item->socket, .fd = item->fd, .events = item->events};
    }
    return count;
}

static void clear_events(zmq_poller_event_t *events, int from, int to)
{
    for (int i = from; i < to; i++)
        events[i] = (zmq_poller_event_t){.fd = -1};
}

/* The entries are those of the items with events, in the same order. The number stored. */
static int store_events(const struct poller *poller, zmq_poller_event_t *events, int capacity)
{
    const struct zl_poll_entry *entry = poller->entries;
    int stored = 0;
    for (size_t i = 0; i < poller->count && stored < capacity; i++) {
        const struct item *item = &poller->items[i];
        if (!item->events)
            continue;
        if (entry->revents)
            events[stored++] = (zmq_poller_event_t){.socket = item->socket,
                                                    .fd = item->fd,
                                                    .user_data = item->user_data,
                                                    .events = entry->revents};
        entry++;
    }
    return stored;
}

static int wait_all(struct poller *poller, zmq_poller_event_t *events, int capacity, long timeout)
{
    int count = fill_entries(poller);
    if (count < 0)
        return count;
    if (count == 0 && timeout < 0)
        return -EFAULT;
    if (poller->fd >= 0)
        reset_fd(poller);
    int rc = zl_poll_wait(poller->entries, (size_t)count, timeout, NULL);
    if (rc < 0)
        return rc;
    int stored = store_events(poller, events, capacity);
    return stored > 0 ? stored : -EAGAIN;
}

int zmq_poller_wait_all(void *handle, zmq_poller_event_t *events, int count, long timeout)
{
    struct poller *poller = poller_of(handle);
    if (!poller)
        return -1;
    if (!events)
        return fail(EFAULT);
    if (count < 0)
        return fail(EINVAL);
    int rc = wait_all(poller, events, count, timeout);
    clear_events(events, rc > 0 ? rc : 0, count);
    return zl_api_result(rc);
}

int zmq_poller_wait(void *handle, zmq_poller_event_t *event, long timeout)
{
    int rc = zmq_poller_wait_all(handle, event, 1, timeout);
    if (rc < 0 && event)
        clear_events(event, 0, 1);
    return rc < 0 ? -1 : 0;
}
