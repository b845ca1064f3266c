/* SPDX-License-Identifier: MPL-2.0 */
/* Accepting connections. */
#define _GNU_SOURCE
#include "core/listener.h"

#include "core/drive.h"
#include "core/link.h"
#include "core/link_setup.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/socket_base.h"
#include "core/tls_options.h"
#include "transport/tls_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXHAUSTED_PAUSE_MS = 100, ACCEPTS_PER_EVENT = 64 };

static bool is_stopping(struct zl_listener *listener)
{
    zl_socket_lock(listener->socket);
    bool stopping = listener->stopping;
    zl_socket_unlock(listener->socket);
    return stopping;
}

static void accept_failed(struct zl_listener *listener, int error)
{
    if (is_stopping(listener))
        return; /* it does not listen any more, and that was asked for */
    zl_monitor_emit(listener->socket, ZMQ_EVENT_ACCEPT_FAILED, (uint64_t)error,
                    listener->listen.endpoint, NULL, 1);
}

/* Out of descriptors or memory: the connection stays in the backlog, and asking again at once would
   spin. */
static void pause_accepting(struct zl_listener *listener)
{
    zl_loop_rewatch(listener->socket->loop, listener->listen.fd, 0, &listener->io);
    zl_loop_timer_start(listener->socket->loop, &listener->timer, EXHAUSTED_PAUSE_MS);
}

static void on_pause_over(struct zl_timer *timer)
{
    struct zl_listener *listener = zl_container_of(timer, struct zl_listener, timer);
    zl_loop_rewatch(listener->socket->loop, listener->listen.fd, EPOLLIN, &listener->io);
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Takes over the descriptor whatever happens. */
static void take_in(struct zl_listener *listener, int fd)
{
    struct zl_socket *socket = listener->socket;
    struct zl_link *link =
        zl_link_new(socket, listener->transport, listener->listen.endpoint, listener->options);
    if (!link) {
        close(fd);
        return;
    }
    link->listener = listener;
    link->accepted = true;
    if (listener->tls)
        link->tls = zl_tls_context_retain(listener->tls);
    link->stream.fd = fd;
    zl_socket_lock(socket);
    bool welcome = !listener->stopping;
    if (welcome)
        zl_list_append(&socket->links, &link->node);
    zl_socket_unlock(socket);
    if (welcome) {
        zl_link_established(link);
    } else {
        close(fd);
        zl_link_free_unused(link);
    }
}

/* False when there is nothing more to accept for now. */
static bool accept_one(struct zl_listener *listener)
{
    int fd = accept4(listener->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK)
            return false;
        if (error == EINTR || error == ECONNABORTED)
            return true;
        accept_failed(listener, error);
        if (is_exhaustion(error))
            pause_accepting(listener);
        return false;
    }
    int rc = zl_transport_carrier(listener->transport)->tune(fd, listener->options, true);
    if (rc < 0) {
        accept_failed(listener, -rc);
        close(fd);
        return true;
    }
    take_in(listener, fd);
    return true;
}

static void on_connection(struct zl_io *io, uint32_t events)
{
    (void)events;
    struct zl_listener *listener = zl_container_of(io, struct zl_listener, io);
    for (int i = 0; i < ACCEPTS_PER_EVENT && !listener->closed; i++)
        if (!accept_one(listener))
            break;
}

static void free_unopened(struct zl_listener *listener)
{
    if (listener->tls)
        zl_tls_context_release(listener->tls);
    free(listener);
}

static void release(void *object)
{
    struct zl_listener *listener = object;
    zl_options_release(listener->options);
    zl_socket_release(listener->socket);
    free_unopened(listener);
}

/* The connections accepted here belong to the listener and end with it. */
static void stop_links_locked(struct zl_listener *listener)
{
    struct zl_socket *socket = listener->socket;
    zl_list_for_safe(node, &socket->links)
    {
        struct zl_link *link = zl_container_of(node, struct zl_link, node);
        if (link->listener != listener)
            continue;
        link->listener = NULL;
        zl_link_stop_locked(link, listener->stop_linger);
    }
}

