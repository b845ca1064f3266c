/* SPDX-License-Identifier: MPL-2.0 */
/* Counted payloads and their pool. */
#include "core/content.h"

#include "io/gate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_LIMIT 0u /* the sanitizer has to see every use after the end */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_LIMIT 0u
#endif
#endif
#ifndef POOL_LIMIT
#define POOL_LIMIT ZL_CONTENT_POOL_LIMIT
#endif

/* Four classes for every doubling, so at most a fifth of a block is unused. */
enum { STEPS = 4, FIRST_SHIFT = 13, CLASSES = 33 };

/* An unused block; it lies at the start of the content that it was. */
struct block {
    struct block *next;
};

static struct {
    struct zl_gate lock;
    unsigned users;
    size_t held; /* bytes */
    struct block *free[CLASSES];
} pool; /* everything guarded by pool.lock */

static size_t class_size(uint32_t class)
{
    uint32_t index = class - 1;
    size_t base = (size_t)1 << (FIRST_SHIFT + index / STEPS);
    return base + base / STEPS * (index % STEPS);
}

/* The smallest class whose blocks hold `total` bytes; 0: none. */
static uint32_t class_for(size_t total)
{
    if (total < ZL_CONTENT_POOL_MIN || total > ZL_CONTENT_POOL_MAX)
        return 0;
    unsigned shift = 63 - (unsigned)__builtin_clzll((unsigned long long)total);
    size_t quarter = (size_t)1 << (shift - 2);
    size_t above = total - ((size_t)1 << shift);
    return (uint32_t)((shift - FIRST_SHIFT) * STEPS + (above + quarter - 1) / quarter) + 1;
}

static struct block *take(uint32_t class)
{
    zl_gate_lock(&pool.lock);
    struct block *block = pool.free[class - 1];
    if (block) {
        pool.free[class - 1] = block->next;
        pool.held -= class_size(class);
    }
    zl_gate_unlock(&pool.lock);
    return block;
}

static bool keep(struct block *block, uint32_t class)
{
    size_t size = class_size(class);
    zl_gate_lock(&pool.lock);
    bool kept = pool.users > 0 && pool.held + size <= POOL_LIMIT;
    if (kept) {
        block->next = pool.free[class - 1];
        pool.free[class - 1] = block;
        pool.held += size;
    }
    zl_gate_unlock(&pool.lock);
    return kept;
}

void zl_content_pool_join(void)
{
    zl_gate_lock(&pool.lock);
    pool.users++;
    zl_gate_unlock(&pool.lock);
}

void zl_content_pool_leave(void)
{
    struct block *unused = NULL;
    zl_gate_lock(&pool.lock);
    if (--pool.users == 0) {
        for (size_t i = 0; i < CLASSES; i++) {
            while (pool.free[i]) {
                struct block *block = pool.free[i];
                pool.free[i] = block->next;
                block->next = unused;
                unused = block;
            }
        }
        pool.held = 0;
    }
    zl_gate_unlock(&pool.lock);
    while (unused) {
        struct block *block = unused;
        unused = block->next;
        free(block);
    }
}

void zl_content_pool_after_fork(void)
{
    /* Another thread may have been inside: nothing in there can be trusted. */
    memset(&pool, 0, sizeof pool);
}

static struct zl_content *allocate(size_t total, uint32_t class)
{
    void *memory = class ? (void *)take(class) : NULL;
    return memory ? memory : malloc(class ? class_size(class) : total);
}

struct zl_content *zl_content_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct zl_content))
        return NULL;
    uint32_t class = class_for(sizeof(struct zl_content) + size);
    struct zl_content *content = allocate(sizeof *content + size, class);
    if (!content)
        return NULL;
    atomic_init(&content->references, 1);
    content->pool_class = class;
    content->data = (uint8_t *)(content + 1);
    content->size = size;
    content->free_fn = NULL;
    content->hint = NULL;
    return content;
}

struct zl_content *zl_content_wrap(void *data, size_t size, zl_msg_free_fn *free_fn, void *hint)
{
    struct zl_content *content = zl_content_new(0);
    if (!content)
        return NULL;
    content->data = data;
    content->size = size;
    content->free_fn = free_fn;
    content->hint = hint;
    return content;
}

static void discard(struct zl_content *content)
{
    if (!content->pool_class || !keep((struct block *)(void *)content, content->pool_class))
        free(content);
}

/* Outside the pool the system may move pages instead of copying them. */
static struct zl_content *grow_in_place(struct zl_content *content, size_t size)
{
    struct zl_content *grown = realloc(content, sizeof *content + size);
    if (!grown)
        return NULL;
    grown->data = (uint8_t *)(grown + 1);
    grown->size = size;
    return grown;
}

struct zl_content *zl_content_grow(struct zl_content *content, size_t size)
{
    if (size > SIZE_MAX - sizeof *content)
        return NULL;
    if (!content->pool_class && !class_for(sizeof *content + size))
        return grow_in_place(content, size);
    struct zl_content *grown = zl_content_new(size);
    if (!grown)
        return NULL;
    memcpy(grown->data, content->data, content->size < size ? content->size : size);
    discard(content);
    return grown;
}

void zl_content_release(struct zl_content *content)
{
    /* acq_rel: every holder's use happens before the free */
    if (atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel) != 1)
        return;
    if (content->free_fn)
        content->free_fn(content->data, content->hint);
    discard(content);
}
