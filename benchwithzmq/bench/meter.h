/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One peer's view of the measured window. Each peer calls meter_tick once per message; now and then
 * (about every 20 to 200 us, whatever the message rate) that looks at the clock and at the common
 * phase. The peer that is `judge` moves the phase on when the warm-up or the window is over. A tick
 * between looks is one decrement, so the meter weighs the same on every library, and close to
 * nothing.
 */
#ifndef ZBENCH_METER_H
#define ZBENCH_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared.h"

struct meter {
    struct shared *shared;
    struct peer_result *result;
    bool judge;
    bool thread_only; /* count this thread's CPU time only: the peers are threads of one process */
    uint64_t warmup_ns, window_ns;
    enum phase phase; /* as last seen */
    uint32_t countdown, stride;
    uint64_t ticks;
    uint64_t last_look_ns, warm_since_ns;
    uint64_t start_ns, start_ticks, start_cpu_ns;
};

struct meter_setup {
    struct shared *shared;
    int index;
    bool judge;
    bool thread_only;
    double warmup_seconds, window_seconds;
};

uint64_t now_ns(void);

/* CPU time, user and system, of this process or only of the calling thread. */
uint64_t cpu_ns(bool thread_only);

/* Call when WARM has begun: the warm-up is timed from here. */
void meter_start(struct meter *meter, const struct meter_setup *setup);

/* For callers that time their window by something else than the clock. */
void meter_advance(struct meter *meter, enum phase phase);

/* Notes the peak memory; the last thing a peer does. */
void meter_finish(struct meter *meter);

bool meter_look(struct meter *meter);

/* Counts one message. False: the window is over, stop. */
static inline bool meter_tick(struct meter *meter)
{
    meter->ticks++;
    if (--meter->countdown != 0)
        return true;
    return meter_look(meter);
}

#endif
