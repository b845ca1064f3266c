/* SPDX-License-Identifier: MPL-2.0 */
/* The table of transports. */
#include "support/transports.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct transport {
    const char *name;
    const char *prefix; /* with ports: what stands before one; else before a name */
    const char *suffix;
    bool has_ports;
    bool makes_connections;
    void (*prepare)(void *socket, enum ts_role role); /* may be NULL */
} transports[] = {
    {.name = "inproc", .prefix = "inproc://", .suffix = ""},
    {.name = "ipc", .prefix = "ipc://", .suffix = "", .makes_connections = true},
    {.name = "tcp",
     .prefix = "tcp://127.0.0.1:",
     .suffix = "",
     .has_ports = true,
     .makes_connections = true},
};

static const struct transport *find(const char *name)
{
    for (size_t i = 0; i < TS_COUNT(transports); ++i)
        if (strcmp(transports[i].name, name) == 0)
            return &transports[i];
    ts_fail("no transport \"%s\" in the table", name);
}

bool ts_makes_connections(const char *transport)
{
    return find(transport)->makes_connections;
}

bool ts_has_ports(const char *transport)
{
    return find(transport)->has_ports;
}

const char *ts_free_address(const char *transport, char text[TS_ENDPOINT_MAX])
{
    static atomic_uint number;
    const struct transport *row = find(transport);
    if (row->has_ports)
        snprintf(text, TS_ENDPOINT_MAX, "%s*%s", row->prefix, row->suffix);
    else if (row->makes_connections) /* a file in the test's own directory (see ts_init) */
        snprintf(text, TS_ENDPOINT_MAX, "%s%s/%ld-%u%s", row->prefix, getenv("TMPDIR"),
                 (long)getpid(), atomic_fetch_add(&number, 1), row->suffix);
    else
        snprintf(text, TS_ENDPOINT_MAX, "%stest-%u%s", row->prefix, atomic_fetch_add(&number, 1),
                 row->suffix);
    return text;
}

void ts_port_endpoint(const char *transport, int port, char text[TS_ENDPOINT_MAX])
{
    const struct transport *row = find(transport);
    snprintf(text, TS_ENDPOINT_MAX, "%s%d%s", row->prefix, port, row->suffix);
}

void ts_prepare(void *socket, const char *transport, enum ts_role role)
{
    const struct transport *row = find(transport);
    if (row->prepare)
        row->prepare(socket, role);
}

void ts_bind_over_at(void *socket, const char *transport, char endpoint[TS_ENDPOINT_MAX],
                     const char *file, int line)
{
    ts_prepare(socket, transport, TS_BINDS);
    ts_bind_at(socket, transport, endpoint, file, line);
}

void ts_rebind_over_at(void *socket, const char *transport, const char *endpoint, const char *file,
                       int line)
{
    ts_prepare(socket, transport, TS_BINDS);
    ts_rebind_at(socket, endpoint, file, line);
}

void ts_connect_over_at(void *socket, const char *transport, const char *endpoint, const char *file,
                        int line)
{
    ts_prepare(socket, transport, TS_CONNECTS);
    if (zmq_connect(socket, endpoint) != 0)
        ts_fail_at(file, line, "zmq_connect(%s): %s", endpoint, zmq_strerror(zmq_errno()));
}

void ts_pair_over_at(void *context, void *bound, void *connected, const char *transport,
                     const char *file, int line)
{
    ts_prepare(bound, transport, TS_BINDS);
    ts_prepare(connected, transport, TS_CONNECTS);
    ts_connect_pair_at(context, bound, connected, transport, file, line);
}
