/* SPDX-License-Identifier: MPL-2.0 */
/* The table of transports. */
#include "support/transports.h"

#include "support/tls_certificates.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlink.h>

/* ---- certificates, made when first needed --------------------------------------------------- */

static struct tc_identity authority, server;

static void make_certificates(void)
{
    authority = tc_issue(&(struct tc_request){.name = "test authority", .ca = true});
    server = tc_issue(&(struct tc_request){.name = "test server",
                                           .alternatives = "IP:127.0.0.1,IP:::1,DNS:localhost",
                                           .issuer = &authority});
}

static void set_text(void *socket, int option, const char *text)
{
    /* A context may be terminated meanwhile; what comes next says so too. */
    if (zmq_setsockopt(socket, option, text, strlen(text)) != 0 && zmq_errno() != ETERM)
        ts_fail("zmq_setsockopt(%d, a certificate): %s", option, zmq_strerror(zmq_errno()));
}

static void need_certificates(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_certificates);
}

static void set_certificates(void *socket, enum ts_role role)
{
    need_certificates();
    if (role == TS_CONNECTS) {
        set_text(socket, ZLINK_TLS_CA, authority.certificate);
    } else {
        set_text(socket, ZLINK_TLS_CERTIFICATE, server.certificate);
        set_text(socket, ZLINK_TLS_KEY, server.key);
    }
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct transport {
    const char *name;
    const char *prefix; /* with ports: what stands before one; else before a name */
    const char *suffix;
    bool has_ports;
    bool makes_connections;
    int cost; /* of a message or a connection, compared with tcp */
    void (*prepare)(void *socket, enum ts_role role); /* may be NULL */
} transports[] = {
    {.name = "inproc", .prefix = "inproc://", .suffix = "", .cost = 1},
    {.name = "ipc", .prefix = "ipc://", .suffix = "", .makes_connections = true, .cost = 1},
    {.name = "tcp",
     .prefix = "tcp://127.0.0.1:",
     .suffix = "",
     .has_ports = true,
     .makes_connections = true,
     .cost = 1},
    {.name = "tls",
     .prefix = "tls://127.0.0.1:",
     .suffix = "",
     .has_ports = true,
     .makes_connections = true,
     .cost = 4,
     .prepare = set_certificates},
    {.name = "ws",
     .prefix = "ws://127.0.0.1:",
     .suffix = "",
     .has_ports = true,
     .makes_connections = true,
     .cost = 4},
    {.name = "wss",
     .prefix = "wss://127.0.0.1:",
     .suffix = "/a/path",
     .has_ports = true,
     .makes_connections = true,
     .cost = 8,
     .prepare = set_certificates},
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

int ts_scaled(const char *transport, int count)
{
    int scaled = count / find(transport)->cost;
    return scaled > 0 ? scaled : 1;
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

static _Atomic(const char *) current; /* of the test that runs; NULL: nothing to set */

int ts_enter_transport(void **state)
{
    atomic_store(&current, (const char *)*state);
    need_certificates(); /* now, so that children trust those of their parent */
    return 0;
}

int ts_leave_transport(void **state)
{
    (void)state;
    atomic_store(&current, NULL);
    return 0;
}

void ts_prepare_for_test(void *socket)
{
    const char *transport = atomic_load(&current);
    if (!transport)
        return;
    ts_prepare(socket, transport, TS_BINDS);
    ts_prepare(socket, transport, TS_CONNECTS);
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
