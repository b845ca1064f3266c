/* SPDX-License-Identifier: MPL-2.0 */
/* Endpoint strings: `transport://address`. */
#include "core/endpoint.h"

#include <errno.h>
#include <string.h>

int zl_endpoint_split(const char *uri, char *scheme, size_t scheme_capacity, const char **address)
{
    static const char separator[] = "://";
    const char *end = uri ? strstr(uri, separator) : NULL;
    if (!end || end == uri || end[sizeof(separator) - 1] == '\0')
        return -EINVAL;
    size_t length = (size_t)(end - uri);
    if (length >= scheme_capacity)
        return -EPROTONOSUPPORT;
    memcpy(scheme, uri, length);
    scheme[length] = '\0';
    *address = end + sizeof(separator) - 1;
    return 0;
}
