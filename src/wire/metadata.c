/* SPDX-License-Identifier: MPL-2.0 */
/* Metadata: lists of properties, each a name with a value. */

#include "wire/zmtp.h"

#include <string.h>

#define VALUE_SIZE_MAX ((uint32_t)INT32_MAX)

/* ---- Reading ---- */

void zl_metadata_reader_init(struct zl_metadata_reader *reader, const void *data, size_t size)
{
    reader->rest = zl_reader_over(data, size);
    reader->budget = ZL_METADATA_PROPERTIES_MAX;
}

int zl_metadata_next(struct zl_metadata_reader *reader, struct zl_property *out)
{
    struct zl_reader rest = reader->rest;
    if (zl_reader_left(&rest) == 0)
        return 0;
    if (reader->budget == 0 || !zl_reader_u8(&rest, &out->name_size) || out->name_size == 0 ||
        !zl_reader_bytes(&rest, out->name_size, &out->name) ||
        !zl_reader_u32(&rest, &out->value_size) || out->value_size > VALUE_SIZE_MAX ||
        !zl_reader_bytes(&rest, out->value_size, &out->value))
        return -EPROTO;
    reader->rest = rest;
    reader->budget--;
    return 1;
}

/* Not tolower(): names on the wire do not depend on the locale. */
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_name(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    if (a_size != b_size)
        return false;
    for (size_t i = 0; i < a_size; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool zl_property_is(const struct zl_property *property, const char *name)
{
    return same_name(property->name, property->name_size, (const uint8_t *)name, strlen(name));
}

/* Whether the list has that name again from `reader` on, up to the end or to what is malformed.
 * Doing so for each property is quadratic, but ZL_METADATA_PROPERTIES_MAX bounds it. */
static bool occurs_again(struct zl_metadata_reader reader, const struct zl_property *property)
{
    struct zl_property other;
    while (zl_metadata_next(&reader, &other) == 1)
        if (same_name(property->name, property->name_size, other.name, other.name_size))
            return true;
    return false;
}

static int check_property(const struct zl_property *property, int our_type,
                          struct zl_peer_metadata *out)
{
    if (zl_property_is(property, "Socket-Type")) {
        out->socket_type = zl_socket_type_from_name(property->value, property->value_size);
        return zl_socket_types_compatible(our_type, out->socket_type) ? 0 : -EPROTOTYPE;
    }
    if (zl_property_is(property, "Identity")) {
        out->identity = property->value;
        out->identity_size = property->value_size;
        return zl_identity_is_valid(out->identity, out->identity_size) ? 0 : -EPROTO;
    }
    return 0;
}

int zl_metadata_check(const void *data, size_t size, int socket_type, struct zl_peer_metadata *out)
{
    struct zl_metadata_reader reader;
    struct zl_property property;
    int result = 0;
    int rc;
    *out = (struct zl_peer_metadata){.socket_type = -1};
    zl_metadata_reader_init(&reader, data, size);
    while ((rc = zl_metadata_next(&reader, &property)) == 1) {
        if (occurs_again(reader, &property))
            return -EPROTO;
        rc = check_property(&property, socket_type, out);
        /* A malformed list outweighs a type that does not fit: read on. */
        if (rc == -EPROTO)
            return rc;
        if (rc != 0)
            result = rc;
    }
    return rc < 0 ? rc : result;
}

/* ---- Writing ---- */

size_t zl_metadata_size(const char *name, size_t value_size)
{
    return 1 + strlen(name) + 4 + value_size;
}

size_t zl_metadata_put(uint8_t *dst, size_t cap, const char *name, const void *value,
                       size_t value_size)
{
    size_t name_size = strlen(name);
    if (name_size < 1 || name_size > 255 || value_size > VALUE_SIZE_MAX ||
        zl_metadata_size(name, value_size) > cap)
        return 0;
    uint8_t *at = dst;
    *at++ = (uint8_t)name_size;
    memcpy(at, name, name_size);
    at += name_size;
    zl_put_u32(at, (uint32_t)value_size);
    at += 4;
    if (value_size)
        memcpy(at, value, value_size);
    at += value_size;
    return (size_t)(at - dst);
}

size_t zl_metadata_put_own(uint8_t *dst, size_t cap, int socket_type, const void *identity,
                           size_t identity_size)
{
    const char *type_name = zl_socket_type_name(socket_type);
    if (!type_name)
        return 0;
    size_t size = zl_metadata_put(dst, cap, "Socket-Type", type_name, strlen(type_name));
    if (size == 0 || !zl_socket_type_sends_identity(socket_type))
        return size;
    size_t more = zl_metadata_put(dst + size, cap - size, "Identity", identity, identity_size);
    return more ? size + more : 0;
}
