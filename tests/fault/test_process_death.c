/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * Processes killed under load. The test's own process only starts, kills and watches; senders and
 * receivers are children. What arrives is whole, in order and once, and the flow goes on.
 */
#include "support/process.h"
#include "support/random.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    LIVES = TS_ROUNDS(200, 20), /* of the receiver */
    SENDERS = TS_ROUNDS(25, 6), /* killed one after the other */
    NUMBERS = 4 * 1000 * 1000,
    LARGE = 4 * 1024 * 1024,
};

/* In memory that all processes share. */
struct board {
    atomic_uint received; /* whole messages, by all receivers */
    atomic_bool stop;     /* the sender shall finish */
    atomic_bool finished; /* the last receiver has seen the end */
    atomic_uchar seen[NUMBERS];
};

struct stage {
    const char *transport;
    struct ts_address address;
    struct board *board;
    unsigned first; /* number of the sender's first message */
};

static struct stage open_stage(const char *transport)
{
    struct stage stage = {.transport = transport};
    stage.board = ts_shared_memory(sizeof *stage.board);
    ts_address_reserve(&stage.address, transport);
    return stage;
}

static void await_received(struct board *board, unsigned count)
{
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    struct ts_random random = ts_random_stream(count);
    while (atomic_load(&board->received) < count) {
        if (ts_now_ms() > deadline)
            ts_fail("the flow has stopped at %u messages", atomic_load(&board->received));
        ts_random_sleep(&random, 500);
    }
}

/* ---- Messages: a number, and a body that follows from it -------------------------------------- */

static size_t body_size(unsigned number)
{
    return number % 97 == 5 ? 100000 : number % 13 == 3 ? 9000 : number % 300;
}

static void send_numbered(void *socket, unsigned number, size_t size)
{
    zmq_msg_t body;
    ts_send_bytes(socket, &number, sizeof number, ZMQ_SNDMORE);
    ts_ok(zmq_msg_init_size(&body, size));
    ts_pattern(zmq_msg_data(&body), size, number);
    ts_value(zmq_msg_send(&body, socket, 0), (long long)size);
}

/* Returns the number, or UINT32_MAX for the end mark, an empty message. */
static unsigned receive_numbered(void *socket)
{
    unsigned number;
    zmq_msg_t body;
    ts_ok(zmq_msg_init(&body));
    long long size = ts_ok(zmq_recv(socket, &number, sizeof number, 0));
    if (size == 0) {
        ts_value(ts_more(socket), 0);
        return UINT32_MAX;
    }
    ts_value(size, sizeof number);
    ts_value(ts_more(socket), 1);
    ts_ok(zmq_msg_recv(&body, socket, 0));
    ts_value(zmq_msg_more(&body), 0);
    ts_check(ts_pattern_ok(zmq_msg_data(&body), zmq_msg_size(&body), number));
    size_t wanted = number % 2 && zmq_msg_size(&body) == LARGE ? LARGE : body_size(number);
    ts_value((long long)zmq_msg_size(&body), (long long)wanted);
    ts_ok(zmq_msg_close(&body));
    return number;
}

static void mark_seen(struct board *board, unsigned number)
{
    ts_check(number < NUMBERS);
    if (atomic_exchange(&board->seen[number], 1))
        ts_fail("message %u is delivered twice", number);
    atomic_fetch_add(&board->received, 1);
}

static void leave_properly(void *context, void *socket)
{
    ts_set_int(socket, ZMQ_LINGER, -1);
    ts_close(socket);
    ts_terminate(context);
}

/* ---- The receiver is killed again and again --------------------------------------------------- */

static void send_until_stopped(void *argument)
{
    struct stage *stage = argument;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_set_int(push, ZMQ_SNDHWM, 100);
    ts_connect_over(push, stage->transport, stage->address.endpoint);
    for (unsigned number = 0; !atomic_load(&stage->board->stop); ++number) {
        ts_check(number < NUMBERS);
        send_numbered(push, number, body_size(number));
    }
    ts_send(push, "", 0);
    leave_properly(context, push);
}

