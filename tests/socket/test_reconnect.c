/* SPDX-License-Identifier: MPL-2.0 */
/* Lost connections come back: either side restarts, intervals, IMMEDIATE, queued messages. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The listening side is replaced again and again; what the other side sends arrives. */
static void listener_restarts(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_DISCONNECTED);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 10);
    ts_ok(zmq_connect(push, address.endpoint));
    for (int round = 0; round < 5; ++round) {
        void *pull = ts_socket(context, ZMQ_PULL);
        ts_rebind(pull, address.endpoint);
        ts_send_parts(push, "one", "two");
        ts_recv_parts(pull, "one", "two");
        ts_close(pull);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    }
    ts_address_release(&address);
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_terminate(context);
}

static void connecter_restarts(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP);
    ts_bind(rep, *state, endpoint);
    for (int round = 0; round < 20; ++round) {
        void *req = ts_socket(context, ZMQ_REQ);
        ts_ok(zmq_connect(req, endpoint));
        ts_send(req, "q", 0);
        ts_recv(rep, "q");
        ts_send(rep, "a", 0);
        ts_recv(req, "a");
        ts_close(req);
    }
    ts_close(rep);
    ts_terminate(context);
}

/* Messages queued while there is no connection go out on the next one, whole and in order. */
static void queued_messages_survive(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *dealer = ts_socket(context, ZMQ_DEALER), *peer = ts_socket(context, ZMQ_DEALER);
    void *monitor = ts_monitor(context, dealer, ZMQ_EVENT_DISCONNECTED);
    ts_address_reserve(&address, *state);
    ts_set_int(dealer, ZMQ_RECONNECT_IVL, 10);
    ts_ok(zmq_bind(peer, address.endpoint));
    ts_ok(zmq_connect(dealer, address.endpoint));
    ts_send(dealer, "first", 0);
    ts_recv(peer, "first");
    ts_close(peer);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    for (int n = 0; n < 500; ++n) {
        ts_send_bytes(dealer, &n, sizeof n, ZMQ_SNDMORE);
        ts_send(dealer, "tail", 0);
    }
    peer = ts_socket(context, ZMQ_DEALER);
    ts_rebind(peer, address.endpoint);
    for (int n = 0; n < 500; ++n) {
        ts_recv_bytes(peer, &n, sizeof n, true);
        ts_recv(peer, "tail");
    }
    ts_recv_nothing(peer);
    ts_address_release(&address);
    ts_unmonitor(dealer, monitor);
    ts_close(dealer);
    ts_close(peer);
    ts_terminate(context);
}

/* IMMEDIATE: no queue without a completed connection. */
static void immediate_queues_only_when_connected(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_IMMEDIATE, 1);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 10);
    ts_ok(zmq_connect(push, address.endpoint));
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_value(ts_get_int(push, ZMQ_EVENTS), 0);
    for (int round = 0; round < 3; ++round) {
        ts_rebind(pull, address.endpoint);
        ts_send(push, "connected", 0);
        ts_recv(pull, "connected");
        ts_close(pull);
        zmq_pollitem_t item = {.socket = push, .events = ZMQ_POLLOUT};
        int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
        while (zmq_poll(&item, 1, 0) != 0)
            ts_check(ts_now_ms() < deadline);
        ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        pull = ts_socket(context, ZMQ_PULL);
    }
    ts_address_release(&address);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Of several peers only the connected ones get messages. */
static void immediate_skips_the_absent(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct ts_address absent;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&absent, *state);
    ts_set_int(push, ZMQ_IMMEDIATE, 1);
    ts_bind(pull, *state, endpoint);
    ts_ok(zmq_connect(push, absent.endpoint));
    ts_ok(zmq_connect(push, endpoint));
    for (int n = 0; n < 100; ++n)
        ts_send_bytes(push, &n, sizeof n, 0);
    for (int n = 0; n < 100; ++n)
        ts_recv_bytes(pull, &n, sizeof n, false);
    ts_address_release(&absent);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

struct intervals {
    int interval, maximum;
    uint32_t least[5], most[5]; /* what CONNECT_RETRIED announces */
};

static void check_intervals(const struct intervals *row, const char *transport)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_CONNECT_RETRIED);
    ts_address_reserve(&address, transport);
    ts_set_int(push, ZMQ_RECONNECT_IVL, row->interval);
    ts_set_int(push, ZMQ_RECONNECT_IVL_MAX, row->maximum);
    ts_ok(zmq_connect(push, address.endpoint));
    for (int n = 0; n < 5; ++n) {
        uint32_t delay = ts_expect_event(monitor, ZMQ_EVENT_CONNECT_RETRIED);
        if (delay < row->least[n] || delay > row->most[n])
            ts_fail("interval %d, maximum %d, retry %d: %u ms, wanted %u to %u", row->interval,
                    row->maximum, n, delay, row->least[n], row->most[n]);
    }
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_address_release(&address);
    ts_terminate(context);
}

