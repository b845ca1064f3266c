/* SPDX-License-Identifier: MPL-2.0 */
/* Z85 (RFC 32): four octets, big-endian, as five digits of base 85. */
#ifndef ZL_WIRE_Z85_H
#define ZL_WIRE_Z85_H

#include <stddef.h>

/* Writes size * 5 / 4 digits, without a NUL. -EINVAL unless size is a multiple of 4. */
int zl_z85_encode(char *text, const unsigned char *octets, size_t size);

/* Writes length * 4 / 5 octets. -EINVAL unless length is a multiple of 5 and all of text is Z85;
 * then octets may be written in part. */
int zl_z85_decode(unsigned char *octets, const char *text, size_t length);

#endif
