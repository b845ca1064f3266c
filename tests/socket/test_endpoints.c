/* SPDX-License-Identifier: MPL-2.0 */
/* Several endpoints on one socket: connecting twice, unbinding, disconnecting, reuse. */
#include "support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What is counted: how many connections one endpoint text makes. Nobody listens, each connection
 * takes one message. */
static void second_connect_to_the_same_text(void **state)
{
    static const struct {
        int type, connections;
    } rows[] = {{ZMQ_DEALER, 1}, {ZMQ_PUSH, 2}};
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *socket = ts_socket(context, rows[i].type);
        ts_address_reserve(&address, *state);
        ts_set_int(socket, ZMQ_SNDHWM, 1);
        ts_ok(zmq_connect(socket, address.endpoint));
        ts_ok(zmq_connect(socket, address.endpoint));
        ts_value(ts_fill(socket, "x", 10), rows[i].connections);
        ts_ok(zmq_disconnect(socket, address.endpoint));
        ts_error(zmq_disconnect(socket, address.endpoint), ENOENT);
        ts_error(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        ts_address_release(&address);
        ts_close(socket);
        ts_terminate(context);
    }
}

static void every_bound_endpoint_accepts(void **state)
{
    enum { ENDPOINTS = 3 };
    static const char *transports[ENDPOINTS] = {"inproc", "ipc", "tcp"};
    char endpoints[ENDPOINTS][TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    for (int i = 0; i < ENDPOINTS; ++i)
        ts_bind(pull, transports[i], endpoints[i]);
    for (int i = 0; i < ENDPOINTS; ++i) {
        ts_ok(zmq_connect(push, endpoints[i]));
        ts_send_parts(push, transports[i], "part");
        ts_recv_parts(pull, transports[i], "part");
        ts_ok(zmq_disconnect(push, endpoints[i]));
    }
    for (int i = 0; i < ENDPOINTS; ++i)
        ts_ok(zmq_unbind(pull, endpoints[i]));
    for (int i = 0; i < ENDPOINTS; ++i)
        ts_error(zmq_unbind(pull, endpoints[i]), ENOENT);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Wildcards must be unbound by the name that LAST_ENDPOINT gave. */
static void wildcard_text_does_not_unbind(void **state)
{
    (void)state;
    static const char *texts[] = {"tcp://127.0.0.1:*", "tcp://*:*", "ipc://*"};
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(texts); ++i) {
        void *socket = ts_socket(context, ZMQ_PULL);
        ts_ok(zmq_bind(socket, texts[i]));
        ts_last_endpoint(socket, endpoint);
        ts_value(zmq_unbind(socket, texts[i]), -1);
        ts_ok(zmq_unbind(socket, endpoint));
        ts_error(zmq_unbind(socket, endpoint), ENOENT);
        ts_close(socket);
    }
    ts_terminate(context);
}

/* tcp names are compared in resolved form, too. */
static void other_spelling_unbinds(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PULL);
    ts_bind(socket, "tcp", endpoint);
    snprintf(text, sizeof text, "tcp://localhost:%d", atoi(strrchr(endpoint, ':') + 1));
    ts_ok(zmq_unbind(socket, text));
    ts_error(zmq_unbind(socket, endpoint), ENOENT);
    ts_close(socket);
    ts_terminate(context);
}

/* Unbinding stops accepting and ends what was accepted; the address is free afterwards. */
static void unbind_ends_connections(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_bind(push, address.endpoint));
    ts_ok(zmq_connect(pull, address.endpoint));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_ok(zmq_unbind(push, address.endpoint));
    zmq_pollitem_t item = {.socket = push, .events = ZMQ_POLLOUT};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (zmq_poll(&item, 1, 0) != 0)
        ts_check(ts_now_ms() < deadline);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    /* The puller connects again to whoever is there now. */
    void *second = ts_socket(context, ZMQ_PUSH);
    ts_rebind(second, address.endpoint);
    ts_send(second, "y", 0);
    ts_recv(pull, "y");
    ts_address_release(&address);
    ts_unmonitor(pull, monitor);
    ts_close(push);
    ts_close(second);
    ts_close(pull);
    ts_terminate(context);
}

