/* SPDX-License-Identifier: MPL-2.0 */
/* ZMQ_FD in somebody else's event loop, together with ZMQ_EVENTS. */
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

static int get_fd(void *socket)
{
    return ts_get_int(socket, ZMQ_FD);
}

/* The rule of the interface: look at EVENTS first; only if what is wanted is missing, wait until
 * the descriptor is readable and look again. */
static void wait_by_fd(void *socket, int events)
{
    struct pollfd item = {.fd = get_fd(socket), .events = POLLIN};
    while (!(ts_get_int(socket, ZMQ_EVENTS) & events))
        if (poll(&item, 1, TS_TIMEOUT_MS) != 1)
            ts_fail("event %d never came through the descriptor", events);
}

static void descriptor_stays_the_same(void **state)
{
    void *context = ts_context();
    void *a = ts_socket(context, ZMQ_PAIR), *b = ts_socket(context, ZMQ_PAIR);
    int fd = get_fd(a);
    ts_check(fd >= 0 && fd != get_fd(b));
    ts_connect_pair(context, a, b, *state);
    ts_send(b, "x", 0);
    ts_recv(a, "x");
    ts_value(get_fd(a), fd);
    ts_close(a);
    ts_close(b);
    ts_terminate(context);
}

static void send_series(void *socket)
{
    for (int n = 0; n < 2000; ++n) {
        ts_send_bytes(socket, &n, sizeof n, n % 5 == 0 ? ZMQ_SNDMORE : 0);
        if (n % 97 == 0)
            sched_yield();
    }
    ts_send(socket, "end", 0);
}

/* A receiver driven by the descriptor alone misses nothing, whatever the sender's rhythm. */
static void receiving_by_descriptor(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_connect_pair(context, pull, push, *state);
    struct ts_thread *thread = ts_thread_start(send_series, push);
    for (int n = 0; n < 2000; ++n) {
        int number = -1;
        wait_by_fd(pull, ZMQ_POLLIN);
        ts_value(zmq_recv(pull, &number, sizeof number, ZMQ_DONTWAIT), sizeof number);
        ts_value(number, n);
    }
    wait_by_fd(pull, ZMQ_POLLIN);
    ts_recv(pull, "end");
    ts_thread_join(thread);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Nothing to do: after EVENTS has been read the descriptor becomes quiet; a message raises it. */
static void descriptor_signals_a_message(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_connect_pair(context, pull, push, *state);
    struct pollfd item = {.fd = get_fd(pull), .events = POLLIN};
    for (int round = 0; round < 20; ++round) {
        int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
        do {
            ts_value(ts_get_int(pull, ZMQ_EVENTS) & ZMQ_POLLIN, 0);
            ts_check(ts_now_ms() < deadline);
        } while (poll(&item, 1, 0) != 0);
        ts_send(push, "x", 0);
        ts_value(poll(&item, 1, TS_TIMEOUT_MS), 1);
        wait_by_fd(pull, ZMQ_POLLIN);
        ts_value(zmq_recv(pull, NULL, 0, ZMQ_DONTWAIT), 1);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void *late_context;
static char late_endpoint[TS_ENDPOINT_MAX];

static void connect_late(void *argument)
{
    void *pull = argument;
    ts_ok(zmq_connect(pull, late_endpoint));
    ts_recv(pull, "x");
}

/* A peer that arrives makes a sender writable. */
static void descriptor_signals_a_peer(void **state)
{
    late_context = ts_context();
    void *push = ts_socket(late_context, ZMQ_PUSH), *pull = ts_socket(late_context, ZMQ_PULL);
    get_fd(push);
    ts_bind(push, *state, late_endpoint);
    ts_value(ts_get_int(push, ZMQ_EVENTS), 0);
    struct ts_thread *thread = ts_thread_start(connect_late, pull);
    wait_by_fd(push, ZMQ_POLLOUT);
    ts_send(push, "x", ZMQ_DONTWAIT);
    ts_thread_join(thread);
    ts_close(push);
    ts_close(pull);
    ts_terminate(late_context);
}

static void drain(void *pull)
{
    char text[64];
    do
        ts_recv_any(pull, text, sizeof text);
    while (strcmp(text, "end") != 0);
}

/* A sender that was full becomes writable again, and learns it from the descriptor. */
static void descriptor_signals_room(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 10);
    ts_set_int(pull, ZMQ_RCVHWM, 10);
    ts_connect_pair(context, pull, push, *state);
    get_fd(push);
    struct ts_thread *thread = ts_thread_start(drain, pull);
    for (int n = 0; n < 20000; ++n)
        while (zmq_send(push, &n, sizeof n, ZMQ_DONTWAIT) == -1) {
            ts_value(zmq_errno(), EAGAIN);
            wait_by_fd(push, ZMQ_POLLOUT);
        }
    ts_send(push, "end", 0);
    ts_thread_join(thread);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Asking for EVENTS processes what has happened, e.g. subscriptions, without any receive. */
static void events_show_subscriptions(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *xpub = ts_socket(context, ZMQ_XPUB), *sub = ts_socket(context, ZMQ_SUB);
    get_fd(xpub);
    ts_bind(xpub, *state, endpoint);
    ts_ok(zmq_connect(sub, endpoint));
    ts_value(ts_get_int(xpub, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "A");
    wait_by_fd(xpub, ZMQ_POLLIN);
    ts_recv_bytes(xpub, "\1A", 2, false);
    ts_close(xpub);
    ts_close(sub);
    ts_terminate(context);
}

static void descriptor_signals_termination(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    int value;
    size_t size = sizeof value;
    ts_bind(pull, *state, endpoint);
    struct pollfd item = {.fd = get_fd(pull), .events = POLLIN};
    ts_value(ts_get_int(pull, ZMQ_EVENTS), 0);
    ts_ok(zmq_ctx_shutdown(context));
    ts_value(poll(&item, 1, TS_TIMEOUT_MS), 1);
    ts_error(zmq_getsockopt(pull, ZMQ_EVENTS, &value, &size), ETERM);
    ts_close(pull);
    ts_terminate(context);
}

static void receive_one(void *pull)
{
    ts_recv(pull, "message");
}

/* Asked for by one thread while another one sleeps in a call. */
static void descriptor_asked_for_beside_a_sleeper(void **state)
{
    for (int round = 0; round < TS_ROUNDS(20, 5); ++round) {
        struct ts_push_pull pair = ts_open_push_pull(*state);
        ts_send(pair.push, "message", 0);
        receive_one(pair.pull);
        struct ts_thread *thread = ts_thread_start(receive_one, pair.pull);
        ts_thread_await_sleep(thread);
        get_fd(pair.pull);
        if (round % 2)
            zmq_poll(NULL, 0, 1);
        ts_send(pair.push, "message", 0);
        ts_thread_join(thread);
        ts_close_push_pull(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(descriptor_stays_the_same),      TS_ON_ALL(receiving_by_descriptor),
        TS_ON_ALL(descriptor_signals_a_message),   TS_ON_ALL(descriptor_signals_a_peer),
        TS_ON_ALL(descriptor_signals_room),        TS_ON_ALL(events_show_subscriptions),
        TS_ON_ALL(descriptor_signals_termination), TS_ON_ALL(descriptor_asked_for_beside_a_sleeper),
    };
    return TS_RUN(tests);
}
