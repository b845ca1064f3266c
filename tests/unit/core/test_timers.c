/* SPDX-License-Identifier: MPL-2.0 */
/* Repeating timers under a clock that only the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/timers.h"

#define START 1000000u

/* What a handler does to the timers besides being noted. */
enum action { DO_NOTHING, DO_CANCEL, DO_RESET, DO_SET_INTERVAL, DO_ADD };

struct fixture {
    struct zl_timers timers;
    uint64_t now;
    int calls[64]; /* ids in the order of their calls */
    int call_count;
    enum action action;
    int target; /* id that the action is about, 0 = the called one */
    uint64_t interval;
    int rc; /* result of the action */
};

static void note(int id, void *arg)
{
    struct fixture *f = arg;
    int target = f->target ? f->target : id;

    assert_true(f->call_count < 64);
    f->calls[f->call_count++] = id;
    switch (f->action) {
    case DO_NOTHING:
        break;
    case DO_CANCEL:
        f->rc = zl_timers_cancel(&f->timers, target);
        break;
    case DO_RESET:
        f->rc = zl_timers_reset(&f->timers, f->now, target);
        break;
    case DO_SET_INTERVAL:
        f->rc = zl_timers_set_interval(&f->timers, f->now, target, f->interval);
        break;
    case DO_ADD:
        f->rc = zl_timers_add(&f->timers, f->now, f->interval, note, f);
        break;
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    zl_timers_init(&f->timers);
    f->now = START;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    zl_timers_free(&f->timers);
    free(f);
    return 0;
}

static int add(struct fixture *f, uint64_t interval)
{
    int id = zl_timers_add(&f->timers, f->now, interval, note, f);

    assert_true(id > 0);
    return id;
}

/* Moves the clock, executes, and compares the calls made with `count` ids. */
static void expect_calls_after(struct fixture *f, uint64_t ms, int count, ...)
{
    va_list ids;

    f->now += ms;
    f->call_count = 0;
    zl_timers_execute(&f->timers, f->now);
    assert_int_equal(f->call_count, count);
    va_start(ids, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(f->calls[i], va_arg(ids, int));
    va_end(ids);
}

static void no_timer_no_timeout(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(zl_timers_timeout(&f->timers, f->now), -EINVAL);
    expect_calls_after(f, 1000, 0);
    assert_int_equal(zl_timers_cancel(&f->timers, add(f, 5)), 0);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now), -EINVAL);
}

static void timeout_is_that_of_the_first_timer(void **state)
{
    struct fixture *f = *state;

    add(f, 100);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now), 100);
    add(f, 30);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now), 30);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now + 29), 1);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now + 30), 0);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now + 5000), 0);
}

static void due_exactly_at_the_interval(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    expect_calls_after(f, 9, 0);
    expect_calls_after(f, 1, 1, id);
    expect_calls_after(f, 9, 0);
    expect_calls_after(f, 1, 1, id);
}

static void called_in_the_order_of_due_times(void **state)
{
    struct fixture *f = *state;
    int slow = add(f, 30);
    int quick = add(f, 10);
    int middle = add(f, 20);

    expect_calls_after(f, 30, 3, quick, middle, slow);
}

static void equal_due_times_are_called_in_the_order_of_addition(void **state)
{
    struct fixture *f = *state;
    int first = add(f, 10);
    int second = add(f, 10);
    int third = add(f, 10);

    expect_calls_after(f, 10, 3, first, second, third);
    expect_calls_after(f, 10, 3, first, second, third);
}

static void missed_periods_are_not_repeated(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    expect_calls_after(f, 57, 1, id);
    /* The next interval starts at the call, not at the time it was due. */
    assert_int_equal(zl_timers_timeout(&f->timers, f->now), 10);
    expect_calls_after(f, 9, 0);
    expect_calls_after(f, 1, 1, id);
}

