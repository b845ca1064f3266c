/* SPDX-License-Identifier: MPL-2.0 */
/* Z85 (RFC 32). */
#include "wire/z85.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define BASE 85

static const char digits[BASE + 1] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ".-:+=^!/*?&<>()[]{}@%$#";

int zl_z85_encode(char *text, const unsigned char *octets, size_t size)
{
    if (size % 4 != 0)
        return -EINVAL;
    for (; size > 0; size -= 4, octets += 4, text += 5) {
        uint32_t value = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                         (uint32_t)octets[2] << 8 | octets[3];
        for (int i = 4; i >= 0; i--) {
            text[i] = digits[value % BASE];
            value /= BASE;
        }
    }
    return 0;
}

/* The value of five digits, or -EINVAL: not a digit, or more than four octets hold. */
static int64_t decode_group(const char *text)
{
    int64_t value = 0;

    for (int i = 0; i < 5; i++) {
        const char *digit = memchr(digits, text[i], BASE);
        if (!digit)
            return -EINVAL;
        value = value * BASE + (digit - digits);
    }
    return value > UINT32_MAX ? -EINVAL : value;
}

int zl_z85_decode(unsigned char *octets, const char *text, size_t length)
{
    if (length % 5 != 0)
        return -EINVAL;
    for (; length > 0; length -= 5, octets += 4, text += 5) {
        int64_t value = decode_group(text);
        if (value < 0)
            return -EINVAL;
        for (int i = 0; i < 4; i++)
            octets[i] = (unsigned char)(value >> (24 - 8 * i));
    }
    return 0;
}
