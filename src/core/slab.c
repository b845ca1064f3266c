/* SPDX-License-Identifier: MPL-2.0 */
/* Receive slabs. */
#include "core/slab.h"

#include "base/copy.h"

#include <stdlib.h>

/* More than the messages that fit into a slab. */
#define PREPAID 65536u

struct zl_slab *zl_slab_new(uint32_t capacity)
{
    struct zl_slab *slab = malloc(sizeof *slab + capacity);
    if (!slab)
        return NULL;
    atomic_init(&slab->references, 1);
    slab->capacity = capacity;
    slab->used = 0;
    return slab;
}

void zl_slab_release(struct zl_slab *slab, unsigned count)
{
    /* acq_rel: the reads of all holders happen before the free, or before the filler's reuse */
    if (slab && count &&
        atomic_fetch_sub_explicit(&slab->references, count, memory_order_acq_rel) == count)
        free(slab);
}

static void retire_current(struct zl_slab_filler *filler)
{
    if (filler->current)
        zl_slab_release(filler->current, filler->prepaid);
    filler->current = NULL;
    filler->prepaid = 0;
}

/* A slab that everybody is done with, else an empty place, else the first one. */
static struct zl_slab **choose_place(struct zl_slab_filler *filler)
{
    struct zl_slab **place = &filler->slabs[0];
    for (size_t i = ZL_FILLER_SLABS; i-- > 0;) {
        struct zl_slab *slab = filler->slabs[i];
        if (!slab)
            place = &filler->slabs[i];
        else if (zl_slab_unshared(slab))
            return &filler->slabs[i];
    }
    return place;
}

static struct zl_slab *begin_slab(struct zl_slab_filler *filler)
{
    retire_current(filler);
    struct zl_slab **place = choose_place(filler);
    if (*place && !zl_slab_unshared(*place)) {
        zl_slab_release(*place, 1);
        *place = NULL;
    }
    if (!*place)
        *place = zl_slab_new(ZL_SLAB_SIZE);
    if (!*place)
        return NULL;
    (*place)->used = 0;
    zl_slab_acquire(*place, PREPAID);
    filler->prepaid = PREPAID;
    return filler->current = *place;
}

uint8_t *zl_slab_put(struct zl_slab_filler *filler, const void *data, uint32_t size,
                     struct zl_slab **slab)
{
    struct zl_slab *current = filler->current;
    if (!current || current->capacity - current->used < size || filler->prepaid == 0) {
        current = begin_slab(filler);
        if (!current)
            return NULL;
    }
    uint8_t *place = current->data + current->used;
    zl_copy(place, data, size);
    current->used += size;
    filler->prepaid--;
    *slab = current;
    return place;
}

void zl_slab_filler_clear(struct zl_slab_filler *filler)
{
    retire_current(filler);
    for (size_t i = 0; i < ZL_FILLER_SLABS; i++) {
        zl_slab_release(filler->slabs[i], 1);
        filler->slabs[i] = NULL;
    }
}
