/* SPDX-License-Identifier: MPL-2.0 */
/* Random numbers for identities and back-off; not for keys. */
#ifndef ZL_BASE_RANDOM_H
#define ZL_BASE_RANDOM_H

#include <stdint.h>

/* Uniform 32 bits from the kernel's generator (a clock-seeded fallback if that fails). Any thread. */
uint32_t zl_random_u32(void);

#endif
