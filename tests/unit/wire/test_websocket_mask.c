/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of masking: against the loop of RFC 6455, 5.3. */

#include "octets.h"

#include "wire/websocket.h"

enum { SIZE_MAX_TESTED = 200, OFFSETS = 32, MARGIN = 64, GUARD = 0xA5 };

static void mask_naively(uint8_t *dst, const uint8_t *src, size_t n, uint32_t mask)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i] ^ (uint8_t)(mask >> (24 - 8 * (i % 4)));
}

static void fill(uint8_t *at, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)octets_random(seed);
}

static void assert_guard(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(at[i], GUARD);
}

static void test_example_of_the_rfc(void **state)
{
    (void)state;
    uint8_t text[5];
    zl_websocket_mask(text, (const uint8_t *)"Hello", 5, 0x37fa213d);
    assert_hex(text, 5, "7f 9f 4d 51 58");
}

static void test_mask_after(void **state)
{
    (void)state;
    static const uint32_t expected[] = {0x37fa213d, 0xfa213d37, 0x213d37fa, 0x3d37fa21};
    for (size_t n = 0; n < 64; n++)
        assert_int_equal(zl_websocket_mask_after(0x37fa213d, n), expected[n % 4]);
    assert_int_equal(zl_websocket_mask_after(0x37fa213d, SIZE_MAX), expected[3]);
}

/* Every size at every pair of offsets: right octets, nothing beside them, right mask to go on. */
static void test_every_offset_and_size(void **state)
{
    (void)state;
    uint64_t seed = 7;
    uint8_t src[OFFSETS + SIZE_MAX_TESTED], expected[SIZE_MAX_TESTED];
    uint8_t dst[OFFSETS + SIZE_MAX_TESTED + MARGIN];
    fill(src, sizeof src, &seed);
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++)
        for (size_t from = 0; from < OFFSETS; from++) {
            uint32_t mask = octets_random(&seed) << 1 ^ octets_random(&seed);
            mask_naively(expected, src + from, n, mask);
            for (size_t to = 0; to < OFFSETS; to++) {
                memset(dst, GUARD, sizeof dst);
                uint32_t next = zl_websocket_mask(dst + to, src + from, n, mask);
                assert_int_equal(next, zl_websocket_mask_after(mask, n));
                assert_memory_equal(dst + to, expected, n);
                assert_guard(dst, to);
                assert_guard(dst + to + n, sizeof dst - to - n);
            }
        }
}

static void test_in_place_at_every_offset_and_size(void **state)
{
    (void)state;
    uint64_t seed = 8;
    uint8_t original[SIZE_MAX_TESTED], expected[SIZE_MAX_TESTED];
    fill(original, sizeof original, &seed);
    for (size_t n = 0; n <= SIZE_MAX_TESTED; n++)
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            uint8_t memory[OFFSETS + SIZE_MAX_TESTED + MARGIN];
            uint32_t mask = octets_random(&seed);
            memset(memory, GUARD, sizeof memory);
            memcpy(memory + offset, original, n);
            mask_naively(expected, original, n, mask);
            zl_websocket_mask(memory + offset, memory + offset, n, mask);
            assert_memory_equal(memory + offset, expected, n);
            assert_guard(memory, offset);
            assert_guard(memory + offset + n, sizeof memory - offset - n);
        }
}

static void test_pieces_of_random_sizes(void **state)
{
    (void)state;
    uint64_t seed = 9;
    enum { SIZE = 100000 };
    uint8_t *original = malloc(SIZE), *expected = malloc(SIZE), *memory = malloc(SIZE);
    assert_true(original && expected && memory);
    fill(original, SIZE, &seed);
    for (int round = 0; round < 50; round++) {
        uint32_t mask = octets_random(&seed), next = mask;
        size_t piece_max = 1u << octets_random(&seed) % 15;
        mask_naively(expected, original, SIZE, mask);
        memcpy(memory, original, SIZE);
        for (size_t at = 0; at < SIZE;) {
            size_t n = octets_random(&seed) % (piece_max + 1);
            n = n < SIZE - at ? n : SIZE - at;
            next = zl_websocket_mask(memory + at, memory + at, n, next);
            at += n;
        }
        assert_memory_equal(memory, expected, SIZE);
        assert_int_equal(next, zl_websocket_mask_after(mask, SIZE));
    }
    free(original);
    free(expected);
    free(memory);
}

static void test_mask_zero_copies(void **state)
{
    (void)state;
    uint8_t dst[100], src[100];
    uint64_t seed = 10;
    fill(src, sizeof src, &seed);
    memset(dst, GUARD, sizeof dst);
    assert_int_equal(zl_websocket_mask(dst, src, 99, 0), 0);
    assert_memory_equal(dst, src, 99);
    assert_int_equal(dst[99], GUARD);
    assert_int_equal(zl_websocket_mask(dst, dst, 99, 0), 0);
    assert_memory_equal(dst, src, 99);
}

static void test_no_octets_at_no_address(void **state)
{
    (void)state;
    assert_int_equal(zl_websocket_mask(NULL, NULL, 0, 0x01020304), 0x01020304);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_the_rfc),
        cmocka_unit_test(test_mask_after),
        cmocka_unit_test(test_every_offset_and_size),
        cmocka_unit_test(test_in_place_at_every_offset_and_size),
        cmocka_unit_test(test_pieces_of_random_sizes),
        cmocka_unit_test(test_mask_zero_copies),
        cmocka_unit_test(test_no_octets_at_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
