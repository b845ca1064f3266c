/* SPDX-License-Identifier: MPL-2.0 */
/* Raw peers of every protocol version, also slow ones: greeting, handshake, first messages. */
#include "support/raw_peer.h"
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <unistd.h>

#define SIGNATURE "\xff\0\0\0\0\0\0\0\1\x7f"
#define PUT(fd, literal) ts_raw_send((fd), (literal), sizeof(literal) - 1)
#define EXPECT(fd, literal) ts_raw_expect((fd), (literal), sizeof(literal) - 1)

/* ---- ZMTP 3 ----------------------------------------------------------------------------- */

/* Everything a peer says, one byte in a segment. */
static void one_byte_at_a_time(void **state)
{
    unsigned char stream[TS_DEALER_OPENING];
    struct ts_server server = ts_open_server(ZMQ_ROUTER, *state);
    int fd = ts_raw_connect(server.endpoint);
    ts_raw_dealer_opening(stream);
    for (size_t i = 0; i < TS_DEALER_OPENING; ++i)
        ts_raw_send(fd, stream + i, 1);
    /* Traffic must wait for the library's READY. */
    ts_raw_recv(fd, stream, 64);
    ts_check(ts_raw_recv_frame(fd, &(int){0}, stream, sizeof stream) > 6);
    static const char message[] = "\1\1a\2\0\0\0\0\0\0\0\1b";
    for (size_t i = 0; i < sizeof message - 1; ++i)
        ts_raw_send(fd, message + i, 1);
    ts_recv_parts(server.socket, "X", "a", "b");
    ts_send_parts(server.socket, "X", "", "answer");
    EXPECT(fd, "\1\0\0\6answer");
    close(fd);
    ts_close_server(&server);
}

/* The library speaks first and goes on step by step, so that a peer may wait for each step. */
static void greeting_goes_step_by_step(void **state)
{
    unsigned char greeting[64], got[64];
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    int fd = ts_raw_connect(server.endpoint);
    ts_raw_greeting(greeting, 1, "NULL");
    ts_raw_recv(fd, got, 10);
    ts_check(got[0] == 0xff && got[9] == 0x7f);
    ts_raw_send(fd, greeting, 10);
    ts_raw_recv(fd, got + 10, 1);
    ts_value(got[10], 3);
    ts_raw_send(fd, greeting + 10, 1);
    ts_raw_recv(fd, got + 11, 53);
    ts_value(got[11], 1);
    assert_memory_equal(got + 12, greeting + 12, 20);
    ts_raw_send(fd, greeting + 11, 53);
    ts_raw_send_ready(fd, "PUSH", NULL, 0);
    EXPECT(fd, "\4\x1a\5READY\13Socket-Type\0\0\0\4PULL");
    PUT(fd, "\0\1x");
    ts_recv(server.socket, "x");
    close(fd);
    ts_close_server(&server);
}

/* Filler, padding and the as-server octet mean nothing; later versions are spoken to as 3.1. */
static void tolerated_greetings(void **state)
{
    static const struct {
        int at, value;
    } rows[] = {{1, 0xaa}, {8, 0}, {9, 0x01}, {10, 4}, {11, 200}, {32, 1}, {33, 0xff}, {63, 1}};
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        unsigned char greeting[64], body[64];
        int flags, fd = ts_raw_connect(server.endpoint);
        ts_raw_greeting(greeting, 1, "NULL");
        greeting[rows[i].at] = (unsigned char)rows[i].value;
        ts_raw_send(fd, greeting, 64);
        ts_raw_recv(fd, greeting, 64);
        ts_raw_send_ready(fd, "PUSH", NULL, 0);
        ts_check(ts_raw_recv_frame(fd, &flags, body, sizeof body) > 6);
        ts_raw_send_frame(fd, 0, "x", 1);
        ts_recv(server.socket, "x");
        close(fd);
    }
    ts_close_server(&server);
}

/* The peer's first frames may come in the same segment as its READY. */
static void traffic_glued_to_ready(void **state)
{
    unsigned char body[64];
    int flags;
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    int fd = ts_raw_connect(server.endpoint);
    ts_raw_greet(fd);
    ts_check(ts_raw_recv_frame(fd, &flags, body, sizeof body) > 6);
    PUT(fd, "\4\x1a\5READY\13Socket-Type\0\0\0\4PUSH\0\1a\1\1b\0\1c");
    ts_recv(server.socket, "a");
    ts_recv_parts(server.socket, "b", "c");
    close(fd);
    ts_close_server(&server);
}

/* Subscriptions go out as commands to 3.1 peers and as messages to 3.0 peers. */
static void subscriptions_fit_the_version(void **state)
{
    (void)state;
    for (int minor = 0; minor < 2; ++minor) {
        unsigned char greeting[64];
        char endpoint[TS_ENDPOINT_MAX];
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context();
        void *sub = ts_socket(context, ZMQ_SUB);
        ts_set_text(sub, ZMQ_SUBSCRIBE, "A");
        ts_ok(zmq_connect(sub, endpoint));
        int fd = ts_raw_accept(listener);
        ts_raw_greeting(greeting, minor, "NULL");
        ts_raw_send(fd, greeting, 64);
        ts_raw_recv(fd, greeting, 64);
        EXPECT(fd, "\4\x19\5READY\13Socket-Type\0\0\0\3SUB");
        ts_raw_send_ready(fd, "PUB", NULL, 0);
        if (minor == 0)
            EXPECT(fd, "\0\2\1A");
        else
            EXPECT(fd, "\4\13\11SUBSCRIBEA");
        ts_set_text(sub, ZMQ_UNSUBSCRIBE, "A");
        if (minor == 0)
            EXPECT(fd, "\0\2\0A");
        else
            EXPECT(fd, "\4\10\6CANCELA");
        close(fd);
        close(listener);
        ts_close(sub);
        ts_terminate(context);
    }
}

