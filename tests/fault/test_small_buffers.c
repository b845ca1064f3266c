/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 240 */
/*
 * Small kernel buffers and receivers that stall: writes are cut anywhere, yet
 * every byte of every message arrives, once and in order.
 */
#include "support/test_support.h"

#include <errno.h>

/* Sizes around every limit an implementation may have, mixed with ordinary ones. */
static const size_t sizes[] = {0,    1,    7,     33,    34,    100,   255,   256,     257,
                               1000, 4096, 8191,  8192,  8193,  16000, 20,    65535,   65536,
                               3,    0,    70000, 12345, 2,     9000,  4095,  300000,  1,
                               10,   500,  65537, 40,    64000, 8192,  30000, 1048576, 5};

static size_t size_of(int number)
{
    return sizes[(size_t)number % TS_COUNT(sizes)];
}

static void send_numbered(void *socket, int number, int flags)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, size_of(number)));
    ts_pattern(zmq_msg_data(&message), size_of(number), (uint32_t)number);
    ts_value(zmq_msg_send(&message, socket, flags), (long long)size_of(number));
}

static void receive_numbered(void *socket, int number, bool more)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    if (zmq_msg_recv(&message, socket, 0) == -1)
        ts_fail("part %d: %s", number, zmq_strerror(zmq_errno()));
    if (zmq_msg_size(&message) != size_of(number))
        ts_fail("part %d has %zu bytes instead of %zu", number, zmq_msg_size(&message),
                size_of(number));
    if (!ts_pattern_ok(zmq_msg_data(&message), size_of(number), (uint32_t)number))
        ts_fail("part %d is corrupt", number);
    if (zmq_msg_more(&message) != more)
        ts_fail("part %d: more is %d", number, zmq_msg_more(&message));
    ts_ok(zmq_msg_close(&message));
}

/* Small, but not the kernel's minimum: with that TCP itself falls back to its timers, for minutes. */
enum { SMALL = 8192 };

static void *squeezed(void *context, int type)
{
    void *socket = ts_socket(context, type);
    ts_set_int(socket, ZMQ_SNDBUF, SMALL);
    ts_set_int(socket, ZMQ_RCVBUF, SMALL);
    ts_set_int(socket, ZMQ_LINGER, -1);
    return socket;
}

struct flow {
    void *socket;
    int first, count, parts; /* numbers first... in messages of so many parts */
};

static void send_flow(void *argument)
{
    struct flow *flow = argument;
    for (int n = 0; n < flow->count; ++n)
        send_numbered(flow->socket, flow->first + n,
                      (n + 1) % flow->parts && n + 1 < flow->count ? ZMQ_SNDMORE : 0);
}

static void receive_flow(struct flow *flow, void *socket)
{
    for (int n = 0; n < flow->count; ++n)
        receive_numbered(socket, flow->first + n, (n + 1) % flow->parts && n + 1 < flow->count);
}

