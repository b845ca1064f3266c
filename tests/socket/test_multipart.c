/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* Messages of many parts and of every size, whole or not at all. */
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>

static void send_part(void *socket, size_t size, uint32_t seed, bool more)
{
    zmq_msg_t message;
    ts_value(zmq_msg_init_size(&message, size), 0);
    ts_pattern(zmq_msg_data(&message), size, seed);
    ts_value(zmq_msg_send(&message, socket, more ? ZMQ_SNDMORE : 0), (long long)size);
}

static void recv_part(void *socket, size_t size, uint32_t seed, bool more)
{
    zmq_msg_t message;
    ts_value(zmq_msg_init(&message), 0);
    ts_value(zmq_msg_recv(&message, socket, 0), (long long)size);
    if (!ts_pattern_ok(zmq_msg_data(&message), size, seed))
        ts_fail("part of %zu bytes, seed %u, is corrupt", size, seed);
    ts_value(zmq_msg_more(&message), more);
    ts_value(zmq_msg_close(&message), 0);
}

static void one_to_a_thousand_parts(void **state)
{
    static const int counts[] = {1, 2, 3, 10, 100, 999, 1000};
    struct ts_push_pull pair = ts_open_push_pull(*state);
    for (size_t i = 0; i < TS_COUNT(counts); ++i) {
        for (int part = 0; part < counts[i]; ++part)
            send_part(pair.push, (size_t)(part * 7 % 300), (uint32_t)part, part + 1 < counts[i]);
        for (int part = 0; part < counts[i]; ++part)
            recv_part(pair.pull, (size_t)(part * 7 % 300), (uint32_t)part, part + 1 < counts[i]);
        ts_recv_nothing(pair.pull);
    }
    ts_close_push_pull(&pair);
}

static void parts_of_every_size(void **state)
{
    static const size_t sizes[] = {0,     1,     32,    33,    34,     254,    255,     256,
                                   257,   4095,  4096,  8190,  8191,   8192,   8193,    16384,
                                   32768, 65535, 65536, 65537, 131072, 999999, 1048576, 1};
    struct ts_push_pull pair = ts_open_push_pull(*state);
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) /* each alone */
        send_part(pair.push, sizes[i], (uint32_t)i, false);
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) /* all in one message */
        send_part(pair.push, sizes[i], (uint32_t)i + 100, i + 1 < TS_COUNT(sizes));
    for (size_t i = 0; i < TS_COUNT(sizes); ++i)
        recv_part(pair.pull, sizes[i], (uint32_t)i, false);
    for (size_t i = 0; i < TS_COUNT(sizes); ++i)
        recv_part(pair.pull, sizes[i], (uint32_t)i + 100, i + 1 < TS_COUNT(sizes));
    ts_recv_nothing(pair.pull);
    ts_close_push_pull(&pair);
}

/* Every length from nothing to beyond where small sizes may be treated specially. */
static void each_small_size(void **state)
{
    enum { SIZES = 600 };
    struct ts_push_pull pair = ts_open_push_pull(*state);
    for (int size = 0; size < SIZES; ++size)
        send_part(pair.push, (size_t)size, (uint32_t)size, false);
    for (int size = 0; size < SIZES; ++size)
        recv_part(pair.pull, (size_t)size, (uint32_t)size, false);
    ts_close_push_pull(&pair);
}

static void one_huge_message(void **state)
{
    enum { SIZE = TS_ROUNDS(100, 20) * 1000 * 1000 };
    struct ts_push_pull pair = ts_open_push_pull(*state);
    send_part(pair.push, SIZE, 1, false);
    send_part(pair.push, 5, 2, false);
    recv_part(pair.pull, SIZE, 1, false);
    recv_part(pair.pull, 5, 2, false);
    ts_close_push_pull(&pair);
}

