/* SPDX-License-Identifier: MPL-2.0 */
/* Counted payloads. Long ones (ZL_CONTENT_POOL_MIN to ZL_CONTENT_POOL_MAX) come from a pool that all
   sockets of the process share: the memory of a long message goes from sender to receiver and back
   warm, where an allocator would give it to the system and take fresh, unmapped pages each time.
   The pool holds at most ZL_CONTENT_POOL_LIMIT bytes, and nothing while there is no context.

   Any thread; a leaf lock inside. */
#ifndef ZL_CORE_CONTENT_H
#define ZL_CORE_CONTENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ZL_CONTENT_POOL_MIN 8192u
#define ZL_CONTENT_POOL_MAX (1024u * 1024u + 4096u)
#define ZL_CONTENT_POOL_LIMIT (8u * 1024u * 1024u)

typedef void zl_msg_free_fn(void *data, void *hint);

/* A counted payload. Own memory lies right behind it; user memory has a free function. */
struct zl_content {
    atomic_uint references;
    uint32_t pool_class; /* 1-based; 0: not from the pool */
    uint8_t *data;
    size_t size;
    zl_msg_free_fn *free_fn;
    void *hint;
};

/* A content with room for `size` bytes behind it, one reference. NULL when out of memory. */
struct zl_content *zl_content_new(size_t size);

/* Refers to user memory; free_fn runs with the last reference. NULL when out of memory. */
struct zl_content *zl_content_wrap(void *data, size_t size, zl_msg_free_fn *free_fn, void *hint);

/* Grows a content that nobody else refers to, keeping its bytes. NULL when out of memory (the old
   one stays). */
struct zl_content *zl_content_grow(struct zl_content *content, size_t size);

static inline void zl_content_acquire(struct zl_content *content)
{
    atomic_fetch_add_explicit(&content->references, 1, memory_order_relaxed);
}

/* May run a free function: outside every lock. */
void zl_content_release(struct zl_content *content);

/* Contexts keep the pool alive: it is emptied when the last user leaves. */
void zl_content_pool_join(void);
void zl_content_pool_leave(void);
/* In a forked child, before anything else: the pool starts empty and without users. */
void zl_content_pool_after_fork(void);

#endif
