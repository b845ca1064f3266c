/* SPDX-License-Identifier: MPL-2.0 */
/* Shared property lists. */
#include "core/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct zl_metadata *zl_metadata_new(void)
{
    struct zl_metadata *metadata = calloc(1, sizeof *metadata);
    if (!metadata)
        return NULL;
    atomic_init(&metadata->references, 1);
    metadata->fd = -1;
    return metadata;
}

static int reserve(struct zl_metadata *metadata, size_t more)
{
    if (metadata->capacity - metadata->size >= more)
        return 0;
    size_t capacity = metadata->size + more;
    char *text = realloc(metadata->text, capacity);
    if (!text)
        return -ENOMEM;
    metadata->text = text;
    metadata->capacity = capacity;
    return 0;
}

static void append(struct zl_metadata *metadata, const void *data, size_t size)
{
    if (size)
        memcpy(metadata->text + metadata->size, data, size);
    metadata->text[metadata->size + size] = '\0';
    metadata->size += size + 1;
}

static const char *find(const struct zl_metadata *metadata, const char *name, size_t name_size)
{
    const char *at = metadata->text;
    const char *end = at + metadata->size;
    while (at < end) {
        size_t size = strlen(at);
        const char *value = at + size + 1;
        if (size == name_size && memcmp(at, name, size) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

int zl_metadata_add(struct zl_metadata *metadata, const char *name, size_t name_size,
                    const void *value, size_t value_size)
{
    if (metadata->text && find(metadata, name, name_size))
        return 0;
    /* Readers see C strings, so a value ends at its first NUL. */
    value_size = value_size ? strnlen(value, value_size) : 0;
    name_size = strnlen(name, name_size);
    int rc = reserve(metadata, name_size + value_size + 2);
    if (rc < 0)
        return rc;
    append(metadata, name, name_size);
    append(metadata, value, value_size);
    return 0;
}

const char *zl_metadata_find(const struct zl_metadata *metadata, const char *name)
{
    if (!metadata->text)
        return NULL;
    const char *value = find(metadata, name, strlen(name));
    /* Two names for one thing: the handshake calls it Identity, the documentation Routing-Id. */
    if (!value && strcmp(name, "Routing-Id") == 0)
        value = find(metadata, "Identity", 8);
    return value;
}

void zl_metadata_release(struct zl_metadata *metadata, unsigned count)
{
    /* acq_rel: all uses of other holders happen before the free */
    if (metadata &&
        atomic_fetch_sub_explicit(&metadata->references, count, memory_order_acq_rel) == count) {
        free(metadata->text);
        free(metadata);
    }
}
