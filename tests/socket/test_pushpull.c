/* SPDX-License-Identifier: MPL-2.0 */
/* PUSH and PULL: load balancing, fair queueing, mute states, high-water marks. */
#include "support/test_support.h"

#include <errno.h>
#include <stdatomic.h>

enum { PEERS = 3, ROUNDS = 20 };

static void send_number(void *socket, int number)
{
    ts_send_bytes(socket, &number, sizeof number, 0);
}

static int recv_number(void *socket)
{
    int number = -1;
    ts_value(zmq_recv(socket, &number, sizeof number, 0), sizeof number);
    return number;
}

static void wrong_direction_is_not_supported(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, *state, endpoint);
    ts_ok(zmq_connect(push, endpoint));
    ts_error(zmq_recv(push, NULL, 0, ZMQ_DONTWAIT), ENOTSUP);
    ts_error(zmq_recv(push, NULL, 0, 0), ENOTSUP);
    ts_error(zmq_send(pull, "x", 1, ZMQ_DONTWAIT), ENOTSUP);
    ts_error(zmq_send(pull, "x", 1, 0), ENOTSUP);
    ts_send(push, "x", 0);
    ts_wait_readable(pull);
    ts_value(ts_get_int(pull, ZMQ_EVENTS), ZMQ_POLLIN);
    ts_value(ts_get_int(push, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Connecting: the order of the peers is the order of the connects. */
static void connected_push_takes_turns(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *pulls[PEERS];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    for (int i = 0; i < PEERS; ++i) {
        pulls[i] = ts_socket(context, ZMQ_PULL);
        ts_bind(pulls[i], *state, endpoint);
        ts_ok(zmq_connect(push, endpoint));
    }
    for (int n = 0; n < PEERS * ROUNDS; ++n)
        send_number(push, n);
    for (int i = 0; i < PEERS; ++i) {
        for (int round = 0; round < ROUNDS; ++round)
            ts_value(recv_number(pulls[i]), round * PEERS + i);
        ts_recv_nothing(pulls[i]);
        ts_close(pulls[i]);
    }
    ts_close(push);
    ts_terminate(context);
}

/* Binding: the order is the order of arrival, but every peer gets each PEERS-th message. */
static void bound_push_takes_turns(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *pulls[PEERS];
    bool taken[PEERS] = {false};
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    bool network = strcmp(*state, "inproc") != 0;
    ts_bind(push, *state, endpoint);
    for (int i = 0; i < PEERS; ++i) {
        pulls[i] = ts_socket(context, ZMQ_PULL);
        ts_ok(zmq_connect(pulls[i], endpoint));
        if (network)
            ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        /* Known to be attached once a message came through. */
        zmq_pollitem_t item = {.socket = pulls[i], .events = ZMQ_POLLIN};
        do
            send_number(push, -1);
        while (zmq_poll(&item, 1, 1) != 1);
    }
    /* Everybody's probes are over when everybody has seen the end of a full turn. */
    for (int n = 0; n < PEERS * (ROUNDS + 1); ++n)
        send_number(push, n);
    for (int i = 0; i < PEERS; ++i) {
        int first;
        while ((first = recv_number(pulls[i])) == -1)
            continue;
        ts_check(first >= 0 && first < PEERS && !taken[first]);
        taken[first] = true;
        for (int round = 1; round <= ROUNDS; ++round)
            ts_value(recv_number(pulls[i]), round * PEERS + first);
        ts_close(pulls[i]);
    }
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_terminate(context);
}

static void multipart_message_goes_to_one_peer(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *pulls[PEERS];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    for (int i = 0; i < PEERS; ++i) {
        pulls[i] = ts_socket(context, ZMQ_PULL);
        ts_bind(pulls[i], *state, endpoint);
        ts_ok(zmq_connect(push, endpoint));
    }
    for (int n = 0; n < PEERS * ROUNDS; ++n)
        ts_send_parts(push, "first", "", "third");
    for (int i = 0; i < PEERS; ++i) {
        for (int round = 0; round < ROUNDS; ++round)
            ts_recv_parts(pulls[i], "first", "", "third");
        ts_recv_nothing(pulls[i]);
        ts_close(pulls[i]);
    }
    ts_close(push);
    ts_terminate(context);
}

/* A sender waits a little for its only receiver before a queue grows that long, but never instead of
   queueing: up to the high-water mark every send succeeds. */
static void blocking_sends_fill_the_queue_of_a_silent_peer(void **state)
{
    enum { MARK = 1000, SIZE = 4096, LIMIT = 20000 };
    uint32_t body[SIZE / sizeof(uint32_t)] = {0};
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(pull, ZMQ_RCVHWM, 1);
    ts_set_int(push, ZMQ_SNDHWM, MARK);
    ts_set_int(push, ZMQ_SNDTIMEO, 300);
    ts_connect_pair(context, pull, push, *state);
    uint32_t sent = 0;
    for (; sent < LIMIT && zmq_send(push, body, SIZE, 0) == SIZE; body[0] = ++sent)
        continue;
    ts_value(zmq_errno(), EAGAIN);
    ts_check(sent >= MARK && sent < LIMIT);
    for (uint32_t n = 0; n < sent; n++) {
        ts_value(zmq_recv(pull, body, SIZE, 0), SIZE);
        ts_value(body[0], n);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* With everything queued beforehand (only inproc can promise that) the turns are exact. */
static void pull_takes_turns_inproc(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *pushes[PEERS];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, "inproc", endpoint);
    for (int i = 0; i < PEERS; ++i) {
        pushes[i] = ts_socket(context, ZMQ_PUSH);
        ts_ok(zmq_connect(pushes[i], endpoint));
        for (int round = 0; round < ROUNDS; ++round) {
            int number = round * PEERS + i;
            ts_send_bytes(pushes[i], &number, sizeof number, ZMQ_SNDMORE);
            ts_send(pushes[i], "tail", 0);
        }
    }
    for (int n = 0; n < PEERS * ROUNDS; ++n) {
        ts_value(recv_number(pull), n);
        ts_recv(pull, "tail");
    }
    ts_recv_nothing(pull);
    for (int i = 0; i < PEERS; ++i)
        ts_close(pushes[i]);
    ts_close(pull);
    ts_terminate(context);
}

struct flood {
    void *context;
    const char *endpoint;
    atomic_bool stop;
};

static void flood_until_told(void *argument)
{
    struct flood *flood = argument;
    void *push = ts_socket(flood->context, ZMQ_PUSH);
    ts_ok(zmq_connect(push, flood->endpoint));
    while (!atomic_load(&flood->stop))
        if (zmq_send(push, "flood", 5, ZMQ_DONTWAIT) == -1)
            ts_value(zmq_errno(), EAGAIN);
    ts_close(push);
}

static void quiet_sender_is_not_starved(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], text[64];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    void *quiet = ts_socket(context, ZMQ_PUSH);
    ts_bind(pull, *state, endpoint);
    struct flood flood = {.context = context, .endpoint = endpoint};
    struct ts_thread *thread = ts_thread_start(flood_until_told, &flood);
    ts_recv(pull, "flood");
    ts_ok(zmq_connect(quiet, endpoint));
    for (int round = 0; round < 10; ++round) {
        ts_send(quiet, "quiet", 0);
        do
            ts_recv_any(pull, text, sizeof text);
        while (strcmp(text, "quiet") != 0);
    }
    atomic_store(&flood.stop, true);
    ts_thread_join(thread);
    ts_close(quiet);
    ts_close(pull);
    ts_terminate(context);
}

static void bound_push_without_peer_would_block(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_bind(push, *state, endpoint);
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_value(ts_get_int(push, ZMQ_EVENTS), 0);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_connect(pull, endpoint));
    ts_send(push, "waits for the peer", 0);
    ts_recv(pull, "waits for the peer");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Nobody listens: the socket's own mark is the limit, exactly. */
static void unconnected_push_takes_its_mark(void **state)
{
    static const int marks[] = {1, 2, 7, 1000};
    for (size_t i = 0; i < TS_COUNT(marks); ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_address_reserve(&address, *state);
        ts_set_int(push, ZMQ_SNDHWM, marks[i]);
        ts_ok(zmq_connect(push, address.endpoint));
        ts_value(ts_fill(push, "x", 2000), marks[i]);
        ts_close(push);
        ts_address_release(&address);
        ts_terminate(context);
    }
}

static void mark_zero_is_unlimited(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 0);
    ts_set_int(pull, ZMQ_RCVHWM, 0);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_connect(push, address.endpoint));
    for (int n = 0; n < 20000; ++n)
        ts_send_bytes(push, &n, sizeof n, ZMQ_DONTWAIT);
    ts_ok(zmq_bind(pull, address.endpoint));
    for (int n = 0; n < 20000; ++n)
        ts_value(recv_number(pull), n);
    ts_address_release(&address);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* The mark counts messages, so one that was begun may always be completed. */
static void begun_message_may_be_completed(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 1);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_connect(push, address.endpoint));
    for (int part = 0; part < 100; ++part)
        ts_send(push, "part", ZMQ_DONTWAIT | ZMQ_SNDMORE);
    ts_send(push, "last", ZMQ_DONTWAIT);
    ts_error(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_ok(zmq_bind(pull, address.endpoint));
    for (int part = 0; part < 100; ++part)
        ts_recv_bytes(pull, "part", 4, true);
    ts_recv(pull, "last");
    ts_recv_nothing(pull);
    ts_address_release(&address);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void full_peer_is_skipped(void **state)
{
    (void)state;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    void *small = ts_socket(context, ZMQ_PULL), *large = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 1);
    ts_set_int(small, ZMQ_RCVHWM, 1);
    ts_set_int(large, ZMQ_RCVHWM, 9);
    ts_ok(zmq_bind(small, "inproc://small"));
    ts_ok(zmq_bind(large, "inproc://large"));
    ts_ok(zmq_connect(push, "inproc://small"));
    ts_ok(zmq_connect(push, "inproc://large"));
    ts_value(ts_fill(push, "x", 100), 12);
    for (int i = 0; i < 2; ++i)
        ts_recv(small, "x");
    ts_recv_nothing(small);
    for (int i = 0; i < 10; ++i)
        ts_recv(large, "x");
    ts_recv_nothing(large);
    ts_close(push);
    ts_close(small);
    ts_close(large);
    ts_terminate(context);
}

