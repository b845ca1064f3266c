/* SPDX-License-Identifier: MPL-2.0 */
/* What is done with a socket (core/socket_base.h): the functions behind zmq_*. They are in four files:
   socket.c (sending, receiving, events), socket_life.c, socket_endpoints.c and socket_options.c. */
#ifndef ZL_CORE_SOCKET_H
#define ZL_CORE_SOCKET_H

#include "core/socket_base.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One reference (the handle's). 0 or a negative errno. */
int zl_socket_new(struct zl_ctx *ctx, const struct zl_pattern_ops *ops, struct zl_socket **out);

/* The functions behind zmq_*. Any thread. 0 or a count, or a negative errno. */
int zl_socket_close(struct zl_socket *socket);
int zl_socket_bind(struct zl_socket *socket, const char *uri);
int zl_socket_connect(struct zl_socket *socket, const char *uri);
int zl_socket_unbind(struct zl_socket *socket, const char *uri); /* also disconnect */
int zl_socket_set(struct zl_socket *socket, int option, const void *value, size_t size);
int zl_socket_get(struct zl_socket *socket, int option, void *value, size_t *size);

/* On success the message is empty. flags: ZMQ_DONTWAIT, ZMQ_SNDMORE. */
int zl_socket_send(struct zl_socket *socket, struct zl_msg *msg, int flags);
/* msg must hold nothing. It may be a slice. */
int zl_socket_recv(struct zl_socket *socket, struct zl_msg *msg, int flags);
/* Copies into the buffer; returns the full size. */
int64_t zl_socket_recv_buffer(struct zl_socket *socket, void *buffer, size_t capacity, int flags);

/* zmq_socket_get_peer_state: ZMQ_POLLOUT when that peer takes a message, 0 when it is full,
   -ENOTSUP unless ROUTER, -EHOSTUNREACH. */
int zl_socket_peer_state(struct zl_socket *socket, const void *routing_id, size_t size);

/* Emits MONITOR_STOPPED and closes the monitor's socket. Idempotent. No gate is held. */
void zl_socket_stop_monitor(struct zl_socket *socket);

/* In a forked child: closes this process's copies of the descriptors; no lock is taken. */
void zl_socket_abandon(struct zl_socket *socket);

/* The context is being terminated. Takes the gate. */
void zl_socket_terminate(struct zl_socket *socket);

/* ---- Gate held -------------------------------------------------------------------------------- */

/* ZMQ_POLLIN | ZMQ_POLLOUT. */
int zl_socket_events_locked(struct zl_socket *socket);

/* Ends what an endpoint (already out of the list) stands for, and frees the record. */
void zl_endpoint_stop_locked(struct zl_socket *socket, struct zl_endpoint *endpoint, int linger);

#endif
