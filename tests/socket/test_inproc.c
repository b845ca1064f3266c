/* SPDX-License-Identifier: MPL-2.0 */
/* What is special about inproc: names, connecting first, no handshake, no endpoint left behind. */
#include "support/test_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void names_are_any_text(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    char *text = malloc(LENGTH + 1);
    memset(text, 'n', LENGTH);
    memcpy(text, "inproc://", 9);
    text[LENGTH] = 0;
    const char *names[] = {"inproc://a", "inproc:// ",     "inproc://A",
                           "inproc://*", "inproc://a/b:c", "inproc://\xc3\xa4\x01",
                           text};
    void *context = ts_context();
    void *pulls[TS_COUNT(names)];
    for (size_t i = 0; i < TS_COUNT(names); ++i) {
        pulls[i] = ts_socket(context, ZMQ_PULL);
        ts_ok(zmq_bind(pulls[i], names[i]));
        ts_error(zmq_bind(pulls[i], names[i]), EADDRINUSE);
    }
    for (size_t i = 0; i < TS_COUNT(names); ++i) {
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_ok(zmq_connect(push, names[i]));
        ts_send_bytes(push, &i, sizeof i, 0);
        ts_recv_bytes(pulls[i], &i, sizeof i, false);
        ts_close(push);
    }
    for (size_t i = 0; i < TS_COUNT(names); ++i) {
        ts_recv_nothing(pulls[i]);
        ts_close(pulls[i]);
    }
    ts_terminate(context);
    free(text);
}

/* The name is free as soon as unbind has returned, and soon after a close. */
static void name_is_free_at_once(void **state)
{
    (void)state;
    void *context = ts_context();
    for (int round = 0; round < 100; ++round) {
        void *first = ts_socket(context, ZMQ_PULL), *second = ts_socket(context, ZMQ_PULL);
        ts_ok(zmq_bind(first, "inproc://name"));
        if (round % 2) {
            ts_ok(zmq_unbind(first, "inproc://name"));
            ts_ok(zmq_bind(second, "inproc://name"));
            ts_ok(zmq_unbind(second, "inproc://name"));
            ts_close(first);
        } else {
            ts_close(first);
            ts_rebind(second, "inproc://name");
            ts_ok(zmq_unbind(second, "inproc://name"));
        }
        ts_close(second);
    }
    ts_terminate(context);
}

static void many_connect_before_bind(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    void *context = ts_context();
    void *dealers[COUNT];
    bool seen[COUNT] = {false};
    for (int i = 0; i < COUNT; ++i) {
        dealers[i] = ts_socket(context, ZMQ_DEALER);
        ts_set_bytes(dealers[i], ZMQ_ROUTING_ID, &(char){(char)(i + 1)}, 1);
        ts_ok(zmq_connect(dealers[i], "inproc://late"));
        ts_send_bytes(dealers[i], &i, sizeof i, 0);
    }
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_ok(zmq_bind(router, "inproc://late"));
    for (int n = 0; n < COUNT; ++n) {
        char id[8];
        ts_value((long long)ts_recv_any(router, id, sizeof id), 1);
        int i = id[0] - 1;
        ts_check(i >= 0 && i < COUNT && !seen[i]);
        seen[i] = true;
        ts_recv_bytes(router, &i, sizeof i, false);
        ts_send_bytes(router, id, 1, ZMQ_SNDMORE);
        ts_send(router, "answer", 0);
    }
    for (int i = 0; i < COUNT; ++i) {
        ts_recv(dealers[i], "answer");
        ts_close(dealers[i]);
    }
    ts_close(router);
    ts_terminate(context);
}

/* Connecting, sending and closing before the bind: the messages are still there. */
static void closed_connector_is_heard_later(void **state)
{
    (void)state;
    void *context = ts_context();
    for (int i = 0; i < 10; ++i) {
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_ok(zmq_connect(push, "inproc://later"));
        ts_send_parts(push, "from", "the past");
        ts_close(push);
    }
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_bind(pull, "inproc://later"));
    for (int i = 0; i < 10; ++i)
        ts_recv_parts(pull, "from", "the past");
    ts_recv_nothing(pull);
    ts_close(pull);
    ts_terminate(context);
}

