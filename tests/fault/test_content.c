/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/*
 * Contents of every size, sent in every way, through small kernel buffers: what arrives is what was
 * given, and the sender's memory is its own again when the library says so. Each message follows
 * from the seed of the run and its number.
 */
#include "support/process.h"
#include "support/random.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = TS_ROUNDS(150, 60), PARTS_MAX = 5, PART_MAX = TS_ROUNDS(10, 1) * 1024 * 1024 };

/* ---- What message number n is ----------------------------------------------------------------- */

struct plan {
    int parts;
    size_t sizes[PARTS_MAX];
    uint32_t patterns[PARTS_MAX];
};

static size_t random_size(struct ts_random *random)
{
    static const size_t borders[] = {0, 1, 33, 34, 255, 256, 8191, 8192, 65535, 65536, 262144};
    switch (ts_random_below(random, 16)) {
    case 0:
        return ts_random_below(random, 1000000);
    case 1:
    case 2:
        return ts_random_below(random, 100000);
    case 3:
    case 4:
        return borders[ts_random_below(random, TS_COUNT(borders))];
    default:
        return ts_random_below(random, 300);
    }
}

static struct plan plan_of(uint32_t number)
{
    struct ts_random random = ts_random_stream(1000 + number);
    struct plan plan = {.parts = 1};
    if (ts_random_below(&random, 3) == 0)
        plan.parts = 1 + (int)ts_random_below(&random, PARTS_MAX);
    for (int i = 0; i < plan.parts; ++i) {
        plan.sizes[i] = random_size(&random);
        plan.patterns[i] = ts_random_next(&random);
    }
    if (number % 50 == 25)
        plan.sizes[plan.parts - 1] = PART_MAX - number;
    return plan;
}

/* ---- Ways of sending -------------------------------------------------------------------------- */

/* Memory that was given away with a free function. */
struct lent {
    unsigned char *data;
    size_t size;
    uint32_t pattern;
};

static atomic_int lent_out, given_back;

static void give_back(void *data, void *hint)
{
    struct lent *lent = hint;
    ts_check(data == lent->data);
    ts_check(ts_pattern_ok(lent->data, lent->size, lent->pattern));
    free(lent->data);
    free(lent); /* a second call is seen by the address sanitizer, and by the count */
    atomic_fetch_add(&given_back, 1);
}

static unsigned char *content(size_t size, uint32_t pattern)
{
    unsigned char *data = malloc(size ? size : 1);
    ts_check(data != NULL);
    ts_pattern(data, size, pattern);
    return data;
}

/* The caller's memory is overwritten as soon as the call is over. */
static void send_and_overwrite(void *socket, size_t size, uint32_t pattern, int flags)
{
    static unsigned char buffer[PART_MAX];
    ts_pattern(buffer, size, pattern);
    ts_send_bytes(socket, buffer, size, flags);
    memset(buffer, 0xee, size);
}

static void send_and_free(void *socket, size_t size, uint32_t pattern, int flags)
{
    unsigned char *data = content(size, pattern);
    ts_send_bytes(socket, data, size, flags);
    memset(data, 0xdd, size);
    free(data);
}

static void send_message(void *socket, size_t size, uint32_t pattern, int flags)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, size));
    ts_pattern(zmq_msg_data(&message), size, pattern);
    ts_value(zmq_msg_send(&message, socket, flags), (long long)size);
    ts_value((long long)zmq_msg_size(&message), 0);
    ts_ok(zmq_msg_close(&message));
}

static void lend(zmq_msg_t *message, size_t size, uint32_t pattern)
{
    struct lent *lent = malloc(sizeof *lent);
    ts_check(lent != NULL);
    *lent = (struct lent){content(size, pattern), size, pattern};
    ts_ok(zmq_msg_init_data(message, lent->data, size, give_back, lent));
    atomic_fetch_add(&lent_out, 1);
}

static void send_lent(void *socket, size_t size, uint32_t pattern, int flags)
{
    zmq_msg_t message;
    lend(&message, size, pattern);
    ts_value(zmq_msg_send(&message, socket, flags), (long long)size);
}

/* One of two handles of the same content is closed before or after the other is sent. */
static void send_copy_of_lent(void *socket, size_t size, uint32_t pattern, int flags)
{
    zmq_msg_t message, copy;
    lend(&message, size, pattern);
    ts_ok(zmq_msg_init(&copy));
    ts_ok(zmq_msg_copy(&copy, &message));
    if (pattern % 2)
        ts_ok(zmq_msg_close(&message));
    ts_value(zmq_msg_send(&copy, socket, flags), (long long)size);
    if (pattern % 2 == 0) {
        ts_check(ts_pattern_ok(zmq_msg_data(&message), size, pattern));
        ts_ok(zmq_msg_close(&message));
    }
}

static void send_numbered(void *socket, uint32_t number)
{
    static void (*const ways[])(void *, size_t, uint32_t, int) = {
        send_and_overwrite, send_and_free, send_message, send_lent, send_copy_of_lent,
    };
    struct plan plan = plan_of(number);
    for (int i = 0; i < plan.parts; ++i)
        ways[plan.patterns[i] % TS_COUNT(ways)](socket, plan.sizes[i], plan.patterns[i],
                                                i + 1 < plan.parts ? ZMQ_SNDMORE : 0);
}