static void interval_zero_is_called_once_per_execution(void **state)
{
    struct fixture *f = *state;
    int zero = add(f, 0);
    int other = add(f, 0);

    assert_int_equal(zl_timers_timeout(&f->timers, f->now), 0);
    expect_calls_after(f, 0, 2, zero, other);
    expect_calls_after(f, 0, 2, zero, other);
}

static void cancelled_timers_are_not_called(void **state)
{
    struct fixture *f = *state;
    int kept = add(f, 10);
    int cancelled = add(f, 5);

    assert_int_equal(zl_timers_cancel(&f->timers, cancelled), 0);
    assert_int_equal(zl_timers_timeout(&f->timers, f->now), 10);
    expect_calls_after(f, 10, 1, kept);
}

static void unknown_ids_are_refused(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    assert_int_equal(zl_timers_cancel(&f->timers, id), 0);
    assert_int_equal(zl_timers_cancel(&f->timers, id), -EINVAL);
    assert_int_equal(zl_timers_reset(&f->timers, f->now, id), -EINVAL);
    assert_int_equal(zl_timers_set_interval(&f->timers, f->now, id, 1), -EINVAL);
    assert_int_equal(zl_timers_cancel(&f->timers, 0), -EINVAL);
    assert_int_equal(zl_timers_cancel(&f->timers, -1), -EINVAL);
    assert_int_equal(zl_timers_cancel(&f->timers, id + 1), -EINVAL);
}

static void reset_starts_the_interval_anew(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    f->now += 8;
    assert_int_equal(zl_timers_reset(&f->timers, f->now, id), 0);
    expect_calls_after(f, 9, 0);
    expect_calls_after(f, 1, 1, id);
}

static void set_interval_counts_from_now_and_stays(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    f->now += 8;
    assert_int_equal(zl_timers_set_interval(&f->timers, f->now, id, 20), 0);
    expect_calls_after(f, 19, 0);
    expect_calls_after(f, 1, 1, id);
    expect_calls_after(f, 19, 0);
    expect_calls_after(f, 1, 1, id);
}

static void handler_cancels_itself(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    f->action = DO_CANCEL;
    expect_calls_after(f, 10, 1, id);
    assert_int_equal(f->rc, 0);
    assert_int_equal(f->timers.count, 0);
    expect_calls_after(f, 100, 0);
}

static void handler_cancels_another_that_is_due(void **state)
{
    struct fixture *f = *state;
    int first = add(f, 10);
    int second = add(f, 11);

    f->action = DO_CANCEL;
    f->target = second;
    expect_calls_after(f, 50, 1, first);
    assert_int_equal(f->rc, 0);
}

static void handler_resets_another_that_is_due(void **state)
{
    struct fixture *f = *state;
    int first = add(f, 10);
    int second = add(f, 11);

    f->action = DO_RESET;
    f->target = second;
    expect_calls_after(f, 50, 1, first);
    f->action = DO_NOTHING;
    expect_calls_after(f, 10, 1, first);
    expect_calls_after(f, 1, 1, second);
}

static void handler_has_the_last_word_on_its_interval(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    f->action = DO_SET_INTERVAL;
    f->interval = 500;
    expect_calls_after(f, 10, 1, id);
    f->action = DO_NOTHING;
    expect_calls_after(f, 499, 0);
    expect_calls_after(f, 1, 1, id);
}

static void what_a_handler_adds_waits_for_the_next_execution(void **state)
{
    struct fixture *f = *state;
    int id = add(f, 10);

    f->action = DO_ADD;
    f->interval = 0;
    expect_calls_after(f, 10, 1, id);
    assert_true(f->rc > id);
    f->action = DO_NOTHING;
    expect_calls_after(f, 0, 1, f->rc);
}

static void handlers_may_add_so_many_that_memory_moves(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 40; i++)
        add(f, 10);
    f->action = DO_ADD;
    f->interval = 10;
    f->now += 10;
    zl_timers_execute(&f->timers, f->now);
    assert_int_equal(f->call_count, 40);
    assert_int_equal(f->timers.count, 80);
}