/* No reconnection: whoever binds the name next is somebody else. */
static void rebinding_does_not_reattach(void **state)
{
    (void)state;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_bind(pull, "inproc://name"));
    ts_ok(zmq_connect(push, "inproc://name"));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_close(pull);
    pull = ts_socket(context, ZMQ_PULL);
    ts_rebind(pull, "inproc://name");
    zmq_pollitem_t item = {.socket = push, .events = ZMQ_POLLOUT};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (zmq_poll(&item, 1, 0) != 0)
        ts_check(ts_now_ms() < deadline);
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_ok(zmq_connect(push, "inproc://name"));
    ts_send(push, "y", 0);
    ts_recv(pull, "y");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void disconnecting(void **state)
{
    (void)state;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_bind(pull, "inproc://name"));
    ts_ok(zmq_connect(push, "inproc://name"));
    ts_ok(zmq_connect(push, "inproc://name")); /* a second pipe */
    for (int i = 0; i < 10; ++i)
        ts_send(push, "x", 0);
    ts_ok(zmq_disconnect(push, "inproc://name"));
    ts_error(zmq_disconnect(push, "inproc://name"), ENOENT);
    ts_error(zmq_send(push, "y", 1, ZMQ_DONTWAIT), EAGAIN);
    for (int i = 0; i < 10; ++i)
        ts_recv(pull, "x");
    ts_recv_nothing(pull);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* A socket may be its own peer. */
static void talking_to_oneself(void **state)
{
    (void)state;
    void *context = ts_context();
    void *dealer = ts_socket(context, ZMQ_DEALER);
    ts_ok(zmq_bind(dealer, "inproc://self"));
    ts_ok(zmq_connect(dealer, "inproc://self"));
    for (int i = 0; i < 10; ++i) {
        ts_send_parts(dealer, "to", "myself");
        ts_recv_parts(dealer, "to", "myself");
    }
    ts_close(dealer);
    ts_terminate(context);
}

/* ---- the races of the two ends ---------------------------------------------------------- */

enum { MESSAGES = 20000 };

static void produce(void *push)
{
    for (int n = 0; n < MESSAGES; ++n)
        ts_send_bytes(push, &n, sizeof n, 0);
}