static void unbind_keeps_inproc_connections(void **state)
{
    (void)state;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    void *second = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_bind(pull, "inproc://a"));
    ts_ok(zmq_connect(push, "inproc://a"));
    ts_ok(zmq_unbind(pull, "inproc://a"));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_ok(zmq_bind(second, "inproc://a"));
    ts_send(push, "y", 0);
    ts_recv(pull, "y");
    ts_recv_nothing(second);
    ts_close(push);
    ts_close(second);
    ts_close(pull);
    ts_terminate(context);
}

/* What was received before an unbind stays readable. */
static void unbind_keeps_received_messages(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, *state, endpoint);
    ts_ok(zmq_connect(push, endpoint));
    ts_send_parts(push, "one", "two");
    ts_wait_readable(pull);
    ts_ok(zmq_unbind(pull, endpoint));
    ts_recv_parts(pull, "one", "two");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Disconnecting hands over what is queued first (LINGER), then sends nothing there any more. */
static void disconnect_ends_one_connection(void **state)
{
    char first[TS_ENDPOINT_MAX], second[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *one = ts_socket(context, ZMQ_PULL), *two = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_bind(one, *state, first);
    ts_bind(two, *state, second);
    ts_ok(zmq_connect(push, first));
    ts_ok(zmq_connect(push, second));
    for (int i = 0; i < 10; ++i)
        ts_send(push, "both", 0);
    ts_ok(zmq_disconnect(push, first));
    ts_error(zmq_disconnect(push, first), ENOENT);
    for (int i = 0; i < 10; ++i)
        ts_send(push, "second only", 0);
    for (int i = 0; i < 5; ++i)
        ts_recv(one, "both");
    for (int i = 0; i < 15; ++i)
        ts_recv(two, i < 5 ? "both" : "second only");
    ts_recv_nothing(one);
    ts_close(push);
    ts_close(one);
    ts_close(two);
    ts_terminate(context);
}

static void address_is_reusable_many_times(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&address, *state);
    for (int round = 0; round < 20; ++round) {
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_rebind(pull, address.endpoint);
        ts_ok(zmq_connect(push, address.endpoint));
        ts_send(push, "x", 0);
        ts_recv(pull, "x");
        ts_ok(zmq_unbind(pull, address.endpoint));
        ts_close(push);
    }
    ts_address_release(&address);
    ts_close(pull);
    ts_terminate(context);
}

/* Connecting long before anybody binds works on every transport, for every direction of data. */
static void connect_before_bind(void **state)
{
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_PULL},     {ZMQ_PULL, ZMQ_PUSH},
                                   {ZMQ_REQ, ZMQ_REP},       {ZMQ_DEALER, ZMQ_REP},
                                   {ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_PAIR, ZMQ_PAIR}};
    for (size_t i = 0; i < TS_COUNT(types); ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *early = ts_socket(context, types[i][0]), *late = ts_socket(context, types[i][1]);
        void *sender = types[i][0] == ZMQ_PULL ? late : early;
        ts_address_reserve(&address, *state);
        ts_ok(zmq_connect(early, address.endpoint));
        if (sender == early && types[i][1] == ZMQ_REP && types[i][0] == ZMQ_DEALER)
            ts_send(early, "", ZMQ_SNDMORE);
        if (sender == early)
            ts_send_parts(early, "one", "two");
        ts_ok(zmq_bind(late, address.endpoint));
        if (sender == late)
            ts_send_parts(late, "one", "two");
        ts_recv_parts(sender == late ? early : late, "one", "two");
        ts_address_release(&address);
        ts_close(early);
        ts_close(late);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(second_connect_to_the_same_text),
        cmocka_unit_test(every_bound_endpoint_accepts),
        cmocka_unit_test(wildcard_text_does_not_unbind),
        cmocka_unit_test(other_spelling_unbinds),
        TS_ON_CONNECTIONS(unbind_ends_connections),
        cmocka_unit_test(unbind_keeps_inproc_connections),
        TS_ON_ALL(unbind_keeps_received_messages),
        TS_ON_ALL(disconnect_ends_one_connection),
        TS_ON_ALL(address_is_reusable_many_times),
        TS_ON_ALL(connect_before_bind),
    };
    return TS_RUN(tests);
}
