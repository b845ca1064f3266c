/* SPDX-License-Identifier: MPL-2.0 */
/* Two TLS streams that talk over a socket pair, in one thread: each side is driven until neither can
   go on, so nothing waits and nothing hangs. */
#ifndef ZL_TEST_UNIT_TRANSPORT_TLS_PEERS_H
#define ZL_TEST_UNIT_TRANSPORT_TLS_PEERS_H

#include "unit/wire/octets.h"

#include "support/tls_certificates.h"
#include "transport/tls_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the tests of a file share. */
struct world {
    struct tc_identity ca;
    struct tc_identity server;   /* of ca: server.example, *.wild.example, 127.0.0.1, ::1 */
    struct tc_identity client;   /* of ca */
    struct tc_identity stranger; /* a CA nobody trusts */
};

static struct world world;

static inline int make_world(void **state)
{
    (void)state;
    world.ca = tc_issue(&(struct tc_request){.name = "Test CA", .ca = true});
    world.stranger = tc_issue(&(struct tc_request){.name = "Stranger CA", .ca = true});
    world.server = tc_issue(&(struct tc_request){
        .name = "server.example",
        .alternatives = "DNS:server.example,DNS:*.wild.example,IP:127.0.0.1,IP:::1",
        .issuer = &world.ca});
    world.client =
        tc_issue(&(struct tc_request){.name = "client", .issuer = &world.ca, .client = true});
    return 0;
}

static inline int free_world(void **state)
{
    (void)state;
    tc_free(&world.ca);
    tc_free(&world.stranger);
    tc_free(&world.server);
    tc_free(&world.client);
    return 0;
}

/* Settings that work together; tests change what they are about. */
static inline struct zl_tls_settings server_settings(void)
{
    return (struct zl_tls_settings){
        .server = true, .certificate = world.server.certificate, .key = world.server.key};
}

static inline struct zl_tls_settings client_settings(void)
{
    return (struct zl_tls_settings){.ca = world.ca.certificate, .host = "server.example"};
}

static inline struct zl_tls_context *new_context(struct zl_tls_settings settings)
{
    struct zl_tls_context *context = NULL;
    struct zl_tls_error error = {0};
    int rc = zl_tls_context_new(&settings, &context, &error);
    if (rc < 0)
        fail_msg("context: %s", error.text);
    assert_int_equal(ERR_peek_error(), 0);
    return context;
}

enum { CLIENT, SERVER };

struct pair {
    struct zl_stream side[2]; /* CLIENT, SERVER */
    int result[2];            /* of the handshake: 0, or what it failed with */
};

static inline void open_side(struct zl_stream *stream, int fd, struct zl_tls_context *context)
{
    struct zl_tls_error error = {0};
    stream->fd = fd;
    if (zl_tls_stream_open(stream, context, &error) < 0)
        fail_msg("stream: %s", error.text);
}

static inline void begin_pair(struct pair *pair, struct zl_tls_context *client,
                              struct zl_tls_context *server)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    open_side(&pair->side[CLIENT], fds[0], client);
    open_side(&pair->side[SERVER], fds[1], server);
    pair->result[CLIENT] = pair->result[SERVER] = -EAGAIN;
}

/* One step of a handshake; a side that has failed is closed towards the other. */
static inline void step_handshake(struct pair *pair, int i)
{
    if (pair->result[i] != -EAGAIN)
        return;
    pair->result[i] = zl_tls_handshake(&pair->side[i]);
    assert_int_equal(ERR_peek_error(), 0);
    if (pair->result[i] != 0 && pair->result[i] != -EAGAIN)
        shutdown(pair->side[i].fd, SHUT_WR);
}

/* Until both have a result. They always have: each step moves bytes, or the world is broken. */
static inline void shake_hands(struct pair *pair)
{
    for (int rounds = 0; pair->result[0] == -EAGAIN || pair->result[1] == -EAGAIN; rounds++) {
        assert_true(rounds < 1000);
        step_handshake(pair, CLIENT);
        step_handshake(pair, SERVER);
    }
}

static inline void connect_pair(struct pair *pair, struct zl_tls_context *client,
                                struct zl_tls_context *server)
{
    begin_pair(pair, client, server);
    shake_hands(pair);
    for (int i = 0; i < 2; i++)
        if (pair->result[i] != 0)
            fail_msg("side %d: %s", i, zl_tls_reason(&pair->side[i]));
}

static inline void close_pair(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        pair->side[i].ops->close(&pair->side[i]);
        pair->side[i].ops->close(&pair->side[i]);
        assert_int_equal(ERR_peek_error(), 0);
        if (pair->side[i].fd >= 0)
            assert_int_equal(close(pair->side[i].fd), 0);
    }
}

static inline ssize_t read_some(struct zl_stream *stream, void *place, size_t size)
{
    struct iovec vector = {place, size};
    ssize_t rc = stream->ops->read(stream, &vector, 1);
    assert_int_equal(ERR_peek_error(), 0);
    return rc;
}

static inline ssize_t write_some(struct zl_stream *stream, const void *data, size_t size)
{
    struct iovec vector = {(void *)data, size};
    ssize_t rc = stream->ops->write(stream, &vector, 1);
    assert_int_equal(ERR_peek_error(), 0);
    return rc;
}

static inline void assert_passes(struct zl_stream *from, struct zl_stream *to, const char *text)
{
    char place[256];
    size_t size = strlen(text);
    assert_int_equal(write_some(from, text, size), size);
    assert_int_equal(read_some(to, place, sizeof place), size);
    assert_memory_equal(place, text, size);
}

static inline void assert_works(struct pair *pair)
{
    assert_passes(&pair->side[CLIENT], &pair->side[SERVER], "question");
    assert_passes(&pair->side[SERVER], &pair->side[CLIENT], "answer");
}

/* A client's view of a refusal in TLS 1.3 comes after its handshake, with the first read. */
static inline int client_result(struct pair *pair)
{
    char octet;
    return pair->result[CLIENT] ? pair->result[CLIENT]
                                : (int)read_some(&pair->side[CLIENT], &octet, 1);
}

static inline void assert_reason(const struct zl_stream *stream, const char *part)
{
    if (!strstr(zl_tls_reason(stream), part))
        fail_msg("'%s' does not say '%s'", zl_tls_reason(stream), part);
}

#endif
