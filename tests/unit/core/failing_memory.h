/* SPDX-License-Identifier: MPL-2.0 */
/* Makes allocations fail in the sources that a test includes after this header, and counts the
   blocks that those sources hold. */
#ifndef ZL_TEST_UNIT_CORE_FAILING_MEMORY_H
#define ZL_TEST_UNIT_CORE_FAILING_MEMORY_H

#include "unit/wire/octets.h"

static long granted = -1; /* allocations that still succeed; -1: all */
static long live_blocks;

static inline bool is_granted(void)
{
    if (granted == 0)
        return false;
    granted -= granted > 0;
    return true;
}

static inline void *failing_malloc(size_t size)
{
    void *block = is_granted() ? malloc(size) : NULL;
    live_blocks += block != NULL;
    return block;
}

static inline void *failing_calloc(size_t count, size_t size)
{
    void *block = is_granted() ? calloc(count, size) : NULL;
    live_blocks += block != NULL;
    return block;
}

static inline void *failing_realloc(void *old, size_t size)
{
    void *block = is_granted() ? realloc(old, size) : NULL;
    live_blocks += block && !old;
    return block;
}

static inline void counting_free(void *block)
{
    live_blocks -= block != NULL;
    free(block);
}

#define malloc failing_malloc
#define calloc failing_calloc
#define realloc failing_realloc
#define free counting_free

#endif
