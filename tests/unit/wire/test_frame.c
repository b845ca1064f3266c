/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the frame headers of all versions. */

#include "octets.h"

#include "wire/zmtp.h"

typedef int get_header(const uint8_t *src, const uint8_t *end, struct zl_frame_header *out);
typedef size_t put_header(uint8_t *dst, uint8_t flags, uint64_t body_size);
typedef size_t header_size(uint64_t body_size);

/* What `get` says of exactly these octets. */
static int get_from(get_header *get, const void *data, size_t size, struct zl_frame_header *out)
{
    struct octets in = octets_copy(data, size);
    int rc = get(in.at, in.at + in.size, out);
    octets_free(in);
    return rc;
}

static int get_hex(get_header *get, const char *hex, struct zl_frame_header *out)
{
    struct octets in = octets_hex(hex);
    int rc = get(in.at, in.at + in.size, out);
    octets_free(in);
    return rc;
}

static void expect_header(get_header *get, const char *hex, int size, uint8_t flags,
                          uint64_t body_size)
{
    struct zl_frame_header header;
    assert_int_equal(get_hex(get, hex, &header), size);
    assert_int_equal(header.header_size, size);
    assert_int_equal(header.flags, flags);
    assert_int_equal(header.body_size, body_size);
}

static void expect_result(get_header *get, const char *hex, int result)
{
    struct zl_frame_header header;
    assert_int_equal(get_hex(get, hex, &header), result);
}

static void test_round_trip_at_the_size_limits(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {
        0,         1,          2,          252,        253,
        254,       255,        256,        65535,      65536,
        1u << 31,  UINT32_MAX, 1ull << 32, 1ull << 62, INT64_MAX - 1ull,
        INT64_MAX,
    };
    static const struct {
        get_header *get;
        put_header *put;
        header_size *size;
        uint8_t flags[3];
        uint64_t short_max;
        size_t long_size;
    } codecs[] = {
        {zl_zmtp_get_header, zl_zmtp_put_header, zl_zmtp_header_size, {0, 1, 4}, 255, 9},
        {zl_zmtp1_get_header, zl_zmtp1_put_header, zl_zmtp1_header_size, {0, 1, 1}, 253, 10},
    };
    for (size_t c = 0; c < 2; c++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t f = 0; f < 3; f++) {
                uint8_t buffer[ZL_ZMTP_HEADER_MAX + 1];
                struct zl_frame_header header = {0xEE, 0xEE, 0xEE};
                memset(buffer, 0xA5, sizeof buffer);
                size_t size = codecs[c].put(buffer, codecs[c].flags[f], sizes[s]);
                assert_int_equal(size, sizes[s] <= codecs[c].short_max ? 2 : codecs[c].long_size);
                assert_int_equal(size, codecs[c].size(sizes[s]));
                assert_int_equal(buffer[size], 0xA5);
                for (size_t cut = 0; cut < size; cut++)
                    assert_int_equal(get_from(codecs[c].get, buffer, cut, &header), 0);
                assert_int_equal(header.header_size, 0xEE);
                assert_int_equal(get_from(codecs[c].get, buffer, size, &header), size);
                assert_int_equal(header.header_size, size);
                assert_int_equal(header.flags, codecs[c].flags[f]);
                assert_int_equal(header.body_size, sizes[s]);
                /* More octets behind the header change nothing. */
                assert_int_equal(get_from(codecs[c].get, buffer, size + 1, &header), size);
                assert_int_equal(header.body_size, sizes[s]);
            }
}

static void test_size_over_63_bits_is_refused(void **state)
{
    (void)state;
    uint8_t buffer[ZL_ZMTP_HEADER_MAX];
    struct zl_frame_header header;
    size_t size = zl_zmtp_put_header(buffer, 0, 1ull << 63);
    assert_int_equal(get_from(zl_zmtp_get_header, buffer, size, &header), -EPROTO);
    expect_result(zl_zmtp_get_header, "02 ffffffffffffffff", -EPROTO);
    expect_result(zl_zmtp_get_header, "03 8000000000000000", -EPROTO);
    expect_result(zl_zmtp_get_header, "06 8000000000000000 00", -EPROTO);

    size = zl_zmtp1_put_header(buffer, 0, 1ull << 63);
    assert_int_equal(get_from(zl_zmtp1_get_header, buffer, size, &header), -EPROTO);
    expect_result(zl_zmtp1_get_header, "ff ffffffffffffffff 00", -EPROTO);
    expect_header(zl_zmtp1_get_header, "ff 8000000000000000 00", 10, 0, INT64_MAX);
}

static void test_every_flags_octet_of_zmtp_2(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t buffer[9] = {(uint8_t)flags, 0, 0, 0, 0, 0, 0, 0, 7};
        struct zl_frame_header header;
        bool legal = flags <= 4 || flags == 6;
        int size = flags & ZL_FRAME_LONG ? 9 : 2;
        int rc = get_from(zl_zmtp_get_header, buffer, sizeof buffer, &header);
        assert_int_equal(rc, legal ? size : -EPROTO);
        /* An illegal one is known from the first octet. */
        rc = get_from(zl_zmtp_get_header, buffer, 1, &header);
        assert_int_equal(rc, legal ? 0 : -EPROTO);
        rc = get_from(zl_zmtp_get_header, buffer, 2, &header);
        assert_int_equal(rc, legal ? (size == 2 ? 2 : 0) : -EPROTO);
    }
}

