/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the context options, row by row. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/ctx_options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options that are set and read as one int. */
static const struct {
    int option;
    int initial;
    int min;
    bool is_bool;
} ints[] = {
    {ZMQ_IO_THREADS, 1, 0, false},
    {ZMQ_MAX_SOCKETS, 1023, 1, false},
    {ZMQ_THREAD_SCHED_POLICY, -1, 0, false},
    {ZMQ_MAX_MSGSZ, INT_MAX, 0, false},
    {ZMQ_ZERO_COPY_RECV, 1, 0, true},
    {ZMQ_IPV6, 0, 0, true},
    {ZMQ_BLOCKY, 1, 0, true},
};

static struct zl_ctx_options fresh(void)
{
    struct zl_ctx_options options;
    memset(&options, 0xA5, sizeof(options));
    zl_ctx_options_init(&options);
    return options;
}

static void reads_as(const struct zl_ctx_options *options, int option, int expected)
{
    int value = 4711;
    size_t size = sizeof(value);
    assert_int_equal(zl_ctx_options_get(options, option, &value), 0);
    assert_int_equal(value, expected);
    value = 4711;
    assert_int_equal(zl_ctx_options_get_ext(options, option, &value, &size), 0);
    assert_int_equal(value, expected);
    assert_int_equal(size, sizeof(value));
}

static void expect_unreadable(const struct zl_ctx_options *options, int option)
{
    int value = 4711;
    size_t size = sizeof(value);
    assert_int_equal(zl_ctx_options_get(options, option, &value), -EINVAL);
    assert_int_equal(zl_ctx_options_get_ext(options, option, &value, &size), -EINVAL);
    assert_int_equal(value, 4711);
}

static void ints_have_their_defaults(void **state)
{
    struct zl_ctx_options options = fresh();
    (void)state;
    for (size_t i = 0; i < COUNT(ints); i++)
        reads_as(&options, ints[i].option, ints[i].initial);
    assert_int_equal(options.thread_priority, -1);
    assert_string_equal(options.thread_name_prefix, "");
    assert_true(zl_cpu_set_is_empty(&options.cpus));
}

static void ints_take_their_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ints); i++) {
        struct zl_ctx_options options = fresh();
        const int good[] = {ints[i].min, ints[i].min + 1, ints[i].min + 2, INT_MAX};
        for (size_t k = 0; k < COUNT(good); k++) {
            assert_int_equal(zl_ctx_options_set(&options, ints[i].option, good[k]), 0);
            reads_as(&options, ints[i].option, ints[i].is_bool ? good[k] != 0 : good[k]);
        }
        const int bad[] = {ints[i].min - 1, INT_MIN};
        for (size_t k = 0; k < COUNT(bad); k++) {
            assert_int_equal(zl_ctx_options_set(&options, ints[i].option, bad[k]), -EINVAL);
            reads_as(&options, ints[i].option, ints[i].is_bool ? 1 : INT_MAX);
        }
    }
}

static void ints_need_exactly_four_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ints); i++) {
        struct zl_ctx_options options = fresh();
        char buffer[16] = {1};
        for (size_t size = 0; size <= sizeof(buffer); size++) {
            int expected = size == sizeof(int) ? 0 : -EINVAL;
            assert_int_equal(zl_ctx_options_set_ext(&options, ints[i].option, buffer, size),
                             expected);
            assert_int_equal(zl_ctx_options_get_ext(&options, ints[i].option, buffer, &size),
                             expected);
        }
        assert_int_equal(zl_ctx_options_set_ext(&options, ints[i].option, NULL, 4), -EINVAL);
        size_t size = 4;
        assert_int_equal(zl_ctx_options_get_ext(&options, ints[i].option, NULL, &size), -EINVAL);
        assert_int_equal(zl_ctx_options_get_ext(&options, ints[i].option, buffer, NULL), -EINVAL);
    }
}

static void constants_can_only_be_read(void **state)
{
    struct zl_ctx_options options = fresh();
    (void)state;
    reads_as(&options, ZMQ_MSG_T_SIZE, 64);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_MSG_T_SIZE, 64), -EINVAL);
    reads_as(&options, ZMQ_SOCKET_LIMIT, 65535);
}

static void thread_priority_shares_its_number_with_socket_limit(void **state)
{
    struct zl_ctx_options options = fresh();
    (void)state;
    assert_int_equal(ZMQ_THREAD_PRIORITY, ZMQ_SOCKET_LIMIT);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_PRIORITY, -1), -EINVAL);
    assert_int_equal(options.thread_priority, -1);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_PRIORITY, 0), 0);
    assert_int_equal(options.thread_priority, 0);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_PRIORITY, 99), 0);
    assert_int_equal(options.thread_priority, 99);
    reads_as(&options, ZMQ_SOCKET_LIMIT, 65535);
}

static void cpus_are_added_and_removed(void **state)
{
    struct zl_ctx_options options = fresh();
    static const int cpus[] = {0, 7, 8, 63, ZL_CTX_CPUS_MAX - 1};
    (void)state;
    for (size_t i = 0; i < COUNT(cpus); i++) {
        assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_AFFINITY_CPU_REMOVE, cpus[i]),
                         -EINVAL);
        for (int times = 0; times < 2; times++)
            assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_AFFINITY_CPU_ADD, cpus[i]), 0);
        assert_true(zl_cpu_set_contains(&options.cpus, cpus[i]));
    }
    assert_false(zl_cpu_set_contains(&options.cpus, 1));
    assert_false(zl_cpu_set_is_empty(&options.cpus));
    for (size_t i = 0; i < COUNT(cpus); i++) {
        assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_AFFINITY_CPU_REMOVE, cpus[i]), 0);
        assert_false(zl_cpu_set_contains(&options.cpus, cpus[i]));
    }
    assert_true(zl_cpu_set_is_empty(&options.cpus));
}