static void endless_intervals_do_not_overflow(void **state)
{
    struct fixture *f = *state;
    int id = add(f, UINT64_MAX);

    assert_true(zl_timers_timeout(&f->timers, f->now) == LONG_MAX);
    expect_calls_after(f, 1000000, 0);
    assert_int_equal(zl_timers_set_interval(&f->timers, f->now, id, UINT64_MAX - 1), 0);
    expect_calls_after(f, 1000000, 0);
}

static void ids_grow(void **state)
{
    struct fixture *f = *state;
    int first = add(f, 10);
    int second = add(f, 10);

    assert_true(second > first);
    assert_int_equal(zl_timers_cancel(&f->timers, second), 0);
    assert_true(add(f, 10) > second);
}

static void ids_in_use_are_skipped_after_the_last_one(void **state)
{
    struct fixture *f = *state;
    int oldest = add(f, 10);

    assert_int_equal(oldest, 1);
    f->timers.last_id = INT_MAX - 1;
    assert_int_equal(add(f, 10), INT_MAX);
    assert_int_equal(add(f, 10), 2);
}

/* Random operations, compared with a plain table of due times. */
static void agrees_with_a_plain_table(void **state)
{
    enum { TIMERS = 40 };
    struct fixture *f = *state;
    struct {
        int id;
        uint64_t due, interval;
    } table[TIMERS];
    unsigned seed = 1;

    for (int i = 0; i < TIMERS; i++) {
        table[i].interval = 1 + (uint64_t)i * 7 % 31;
        table[i].due = f->now + table[i].interval;
        table[i].id = add(f, table[i].interval);
    }
    for (int step = 0; step < 2000; step++) {
        uint64_t first = UINT64_MAX;
        int expected = 0;
        int chosen;

        seed = seed * 1103515245u + 12345u;
        chosen = (int)(seed >> 16) % TIMERS;
        if (seed >> 8 & 1) {
            assert_int_equal(zl_timers_reset(&f->timers, f->now, table[chosen].id), 0);
        } else {
            table[chosen].interval = 1 + (seed >> 20) % 50;
            assert_int_equal(zl_timers_set_interval(&f->timers, f->now, table[chosen].id,
                                                    table[chosen].interval),
                             0);
        }
        table[chosen].due = f->now + table[chosen].interval;

        f->now += seed >> 28;
        for (int i = 0; i < TIMERS; i++) {
            if (table[i].due <= f->now) {
                expected++;
                table[i].due = f->now + table[i].interval;
            }
            if (table[i].due < first)
                first = table[i].due;
        }
        f->call_count = 0;
        zl_timers_execute(&f->timers, f->now);
        assert_int_equal(f->call_count, expected);
        assert_int_equal(zl_timers_timeout(&f->timers, f->now), first - f->now);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_timer_no_timeout),
        TEST(timeout_is_that_of_the_first_timer),
        TEST(due_exactly_at_the_interval),
        TEST(called_in_the_order_of_due_times),
        TEST(equal_due_times_are_called_in_the_order_of_addition),
        TEST(missed_periods_are_not_repeated),
        TEST(interval_zero_is_called_once_per_execution),
        TEST(cancelled_timers_are_not_called),
        TEST(unknown_ids_are_refused),
        TEST(reset_starts_the_interval_anew),
        TEST(set_interval_counts_from_now_and_stays),
        TEST(handler_cancels_itself),
        TEST(handler_cancels_another_that_is_due),
        TEST(handler_resets_another_that_is_due),
        TEST(handler_has_the_last_word_on_its_interval),
        TEST(what_a_handler_adds_waits_for_the_next_execution),
        TEST(handlers_may_add_so_many_that_memory_moves),
        TEST(endless_intervals_do_not_overflow),
        TEST(ids_grow),
        TEST(ids_in_use_are_skipped_after_the_last_one),
        TEST(agrees_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
