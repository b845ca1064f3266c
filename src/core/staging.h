/* SPDX-License-Identifier: MPL-2.0 */
/* Framings whose bytes differ from those in the outbound queue are re-encoded here, one whole message
   at a time: the queue gives a message up only when its re-encoded form has been written completely,
   so a lost connection neither loses nor repeats one. Today: ZMTP 1.0, and raw octets.

   Owned by the holder of the link's write claim; the queue needs the gate. */
#ifndef ZL_CORE_STAGING_H
#define ZL_CORE_STAGING_H

#include "core/outq.h"

#include <stddef.h>
#include <sys/uio.h>

struct zl_staging {
    size_t size;
    size_t sent;
    size_t covers; /* bytes of the queue that this message takes there */
    uint8_t data[];
};

/* Gate held. Fills one vector with what is left of the staged message, staging the next one when
   there is none. Returns the number of vectors, 0 or 1 (0 also when out of memory). */
int zl_staging_gather(struct zl_staging **staging, const struct zl_outq *queue, bool raw,
                      struct iovec *vector, size_t *total);

/* `count` octets were written. Returns how many bytes the queue may give up: 0 until the message is
   complete. */
size_t zl_staging_consume(struct zl_staging **staging, size_t count);

void zl_staging_free(struct zl_staging **staging);

#endif
