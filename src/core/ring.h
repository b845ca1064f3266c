/* SPDX-License-Identifier: MPL-2.0 */
/* A single-producer single-consumer queue of messages in linked segments: unbounded by itself, as
   the high-water mark above it is the limit. Between two inproc sockets producer and consumer are
   different threads under different gates; for a connection both sides run under one gate.

   Parts become visible to the consumer only when zl_ring_publish is called, so an unfinished
   multipart message can be taken back.

   Fields are grouped by the side that writes them, each group on a cache line of its own. */
#ifndef ZL_CORE_RING_H
#define ZL_CORE_RING_H

#include "core/msg.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct zl_ring_segment {
    struct zl_ring_segment *next; /* written before the parts in it are published */
    uint32_t capacity;
    _Alignas(16) struct zl_msg slots[];
};

struct zl_ring {
    /* Producer. */
    struct zl_ring_segment *tail;
    uint32_t tail_at;
    uint32_t committed_at; /* where an unfinished message began */
    struct zl_ring_segment *committed_tail;
    uint64_t pushed;                             /* parts, complete or not */
    uint64_t committed;                          /* parts of complete messages */
    _Alignas(64) atomic_uint_fast64_t published; /* release; pairs with the acquire in pop */

    /* Consumer. */
    _Alignas(64) struct zl_ring_segment *head;
    uint32_t head_at;
    uint64_t popped;
    uint64_t visible; /* last value seen of `published` */
    /* The last emptied segment, on its way back to the producer. */
    _Alignas(64) _Atomic(struct zl_ring_segment *) spare;
};

void zl_ring_init(struct zl_ring *ring);

/* Closes every message that is still inside. Nobody else may use the ring any more. */
void zl_ring_free(struct zl_ring *ring);

/* Producer: makes sure that a slot follows; false when out of memory. */
bool zl_ring_extend(struct zl_ring *ring);

/* Producer: the place for the next part, or NULL when out of memory. The caller fills it and calls
   zl_ring_push. */
static inline struct zl_msg *zl_ring_slot(struct zl_ring *ring)
{
    if ((!ring->tail || ring->tail_at == ring->tail->capacity) && !zl_ring_extend(ring))
        return NULL;
    return &ring->tail->slots[ring->tail_at];
}

static inline void zl_ring_push(struct zl_ring *ring)
{
    ring->tail_at++;
    ring->pushed++;
}

/* Producer: the parts pushed so far end a message and may be taken back no more. */
static inline void zl_ring_commit(struct zl_ring *ring)
{
    ring->committed_tail = ring->tail;
    ring->committed_at = ring->tail_at;
    ring->committed = ring->pushed;
}

/* Producer: takes back all parts since the last commit; the caller closes nothing, they are closed
   here. */
void zl_ring_rollback(struct zl_ring *ring);
/* The same under a gate: `drop` gets each part, and leaves nothing in it. */
void zl_ring_rollback_with(struct zl_ring *ring, void (*drop)(void *arg, struct zl_msg *part),
                           void *arg);

/* Producer: shows everything up to the last commit to the consumer. */
static inline void zl_ring_publish(struct zl_ring *ring)
{
    atomic_store_explicit(&ring->published, ring->committed, memory_order_release);
}

/* Consumer: whether a part can be popped. */
static inline bool zl_ring_readable(struct zl_ring *ring)
{
    if (ring->popped != ring->visible)
        return true;
    ring->visible = atomic_load_explicit(&ring->published, memory_order_acquire);
    return ring->popped != ring->visible;
}

/* Consumer: leaves an emptied segment for the next one. */
void zl_ring_advance(struct zl_ring *ring);

/* Consumer: the next part in place; only after zl_ring_readable said yes. */
static inline struct zl_msg *zl_ring_front(struct zl_ring *ring)
{
    if (!ring->head || ring->head_at == ring->head->capacity)
        zl_ring_advance(ring);
    return &ring->head->slots[ring->head_at];
}

/* Consumer: the front part has been moved out. */
static inline void zl_ring_pop(struct zl_ring *ring)
{
    ring->head_at++;
    ring->popped++;
}

#endif