static void cpus_out_of_range_are_refused(void **state)
{
    struct zl_ctx_options options = fresh();
    static const int cpus[] = {-1, INT_MIN, ZL_CTX_CPUS_MAX, INT_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT(cpus); i++) {
        assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_AFFINITY_CPU_ADD, cpus[i]),
                         -EINVAL);
        assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_AFFINITY_CPU_REMOVE, cpus[i]),
                         -EINVAL);
        assert_false(zl_cpu_set_contains(&options.cpus, cpus[i]));
    }
    assert_true(zl_cpu_set_is_empty(&options.cpus));
    expect_unreadable(&options, ZMQ_THREAD_AFFINITY_CPU_ADD);
    expect_unreadable(&options, ZMQ_THREAD_AFFINITY_CPU_REMOVE);
}

static void thread_name_prefix_may_be_a_number(void **state)
{
    struct zl_ctx_options options = fresh();
    int value = 4711;
    (void)state;
    assert_int_equal(zl_ctx_options_get(&options, ZMQ_THREAD_NAME_PREFIX, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_NAME_PREFIX, 1234), 0);
    assert_string_equal(options.thread_name_prefix, "1234");
    assert_int_equal(zl_ctx_options_get(&options, ZMQ_THREAD_NAME_PREFIX, &value), 0);
    assert_int_equal(value, 1234);
    assert_int_equal(zl_ctx_options_set(&options, ZMQ_THREAD_NAME_PREFIX, INT_MIN), 0);
    assert_string_equal(options.thread_name_prefix, "-2147483648");
    assert_int_equal(zl_ctx_options_get(&options, ZMQ_THREAD_NAME_PREFIX, &value), 0);
    assert_int_equal(value, INT_MIN);
}

static void thread_name_prefix_may_be_a_text(void **state)
{
    struct zl_ctx_options options = fresh();
    static const char text[] = "0123456789abcdefg";
    (void)state;
    for (size_t size = 1; size <= 16; size++) {
        if (size == 4)
            continue;
        assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, text, size), 0);
        assert_int_equal(strlen(options.thread_name_prefix), size);
        assert_memory_equal(options.thread_name_prefix, text, size);
    }
    assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, text, 17), -EINVAL);
    assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, text, 0), -EINVAL);
    assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, NULL, 3), -EINVAL);
    assert_string_equal(options.thread_name_prefix, "0123456789abcdef");
}

static void four_bytes_of_thread_name_prefix_are_an_int(void **state)
{
    struct zl_ctx_options options = fresh();
    const int number = 42;
    (void)state;
    assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, &number, 4), 0);
    assert_string_equal(options.thread_name_prefix, "42");
}

static void thread_name_prefix_is_read_without_nul(void **state)
{
    struct zl_ctx_options options = fresh();
    char buffer[8];
    size_t size = 5;
    int value = 4711;
    (void)state;
    assert_int_equal(zl_ctx_options_set_ext(&options, ZMQ_THREAD_NAME_PREFIX, "hello", 5), 0);
    memset(buffer, '#', sizeof(buffer));
    assert_int_equal(zl_ctx_options_get_ext(&options, ZMQ_THREAD_NAME_PREFIX, buffer, &size), 0);
    assert_memory_equal(buffer, "hello###", 8);
    assert_int_equal(size, 5);
    size = 8;
    assert_int_equal(zl_ctx_options_get_ext(&options, ZMQ_THREAD_NAME_PREFIX, buffer, &size), 0);
    assert_memory_equal(buffer, "hello###", 8);
    assert_int_equal(size, 8);
    size = 4;
    assert_int_equal(zl_ctx_options_get_ext(&options, ZMQ_THREAD_NAME_PREFIX, buffer, &size),
                     -EINVAL);
    /* It is no number. */
    assert_int_equal(zl_ctx_options_get(&options, ZMQ_THREAD_NAME_PREFIX, &value), 0);
    assert_int_equal(value, 0);
}

static void all_other_numbers_are_unknown(void **state)
{
    struct zl_ctx_options options = fresh();
    (void)state;
    for (int option = -3; option < 200; option++) {
        if ((option >= 1 && option <= 10) || option == ZMQ_IPV6 || option == ZMQ_BLOCKY)
            continue;
        assert_int_equal(zl_ctx_options_set(&options, option, 1), -EINVAL);
        expect_unreadable(&options, option);
    }
    assert_int_equal(zl_ctx_options_set(&options, INT_MAX, 1), -EINVAL);
    assert_int_equal(zl_ctx_options_set(&options, INT_MIN, 1), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ints_have_their_defaults),
        cmocka_unit_test(ints_take_their_range),
        cmocka_unit_test(ints_need_exactly_four_bytes),
        cmocka_unit_test(constants_can_only_be_read),
        cmocka_unit_test(thread_priority_shares_its_number_with_socket_limit),
        cmocka_unit_test(cpus_are_added_and_removed),
        cmocka_unit_test(cpus_out_of_range_are_refused),
        cmocka_unit_test(thread_name_prefix_may_be_a_number),
        cmocka_unit_test(thread_name_prefix_may_be_a_text),
        cmocka_unit_test(four_bytes_of_thread_name_prefix_are_an_int),
        cmocka_unit_test(thread_name_prefix_is_read_without_nul),
        cmocka_unit_test(all_other_numbers_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