/* Nothing of a message may be seen before its last part is sent. */
static void unfinished_message_is_invisible(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t item = {.socket = pair.pull, .events = ZMQ_POLLIN};
    char endpoint[TS_ENDPOINT_MAX];
    void *other = ts_socket(pair.context, ZMQ_PUSH);
    ts_last_endpoint(pair.pull, endpoint);
    ts_ok(zmq_connect(other, endpoint));
    for (int part = 0; part < 50; ++part)
        send_part(pair.push, 10000, (uint32_t)part, true);
    /* Another peer's message is not held up and shows that time has passed. */
    ts_send(other, "other", 0);
    ts_recv(pair.pull, "other");
    ts_value(zmq_poll(&item, 1, 0), 0);
    ts_recv_nothing(pair.pull);
    ts_send(pair.push, "last", 0);
    for (int part = 0; part < 50; ++part)
        recv_part(pair.pull, 10000, (uint32_t)part, true);
    ts_recv(pair.pull, "last");
    ts_close(other);
    ts_close_push_pull(&pair);
}

/* The sender leaves in the middle: its message never existed. */
static void abandoned_message_never_arrives(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct ts_push_pull pair = ts_open_push_pull(*state);
    ts_last_endpoint(pair.pull, endpoint);
    for (int round = 0; round < 10; ++round) {
        void *quitter = ts_socket(pair.context, ZMQ_PUSH);
        ts_set_int(quitter, ZMQ_LINGER, -1);
        ts_ok(zmq_connect(quitter, endpoint));
        ts_send_parts(quitter, "whole", "message");
        ts_send(quitter, "torn", ZMQ_SNDMORE);
        send_part(quitter, 100000, 1, true);
        ts_close(quitter);
        ts_recv_parts(pair.pull, "whole", "message");
        ts_send_parts(pair.push, "next", "message");
        ts_recv_parts(pair.pull, "next", "message");
    }
    ts_recv_nothing(pair.pull);
    ts_close_push_pull(&pair);
}

/* ---- many senders ----------------------------------------------------------------------- */

struct sender {
    void *context;
    const char *endpoint;
    uint32_t number;
};

enum { SENDERS = 4, MESSAGES = 300 };

static void send_mixed(void *argument)
{
    struct sender *sender = argument;
    void *push = ts_socket(sender->context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_ok(zmq_connect(push, sender->endpoint));
    for (uint32_t n = 0; n < MESSAGES; ++n) {
        uint32_t head[2] = {sender->number, n};
        uint32_t parts = n % 13;
        ts_send_bytes(push, head, sizeof head, parts ? ZMQ_SNDMORE : 0);
        for (uint32_t part = 0; part < parts; ++part)
            send_part(push, (n * 31 + part * 977) % 20000, n + part, part + 1 < parts);
    }
    ts_close(push);
}

/* Parts of different senders never mix, and each sender's messages stay in order. */
static void senders_do_not_mix(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct sender senders[SENDERS];
    struct ts_thread *threads[SENDERS];
    uint32_t next[SENDERS] = {0};
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(pull, ZMQ_RCVHWM, 20);
    ts_bind(pull, *state, endpoint);
    for (uint32_t i = 0; i < SENDERS; ++i) {
        senders[i] = (struct sender){context, endpoint, i};
        threads[i] = ts_thread_start(send_mixed, &senders[i]);
    }
    for (int n = 0; n < SENDERS * MESSAGES; ++n) {
        uint32_t head[2];
        ts_value(zmq_recv(pull, head, sizeof head, 0), sizeof head);
        ts_check(head[0] < SENDERS);
        ts_value(head[1], next[head[0]]++);
        uint32_t parts = head[1] % 13;
        ts_value(ts_more(pull), parts > 0);
        for (uint32_t part = 0; part < parts; ++part)
            recv_part(pull, (head[1] * 31 + part * 977) % 20000, head[1] + part, part + 1 < parts);
    }
    ts_recv_nothing(pull);
    for (int i = 0; i < SENDERS; ++i)
        ts_thread_join(threads[i]);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(one_to_a_thousand_parts),
        TS_ON_ALL(parts_of_every_size),
        TS_ON_ALL(each_small_size),
        TS_ON_ALL(one_huge_message),
        TS_ON_ALL(unfinished_message_is_invisible),
        TS_ON_ALL(abandoned_message_never_arrives),
        TS_ON_ALL(senders_do_not_mix),
    };
    return TS_RUN(tests);
}
