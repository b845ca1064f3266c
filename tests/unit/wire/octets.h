/* SPDX-License-Identifier: MPL-2.0 */
/* Octet strings for the tests of the codecs: written in hex, kept in memory of exactly their size so
 * that the address sanitizer sees any read beyond them. */
#ifndef ZL_TEST_UNIT_WIRE_OCTETS_H
#define ZL_TEST_UNIT_WIRE_OCTETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct octets {
    uint8_t *at;
    size_t size;
};

static inline struct octets octets_copy(const void *data, size_t size)
{
    struct octets octets = {malloc(size), size};
    if (size) {
        assert_non_null(octets.at);
        memcpy(octets.at, data, size);
    }
    return octets;
}

/* "04 29 05": pairs of lower or upper case digits, blanks anywhere between pairs. */
static inline struct octets octets_hex(const char *text)
{
    uint8_t buffer[1024];
    size_t size = 0;
    while (*text) {
        if (*text == ' ' || *text == '\n') {
            text++;
            continue;
        }
        char pair[3] = {text[0], text[1], '\0'};
        char *end;
        assert_true(size < sizeof buffer);
        buffer[size++] = (uint8_t)strtoul(pair, &end, 16);
        assert_ptr_equal(end, pair + 2);
        text += 2;
    }
    return octets_copy(buffer, size);
}

static inline void octets_free(struct octets octets)
{
    free(octets.at);
}

static inline void assert_hex(const void *data, size_t size, const char *text)
{
    struct octets expected = octets_hex(text);
    assert_int_equal(size, expected.size);
    if (size)
        assert_memory_equal(data, expected.at, size);
    octets_free(expected);
}

/* Pseudo-random, the same in every run. */
static inline uint32_t octets_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

#endif