/* ---- older versions --------------------------------------------------------------------- */

static void zmtp_2_peer(void **state)
{
    struct ts_server server = ts_open_server(ZMQ_ROUTER, *state);
    int fd = ts_raw_connect(server.endpoint);
    EXPECT(fd, SIGNATURE);
    PUT(fd, SIGNATURE "\1\5");
    EXPECT(fd, "\3\6\0\0"); /* revision, ROUTER, empty identity */
    PUT(fd, "\0\3abc\1\0\0\2hi");
    ts_recv_parts(server.socket, "abc", "", "hi");
    ts_send_parts(server.socket, "abc", "x");
    EXPECT(fd, "\0\1x");
    close(fd);
    ts_close_server(&server);
}

static void zmtp_1_peer(void **state)
{
    static const struct {
        const char *hello; /* the identity frame, short or long form */
        size_t size;
        const char *id;
    } rows[] = {{"\4\0bob", 5, "bob"}, {"\xff\0\0\0\0\0\0\0\4\0eve", 13, "eve"}};
    struct ts_server server = {.context = ts_context()};
    server.socket = ts_socket(server.context, ZMQ_ROUTER);
    ts_set_text(server.socket, ZMQ_ROUTING_ID, "ID1");
    ts_bind(server.socket, *state, server.endpoint);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        int fd = ts_raw_connect(server.endpoint);
        EXPECT(fd, "\xff\0\0\0\0\0\0\0\4\x7f"); /* this is an identity frame's header, too */
        ts_raw_send(fd, rows[i].hello, rows[i].size);
        EXPECT(fd, "ID1");
        PUT(fd, "\1\1\3\0hi");
        ts_recv_parts(server.socket, rows[i].id, "", "hi");
        ts_send_parts(server.socket, rows[i].id, "", "yo");
        EXPECT(fd, "\1\1\3\0yo");
        close(fd);
    }
    ts_close_server(&server);
}

/* A signature followed by revision 0: twelve octets of greeting, then ZMTP 1.0 frames. */
static void zmtp_1_peer_with_signature(void **state)
{
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    int fd = ts_raw_connect(server.endpoint);
    PUT(fd, SIGNATURE "\0\10\1\0"); /* PUSH, empty identity */
    PUT(fd, "\2\1a\2\0b");
    ts_recv_parts(server.socket, "a", "b");
    close(fd);
    ts_close_server(&server);
}

/* The library connects, the old peer listens; what was queued before goes out in its framing. */
static void connecting_to_old_peers(void **state)
{
    (void)state;
    static const struct {
        const char *hello, *answer, *first;
        size_t hello_size, answer_size, first_size;
        const char *second;
    } rows[] = {
        {SIGNATURE "\1\6\0\0", SIGNATURE "\3\5\0\0", "\1\1x\0\1y", 14, 14, 6, "\1\1a\0\1b"},
        {"\1\0", SIGNATURE, "\2\1x\2\0y", 2, 10, 6, "\2\1a\2\0b"},
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context();
        void *dealer = ts_socket(context, ZMQ_DEALER);
        ts_ok(zmq_connect(dealer, endpoint));
        ts_send_parts(dealer, "x", "y");
        int fd = ts_raw_accept(listener);
        ts_raw_send(fd, rows[i].hello, rows[i].hello_size);
        ts_raw_expect(fd, rows[i].answer, rows[i].answer_size);
        ts_raw_expect(fd, rows[i].first, rows[i].first_size);
        ts_raw_send(fd, rows[i].second, 6);
        ts_recv_parts(dealer, "a", "b");
        close(fd);
        close(listener);
        ts_close(dealer);
        ts_terminate(context);
    }
}

/* A subscriber too old to say what it wants gets everything. */
static void zmtp_1_subscriber(void **state)
{
    struct ts_server server = ts_open_server(ZMQ_XPUB, *state);
    int fd = ts_raw_connect(server.endpoint);
    EXPECT(fd, SIGNATURE);
    PUT(fd, "\1\0");
    ts_recv_bytes(server.socket, "\1", 1, false);
    ts_send_parts(server.socket, "any", "thing");
    EXPECT(fd, "\4\1any\6\0thing");
    close(fd);
    ts_close_server(&server);
}

/* Old versions know no security, so a socket that demands it hangs up. */
static void old_peers_are_refused_where_security_is_on(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {{"\4\0bob", 5}, {SIGNATURE "\1\5\0\0", 14}, {SIGNATURE "\0\5\1\0", 14}};
    struct ts_server server = {.context = ts_context()};
    server.socket = ts_socket(server.context, ZMQ_ROUTER);
    ts_set_text(server.socket, ZMQ_ZAP_DOMAIN, "secure");
    ts_bind(server.socket, *state, server.endpoint);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_send_if_open(fd, rows[i].bytes, rows[i].size);
        ts_raw_expect_closed(fd);
        close(fd);
    }
    ts_close_server(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(one_byte_at_a_time),
        TS_ON_NETWORK(greeting_goes_step_by_step),
        TS_ON_NETWORK(tolerated_greetings),
        TS_ON_NETWORK(traffic_glued_to_ready),
        cmocka_unit_test(subscriptions_fit_the_version),
        TS_ON_NETWORK(zmtp_2_peer),
        TS_ON_NETWORK(zmtp_1_peer),
        TS_ON_NETWORK(zmtp_1_peer_with_signature),
        cmocka_unit_test(connecting_to_old_peers),
        TS_ON_NETWORK(zmtp_1_subscriber),
        TS_ON_NETWORK(old_peers_are_refused_where_security_is_on),
    };
    return TS_RUN(tests);
}
