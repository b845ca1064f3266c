/* SPDX-License-Identifier: MPL-2.0 */
/* Peers that have gone: what they sent is still there, and what they leave does not get in the way of
 * closing, disconnecting, and of other peers. */
#include "support/test_support.h"
#include "support/transports.h"

#include "stats_reading.h"

/* Closes the peer; `monitor` tells when the other side has seen it (inproc: at the next call). */
static void leave(void *peer, void *monitor)
{
    ts_close(peer);
    if (monitor)
        ts_await_event(monitor, ZMQ_EVENT_DISCONNECTED);
}

/* All have sent and left but the last one, which stays. */
static void closing_after_the_last_message_of_those_that_left(void **state)
{
    enum { PEERS = 5 };
    for (int stay = 0; stay < 2; ++stay) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context(), *monitor = NULL, *peers[PEERS];
        void *pull = ts_socket(context, ZMQ_PULL);
        if (!is_inproc(state))
            monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
        ts_bind(pull, *state, endpoint);
        for (int i = 0; i < PEERS; ++i) {
            peers[i] = ts_socket(context, ZMQ_PUSH);
            ts_set_int(peers[i], ZMQ_LINGER, -1);
            ts_ok(zmq_connect(peers[i], endpoint));
        }
        for (int i = 0; i < PEERS; ++i)
            ts_send(peers[i], "last words", 0);
        for (int i = 0; i < PEERS - stay; ++i)
            leave(peers[i], monitor);
        for (int i = 0; i < PEERS; ++i)
            ts_recv(pull, "last words");
        if (monitor)
            ts_unmonitor(pull, monitor);
        ts_close(pull);
        if (stay)
            ts_close(peers[PEERS - 1]);
        ts_terminate(context);
    }
}

/* One connection is ended while another one, whose peer has left, has just been read out. */
static void disconnecting_beside_one_that_left(void **state)
{
    for (int first = 0; first < 2; ++first) {
        char endpoints[2][TS_ENDPOINT_MAX];
        void *context = ts_context(), *monitor = NULL, *peers[2];
        void *pull = ts_socket(context, ZMQ_PULL);
        if (!is_inproc(state))
            monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
        for (int i = 0; i < 2; ++i) {
            peers[i] = ts_socket(context, ZMQ_PUSH);
            ts_set_int(peers[i], ZMQ_LINGER, -1);
            ts_bind(peers[i], *state, endpoints[i]);
            ts_ok(zmq_connect(pull, endpoints[i]));
        }
        ts_send(peers[first], "last words", 0);
        leave(peers[first], monitor);
        ts_recv(pull, "last words");
        ts_ok(zmq_disconnect(pull, endpoints[1 - first]));
        ts_close(peers[1 - first]);
        if (monitor)
            ts_unmonitor(pull, monitor);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* CONFLATE: the message that waits can still be replaced after another peer has left. */
static void the_newest_message_replaces_the_one_before(void **state)
{
    enum { LENGTH = 1000 }; /* more than anything else that might arrive */
    static char old[LENGTH] = "old", new[LENGTH] = "new", got[LENGTH];
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *sub = ts_socket(context, ZMQ_SUB);
    void *pub = ts_socket(context, ZMQ_PUB), *other = ts_socket(context, ZMQ_PUB);
    void *monitor =
        ts_monitor(context, sub, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
    ts_set_int(sub, ZMQ_CONFLATE, 1);
    ts_set_bytes(sub, ZMQ_SUBSCRIBE, "", 0);
    ts_bind(sub, *state, endpoint);
    ts_ok(zmq_connect(pub, endpoint));
    ts_await_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    ts_ok(zmq_connect(other, endpoint));
    ts_await_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    do /* until the subscription has arrived */
        ts_send(pub, "ping", 0);
    while (zmq_recv(sub, got, sizeof got, ZMQ_DONTWAIT) == -1);
    uint64_t before = stats_of(sub).bytes_in;
    ts_send_bytes(pub, old, sizeof old, 0);
    await_least(sub, bytes_in, before + LENGTH);
    leave(other, monitor);
    ts_send_bytes(pub, new, sizeof new, 0);
    await_least(sub, bytes_in, before + 2 * LENGTH);
    ts_recv_bytes(sub, new, sizeof new, false);
    ts_recv_nothing(sub);
    ts_unmonitor(sub, monitor);
    ts_close(pub);
    ts_close(sub);
    ts_terminate(context);
}

static void receive_notice(void *xpub)
{
    ts_recv_bytes(xpub, "\0topic", 6, false);
}

static void poll_for_notice(void *xpub)
{
    zmq_pollitem_t item = {.socket = xpub, .events = ZMQ_POLLIN};
    ts_value(zmq_poll(&item, 1, TS_TIMEOUT_MS), 1);
    receive_notice(xpub);
}

/* The end of a subscriber is input for an XPUB that waits for it. */
static void a_waiting_xpub_hears_of_the_end(void **state)
{
    static void (*const waits[])(void *) = {receive_notice, poll_for_notice};
    for (size_t i = 0; i < TS_COUNT(waits); ++i) {
        void *context = ts_context();
        void *xpub = ts_socket(context, ZMQ_XPUB), *sub = ts_socket(context, ZMQ_SUB);
        ts_connect_pair(context, xpub, sub, *state);
        ts_set_bytes(sub, ZMQ_SUBSCRIBE, "topic", 5);
        ts_recv_bytes(xpub, "\1topic", 6, false);
        struct ts_thread *thread = ts_thread_start(waits[i], xpub);
        ts_thread_await_sleep(thread);
        ts_close(sub);
        ts_thread_join(thread);
        ts_close(xpub);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(closing_after_the_last_message_of_those_that_left),
        TS_ON_ALL(disconnecting_beside_one_that_left),
        TS_ON_CONNECTIONS(the_newest_message_replaces_the_one_before),
        TS_ON_ALL(a_waiting_xpub_hears_of_the_end),
    };
    return TS_RUN(tests);
}
