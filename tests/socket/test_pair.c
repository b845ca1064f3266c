/* SPDX-License-Identifier: MPL-2.0 */
/* PAIR: one peer, both directions, exclusion of further peers, high-water mark, peer loss. */
#include "support/test_support.h"

#include <errno.h>

struct pair {
    void *context, *bound, *connected;
};

static struct pair open_pair(const char *transport)
{
    struct pair pair = {.context = ts_context()};
    pair.bound = ts_socket(pair.context, ZMQ_PAIR);
    pair.connected = ts_socket(pair.context, ZMQ_PAIR);
    ts_connect_pair(pair.context, pair.bound, pair.connected, transport);
    return pair;
}

static void close_pair(struct pair *pair)
{
    ts_close(pair->bound);
    ts_close(pair->connected);
    ts_terminate(pair->context);
}

static void messages_pass_both_ways(void **state)
{
    struct pair pair = open_pair(*state);
    for (int round = 0; round < 3; ++round) {
        ts_send(pair.bound, "down", 0);
        ts_recv(pair.connected, "down");
        ts_send(pair.connected, "up", 0);
        ts_recv(pair.bound, "up");
    }
    ts_send_parts(pair.bound, "a", "", "c");
    ts_recv_parts(pair.connected, "a", "", "c");
    close_pair(&pair);
}

static void order_is_kept(void **state)
{
    enum { COUNT = 5000 };
    struct pair pair = open_pair(*state);
    int received = 0;
    for (int sent = 0; sent < COUNT;) {
        for (int burst = 0; burst < 200; ++burst, ++sent)
            ts_send_bytes(pair.connected, &sent, sizeof sent, 0);
        for (; received < sent; ++received)
            ts_recv_bytes(pair.bound, &received, sizeof received, false);
    }
    ts_recv_nothing(pair.bound);
    close_pair(&pair);
}

