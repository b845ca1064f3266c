/* SPDX-License-Identifier: MPL-2.0 */

/* Headers of WebSocket frames (RFC 6455), the flags byte of the payload included. */
#include "rawframe.h"

#define BINARY_FINAL 0x82
#define MASKED 0x80
#define LENGTH_16 126
#define LENGTH_64 127
#define REST 5 /* key and flags */

size_t frame_write_ws(unsigned char *out, size_t size)
{
    uint64_t payload = size + 1, length = __builtin_bswap64(payload);
    uint32_t key = (uint32_t)MASK_KEY;
    size_t at = 2;

    out[0] = BINARY_FINAL;
    if (payload < LENGTH_16) {
        out[1] = (unsigned char)(MASKED | payload);
    } else if (payload <= UINT16_MAX) {
        out[1] = MASKED | LENGTH_16;
        memcpy(out + at, (char *)&length + 6, 2);
        at += 2;
    } else {
        out[1] = MASKED | LENGTH_64;
        memcpy(out + at, &length, 8);
        at += 8;
    }
    memcpy(out + at, &key, sizeof key);
    out[at + sizeof key] = (unsigned char)key; /* flags 0, masked */
    return at + REST;
}

size_t frame_read_ws(const unsigned char *in, size_t available, size_t *size)
{
    uint64_t length = 0;
    size_t at = 2;

    if (available < 2)
        return 0;
    unsigned first = in[1] & ~(unsigned)MASKED;
    size_t bytes = first < LENGTH_16 ? 0 : first == LENGTH_16 ? 2 : 8;
    if (available < at + bytes + REST)
        return 0;
    memcpy((char *)&length + sizeof length - bytes, in + at, bytes);
    *size = (bytes == 0 ? first : __builtin_bswap64(length)) - 1;
    return at + bytes + REST;
}
