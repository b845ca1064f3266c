/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_timers_* as programs use them: handles, errors, and that the real clock drives them. What
 * timers do when is tested with a clock of the test's own, in core/test_timers.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zmq.h>

#define assert_fails(call, number)                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_int_equal(call, -1);                                                                \
        assert_int_equal(errno, number);                                                           \
    } while (0)

static void count(int id, void *arg)
{
    int *calls = arg;

    assert_true(id > 0);
    (*calls)++;
}

static void destroy_clears_the_handle(void **state)
{
    (void)state;
    void *timers = zmq_timers_new();

    assert_non_null(timers);
    assert_int_equal(zmq_timers_destroy(&timers), 0);
    assert_null(timers);
    assert_fails(zmq_timers_destroy(&timers), EFAULT);
    assert_fails(zmq_timers_destroy(NULL), EFAULT);
}

static void check_refused(void *handle)
{
    int calls = 0;

    assert_fails(zmq_timers_add(handle, 1, count, &calls), EFAULT);
    assert_fails(zmq_timers_cancel(handle, 1), EFAULT);
    assert_fails(zmq_timers_set_interval(handle, 1, 1), EFAULT);
    assert_fails(zmq_timers_reset(handle, 1), EFAULT);
    assert_fails(zmq_timers_timeout(handle), EFAULT);
    assert_fails(zmq_timers_execute(handle), EFAULT);
}

static void handles_of_something_else_are_refused(void **state)
{
    (void)state;
    unsigned char other[256] = {0};
    void *handle = other;

    check_refused(NULL);
    check_refused(other);
    assert_fails(zmq_timers_destroy(&handle), EFAULT);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    void *timers = zmq_timers_new();

    assert_fails(zmq_timers_add(timers, 10, NULL, NULL), EFAULT);
    assert_fails(zmq_timers_cancel(timers, 1), EINVAL);
    assert_fails(zmq_timers_set_interval(timers, 1, 10), EINVAL);
    assert_fails(zmq_timers_reset(timers, 1), EINVAL);
    assert_fails(zmq_timers_timeout(timers), EINVAL);
    assert_int_equal(zmq_timers_execute(timers), 0);
    assert_int_equal(zmq_timers_destroy(&timers), 0);
}

static void the_clock_makes_a_timer_due(void **state)
{
    (void)state;
    void *timers = zmq_timers_new();
    int calls = 0;
    int id = zmq_timers_add(timers, 3600000, count, &calls);
    long timeout = zmq_timers_timeout(timers);

    assert_true(id > 0);
    assert_true(timeout > 0 && timeout <= 3600000);
    assert_int_equal(zmq_timers_execute(timers), 0);
    assert_int_equal(calls, 0);

    assert_int_equal(zmq_timers_set_interval(timers, id, 2), 0);
    while (calls == 0) {
        timeout = zmq_timers_timeout(timers);
        assert_true(timeout >= 0 && timeout <= 2);
        assert_int_equal(zmq_timers_execute(timers), 0);
    }
    assert_int_equal(calls, 1);
    assert_int_equal(zmq_timers_reset(timers, id), 0);
    assert_int_equal(zmq_timers_cancel(timers, id), 0);
    assert_fails(zmq_timers_cancel(timers, id), EINVAL);
    assert_fails(zmq_timers_timeout(timers), EINVAL);
    assert_int_equal(zmq_timers_destroy(&timers), 0);
}

static void destroying_forgets_live_timers(void **state)
{
    (void)state;
    void *timers = zmq_timers_new();
    int calls = 0;

    for (int i = 0; i < 100; i++)
        assert_true(zmq_timers_add(timers, 0, count, &calls) > 0);
    assert_int_equal(zmq_timers_destroy(&timers), 0);
    assert_int_equal(calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destroy_clears_the_handle),
        cmocka_unit_test(handles_of_something_else_are_refused),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(the_clock_makes_a_timer_due),
        cmocka_unit_test(destroying_forgets_live_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
