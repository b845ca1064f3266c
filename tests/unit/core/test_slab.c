/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the receive slabs. */
#include "unit/wire/octets.h"

#include "core/slab.h"

#include <pthread.h>
#include <sched.h>

static void a_new_slab_belongs_to_its_filler(void **state)
{
    (void)state;
    struct zl_slab *slab = zl_slab_new(100);
    assert_non_null(slab);
    assert_int_equal(slab->capacity, 100);
    assert_int_equal(slab->used, 0);
    assert_true(zl_slab_unshared(slab));
    memset(slab->data, 1, 100); /* all of it is ours */
    zl_slab_release(slab, 1);
}

static void references_are_counted(void **state)
{
    (void)state;
    struct zl_slab *slab = zl_slab_new(10);
    assert_non_null(slab);
    zl_slab_acquire(slab, 3);
    assert_false(zl_slab_unshared(slab));
    zl_slab_release(slab, 2);
    assert_false(zl_slab_unshared(slab));
    zl_slab_release(slab, 1);
    assert_true(zl_slab_unshared(slab));
    zl_slab_release(slab, 1);
}

static void the_filler_may_leave_first(void **state)
{
    (void)state;
    struct zl_slab *slab = zl_slab_new(10);
    assert_non_null(slab);
    slab->data[9] = 42;
    zl_slab_acquire(slab, 2);
    zl_slab_release(slab, 1);
    zl_slab_release(slab, 1);
    assert_int_equal(slab->data[9], 42);
    zl_slab_release(slab, 1);
    /* All at once is as good as one by one; a leak checker sees a slab that stays. */
    slab = zl_slab_new(10);
    assert_non_null(slab);
    zl_slab_acquire(slab, 4);
    zl_slab_release(slab, 5);
}

static void releasing_nothing_is_harmless(void **state)
{
    (void)state;
    zl_slab_release(NULL, 0);
    zl_slab_release(NULL, 7);
    struct zl_slab *slab = zl_slab_new(0);
    assert_non_null(slab);
    zl_slab_release(slab, 0);
    assert_true(zl_slab_unshared(slab));
    zl_slab_release(slab, 1);
}

/* The filler hands slices to readers and fills the slab again from the start when they are done:
   no reader may see the next filling. */
/* STRIDE: words of their own, as the thread sanitizer remembers only a few accesses per word. */
enum { READERS = 3, STRIDE = 64, FILLINGS = 2000 };

struct reading {
    struct zl_slab *slab;
    atomic_uint filling; /* what the readers may read; 0 none yet */
    atomic_uint errors;
};

struct reader {
    struct reading *reading;
    unsigned index;
};

static void *read_fillings(void *argument)
{
    struct reader *reader = argument;
    struct reading *reading = reader->reading;
    for (unsigned filling = 1; filling <= FILLINGS; filling++) {
        while (atomic_load_explicit(&reading->filling, memory_order_acquire) < filling)
            sched_yield();
        if (reading->slab->data[reader->index * STRIDE] != (uint8_t)filling)
            atomic_fetch_add(&reading->errors, 1);
        /* The release of the slab alone has to order the read before the next filling. */
        zl_slab_release(reading->slab, 1);
    }
    return NULL;
}

static void is_filled_again_only_after_the_last_reader(void **state)
{
    struct reading reading = {.slab = zl_slab_new(READERS * STRIDE)};
    struct reader readers[READERS];
    pthread_t threads[READERS];
    (void)state;
    assert_non_null(reading.slab);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){&reading, i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_fillings, &readers[i]), 0);
    }
    for (unsigned filling = 1; filling <= FILLINGS; filling++) {
        while (!zl_slab_unshared(reading.slab))
            sched_yield();
        for (unsigned i = 0; i < READERS; i++)
            reading.slab->data[i * STRIDE] = (uint8_t)filling;
        zl_slab_acquire(reading.slab, READERS);
        atomic_store_explicit(&reading.filling, filling, memory_order_release);
    }
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&reading.errors), 0);
    assert_true(zl_slab_unshared(reading.slab));
    zl_slab_release(reading.slab, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_slab_belongs_to_its_filler),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(the_filler_may_leave_first),
        cmocka_unit_test(releasing_nothing_is_harmless),
        cmocka_unit_test(is_filled_again_only_after_the_last_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
