/* SPDX-License-Identifier: MPL-2.0 */

/* The one line a run prints: space-separated key=value pairs, the same keys from zbench and zraw.
 */
#ifndef ZBENCH_RESULT_H
#define ZBENCH_RESULT_H

#include "shared.h"

struct result_layout {
    unsigned receivers; /* peers 0..receivers-1 */
    unsigned senders;   /* the peers after them */
    double size;
    bool duplex; /* every peer receives: the rate is the sum of both directions */
};

/* msgs_per_s (all receivers together, and for one), mbytes_per_s, CPU ns per message and peak
 * memory of each side. */
void result_print_rates(const struct shared *shared, const struct result_layout *layout);

/* Percentiles. */
void result_print_latency(const struct latency_result *latency);

#endif
