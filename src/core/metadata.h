/* SPDX-License-Identifier: MPL-2.0 */
/* What is known about a peer: an immutable, atomically counted property list that all messages of
   one connection share (zmq_msg_gets). */
#ifndef ZL_CORE_METADATA_H
#define ZL_CORE_METADATA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct zl_metadata {
    atomic_uint references;
    int fd;      /* descriptor of the connection, for ZMQ_SRCFD; -1 none */
    size_t size; /* bytes used in `text` */
    size_t capacity;
    char *text; /* name NUL value NUL name NUL value NUL ... */
};

/* One reference; NULL when out of memory. */
struct zl_metadata *zl_metadata_new(void);

/* Before it is shared only. A name that is already there keeps its first value. 0 or -ENOMEM. */
int zl_metadata_add(struct zl_metadata *metadata, const char *name, size_t name_size,
                    const void *value, size_t value_size);

/* The value as a C string, or NULL. */
const char *zl_metadata_find(const struct zl_metadata *metadata, const char *name);

static inline void zl_metadata_acquire(struct zl_metadata *metadata, unsigned count)
{
    atomic_fetch_add_explicit(&metadata->references, count, memory_order_relaxed);
}

/* NULL is allowed. */
void zl_metadata_release(struct zl_metadata *metadata, unsigned count);

#endif
