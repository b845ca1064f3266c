/* SPDX-License-Identifier: MPL-2.0 */
/* DEALER and ROUTER: routing ids, turns, undeliverable messages, lost peers. */
#include "support/test_support.h"

#include <errno.h>

static void *named_dealer(void *context, const char *id)
{
    void *dealer = ts_socket(context, ZMQ_DEALER);
    ts_set_text(dealer, ZMQ_ROUTING_ID, id);
    return dealer;
}

/* A router and a dealer "D" that have exchanged a message. */
struct pair {
    void *context, *router, *dealer;
    char endpoint[TS_ENDPOINT_MAX];
};

static struct pair open_pair(const char *transport)
{
    struct pair pair = {.context = ts_context()};
    pair.router = ts_socket(pair.context, ZMQ_ROUTER);
    pair.dealer = named_dealer(pair.context, "D");
    ts_bind(pair.router, transport, pair.endpoint);
    ts_ok(zmq_connect(pair.dealer, pair.endpoint));
    ts_send(pair.dealer, "here", 0);
    ts_recv_parts(pair.router, "D", "here");
    return pair;
}

static void close_pair(struct pair *pair)
{
    ts_close(pair->dealer);
    ts_close(pair->router);
    ts_terminate(pair->context);
}

static void id_is_added_and_removed(void **state)
{
    struct pair pair = open_pair(*state);
    ts_send_parts(pair.dealer, "", "two", "three");
    ts_recv_parts(pair.router, "D", "", "two", "three");
    ts_send_parts(pair.router, "D", "", "answer");
    ts_recv_parts(pair.dealer, "", "answer");
    ts_send_parts(pair.router, "D", "");
    ts_recv(pair.dealer, "");
    close_pair(&pair);
}

static void longest_id_works(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], id[256], got[512];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = ts_socket(context, ZMQ_DEALER);
    for (int i = 0; i < 255; ++i)
        id[i] = (char)(255 - i);
    ts_set_bytes(dealer, ZMQ_ROUTING_ID, id, 255);
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send(dealer, "x", 0);
    ts_value((long long)ts_recv_any(router, got, sizeof got), 255);
    assert_memory_equal(got, id, 255);
    ts_recv(router, "x");
    ts_send_bytes(router, id, 255, ZMQ_SNDMORE);
    ts_send(router, "y", 0);
    ts_recv(dealer, "y");
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

/* Anonymous peers get distinct ids of five bytes, the first of them zero. */
static void anonymous_peers_are_told_apart(void **state)
{
    enum { PEERS = 5 };
    char endpoint[TS_ENDPOINT_MAX], ids[PEERS][16], text[16];
    void *dealers[PEERS];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_bind(router, *state, endpoint);
    for (int i = 0; i < PEERS; ++i) {
        dealers[i] = ts_socket(context, ZMQ_DEALER);
        ts_ok(zmq_connect(dealers[i], endpoint));
        ts_send_bytes(dealers[i], &i, sizeof i, 0);
        ts_value((long long)ts_recv_any(router, ids[i], sizeof ids[i]), 5);
        ts_value(ids[i][0], 0);
        ts_recv_bytes(router, &i, sizeof i, false);
        for (int other = 0; other < i; ++other)
            assert_memory_not_equal(ids[i], ids[other], 5);
    }
    for (int i = PEERS - 1; i >= 0; --i) {
        ts_send_bytes(router, ids[i], 5, ZMQ_SNDMORE);
        ts_send_bytes(router, &i, sizeof i, 0);
    }
    for (int i = 0; i < PEERS; ++i) {
        ts_value((long long)ts_recv_any(dealers[i], text, sizeof text), sizeof i);
        assert_memory_equal(text, &i, sizeof i);
        ts_close(dealers[i]);
    }
    ts_close(router);
    ts_terminate(context);
}

static void dealer_takes_turns(void **state)
{
    enum { PEERS = 3, ROUNDS = 10 };
    char endpoint[TS_ENDPOINT_MAX];
    void *routers[PEERS];
    void *context = ts_context();
    void *dealer = named_dealer(context, "D");
    for (int i = 0; i < PEERS; ++i) {
        routers[i] = ts_socket(context, ZMQ_ROUTER);
        ts_bind(routers[i], *state, endpoint);
        ts_ok(zmq_connect(dealer, endpoint));
    }
    for (int n = 0; n < PEERS * ROUNDS; ++n) {
        ts_send(dealer, "head", ZMQ_SNDMORE);
        ts_send_bytes(dealer, &n, sizeof n, 0);
    }
    int answers[PEERS] = {0};
    for (int i = 0; i < PEERS; ++i)
        for (int round = 0; round < ROUNDS; ++round) {
            int wanted = round * PEERS + i;
            ts_recv_bytes(routers[i], "D", 1, true);
            ts_recv_bytes(routers[i], "head", 4, true);
            ts_recv_bytes(routers[i], &wanted, sizeof wanted, false);
            ts_send(routers[i], "D", ZMQ_SNDMORE);
            ts_send_bytes(routers[i], &i, sizeof i, 0);
        }
    for (int n = 0; n < PEERS * ROUNDS; ++n) {
        int from = -1;
        ts_value(zmq_recv(dealer, &from, sizeof from, 0), sizeof from);
        ts_check(from >= 0 && from < PEERS);
        ++answers[from];
    }
    for (int i = 0; i < PEERS; ++i) {
        ts_value(answers[i], ROUNDS);
        ts_close(routers[i]);
    }
    ts_close(dealer);
    ts_terminate(context);
}

