/* SPDX-License-Identifier: MPL-2.0 */
/* References of received messages that are done with. Messages of one read share a slab and the
   metadata of their connection; giving those back one by one would cost two atomic operations per
   message, so they are counted here and given back together. Guarded by the socket's gate. */
#ifndef ZL_CORE_SPENT_H
#define ZL_CORE_SPENT_H

#include "base/branch.h"
#include "core/msg.h"

#include <stdbool.h>

/* A longer payload is copied out without the gate. */
enum { ZL_SPENT_SIZE_MAX = 2048 };

struct zl_spent {
    struct zl_slab *slab;
    struct zl_metadata *metadata;
    unsigned slices; /* references to slab */
    unsigned parts;  /* references to metadata */
};

/* Gives everything back. No user code runs. */
static inline void zl_spent_clear(struct zl_spent *spent)
{
    if (spent->slices)
        zl_slab_release(spent->slab, spent->slices);
    if (spent->parts)
        zl_metadata_release(spent->metadata, spent->parts);
    *spent = (struct zl_spent){0};
}

/* Whether the message may go to zl_spent_add: what it holds is counted here, or is nothing. */
static inline bool zl_spent_takes(const struct zl_msg *msg)
{
    if (msg->group)
        return false;
    return msg->kind == ZL_MSG_INLINE ||
           (msg->kind == ZL_MSG_SLICE && msg->u.ref.size <= ZL_SPENT_SIZE_MAX);
}

/* Closes a message that zl_spent_takes. */
static inline void zl_spent_add(struct zl_spent *spent, struct zl_msg *msg)
{
    if (msg->kind == ZL_MSG_SLICE) {
        if (zl_unlikely(spent->slab != msg->u.ref.owner)) {
            if (spent->slices)
                zl_slab_release(spent->slab, spent->slices);
            spent->slab = msg->u.ref.owner;
            spent->slices = 0;
        }
        spent->slices++;
    }
    if (msg->metadata) {
        if (zl_unlikely(spent->metadata != msg->metadata)) {
            if (spent->parts)
                zl_metadata_release(spent->metadata, spent->parts);
            spent->metadata = msg->metadata;
            spent->parts = 0;
        }
        spent->parts++;
    }
}

#endif
