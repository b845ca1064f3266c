/* SPDX-License-Identifier: MPL-2.0 */

/* The one line a run prints: space-separated key=value pairs, the same keys from zbench and zraw.
 */
#ifndef ZBENCH_RESULT_H
#define ZBENCH_RESULT_H

#include <stdbool.h>

#include "shared.h"

struct result_layout {
    int receivers;      /* peers 0..receivers-1 */
    int senders;        /* the peers after them */
    int idle_receivers; /* the last ones of the receivers, which have measured nothing */
    int sinks;          /* sockets that receive: msgs_per_s_each is for one of them */
    double size;
    bool duplex; /* every peer receives: the rate is the sum of both directions */
};

/* msgs_per_s (all receivers together, and for one), mbytes_per_s, CPU ns per message and peak
 * memory of each side. */
void result_print_rates(const struct shared *shared, const struct result_layout *layout);

/* Percentiles. */
void result_print_latency(const struct latency_result *latency);

/* One ROUTER's connections. */
void result_print_scale(const struct scale_result *scale);

#endif