static void test_zmtp_2_vectors(void **state)
{
    (void)state;
    uint8_t buffer[ZL_ZMTP_HEADER_MAX];
    assert_hex(buffer, zl_zmtp_put_header(buffer, 0, 255), "00 ff");
    assert_hex(buffer, zl_zmtp_put_header(buffer, 0, 256), "02 00 00 00 00 00 00 01 00");
    assert_hex(buffer, zl_zmtp_put_header(buffer, ZL_FRAME_MORE, 256),
               "03 00 00 00 00 00 00 01 00");
    assert_hex(buffer, zl_zmtp_put_header(buffer, ZL_FRAME_MORE, 0), "01 00");
    assert_hex(buffer, zl_zmtp_put_header(buffer, ZL_FRAME_COMMAND, 41), "04 29");
    assert_hex(buffer, zl_zmtp_put_header(buffer, ZL_FRAME_COMMAND, 256),
               "06 00 00 00 00 00 00 01 00");
    expect_header(zl_zmtp_get_header, "00 ff", 2, 0, 255);
    expect_header(zl_zmtp_get_header, "01 00", 2, ZL_FRAME_MORE, 0);
    expect_header(zl_zmtp_get_header, "04 29 05", 2, ZL_FRAME_COMMAND, 41);
    expect_header(zl_zmtp_get_header, "06 00 00 00 00 00 00 01 24", 9, ZL_FRAME_COMMAND, 292);
}

static void test_zmtp_2_long_form_of_a_short_size_is_accepted(void **state)
{
    (void)state;
    expect_header(zl_zmtp_get_header, "02 00 00 00 00 00 00 00 00", 9, 0, 0);
    expect_header(zl_zmtp_get_header, "03 00 00 00 00 00 00 00 05", 9, ZL_FRAME_MORE, 5);
    expect_header(zl_zmtp_get_header, "06 00 00 00 00 00 00 00 ff", 9, ZL_FRAME_COMMAND, 255);
}

static void test_zmtp_1_vectors(void **state)
{
    (void)state;
    uint8_t buffer[ZL_ZMTP_HEADER_MAX];
    assert_hex(buffer, zl_zmtp1_put_header(buffer, 0, 0), "01 00");
    assert_hex(buffer, zl_zmtp1_put_header(buffer, ZL_FRAME_MORE, 0), "01 01");
    assert_hex(buffer, zl_zmtp1_put_header(buffer, 0, 2), "03 00");
    assert_hex(buffer, zl_zmtp1_put_header(buffer, 0, 253), "fe 00");
    assert_hex(buffer, zl_zmtp1_put_header(buffer, ZL_FRAME_MORE, 254),
               "ff 00 00 00 00 00 00 00 ff 01");
    /* 1.0 has no commands: nothing but MORE may reach the wire. */
    assert_hex(buffer, zl_zmtp1_put_header(buffer, 0xFE, 0), "01 00");
    assert_hex(buffer, zl_zmtp1_put_header(buffer, 0xFE, 254), "ff 00 00 00 00 00 00 00 ff 00");
    expect_header(zl_zmtp1_get_header, "01 00", 2, 0, 0);
    expect_header(zl_zmtp1_get_header, "03 00 68 69", 2, 0, 2);
    expect_header(zl_zmtp1_get_header, "ff 00 00 00 00 00 00 00 04 00 62 6f 62", 10, 0, 3);
    /* The signature of a greeting is the header of an identity frame. */
    expect_header(zl_zmtp1_get_header, "ff 00 00 00 00 00 00 00 01 7f", 10, ZL_FRAME_MORE, 0);
}

static void test_zmtp_1_reads_only_more_of_the_flags(void **state)
{
    (void)state;
    expect_header(zl_zmtp1_get_header, "02 ff 41", 2, ZL_FRAME_MORE, 1);
    expect_header(zl_zmtp1_get_header, "02 fe 41", 2, 0, 1);
    expect_header(zl_zmtp1_get_header, "ff 00 00 00 00 00 00 00 02 fe 41", 10, 0, 1);
}

static void test_zmtp_1_length_zero_is_refused(void **state)
{
    (void)state;
    expect_result(zl_zmtp1_get_header, "00", -EPROTO);
    expect_result(zl_zmtp1_get_header, "00 00", -EPROTO);
    expect_result(zl_zmtp1_get_header, "ff 00 00 00 00 00 00 00 00 00", -EPROTO);
}

/* Whatever arrives, a header lies inside its octets and obeys the limits. */
static void test_random_octets(void **state)
{
    (void)state;
    get_header *const gets[] = {zl_zmtp_get_header, zl_zmtp1_get_header};
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t buffer[12];
        struct zl_frame_header header;
        size_t size = octets_random(&seed) % (sizeof buffer + 1);
        for (size_t i = 0; i < size; i++)
            buffer[i] = (uint8_t)octets_random(&seed);
        if (size && round % 2)
            buffer[0] = round % 4 == 1 ? 0xFF : buffer[0] & 7;
        int rc = get_from(gets[round / 4 % 2], buffer, size, &header);
        if (rc == -EPROTO || rc == 0)
            continue;
        assert_in_range(rc, 2, size);
        assert_int_equal(rc, header.header_size);
        assert_true(header.body_size <= ZL_ZMTP_BODY_MAX);
        assert_int_equal(header.flags & ~(ZL_FRAME_MORE | ZL_FRAME_COMMAND), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_at_the_size_limits),
        cmocka_unit_test(test_size_over_63_bits_is_refused),
        cmocka_unit_test(test_every_flags_octet_of_zmtp_2),
        cmocka_unit_test(test_zmtp_2_vectors),
        cmocka_unit_test(test_zmtp_2_long_form_of_a_short_size_is_accepted),
        cmocka_unit_test(test_zmtp_1_vectors),
        cmocka_unit_test(test_zmtp_1_reads_only_more_of_the_flags),
        cmocka_unit_test(test_zmtp_1_length_zero_is_refused),
        cmocka_unit_test(test_random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
