/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_socket_monitor: registration, masks, event sequences over tcp and ipc, their values. */
#include "support/raw_peer.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void bad_arguments(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR), *other = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_socket_monitor(NULL, "inproc://m", ZMQ_EVENT_ALL), ENOTSOCK);
    ts_error(zmq_socket_monitor(socket, "m", ZMQ_EVENT_ALL), EINVAL);
    ts_error(zmq_socket_monitor(socket, "bogus://m", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    ts_error(zmq_socket_monitor(socket, "tcp://127.0.0.1:*", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    ts_error(zmq_socket_monitor(socket, "inproc://m", ZMQ_EVENT_ALL | 0x10000), EINVAL);
    ts_ok(zmq_socket_monitor(other, "inproc://m", ZMQ_EVENT_LISTENING));
    ts_error(zmq_socket_monitor(socket, "inproc://m", ZMQ_EVENT_ALL), EADDRINUSE);
    ts_ok(zmq_socket_monitor(socket, NULL, 0));
    ts_ok(zmq_socket_monitor(other, NULL, ZMQ_EVENT_ALL));
    ts_ok(zmq_socket_monitor(other, NULL, 0));
    ts_close(socket);
    ts_close(other);
    ts_terminate(context);
}

static void expect_stopped(void *monitor)
{
    struct ts_event event;
    ts_next_event(monitor, &event);
    ts_value(event.event, ZMQ_EVENT_MONITOR_STOPPED);
    ts_value(event.value, 0);
    assert_string_equal(event.endpoint, "");
    ts_recv_nothing(monitor);
    ts_close(monitor);
}

/* One monitor per socket: a new one, NULL, close and shutdown end it. */
static void every_way_to_stop(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    void *first = ts_monitor(context, socket, ZMQ_EVENT_ALL);
    void *second = ts_monitor(context, socket, ZMQ_EVENT_ALL);
    expect_stopped(first);
    ts_ok(zmq_socket_monitor(socket, NULL, 0));
    expect_stopped(second);
    void *third = ts_monitor(context, socket, ZMQ_EVENT_ALL);
    ts_close(socket);
    expect_stopped(third);
    ts_terminate(context);
}

/* The end comes only to those who asked for it. */
static void mask_selects_events(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *bound = ts_socket(context, ZMQ_PAIR), *peer = ts_socket(context, ZMQ_PAIR);
    void *none = ts_monitor(context, peer, 0);
    void *monitor = ts_monitor(context, bound, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
    ts_bind(bound, *state, endpoint);
    ts_ok(zmq_connect(peer, endpoint));
    ts_expect_event(monitor, ZMQ_EVENT_ACCEPTED);
    ts_send(peer, "x", 0);
    ts_recv(bound, "x");
    ts_close(peer);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    ts_close(bound);
    ts_recv_nothing(none);
    ts_recv_nothing(monitor);
    ts_close(none);
    ts_close(monitor);
    ts_terminate(context);
}

static void expect_at(void *monitor, int wanted, const char *endpoint)
{
    struct ts_event event;
    ts_next_event(monitor, &event);
    if (event.event != wanted)
        ts_fail("%s instead of %s", ts_event_name(event.event), ts_event_name(wanted));
    assert_string_equal(event.endpoint, endpoint);
}

static bool is_open_socket(uint32_t fd, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt((int)fd, SOL_SOCKET, option, &value, &size) == 0 && value != 0;
}

/* The life of a connection as each side sees it. */
static void life_of_a_connection(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct ts_event event;
    bool tcp = ts_has_ports(*state);
    void *context = ts_context();
    void *bound = ts_socket(context, ZMQ_PAIR), *peer = ts_socket(context, ZMQ_PAIR);
    void *at_bound = ts_monitor(context, bound, ZMQ_EVENT_ALL);
    void *at_peer = ts_monitor(context, peer, ZMQ_EVENT_ALL);
    ts_bind(bound, *state, endpoint);
    ts_next_event(at_bound, &event);
    ts_value(event.event, ZMQ_EVENT_LISTENING);
    assert_string_equal(event.endpoint, endpoint);
    ts_check(is_open_socket(event.value, SO_ACCEPTCONN));
    ts_ok(zmq_connect(peer, endpoint));
    if (tcp)
        ts_value(ts_expect_event(at_peer, ZMQ_EVENT_CONNECT_DELAYED), EINPROGRESS);
    ts_next_event(at_peer, &event);
    ts_value(event.event, ZMQ_EVENT_CONNECTED);
    assert_string_equal(event.endpoint, endpoint);
    ts_check(is_open_socket(event.value, SO_TYPE));
    expect_at(at_peer, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, endpoint);
    ts_next_event(at_bound, &event);
    ts_value(event.event, ZMQ_EVENT_ACCEPTED);
    assert_string_equal(event.endpoint, endpoint);
    ts_check(is_open_socket(event.value, SO_TYPE));
    expect_at(at_bound, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, endpoint);
    /* The binding side goes; the other one keeps trying. */
    ts_close(bound);
    ts_expect_event(at_bound, ZMQ_EVENT_CLOSED);
    expect_stopped(at_bound);
    expect_at(at_peer, ZMQ_EVENT_DISCONNECTED, endpoint);
    ts_check(ts_expect_event(at_peer, ZMQ_EVENT_CONNECT_RETRIED) >= 100);
    if (tcp)
        ts_expect_event(at_peer, ZMQ_EVENT_CONNECT_DELAYED);
    ts_expect_event(at_peer, ZMQ_EVENT_CLOSED);
    ts_expect_event(at_peer, ZMQ_EVENT_CONNECT_RETRIED);
    ts_close(peer);
    ts_close(at_peer);
    ts_terminate(context);
}

/* A local close or disconnect of a connection is not an event on its own side. */
static void local_end_of_a_connection(void **state)
{
    for (int by_close = 0; by_close < 2; ++by_close) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *bound = ts_socket(context, ZMQ_PAIR), *peer = ts_socket(context, ZMQ_PAIR);
        void *at_bound = ts_monitor(context, bound, ZMQ_EVENT_DISCONNECTED);
        void *at_peer = ts_monitor(context, peer, ZMQ_EVENT_ALL);
        ts_bind(bound, *state, endpoint);
        ts_ok(zmq_connect(peer, endpoint));
        ts_await_event(at_peer, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        if (by_close)
            ts_close(peer);
        else
            ts_ok(zmq_disconnect(peer, endpoint));
        /* The disconnecting socket is polled meanwhile, as an application would. */
        zmq_pollitem_t items[] = {{.socket = at_bound, .events = ZMQ_POLLIN},
                                  {.socket = peer, .events = ZMQ_POLLIN}};
        ts_value(zmq_poll(items, by_close ? 1 : 2, TS_TIMEOUT_MS), 1);
        expect_at(at_bound, ZMQ_EVENT_DISCONNECTED, endpoint);
        if (!by_close)
            ts_close(peer);
        expect_stopped(at_peer);
        ts_unmonitor(bound, at_bound);
        ts_close(bound);
        ts_terminate(context);
    }
}

static void unbind_closes_the_listener(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *bound = ts_socket(context, ZMQ_PAIR);
    void *monitor = ts_monitor(context, bound, ZMQ_EVENT_ALL);
    ts_bind(bound, *state, endpoint);
    ts_expect_event(monitor, ZMQ_EVENT_LISTENING);
    ts_ok(zmq_unbind(bound, endpoint));
    expect_at(monitor, ZMQ_EVENT_CLOSED, endpoint);
    ts_close(bound);
    expect_stopped(monitor);
    ts_terminate(context);
}

static void failed_bind(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *first = ts_socket(context, ZMQ_PAIR), *second = ts_socket(context, ZMQ_PAIR);
    void *monitor = ts_monitor(context, second, ZMQ_EVENT_ALL);
    ts_bind(first, "tcp", endpoint);
    ts_error(zmq_bind(second, endpoint), EADDRINUSE);
    ts_value(ts_await_event(monitor, ZMQ_EVENT_BIND_FAILED), EADDRINUSE);
    ts_close(first);
    ts_close(second);
    ts_await_event(monitor, ZMQ_EVENT_MONITOR_STOPPED);
    ts_close(monitor);
    ts_terminate(context);
}

static void refused_connection(void **state)
{
    static const int intervals[] = {5, -1};
    for (int i = 0; i < 2; ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *socket = ts_socket(context, ZMQ_PAIR);
        void *monitor = ts_monitor(context, socket, ZMQ_EVENT_ALL);
        ts_address_reserve(&address, *state);
        ts_set_int(socket, ZMQ_RECONNECT_IVL, intervals[i]);
        ts_ok(zmq_connect(socket, address.endpoint));
        for (int round = 0; round < (i == 0 ? 3 : 1); ++round) {
            if (ts_has_ports(*state))
                expect_at(monitor, ZMQ_EVENT_CONNECT_DELAYED, address.endpoint);
            expect_at(monitor, ZMQ_EVENT_CLOSED, address.endpoint);
            if (i == 0)
                expect_at(monitor, ZMQ_EVENT_CONNECT_RETRIED, address.endpoint);
        }
        ts_close(socket);
        ts_await_event(monitor, ZMQ_EVENT_MONITOR_STOPPED);
        ts_close(monitor);
        ts_address_release(&address);
        ts_terminate(context);
    }
}

/* A name that cannot be resolved is only retried. */
static void unknown_host(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    void *monitor = ts_monitor(context, socket, ZMQ_EVENT_ALL);
    ts_set_int(socket, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(socket, "tcp://no-such-host.invalid:5555"));
    for (int round = 0; round < 2; ++round)
        expect_at(monitor, ZMQ_EVENT_CONNECT_RETRIED, "tcp://no-such-host.invalid:5555");
    ts_close(socket);
    ts_close(monitor);
    ts_terminate(context);
}

/* A peer of the wrong type is dropped and an outgoing connection to it is not tried again. */
static void wrong_peer_type(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    struct ts_event event;
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_ALL);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(push, endpoint));
    int fd = ts_raw_accept(listener);
    ts_raw_greet(fd);
    ts_raw_send_ready(fd, "PUB", NULL, 0);
    ts_raw_expect_closed(fd);
    ts_expect_event(monitor, ZMQ_EVENT_CONNECT_DELAYED);
    ts_expect_event(monitor, ZMQ_EVENT_CONNECTED);
    /* An additional protocol event is allowed. */
    do
        ts_next_event(monitor, &event);
    while (event.event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    ts_value(event.event, ZMQ_EVENT_DISCONNECTED);
    ts_close(push);
    expect_stopped(monitor);
    close(fd);
    close(listener);
    ts_terminate(context);
}

static void inproc_has_no_events(void **state)
{
    (void)state;
    void *context = ts_context();
    void *a = ts_socket(context, ZMQ_PAIR), *b = ts_socket(context, ZMQ_PAIR);
    void *monitors[] = {ts_monitor(context, a, ZMQ_EVENT_ALL),
                        ts_monitor(context, b, ZMQ_EVENT_ALL)};
    ts_ok(zmq_bind(a, "inproc://quiet"));
    ts_ok(zmq_connect(b, "inproc://quiet"));
    ts_send(b, "x", 0);
    ts_recv(a, "x");
    ts_close(b);
    ts_close(a);
    expect_stopped(monitors[0]);
    expect_stopped(monitors[1]);
    ts_terminate(context);
}

/* Nobody reads the events, or not yet. (4.3.4 blocks in whatever call causes the event.) */
static void unread_monitor_holds_nothing_up_beyond_stock(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *bound = ts_socket(context, ZMQ_PULL), *peer = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_socket_monitor(bound, "inproc://unread-1", ZMQ_EVENT_ALL));
    ts_ok(zmq_socket_monitor(peer, "inproc://unread-2", ZMQ_EVENT_ALL));
    ts_bind(bound, *state, endpoint);
    ts_ok(zmq_connect(peer, endpoint));
    ts_send(peer, "x", 0);
    ts_recv(bound, "x");
    void *late = ts_socket(context, ZMQ_PAIR);
    ts_ok(zmq_connect(late, "inproc://unread-1"));
    ts_expect_event(late, ZMQ_EVENT_LISTENING);
    ts_close(late);
    ts_ok(zmq_disconnect(peer, endpoint));
    ts_ok(zmq_unbind(bound, endpoint));
    ts_ok(zmq_socket_monitor(bound, NULL, 0));
    ts_ok(zmq_ctx_shutdown(context));
    ts_error(zmq_recv(bound, NULL, 0, 0), ETERM);
    ts_close(bound);
    ts_close(peer);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(every_way_to_stop),
        TS_ON_CONNECTIONS(mask_selects_events),
        TS_ON_CONNECTIONS(life_of_a_connection),
        TS_ON_CONNECTIONS(local_end_of_a_connection),
        TS_ON_CONNECTIONS(unbind_closes_the_listener),
        cmocka_unit_test(failed_bind),
        TS_ON_CONNECTIONS(refused_connection),
        cmocka_unit_test(unknown_host),
        cmocka_unit_test(wrong_peer_type),
        cmocka_unit_test(inproc_has_no_events),
        TS_ON_CONNECTIONS(unread_monitor_holds_nothing_up_beyond_stock),
    };
    return TS_RUN(tests);
}
