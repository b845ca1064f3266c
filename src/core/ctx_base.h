/* SPDX-License-Identifier: MPL-2.0 */
/* What a context is, and what its sockets ask of it: a loop, the resolver, transports, and to be let go.
   Making sockets and terminating is in core/ctx.h, above the sockets.

   The lock guards everything that has no comment of its own. Order: ctx->lock, then one gate. */
#ifndef ZL_CORE_CTX_BASE_H
#define ZL_CORE_CTX_BASE_H

#include "base/list.h"
#include "core/ctx_options.h"
#include "io/loop.h"
#include "io/resolver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct zl_socket;
struct zl_transport_ops;

#define ZL_CTX_MAGIC 0xabadcafeu
#define ZL_CTX_LOOPS_MAX 64

struct zl_ctx {
    uint32_t magic;
    unsigned fork_generation; /* constant: of the process that made it */
    pthread_mutex_t lock;
    struct zl_ctx_options options;
    bool shutting_down;
    struct zl_list sockets;
    atomic_uint socket_count; /* written under the lock; zmq_ctx_term sleeps on it (futex) */
    int max_sockets;          /* as it was when the first socket was made; 0 before */
    struct zl_loop *loops;    /* NULL until the first bind or connect that needs one */
    int loop_count;
    struct zl_resolver resolver; /* has a lock of its own */
    struct zl_list names;        /* bound inproc names */
    struct zl_list waiting;      /* inproc connections to names that are not bound yet */
};

/* Any thread; the lock is taken inside. */

/* The loop for a new endpoint, started if need be. 0, -EMTHREAD or a negative errno. */
int zl_ctx_choose_loop(struct zl_ctx *ctx, uint64_t affinity, struct zl_loop **out);

struct zl_resolver *zl_ctx_resolver(struct zl_ctx *ctx);

/* The transport of that scheme; NULL if there is none. inproc is not one. */
const struct zl_transport_ops *zl_ctx_transport(const char *scheme);

/* A closed socket has nothing left to do. */
void zl_ctx_socket_gone(struct zl_ctx *ctx, struct zl_socket *socket);

#endif
