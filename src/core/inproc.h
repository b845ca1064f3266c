/* SPDX-License-Identifier: MPL-2.0 */
/* inproc: names in a context, and pairs of pipes between two sockets of it. No thread, no bytes.
   All functions: no lock held. */
#ifndef ZL_CORE_INPROC_H
#define ZL_CORE_INPROC_H

struct zl_ctx;
struct zl_socket;

/* 0, -EADDRINUSE, -ENOMEM. Connections that wait for the name are attached. */
int zl_inproc_bind(struct zl_socket *socket, const char *uri);

/* 0 or -ENOMEM. */
int zl_inproc_connect(struct zl_socket *socket, const char *uri);

/* Frees the name if this socket has it. */
void zl_inproc_unbind(struct zl_socket *socket, const char *uri);
/* All names of the socket: it is being closed. */
void zl_inproc_unbind_all(struct zl_socket *socket);

/* ctx->lock held, no sockets left: drops connections that nobody bound. */
void zl_inproc_forget_waiting(struct zl_ctx *ctx);

#endif
