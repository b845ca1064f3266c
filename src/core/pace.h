/* SPDX-License-Identifier: MPL-2.0 */
/* Whether a sender of long messages should wait a moment for its only receiver. A wait in vain is
   repeated only after twice as many messages as the last time, so a receiver that is slow or gone costs
   its sender a few short waits, not one per message. Pure. Guarded by the socket's gate. */
#ifndef ZL_CORE_PACE_H
#define ZL_CORE_PACE_H

#include <stdbool.h>

enum { ZL_PACE_FAILURES_MAX = 7 };

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
