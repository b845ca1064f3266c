/* SPDX-License-Identifier: MPL-2.0 */
/* Heartbeats as a raw peer sees them: PING, PONG, time-outs, TTL. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <unistd.h>

static void *beating_socket(void *context, int type, int interval, int timeout, int ttl)
{
    void *socket = ts_socket(context, type);
    ts_set_int(socket, ZMQ_HEARTBEAT_IVL, interval);
    if (timeout >= 0)
        ts_set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, timeout);
    ts_set_int(socket, ZMQ_HEARTBEAT_TTL, ttl);
    return socket;
}

/* A PING body: its name and the TTL in tenths of a second. */
static void expect_ping(int fd, int ttl)
{
    char ping[] = "\4PING\0\0";
    ping[5] = (char)(ttl >> 8);
    ping[6] = (char)ttl;
    ts_raw_expect_frame(fd, TS_FRAME_COMMAND, ping, 7);
}

/* PINGs come at intervals and carry the TTL; a peer that answers is kept. */
static void answered_pings_keep_the_connection(void **state)
{
    static const struct {
        int ttl, tenths;
    } rows[] = {{0, 0}, {3000, 30}, {65500, 655}, {150, 1}};
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = beating_socket(context, ZMQ_PULL, 10, TS_TIMEOUT_MS, rows[i].ttl);
        ts_bind(pull, *state, endpoint);
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        for (int n = 0; n < 20; ++n) {
            expect_ping(fd, rows[i].tenths);
            ts_raw_send_frame(fd, TS_FRAME_COMMAND, "\4PONG", 5);
        }
        ts_raw_send_frame(fd, 0, "x", 1);
        ts_recv(pull, "x");
        close(fd);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* Any traffic proves life, not only PONG. */
static void traffic_keeps_the_connection(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = beating_socket(context, ZMQ_PULL, 100, 10000, 0);
    ts_bind(pull, *state, endpoint);
    int fd = ts_raw_connect(endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    for (int n = 0; n < 5; ++n) {
        expect_ping(fd, 0);
        ts_raw_send_frame(fd, 0, &n, sizeof n);
        ts_recv_bytes(pull, &n, sizeof n, false);
    }
    close(fd);
    ts_close(pull);
    ts_terminate(context);
}

/* A peer that does not answer is dropped; the time limit is the interval unless it is set. */
static void silent_peer_is_dropped(void **state)
{
    static const int timeouts[] = {-1, 1, 60};
    for (size_t i = 0; i < TS_COUNT(timeouts); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = beating_socket(context, ZMQ_PULL, 30, timeouts[i], 0);
        void *monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
        ts_bind(pull, *state, endpoint);
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        expect_ping(fd, 0);
        ts_raw_expect_closed(fd);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
        close(fd);
        ts_unmonitor(pull, monitor);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* The connecting side drops the silent peer and comes back. */
static void connecting_side_reconnects(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *push = beating_socket(context, ZMQ_PUSH, 20, -1, 0);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(push, endpoint));
    for (int round = 0; round < 3; ++round) {
        int fd = ts_raw_accept(listener);
        ts_raw_handshake(fd, "PULL", NULL, 0);
        expect_ping(fd, 0);
        ts_raw_expect_closed(fd);
        close(fd);
    }
    close(listener);
    ts_close(push);
    ts_terminate(context);
}

/* The peer's TTL: silence for that long ends the connection, whatever our own settings. */
static void ttl_of_the_peer_is_obeyed(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
    ts_bind(pull, *state, endpoint);
    int fd = ts_raw_connect(endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    ts_raw_send_frame(fd, TS_FRAME_COMMAND, "\4PING\0\1ctx", 10);
    ts_raw_expect_frame(fd, TS_FRAME_COMMAND, "\4PONGctx", 8);
    ts_raw_expect_closed(fd);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    close(fd);
    ts_unmonitor(pull, monitor);
    ts_close(pull);
    ts_terminate(context);
}

/* The library's own PINGs serve as a clock: after `pings` of them the connection still stands. */
static void survives(const char *transport, const void *frames, size_t size, int pings)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = beating_socket(context, ZMQ_PULL, 50, TS_TIMEOUT_MS, 0);
    ts_bind(pull, transport, endpoint);
    int fd = ts_raw_connect(endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    ts_raw_send(fd, frames, size);
    for (int seen = 0; seen < pings;) {
        unsigned char body[32];
        int flags;
        ts_value((long long)ts_raw_recv_frame(fd, &flags, body, sizeof body) >= 5, 1);
        ts_value(flags, TS_FRAME_COMMAND);
        seen += memcmp(body, "\4PING", 5) == 0;
    }
    ts_raw_send_frame(fd, 0, "still there", 11);
    char text[32];
    do
        ts_recv_any(pull, text, sizeof text);
    while (strcmp(text, "still there") != 0);
    close(fd);
    ts_close(pull);
    ts_terminate(context);
}

static void ttl_is_cancelled_by_traffic(void **state)
{
    survives(*state, "\4\7\4PING\0\1\0\1x", 12, 6);
}

static void ttl_zero_is_none(void **state)
{
    survives(*state, "\4\7\4PING\0\0", 9, 6);
}

/* 65.6 s. (libzmq computes it in 16 bits: 64 ms.) */
static void long_ttl_does_not_wrap_beyond_stock(void **state)
{
    survives(*state, "\4\7\4PING\x02\x90", 9, 6);
}

/* ZMTP 2.0 knows no commands: such a peer gets messages only. */
static void old_peers_get_no_pings(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *dealer = beating_socket(context, ZMQ_DEALER, 1, 50, 100);
    ts_bind(dealer, *state, endpoint);
    int fd = ts_raw_connect(endpoint);
    ts_raw_send(fd, "\xff\0\0\0\0\0\0\0\1\x7f\1\5\0\0", 14);
    ts_raw_expect(fd, "\xff\0\0\0\0\0\0\0\1\x7f\3\5\0\0", 14);
    for (int n = 0; n < 200; ++n) {
        ts_raw_send_frame(fd, 0, &n, sizeof n);
        ts_recv_bytes(dealer, &n, sizeof n, false);
        ts_send_bytes(dealer, &n, sizeof n, 0);
        ts_raw_expect_frame(fd, 0, &n, sizeof n);
    }
    close(fd);
    ts_close(dealer);
    ts_terminate(context);
}

/* Two idle sockets of ours keep each other alive: no event within many intervals. */
static void idle_sockets_stay_connected(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *push = beating_socket(context, ZMQ_PUSH, 20, 5000, 5000);
    void *pull = beating_socket(context, ZMQ_PULL, 20, 5000, 5000);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_DISCONNECTED);
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    ts_bind(pull, *state, endpoint);
    ts_ok(zmq_connect(push, endpoint));
    for (int round = 0; round < 3; ++round) {
        ts_send(push, "x", 0);
        ts_recv(pull, "x");
        ts_value(zmq_poll(&item, 1, 200), 0);
    }
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(answered_pings_keep_the_connection),
        TS_ON_NETWORK(traffic_keeps_the_connection),
        TS_ON_NETWORK(silent_peer_is_dropped),
        cmocka_unit_test(connecting_side_reconnects),
        TS_ON_NETWORK(ttl_of_the_peer_is_obeyed),
        TS_ON_NETWORK(ttl_is_cancelled_by_traffic),
        TS_ON_NETWORK(ttl_zero_is_none),
        TS_ON_NETWORK(long_ttl_does_not_wrap_beyond_stock),
        TS_ON_NETWORK(old_peers_get_no_pings),
        TS_ON_CONNECTIONS(idle_sockets_stay_connected),
    };
    return TS_RUN(tests);
}