/* Between two numbers of one life nothing may be missing: it is one connection. */
static void receive_until_killed(void *argument)
{
    struct stage *stage = argument;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(pull, ZMQ_RCVHWM, 100);
    ts_rebind_over(pull, stage->transport, stage->address.endpoint);
    bool first = true;
    for (unsigned last = 0;;) {
        unsigned number = receive_numbered(pull);
        if (number == UINT32_MAX)
            break;
        if (!first && number != last + 1)
            ts_fail("message %u follows %u", number, last);
        mark_seen(stage->board, number);
        last = number;
        first = false;
    }
    atomic_store(&stage->board->finished, true);
    leave_properly(context, pull);
}

static void receiver_is_killed_again_and_again(void **state)
{
    struct ts_random random = ts_random_stream(1);
    struct stage stage = open_stage(*state);
    pid_t sender = ts_child_start(send_until_stopped, &stage);
    for (int life = 0; life < LIVES; ++life) {
        unsigned before = atomic_load(&stage.board->received);
        pid_t receiver = ts_child_start(receive_until_killed, &stage);
        await_received(stage.board, before + 1 + ts_random_below(&random, 300));
        ts_random_sleep(&random, 3000);
        ts_child_kill(receiver);
    }
    pid_t receiver = ts_child_start(receive_until_killed, &stage);
    await_received(stage.board, atomic_load(&stage.board->received) + 100);
    atomic_store(&stage.board->stop, true);
    ts_child_join(sender);
    ts_child_join(receiver);
    ts_check(atomic_load(&stage.board->finished));
    ts_address_release(&stage.address);
}

/* ---- The sender is killed in the middle of large messages ------------------------------------- */

enum { STEP = 10000 };

static void send_large_until_killed(void *argument)
{
    struct stage *stage = argument;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_connect_over(push, stage->transport, stage->address.endpoint);
    for (unsigned number = stage->first;; ++number)
        send_numbered(push, number, number % 2 ? LARGE : body_size(number));
}

static void send_the_end(void *argument)
{
    struct stage *stage = argument;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_connect_over(push, stage->transport, stage->address.endpoint);
    ts_send(push, "", 0);
    leave_properly(context, push);
}

/* Each sender's messages arrive from its first one on, without a gap. Late ones of a dead sender
 * may still be there when the next one has begun. */
static void receive_from_mortals(void *argument)
{
    struct stage *stage = argument;
    static unsigned next[SENDERS];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(pull, ZMQ_RCVHWM, 3);
    ts_rebind_over(pull, stage->transport, stage->address.endpoint);
    for (unsigned number; (number = receive_numbered(pull)) != UINT32_MAX;) {
        ts_check(number / STEP < SENDERS);
        ts_value(number % STEP, next[number / STEP]++);
        mark_seen(stage->board, number);
    }
    leave_properly(context, pull);
}

static void sender_is_killed_in_mid_message(void **state)
{
    struct ts_random random = ts_random_stream(2);
    struct stage stage = open_stage(*state);
    pid_t receiver = ts_child_start(receive_from_mortals, &stage);
    for (int i = 0; i < SENDERS; ++i) {
        stage.first = (unsigned)i * STEP;
        pid_t sender = ts_child_start(send_large_until_killed, &stage);
        await_received(stage.board,
                       atomic_load(&stage.board->received) + 1 + ts_random_below(&random, 5));
        ts_random_sleep(&random, 5000);
        ts_child_kill(sender);
    }
    pid_t last = ts_child_start(send_the_end, &stage);
    ts_child_join(last);
    ts_child_join(receiver);
    ts_address_release(&stage.address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(receiver_is_killed_again_and_again),
        TS_ON_CONNECTIONS(sender_is_killed_in_mid_message),
    };
    ts_seed();
    return TS_RUN(tests);
}
