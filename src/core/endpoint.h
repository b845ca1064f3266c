/* SPDX-License-Identifier: MPL-2.0 */
/* Endpoint strings: `transport://address`. */
#ifndef ZL_CORE_ENDPOINT_H
#define ZL_CORE_ENDPOINT_H

#include <stddef.h>

/* More than the longest transport name and its NUL. */
#define ZL_ENDPOINT_SCHEME_SIZE 16

/* Splits at the first "://". `scheme` receives the transport name with its NUL, `*address` points
 * into `uri` behind the separator. Which transports exist is for the caller to say.
 * 0; -EINVAL: `uri` is NULL, has no separator, or one of the two parts is empty;
 * -EPROTONOSUPPORT: the transport name does not fit in `scheme_capacity` bytes, so that it cannot
 * be a known one. On failure nothing is written. */
int zl_endpoint_split(const char *uri, char *scheme, size_t scheme_capacity, const char **address);

#endif
