/* SPDX-License-Identifier: MPL-2.0 */
/* How long to look before sleeping: a budget that adapts to what recent waits were like. Pure; time
   is an argument. Guarded by the socket's gate.

   A wait that a spin would have covered earns a try; a try that fails is repeated after twice as
   many such waits as the last time. So request-reply partners find each other quickly, a periodic
   wait of unlucky length costs nearly nothing, and an idle socket never spins. */
#ifndef ZL_IO_SPIN_H
#define ZL_IO_SPIN_H

#include <stdint.h>

enum {
    ZL_SPIN_NS = 60000,        /* about what waking the other core and being woken cost */
    ZL_SPIN_SHORT_NS = 150000, /* a sleep that a spinning partner would have made much shorter */
    ZL_SPIN_MAX_FAILURES = 12,
};

struct zl_spin {
    uint32_t budget_ns;    /* to spin before the next sleep */
    uint32_t failures;     /* tries in a row that ended asleep */
    uint32_t short_sleeps; /* since the last try */
    uint64_t paid;         /* waits that ended while spinning */
    uint64_t unpaid;       /* spins after which we slept all the same */
};

/* The wait ended while we looked. */
static inline void zl_spin_paid(struct zl_spin *spin)
{
    spin->paid++;
    spin->failures = 0;
    spin->budget_ns = ZL_SPIN_NS;
}

/* We looked in vain, and shall sleep. */
static inline void zl_spin_unpaid(struct zl_spin *spin)
{
    spin->unpaid++;
    spin->failures += spin->failures < ZL_SPIN_MAX_FAILURES;
    spin->budget_ns = 0;
}

/* We slept, perhaps after looking in vain. */
static inline void zl_spin_slept(struct zl_spin *spin, uint64_t slept_ns)
{
    if (spin->budget_ns > 0)
        zl_spin_unpaid(spin);
    spin->short_sleeps += slept_ns < ZL_SPIN_SHORT_NS;
    if (spin->short_sleeps >= 1u << spin->failures) {
        spin->short_sleeps = 0;
        spin->budget_ns = ZL_SPIN_NS;
    }
}

#endif
