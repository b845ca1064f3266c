/* SPDX-License-Identifier: MPL-2.0 */
/* Z85 with explicit lengths: neither NUL nor anything beyond the end counts. What texts and octets
 * stand for each other is tested in api/test_utils.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "wire/z85.h"

static void decodes_no_more_than_the_length(void **state)
{
    (void)state;
    unsigned char octets[8];

    memset(octets, 0x5A, sizeof(octets));
    assert_int_equal(zl_z85_decode(octets, "HelloWorld", 5), 0);
    assert_memory_equal(octets, "\x86\x4F\xD2\x6F\x5A\x5A\x5A\x5A", 8);
    assert_int_equal(zl_z85_decode(octets, "~", 0), 0);
}

static void refuses_lengths_that_leave_a_rest(void **state)
{
    (void)state;
    unsigned char octets[8];

    memset(octets, 0x5A, sizeof(octets));
    for (size_t length = 1; length < 10; length++) {
        if (length != 5)
            assert_int_equal(zl_z85_decode(octets, "HelloWorld", length), -EINVAL);
    }
    assert_memory_equal(octets, "\x5A\x5A\x5A\x5A\x5A\x5A\x5A\x5A", 8);
    for (size_t size = 1; size < 4; size++)
        assert_int_equal(zl_z85_encode((char *)octets, octets, size), -EINVAL);
}

static void encodes_without_a_nul(void **state)
{
    (void)state;
    char text[6] = "xxxxx";

    assert_int_equal(zl_z85_encode(text, (const unsigned char *)"\xB5\x59\xF7\x5B", 4), 0);
    assert_memory_equal(text, "World", 6);
    text[5] = 'x';
    assert_int_equal(zl_z85_encode(text, (const unsigned char *)"\xB5\x59\xF7\x5B", 4), 0);
    assert_int_equal(text[5], 'x');
}

static void nul_is_not_a_digit(void **state)
{
    (void)state;
    unsigned char octets[4];

    assert_int_equal(zl_z85_decode(octets, "0000\0", 5), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_no_more_than_the_length),
        cmocka_unit_test(refuses_lengths_that_leave_a_rest),
        cmocka_unit_test(encodes_without_a_nul),
        cmocka_unit_test(nul_is_not_a_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