static void unroutable_message_is_dropped(void **state)
{
    struct pair pair = open_pair(*state);
    ts_send_parts(pair.router, "nobody", "lost");
    ts_send_parts(pair.router, "nobody", "lost", "in", "parts");
    ts_send(pair.router, "D", 0); /* only an id: swallowed */
    ts_send(pair.router, "nobody", 0);
    ts_send(pair.router, "", 0);
    ts_send_parts(pair.router, "D", "arrives");
    ts_recv(pair.dealer, "arrives");
    ts_recv_nothing(pair.dealer);
    close_pair(&pair);
}

static void mandatory_reports_the_unroutable(void **state)
{
    struct pair pair = open_pair(*state);
    ts_set_int(pair.router, ZMQ_ROUTER_MANDATORY, 1);
    ts_error(zmq_send(pair.router, "nobody", 6, ZMQ_SNDMORE), EHOSTUNREACH);
    ts_error(zmq_send(pair.router, "nobody", 6, ZMQ_SNDMORE | ZMQ_DONTWAIT), EHOSTUNREACH);
    /* After the failure the next part is an id again. */
    ts_send_parts(pair.router, "D", "arrives");
    ts_recv(pair.dealer, "arrives");
    ts_set_int(pair.router, ZMQ_ROUTER_MANDATORY, 0);
    ts_send_parts(pair.router, "nobody", "lost");
    close_pair(&pair);
}

/* inproc, where the room is exact: the surplus for a full peer vanishes, nothing else does. */
static void full_peer_loses_messages(void **state)
{
    (void)state;
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = named_dealer(context, "D");
    void *other = named_dealer(context, "O");
    ts_set_int(router, ZMQ_SNDHWM, 2);
    ts_set_int(dealer, ZMQ_RCVHWM, 2);
    ts_ok(zmq_bind(router, "inproc://full"));
    ts_ok(zmq_connect(dealer, "inproc://full"));
    ts_ok(zmq_connect(other, "inproc://full"));
    ts_send(dealer, "here", 0);
    ts_send(other, "here", 0);
    for (int i = 0; i < 4; ++i)
        ts_check(zmq_recv(router, NULL, 0, 0) >= 0);
    for (int n = 0; n < 10; ++n) {
        ts_send(router, "D", ZMQ_SNDMORE);
        ts_send_bytes(router, &n, sizeof n, 0);
    }
    ts_send_parts(router, "O", "unharmed");
    ts_recv(other, "unharmed");
    for (int n = 0; n < 4; ++n)
        ts_recv_bytes(dealer, &n, sizeof n, false);
    ts_recv_nothing(dealer);
    ts_close(dealer);
    ts_close(other);
    ts_close(router);
    ts_terminate(context);
}

