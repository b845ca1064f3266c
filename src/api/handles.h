/* SPDX-License-Identifier: MPL-2.0 */
/* What all entry points share: checking handles, and turning negative errnos into -1 and errno. */
#ifndef ZL_API_HANDLES_H
#define ZL_API_HANDLES_H

#include "core/ctx.h"
#include "core/socket.h"

#include <errno.h>

/* -1 with errno for a negative errno; else the value itself. */
static inline int zl_api_result(int rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

/* NULL with ENOTSOCK when this is no open socket of ours. Some programs (czmq) find out with
   zmq_getsockopt what a pointer of theirs is, so nothing behind its first word is touched. */
static inline struct zl_socket *zl_api_socket(void *handle)
{
    struct zl_socket *socket = handle;
    bool aligned = (uintptr_t)handle % _Alignof(struct zl_socket) == 0;
    if (socket && aligned && __builtin_expect(socket->magic == ZL_SOCKET_MAGIC, 1))
        return socket;
    errno = ENOTSOCK;
    return NULL;
}

/* NULL with EFAULT when this is no context. */
static inline struct zl_ctx *zl_api_ctx(void *handle)
{
    struct zl_ctx *ctx = handle;
    if (ctx && ctx->magic == ZL_CTX_MAGIC)
        return ctx;
    errno = EFAULT;
    return NULL;
}

/* True in a process that forked after it got the socket: its locks and threads are the parent's. */
static inline int zl_api_is_inherited(const struct zl_socket *socket)
{
    return __builtin_expect(socket->fork_generation != zl_fork_generation, 0);
}

#endif
