/* SPDX-License-Identifier: MPL-2.0 */
/* Copying a payload. */
#ifndef ZL_BASE_COPY_H
#define ZL_BASE_COPY_H

#include <stddef.h>
#include <string.h>

/* memcpy, with the range of the size hidden from the compiler: where it knows a small upper bound,
   gcc emits a `rep movs`, whose start alone costs more than the C library's whole copy. Either
   pointer may be NULL when the size is 0. */
static inline void zl_copy(void *destination, const void *source, size_t size)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(size));
#endif
    if (size)
        memcpy(destination, source, size);
}

#endif
