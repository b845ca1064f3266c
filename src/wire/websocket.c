/* SPDX-License-Identifier: MPL-2.0 */
/* WebSocket frames. First octet: FIN 80, RSV 70, opcode 0F. Second: mask bit 80, length 7F, where
 * 126 and 127 announce 2 and 8 octets of length. Then the mask, if any. */

#include "wire/websocket.h"

#include <string.h>

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0F, MASKED = 0x80, LENGTH = 0x7F };
enum { LENGTH_U16 = 126, LENGTH_U64 = 127 };

/* ---- Masking ---- */

/* The vector extension of gcc and clang: at -O2 neither can be relied upon to vectorise a loop. For
 * any address, and for memory of any type. */
typedef uint64_t block __attribute__((vector_size(16), aligned(1), may_alias));

enum { STRIDE = 4 * sizeof(block) };

static void mask_stride(uint8_t *dst, const uint8_t *src, block pattern)
{
    const block *in = (const block *)src;
    block *out = (block *)dst;
    block first = in[0] ^ pattern, second = in[1] ^ pattern;
    block third = in[2] ^ pattern, fourth = in[3] ^ pattern;
    out[0] = first;
    out[1] = second;
    out[2] = third;
    out[3] = fourth;
}

static void mask_word(uint8_t *dst, const uint8_t *src, uint64_t pattern)
{
    uint64_t word;
    memcpy(&word, src, sizeof word);
    word ^= pattern;
    memcpy(dst, &word, sizeof word);
}

/* All steps but the last are multiples of 4 octets, so that the pattern stays the same. */
static void mask_octets(uint8_t *dst, const uint8_t *src, size_t n, uint32_t mask)
{
    uint8_t octets[8];
    uint64_t pattern;
    zl_put_u32(octets, mask);
    zl_put_u32(octets + 4, mask);
    memcpy(&pattern, octets, sizeof pattern);

    block wide = {pattern, pattern};
    for (; n >= STRIDE; n -= STRIDE, dst += STRIDE, src += STRIDE)
        mask_stride(dst, src, wide);
    for (; n >= 8; n -= 8, dst += 8, src += 8)
        mask_word(dst, src, pattern);
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i] ^ octets[i];
}

uint32_t zl_websocket_mask(uint8_t *dst, const uint8_t *src, size_t n, uint32_t mask)
{
    if (n == 0)
        return mask;
    if (mask != 0)
        mask_octets(dst, src, n, mask);
    else if (dst != src)
        memcpy(dst, src, n);
    return zl_websocket_mask_after(mask, n);
}

/* ---- Reading ---- */

static int check_first(const struct zl_websocket_reader *reader, uint8_t octet)
{
    if (octet & RESERVED)
        return -EPROTO;
    switch (octet & OPCODE) {
    case ZL_WEBSOCKET_BINARY:
        return reader->in_message ? -EPROTO : 0;
    case ZL_WEBSOCKET_CONTINUATION:
        return reader->in_message ? 0 : -EPROTO;
    case ZL_WEBSOCKET_CLOSE:
    case ZL_WEBSOCKET_PING:
    case ZL_WEBSOCKET_PONG:
        return octet & FIN ? 0 : -EPROTO;
    case ZL_WEBSOCKET_TEXT:
        return -ENOTSUP;
    default:
        return -EPROTO;
    }
}

static int check_second(const struct zl_websocket_reader *reader, uint8_t opcode, uint8_t octet)
{
    bool masked = octet & MASKED;
    if (masked != (reader->side == ZL_WEBSOCKET_SERVER))
        return -EPROTO;
    bool is_long = (octet & LENGTH) > ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX;
    return is_long && zl_websocket_is_control(opcode) ? -EPROTO : 0;
}

/* The length behind the first two octets; false when more octets are needed. */
static bool get_length(struct zl_reader *rest, uint8_t length, uint64_t *out)
{
    uint16_t length_u16;
    if (length == LENGTH_U64)
        return zl_reader_u64(rest, out);
    *out = length;
    if (length != LENGTH_U16)
        return true;
    if (!zl_reader_u16(rest, &length_u16))
        return false;
    *out = length_u16;
    return true;
}

