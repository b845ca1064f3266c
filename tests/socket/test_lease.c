/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A caller that has looked at its connections drives them; then it goes away for long, without a
 * word. Its connections are looked after all the same: they are read up to the high-water mark,
 * PINGs are answered, what is left is written, and losses are noticed and repaired.
 */
#include "support/raw_peer.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <unistd.h>

/* ---- How the owner looks for the last time; nothing is there --------------------------------- */

static void by_receiving(void *socket)
{
    ts_error(zmq_recv(socket, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
}

static void by_waiting(void *socket)
{
    ts_set_int(socket, ZMQ_RCVTIMEO, 1);
    ts_error(zmq_recv(socket, NULL, 0, 0), EAGAIN);
    ts_set_int(socket, ZMQ_RCVTIMEO, TS_TIMEOUT_MS);
}

static void by_polling(void *socket)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    ts_value(zmq_poll(&item, 1, 1), 0);
}

static void by_asking(void *socket)
{
    ts_value(ts_get_int(socket, ZMQ_EVENTS) & ZMQ_POLLIN, 0);
}

static void (*const looks[])(void *) = {by_receiving, by_waiting, by_polling, by_asking};

/* ---- Tests ------------------------------------------------------------------------------------ */

/* Far more than kernel buffers hold: the sender gets rid of it only if somebody reads. */
static void absent_receiver_is_filled_to_its_mark(void **state)
{
    enum { COUNT = 900, SIZE = 2000 };
    for (size_t i = 0; i < TS_COUNT(looks); ++i) {
        static char body[SIZE];
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_set_int(push, ZMQ_SNDHWM, 1);
        ts_set_int(push, ZMQ_SNDBUF, 16384);
        ts_set_int(pull, ZMQ_RCVBUF, 16384);
        ts_pair_over(context, pull, push, *state);
        ts_send(push, "first", 0);
        ts_recv(pull, "first");
        looks[i](pull);
        for (int n = 0; n < COUNT; ++n) {
            ts_pattern(body, SIZE, (uint32_t)n);
            ts_send_bytes(push, body, SIZE, 0);
        }
        for (int n = 0; n < COUNT; ++n) {
            ts_pattern(body, SIZE, (uint32_t)n);
            ts_recv_bytes(pull, body, SIZE, false);
        }
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* What the owner queued, and the kernel did not take at once, goes out while it is away. */
static void absent_sender_delivers(void **state)
{
    enum { COUNT = 50, SIZE = 20000 };
    for (size_t i = 0; i < TS_COUNT(looks); ++i) {
        static char body[SIZE];
        void *context = ts_context();
        void *near = ts_socket(context, ZMQ_PAIR), *far = ts_socket(context, ZMQ_PAIR);
        ts_set_int(near, ZMQ_SNDBUF, 16384);
        ts_set_int(far, ZMQ_RCVBUF, 16384);
        ts_pair_over(context, near, far, *state);
        ts_send(far, "first", 0);
        ts_recv(near, "first");
        looks[i](near);
        for (int n = 0; n < COUNT; ++n) {
            ts_pattern(body, SIZE, (uint32_t)n);
            ts_send_bytes(near, body, SIZE, ZMQ_DONTWAIT);
        }
        if (i % 2)
            looks[i](near);
        for (int n = 0; n < COUNT; ++n) {
            ts_pattern(body, SIZE, (uint32_t)n);
            ts_recv_bytes(far, body, SIZE, false);
        }
        ts_close(near);
        ts_close(far);
        ts_terminate(context);
    }
}

static void absent_owner_answers_pings(void **state)
{
    for (size_t i = 0; i < TS_COUNT(looks); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL);
        ts_bind(pull, *state, endpoint);
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        for (int round = 0; round < 5; ++round) {
            ts_raw_send_frame(fd, 0, "first", 5);
            ts_recv(pull, "first");
            looks[i](pull);
            for (int n = 0; n < 3; ++n) {
                ts_raw_send_frame(fd, TS_FRAME_COMMAND, "\4PING\0\0who?", 11);
                ts_raw_expect_frame(fd, TS_FRAME_COMMAND, "\4PONGwho?", 9);
            }
        }
        close(fd);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* And one that is there comes instead, also unnoticed by the owner. */
static void absent_owner_loses_and_gets_connections(void **state)
{
    for (size_t i = 0; i < TS_COUNT(looks); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL);
        int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        void *monitor = ts_monitor(context, pull, events);
        ts_bind(pull, *state, endpoint);
        for (int round = 0; round < 5; ++round) {
            int fd = ts_raw_connect(endpoint);
            ts_raw_handshake(fd, "PUSH", NULL, 0);
            ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
            ts_raw_send_frame(fd, 0, "first", 5);
            ts_recv(pull, "first");
            looks[i](pull);
            ts_raw_send_frame(fd, 0, "last", 4);
            close(fd);
            ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
            ts_recv(pull, "last");
            looks[i](pull);
        }
        ts_unmonitor(pull, monitor);
        ts_close(pull);
        ts_terminate(context);
    }
}

static void absent_owner_connects_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < TS_COUNT(looks); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context();
        void *dealer = ts_socket(context, ZMQ_DEALER);
        ts_set_int(dealer, ZMQ_RECONNECT_IVL, 1);
        ts_ok(zmq_connect(dealer, endpoint));
        for (int round = 0; round < 5; ++round) {
            int fd = ts_raw_accept(listener);
            ts_raw_handshake(fd, "DEALER", NULL, 0);
            ts_raw_send_frame(fd, 0, "first", 5);
            ts_recv(dealer, "first");
            looks[i](dealer);
            close(fd);
        }
        close(listener);
        ts_close(dealer);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(absent_receiver_is_filled_to_its_mark),
        TS_ON_CONNECTIONS(absent_sender_delivers),
        TS_ON_NETWORK(absent_owner_answers_pings),
        TS_ON_NETWORK(absent_owner_loses_and_gets_connections),
        cmocka_unit_test(absent_owner_connects_again),
    };
    return TS_RUN(tests);
}