static int fill_routed(void *router, const char *id, const char *text)
{
    for (int count = 0; count < 100000; ++count) {
        if (zmq_send(router, id, strlen(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1) {
            ts_value(zmq_errno(), EAGAIN);
            return count;
        }
        ts_send(router, text, ZMQ_DONTWAIT);
    }
    ts_fail("never full");
}

static void mandatory_reports_the_full_peer(void **state)
{
    static char text[8192];
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = named_dealer(context, "D");
    memset(text, 'x', sizeof text - 1);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_set_int(router, ZMQ_SNDHWM, 2);
    ts_set_int(dealer, ZMQ_RCVHWM, 2);
    ts_bind(router, *state, endpoint);
    ts_value(ts_get_int(router, ZMQ_EVENTS) & ZMQ_POLLOUT, 0);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send(dealer, "here", 0);
    ts_recv_parts(router, "D", "here");
    ts_wait_writable(router);
    /* The kernel may take more while we look, so fill until nothing moves any more. */
    int taken = 0, more;
    do
        taken += more = fill_routed(router, "D", text);
    while (more > 0);
    ts_set_int(router, ZMQ_SNDTIMEO, 0);
    if (strcmp(*state, "inproc") == 0) {
        ts_value(taken, 4);
        ts_value(ts_get_int(router, ZMQ_EVENTS) & ZMQ_POLLOUT, 0);
        ts_error(zmq_send(router, "D", 1, ZMQ_SNDMORE), EAGAIN);
    }
    ts_set_int(router, ZMQ_SNDTIMEO, TS_TIMEOUT_MS);
    for (int n = 0; n < taken; ++n)
        ts_recv(dealer, text);
    ts_wait_writable(router);
    ts_send_parts(router, "D", "room again");
    ts_recv(dealer, "room again");
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

static void router_is_always_writable_unless_mandatory(void **state)
{
    (void)state;
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = ts_socket(context, ZMQ_DEALER);
    ts_value(ts_get_int(router, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_value(ts_get_int(dealer, ZMQ_EVENTS), 0);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_value(ts_get_int(router, ZMQ_EVENTS), 0);
    ts_error(zmq_send(dealer, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

/* Default: whoever has the id keeps it; the newcomer is neither heard nor reached. */
static void duplicate_id_is_ignored(void **state)
{
    struct pair pair = open_pair(*state);
    void *newcomer = named_dealer(pair.context, "D");
    void *monitor = ts_monitor(pair.context, newcomer, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    ts_ok(zmq_connect(newcomer, pair.endpoint));
    ts_send(newcomer, "not heard", 0);
    if (strcmp(*state, "inproc") != 0)
        ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    for (int round = 0; round < 20; ++round) {
        ts_send(pair.dealer, "old", 0);
        ts_recv_parts(pair.router, "D", "old");
        ts_send_parts(pair.router, "D", "answer");
        ts_recv(pair.dealer, "answer");
        ts_recv_nothing(newcomer);
    }
    ts_unmonitor(newcomer, monitor);
    ts_close(newcomer);
    close_pair(&pair);
}

static void handover_gives_the_id_to_the_newcomer(void **state)
{
    struct pair pair = open_pair(*state);
    ts_set_int(pair.router, ZMQ_ROUTER_HANDOVER, 1);
    void *newcomer = named_dealer(pair.context, "D");
    ts_ok(zmq_connect(newcomer, pair.endpoint));
    ts_send_parts(newcomer, "new", "part");
    ts_recv_parts(pair.router, "D", "new", "part");
    for (int round = 0; round < 20; ++round) {
        ts_send_parts(pair.router, "D", "answer");
        ts_recv(newcomer, "answer");
        ts_recv_nothing(pair.dealer);
    }
    ts_close(newcomer);
    close_pair(&pair);
}

/* The id of a lost peer is free again soon; a newcomer that came too early is ignored for good. */
static void *take_the_free_id(struct pair *pair)
{
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    zmq_pollitem_t item = {.socket = pair->router, .events = ZMQ_POLLIN};
    for (;;) {
        void *dealer = named_dealer(pair->context, "D");
        ts_ok(zmq_connect(dealer, pair->endpoint));
        ts_send(dealer, "back", 0);
        if (zmq_poll(&item, 1, 200) == 1)
            return dealer;
        ts_check(ts_now_ms() < deadline);
        ts_close(dealer);
    }
}

static void lost_peer_becomes_unroutable(void **state)
{
    struct pair pair = open_pair(*state);
    ts_set_int(pair.router, ZMQ_ROUTER_MANDATORY, 1);
    ts_close(pair.dealer);
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    zmq_pollitem_t item = {.socket = pair.router, .events = ZMQ_POLLIN};
    while (zmq_send(pair.router, "D", 1, ZMQ_SNDMORE) != -1) {
        ts_send(pair.router, "lost", 0);
        ts_value(zmq_poll(&item, 1, 1), 0);
        ts_check(ts_now_ms() < deadline);
    }
    ts_value(zmq_errno(), EHOSTUNREACH);
    pair.dealer = take_the_free_id(&pair);
    ts_recv_parts(pair.router, "D", "back");
    ts_send_parts(pair.router, "D", "welcome");
    ts_recv(pair.dealer, "welcome");
    close_pair(&pair);
}

/* The rest of a message whose peer went away is dropped; the next message is not affected. */
static void peer_lost_between_parts(void **state)
{
    struct pair pair = open_pair(*state);
    void *monitor = ts_monitor(pair.context, pair.router, ZMQ_EVENT_DISCONNECTED);
    void *other = named_dealer(pair.context, "O");
    ts_ok(zmq_connect(other, pair.endpoint));
    ts_send(other, "here", 0);
    ts_recv_parts(pair.router, "O", "here");
    ts_send(pair.router, "D", ZMQ_SNDMORE);
    ts_send(pair.router, "first", ZMQ_SNDMORE);
    ts_close(pair.dealer);
    if (strcmp(*state, "inproc") != 0)
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    ts_send(pair.router, "second", ZMQ_SNDMORE);
    ts_send(pair.router, "third", 0);
    ts_send_parts(pair.router, "O", "whole", "message");
    ts_recv_parts(other, "whole", "message");
    ts_unmonitor(pair.router, monitor);
    pair.dealer = other;
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(id_is_added_and_removed),
        TS_ON_ALL(longest_id_works),
        TS_ON_ALL(anonymous_peers_are_told_apart),
        TS_ON_ALL(dealer_takes_turns),
        TS_ON_ALL(unroutable_message_is_dropped),
        TS_ON_ALL(mandatory_reports_the_unroutable),
        cmocka_unit_test(full_peer_loses_messages),
        TS_ON_ALL(mandatory_reports_the_full_peer),
        cmocka_unit_test(router_is_always_writable_unless_mandatory),
        TS_ON_ALL(duplicate_id_is_ignored),
        TS_ON_ALL(handover_gives_the_id_to_the_newcomer),
        TS_ON_ALL(lost_peer_becomes_unroutable),
        TS_ON_ALL(peer_lost_between_parts),
    };
    return TS_RUN(tests);
}
