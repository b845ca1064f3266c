/* SPDX-License-Identifier: MPL-2.0 */
/* Contexts, sockets, sending, receiving. Argument checks and errno, nothing else. */
#include "api/handles.h"

#include "core/monitor_control.h"
#include "core/msg.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* ---- Contexts --------------------------------------------------------------------------------- */

void *zmq_ctx_new(void)
{
    struct zl_ctx *ctx = zl_ctx_new();
    if (!ctx)
        errno = ENOMEM;
    return ctx;
}

int zmq_ctx_term(void *handle)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    return ctx ? zl_api_result(zl_ctx_term(ctx)) : -1;
}

int zmq_ctx_shutdown(void *handle)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    if (!ctx)
        return -1;
    zl_ctx_shutdown(ctx);
    return 0;
}

int zmq_ctx_set(void *handle, int option, int value)
{
    return zmq_ctx_set_ext(handle, option, &value, sizeof value);
}

int zmq_ctx_get(void *handle, int option)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    int value;
    if (!ctx)
        return -1;
    int rc = zl_ctx_get_int(ctx, option, &value);
    return rc < 0 ? zl_api_result(rc) : value;
}

int zmq_ctx_set_ext(void *handle, int option, const void *value, size_t size)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    return ctx ? zl_api_result(zl_ctx_set(ctx, option, value, size)) : -1;
}

int zmq_ctx_get_ext(void *handle, int option, void *value, size_t *size)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    return ctx ? zl_api_result(zl_ctx_get_ext(ctx, option, value, size)) : -1;
}

void *zmq_init(int io_threads)
{
    if (io_threads < 0) {
        errno = EINVAL;
        return NULL;
    }
    void *ctx = zmq_ctx_new();
    if (ctx)
        zmq_ctx_set(ctx, ZMQ_IO_THREADS, io_threads);
    return ctx;
}

int zmq_term(void *handle)
{
    return zmq_ctx_term(handle);
}

int zmq_ctx_destroy(void *handle)
{
    return zmq_ctx_term(handle);
}

/* ---- Sockets ---------------------------------------------------------------------------------- */

void *zmq_socket(void *handle, int type)
{
    struct zl_ctx *ctx = zl_api_ctx(handle);
    struct zl_socket *socket = NULL;
    if (!ctx)
        return NULL;
    int rc = ctx->fork_generation == zl_fork_generation
                 ? zl_ctx_create_socket(ctx, type, false, &socket)
                 : -ETERM;
    return zl_api_result(rc) < 0 ? NULL : socket;
}

int zmq_close(void *handle)
{
    struct zl_socket *socket = zl_api_socket(handle);
    if (!socket)
        return -1;
    if (zl_api_is_inherited(socket)) {
        /* Only what belongs to this process: its copies of the descriptors. */
        zl_socket_abandon(socket);
        return 0;
    }
    return zl_api_result(zl_socket_close(socket));
}

/* The socket for a call that needs its locks; in a forked child there is none (EINTR). */
static inline __attribute__((always_inline)) struct zl_socket *own_socket(void *handle)
{
    struct zl_socket *socket = zl_api_socket(handle);
    if (zl_unlikely(socket && zl_api_is_inherited(socket))) {
        errno = EINTR;
        return NULL;
    }
    return socket;
}

int zmq_setsockopt(void *handle, int option, const void *value, size_t size)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_set(socket, option, value, size)) : -1;
}

int zmq_getsockopt(void *handle, int option, void *value, size_t *size)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_get(socket, option, value, size)) : -1;
}

int zmq_bind(void *handle, const char *uri)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_bind(socket, uri)) : -1;
}

int zmq_connect(void *handle, const char *uri)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_connect(socket, uri)) : -1;
}

int zmq_unbind(void *handle, const char *uri)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_unbind(socket, uri)) : -1;
}

int zmq_disconnect(void *handle, const char *uri)
{
    return zmq_unbind(handle, uri);
}

int zmq_socket_monitor_versioned(void *handle, const char *uri, uint64_t events, int version,
                                 int type)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_monitor_start(socket, uri, events, version, type)) : -1;
}

int zmq_socket_monitor(void *handle, const char *uri, int events)
{
    return zmq_socket_monitor_versioned(handle, uri, (uint64_t)(unsigned)events, 1, ZMQ_PAIR);
}

int zmq_socket_monitor_pipes_stats(void *handle)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_monitor_pipes_stats(socket)) : -1;
}

/* ---- Not there yet: each answers ENOTSUP after the checks that the interface promises ---------- */

static int unsupported(void *handle)
{
    if (zl_api_socket(handle))
        errno = ENOTSUP;
    return -1;
}

/* These belong to draft socket types (PEER, SERVER, DISH), which zmq_socket does not make yet. */
uint32_t zmq_connect_peer(void *handle, const char *uri)
{
    (void)uri;
    unsupported(handle);
    return 0;
}

int zmq_disconnect_peer(void *handle, uint32_t routing_id)
{
    (void)routing_id;
    return unsupported(handle);
}

