/* SPDX-License-Identifier: MPL-2.0 */
/* The context, and the one table that names patterns. */
#define _GNU_SOURCE
#include "core/ctx.h"

#include "core/content.h"
#include "core/inproc.h"
#include "core/socket.h"
#include "io/gate.h"
#include "pattern/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Patterns ----------------------------------------------------------------------------------- */

static const struct zl_pattern_ops *const patterns[] = {
    &zl_pair_ops,   &zl_pub_ops,  &zl_sub_ops,  &zl_req_ops,  &zl_rep_ops,  &zl_dealer_ops,
    &zl_router_ops, &zl_pull_ops, &zl_push_ops, &zl_xpub_ops, &zl_xsub_ops, &zl_stream_ops,
};

static const struct zl_pattern_ops *find_pattern(int type)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (patterns[i]->type == type)
            return patterns[i];
    return NULL;
}

/* ---- Fork ------------------------------------------------------------------------------------- */

unsigned zl_fork_generation;

static void after_fork_in_child(void)
{
    zl_fork_generation++;
    zl_content_pool_after_fork();
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* ---- Making and options ----------------------------------------------------------------------- */

struct zl_ctx *zl_ctx_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    struct zl_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->magic = ZL_CTX_MAGIC;
    ctx->fork_generation = zl_fork_generation;
    pthread_mutex_init(&ctx->lock, NULL);
    zl_ctx_options_init(&ctx->options);
    zl_list_init(&ctx->sockets);
    zl_list_init(&ctx->names);
    zl_list_init(&ctx->waiting);
    zl_resolver_init(&ctx->resolver);
    zl_content_pool_join();
    return ctx;
}

int zl_ctx_set(struct zl_ctx *ctx, int option, const void *value, size_t size)
{
    pthread_mutex_lock(&ctx->lock);
    int rc = zl_ctx_options_set_ext(&ctx->options, option, value, size);
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

int zl_ctx_get_int(struct zl_ctx *ctx, int option, int *value)
{
    pthread_mutex_lock(&ctx->lock);
    int rc = zl_ctx_options_get(&ctx->options, option, value);
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

int zl_ctx_get_ext(struct zl_ctx *ctx, int option, void *value, const size_t *size)
{
    pthread_mutex_lock(&ctx->lock);
    int rc = zl_ctx_options_get_ext(&ctx->options, option, value, size);
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

/* ---- Sockets ---------------------------------------------------------------------------------- */

static int admit(struct zl_ctx *ctx)
{
    if (ctx->shutting_down)
        return -ETERM;
    if (ctx->max_sockets == 0)
        ctx->max_sockets = ctx->options.max_sockets;
    if (atomic_load(&ctx->socket_count) >= (unsigned)ctx->max_sockets)
        return -EMFILE;
    return 0;
}

int zl_ctx_create_socket(struct zl_ctx *ctx, int type, bool internal, struct zl_socket **out)
{
    const struct zl_pattern_ops *ops = find_pattern(type);
    pthread_mutex_lock(&ctx->lock);
    int rc = ctx->shutting_down ? -ETERM : ops ? admit(ctx) : -EINVAL;
    if (rc == 0)
        rc = zl_socket_new(ctx, ops, out);
    if (rc == 0) {
        (*out)->internal = internal;
        atomic_fetch_add(&ctx->socket_count, 1);
        zl_list_append(&ctx->sockets, &(*out)->ctx_node);
    }
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

/* ---- Termination ------------------------------------------------------------------------------ */

/* Every open socket, with a reference each, so that they can be told without the lock. */
static struct zl_socket **list_sockets(struct zl_ctx *ctx, size_t *count)
{
    *count = 0;
    struct zl_socket **all =
        malloc((atomic_load(&ctx->socket_count) + 1) * sizeof(struct zl_socket *));
    if (!all)
        return NULL;
    zl_list_for(node, &ctx->sockets)
    {
        all[*count] = zl_container_of(node, struct zl_socket, ctx_node);
        zl_socket_acquire(all[(*count)++]);
    }
    return all;
}

void zl_ctx_shutdown(struct zl_ctx *ctx)
{
    pthread_mutex_lock(&ctx->lock);
    bool first = !ctx->shutting_down;
    ctx->shutting_down = true;
    size_t count = 0;
    struct zl_socket **all = first ? list_sockets(ctx, &count) : NULL;
    if (first && !all) /* no memory for the list: tell them under the lock, monitors stay */
        zl_list_for(node, &ctx->sockets)
            zl_socket_terminate(zl_container_of(node, struct zl_socket, ctx_node));
    pthread_mutex_unlock(&ctx->lock);
    for (size_t i = 0; i < count; i++) {
        zl_socket_stop_monitor(all[i]);
        zl_socket_terminate(all[i]);
        zl_socket_release(all[i]);
    }
    free(all);
}

static int wait_for_sockets(struct zl_ctx *ctx)
{
    unsigned count;
    while ((count = atomic_load(&ctx->socket_count)) != 0) {
        int rc = zl_futex_wait(&ctx->socket_count, count, -1);
        if (rc == -EINTR)
            return rc;
    }
    return 0;
}

static void free_ctx(struct zl_ctx *ctx)
{
    /* Whoever took the count to zero has left the lock when we get it. */
    pthread_mutex_lock(&ctx->lock);
    zl_inproc_forget_waiting(ctx);
    pthread_mutex_unlock(&ctx->lock);
    zl_resolver_stop(&ctx->resolver);
    for (int i = 0; i < ctx->loop_count; i++)
        zl_loop_stop(&ctx->loops[i]);
    free(ctx->loops);
    pthread_mutex_destroy(&ctx->lock);
    ctx->magic = 0;
    free(ctx);
    zl_content_pool_leave();
}

/* The threads and the connections are the parent's: only the descriptors are ours to close. */
static void abandon(struct zl_ctx *ctx)
{
    for (int i = 0; i < ctx->loop_count; i++)
        zl_loop_abandon(&ctx->loops[i]);
    ctx->magic = 0;
}

int zl_ctx_term(struct zl_ctx *ctx)
{
    if (ctx->fork_generation != zl_fork_generation) {
        abandon(ctx);
        return 0;
    }
    zl_ctx_shutdown(ctx);
    int rc = wait_for_sockets(ctx);
    if (rc == 0)
        free_ctx(ctx);
    return rc;
}
