/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests of tls:// share: certificates good and bad, options, and the reason of a failure. */
#ifndef TESTS_SOCKET_TLS_WORLD_H
#define TESTS_SOCKET_TLS_WORLD_H

#include "support/test_support.h"
#include "support/tls_certificates.h"
#include "support/transports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlink.h>

/* Made by make_world, all of `ca` unless they say otherwise. */
static struct {
    struct tc_identity ca, stranger; /* CAs */
    struct tc_identity server;       /* for 127.0.0.1, ::1 and localhost */
    struct tc_identity of_stranger, expired, future, misnamed, self_signed; /* servers' */
    struct tc_identity client, client_of_stranger;
} world;

static inline struct tc_identity server_of(const struct tc_identity *issuer, const char *names,
                                           long starts_before, long ends_after)
{
    return tc_issue(&(struct tc_request){.name = "server",
                                         .alternatives = names,
                                         .issuer = issuer,
                                         .starts_before = starts_before,
                                         .ends_after = ends_after});
}

static inline void make_world(void)
{
    static const char *const here = "IP:127.0.0.1,IP:::1,DNS:localhost";
    world.ca = tc_issue(&(struct tc_request){.name = "our authority", .ca = true});
    world.stranger = tc_issue(&(struct tc_request){.name = "another authority", .ca = true});
    world.server = server_of(&world.ca, here, 0, 0);
    world.of_stranger = server_of(&world.stranger, here, 0, 0);
    world.expired = server_of(&world.ca, here, 7200, -3600);
    world.future = server_of(&world.ca, here, -3600, 7200);
    world.misnamed = server_of(&world.ca, "DNS:elsewhere.example", 0, 0);
    world.self_signed = server_of(NULL, here, 0, 0);
    world.client =
        tc_issue(&(struct tc_request){.name = "client", .issuer = &world.ca, .client = true});
    world.client_of_stranger =
        tc_issue(&(struct tc_request){.name = "client", .issuer = &world.stranger, .client = true});
}

static inline void set_identity(void *socket, const struct tc_identity *identity)
{
    ts_set_text(socket, ZLINK_TLS_CERTIFICATE, identity->certificate);
    ts_set_text(socket, ZLINK_TLS_KEY, identity->key);
}

static inline void *tls_server(void *context, int type)
{
    void *socket = ts_socket(context, type);
    set_identity(socket, &world.server);
    return socket;
}

static inline void *tls_client(void *context, int type)
{
    void *socket = ts_socket(context, type);
    ts_set_text(socket, ZLINK_TLS_CA, world.ca.certificate);
    ts_set_int(socket, ZMQ_RECONNECT_IVL, 10);
    return socket;
}

static inline const char *tls_error(void *socket, char text[256])
{
    size_t size = 256;
    ts_value(zmq_getsockopt(socket, ZLINK_TLS_ERROR, text, &size), 0);
    ts_value((long long)size, (long long)strlen(text) + 1);
    return text;
}

static inline void expect_tls_error_at(void *socket, const char *part, const char *file, int line)
{
    char text[256];
    if (!strstr(tls_error(socket, text), part))
        ts_fail_at(file, line, "ZLINK_TLS_ERROR is \"%s\" instead of \"%s\"", text, part);
}
#define expect_tls_error(socket, part) expect_tls_error_at((socket), (part), __FILE__, __LINE__)

/* The two can talk, in the direction from `out` to `in`. */
static inline void expect_flow(void *out, void *in)
{
    ts_send_parts(out, "over", "tls");
    ts_recv_parts(in, "over", "tls");
}

enum {
    HANDSHAKES = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
};

#endif
