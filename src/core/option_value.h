/* SPDX-License-Identifier: MPL-2.0 */
/* Values of options: reading and writing them as zmq_setsockopt and zmq_getsockopt do, and keeping
 * those of any length.
 *
 * What fails leaves the buffer, its size and `*out` untouched. NULL arguments are refused. */
#ifndef ZL_CORE_OPTION_VALUE_H
#define ZL_CORE_OPTION_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* A heap-owned text or blob. `data` is NULL when `size` is 0; otherwise a NUL follows the
 * `size` bytes, so that a text can be used as a C string. */
struct zl_option_bytes {
    char *data;
    size_t size;
};

/* Replaces the content by a copy. An empty value frees it. 0, or -ENOMEM with the old content
 * kept. `value` may be NULL when `size` is 0. */
int zl_option_bytes_set(struct zl_option_bytes *bytes, const void *value, size_t size);
void zl_option_bytes_clear(struct zl_option_bytes *bytes);

/* The content as a C string, "" when empty. */
static inline const char *zl_option_text(const struct zl_option_bytes *bytes)
{
    return bytes->data ? bytes->data : "";
}

/* Read an int of exactly 4 bytes; the boolean ones also check its value. 0, or -EINVAL with `*out`
 * untouched. */
int zl_option_read_int(const void *value, size_t size, int *out);
int zl_option_read_bool01(const void *value, size_t size, bool *out);      /* 0 or 1 */
int zl_option_read_bool_nonneg(const void *value, size_t size, bool *out); /* >= 0 */
int zl_option_read_bool_any(const void *value, size_t size, bool *out);    /* any int */

/* Write an int; the buffer must be of exactly 4 bytes. 0 or -EINVAL. */
int zl_option_write_int(int value, void *destination, size_t *size);

/* The same for any value: the buffer must be of exactly `value_size` bytes. */
int zl_option_write_exact(const void *value, size_t value_size, void *destination, size_t *size);

/* Write an int into any buffer of at least 4 bytes; the rest is zeroed and `*size` becomes 4. */
int zl_option_write_int_padded(int value, void *destination, size_t *size);

/* The same for any value. */
int zl_option_write_padded(const void *value, size_t value_size, void *destination, size_t *size);

/* Write a text and its NUL; the rest is zeroed and `*size` becomes `length` + 1. 0, or -EINVAL when
 * the buffer is too small. */
int zl_option_write_string(const char *text, size_t length, void *destination, size_t *size);

#endif
