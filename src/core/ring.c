/* SPDX-License-Identifier: MPL-2.0 */
/* The message ring's slow paths. */
#include "core/ring.h"

#include <stdlib.h>

/* The first segment is small, since most connections carry little at a time. */
enum { FIRST_CAPACITY = 8, NEXT_CAPACITY = 255 };

void zl_ring_init(struct zl_ring *ring)
{
    ring->tail = NULL;
    ring->tail_at = 0;
    ring->committed_tail = NULL;
    ring->committed_at = 0;
    ring->pushed = 0;
    ring->committed = 0;
    atomic_init(&ring->published, 0);
    ring->head = NULL;
    ring->head_at = 0;
    ring->popped = 0;
    ring->visible = 0;
    atomic_init(&ring->spare, NULL);
}

static struct zl_ring_segment *new_segment(uint32_t capacity)
{
    struct zl_ring_segment *segment = malloc(sizeof *segment + capacity * sizeof segment->slots[0]);
    if (!segment)
        return NULL;
    segment->capacity = capacity;
    segment->next = NULL;
    return segment;
}

bool zl_ring_extend(struct zl_ring *ring)
{
    /* A segment behind the tail can be left over from a rollback. */
    struct zl_ring_segment *next = ring->tail ? ring->tail->next : NULL;
    if (!next) {
        /* acquire: pairs with the release exchange in zl_ring_advance */
        next = atomic_exchange_explicit(&ring->spare, NULL, memory_order_acquire);
        if (next)
            next->next = NULL;
        else
            next = new_segment(ring->tail ? NEXT_CAPACITY : FIRST_CAPACITY);
        if (!next)
            return false;
    }
    if (ring->tail) {
        ring->tail->next = next;
    } else {
        /* The consumer looks at `head` only after something has been published. */
        ring->head = next;
        ring->committed_tail = next;
    }
    ring->tail = next;
    ring->tail_at = 0;
    return true;
}

static void close_part(void *arg, struct zl_msg *part)
{
    (void)arg;
    zl_msg_close(part);
}

void zl_ring_rollback(struct zl_ring *ring)
{
    zl_ring_rollback_with(ring, close_part, NULL);
}

void zl_ring_rollback_with(struct zl_ring *ring, void (*drop)(void *arg, struct zl_msg *part),
                           void *arg)
{
    struct zl_ring_segment *segment = ring->committed_tail;
    uint32_t at = ring->committed_at;
    while (segment && !(segment == ring->tail && at == ring->tail_at)) {
        if (at == segment->capacity) {
            segment = segment->next;
            at = 0;
            continue;
        }
        drop(arg, &segment->slots[at++]);
    }
    ring->pushed = ring->committed;
    ring->tail = ring->committed_tail;
    ring->tail_at = ring->committed_at;
}

void zl_ring_advance(struct zl_ring *ring)
{
    struct zl_ring_segment *empty = ring->head;
    ring->head = empty->next;
    ring->head_at = 0;
    free(atomic_exchange_explicit(&ring->spare, empty, memory_order_acq_rel));
}

void zl_ring_free(struct zl_ring *ring)
{
    zl_ring_rollback(ring);
    while (zl_ring_readable(ring)) {
        zl_msg_close(zl_ring_front(ring));
        zl_ring_pop(ring);
    }
    struct zl_ring_segment *segment = ring->head;
    while (segment) {
        struct zl_ring_segment *next = segment->next;
        free(segment);
        segment = next;
    }
    free(atomic_load(&ring->spare));
    zl_ring_init(ring);
}
