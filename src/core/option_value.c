/* SPDX-License-Identifier: MPL-2.0 */
/* Values of options: reading, writing and keeping them. */
#include "core/option_value.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int zl_option_read_int(const void *value, size_t size, int *out)
{
    if (!value || size != sizeof(*out))
        return -EINVAL;
    memcpy(out, value, sizeof(*out));
    return 0;
}

static int read_bool(const void *value, size_t size, int min, int max, bool *out)
{
    int number;
    int rc = zl_option_read_int(value, size, &number);
    if (rc < 0 || number < min || number > max)
        return -EINVAL;
    *out = number != 0;
    return 0;
}

int zl_option_read_bool01(const void *value, size_t size, bool *out)
{
    return read_bool(value, size, 0, 1, out);
}

int zl_option_read_bool_nonneg(const void *value, size_t size, bool *out)
{
    return read_bool(value, size, 0, INT_MAX, out);
}

int zl_option_read_bool_any(const void *value, size_t size, bool *out)
{
    return read_bool(value, size, INT_MIN, INT_MAX, out);
}

int zl_option_write_exact(const void *value, size_t value_size, void *destination, size_t *size)
{
    if (!destination || !size || *size != value_size)
        return -EINVAL;
    memcpy(destination, value, value_size);
    return 0;
}

int zl_option_write_int(int value, void *destination, size_t *size)
{
    return zl_option_write_exact(&value, sizeof(value), destination, size);
}

int zl_option_write_padded(const void *value, size_t value_size, void *destination, size_t *size)
{
    if (!destination || !size || *size < value_size)
        return -EINVAL;
    memset(destination, 0, *size);
    if (value_size > 0)
        memcpy(destination, value, value_size);
    *size = value_size;
    return 0;
}

int zl_option_write_int_padded(int value, void *destination, size_t *size)
{
    return zl_option_write_padded(&value, sizeof(value), destination, size);
}

int zl_option_write_string(const char *text, size_t length, void *destination, size_t *size)
{
    if (!destination || !size || *size <= length)
        return -EINVAL;
    memset(destination, 0, *size);
    if (length > 0)
        memcpy(destination, text, length);
    *size = length + 1;
    return 0;
}

int zl_option_bytes_set(struct zl_option_bytes *bytes, const void *value, size_t size)
{
    char *copy = NULL;
    if (size > 0) {
        copy = size < SIZE_MAX ? malloc(size + 1) : NULL;
        if (!copy)
            return -ENOMEM;
        memcpy(copy, value, size);
        copy[size] = '\0';
    }
    zl_option_bytes_clear(bytes);
    bytes->data = copy;
    bytes->size = size;
    return 0;
}

/* Wipes what it frees: it may be a password. */
void zl_option_bytes_clear(struct zl_option_bytes *bytes)
{
    if (bytes->data)
        explicit_bzero(bytes->data, bytes->size);
    free(bytes->data);
    *bytes = (struct zl_option_bytes){NULL, 0};
}
