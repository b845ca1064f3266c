/* SPDX-License-Identifier: MPL-2.0 */
/* The timer heap. */
#include "io/timer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

void zl_timer_heap_init(struct zl_timer_heap *heap)
{
    heap->items = NULL;
    heap->count = 0;
    heap->capacity = 0;
}

void zl_timer_heap_free(struct zl_timer_heap *heap)
{
    free(heap->items);
    zl_timer_heap_init(heap);
}

void zl_timer_init(struct zl_timer *timer, void (*expired)(struct zl_timer *timer))
{
    timer->due = 0;
    timer->position = 0;
    timer->expired = expired;
}

static void place(struct zl_timer_heap *heap, size_t position, struct zl_timer *timer)
{
    heap->items[position - 1] = timer;
    timer->position = position;
}

static void sift_up(struct zl_timer_heap *heap, struct zl_timer *timer)
{
    size_t at = timer->position;
    while (at > 1 && heap->items[at / 2 - 1]->due > timer->due) {
        place(heap, at, heap->items[at / 2 - 1]);
        at /= 2;
    }
    place(heap, at, timer);
}

static void sift_down(struct zl_timer_heap *heap, struct zl_timer *timer)
{
    size_t at = timer->position;
    for (;;) {
        size_t child = at * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && heap->items[child]->due < heap->items[child - 1]->due)
            child++;
        if (heap->items[child - 1]->due >= timer->due)
            break;
        place(heap, at, heap->items[child - 1]);
        at = child;
    }
    place(heap, at, timer);
}

static int reserve(struct zl_timer_heap *heap)
{
    if (heap->count < heap->capacity)
        return 0;
    size_t capacity = heap->capacity ? heap->capacity * 2 : 16;
    struct zl_timer **items = realloc(heap->items, capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    heap->items = items;
    heap->capacity = capacity;
    return 0;
}

int zl_timer_set(struct zl_timer_heap *heap, struct zl_timer *timer, uint64_t due)
{
    if (timer->position == 0) {
        int rc = reserve(heap);
        if (rc < 0)
            return rc;
        heap->count++;
        place(heap, heap->count, timer);
    }
    timer->due = due;
    sift_up(heap, timer);
    sift_down(heap, timer);
    return 0;
}

void zl_timer_cancel(struct zl_timer_heap *heap, struct zl_timer *timer)
{
    if (timer->position == 0)
        return;
    struct zl_timer *last = heap->items[heap->count - 1];
    heap->count--;
    if (last != timer) {
        place(heap, timer->position, last);
        sift_up(heap, last);
        sift_down(heap, last);
    }
    timer->position = 0;
}

struct zl_timer *zl_timer_pop(struct zl_timer_heap *heap, uint64_t now)
{
    if (heap->count == 0 || heap->items[0]->due > now)
        return NULL;
    struct zl_timer *timer = heap->items[0];
    zl_timer_cancel(heap, timer);
    return timer;
}

int zl_timer_wait(const struct zl_timer_heap *heap, uint64_t now)
{
    if (heap->count == 0)
        return -1;
    uint64_t due = heap->items[0]->due;
    if (due <= now)
        return 0;
    return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}
