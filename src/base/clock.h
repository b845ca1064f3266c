/* SPDX-License-Identifier: MPL-2.0 */
/* Monotonic time: milliseconds for deadlines, raw ticks for the write policy. */
#ifndef ZL_BASE_CLOCK_H
#define ZL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t zl_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t zl_now_ms(void)
{
    return zl_now_ns() / 1000000u;
}

/* A cheap counter that grows at a constant rate on this core; only differences of nearby readings
   are meaningful. A jump between cores can at worst make one write policy decision differ. */
static inline uint64_t zl_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return zl_now_ns();
#endif
}

#endif
