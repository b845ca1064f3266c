/* SPDX-License-Identifier: MPL-2.0 */

/* Every latency sample of a run, kept, and the percentiles taken from all of them at the end. */
#ifndef ZBENCH_SAMPLES_H
#define ZBENCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared.h"

struct samples {
    uint32_t *ns;
    size_t count, capacity;
};

/* Room for 8 million samples; memory is taken only as they come. Ends the program on failure. */
void samples_init(struct samples *samples);

/* False when there is no room left: end the window. A sample above 4.29 s is kept as 4.29 s. */
static inline bool samples_add(struct samples *samples, uint64_t ns)
{
    if (samples->count == samples->capacity)
        return false;
    samples->ns[samples->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    return true;
}

/* Sorts the samples, fills in the result and frees them. */
void samples_finish(struct samples *samples, struct latency_result *result);

#endif
