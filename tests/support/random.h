/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Random numbers for tests. Each run has one seed, printed at its beginning; TS_SEED=<number>
 * repeats that run (as far as threads allow).
 */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ts_random {
    uint64_t state;
};

/* The seed of this run, the same in its forked children. The first call prints it. */
uint64_t ts_seed(void);
/* The stream of that number: each thread or process takes one of its own. */
struct ts_random ts_random_stream(uint64_t number);
uint32_t ts_random_next(struct ts_random *random);
/* 0 to limit - 1. */
uint32_t ts_random_below(struct ts_random *random, uint32_t limit);
/* Sleeps 0 to `limit` microseconds: moments to try, never something to rely on. */
void ts_random_sleep(struct ts_random *random, uint32_t limit_us);

#endif
