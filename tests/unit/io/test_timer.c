/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the timer heap; time is only a number here. */
#include "unit/wire/octets.h"

#include "io/timer.h"

#include <limits.h>

static void ignore(struct zl_timer *timer)
{
    (void)timer;
}

static void an_empty_heap(void **state)
{
    struct zl_timer_heap heap;
    struct zl_timer timer;
    (void)state;
    zl_timer_heap_init(&heap);
    assert_int_equal(zl_timer_wait(&heap, 0), -1);
    assert_null(zl_timer_pop(&heap, UINT64_MAX));
    zl_timer_init(&timer, ignore);
    assert_false(zl_timer_running(&timer));
    assert_ptr_equal(timer.expired, ignore);
    zl_timer_cancel(&heap, &timer);
    assert_false(zl_timer_running(&timer));
    zl_timer_heap_free(&heap);
    zl_timer_heap_free(&heap);
}

static void a_timer_is_due_at_its_time(void **state)
{
    struct zl_timer_heap heap;
    struct zl_timer timer;
    (void)state;
    zl_timer_heap_init(&heap);
    zl_timer_init(&timer, ignore);
    assert_int_equal(zl_timer_set(&heap, &timer, 1000), 0);
    assert_true(zl_timer_running(&timer));
    assert_int_equal(zl_timer_wait(&heap, 0), 1000);
    assert_int_equal(zl_timer_wait(&heap, 999), 1);
    assert_null(zl_timer_pop(&heap, 999));
    assert_int_equal(zl_timer_wait(&heap, 1000), 0);
    assert_int_equal(zl_timer_wait(&heap, 5000), 0);
    assert_ptr_equal(zl_timer_pop(&heap, 1000), &timer);
    assert_false(zl_timer_running(&timer));
    assert_null(zl_timer_pop(&heap, 5000));
    assert_int_equal(zl_timer_wait(&heap, 5000), -1);
    zl_timer_heap_free(&heap);
}

static void waits_that_do_not_fit_are_long(void **state)
{
    struct zl_timer_heap heap;
    struct zl_timer timer;
    (void)state;
    zl_timer_heap_init(&heap);
    zl_timer_init(&timer, ignore);
    assert_int_equal(zl_timer_set(&heap, &timer, UINT64_MAX), 0);
    assert_int_equal(zl_timer_wait(&heap, 5), INT_MAX);
    assert_int_equal(zl_timer_set(&heap, &timer, 5 + (uint64_t)INT_MAX), 0);
    assert_int_equal(zl_timer_wait(&heap, 5), INT_MAX);
    assert_int_equal(zl_timer_wait(&heap, 6), INT_MAX - 1);
    zl_timer_heap_free(&heap);
}

static void setting_again_moves_a_timer(void **state)
{
    struct zl_timer_heap heap;
    struct zl_timer a, b;
    (void)state;
    zl_timer_heap_init(&heap);
    zl_timer_init(&a, ignore);
    zl_timer_init(&b, ignore);
    assert_int_equal(zl_timer_set(&heap, &a, 10), 0);
    assert_int_equal(zl_timer_set(&heap, &b, 20), 0);
    assert_int_equal(zl_timer_set(&heap, &a, 30), 0);
    assert_int_equal(zl_timer_wait(&heap, 0), 20);
    assert_int_equal(zl_timer_set(&heap, &a, 5), 0);
    assert_ptr_equal(zl_timer_pop(&heap, 100), &a);
    assert_ptr_equal(zl_timer_pop(&heap, 100), &b);
    assert_null(zl_timer_pop(&heap, 100)); /* each is there once */
    zl_timer_heap_free(&heap);
}

static void a_cancelled_timer_may_start_again(void **state)
{
    struct zl_timer_heap heap;
    struct zl_timer a, b;
    (void)state;
    zl_timer_heap_init(&heap);
    zl_timer_init(&a, ignore);
    zl_timer_init(&b, ignore);
    assert_int_equal(zl_timer_set(&heap, &a, 10), 0);
    assert_int_equal(zl_timer_set(&heap, &b, 20), 0);
    zl_timer_cancel(&heap, &a);
    zl_timer_cancel(&heap, &a);
    assert_false(zl_timer_running(&a));
    assert_int_equal(zl_timer_set(&heap, &a, 15), 0);
    assert_ptr_equal(zl_timer_pop(&heap, 15), &a);
    assert_null(zl_timer_pop(&heap, 15));
    assert_ptr_equal(zl_timer_pop(&heap, 20), &b);
    zl_timer_heap_free(&heap);
}

/* ---- Random operations against a plain array ---- */

enum { TIMERS = 60, OPERATIONS = 20000 };

struct model {
    struct zl_timer_heap heap;
    struct zl_timer timers[TIMERS];
    uint64_t due[TIMERS]; /* 0: not running */
    uint64_t now;
    uint64_t random;
};

static int earliest(const struct model *m)
{
    int found = -1;
    for (int i = 0; i < TIMERS; i++)
        if (m->due[i] && (found < 0 || m->due[i] < m->due[found]))
            found = i;
    return found;
}

/* Takes out all that is due: in the order of time, and each once. */
static void expire(struct model *m)
{
    struct zl_timer *timer;
    uint64_t last = 0;
    while ((timer = zl_timer_pop(&m->heap, m->now)) != NULL) {
        size_t index = (size_t)(timer - m->timers);
        assert_true(index < TIMERS);
        assert_true(m->due[index] > 0 && m->due[index] <= m->now);
        assert_int_equal(m->due[index], m->due[earliest(m)]);
        assert_true(m->due[index] >= last);
        last = m->due[index];
        m->due[index] = 0;
    }
    assert_true(earliest(m) < 0 || m->due[earliest(m)] > m->now);
}

static void agrees_with_a_plain_table(void **state)
{
    struct model *m = calloc(1, sizeof *m);
    (void)state;
    assert_non_null(m);
    zl_timer_heap_init(&m->heap);
    m->now = 1;
    for (int i = 0; i < TIMERS; i++)
        zl_timer_init(&m->timers[i], ignore);
    for (int operation = 0; operation < OPERATIONS; operation++) {
        uint32_t random = octets_random(&m->random);
        /* Phases with many and with few timers; equal times are common. */
        uint32_t index = random / 64 % (operation / 2000 % 2 ? TIMERS : 5);
        uint64_t due = m->now + random / 4096 % 40;
        if (random % 64 < 36) {
            assert_int_equal(zl_timer_set(&m->heap, &m->timers[index], due), 0);
            m->due[index] = due;
        } else if (random % 64 < 56) {
            zl_timer_cancel(&m->heap, &m->timers[index]);
            m->due[index] = 0;
        } else {
            m->now += random / 4096 % 10;
            expire(m);
        }
        int first = earliest(m);
        int wait = first < 0 ? -1 : m->due[first] <= m->now ? 0 : (int)(m->due[first] - m->now);
        assert_int_equal(zl_timer_wait(&m->heap, m->now), wait);
        assert_int_equal(zl_timer_running(&m->timers[index]), m->due[index] != 0);
    }
    m->now += 1000;
    expire(m);
    assert_int_equal(m->heap.count, 0);
    zl_timer_heap_free(&m->heap);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap),
        cmocka_unit_test(a_timer_is_due_at_its_time),
        cmocka_unit_test(waits_that_do_not_fit_are_long),
        cmocka_unit_test(setting_again_moves_a_timer),
        cmocka_unit_test(a_cancelled_timer_may_start_again),
        cmocka_unit_test(agrees_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
