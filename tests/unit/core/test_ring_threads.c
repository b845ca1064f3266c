/* SPDX-License-Identifier: MPL-2.0 */
/* The message ring between two threads: whole messages, in order, once, with their contents. Most
   valuable under the thread sanitizer. */
#include "unit/wire/octets.h"

#include "core/ring.h"

#include <pthread.h>
#include <sched.h>

enum { MESSAGES = 30000, PARTS_MAX = 5 };

struct exchange {
    struct zl_ring ring;
    uint64_t seed;
    unsigned batch;      /* messages per publication, at most */
    bool with_rollbacks; /* unfinished messages are taken back in between */
    atomic_uint freed;
    unsigned made;   /* contents with a free function, by the producer */
    unsigned errors; /* of the consumer */
    bool out_of_memory;
};

static void note_freed(void *data, void *hint)
{
    struct exchange *exchange = hint;
    free(data);
    atomic_fetch_add(&exchange->freed, 1);
}

/* Message and part number; every fourth one in memory of its own. */
static bool push(struct exchange *exchange, uint32_t message, uint32_t part, bool more)
{
    uint32_t words[2] = {message, part};
    struct zl_msg *slot = zl_ring_slot(&exchange->ring);
    if (!slot)
        return false;
    if ((message + part) % 4 == 0) {
        uint32_t *own = malloc(sizeof words);
        if (!own || zl_msg_init_data(slot, own, sizeof words, note_freed, exchange) < 0) {
            free(own);
            return false;
        }
        memcpy(own, words, sizeof words);
        exchange->made++;
    } else if (zl_msg_init_copy_of(slot, words, sizeof words) < 0) {
        return false;
    }
    slot->flags = more ? ZL_MSG_MORE : 0;
    zl_ring_push(&exchange->ring);
    return true;
}

static uint32_t parts_of(uint32_t message)
{
    return 1 + message % PARTS_MAX;
}

static bool push_message(struct exchange *exchange, uint32_t message)
{
    for (uint32_t part = 0; part < parts_of(message); part++)
        if (!push(exchange, message, part, part + 1 < parts_of(message)))
            return false;
    zl_ring_commit(&exchange->ring);
    return true;
}

static bool push_and_take_back(struct exchange *exchange)
{
    /* Now and then more than a segment holds. */
    unsigned count = octets_random(&exchange->seed) % 64 ? 3 : 300;
    while (count-- > 0)
        if (!push(exchange, UINT32_MAX, count, true))
            return false;
    zl_ring_rollback(&exchange->ring);
    return true;
}

static void *produce(void *argument)
{
    struct exchange *exchange = argument;
    uint32_t message = 0;
    while (message < MESSAGES && !exchange->out_of_memory) {
        unsigned batch = 1 + octets_random(&exchange->seed) % exchange->batch;
        while (batch-- > 0 && message < MESSAGES && push_message(exchange, message))
            message++;
        if (exchange->with_rollbacks && octets_random(&exchange->seed) % 4 == 0)
            exchange->out_of_memory = !push_and_take_back(exchange);
        zl_ring_publish(&exchange->ring);
        if (octets_random(&exchange->seed) % 32 == 0)
            sched_yield(); /* lets the consumer catch up, also on one core */
    }
    return NULL;
}

/* Takes the next part, which is there. True when it is the expected one. */
static bool take(struct exchange *exchange, uint32_t message, uint32_t part)
{
    uint32_t words[2] = {0, 0};
    struct zl_msg *front = zl_ring_front(&exchange->ring);
    bool right = zl_msg_size(front) == sizeof words;
    if (right)
        memcpy(words, zl_msg_data(front), sizeof words);
    right = right && words[0] == message && words[1] == part &&
            !(front->flags & ZL_MSG_MORE) == (part + 1 == parts_of(message));
    zl_msg_close(front);
    zl_ring_pop(&exchange->ring);
    return right;
}

static void consume(struct exchange *exchange)
{
    for (uint32_t message = 0; message < MESSAGES; message++) {
        while (!zl_ring_readable(&exchange->ring))
            sched_yield();
        for (uint32_t part = 0; part < parts_of(message); part++) {
            /* A message becomes visible with all its parts. */
            if (!zl_ring_readable(&exchange->ring)) {
                exchange->errors++;
                while (!zl_ring_readable(&exchange->ring))
                    sched_yield();
            }
            if (!take(exchange, message, part))
                exchange->errors++;
        }
    }
}

static void run(unsigned batch, bool with_rollbacks)
{
    struct exchange *exchange = aligned_alloc(_Alignof(struct exchange), sizeof *exchange);
    pthread_t producer;
    assert_non_null(exchange);
    memset(exchange, 0, sizeof *exchange);
    zl_ring_init(&exchange->ring);
    exchange->seed = batch;
    exchange->batch = batch;
    exchange->with_rollbacks = with_rollbacks;
    assert_int_equal(pthread_create(&producer, NULL, produce, exchange), 0);
    consume(exchange);
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_false(exchange->out_of_memory);
    assert_int_equal(exchange->errors, 0);
    assert_false(zl_ring_readable(&exchange->ring));
    assert_int_equal(atomic_load(&exchange->freed), exchange->made);
    zl_ring_free(&exchange->ring);
    free(exchange);
}

static void one_message_at_a_time(void **state)
{
    (void)state;
    run(1, false);
}

static void in_batches(void **state)
{
    (void)state;
    run(400, false);
}

static void with_messages_taken_back(void **state)
{
    (void)state;
    run(20, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_at_a_time),
        cmocka_unit_test(in_batches),
        cmocka_unit_test(with_messages_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
