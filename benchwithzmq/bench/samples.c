/* SPDX-License-Identifier: MPL-2.0 */

/* Percentiles by nearest rank: the reported value is always one that was measured. */
#include "samples.h"

#include <stdlib.h>

#include "peers.h"

#define CAPACITY ((size_t)8 << 20)

void samples_init(struct samples *samples)
{
    *samples = (struct samples){.ns = malloc(CAPACITY * sizeof(uint32_t)), .capacity = CAPACITY};
    if (samples->ns == NULL)
        fatal(EXIT_FAILED, "no memory for the samples");
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* permille as an integer: 0.999 * count in floating point can land one rank too high. */
static double at_permille(const struct samples *samples, size_t permille)
{
    size_t rank = (samples->count * permille + 999) / 1000;
    return samples->ns[rank > 0 ? rank - 1 : 0] / 1000.0;
}

void samples_finish(struct samples *samples, struct latency_result *result)
{
    double sum = 0;

    if (samples->count == 0)
        fatal(EXIT_FAILED, "no latency sample in the measured window: make it longer");
    qsort(samples->ns, samples->count, sizeof(uint32_t), compare);
    for (size_t i = 0; i < samples->count; i++)
        sum += samples->ns[i];
    *result = (struct latency_result){
        .samples = samples->count,
        .mean_us = sum / (double)samples->count / 1000.0,
        .p50_us = at_permille(samples, 500),
        .p90_us = at_permille(samples, 900),
        .p99_us = at_permille(samples, 990),
        .p999_us = at_permille(samples, 999),
        .max_us = at_permille(samples, 1000),
    };
    free(samples->ns);
    samples->ns = NULL;
}