static void without_peer_send_would_block(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_bind(socket, *state, endpoint);
    ts_error(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_value(ts_get_int(socket, ZMQ_EVENTS), 0);
    ts_set_int(socket, ZMQ_SNDTIMEO, 10);
    ts_error(zmq_send(socket, "x", 1, 0), EAGAIN);
    ts_close(socket);
    ts_terminate(context);
}

static void events_show_what_is_possible(void **state)
{
    struct pair pair = open_pair(*state);
    ts_wait_writable(pair.bound);
    ts_value(ts_get_int(pair.bound, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_send(pair.connected, "x", 0);
    ts_wait_readable(pair.bound);
    ts_value(ts_get_int(pair.bound, ZMQ_EVENTS), ZMQ_POLLIN | ZMQ_POLLOUT);
    ts_recv(pair.bound, "x");
    ts_value(ts_get_int(pair.bound, ZMQ_EVENTS), ZMQ_POLLOUT);
    close_pair(&pair);
}

/* The third socket gets nothing and the first two do not notice it. */
static void second_peer_is_turned_away(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct pair pair = open_pair(*state);
    void *intruder = ts_socket(pair.context, ZMQ_PAIR);
    void *monitor = NULL;
    ts_last_endpoint(pair.bound, endpoint);
    if (strcmp(*state, "inproc") != 0)
        monitor = ts_monitor(pair.context, intruder, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    ts_ok(zmq_connect(intruder, endpoint));
    zmq_send(intruder, "intruder", 8, ZMQ_DONTWAIT);
    if (monitor)
        ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    for (int round = 0; round < 20; ++round) {
        ts_send(pair.connected, "friend", 0);
        ts_recv(pair.bound, "friend");
        ts_recv_nothing(pair.bound);
        ts_send(pair.bound, "answer", 0);
        ts_recv(pair.connected, "answer");
        ts_recv_nothing(intruder);
    }
    ts_close(intruder);
    if (monitor)
        ts_close(monitor);
    close_pair(&pair);
}

/* The place is free some time after the peer has closed. A newcomer that was too early is turned
 * away, with what it had sent; it may or may not be let in when it tries again. So each one keeps
 * sending for a while, and then another one tries. Returns the one that is heard. */
static void *take_the_free_place(void *context, void *bound, const char *endpoint)
{
    static int newcomer;
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    zmq_pollitem_t item = {.socket = bound, .events = ZMQ_POLLIN};
    for (;;) {
        void *peer = ts_socket(context, ZMQ_PAIR);
        ts_ok(zmq_connect(peer, endpoint));
        ++newcomer;
        for (int attempt = 0; attempt < 20; ++attempt) {
            int heard = 0;
            zmq_send(peer, &newcomer, sizeof newcomer, ZMQ_DONTWAIT);
            if (zmq_poll(&item, 1, 20) == 1)
                ts_value(zmq_recv(bound, &heard, sizeof heard, 0), sizeof heard);
            if (heard == newcomer)
                return peer;
        }
        ts_check(ts_now_ms() < deadline);
        ts_close(peer);
    }
}

static void next_peer_takes_over_when_the_first_leaves(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *bound = ts_socket(context, ZMQ_PAIR);
    ts_bind(bound, *state, endpoint);
    for (int generation = 0; generation < 3; ++generation) {
        void *peer = take_the_free_place(context, bound, endpoint);
        ts_send(bound, "welcome", 0);
        ts_recv(peer, "welcome");
        ts_close(peer);
    }
    ts_close(bound);
    ts_terminate(context);
}

static void messages_of_a_closed_peer_stay_readable(void **state)
{
    struct pair pair = open_pair(*state);
    ts_set_int(pair.connected, ZMQ_LINGER, -1);
    for (int i = 0; i < 10; ++i)
        ts_send_parts(pair.connected, "one", "two");
    ts_close(pair.connected);
    for (int i = 0; i < 10; ++i)
        ts_recv_parts(pair.bound, "one", "two");
    ts_recv_nothing(pair.bound);
    ts_close(pair.bound);
    ts_terminate(pair.context);
}

static void connecting_side_queues_before_there_is_a_peer(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *early = ts_socket(context, ZMQ_PAIR);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_connect(early, address.endpoint));
    ts_send(early, "first", 0);
    ts_send_parts(early, "second", "part");
    void *late = ts_socket(context, ZMQ_PAIR);
    ts_ok(zmq_bind(late, address.endpoint));
    ts_recv(late, "first");
    ts_recv_parts(late, "second", "part");
    ts_address_release(&address);
    ts_close(early);
    ts_close(late);
    ts_terminate(context);
}

/* inproc: the two marks of one direction add up, exactly. After draining, room for at least half
 * of them must be back: the reader acknowledges in batches of (mark + 1) / 2. */
static void high_water_mark_inproc(void **state)
{
    (void)state;
    static const struct {
        int send_mark, receive_mark, want;
    } rows[] = {{1, 1, 2}, {2, 3, 5}, {10, 1, 11}, {100, 100, 200}};
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *context = ts_context();
        void *sender = ts_socket(context, ZMQ_PAIR);
        void *receiver = ts_socket(context, ZMQ_PAIR);
        ts_set_int(sender, ZMQ_SNDHWM, rows[i].send_mark);
        ts_set_int(receiver, ZMQ_RCVHWM, rows[i].receive_mark);
        ts_connect_pair(context, receiver, sender, "inproc");
        ts_value(ts_fill(sender, "x", 1000), rows[i].want);
        ts_value(ts_get_int(sender, ZMQ_EVENTS), 0);
        for (int n = 0; n < rows[i].want; ++n)
            ts_recv(receiver, "x");
        ts_wait_writable(sender);
        int again = ts_fill(sender, "y", 1000);
        ts_check(again >= rows[i].want / 2 && again <= rows[i].want);
        ts_close(sender);
        ts_close(receiver);
        ts_terminate(context);
    }
}

/* Only the connecting side's own mark counts until the name is bound. */
static void high_water_mark_inproc_unbound(void **state)
{
    (void)state;
    void *context = ts_context();
    void *sender = ts_socket(context, ZMQ_PAIR);
    ts_set_int(sender, ZMQ_SNDHWM, 3);
    ts_ok(zmq_connect(sender, "inproc://unbound"));
    ts_value(ts_fill(sender, "x", 1000), 3);
    void *receiver = ts_socket(context, ZMQ_PAIR);
    ts_set_int(receiver, ZMQ_RCVHWM, 4);
    ts_ok(zmq_bind(receiver, "inproc://unbound"));
    ts_wait_writable(sender);
    ts_value(ts_fill(sender, "x", 1000), 4);
    for (int i = 0; i < 7; ++i)
        ts_recv(receiver, "x");
    ts_recv_nothing(receiver);
    ts_close(sender);
    ts_close(receiver);
    ts_terminate(context);
}

/* An endless sender is stopped in the end, and what was taken arrives. */
static void high_water_mark_network(void **state)
{
    static char text[8192];
    struct pair pair = {.context = ts_context()};
    pair.bound = ts_socket(pair.context, ZMQ_PAIR);
    pair.connected = ts_socket(pair.context, ZMQ_PAIR);
    ts_set_int(pair.bound, ZMQ_RCVHWM, 5);
    ts_set_int(pair.connected, ZMQ_SNDHWM, 5);
    ts_connect_pair(pair.context, pair.bound, pair.connected, *state);
    memset(text, 'x', sizeof text - 1);
    int taken = ts_fill(pair.connected, text, 100000);
    ts_check(taken >= 5);
    for (int i = 0; i < taken; ++i)
        ts_recv(pair.bound, text);
    ts_wait_writable(pair.connected);
    ts_send(pair.connected, "end", 0);
    ts_recv(pair.bound, "end");
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(messages_pass_both_ways),
        TS_ON_ALL(order_is_kept),
        TS_ON_ALL(without_peer_send_would_block),
        TS_ON_ALL(events_show_what_is_possible),
        TS_ON_ALL(second_peer_is_turned_away),
        TS_ON_ALL(next_peer_takes_over_when_the_first_leaves),
        TS_ON_ALL(messages_of_a_closed_peer_stay_readable),
        TS_ON_ALL(connecting_side_queues_before_there_is_a_peer),
        cmocka_unit_test(high_water_mark_inproc),
        cmocka_unit_test(high_water_mark_inproc_unbound),
        TS_ON_CONNECTIONS(high_water_mark_network),
    };
    return TS_RUN(tests);
}
