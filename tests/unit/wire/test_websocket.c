/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of WebSocket framing, by the categories of the usual conformance suites: sizes, control
 * frames, reserved bits, opcodes, fragmentation, closing, masking. */

#include "octets.h"

#include "wire/websocket.h"

#define MASK 0x37fa213du

static struct zl_websocket_reader reader_of(enum zl_websocket_side side)
{
    return (struct zl_websocket_reader){.side = side};
}

/* What is said of exactly these octets. */
static int get(const struct zl_websocket_reader *reader, const void *data, size_t size,
               struct zl_websocket_header *out)
{
    struct octets in = octets_copy(data, size);
    int rc = zl_websocket_get_header(reader, in.at, in.at + in.size, out);
    octets_free(in);
    return rc;
}

/* As it arrives octet by octet: "more" until the last one, or the error, and then for good. */
static int get_piecewise(const struct zl_websocket_reader *reader, const void *data, size_t size,
                         struct zl_websocket_header *out)
{
    int rc = 0;
    for (size_t n = 0; n <= size && rc == 0; n++)
        rc = get(reader, data, n, out);
    struct zl_websocket_header whole;
    int at_once = get(reader, data, size, &whole);
    assert_int_equal(at_once, rc);
    if (rc > 0) {
        assert_int_equal(whole.payload_size, out->payload_size);
        assert_int_equal(whole.mask, out->mask);
        assert_int_equal(whole.opcode, out->opcode);
        assert_int_equal(whole.last, out->last);
        assert_int_equal(whole.header_size, out->header_size);
    }
    return rc;
}

static int get_hex(const struct zl_websocket_reader *reader, const char *hex,
                   struct zl_websocket_header *out)
{
    struct octets in = octets_hex(hex);
    int rc = get_piecewise(reader, in.at, in.size, out);
    octets_free(in);
    return rc;
}

static void expect_result(enum zl_websocket_side side, bool in_message, const char *hex, int result)
{
    struct zl_websocket_reader reader = {.side = side, .in_message = in_message};
    struct zl_websocket_header header;
    assert_int_equal(get_hex(&reader, hex, &header), result);
}

/* ---- Sizes ---- */

static const uint64_t sizes[] = {
    0,
    1,
    2,
    124,
    125,
    126,
    127,
    128,
    254,
    255,
    256,
    4095,
    32767,
    65534,
    65535,
    65536,
    65537,
    131072,
    1u << 31,
    UINT32_MAX,
    1ull << 32,
    1ull << 62,
    INT64_MAX - 1ull,
    INT64_MAX,
};

static void test_header_round_trip_at_the_size_limits(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint8_t buffer[ZL_WEBSOCKET_HEADER_MAX + 1];
            struct zl_websocket_reader reader = reader_of(!side);
            struct zl_websocket_header header;
            memset(buffer, 0xA5, sizeof buffer);
            size_t size =
                zl_websocket_put_header(buffer, side, ZL_WEBSOCKET_BINARY, sizes[i], MASK);
            size_t shortest = sizes[i] <= 125 ? 2 : sizes[i] <= 65535 ? 4 : 10;
            assert_int_equal(size, shortest + (side == ZL_WEBSOCKET_CLIENT ? 4 : 0));
            assert_int_equal(size, zl_websocket_header_size(side, sizes[i]));
            assert_int_equal(buffer[size], 0xA5);
            assert_int_equal(get_piecewise(&reader, buffer, size, &header), size);
            assert_int_equal(header.header_size, size);
            assert_int_equal(header.opcode, ZL_WEBSOCKET_BINARY);
            assert_true(header.last);
            assert_int_equal(header.payload_size, sizes[i]);
            assert_int_equal(header.mask, side == ZL_WEBSOCKET_CLIENT ? MASK : 0);
            /* More octets behind the header change nothing. */
            assert_int_equal(get(&reader, buffer, size + 1, &header), size);
        }
}

