/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the slabs that a sender fills for an inproc peer: where payloads go, and when a slab is
   filled again. */
#include "failing_memory.h"

#include "core/slab.c"

enum { PAYLOAD = 1024, PER_SLAB = ZL_SLAB_SIZE / PAYLOAD };

static uint8_t payload[ZL_SLAB_SIZE];

static struct zl_slab *put(struct zl_slab_filler *filler, uint32_t size, uint8_t value,
                           uint8_t **place)
{
    struct zl_slab *slab = NULL;
    memset(payload, value, size);
    uint8_t *at = zl_slab_put(filler, payload, size, &slab);
    assert_non_null(at);
    assert_non_null(slab);
    assert_true(at >= slab->data && at + size <= slab->data + slab->capacity);
    assert_memory_equal(at, payload, size);
    if (place)
        *place = at;
    return slab;
}

/* Fills a whole slab; all references are the caller's. */
static struct zl_slab *fill_one(struct zl_slab_filler *filler, uint8_t value)
{
    struct zl_slab *slab = put(filler, PAYLOAD, value, NULL);
    for (unsigned i = 1; i < PER_SLAB; i++)
        assert_ptr_equal(put(filler, PAYLOAD, value, NULL), slab);
    return slab;
}

static void assert_all(const struct zl_slab *slab, uint8_t value)
{
    for (size_t i = 0; i < ZL_SLAB_SIZE; i++)
        if (slab->data[i] != value)
            fail_msg("octet %zu was written over", i);
}

static int check_leaks(void **state)
{
    (void)state;
    return live_blocks == 0 ? 0 : -1;
}

static void payloads_lie_one_behind_the_other(void **state)
{
    struct zl_slab_filler filler = {0};
    uint8_t *first, *second, *third;
    (void)state;
    struct zl_slab *slab = put(&filler, 100, 1, &first);
    assert_ptr_equal(put(&filler, 0, 0, &second), slab);
    assert_ptr_equal(put(&filler, 7, 2, &third), slab);
    assert_ptr_equal(second, first + 100);
    assert_ptr_equal(third, second);
    assert_int_equal(first[99], 1);
    zl_slab_release(slab, 3);
    zl_slab_filler_clear(&filler);
}

static void handing_out_does_not_touch_the_counter(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    struct zl_slab *slab = put(&filler, 100, 1, NULL);
    unsigned references = atomic_load(&slab->references);
    for (unsigned i = 0; i < 20; i++)
        put(&filler, 100, 1, NULL);
    assert_int_equal(atomic_load(&slab->references), references);
    /* What nobody has yet is given back at the end: one reference of the readers is left. */
    zl_slab_release(slab, 20);
    zl_slab_filler_clear(&filler);
    assert_int_equal(atomic_load(&slab->references), 1);
    assert_int_equal(slab->data[2099], 1);
    zl_slab_release(slab, 1);
}

static void a_slab_is_filled_again_when_all_readers_are_done(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    struct zl_slab *first = fill_one(&filler, 1);
    zl_slab_release(first, PER_SLAB - 1);
    struct zl_slab *second = fill_one(&filler, 2);
    assert_ptr_not_equal(second, first);
    assert_all(first, 1); /* one reader is left */
    zl_slab_release(first, 1);
    assert_ptr_equal(put(&filler, PAYLOAD, 3, NULL), first);
    assert_all(second, 2);
    assert_int_equal(live_blocks, 2);
    zl_slab_release(first, 1);
    zl_slab_release(second, PER_SLAB);
    zl_slab_filler_clear(&filler);
}

static void a_reader_that_keeps_up_needs_one_slab(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    for (unsigned i = 0; i < 10 * PER_SLAB; i++)
        zl_slab_release(put(&filler, PAYLOAD, (uint8_t)i, NULL), 1);
    assert_int_equal(live_blocks, 1);
    zl_slab_filler_clear(&filler);
}

static void a_filler_holds_eight_slabs_at_most(void **state)
{
    enum { FILLED = 3 * ZL_FILLER_SLABS };
    struct zl_slab_filler filler = {0};
    struct zl_slab *slabs[FILLED];
    (void)state;
    for (unsigned i = 0; i < FILLED; i++)
        slabs[i] = fill_one(&filler, (uint8_t)i);
    assert_int_equal(live_blocks, FILLED);
    for (unsigned i = 0; i < FILLED; i++) {
        assert_all(slabs[i], (uint8_t)i);
        zl_slab_release(slabs[i], PER_SLAB);
    }
    assert_int_equal(live_blocks, ZL_FILLER_SLABS);
    /* They are filled again before any new one. */
    for (unsigned i = 0; i < FILLED; i++)
        zl_slab_release(fill_one(&filler, 0), PER_SLAB);
    assert_int_equal(live_blocks, ZL_FILLER_SLABS);
    zl_slab_filler_clear(&filler);
}