int zmq_join(void *handle, const char *group)
{
    (void)group;
    return unsupported(handle);
}

int zmq_leave(void *handle, const char *group)
{
    (void)group;
    return unsupported(handle);
}

int zmq_socket_get_peer_state(void *handle, const void *routing_id, size_t size)
{
    struct zl_socket *socket = own_socket(handle);
    return socket ? zl_api_result(zl_socket_peer_state(socket, routing_id, size)) : -1;
}

/* ---- Sending ---------------------------------------------------------------------------------- */

static int sent_size(size_t size)
{
    return size > INT_MAX ? INT_MAX : (int)size;
}

static inline __attribute__((always_inline)) int send_message(void *handle, struct zl_msg *msg,
                                                              int flags)
{
    struct zl_socket *socket = own_socket(handle);
    if (!socket)
        return -1;
    size_t size = zl_msg_size(msg);
    int rc = zl_socket_send(socket, msg, flags);
    return zl_unlikely(rc < 0) ? zl_api_result(rc) : sent_size(size);
}

int zmq_send(void *handle, const void *buffer, size_t size, int flags)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, buffer, size);
    return send_message(handle, &msg, flags);
}

int zmq_send_const(void *handle, const void *buffer, size_t size, int flags)
{
    struct zl_msg msg;
    zl_msg_init_data(&msg, (void *)(uintptr_t)buffer, size, NULL, NULL);
    return send_message(handle, &msg, flags);
}

int zmq_msg_send(zmq_msg_t *message, void *handle, int flags)
{
    struct zl_msg *msg = (struct zl_msg *)message;
    if (!zl_msg_is_valid(msg)) {
        errno = zl_api_socket(handle) ? EFAULT : errno;
        return -1;
    }
    return send_message(handle, msg, flags);
}

int zmq_sendmsg(void *handle, zmq_msg_t *message, int flags)
{
    return zmq_msg_send(message, handle, flags);
}

int zmq_sendiov(void *handle, struct iovec *vector, size_t count, int flags)
{
    if (!zl_api_socket(handle))
        return -1;
    if (count == 0 || !vector) {
        errno = EINVAL;
        return -1;
    }
    int rc = 0;
    for (size_t i = 0; i < count && rc >= 0; i++) {
        int part_flags = i + 1 == count ? flags & ~ZMQ_SNDMORE : flags;
        rc = zmq_send(handle, vector[i].iov_base, vector[i].iov_len, part_flags);
    }
    return rc;
}

/* ---- Receiving -------------------------------------------------------------------------------- */

int zmq_recv(void *handle, void *buffer, size_t capacity, int flags)
{
    struct zl_socket *socket = own_socket(handle);
    if (!socket)
        return -1;
    int64_t rc = zl_socket_recv_buffer(socket, buffer, capacity, flags);
    return rc < 0 ? zl_api_result((int)rc) : sent_size((size_t)rc);
}

/* The received part becomes the user's own: it must not pin a slab that it hardly uses. */
static int recv_message(struct zl_socket *socket, struct zl_msg *msg, int flags)
{
    struct zl_msg received;
    int rc = zl_socket_recv(socket, &received, flags);
    if (rc < 0)
        return rc;
    /* Without memory for a small copy the slice itself still is a valid message. */
    (void)zl_msg_detach(&received);
    zl_msg_close(msg);
    *msg = received;
    return 0;
}

int zmq_msg_recv(zmq_msg_t *message, void *handle, int flags)
{
    struct zl_socket *socket = own_socket(handle);
    struct zl_msg *msg = (struct zl_msg *)message;
    if (!socket)
        return -1;
    if (!zl_msg_is_valid(msg)) {
        errno = EFAULT;
        return -1;
    }
    int rc = recv_message(socket, msg, flags);
    return rc < 0 ? zl_api_result(rc) : sent_size(zl_msg_size(msg));
}

int zmq_recvmsg(void *handle, zmq_msg_t *message, int flags)
{
    return zmq_msg_recv(message, handle, flags);
}

static int recv_into(void *handle, struct iovec *vector, int flags, int *more)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    int rc = zmq_msg_recv(&message, handle, flags);
    if (rc >= 0) {
        vector->iov_len = zmq_msg_size(&message);
        vector->iov_base = malloc(vector->iov_len ? vector->iov_len : 1);
        if (vector->iov_base)
            memcpy(vector->iov_base, zmq_msg_data(&message), vector->iov_len);
        else
            rc = zl_api_result(-ENOMEM);
        *more = zmq_msg_more(&message);
    }
    int error = errno;
    zmq_msg_close(&message);
    errno = error;
    return rc;
}

int zmq_recviov(void *handle, struct iovec *vector, size_t *count, int flags)
{
    if (!zl_api_socket(handle))
        return -1;
    if (!count || *count == 0 || !vector) {
        errno = EINVAL;
        return -1;
    }
    size_t capacity = *count;
    int more = 1;
    *count = 0;
    while (more && *count < capacity) {
        if (recv_into(handle, &vector[*count], flags, &more) < 0)
            return -1;
        ++*count;
    }
    return (int)*count;
}
