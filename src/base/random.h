/* SPDX-License-Identifier: MPL-2.0 */
/* Random numbers for identities and back-off; not for keys. */
#ifndef ZL_BASE_RANDOM_H
#define ZL_BASE_RANDOM_H

#include <stdint.h>

/* Uniform 32 bits from the kernel's generator (a clock-seeded fallback if that fails). Any thread. */
uint32_t zl_random_u32(void);

/* The same, drawn from the kernel many at a time: WebSocket wants an unpredictable number for every
   frame. Zeroed at first; guarded by its owner. */
struct zl_random_pool {
    uint32_t numbers[64];
    unsigned left;
};
void zl_random_refill(struct zl_random_pool *source);

static inline uint32_t zl_random_next(struct zl_random_pool *source)
{
    if (source->left == 0)
        zl_random_refill(source);
    return source->numbers[--source->left];
}

#endif
