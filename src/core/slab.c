/* SPDX-License-Identifier: MPL-2.0 */
/* Receive slabs. */
#include "core/slab.h"

#include <stdlib.h>

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
