/* SPDX-License-Identifier: MPL-2.0 */
/* The pool of long payloads between threads: blocks go round, nobody sees another's octets. Most
   valuable under the thread sanitizer. */
#include "unit/wire/octets.h"

#include "core/content.h"

#include <pthread.h>
#include <sched.h>

enum { PAIRS = 3, HANDOVERS = 3000, SLOTS = 8 };

/* One thread makes payloads, another checks and releases them; all share the pool. */
struct handover {
    _Atomic(struct zl_content *) slots[SLOTS];
    uint64_t seed;
    unsigned errors;
    bool out_of_memory;
};

static size_t next_size(uint64_t *seed)
{
    return ZL_CONTENT_POOL_MIN - 200 + octets_random(seed) % 60000;
}

/* Only some octets: what matters is that two owners would meet there. */
static void mark(struct zl_content *content, uint8_t value)
{
    for (size_t i = 0; i < content->size; i += 512)
        content->data[i] = value;
}

static bool is_marked(const struct zl_content *content, uint8_t value)
{
    for (size_t i = 0; i < content->size; i += 512)
        if (content->data[i] != value)
            return false;
    return true;
}

static void *make(void *argument)
{
    struct handover *handover = argument;
    for (unsigned i = 0; i < HANDOVERS; i++) {
        struct zl_content *content = zl_content_new(next_size(&handover->seed));
        if (content) {
            mark(content, (uint8_t)i);
            if (i % 3 == 0) {
                struct zl_content *grown = zl_content_grow(content, content->size + 5000);
                content = grown ? grown : content;
                mark(content, (uint8_t)i);
            }
        }
        handover->out_of_memory |= !content;
        _Atomic(struct zl_content *) *slot = &handover->slots[i % SLOTS];
        while (content && atomic_load_explicit(slot, memory_order_acquire))
            sched_yield();
        atomic_store_explicit(slot, content, memory_order_release);
        if (!content)
            break;
    }
    return NULL;
}

static void *check(void *argument)
{
    struct handover *handover = argument;
    for (unsigned i = 0; i < HANDOVERS; i++) {
        _Atomic(struct zl_content *) *slot = &handover->slots[i % SLOTS];
        struct zl_content *content;
        while (!(content = atomic_load_explicit(slot, memory_order_acquire)))
            sched_yield();
        handover->errors += !is_marked(content, (uint8_t)i);
        zl_content_release(content);
        atomic_store_explicit(slot, NULL, memory_order_release);
    }
    return NULL;
}

/* Contexts come and go meanwhile: the pool is emptied under the hands of its users. */
static void *come_and_go(void *argument)
{
    atomic_bool *over = argument;
    while (!atomic_load(over)) {
        zl_content_pool_join();
        sched_yield();
        zl_content_pool_leave();
    }
    return NULL;
}

static void blocks_go_round(void **state)
{
    static struct handover handovers[PAIRS];
    pthread_t makers[PAIRS], checkers[PAIRS], other;
    atomic_bool over = false;
    (void)state;
    for (unsigned i = 0; i < PAIRS; i++) {
        handovers[i].seed = i + 1;
        assert_int_equal(pthread_create(&makers[i], NULL, make, &handovers[i]), 0);
        assert_int_equal(pthread_create(&checkers[i], NULL, check, &handovers[i]), 0);
    }
    assert_int_equal(pthread_create(&other, NULL, come_and_go, &over), 0);
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(pthread_join(makers[i], NULL), 0);
        assert_false(handovers[i].out_of_memory);
        assert_int_equal(pthread_join(checkers[i], NULL), 0);
        assert_int_equal(handovers[i].errors, 0);
    }
    atomic_store(&over, true);
    assert_int_equal(pthread_join(other, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