static void slow_readers_keep_what_was_given_up(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    struct zl_slab *first = fill_one(&filler, 42);
    zl_slab_filler_clear(&filler);
    zl_slab_filler_clear(&filler); /* nothing is left to give up */
    assert_int_equal(live_blocks, 1);
    assert_all(first, 42);
    struct zl_slab *other = put(&filler, 10, 1, NULL); /* and it can be used again */
    zl_slab_release(other, 1);
    zl_slab_filler_clear(&filler);
    zl_slab_release(first, PER_SLAB);
}

static void the_longest_payload_takes_a_slab(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    struct zl_slab *shared = put(&filler, 1, 1, NULL);
    struct zl_slab *whole = put(&filler, ZL_SLAB_SIZE, 7, NULL);
    assert_ptr_not_equal(shared, whole);
    assert_all(whole, 7);
    zl_slab_release(shared, 1);
    zl_slab_release(whole, 1);
    zl_slab_filler_clear(&filler);
}

/* Payloads of nothing never fill a slab, but use the references up. */
static void references_may_run_out_before_the_room(void **state)
{
    struct zl_slab_filler filler = {0};
    (void)state;
    struct zl_slab *first = put(&filler, 0, 0, NULL);
    for (unsigned i = 1; i < PREPAID; i++)
        assert_ptr_equal(put(&filler, 0, 0, NULL), first);
    assert_int_equal(filler.prepaid, 0);
    struct zl_slab *second = put(&filler, 0, 0, NULL);
    assert_ptr_not_equal(second, first);
    assert_int_equal(atomic_load(&first->references), PREPAID + 1);
    zl_slab_release(first, PREPAID);
    assert_true(zl_slab_unshared(first));
    zl_slab_release(second, 1);
    zl_slab_filler_clear(&filler);
}

static void without_memory_nothing_is_put(void **state)
{
    struct zl_slab_filler filler = {0};
    struct zl_slab *slab = NULL;
    (void)state;
    granted = 0;
    assert_null(zl_slab_put(&filler, payload, 10, &slab));
    assert_null(slab);
    granted = -1;
    struct zl_slab *first = fill_one(&filler, 1);
    granted = 0;
    assert_null(zl_slab_put(&filler, payload, 10, &slab));
    assert_all(first, 1);
    /* A slab that everybody is done with needs no memory. */
    zl_slab_release(first, PER_SLAB);
    assert_ptr_equal(put(&filler, 10, 2, NULL), first);
    granted = -1;
    zl_slab_release(first, 1);
    zl_slab_filler_clear(&filler);
}

static void without_memory_all_places_stay_usable(void **state)
{
    struct zl_slab_filler filler = {0};
    struct zl_slab *slabs[ZL_FILLER_SLABS], *slab;
    (void)state;
    for (unsigned i = 0; i < ZL_FILLER_SLABS; i++)
        slabs[i] = fill_one(&filler, (uint8_t)i);
    granted = 0;
    for (unsigned i = 0; i < 3; i++)
        assert_null(zl_slab_put(&filler, payload, 10, &slab));
    granted = -1;
    struct zl_slab *fresh = put(&filler, 10, 9, NULL);
    for (unsigned i = 0; i < ZL_FILLER_SLABS; i++) {
        assert_ptr_not_equal(fresh, slabs[i]);
        assert_all(slabs[i], (uint8_t)i);
        zl_slab_release(slabs[i], PER_SLAB);
    }
    zl_slab_release(fresh, 1);
    zl_slab_filler_clear(&filler);
}

#define TEST(test) cmocka_unit_test_teardown(test, check_leaks)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(payloads_lie_one_behind_the_other),
        TEST(handing_out_does_not_touch_the_counter),
        TEST(a_slab_is_filled_again_when_all_readers_are_done),
        TEST(a_reader_that_keeps_up_needs_one_slab),
        TEST(a_filler_holds_eight_slabs_at_most),
        TEST(slow_readers_keep_what_was_given_up),
        TEST(the_longest_payload_takes_a_slab),
        TEST(references_may_run_out_before_the_room),
        TEST(without_memory_nothing_is_put),
        TEST(without_memory_all_places_stay_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