static void test_header_vectors(void **state)
{
    (void)state;
    uint8_t out[ZL_WEBSOCKET_HEADER_MAX];
    assert_hex(out, zl_websocket_put_header(out, ZL_WEBSOCKET_SERVER, 2, 125, MASK), "82 7d");
    assert_hex(out, zl_websocket_put_header(out, ZL_WEBSOCKET_SERVER, 2, 126, MASK), "82 7e 00 7e");
    assert_hex(out, zl_websocket_put_header(out, ZL_WEBSOCKET_SERVER, 2, 65536, MASK),
               "82 7f 00 00 00 00 00 01 00 00");
    assert_hex(out, zl_websocket_put_header(out, ZL_WEBSOCKET_CLIENT, 2, 256, MASK),
               "82 fe 01 00 37 fa 21 3d");
}

static void test_longer_forms_than_needed_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int size;
        uint64_t payload_size;
    } cases[] = {
        {"82 7e 00 00", 4, 0},
        {"82 7e 00 05", 4, 5},
        {"82 7f 00 00 00 00 00 00 00 05", 10, 5},
        {"82 7f 00 00 00 00 00 00 ff ff", 10, 65535},
    };
    struct zl_websocket_reader reader = reader_of(ZL_WEBSOCKET_CLIENT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_websocket_header header;
        assert_int_equal(get_hex(&reader, cases[i].hex, &header), cases[i].size);
        assert_int_equal(header.payload_size, cases[i].payload_size);
    }
}

static void test_length_over_63_bits_is_refused(void **state)
{
    (void)state;
    expect_result(ZL_WEBSOCKET_CLIENT, false, "82 7f 80 00 00 00 00 00 00 00", -EPROTO);
    expect_result(ZL_WEBSOCKET_CLIENT, false, "82 7f ff ff ff ff ff ff ff ff", -EPROTO);
    /* Before the mask is there. */
    expect_result(ZL_WEBSOCKET_SERVER, false, "82 ff 80 00 00 00 00 00 00 00", -EPROTO);
}

/* ---- Reserved bits and opcodes ---- */

/* All 256 first octets, outside and inside of a fragmented message, known from that octet alone. */
static void test_every_first_octet(void **state)
{
    (void)state;
    for (int in_message = 0; in_message < 2; in_message++)
        for (unsigned octet = 0; octet < 256; octet++) {
            struct zl_websocket_reader reader = {.side = ZL_WEBSOCKET_CLIENT,
                                                 .in_message = in_message};
            struct zl_websocket_header header;
            uint8_t data[2] = {(uint8_t)octet, 0};
            bool last = octet & 0x80;
            int expected;
            switch (octet & 0x7F) {
            case 0x0:
                expected = in_message ? 2 : -EPROTO;
                break;
            case 0x1:
                expected = -ENOTSUP;
                break;
            case 0x2:
                expected = in_message ? -EPROTO : 2;
                break;
            case 0x8:
            case 0x9:
            case 0xA:
                expected = last ? 2 : -EPROTO;
                break;
            default:
                expected = -EPROTO;
            }
            assert_int_equal(get(&reader, data, 2, &header), expected);
            assert_int_equal(get(&reader, data, 1, &header), expected < 0 ? expected : 0);
            if (expected < 0)
                continue;
            assert_int_equal(header.opcode, octet & 0x0F);
            assert_int_equal(header.last, last);
        }
}

static void test_no_octets_need_more(void **state)
{
    (void)state;
    struct zl_websocket_reader reader = reader_of(ZL_WEBSOCKET_SERVER);
    struct zl_websocket_header header;
    assert_int_equal(zl_websocket_get_header(&reader, NULL, NULL, &header), 0);
}

/* ---- Masking rules ---- */

static void test_wrong_masking_is_refused(void **state)
{
    (void)state;
    static const uint8_t first_octets[] = {0x82, 0x02, 0x88, 0x89, 0x8A};
    for (size_t i = 0; i < sizeof first_octets; i++)
        for (int side = 0; side < 2; side++)
            for (unsigned length = 0; length < 128; length++) {
                struct zl_websocket_reader reader = reader_of(side);
                struct zl_websocket_header header;
                uint8_t wrong = side == ZL_WEBSOCKET_CLIENT ? 0x80 : 0;
                uint8_t data[2] = {first_octets[i], (uint8_t)(wrong | length)};
                assert_int_equal(get_piecewise(&reader, data, 2, &header), -EPROTO);
            }
}