/* SNDHWM acts on existing connections too; lowering it discards nothing. */
static void marks_change_while_connected(void **state)
{
    (void)state;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 1);
    ts_set_int(pull, ZMQ_RCVHWM, 1);
    ts_connect_pair(context, pull, push, "inproc");
    ts_send(push, "a", ZMQ_DONTWAIT);
    ts_set_int(push, ZMQ_SNDHWM, 5);
    ts_value(ts_fill(push, "b", 100), 5);
    ts_set_int(push, ZMQ_SNDHWM, 1);
    for (int i = 0; i < 6; ++i)
        ts_recv(pull, i < 1 ? "a" : "b");
    ts_recv_nothing(pull);
    ts_wait_writable(push);
    ts_check(ts_fill(push, "c", 100) <= 2);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* 16 MB: more than the marks and the kernel's buffers hold. */
enum { BLOCKING_COUNT = 4000 };
static char block[4096];

static void send_many(void *socket)
{
    for (int n = 0; n < BLOCKING_COUNT; ++n)
        ts_send_bytes(socket, block, sizeof block, 0);
}

static void blocked_sender_resumes(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 2);
    ts_set_int(pull, ZMQ_RCVHWM, 2);
    ts_connect_pair(context, pull, push, *state);
    struct ts_thread *thread = ts_thread_start(send_many, push);
    ts_thread_await_sleep(thread);
    for (int n = 0; n < BLOCKING_COUNT; ++n)
        ts_recv_bytes(pull, block, sizeof block, false);
    ts_recv_nothing(pull);
    ts_thread_join(thread);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(wrong_direction_is_not_supported),
        TS_ON_ALL(connected_push_takes_turns),
        TS_ON_ALL(bound_push_takes_turns),
        TS_ON_ALL(multipart_message_goes_to_one_peer),
        cmocka_unit_test(pull_takes_turns_inproc),
        TS_ON_ALL(quiet_sender_is_not_starved),
        TS_ON_ALL(bound_push_without_peer_would_block),
        TS_ON_ALL(unconnected_push_takes_its_mark),
        TS_ON_ALL(mark_zero_is_unlimited),
        TS_ON_ALL(begun_message_may_be_completed),
        cmocka_unit_test(full_peer_is_skipped),
        cmocka_unit_test(marks_change_while_connected),
        TS_ON_CONNECTIONS(blocking_sends_fill_the_queue_of_a_silent_peer),
        TS_ON_ALL(blocked_sender_resumes),
    };
    return TS_RUN(tests);
}