static void close_listener(struct zl_listener *listener)
{
    struct zl_socket *socket = listener->socket;
    int fd = listener->listen.fd;
    listener->closed = true;
    zl_loop_timer_stop(socket->loop, &listener->timer);
    zl_loop_unwatch(socket->loop, fd);
    int rc = zl_transport_carrier(listener->transport)->unlisten(&listener->listen);
    zl_monitor_emit(socket, ZMQ_EVENT_CLOSED, (uint64_t)fd, listener->listen.endpoint, NULL, 1);
    if (rc < 0)
        zl_monitor_emit(socket, ZMQ_EVENT_CLOSE_FAILED, (uint64_t)-rc, listener->listen.endpoint,
                        NULL, 1);
    zl_socket_lock(socket);
    stop_links_locked(listener);
    socket->listeners--;
    zl_socket_check_finished_locked(socket);
    zl_socket_unlock(socket);
    /* A post on its way finds the listener closed, and frees it then. */
    if (!atomic_load(&listener->task.queued))
        zl_loop_free_later(socket->loop, &listener->garbage, listener, release);
}

static void on_task(struct zl_task *task)
{
    struct zl_listener *listener = zl_container_of(task, struct zl_listener, task);
    struct zl_socket *socket = listener->socket;
    if (listener->closed) {
        zl_loop_free_later(socket->loop, &listener->garbage, listener, release);
        return;
    }
    zl_socket_lock(socket);
    bool stopping = listener->stopping;
    zl_socket_unlock(socket);
    if (stopping) {
        close_listener(listener);
    } else if (!listener->started) {
        listener->started = true;
        zl_loop_watch(socket->loop, listener->listen.fd, EPOLLIN, &listener->io);
    }
}

/* Reads files. The reason of a failure goes to the socket. */
static int open_tls(struct zl_socket *socket, struct zl_listener *listener,
                    const struct zl_options *options)
{
    struct zl_tls_settings settings;
    struct zl_tls_error error = {0};
    zl_options_tls_settings(options, true, &settings);
    int rc = zl_tls_context_new(&settings, &listener->tls, &error);
    if (rc < 0)
        zl_socket_set_tls_error(socket, error.text);
    return rc;
}

int zl_listener_open(struct zl_socket *socket, const struct zl_transport_ops *transport,
                     const char *address, const struct zl_options *options)
{
    struct zl_listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return -ENOMEM;
    int rc = transport->layers & ZL_LAYER_TLS ? open_tls(socket, listener, options) : 0;
    if (rc == 0)
        rc = zl_transport_listen(transport, &listener->listen, address, options);
    if (rc < 0) {
        zl_monitor_emit(socket, ZMQ_EVENT_BIND_FAILED, (uint64_t)-rc, address, NULL, 1);
        free_unopened(listener);
        return rc;
    }
    listener->transport = transport;
    listener->io.on_events = on_connection;
    zl_task_init(&listener->task, on_task);
    zl_timer_init(&listener->timer, on_pause_over);
    /* Before the loop knows the listener, and so before any ACCEPTED. */
    zl_monitor_emit(socket, ZMQ_EVENT_LISTENING, (uint64_t)listener->listen.fd,
                    listener->listen.endpoint, NULL, 1);

    zl_socket_lock(socket);
    rc = zl_drive_open_locked(socket);
    if (rc == 0)
        rc = zl_socket_set_last_endpoint_locked(socket, listener->listen.endpoint);
    if (rc == 0)
        rc = zl_socket_add_endpoint_locked(socket, ZL_ENDPOINT_LISTENER, listener->listen.endpoint,
                                           listener);
    if (rc == 0) {
        zl_socket_acquire(socket);
        listener->socket = socket;
        listener->options = zl_options_acquire(options);
        socket->listeners++;
        zl_loop_post(socket->loop, &listener->task);
    }
    zl_socket_unlock(socket);
    if (rc < 0) {
        zl_transport_carrier(transport)->unlisten(&listener->listen);
        free_unopened(listener);
        return rc;
    }
    return 0;
}

void zl_listener_stop_locked(struct zl_listener *listener, int linger)
{
    if (listener->stopping)
        return;
    listener->stopping = true;
    listener->stop_linger = linger;
    /* Ends listening at once, so that the address can be bound again; the descriptor itself is
       closed by the loop, which may be about to accept on it. */
    if (!listener->listen.foreign_fd)
        shutdown(listener->listen.fd, SHUT_RDWR);
    zl_loop_post(listener->socket->loop, &listener->task);
}
