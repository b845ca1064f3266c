/* SPDX-License-Identifier: MPL-2.0 */
/* What is done with a context (core/ctx_base.h): options, making sockets, termination. Any thread, no
   lock held. */
#ifndef ZL_CORE_CTX_H
#define ZL_CORE_CTX_H

#include "core/ctx_base.h"

struct zl_socket;

/* Grows in every forked child, so that handles of the parent are recognised. */
extern unsigned zl_fork_generation;

struct zl_ctx *zl_ctx_new(void);
/* 0, or -EINTR: call again. */
int zl_ctx_term(struct zl_ctx *ctx);
void zl_ctx_shutdown(struct zl_ctx *ctx);
int zl_ctx_set(struct zl_ctx *ctx, int option, const void *value, size_t size);
int zl_ctx_get_int(struct zl_ctx *ctx, int option, int *value);
int zl_ctx_get_ext(struct zl_ctx *ctx, int option, void *value, const size_t *size);

/* zmq_socket. 0, -EINVAL, -EMFILE, -ENOMEM, or -ETERM once the context is shutting down. */
int zl_ctx_create_socket(struct zl_ctx *ctx, int type, bool internal, struct zl_socket **out);

#endif
