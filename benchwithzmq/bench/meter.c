/* SPDX-License-Identifier: MPL-2.0 */

/* The measured window: when it begins and ends for this peer, and what the peer spent in it. */
#define _GNU_SOURCE
#include "meter.h"

#include <sys/resource.h>
#include <time.h>

#define LOOK_AT_LEAST_NS 20000
#define LOOK_AT_MOST_NS 200000
#define STRIDE_MAX (1u << 20)

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t timeval_ns(struct timeval value)
{
    return (uint64_t)value.tv_sec * 1000000000u + (uint64_t)value.tv_usec * 1000u;
}

uint64_t cpu_ns(bool thread_only)
{
    struct rusage usage;
    getrusage(thread_only ? RUSAGE_THREAD : RUSAGE_SELF, &usage);
    return timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
}

void meter_start(struct meter *meter, const struct meter_setup *setup)
{
    *meter = (struct meter){
        .shared = setup->shared,
        .result = &setup->shared->peer[setup->index],
        .judge = setup->judge,
        .thread_only = setup->thread_only,
        .warmup_ns = (uint64_t)(setup->warmup_seconds * 1e9),
        .window_ns = (uint64_t)(setup->window_seconds * 1e9),
        .phase = PHASE_WARM,
        .countdown = 1,
        .stride = 1,
    };
    meter->last_look_ns = meter->warm_since_ns = now_ns();
}

static void window_begins(struct meter *meter, uint64_t now)
{
    meter->start_ns = now;
    meter->start_ticks = meter->ticks;
    meter->start_cpu_ns = cpu_ns(meter->thread_only);
}

static void window_ends(struct meter *meter, uint64_t now)
{
    meter->result->elapsed_ns = now - meter->start_ns;
    meter->result->messages = meter->ticks - meter->start_ticks;
    meter->result->cpu_ns = cpu_ns(meter->thread_only) - meter->start_cpu_ns;
}

/* A peer may sleep through a whole phase, so that the next one it sees is DRAIN: then its window is
 * empty. */
static void follow_phase(struct meter *meter, uint64_t now)
{
    enum phase phase = (enum phase)atomic_load(&meter->shared->phase);
    if (phase >= PHASE_MEASURE && meter->phase < PHASE_MEASURE)
        window_begins(meter, now);
    if (phase >= PHASE_DRAIN && meter->phase < PHASE_DRAIN)
        window_ends(meter, now);
    meter->phase = phase;
}

static void judge_phase(struct meter *meter, uint64_t now)
{
    if (meter->phase == PHASE_WARM && now - meter->warm_since_ns >= meter->warmup_ns)
        counter_set(&meter->shared->phase, PHASE_MEASURE);
    else if (meter->phase == PHASE_MEASURE && now - meter->start_ns >= meter->window_ns)
        counter_set(&meter->shared->phase, PHASE_DRAIN);
}

bool meter_look(struct meter *meter)
{
    uint64_t now = now_ns();
    uint64_t since = now - meter->last_look_ns;

    if (since < LOOK_AT_LEAST_NS && meter->stride < STRIDE_MAX)
        meter->stride *= 2;
    else if (since > LOOK_AT_MOST_NS && meter->stride > 1)
        meter->stride /= 2;
    meter->countdown = meter->stride;
    meter->last_look_ns = now;
    if (meter->judge)
        judge_phase(meter, now);
    follow_phase(meter, now);
    return meter->phase < PHASE_DRAIN;
}

void meter_advance(struct meter *meter, enum phase phase)
{
    counter_set(&meter->shared->phase, phase);
    follow_phase(meter, now_ns());
}

void meter_finish(struct meter *meter)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    meter->result->peak_rss_kb = usage.ru_maxrss;
}