int zl_websocket_get_header(const struct zl_websocket_reader *reader, const uint8_t *src,
                            const uint8_t *end, struct zl_websocket_header *out)
{
    struct zl_reader rest = {src, end};
    uint8_t first, second;
    if (!zl_reader_u8(&rest, &first))
        return 0;
    int rc = check_first(reader, first);
    if (rc < 0 || !zl_reader_u8(&rest, &second))
        return rc;
    rc = check_second(reader, first & OPCODE, second);
    if (rc < 0)
        return rc;
    uint64_t payload_size;
    if (!get_length(&rest, second & LENGTH, &payload_size))
        return 0;
    if (payload_size > ZL_WEBSOCKET_PAYLOAD_MAX)
        return -EPROTO;
    uint32_t mask = 0;
    if (second & MASKED && !zl_reader_u32(&rest, &mask))
        return 0;
    *out = (struct zl_websocket_header){
        .opcode = first & OPCODE,
        .header_size = (uint8_t)(rest.at - src),
        .last = first & FIN,
        .mask = mask,
        .payload_size = payload_size,
    };
    return out->header_size;
}

/* ---- Writing ---- */

static size_t put_length(uint8_t *dst, uint64_t payload_size)
{
    if (payload_size <= 125) {
        dst[0] = (uint8_t)payload_size;
        return 1;
    }
    if (payload_size <= UINT16_MAX) {
        dst[0] = LENGTH_U16;
        zl_put_u16(dst + 1, (uint16_t)payload_size);
        return 3;
    }
    dst[0] = LENGTH_U64;
    zl_put_u64(dst + 1, payload_size);
    return 9;
}

size_t zl_websocket_put_header(uint8_t *dst, enum zl_websocket_side side, uint8_t opcode,
                               uint64_t payload_size, uint32_t mask)
{
    dst[0] = FIN | opcode;
    size_t size = 1 + put_length(dst + 1, payload_size);
    if (side == ZL_WEBSOCKET_SERVER)
        return size;
    dst[1] |= MASKED;
    zl_put_u32(dst + size, mask);
    return size + 4;
}

size_t zl_websocket_put_control(uint8_t *dst, enum zl_websocket_side side, uint8_t opcode,
                                const void *payload, size_t n, uint32_t mask)
{
    if (n > ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX)
        n = ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX;
    size_t size = zl_websocket_put_header(dst, side, opcode, n, mask);
    zl_websocket_mask(dst + size, payload, n, side == ZL_WEBSOCKET_CLIENT ? mask : 0);
    return size + n;
}

/* ---- Closing ---- */

uint16_t zl_websocket_close_code(int error)
{
    switch (error) {
    case 0:
        return ZL_WEBSOCKET_NORMAL;
    case -EPROTO:
        return ZL_WEBSOCKET_PROTOCOL_ERROR;
    case -ENOTSUP:
        return ZL_WEBSOCKET_UNSUPPORTED;
    case -EMSGSIZE:
        return ZL_WEBSOCKET_TOO_BIG;
    default:
        return ZL_WEBSOCKET_INTERNAL_ERROR;
    }
}

/* RFC 6455, 7.4, and the registry that it founds: 1004 is reserved, 1005, 1006 and 1015 are never
 * sent, from 3000 on they belong to libraries and applications. */
static bool may_be_sent(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int zl_websocket_parse_close(const uint8_t *payload, size_t n)
{
    struct zl_reader rest = zl_reader_over(payload, n);
    uint16_t code;
    if (n == 0)
        return ZL_WEBSOCKET_NO_CODE;
    if (n > ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX || !zl_reader_u16(&rest, &code) || !may_be_sent(code))
        return -EPROTO;
    return code;
}

size_t zl_websocket_put_close(uint8_t *dst, enum zl_websocket_side side, uint16_t code,
                              uint32_t mask)
{
    uint8_t payload[2];
    zl_put_u16(payload, code);
    size_t n = code == ZL_WEBSOCKET_NO_CODE ? 0 : sizeof payload;
    return zl_websocket_put_control(dst, side, ZL_WEBSOCKET_CLOSE, payload, n, mask);
}
