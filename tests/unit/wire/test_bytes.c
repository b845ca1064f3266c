/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of wire/bytes.h. */

#include "octets.h"

#include "wire/bytes.h"

static void test_integers_are_big_endian_at_any_address(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        uint8_t buffer[16] = {0};
        uint8_t *p = buffer + shift;
        zl_put_u16(p, 0x0102);
        assert_hex(p, 3, "01 02 00");
        assert_int_equal(zl_get_u16(p), 0x0102);
        zl_put_u32(p, 0x81020384);
        assert_hex(p, 5, "81 02 03 84 00");
        assert_int_equal(zl_get_u32(p), 0x81020384);
        zl_put_u64(p, 0x8102030405060788);
        assert_hex(p, 8, "81 02 03 04 05 06 07 88");
        assert_int_equal(zl_get_u64(p), 0x8102030405060788);
        zl_put_u64(p, UINT64_MAX);
        assert_int_equal(zl_get_u64(p), UINT64_MAX);
        assert_int_equal(zl_get_u32(p), UINT32_MAX);
        assert_int_equal(zl_get_u16(p), UINT16_MAX);
    }
}

static void test_reader_reads_in_order_to_the_end(void **state)
{
    (void)state;
    struct octets in = octets_hex("01 0203 04050607 08090a0b0c0d0e0f 101112");
    struct zl_reader reader = zl_reader_over(in.at, in.size);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    const uint8_t *bytes;
    assert_int_equal(zl_reader_left(&reader), 18);
    assert_true(zl_reader_u8(&reader, &u8));
    assert_int_equal(u8, 1);
    assert_true(zl_reader_u16(&reader, &u16));
    assert_int_equal(u16, 0x0203);
    assert_true(zl_reader_u32(&reader, &u32));
    assert_int_equal(u32, 0x04050607);
    assert_true(zl_reader_u64(&reader, &u64));
    assert_int_equal(u64, 0x08090a0b0c0d0e0f);
    assert_true(zl_reader_bytes(&reader, 3, &bytes));
    assert_ptr_equal(bytes, in.at + 15);
    assert_int_equal(zl_reader_left(&reader), 0);
    octets_free(in);
}

/* One octet too few: nothing is read and the reader stays where it is. */
static void test_reader_refuses_overrun_and_stays(void **state)
{
    (void)state;
    struct octets in = octets_hex("01 02 03 04 05 06 07");
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    const uint8_t *bytes;

    struct zl_reader reader = zl_reader_over(in.at, 0);
    assert_false(zl_reader_u8(&reader, &u8));
    reader = zl_reader_over(in.at, 1);
    assert_false(zl_reader_u16(&reader, &u16));
    assert_ptr_equal(reader.at, in.at);
    reader = zl_reader_over(in.at, 3);
    assert_false(zl_reader_u32(&reader, &u32));
    assert_ptr_equal(reader.at, in.at);
    reader = zl_reader_over(in.at, 7);
    assert_false(zl_reader_u64(&reader, &u64));
    assert_ptr_equal(reader.at, in.at);
    assert_false(zl_reader_bytes(&reader, 8, &bytes));
    assert_false(zl_reader_bytes(&reader, SIZE_MAX, &bytes));
    assert_ptr_equal(reader.at, in.at);
    octets_free(in);
}

static void test_reader_over_nothing(void **state)
{
    (void)state;
    struct zl_reader reader = zl_reader_over(NULL, 0);
    const uint8_t *bytes;
    assert_int_equal(zl_reader_left(&reader), 0);
    assert_true(zl_reader_bytes(&reader, 0, &bytes));
    assert_false(zl_reader_bytes(&reader, 1, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_are_big_endian_at_any_address),
        cmocka_unit_test(test_reader_reads_in_order_to_the_end),
        cmocka_unit_test(test_reader_refuses_overrun_and_stays),
        cmocka_unit_test(test_reader_over_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
