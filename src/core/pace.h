/* SPDX-License-Identifier: MPL-2.0 */
/* Whether a sender of long messages should wait a moment for its only receiver. A wait in vain is
   repeated only after twice as many messages as the last time, so a receiver that is slow or gone costs
   its sender a few short waits, not one per message. Guarded by the socket's gate. */
#ifndef ZL_CORE_PACE_H
#define ZL_CORE_PACE_H

#include "io/gate.h"

#include <stdbool.h>

enum { ZL_PACE_FAILURES_MAX = 7 };

/* How long one wait may take: a receiver gets its turn at last when every other process on its core has
   used up a time slice, and on one core these may be many. */
static inline int zl_pace_patience_ms(void)
{
    return zl_usable_cpus() == 1 ? 20 : 10;
}

struct zl_pace {
    unsigned skip; /* messages that go without a wait */
    unsigned failures;
};

static inline bool zl_pace_allows(struct zl_pace *pace)
{
    if (pace->skip == 0)
        return true;
    pace->skip--;
    return false;
}

static inline void zl_pace_result(struct zl_pace *pace, bool in_vain)
{
    if (!in_vain) {
        pace->failures = 0;
        return;
    }
    pace->failures += pace->failures < ZL_PACE_FAILURES_MAX;
    pace->skip = 1u << pace->failures;
}

#endif
