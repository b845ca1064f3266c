/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The transports that tests run over: one table in transports.c. A test that uses nothing but
 * zmq.h takes its transport's name from TS_ON_CONNECTIONS or TS_ON_ALL (test_support.h), and lets
 * these helpers give the endpoints. What a transport wants set (certificates, for instance) the
 * sockets of ts_socket have already; those of zmq_socket get it here. A test whose peer is a bare
 * socket, which speaks ZMTP and nothing before it, stays with TS_ON_NETWORK.
 */
#ifndef TESTS_SUPPORT_TRANSPORTS_H
#define TESTS_SUPPORT_TRANSPORTS_H

#include "support/test_support.h"

#define TS_ON_EVERYTHING(function) TS_ON_ALL(function)

enum ts_role { TS_BINDS, TS_CONNECTS };

bool ts_makes_connections(const char *transport);
bool ts_has_ports(const char *transport);
/* How many messages or connections make about as much work as so many over tcp; at least 1. Keeps
 * the time of long tests within bounds. */
int ts_scaled(const char *transport, int count);
/* The text to bind to for a free address; names are unique on this machine. */
const char *ts_free_address(const char *transport, char text[TS_ENDPOINT_MAX]);
/* The endpoint with that port. */
void ts_port_endpoint(const char *transport, int port, char text[TS_ENDPOINT_MAX]);

/* Sets the options the transport wants, before the socket binds or connects. */
void ts_prepare(void *socket, const char *transport, enum ts_role role);
/* The same for both roles and for the transport of the running test, if it is one of
 * TS_ON_BEYOND_STOCK: what ts_socket does. */
void ts_prepare_for_test(void *socket);
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
