/* SPDX-License-Identifier: MPL-2.0 */
/* Random numbers for identities and back-off. */
#define _GNU_SOURCE
#include "base/random.h"

#include "base/clock.h"

#include <sys/random.h>

uint32_t zl_random_u32(void)
{
    uint32_t value;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) == (ssize_t)sizeof value)
        return value;
    uint64_t mixed = zl_now_ns() * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mixed >> 32);
}

void zl_random_refill(struct zl_random_pool *source)
{
    enum { COUNT = sizeof source->numbers / sizeof source->numbers[0] };
    if (getrandom(source->numbers, sizeof source->numbers, GRND_NONBLOCK) !=
        (ssize_t)sizeof source->numbers)
        for (unsigned i = 0; i < COUNT; i++)
            source->numbers[i] = zl_random_u32();
    source->left = COUNT;
}