static void test_hello_of_the_rfc(void **state)
{
    (void)state;
    struct octets in = octets_hex("82 85 37 fa 21 3d 7f 9f 4d 51 58");
    struct zl_websocket_reader reader = reader_of(ZL_WEBSOCKET_SERVER);
    struct zl_websocket_header header;
    assert_int_equal(zl_websocket_get_header(&reader, in.at, in.at + in.size, &header), 6);
    assert_int_equal(header.mask, MASK);
    assert_int_equal(header.payload_size, 5);
    zl_websocket_mask(in.at + 6, in.at + 6, 5, header.mask);
    assert_memory_equal(in.at + 6, "Hello", 5);
    octets_free(in);
}

/* ---- Control frames ---- */

static void test_control_frames(void **state)
{
    (void)state;
    uint8_t payload[200], out[ZL_WEBSOCKET_CONTROL_MAX + 1];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)octets_random(&seed);
    for (int side = 0; side < 2; side++)
        for (uint8_t opcode = ZL_WEBSOCKET_CLOSE; opcode <= ZL_WEBSOCKET_PONG; opcode++)
            for (size_t n = 0; n <= 130; n++) {
                struct zl_websocket_reader reader = {.side = !side, .in_message = n % 2};
                struct zl_websocket_header header;
                size_t expected = n < 125 ? n : 125;
                memset(out, 0xA5, sizeof out);
                size_t size = zl_websocket_put_control(out, side, opcode, payload, n, MASK);
                assert_true(size <= ZL_WEBSOCKET_CONTROL_MAX);
                assert_int_equal(out[size], 0xA5);
                int header_size = get_piecewise(&reader, out, size, &header);
                assert_int_equal(header_size, side == ZL_WEBSOCKET_CLIENT ? 6 : 2);
                assert_int_equal(header.opcode, opcode);
                assert_int_equal(header.payload_size, expected);
                assert_int_equal(size, (size_t)header_size + expected);
                zl_websocket_mask(out + header_size, out + header_size, expected, header.mask);
                assert_memory_equal(out + header_size, payload, expected);
            }
}

static void test_control_frame_vectors(void **state)
{
    (void)state;
    uint8_t out[ZL_WEBSOCKET_CONTROL_MAX];
    assert_hex(out,
               zl_websocket_put_control(out, ZL_WEBSOCKET_CLIENT, ZL_WEBSOCKET_PING, NULL, 0, MASK),
               "89 80 37 fa 21 3d");
    assert_hex(out,
               zl_websocket_put_control(out, ZL_WEBSOCKET_SERVER, ZL_WEBSOCKET_PONG, NULL, 0, MASK),
               "8a 00");
    assert_hex(out, zl_websocket_put_close(out, ZL_WEBSOCKET_CLIENT, 1000, MASK),
               "88 82 37 fa 21 3d 34 12");
    assert_hex(out, zl_websocket_put_close(out, ZL_WEBSOCKET_SERVER, 1002, MASK), "88 02 03 ea");
    assert_hex(out, zl_websocket_put_close(out, ZL_WEBSOCKET_SERVER, ZL_WEBSOCKET_NO_CODE, MASK),
               "88 00");
}

static void test_long_control_frames_are_refused(void **state)
{
    (void)state;
    expect_result(ZL_WEBSOCKET_CLIENT, false, "89 7d", 2);
    expect_result(ZL_WEBSOCKET_CLIENT, false, "89 7e", -EPROTO);
    expect_result(ZL_WEBSOCKET_CLIENT, false, "8a 7e", -EPROTO);
    expect_result(ZL_WEBSOCKET_CLIENT, false, "88 7f", -EPROTO);
    expect_result(ZL_WEBSOCKET_SERVER, true, "89 fe", -EPROTO);
}

/* ---- Fragmentation ---- */

/* Goes through frames and says how the sequence ends: how many were taken, or the error. */
static int take_all(enum zl_websocket_side side, const char *hex)
{
    struct octets in = octets_hex(hex);
    struct zl_websocket_reader reader = reader_of(side);
    struct zl_reader rest = zl_reader_over(in.at, in.size);
    int frames = 0, rc = 0;
    while (zl_reader_left(&rest) && rc >= 0) {
        struct zl_websocket_header header;
        const uint8_t *payload;
        rc = zl_websocket_get_header(&reader, rest.at, rest.end, &header);
        if (rc < 0)
            break;
        assert_true(rc > 0);
        rest.at += rc;
        assert_true(zl_reader_bytes(&rest, header.payload_size, &payload));
        zl_websocket_take(&reader, &header);
        frames++;
    }
    octets_free(in);
    return rc < 0 ? rc : frames;
}

