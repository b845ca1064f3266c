/* SPDX-License-Identifier: MPL-2.0 */
/* What pipes count. Counters are kept where the work is done, under the gate that is held there anyway,
   so they are always on. core/stats.h adds them up. */
#ifndef ZL_CORE_TRAFFIC_H
#define ZL_CORE_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

/* What went over connections; part of every pipe. */
struct zl_traffic {
    uint64_t bytes_in;          /* as read from the kernel, framing included; inproc: payloads */
    uint64_t bytes_out;         /* as taken by the kernel */
    uint64_t reads;             /* that brought something */
    uint64_t writes;            /* that the kernel took something of */
    uint64_t writes_at_once;    /* made by a sender for the message that it had just sent */
    uint64_t refused_at_once;   /* those of them that the kernel did not take completely */
    uint64_t would_blocks;      /* writes that the kernel did not take completely */
    uint64_t gathered_writes;   /* that ended more than one message */
    uint64_t gathered_messages; /* in those */
    uint64_t bytes_copied_in;   /* between the library's own buffers, before delivery */
    uint64_t reconnects;        /* connections after the first */
};

/* What pipes that are gone have counted. Guarded by the socket's gate. */
struct zl_retired {
    struct zl_traffic traffic;
    uint64_t sent;
    uint64_t delivered;
    uint64_t dropped;
    uint64_t bytes_copied_out;
};

/* Nothing but counters: they are added as the row of numbers that they are. */
static inline void zl_traffic_add(struct zl_traffic *sum, const struct zl_traffic *traffic)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)traffic;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

#endif
