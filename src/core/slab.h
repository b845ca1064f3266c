/* SPDX-License-Identifier: MPL-2.0 */
/* Receive slabs: large reference-counted buffers that one read fills with many messages. Messages
   of kind ZL_MSG_SLICE point into a slab and hold one reference each. */
#ifndef ZL_CORE_SLAB_H
#define ZL_CORE_SLAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ZL_SLAB_SIZE (64u * 1024u)

struct zl_slab {
    atomic_uint references;
    uint32_t capacity;
    uint32_t used; /* bytes that references may point at; owned by the one who fills the slab */
    uint8_t data[];
};

/* One reference, for the filler. NULL when out of memory. */
struct zl_slab *zl_slab_new(uint32_t capacity);

/* Adds references for messages that are about to be published. */
static inline void zl_slab_acquire(struct zl_slab *slab, unsigned count)
{
    atomic_fetch_add_explicit(&slab->references, count, memory_order_relaxed);
}

/* NULL is allowed. Any thread. */
void zl_slab_release(struct zl_slab *slab, unsigned count);

/* The slabs that a sender fills with payloads for an inproc peer. References for messages are taken
   in advance, so that handing one out writes to no memory that the reader writes too. Guarded by the
   gate of the socket that owns the filler. */
enum { ZL_FILLER_SLABS = 16 };

struct zl_slab_filler {
    struct zl_slab *slabs[ZL_FILLER_SLABS]; /* one reference each */
    struct zl_slab *current;                /* one of them, or NULL */
    unsigned prepaid;                       /* references to `current` that nobody has yet */
};

/* Copies a payload of at most ZL_SLAB_SIZE bytes to where it may stay. Returns its place, and in
   *slab the owner with one reference for the caller; NULL when out of memory. */
uint8_t *zl_slab_put(struct zl_slab_filler *filler, const void *data, uint32_t size,
                     struct zl_slab **slab);

/* The filler gives up all its references and is empty again. */
void zl_slab_filler_clear(struct zl_slab_filler *filler);

/* True when only the filler refers to it, so that it may be filled from the start again. */
static inline int zl_slab_unshared(struct zl_slab *slab)
{
    /* acquire: pairs with the release decrement of the last reader */
    return atomic_load_explicit(&slab->references, memory_order_acquire) == 1;
}

#endif
