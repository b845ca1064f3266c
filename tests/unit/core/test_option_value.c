/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of reading, writing and keeping the values of options. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/option_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void ints_are_read(void **state)
{
    static const struct {
        int value;
        int bool01, nonneg, any;
    } rows[] = {
        {0, 0, 0, 0},
        {1, 0, 0, 0},
        {2, -EINVAL, 0, 0},
        {INT_MAX, -EINVAL, 0, 0},
        {-1, -EINVAL, -EINVAL, 0},
        {INT_MIN, -EINVAL, -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const void *value = &rows[i].value;
        bool truth = rows[i].value == 0, untouched = truth;
        int number = 4711;
        assert_int_equal(zl_option_read_int(value, sizeof(int), &number), 0);
        assert_int_equal(number, rows[i].value);
        assert_int_equal(zl_option_read_bool01(value, sizeof(int), &truth), rows[i].bool01);
        assert_int_equal(truth, rows[i].bool01 ? untouched : rows[i].value != 0);
        truth = untouched;
        assert_int_equal(zl_option_read_bool_nonneg(value, sizeof(int), &truth), rows[i].nonneg);
        assert_int_equal(truth, rows[i].nonneg ? untouched : rows[i].value != 0);
        truth = untouched;
        assert_int_equal(zl_option_read_bool_any(value, sizeof(int), &truth), rows[i].any);
        assert_int_equal(truth, rows[i].value != 0);
    }
}

static void ints_are_read_from_four_bytes_only(void **state)
{
    static const char zeros[16];
    (void)state;
    for (size_t size = 0; size <= sizeof(zeros); size++) {
        int number = 4711, expected = size == sizeof(int) ? 0 : -EINVAL;
        bool truth;
        assert_int_equal(zl_option_read_int(zeros, size, &number), expected);
        assert_int_equal(number, expected ? 4711 : 0);
        assert_int_equal(zl_option_read_bool01(zeros, size, &truth), expected);
        assert_int_equal(zl_option_read_bool_nonneg(zeros, size, &truth), expected);
        assert_int_equal(zl_option_read_bool_any(zeros, size, &truth), expected);
        assert_int_equal(zl_option_read_int(NULL, size, &number), -EINVAL);
    }
}

static void padded_ints_fill_the_buffer_with_zeros(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= 12; capacity++) {
        unsigned char buffer[13];
        size_t size = capacity;
        memset(buffer, '#', sizeof(buffer));
        int expected = capacity >= sizeof(int) ? 0 : -EINVAL;
        assert_int_equal(zl_option_write_int_padded(-2, buffer, &size), expected);
        assert_int_equal(size, expected ? capacity : sizeof(int));
        if (expected == 0)
            assert_memory_equal(buffer, &(int){-2}, sizeof(int));
        for (size_t i = expected ? 0 : sizeof(int); i < sizeof(buffer); i++)
            assert_int_equal(buffer[i], expected == 0 && i < capacity ? 0 : '#');
    }
}

static void strings_are_written_with_their_nul(void **state)
{
    char buffer[8] = "#######";
    size_t size = 3;
    (void)state;
    assert_int_equal(zl_option_write_string("abc", 3, buffer, &size), -EINVAL);
    assert_int_equal(size, 3);
    assert_string_equal(buffer, "#######");
    size = 4;
    assert_int_equal(zl_option_write_string("abc", 3, buffer, &size), 0);
    assert_int_equal(size, 4);
    assert_memory_equal(buffer, "abc\0###", 8);
    size = 6;
    assert_int_equal(zl_option_write_string(NULL, 0, buffer, &size), 0);
    assert_int_equal(size, 1);
    assert_memory_equal(buffer, "\0\0\0\0\0\0#", 8);
    size = 0;
    assert_int_equal(zl_option_write_string("", 0, buffer, &size), -EINVAL);
}

static void bytes_are_replaced(void **state)
{
    struct zl_option_bytes bytes = {NULL, 0};
    (void)state;
    assert_string_equal(zl_option_text(&bytes), "");
    assert_int_equal(zl_option_bytes_set(&bytes, "abc", 3), 0);
    assert_string_equal(zl_option_text(&bytes), "abc");
    /* Even by a part of itself. */
    assert_int_equal(zl_option_bytes_set(&bytes, bytes.data + 1, 2), 0);
    assert_string_equal(zl_option_text(&bytes), "bc");
    assert_int_equal(bytes.size, 2);
    assert_int_equal(zl_option_bytes_set(&bytes, NULL, 0), 0);
    assert_null(bytes.data);
    zl_option_bytes_clear(&bytes);
}

static void exact_sizes_are_exact(void **state)
{
    const uint64_t value = 0x0123456789abcdef;
    (void)state;
    for (size_t capacity = 0; capacity <= 12; capacity++) {
        char buffer[13] = "############";
        size_t size = capacity;
        assert_int_equal(zl_option_write_exact(&value, sizeof(value), buffer, &size),
                         capacity == 8 ? 0 : -EINVAL);
        assert_int_equal(size, capacity);
        if (capacity == 8)
            assert_memory_equal(buffer, &value, 8);
        assert_string_equal(buffer + (capacity == 8 ? 8 : 0),
                            capacity == 8 ? "####" : "############");
        size = capacity;
        assert_int_equal(zl_option_write_int(7, buffer, &size), capacity == 4 ? 0 : -EINVAL);
    }
}

static void nothing_is_written_to_null(void **state)
{
    char buffer[8] = "#######";
    size_t size = 4;
    (void)state;
    assert_int_equal(zl_option_write_int(1, NULL, &size), -EINVAL);
    assert_int_equal(zl_option_write_int(1, buffer, NULL), -EINVAL);
    assert_int_equal(zl_option_write_int_padded(1, NULL, &size), -EINVAL);
    assert_int_equal(zl_option_write_int_padded(1, buffer, NULL), -EINVAL);
    assert_int_equal(zl_option_write_string("a", 1, NULL, &size), -EINVAL);
    assert_int_equal(zl_option_write_string("a", 1, buffer, NULL), -EINVAL);
    assert_string_equal(buffer, "#######");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ints_are_read),
        cmocka_unit_test(ints_are_read_from_four_bytes_only),
        cmocka_unit_test(padded_ints_fill_the_buffer_with_zeros),
        cmocka_unit_test(strings_are_written_with_their_nul),
        cmocka_unit_test(bytes_are_replaced),
        cmocka_unit_test(exact_sizes_are_exact),
        cmocka_unit_test(nothing_is_written_to_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
