/* SPDX-License-Identifier: MPL-2.0 */
/* inproc. */
#include "core/inproc.h"

#include "core/ctx_base.h"
#include "core/inproc_io.h"
#include "core/pipe.h"
#include "core/socket_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Guarded by ctx->lock. */
struct name {
    struct zl_list node;
    struct zl_socket *socket; /* bound: its owner, counted */
    struct zl_pipe *pipe;     /* waiting: the end that a binder will get, counted */
    char text[];
};

static struct name *find(struct zl_list *list, const char *text)
{
    zl_list_for(node, list)
    {
        struct name *name = zl_container_of(node, struct name, node);
        if (strcmp(name->text, text) == 0)
            return name;
    }
    return NULL;
}

static struct name *new_name(const char *text)
{
    size_t size = strlen(text) + 1;
    struct name *name = calloc(1, sizeof *name + size);
    if (name) {
        zl_list_init(&name->node);
        memcpy(name->text, text, size);
    }
    return name;
}

/* What each end has to know of the other one's socket. */
static int introduce(struct zl_pipe *pipe, struct zl_socket *other)
{
    zl_socket_lock(other);
    int rc =
        zl_pipe_set_routing_id(pipe, other->options.routing_id, other->options.routing_id_size);
    zl_socket_unlock(other);
    return rc;
}

/* ctx->lock held. Gives the far end of a pair to the binder, and tells the connector. */
static void attach_to_binder(struct zl_socket *binder, struct zl_pipe *far)
{
    struct zl_pipe *near = far->peer;
    zl_socket_lock(binder);
    atomic_store(&far->sndhwm, binder->options.sndhwm);
    atomic_store(&far->rcvhwm, binder->options.rcvhwm);
    zl_socket_acquire(binder);
    /* From here on signals go to the binder; those before are taken right below. */
    atomic_store(&far->socket, binder);
    zl_pipe_attach_locked(far);
    zl_pipe_connected_locked(far);
    zl_pipe_take_signals_locked(far);
    /* What the connector wrote before, a subscription for one, woke nobody. */
    zl_socket_wake(binder);
    zl_socket_unlock(binder);
    zl_inproc_signal(near, ZL_SIGNAL_CONNECTED | ZL_SIGNAL_WRITABLE);
}

int zl_inproc_bind(struct zl_socket *socket, const char *uri)
{
    struct zl_ctx *ctx = socket->ctx;
    struct name *name = new_name(uri);
    if (!name)
        return -ENOMEM;
    pthread_mutex_lock(&ctx->lock);
    if (find(&ctx->names, uri)) {
        pthread_mutex_unlock(&ctx->lock);
        free(name);
        return -EADDRINUSE;
    }
    zl_socket_acquire(socket);
    name->socket = socket;
    zl_list_append(&ctx->names, &name->node);
    struct name *waiting;
    while ((waiting = find(&ctx->waiting, uri)) != NULL) {
        zl_list_remove(&waiting->node);
        if (!waiting->pipe->peer->routing_id)
            introduce(waiting->pipe->peer, socket);
        attach_to_binder(socket, waiting->pipe);
        free(waiting); /* its reference is the binder's now */
    }
    pthread_mutex_unlock(&ctx->lock);
    return 0;
}

/* Two ends that refer to each other: each has one reference of its socket and one of the other. */
static int make_pair(struct zl_socket *socket, struct zl_pipe **near, struct zl_pipe **far)
{
    *near = zl_pipe_new(socket, socket->options.sndhwm, socket->options.rcvhwm);
    *far = zl_pipe_new(NULL, 0, ZL_HWM_UNBOUND);
    if (!*near || !*far || introduce(*far, socket) < 0) {
        if (*near)
            zl_pipe_release(*near);
        if (*far)
            zl_pipe_release(*far);
        return -ENOMEM;
    }
    (*far)->conflate = (*near)->conflate; /* the connecting side decides for both directions */
    (*near)->locally_initiated = true;
    (*near)->peer = *far;
    (*far)->peer = *near;
    zl_pipe_acquire(*near);
    zl_pipe_acquire(*far);
    return 0;
}

/* ctx->lock held. */
static int wait_for_binder(struct zl_ctx *ctx, const char *uri, struct zl_pipe *far)
{
    struct name *waiting = new_name(uri);
    if (!waiting)
        return -ENOMEM;
    waiting->pipe = far;
    zl_list_append(&ctx->waiting, &waiting->node);
    return 0;
}

static void attach_near(struct zl_socket *socket, struct zl_pipe *near)
{
    zl_socket_lock(socket);
    zl_pipe_attach_locked(near);
    zl_socket_unlock(socket);
}

int zl_inproc_connect(struct zl_socket *socket, const char *uri)
{
    struct zl_ctx *ctx = socket->ctx;
    struct zl_pipe *near, *far;
    int rc = make_pair(socket, &near, &far);
    if (rc < 0)
        return rc;
    zl_socket_lock(socket);
    zl_pipe_acquire(near);
    rc = zl_socket_add_endpoint_locked(socket, ZL_ENDPOINT_INPROC_CONNECTED, uri, near);
    if (rc == 0)
        rc = zl_socket_set_last_endpoint_locked(socket, uri);
    zl_socket_unlock(socket);

    pthread_mutex_lock(&ctx->lock);
    struct name *bound = find(&ctx->names, uri);
    if (rc == 0 && bound) {
        introduce(near, bound->socket);
        attach_near(socket, near);
        attach_to_binder(bound->socket, far);
    } else if (rc == 0) {
        attach_near(socket, near);
        rc = wait_for_binder(ctx, uri, far);
    }
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

static void free_name(struct name *name)
{
    zl_list_remove(&name->node);
    zl_socket_release(name->socket);
    free(name);
}

void zl_inproc_unbind(struct zl_socket *socket, const char *uri)
{
    pthread_mutex_lock(&socket->ctx->lock);
    struct name *name = find(&socket->ctx->names, uri);
    if (name && name->socket == socket)
        free_name(name);
    pthread_mutex_unlock(&socket->ctx->lock);
}

void zl_inproc_unbind_all(struct zl_socket *socket)
{
    pthread_mutex_lock(&socket->ctx->lock);
    zl_list_for_safe(node, &socket->ctx->names)
    {
        struct name *name = zl_container_of(node, struct name, node);
        if (name->socket == socket)
            free_name(name);
    }
    pthread_mutex_unlock(&socket->ctx->lock);
}

void zl_inproc_forget_waiting(struct zl_ctx *ctx)
{
    struct zl_list *node;
    while ((node = zl_list_pop(&ctx->waiting)) != NULL) {
        struct name *waiting = zl_container_of(node, struct name, node);
        /* The connector is closed, so its end is gone; what remains are the two references here. */
        struct zl_pipe *near = waiting->pipe->peer;
        zl_pipe_release(near);
        zl_pipe_release(waiting->pipe);
        free(waiting);
    }
}
