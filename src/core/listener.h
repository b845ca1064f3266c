/* SPDX-License-Identifier: MPL-2.0 */
/* A listener: one successful bind to a stream transport. Accepts on the socket's loop. */
#ifndef ZL_CORE_LISTENER_H
#define ZL_CORE_LISTENER_H

#include "io/loop.h"
#include "transport/transport.h"

#include <stdbool.h>

struct zl_socket;
struct zl_options;
struct zl_tls_context;

struct zl_listener {
    /* Constant. */
    struct zl_socket *socket; /* counted */
    const struct zl_transport_ops *transport;
    const struct zl_options *options; /* snapshot, counted */
    struct zl_listen listen;
    struct zl_tls_context *tls; /* counted; NULL without TLS */
    /* [loop] */
    struct zl_io io;
    struct zl_task task;
    struct zl_garbage garbage;
    struct zl_timer timer; /* after descriptor exhaustion: when to accept again */
    bool started;
    bool closed;
    /* Guarded by the gate. */
    bool stopping;
    int stop_linger;
};

/* Opens it and hands it to the loop. Gate not held; the caller. 0 or a negative errno. The endpoint
   record and LAST_ENDPOINT are made here. */
int zl_listener_open(struct zl_socket *socket, const struct zl_transport_ops *transport,
                     const char *address, const struct zl_options *options);

/* Gate held. The port is free when this returns; the rest, and the connections accepted here, end on
   the loop, with `linger` for what they have queued. */
void zl_listener_stop_locked(struct zl_listener *listener, int linger);

#endif
