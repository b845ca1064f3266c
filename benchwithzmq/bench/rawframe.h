/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The frames of the raw ceiling. ZMTP-like: flags, length. WebSocket-like, as a client sends them
 * to a server: head, masking key, and a flags byte before the payload, both masked.
 */
#ifndef ZRAW_FRAME_H
#define ZRAW_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_HEADER_MAX 15 /* WebSocket: head 2, length 8, key 4, flags 1 */
#define ZMTP_SHORT_HEADER 2 /* flags, length in one byte */
#define ZMTP_LONG_HEADER 9  /* flags, length in eight bytes, most significant first */
#define ZMTP_LONG_FLAG 2
#define ZMTP_SHORT_MAX 255

/* Any key masks as well as any other; the flags byte has used up its first byte. */
#define MASK_KEY UINT64_C(0xa53c96f0a53c96f0)

/* dst may be src. */
static inline void frame_mask(char *dst, const char *src, size_t size)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, src + at, sizeof word);
        word ^= MASK_KEY;
        memcpy(dst + at, &word, sizeof word);
    }
    for (; at < size; at++)
        dst[at] = (char)(src[at] ^ (char)(MASK_KEY >> (at % 8 * 8)));
}

static inline size_t frame_write_zmtp(unsigned char *out, size_t size)
{
    if (size <= ZMTP_SHORT_MAX) {
        out[0] = 0;
        out[1] = (unsigned char)size;
        return ZMTP_SHORT_HEADER;
    }
    uint64_t length = __builtin_bswap64(size);
    out[0] = ZMTP_LONG_FLAG;
    memcpy(out + 1, &length, sizeof length);
    return ZMTP_LONG_HEADER;
}

/* The size of the header, 0 while it is incomplete. */
static inline size_t frame_read_zmtp(const unsigned char *in, size_t available, size_t *size)
{
    if (available < ZMTP_SHORT_HEADER)
        return 0;
    if (!(in[0] & ZMTP_LONG_FLAG)) {
        *size = in[1];
        return ZMTP_SHORT_HEADER;
    }
    if (available < ZMTP_LONG_HEADER)
        return 0;
    uint64_t length;
    memcpy(&length, in + 1, sizeof length);
    *size = __builtin_bswap64(length);
    return ZMTP_LONG_HEADER;
}

size_t frame_write_ws(unsigned char *out, size_t size);
size_t frame_read_ws(const unsigned char *in, size_t available, size_t *size);

#endif
