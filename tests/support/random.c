/* SPDX-License-Identifier: MPL-2.0 */
/* Random numbers: SplitMix64. */
#define _GNU_SOURCE
#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint64_t ts_seed(void)
{
    static uint64_t seed;
    if (seed)
        return seed;
    const char *given = getenv("TS_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? strtoull(given, NULL, 10)
                 : mix((uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec) % 1000000000u;
    seed += seed == 0;
    printf("TS_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

struct ts_random ts_random_stream(uint64_t number)
{
    return (struct ts_random){mix(ts_seed() * 0x9e3779b97f4a7c15u + number)};
}

uint32_t ts_random_next(struct ts_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(mix(random->state) >> 32);
}

uint32_t ts_random_below(struct ts_random *random, uint32_t limit)
{
    return ts_random_next(random) % limit;
}

void ts_random_sleep(struct ts_random *random, uint32_t limit_us)
{
    long us = (long)ts_random_below(random, limit_us + 1);
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&pause, NULL);
}