/* A queue of one message: producer and consumer go to sleep on each other all the time. */
static void smallest_queue_loses_no_wakeup(void **state)
{
    (void)state;
    static const int marks[][2] = {{1, 1}, {1, 2}, {3, 1}, {50, 50}};
    for (size_t i = 0; i < TS_COUNT(marks); ++i) {
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_set_int(push, ZMQ_SNDHWM, marks[i][0]);
        ts_set_int(pull, ZMQ_RCVHWM, marks[i][1]);
        ts_connect_pair(context, pull, push, "inproc");
        struct ts_thread *thread = ts_thread_start(produce, push);
        for (int n = 0; n < MESSAGES; ++n)
            ts_recv_bytes(pull, &n, sizeof n, false);
        ts_thread_join(thread);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

struct closing {
    void *socket;
    atomic_int *ready;
};

static void close_together(void *argument)
{
    struct closing *closing = argument;
    atomic_fetch_add(closing->ready, 1);
    while (atomic_load(closing->ready) < 2)
        continue;
    ts_close(closing->socket);
}

static void both_ends_close_at_once(void **state)
{
    (void)state;
    void *context = ts_context();
    for (int round = 0; round < 200; ++round) {
        atomic_int ready = 0;
        struct closing a = {ts_socket(context, ZMQ_PAIR), &ready};
        struct closing b = {ts_socket(context, ZMQ_PAIR), &ready};
        ts_rebind(a.socket, "inproc://race");
        ts_ok(zmq_connect(b.socket, "inproc://race"));
        for (int n = 0; n < round % 3; ++n) {
            ts_send(a.socket, "x", 0);
            ts_send(b.socket, "y", 0);
        }
        struct ts_thread *thread = ts_thread_start(close_together, &a);
        close_together(&b);
        ts_thread_join(thread);
    }
    ts_terminate(context);
}

struct pushing {
    void *socket;
    atomic_bool stop;
};

static void push_until_told(void *argument)
{
    struct pushing *pushing = argument;
    while (!atomic_load(&pushing->stop))
        if (zmq_send(pushing->socket, "some text", 9, ZMQ_DONTWAIT) == -1)
            ts_value(zmq_errno(), EAGAIN);
}

/* The receiver closes while messages are being pushed; the sender only sees "nobody there". */
static void receiver_closes_while_the_sender_pushes(void **state)
{
    (void)state;
    void *context = ts_context();
    struct pushing pushing = {.socket = ts_socket(context, ZMQ_PUSH)};
    ts_ok(zmq_bind(pushing.socket, "inproc://push"));
    struct ts_thread *thread = ts_thread_start(push_until_told, &pushing);
    for (int round = 0; round < 100; ++round) {
        void *pull = ts_socket(context, ZMQ_PULL);
        ts_ok(zmq_connect(pull, "inproc://push"));
        for (int n = 0; n <= round; ++n)
            ts_recv(pull, "some text");
        ts_close(pull);
    }
    atomic_store(&pushing.stop, true);
    ts_thread_join(thread);
    ts_close(pushing.socket);
    ts_terminate(context);
}

struct receiver {
    void *socket;
    bool polls;
};

static void *receive_once(void *arg)
{
    struct receiver *receiver = arg;
    char buffer[16];
    if (receiver->polls)
        ts_wait_readable(receiver->socket);
    ts_recv_any(receiver->socket, buffer, sizeof buffer);
    return NULL;
}

/* A connector writes before the binder knows of it: subscriptions, a probe. */
static void connect_to_sleeper(int bound_type, int type, bool polls, bool has_connections,
                               unsigned delay_us)
{
    char endpoint[TS_ENDPOINT_MAX];
    pthread_t thread;
    void *context = ts_context();
    void *peer = ts_socket(context, type);
    struct receiver receiver = {ts_socket(context, bound_type), polls};
    if (has_connections)
        ts_bind(receiver.socket, "tcp", endpoint);
    ts_bind(receiver.socket, "inproc", endpoint);
    if (type == ZMQ_SUB)
        ts_set_text(peer, ZMQ_SUBSCRIBE, "x");
    else
        ts_set_int(peer, ZMQ_PROBE_ROUTER, 1);
    ts_value(pthread_create(&thread, NULL, receive_once, &receiver), 0);
    usleep(delay_us); /* the receiver may be anywhere, and mostly sleeps */
    ts_ok(zmq_connect(peer, endpoint));
    ts_value(pthread_join(thread, NULL), 0);
    ts_close(peer);
    ts_close(receiver.socket);
    ts_terminate(context);
}

static void sleeper_learns_what_a_new_peer_brought(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 24; i++) {
        connect_to_sleeper(ZMQ_XPUB, ZMQ_SUB, i & 1, i & 2, i * 400);
        connect_to_sleeper(ZMQ_ROUTER, ZMQ_DEALER, i & 1, i & 2, i * 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_any_text),
        cmocka_unit_test(name_is_free_at_once),
        cmocka_unit_test(many_connect_before_bind),
        cmocka_unit_test(closed_connector_is_heard_later),
        cmocka_unit_test(rebinding_does_not_reattach),
        cmocka_unit_test(disconnecting),
        cmocka_unit_test(talking_to_oneself),
        cmocka_unit_test(smallest_queue_loses_no_wakeup),
        cmocka_unit_test(sleeper_learns_what_a_new_peer_brought),
        cmocka_unit_test(both_ends_close_at_once),
        cmocka_unit_test(receiver_closes_while_the_sender_pushes),
    };
    return TS_RUN(tests);
}
