/* SPDX-License-Identifier: MPL-2.0 */
/* Big-endian integers at any address, and a reader that cannot leave its bounds.
 * All parsing of peer data goes through one or the other. */

#ifndef ZL_WIRE_BYTES_H
#define ZL_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* memcpy, for any address, and a byte swap: compilers make one or two instructions of it, which gcc
 * does not reliably do of shifts. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ZL_BIG_ENDIAN(bits, value) (value)
#else
#define ZL_BIG_ENDIAN(bits, value) __builtin_bswap##bits(value)
#endif

static inline uint16_t zl_get_u16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return ZL_BIG_ENDIAN(16, value);
}

static inline uint32_t zl_get_u32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return ZL_BIG_ENDIAN(32, value);
}

static inline uint64_t zl_get_u64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return ZL_BIG_ENDIAN(64, value);
}

static inline void zl_put_u16(uint8_t *p, uint16_t value)
{
    value = ZL_BIG_ENDIAN(16, value);
    memcpy(p, &value, sizeof value);
}

static inline void zl_put_u32(uint8_t *p, uint32_t value)
{
    value = ZL_BIG_ENDIAN(32, value);
    memcpy(p, &value, sizeof value);
}

static inline void zl_put_u64(uint8_t *p, uint64_t value)
{
    value = ZL_BIG_ENDIAN(64, value);
    memcpy(p, &value, sizeof value);
}

#undef ZL_BIG_ENDIAN

/* What is left to read: the octets [at, end). Each zl_reader_* function returns false, and moves
 * nothing, when fewer octets are left than it needs. */
struct zl_reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* `data` may be NULL when `size` is 0. */
static inline struct zl_reader zl_reader_over(const void *data, size_t size)
{
    const uint8_t *at = data;
    return (struct zl_reader){.at = at, .end = size ? at + size : at};
}

static inline size_t zl_reader_left(const struct zl_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline bool zl_reader_u8(struct zl_reader *reader, uint8_t *out)
{
    if (zl_reader_left(reader) < 1)
        return false;
    *out = *reader->at++;
    return true;
}

static inline bool zl_reader_u16(struct zl_reader *reader, uint16_t *out)
{
    if (zl_reader_left(reader) < 2)
        return false;
    *out = zl_get_u16(reader->at);
    reader->at += 2;
    return true;
}

static inline bool zl_reader_u32(struct zl_reader *reader, uint32_t *out)
{
    if (zl_reader_left(reader) < 4)
        return false;
    *out = zl_get_u32(reader->at);
    reader->at += 4;
    return true;
}

static inline bool zl_reader_u64(struct zl_reader *reader, uint64_t *out)
{
    if (zl_reader_left(reader) < 8)
        return false;
    *out = zl_get_u64(reader->at);
    reader->at += 8;
    return true;
}

/* Points `*out` at the next `size` octets (not copied) and steps over them. */
static inline bool zl_reader_bytes(struct zl_reader *reader, size_t size, const uint8_t **out)
{
    if (zl_reader_left(reader) < size)
        return false;
    *out = reader->at;
    if (size)
        reader->at += size;
    return true;
}

#endif
