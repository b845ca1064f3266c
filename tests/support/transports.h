/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The transports that tests run over: one table in transports.c. A test that uses nothing but
 * zmq.h takes its transport's name from TS_ON_CONNECTIONS, and lets these helpers give the
 * endpoints and set what a transport wants set (certificates, for instance). A test whose peer is
 * a bare socket stays with TS_ON_NETWORK.
 */
#ifndef TESTS_SUPPORT_TRANSPORTS_H
#define TESTS_SUPPORT_TRANSPORTS_H

#include "support/test_support.h"

/* One entry per transport that makes connections; keep in step with the table. */
#define TS_ON_CONNECTIONS(function) TS_ON(function, "ipc"), TS_ON(function, "tcp")
/* And one for the transport that makes none. */
#define TS_ON_EVERYTHING(function) TS_ON(function, "inproc"), TS_ON_CONNECTIONS(function)

enum ts_role { TS_BINDS, TS_CONNECTS };

bool ts_makes_connections(const char *transport);
bool ts_has_ports(const char *transport);
/* The text to bind to for a free address; names are unique on this machine. */
const char *ts_free_address(const char *transport, char text[TS_ENDPOINT_MAX]);
/* The endpoint with that port. */
void ts_port_endpoint(const char *transport, int port, char text[TS_ENDPOINT_MAX]);

/* Sets the options the transport wants, before the socket binds or connects. */
void ts_prepare(void *socket, const char *transport, enum ts_role role);
/* Each prepares the socket and then binds to a free address, binds to a given one, connects. */
void ts_bind_over_at(void *socket, const char *transport, char endpoint[TS_ENDPOINT_MAX],
                     const char *file, int line);
#define ts_bind_over(socket, transport, endpoint)                                                  \
    ts_bind_over_at((socket), (transport), (endpoint), __FILE__, __LINE__)
void ts_rebind_over_at(void *socket, const char *transport, const char *endpoint, const char *file,
                       int line);
#define ts_rebind_over(socket, transport, endpoint)                                                \
    ts_rebind_over_at((socket), (transport), (endpoint), __FILE__, __LINE__)
void ts_connect_over_at(void *socket, const char *transport, const char *endpoint, const char *file,
                        int line);
#define ts_connect_over(socket, transport, endpoint)                                               \
    ts_connect_over_at((socket), (transport), (endpoint), __FILE__, __LINE__)
/* As ts_connect_pair. */
void ts_pair_over_at(void *context, void *bound, void *connected, const char *transport,
                     const char *file, int line);
#define ts_pair_over(context, bound, connected, transport)                                         \
    ts_pair_over_at((context), (bound), (connected), (transport), __FILE__, __LINE__)

#endif
