/* SPDX-License-Identifier: MPL-2.0 */
/* What happens to unsent messages on close and disconnect. */
#include "support/test_support.h"

#include <errno.h>

enum { COUNT = 500 };

static void send_all(void *socket)
{
    for (int n = 0; n < COUNT; ++n) {
        ts_send_bytes(socket, &n, sizeof n, ZMQ_SNDMORE);
        ts_send(socket, "tail", 0);
    }
}

static void receive_all(void *socket)
{
    for (int n = 0; n < COUNT; ++n) {
        ts_recv_bytes(socket, &n, sizeof n, true);
        ts_recv(socket, "tail");
    }
}

/* Closed with an infinite LINGER before anybody listened: everything arrives. */
static void infinite_linger_delivers_later(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_ok(zmq_connect(push, address.endpoint));
    send_all(push);
    ts_close(push);
    ts_ok(zmq_bind(pull, address.endpoint));
    receive_all(pull);
    ts_recv_nothing(pull);
    ts_address_release(&address);
    ts_close(pull);
    ts_terminate(context);
}

/* The same for a disconnected endpoint, while the socket lives on. */
static void disconnected_endpoint_lingers(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_ok(zmq_connect(push, address.endpoint));
    send_all(push);
    ts_ok(zmq_disconnect(push, address.endpoint));
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_ok(zmq_bind(pull, address.endpoint));
    receive_all(pull);
    ts_address_release(&address);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* The accepting side closes: its peers still get what was queued for them. */
static void bound_side_delivers(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_connect_pair(context, push, pull, *state);
    send_all(push);
    ts_close(push);
    receive_all(pull);
    ts_close(pull);
    ts_terminate(context);
}

/* LINGER 0: nobody to deliver to, so nothing may be kept or waited for. */
static void zero_linger_discards(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_LINGER, 0);
    ts_ok(zmq_connect(push, address.endpoint));
    send_all(push);
    ts_close(push);
    ts_terminate(context);
    /* All of the first context is gone now; whoever listens next hears nothing of it. */
    context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    push = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_bind(pull, address.endpoint));
    ts_ok(zmq_connect(push, address.endpoint));
    ts_send(push, "only this", 0);
    ts_recv(pull, "only this");
    ts_recv_nothing(pull);
    ts_address_release(&address);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* The value at the time of the close counts, not the one at the time of the connect. */
static void linger_is_read_at_close(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_ok(zmq_connect(push, address.endpoint));
    send_all(push);
    ts_set_int(push, ZMQ_LINGER, 0);
    ts_close(push);
    ts_terminate(context);
    ts_address_release(&address);
}

/* Several sockets with different values: each follows its own. */
static void sockets_linger_on_their_own(void **state)
{
    struct ts_address address, dead;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *lost = ts_socket(context, ZMQ_PUSH);
    void *brief = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_address_reserve(&address, *state);
    ts_address_reserve(&dead, *state);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_set_int(brief, ZMQ_LINGER, 20);
    ts_ok(zmq_connect(lost, dead.endpoint));
    ts_ok(zmq_connect(brief, dead.endpoint));
    ts_ok(zmq_connect(push, address.endpoint));
    send_all(lost);
    send_all(brief);
    send_all(push);
    ts_close(lost);
    ts_close(brief);
    ts_close(push);
    ts_ok(zmq_bind(pull, address.endpoint));
    receive_all(pull);
    ts_close(pull);
    ts_terminate(context);
    ts_address_release(&address);
    ts_address_release(&dead);
}

/* A half-finished multipart message is not delivered. */
static void unfinished_message_is_not_delivered(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    void *other = ts_socket(context, ZMQ_PUSH);
    char endpoint[TS_ENDPOINT_MAX];
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_connect_pair(context, pull, push, *state);
    ts_last_endpoint(pull, endpoint);
    ts_send(push, "whole", 0);
    ts_send(push, "half", ZMQ_SNDMORE);
    ts_close(push);
    ts_recv(pull, "whole");
    ts_ok(zmq_connect(other, endpoint));
    ts_send(other, "next", 0);
    ts_recv(pull, "next");
    ts_recv_nothing(pull);
    ts_close(other);
    ts_close(pull);
    ts_terminate(context);
}

/* inproc: what was queued stays readable after the sender closed, whatever LINGER says. */
static void inproc_ignores_linger(void **state)
{
    (void)state;
    for (int bound_first = 0; bound_first < 2; ++bound_first) {
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_set_int(push, ZMQ_LINGER, 0);
        if (bound_first)
            ts_ok(zmq_bind(pull, "inproc://linger"));
        ts_ok(zmq_connect(push, "inproc://linger"));
        send_all(push);
        ts_close(push);
        if (!bound_first)
            ts_ok(zmq_bind(pull, "inproc://linger"));
        receive_all(pull);
        ts_close(pull);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(infinite_linger_delivers_later),
        TS_ON_CONNECTIONS(disconnected_endpoint_lingers),
        TS_ON_ALL(bound_side_delivers),
        TS_ON_CONNECTIONS(zero_linger_discards),
        TS_ON_CONNECTIONS(linger_is_read_at_close),
        TS_ON_CONNECTIONS(sockets_linger_on_their_own),
        TS_ON_ALL(unfinished_message_is_not_delivered),
        cmocka_unit_test(inproc_ignores_linger),
    };
    return TS_RUN(tests);
}