static void test_fragmentation(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int result;
    } cases[] = {
        {"02 01 41 80 01 42", 2},
        {"02 01 41 00 01 42 00 00 80 01 43", 4},
        {"02 00 00 00 80 00", 3},
        /* Control frames in between, as many as there may be, and a new message afterwards. */
        {"02 01 41 89 00 80 01 42", 3},
        {"02 01 41 89 01 70 8a 00 00 01 42 89 00 80 00 82 01 43", 7},
        {"02 01 41 88 02 03 e8", 2},
        /* Nothing to continue. */
        {"80 01 42", -EPROTO},
        {"00 01 42", -EPROTO},
        {"82 01 41 80 01 42", -EPROTO},
        {"02 01 41 80 01 42 80 01 43", -EPROTO},
        {"89 00 80 01 42", -EPROTO},
        /* A new message inside another. */
        {"02 01 41 82 01 42", -EPROTO},
        {"02 01 41 02 01 42", -EPROTO},
        {"02 01 41 00 01 42 82 01 43", -EPROTO},
        {"02 01 41 89 00 82 01 42", -EPROTO},
        /* Text, which we do not speak, anywhere. */
        {"81 01 41", -ENOTSUP},
        {"01 01 41", -ENOTSUP},
        {"02 01 41 81 01 42", -ENOTSUP},
        /* Fragmented control frames. */
        {"09 01 41", -EPROTO},
        {"0a 01 41", -EPROTO},
        {"08 02 03 e8", -EPROTO},
        {"02 01 41 09 01 41", -EPROTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(take_all(ZL_WEBSOCKET_CLIENT, cases[i].hex), cases[i].result);
}

/* ---- Closing ---- */

static void test_every_close_code(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 65536; code++) {
        uint8_t payload[2];
        bool valid =
            (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
            (code >= 3000 && code < 5000);
        zl_put_u16(payload, (uint16_t)code);
        assert_int_equal(zl_websocket_parse_close(payload, 2), valid ? (int)code : -EPROTO);
    }
}

static void test_close_payload_sizes(void **state)
{
    (void)state;
    uint8_t payload[126] = {0x03, 0xe8};
    assert_int_equal(zl_websocket_parse_close(NULL, 0), ZL_WEBSOCKET_NO_CODE);
    assert_int_equal(zl_websocket_parse_close(payload, 1), -EPROTO);
    assert_int_equal(zl_websocket_parse_close(payload, 2), 1000);
    assert_int_equal(zl_websocket_parse_close(payload, 3), 1000);
    assert_int_equal(zl_websocket_parse_close(payload, 125), 1000);
    assert_int_equal(zl_websocket_parse_close(payload, 126), -EPROTO);
}

static void test_close_codes_of_errors(void **state)
{
    (void)state;
    static const int errors[] = {0, -EPROTO, -ENOTSUP, -EMSGSIZE, -ENOMEM, -EIO};
    static const uint16_t codes[] = {1000, 1002, 1003, 1009, 1011, 1011};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        uint8_t payload[2];
        assert_int_equal(zl_websocket_close_code(errors[i]), codes[i]);
        /* None that we send is one that we would refuse. */
        zl_put_u16(payload, codes[i]);
        assert_int_equal(zl_websocket_parse_close(payload, 2), codes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_round_trip_at_the_size_limits),
        cmocka_unit_test(test_header_vectors),
        cmocka_unit_test(test_longer_forms_than_needed_are_read),
        cmocka_unit_test(test_length_over_63_bits_is_refused),
        cmocka_unit_test(test_every_first_octet),
        cmocka_unit_test(test_no_octets_need_more),
        cmocka_unit_test(test_wrong_masking_is_refused),
        cmocka_unit_test(test_hello_of_the_rfc),
        cmocka_unit_test(test_control_frames),
        cmocka_unit_test(test_control_frame_vectors),
        cmocka_unit_test(test_long_control_frames_are_refused),
        cmocka_unit_test(test_fragmentation),
        cmocka_unit_test(test_every_close_code),
        cmocka_unit_test(test_close_payload_sizes),
        cmocka_unit_test(test_close_codes_of_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