static void send_all(void *socket)
{
    for (uint32_t n = 0; n < MESSAGES; ++n)
        send_numbered(socket, n);
}

/* ---- Receiving -------------------------------------------------------------------------------- */

static void receive_buffer(void *socket, size_t size, uint32_t pattern)
{
    static unsigned char buffer[PART_MAX + 1];
    buffer[size] = 0xa5;
    ts_value(zmq_recv(socket, buffer, sizeof buffer, 0), (long long)size);
    ts_check(ts_pattern_ok(buffer, size, pattern));
    ts_check(buffer[size] == 0xa5);
}

static void receive_message(void *socket, size_t size, uint32_t pattern)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    ts_value(zmq_msg_recv(&message, socket, 0), (long long)size);
    ts_check(ts_pattern_ok(zmq_msg_data(&message), size, pattern));
    ts_ok(zmq_msg_close(&message));
}

static void receive_numbered(void *socket, uint32_t number)
{
    struct plan plan = plan_of(number);
    for (int i = 0; i < plan.parts; ++i) {
        if (plan.patterns[i] / 16 % 2)
            receive_buffer(socket, plan.sizes[i], plan.patterns[i]);
        else
            receive_message(socket, plan.sizes[i], plan.patterns[i]);
        ts_value(ts_more(socket), i + 1 < plan.parts);
    }
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void squeeze(void *socket, int size, int mark)
{
    if (size > 0) {
        ts_set_int(socket, ZMQ_SNDBUF, size);
        ts_set_int(socket, ZMQ_RCVBUF, size);
    }
    ts_set_int(socket, ZMQ_SNDHWM, mark);
    ts_set_int(socket, ZMQ_RCVHWM, mark);
    ts_set_int(socket, ZMQ_LINGER, -1);
}

static void run_flow(const char *transport, int size, int mark)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    squeeze(push, size, mark);
    squeeze(pull, size, mark);
    ts_pair_over(context, pull, push, transport);
    struct ts_thread *thread = ts_thread_start(send_all, push);
    for (uint32_t n = 0; n < MESSAGES; ++n)
        receive_numbered(pull, n);
    ts_thread_join(thread);
    ts_recv_nothing(pull);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
    ts_value(atomic_load(&given_back), atomic_load(&lent_out));
}

/* 8 KiB: with the kernel's minimum TCP falls back to its own timers, for minutes. */
static void contents_survive_small_buffers(void **state)
{
    run_flow(*state, 8192, 1000);
    run_flow(*state, 8192, 2);
}

static void contents_survive_usual_buffers(void **state)
{
    run_flow(*state, 0, 1000);
    run_flow(*state, 0, 1);
}

/* What never leaves is given back all the same: once, and untouched. */
static void lent_memory_comes_back_from_nowhere(void **state)
{
    struct ts_address address;
    ts_address_reserve(&address, *state);
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_connect_over(push, *state, address.endpoint);
    for (uint32_t n = 0; n < 40; ++n) {
        send_lent(push, n * 1000, n, n % 3 ? 0 : ZMQ_SNDMORE);
        send_copy_of_lent(push, n * 500, n, 0);
    }
    ts_close(push);
    ts_terminate(context);
    ts_address_release(&address);
    ts_value(atomic_load(&given_back), atomic_load(&lent_out));
}

/* ---- Full everywhere -------------------------------------------------------------------------- */

/* False at the high-water mark; then what was refused is still the caller's. */
static bool send_unless_full(void *socket, uint32_t number)
{
    enum { SIZE = 1000 };
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, SIZE));
    ts_pattern(zmq_msg_data(&message), SIZE, number);
    bool sent = zmq_msg_send(&message, socket, ZMQ_DONTWAIT) != -1;
    if (!sent) {
        ts_value(zmq_errno(), EAGAIN);
        ts_check(ts_pattern_ok(zmq_msg_data(&message), SIZE, number));
    }
    ts_ok(zmq_msg_close(&message));
    return sent;
}

/* Fills every buffer on the way; returns the number of messages taken. A first refusal may come
 * while others still work on what was sent before, so the sender asks again for a moment. */
static uint32_t fill(void *socket)
{
    uint32_t number = 0;
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLOUT};
    do {
        while (send_unless_full(socket, number))
            ++number;
        ts_check(number < 1000000);
    } while (ts_ok(zmq_poll(&item, 1, 20)) == 1);
    return number;
}

static void send_one_more(void *socket)
{
    ts_send(socket, "one more", 0);
}

static void full_sender_waits_and_resumes(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    squeeze(push, 8192, 20);
    squeeze(pull, 8192, 20);
    ts_pair_over(context, pull, push, *state);
    for (int round = 0; round < 5; ++round) {
        uint32_t count = fill(push);
        ts_check(count > 0);
        struct ts_thread *thread = ts_thread_start(send_one_more, push);
        for (uint32_t n = 0; n < count; ++n)
            receive_message(pull, 1000, n);
        ts_recv(pull, "one more");
        ts_thread_join(thread);
        ts_recv_nothing(pull);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(contents_survive_small_buffers),
        TS_ON_EVERYTHING(contents_survive_usual_buffers),
        TS_ON_CONNECTIONS(lent_memory_comes_back_from_nowhere),
        TS_ON_EVERYTHING(full_sender_waits_and_resumes),
    };
    ts_seed();
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
