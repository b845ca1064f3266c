/* SPDX-License-Identifier: MPL-2.0 */
/* A filler and its readers in other threads: no reader sees the next filling of its slab. Most
   valuable under the thread sanitizer. */
#include "unit/wire/octets.h"

#include "core/slab.h"

#include <pthread.h>
#include <sched.h>

enum { READERS = 3, PAYLOADS = 20000, SLOTS = 256, SIZE_MAX_PUT = 3000 };

struct slot {
    uint8_t *data;
    struct zl_slab *slab;
    uint32_t size;
    uint8_t value;
    atomic_bool filled; /* release by the filler, acquire by the reader, and back */
};

struct reader {
    struct slot slots[SLOTS];
    uint64_t seed;
    unsigned errors;
};

static bool is_intact(const struct slot *slot)
{
    for (uint32_t i = 0; i < slot->size; i += 64)
        if (slot->data[i] != slot->value)
            return false;
    return true;
}

/* Gives references back one by one, or several of one slab together, as zmq_recv does. */
static void *read_all(void *argument)
{
    struct reader *reader = argument;
    struct zl_slab *held = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < PAYLOADS; i++) {
        struct slot *slot = &reader->slots[i % SLOTS];
        while (!atomic_load_explicit(&slot->filled, memory_order_acquire))
            sched_yield();
        reader->errors += !is_intact(slot);
        if (slot->slab != held || octets_random(&reader->seed) % 8 == 0) {
            zl_slab_release(held, count);
            count = 0;
        }
        held = slot->slab;
        count++;
        atomic_store_explicit(&slot->filled, false, memory_order_release);
    }
    zl_slab_release(held, count);
    return NULL;
}

static bool put(struct zl_slab_filler *filler, struct slot *slot, uint64_t *seed, uint8_t value)
{
    uint8_t payload[SIZE_MAX_PUT];
    uint32_t size = 1 + octets_random(seed) % SIZE_MAX_PUT;
    while (atomic_load_explicit(&slot->filled, memory_order_acquire))
        sched_yield();
    memset(payload, value, size);
    slot->data = zl_slab_put(filler, payload, size, &slot->slab);
    slot->size = size;
    slot->value = value;
    atomic_store_explicit(&slot->filled, slot->data != NULL, memory_order_release);
    return slot->data;
}

static void readers_see_only_their_own_filling(void **state)
{
    static struct reader readers[READERS];
    struct zl_slab_filler filler = {0};
    pthread_t threads[READERS];
    uint64_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < READERS; i++) {
        readers[i].seed = i + 2;
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (unsigned n = 0; n < PAYLOADS; n++)
        for (unsigned i = 0; i < READERS; i++)
            assert_true(put(&filler, &readers[i].slots[n % SLOTS], &seed, (uint8_t)(n * 3 + i)));
    zl_slab_filler_clear(&filler); /* readers go on */
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].errors, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_only_their_own_filling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