/* The receiver does nothing until the sender is stuck, again and again. */
static void stalled_receiver_resumes(void **state)
{
    static const struct {
        int send_mark, receive_mark, parts;
    } rows[] = {{1000, 1000, 1}, {1, 1, 1}, {3, 2, 5}, {1000, 1, 7}};
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *context = ts_context();
        void *push = squeezed(context, ZMQ_PUSH), *pull = squeezed(context, ZMQ_PULL);
        ts_set_int(push, ZMQ_SNDHWM, rows[i].send_mark);
        ts_set_int(pull, ZMQ_RCVHWM, rows[i].receive_mark);
        ts_connect_pair(context, pull, push, *state);
        for (int round = 0; round < 3; ++round) {
            struct flow flow = {push, round * 31, 70, rows[i].parts};
            struct ts_thread *thread = ts_thread_start(send_flow, &flow);
            ts_thread_await_sleep(thread);
            receive_flow(&flow, pull);
            ts_thread_join(thread);
        }
        ts_recv_nothing(pull);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* The sender closes with everything still queued; LINGER delivers it. */
static void closed_sender_delivers(void **state)
{
    void *context = ts_context();
    void *push = squeezed(context, ZMQ_PUSH), *pull = squeezed(context, ZMQ_PULL);
    struct flow flow = {push, 0, 100, 3};
    ts_connect_pair(context, pull, push, *state);
    send_flow(&flow);
    ts_close(push);
    receive_flow(&flow, pull);
    ts_recv_nothing(pull);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- both directions at once ------------------------------------------------------------ */

struct exchange {
    void *socket;
    const char *id;     /* of the peer, where the socket is a ROUTER, else NULL */
    int sends, expects; /* the first number of either direction */
    int count;
};

static bool send_next(struct exchange *exchange, int number)
{
    if (exchange->id && zmq_send(exchange->socket, exchange->id, strlen(exchange->id),
                                 ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1) {
        ts_value(zmq_errno(), EAGAIN);
        return false;
    }
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, size_of(number)));
    ts_pattern(zmq_msg_data(&message), size_of(number), (uint32_t)number);
    bool sent = zmq_msg_send(&message, exchange->socket, ZMQ_DONTWAIT) != -1;
    if (!sent) {
        ts_value(zmq_errno(), EAGAIN);
        ts_ok(zmq_msg_close(&message));
    }
    return sent;
}

/* Sends and receives as readiness allows, until both directions are complete. */
static void run_exchange(void *argument)
{
    struct exchange *exchange = argument;
    int sent = 0, received = 0;
    while (sent < exchange->count || received < exchange->count) {
        short wanted = ZMQ_POLLIN | (sent < exchange->count ? ZMQ_POLLOUT : 0);
        zmq_pollitem_t item = {.socket = exchange->socket, .events = wanted};
        if (zmq_poll(&item, 1, TS_TIMEOUT_MS) != 1)
            ts_fail("stuck after %d sent and %d received", sent, received);
        if (item.revents & ZMQ_POLLIN) {
            if (exchange->id)
                ts_recv_bytes(exchange->socket, exchange->id, strlen(exchange->id), true);
            receive_numbered(exchange->socket, exchange->expects + received++, false);
        }
        if (item.revents & ZMQ_POLLOUT && sent < exchange->count)
            sent += send_next(exchange, exchange->sends + sent);
    }
}

static void both_directions_at_once(void **state)
{
    static const int marks[] = {1000, 2};
    for (size_t i = 0; i < TS_COUNT(marks); ++i) {
        void *context = ts_context();
        void *router = squeezed(context, ZMQ_ROUTER), *dealer = squeezed(context, ZMQ_DEALER);
        ts_set_text(dealer, ZMQ_ROUTING_ID, "D");
        ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
        ts_set_int(dealer, ZMQ_PROBE_ROUTER, 1);
        for (int side = 0; side < 2; ++side) {
            ts_set_int(side ? router : dealer, ZMQ_SNDHWM, marks[i]);
            ts_set_int(side ? router : dealer, ZMQ_RCVHWM, marks[i]);
        }
        ts_connect_pair(context, router, dealer, *state);
        ts_recv_parts(router, "D", "");
        struct exchange up = {dealer, NULL, 0, 1000, 150}, down = {router, "D", 1000, 0, 150};
        struct ts_thread *thread = ts_thread_start(run_exchange, &down);
        run_exchange(&up);
        ts_thread_join(thread);
        ts_close(dealer);
        ts_close(router);
        ts_terminate(context);
    }
}

/* Several connections share one receiver; a stalled one must not hold up or mix with others. */
static void many_squeezed_senders(void **state)
{
    enum { SENDERS = 4, COUNT = 40 };
    char endpoint[TS_ENDPOINT_MAX];
    int received[SENDERS] = {0};
    void *dealers[SENDERS];
    struct flow flows[SENDERS];
    struct ts_thread *threads[SENDERS];
    void *context = ts_context();
    void *router = squeezed(context, ZMQ_ROUTER);
    ts_bind(router, *state, endpoint);
    for (int i = 0; i < SENDERS; ++i) {
        dealers[i] = squeezed(context, ZMQ_DEALER);
        ts_set_bytes(dealers[i], ZMQ_ROUTING_ID, &"ABCD"[i], 1);
        ts_ok(zmq_connect(dealers[i], endpoint));
        flows[i] = (struct flow){dealers[i], i * 1000, COUNT, 1};
        threads[i] = ts_thread_start(send_flow, &flows[i]);
    }
    for (int n = 0; n < SENDERS * COUNT; ++n) {
        char id[4];
        ts_value((long long)ts_recv_any(router, id, sizeof id), 1);
        int sender = id[0] - 'A';
        ts_check(sender >= 0 && sender < SENDERS);
        receive_numbered(router, sender * 1000 + received[sender]++, false);
    }
    ts_recv_nothing(router);
    for (int i = 0; i < SENDERS; ++i) {
        ts_value(received[i], COUNT);
        ts_thread_join(threads[i]);
        ts_close(dealers[i]);
    }
    ts_close(router);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(stalled_receiver_resumes),
        TS_ON_CONNECTIONS(closed_sender_delivers),
        TS_ON_CONNECTIONS(both_directions_at_once),
        TS_ON_CONNECTIONS(many_squeezed_senders),
    };
    return TS_RUN(tests);
}
