/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* ctest-serial */
/* Two thousand connections at once, one after the other, and in one poll. */
#include "support/process.h"
#include "support/random.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <stdlib.h>

enum { MANY = TS_ROUNDS(2000, 100) };

/* As many as the descriptors allow, `each` a piece. */
static int affordable(const char *transport, int each)
{
    long limit = ts_want_descriptors((long)MANY * each + 200);
    long count = (limit - 200) / each;
    int wanted = ts_scaled(transport, MANY);
    ts_check(count >= 3);
    if (count < wanted)
        print_message("    only %ld, because of the limit of %ld descriptors\n", count, limit);
    return count < wanted ? (int)count : wanted;
}

static void *large_context(int sockets)
{
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, sockets + 10));
    return context;
}

static void answer_one(void *router)
{
    char id[8], text[32];
    size_t id_size = ts_recv_any(router, id, sizeof id);
    size_t size = ts_recv_any(router, text, sizeof text);
    ts_send_bytes(router, id, id_size, ZMQ_SNDMORE);
    ts_send_bytes(router, text, size, 0);
}

static void one_router_serves_two_thousand(void **state)
{
    static void *dealers[MANY];
    char endpoint[TS_ENDPOINT_MAX];
    int count = affordable(*state, 4); /* a socket has two of its own, a connection two ends */
    void *context = large_context(count + 1);
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_int(router, ZMQ_SNDHWM, 0);
    ts_set_int(router, ZMQ_RCVHWM, 0);
    ts_set_int(router, ZMQ_BACKLOG, 4096);
    ts_bind_over(router, *state, endpoint);
    for (int i = 0; i < count; ++i) {
        dealers[i] = ts_socket(context, ZMQ_DEALER);
        ts_connect_over(dealers[i], *state, endpoint);
        ts_send_bytes(dealers[i], &i, sizeof i, 0);
    }
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < count; ++i)
            answer_one(router);
        for (int i = 0; i < count; ++i) {
            ts_recv_bytes(dealers[i], &i, sizeof i, false);
            if (round < 2)
                ts_send_bytes(dealers[i], &i, sizeof i, 0);
        }
    }
    ts_recv_nothing(router);
    for (int i = 0; i < count; ++i)
        ts_close(dealers[i]);
    ts_close(router);
    ts_terminate(context);
}

/* ---- One after the other ----------------------------------------------------------------------- */

/* Connections end in the background. */
static void await_descriptors(int count)
{
    struct ts_random random = ts_random_stream(1);
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (ts_open_descriptors() > count) {
        if (ts_now_ms() > deadline)
            ts_fail("%d descriptors are open instead of %d", ts_open_descriptors(), count);
        ts_random_sleep(&random, 2000);
    }
}

static void come_and_go(void *context, const char *transport, const char *endpoint, void *pull,
                        int number)
{
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_connect_over(push, transport, endpoint);
    ts_send_bytes(push, &number, sizeof number, 0);
    if (number % 2)
        ts_close(push);
    ts_recv_bytes(pull, &number, sizeof number, false);
    if (number % 2 == 0)
        ts_close(push);
}

static void two_thousand_come_and_go(void **state)
{
    int count = ts_scaled(*state, MANY);
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_bind_over(pull, *state, endpoint);
    for (int n = 0; n < 10; ++n)
        come_and_go(context, *state, endpoint, pull, n);
    int descriptors = ts_open_descriptors();
    long resident = 0;
    for (int n = 0; n < count; ++n) {
        if (n == count / 4)
            resident = (long)ts_resident_bytes();
        come_and_go(context, *state, endpoint, pull, n);
    }
    await_descriptors(descriptors);
    long growth = (long)ts_resident_bytes() - resident;
    /* 1500 connections over tcp: any buffer that is forgotten with each of them shows. */
    if (!TS_SANITIZER && growth > 4 * 1024 * 1024)
        ts_fail("grown by %ld KiB", growth / 1024);
    ts_recv_nothing(pull);
    ts_close(pull);
    ts_terminate(context);
}

static void contexts_come_and_go(void **state)
{
    int descriptors = ts_open_descriptors();
    for (int round = 0; round < ts_scaled(*state, MANY / 20); ++round) {
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_pair_over(context, pull, push, *state);
        ts_send(push, "one", 0);
        ts_recv(pull, "one");
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
        ts_value(ts_open_descriptors(), descriptors);
    }
}

/* ---- In one poll --------------------------------------------------------------------------------- */

static void expect_ready(zmq_pollitem_t *items, int count, const int *ready, int ready_count)
{
    int seen = 0;
    for (int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS; seen < ready_count;) {
        ts_check(ts_now_ms() < deadline);
        ts_check(zmq_poll(items, count, TS_TIMEOUT_MS) > 0);
        seen = 0;
        for (int i = 0; i < count; ++i)
            seen += items[i].revents == ZMQ_POLLIN;
        ts_check(seen <= ready_count);
    }
    for (int i = 0; i < ready_count; ++i)
        ts_value(items[ready[i]].revents, ZMQ_POLLIN);
}

static void poll_over_two_thousand(void **state)
{
    static zmq_pollitem_t items[MANY];
    static void *pushes[MANY];
    struct ts_random random = ts_random_stream(2);
    char endpoint[TS_ENDPOINT_MAX];
    int count = affordable(*state, 7); /* two sockets, one listener, one connection with two ends */
    void *context = large_context(2 * count);
    for (int i = 0; i < count; ++i) {
        items[i] = (zmq_pollitem_t){.socket = ts_socket(context, ZMQ_PULL), .events = ZMQ_POLLIN};
        pushes[i] = ts_socket(context, ZMQ_PUSH);
        ts_bind_over(items[i].socket, *state, endpoint);
        ts_connect_over(pushes[i], *state, endpoint);
    }
    for (int round = 0; round < 50; ++round) {
        int ready[3], chosen = 0;
        while (chosen < 3) {
            int i = (int)ts_random_below(&random, (uint32_t)count);
            if ((chosen < 1 || i != ready[0]) && (chosen < 2 || i != ready[1]))
                ready[chosen++] = i;
        }
        for (int k = 0; k < 3; ++k)
            ts_send_bytes(pushes[ready[k]], &round, sizeof round, 0);
        expect_ready(items, count, ready, 3);
        for (int k = 0; k < 3; ++k)
            ts_recv_bytes(items[ready[k]].socket, &round, sizeof round, false);
    }
    ts_value(zmq_poll(items, count, 0), 0);
    for (int i = 0; i < count; ++i) {
        ts_close(items[i].socket);
        ts_close(pushes[i]);
    }
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(one_router_serves_two_thousand),
        TS_ON_CONNECTIONS(two_thousand_come_and_go),
        TS_ON_EVERYTHING(contexts_come_and_go),
        TS_ON_EVERYTHING(poll_over_two_thousand),
    };
    ts_seed();
    return TS_RUN(tests);
}
