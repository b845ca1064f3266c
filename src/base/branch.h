/* SPDX-License-Identifier: MPL-2.0 */
/* Which way a branch usually goes: only where every message passes, and a measurement asked for it. */
#ifndef ZL_BASE_BRANCH_H
#define ZL_BASE_BRANCH_H

#define zl_likely(condition) __builtin_expect(!!(condition), 1)
#define zl_unlikely(condition) __builtin_expect(!!(condition), 0)

/* Kept out of the functions that every message passes, so that those need few registers. */
#define zl_cold __attribute__((noinline, cold))

#endif