/* Without a maximum every delay is the interval and a random part less than that. */
static void intervals_vary(void **state)
{
    check_intervals(&(struct intervals){3, 0, {3, 3, 3, 3, 3}, {5, 5, 5, 5, 5}}, *state);
    check_intervals(&(struct intervals){1, 0, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}, *state);
}

/* With a maximum they double up to it. (4.3.4 still adds a random part; later versions do not.) */
static void intervals_grow_and_are_capped_beyond_stock(void **state)
{
    static const struct intervals rows[] = {
        {2, 12, {2, 4, 8, 12, 12}, {2, 4, 8, 12, 12}},
        {1, 4, {1, 2, 4, 4, 4}, {1, 2, 4, 4, 4}},
        {8, 3, {3, 3, 3, 3, 3}, {3, 3, 3, 3, 3}},
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i)
        check_intervals(&rows[i], *state);
}

/* RECONNECT_IVL -1: a lost connection stays lost and its endpoint is forgotten. */
static void no_reconnection_on_request(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push,
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                                   ZMQ_EVENT_CONNECT_RETRIED);
    ts_set_int(push, ZMQ_RECONNECT_IVL, -1);
    ts_ok(zmq_connect(push, endpoint));
    int fd = ts_raw_accept(listener);
    ts_raw_handshake(fd, "PULL", NULL, 0);
    ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close(fd);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    /* The socket learns of it and has nobody to send to. */
    zmq_pollitem_t item = {.socket = push, .events = ZMQ_POLLOUT};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (zmq_poll(&item, 1, 0) != 0)
        ts_check(ts_now_ms() < deadline);
    ts_error(zmq_disconnect(push, endpoint), ENOENT);
    /* Connecting anew is a new beginning. */
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "x", 0);
    fd = ts_raw_accept(listener);
    ts_raw_handshake(fd, "PULL", NULL, 0);
    ts_raw_expect_frame(fd, 0, "x", 1);
    close(fd);
    close(listener);
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_terminate(context);
}

/* RECONNECT_STOP 1: a refused connection is not tried again. */
static void refused_connection_can_be_final(void **state)
{
    (void)state;
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED);
    ts_address_reserve(&address, "tcp");
    ts_set_int(push, ZMQ_RECONNECT_STOP, ZMQ_RECONNECT_STOP_CONN_REFUSED);
    ts_ok(zmq_connect(push, address.endpoint));
    ts_expect_event(monitor, ZMQ_EVENT_CLOSED);
    zmq_pollitem_t item = {.socket = push, .events = ZMQ_POLLOUT};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (zmq_poll(&item, 1, 0) != 0)
        ts_check(ts_now_ms() < deadline);
    ts_error(zmq_disconnect(push, address.endpoint), ENOENT);
    ts_recv_nothing(monitor);
    ts_address_release(&address);
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_terminate(context);
}

/* A connection that is reset rather than closed is made again as well. */
static void reset_connection_is_made_again(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(push, endpoint));
    for (int round = 0; round < 5; ++round) {
        int fd = ts_raw_accept(listener);
        ts_raw_handshake(fd, "PULL", NULL, 0);
        if (round % 2 == 0) {
            ts_send(push, "x", 0);
            ts_raw_expect_frame(fd, 0, "x", 1);
        }
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        ts_ok(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
        close(fd);
    }
    close(listener);
    ts_close(push);
    ts_terminate(context);
}

/* Disconnecting while nobody answers ends the attempts. */
static void disconnect_ends_the_attempts(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    void *other = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_CONNECT_RETRIED);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(push, address.endpoint));
    ts_send(push, "lost", 0);
    for (int n = 0; n < 3; ++n)
        ts_expect_event(monitor, ZMQ_EVENT_CONNECT_RETRIED);
    ts_ok(zmq_disconnect(push, address.endpoint));
    ts_close(push);
    ts_ok(zmq_bind(pull, address.endpoint));
    ts_ok(zmq_connect(other, address.endpoint));
    ts_send(other, "x", 0);
    do
        ts_check(zmq_recv(pull, NULL, 0, 0) >= 0); /* "lost" may have been on its way */
    while (zmq_recv(pull, NULL, 0, ZMQ_DONTWAIT) >= 0);
    ts_address_release(&address);
    ts_close(monitor);
    ts_close(other);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(listener_restarts),
        TS_ON_CONNECTIONS(connecter_restarts),
        TS_ON_CONNECTIONS(queued_messages_survive),
        TS_ON_CONNECTIONS(immediate_queues_only_when_connected),
        TS_ON_CONNECTIONS(immediate_skips_the_absent),
        TS_ON_CONNECTIONS(intervals_vary),
        TS_ON_CONNECTIONS(intervals_grow_and_are_capped_beyond_stock),
        cmocka_unit_test(no_reconnection_on_request),
        cmocka_unit_test(refused_connection_can_be_final),
        cmocka_unit_test(reset_connection_is_made_again),
        TS_ON_CONNECTIONS(disconnect_ends_the_attempts),
    };
    return TS_RUN(tests);
}
