/* SPDX-License-Identifier: MPL-2.0 */
/* What sockets ask of their context, and the one table that names transports. */
#define _GNU_SOURCE
#include "core/ctx_base.h"

#include "core/socket_base.h"
#include "io/gate.h"
#include "transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Transports ------------------------------------------------------------------------------- */

static const struct zl_transport_ops *const transports[] = {
    &zl_tcp_ops, &zl_ipc_ops, &zl_tls_ops, &zl_ws_ops, &zl_wss_ops,
};

const struct zl_transport_ops *zl_ctx_transport(const char *scheme)
{
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++)
        if (strcmp(transports[i]->scheme, scheme) == 0)
            return transports[i];
    return NULL;
}

/* ---- Loops ------------------------------------------------------------------------------------ */

static void fill_cpus(const struct zl_ctx_options *options, cpu_set_t *cpus)
{
    CPU_ZERO(cpus);
    for (int cpu = 0; cpu < ZL_CTX_CPUS_MAX && cpu < CPU_SETSIZE; cpu++)
        if (zl_cpu_set_contains(&options->cpus, cpu))
            CPU_SET(cpu, cpus);
}

static int start_loops(struct zl_ctx *ctx)
{
    int count = ctx->options.io_threads;
    if (count > ZL_CTX_LOOPS_MAX)
        count = ZL_CTX_LOOPS_MAX;
    if (count == 0)
        return -EMTHREAD;
    ctx->loops = calloc((size_t)count, sizeof *ctx->loops);
    if (!ctx->loops)
        return -ENOMEM;
    cpu_set_t cpus;
    fill_cpus(&ctx->options, &cpus);
    struct zl_loop_attributes attributes = {
        .name_prefix = ctx->options.thread_name_prefix,
        .priority = ctx->options.thread_priority,
        .policy = ctx->options.thread_sched_policy,
        .cpus = zl_cpu_set_is_empty(&ctx->options.cpus) ? NULL : &cpus,
    };
    int rc = 0;
    for (; rc == 0 && ctx->loop_count < count; ctx->loop_count += rc == 0) {
        attributes.index = ctx->loop_count;
        rc = zl_loop_start(&ctx->loops[ctx->loop_count], &attributes);
    }
    if (ctx->loop_count > 0)
        return 0; /* fewer threads than wanted still work */
    free(ctx->loops);
    ctx->loops = NULL;
    return rc;
}

/* The least loaded of the allowed ones. */
static struct zl_loop *least_loaded(struct zl_ctx *ctx, uint64_t affinity)
{
    struct zl_loop *best = NULL;
    for (int i = 0; i < ctx->loop_count; i++) {
        struct zl_loop *loop = &ctx->loops[i];
        bool allowed = affinity == 0 || (i < 64 && (affinity >> i & 1));
        if (allowed && (!best || atomic_load(&loop->load) < atomic_load(&best->load)))
            best = loop;
    }
    return best;
}

int zl_ctx_choose_loop(struct zl_ctx *ctx, uint64_t affinity, struct zl_loop **out)
{
    pthread_mutex_lock(&ctx->lock);
    int rc = ctx->loops ? 0 : start_loops(ctx);
    if (rc == 0) {
        *out = least_loaded(ctx, affinity);
        if (*out)
            atomic_fetch_add(&(*out)->load, 1);
        else
            rc = -EMTHREAD;
    }
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

struct zl_resolver *zl_ctx_resolver(struct zl_ctx *ctx)
{
    return &ctx->resolver;
}

/* ---- Sockets ---------------------------------------------------------------------------------- */

void zl_ctx_socket_gone(struct zl_ctx *ctx, struct zl_socket *socket)
{
    pthread_mutex_lock(&ctx->lock);
    zl_list_remove(&socket->ctx_node);
    if (socket->loop)
        atomic_fetch_sub(&socket->loop->load, 1);
    unsigned left = atomic_fetch_sub(&ctx->socket_count, 1) - 1;
    /* The wake is inside the lock: the terminating thread takes it before it frees the context. */
    if (left == 0)
        zl_futex_wake_all(&ctx->socket_count);
    pthread_mutex_unlock(&ctx->lock);
}
