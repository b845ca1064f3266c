/* SPDX-License-Identifier: MPL-2.0 */
/* The full fence between "publish" and "look at the other side's flag" (DESIGN.md, invariant 5). */
#ifndef ZL_BASE_FENCE_H
#define ZL_BASE_FENCE_H

#include <stdatomic.h>

#if defined(__SANITIZE_THREAD__)
#define ZL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ZL_TSAN 1
#endif
#endif

static inline void zl_fence(void)
{
#ifdef ZL_TSAN
    /* ThreadSanitizer does not model stand-alone fences; a sequentially consistent RMW is one on
       every machine it runs on. */
    static atomic_uint order;
    atomic_fetch_add(&order, 1);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void zl_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
