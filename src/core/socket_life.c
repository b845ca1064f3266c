/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets: making, closing, and what the end of a context or a fork does to them. */
#define _GNU_SOURCE
#include "core/socket.h"

#include "core/ctx_base.h"
#include "core/drive.h"
#include "core/inproc.h"
#include "core/link.h"
#include "core/listener.h"
#include "core/monitor.h"
#include "core/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_close_task(struct zl_task *task);

int zl_socket_new(struct zl_ctx *ctx, const struct zl_pattern_ops *ops, struct zl_socket **out)
{
    size_t align = _Alignof(struct zl_socket);
    size_t size = (sizeof(struct zl_socket) + ops->state_size + align - 1) / align * align;
    struct zl_socket *socket = aligned_alloc(align, size);
    if (!socket)
        return -ENOMEM;
    memset(socket, 0, size);
    zl_gate_init(&socket->gate);
    pthread_mutex_init(&socket->monitor_lock, NULL);
    socket->magic = ZL_SOCKET_MAGIC;
    socket->ops = ops;
    socket->ctx = ctx;
    socket->fork_generation = ctx->fork_generation;
    atomic_init(&socket->references, 1);
    atomic_init(&socket->raw, (ops->flags & ZL_PATTERN_RAW) != 0);
    zl_options_init(&socket->options, ops->type, ctx->options.ipv6, ctx->options.blocky);
    zl_list_init(&socket->pipes);
    zl_list_init(&socket->released_pipes);
    zl_list_init(&socket->endpoints);
    zl_list_init(&socket->links);
    zl_list_init(&socket->ctx_node);
    zl_drive_init(socket);
    zl_task_init(&socket->close_task, on_close_task);
    int rc = ops->init(socket);
    if (rc < 0) {
        free(socket);
        return rc;
    }
    *out = socket;
    return 0;
}

/* ---- Closing ---------------------------------------------------------------------------------- */

void zl_socket_stop_monitor(struct zl_socket *socket)
{
    struct zl_socket *monitor = zl_monitor_replace(socket, NULL);
    if (monitor)
        zl_socket_close(monitor);
}

static void release_later(void *object)
{
    struct zl_socket *socket = object;
    zl_socket_stop_monitor(socket); /* after the last event */
    zl_ctx_socket_gone(socket->ctx, socket);
    zl_socket_release(socket);
}

/* [loop] The last link and listener are gone. */
static void on_close_task(struct zl_task *task)
{
    struct zl_socket *socket = zl_container_of(task, struct zl_socket, close_task);
    if (zl_timer_running(&socket->tick)) {
        zl_loop_timer_stop(socket->loop, &socket->tick);
        zl_socket_release(socket);
    }
    if (socket->pollset.fd >= 0)
        zl_loop_unwatch(socket->loop, socket->pollset.fd);
    zl_loop_free_later(socket->loop, &socket->finished_item, socket, release_later);
}

static void end_pipes_locked(struct zl_socket *socket)
{
    zl_list_for_safe(node, &socket->pipes)
        zl_pipe_end_locked(zl_container_of(node, struct zl_pipe, node), true);
}

static void stop_endpoints_locked(struct zl_socket *socket)
{
    int linger = socket->options.linger;
    struct zl_list *node;
    while ((node = zl_list_pop(&socket->endpoints)) != NULL)
        zl_endpoint_stop_locked(socket, zl_container_of(node, struct zl_endpoint, node), linger);
    /* Accepted ones have no endpoint of their own. */
    zl_list_for_safe(link_node, &socket->links)
        zl_link_stop_locked(zl_container_of(link_node, struct zl_link, node), linger);
}

int zl_socket_close(struct zl_socket *socket)
{
    /* The loop may finish the socket, and give the handle's reference back, before we return. */
    zl_socket_acquire(socket);
    zl_inproc_unbind_all(socket);
    zl_socket_lock(socket);
    socket->closed = true;
    socket->magic = ZL_SOCKET_DEAD;
    zl_socket_refuse_signals_locked(socket);
    zl_drive_hand_back_locked(socket);
    stop_endpoints_locked(socket);
    end_pipes_locked(socket);
    zl_socket_wake(socket);
    zl_socket_check_finished_locked(socket);
    bool finished_here = socket->finished && !socket->loop;
    zl_socket_unlock(socket);
    if (finished_here)
        release_later(socket);
    zl_socket_release(socket);
    return 0;
}

/* ---- Other ends ------------------------------------------------------------------------------- */

void zl_socket_terminate(struct zl_socket *socket)
{
    if (socket->internal)
        return;
    zl_socket_lock(socket);
    socket->terminated = true;
    zl_socket_wake(socket);
    zl_socket_unlock(socket);
}

void zl_socket_abandon(struct zl_socket *socket)
{
    socket->magic = ZL_SOCKET_DEAD;
    if (socket->wake_fd >= 0)
        close(socket->wake_fd);
    if (socket->pollset.fd >= 0)
        close(socket->pollset.fd);
    zl_list_for(node, &socket->links)
    {
        struct zl_link *link = zl_container_of(node, struct zl_link, node);
        if (link->stream.fd >= 0)
            close(link->stream.fd);
    }
    zl_list_for(endpoint_node, &socket->endpoints)
    {
        struct zl_endpoint *endpoint = zl_container_of(endpoint_node, struct zl_endpoint, node);
        if (endpoint->kind == ZL_ENDPOINT_LISTENER)
            close(((struct zl_listener *)endpoint->object)->listen.fd);
    }
}
