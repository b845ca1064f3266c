/* SPDX-License-Identifier: MPL-2.0 */
/* The socket's own epoll set. */
#include "io/pollset.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_SLOT UINT32_MAX

void zl_pollset_init(struct zl_pollset *set)
{
    set->fd = -1;
    set->slots = NULL;
    set->count = 0;
    set->capacity = 0;
    set->first_free = NO_SLOT;
}

int zl_pollset_open(struct zl_pollset *set)
{
    set->fd = epoll_create1(EPOLL_CLOEXEC);
    return set->fd < 0 ? -errno : 0;
}

void zl_pollset_close(struct zl_pollset *set)
{
    if (set->fd >= 0)
        close(set->fd);
    free(set->slots);
    zl_pollset_init(set);
}

static int control(const struct zl_pollset *set, int operation, int fd, uint64_t token,
                   uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(set->fd, operation, fd, &event) == 0 ? 0 : -errno;
}

int zl_pollset_add_wake(struct zl_pollset *set, int fd)
{
    return control(set, EPOLL_CTL_ADD, fd, ZL_POLLSET_WAKE, EPOLLIN);
}

static int grow(struct zl_pollset *set)
{
    uint32_t capacity = set->capacity ? set->capacity * 2 : 4;
    struct zl_pollset_slot *slots = realloc(set->slots, capacity * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    set->slots = slots;
    set->capacity = capacity;
    return 0;
}

int zl_pollset_reserve(struct zl_pollset *set, void *owner, uint64_t *token)
{
    uint32_t index = set->first_free;
    if (index != NO_SLOT) {
        set->first_free = set->slots[index].next_free;
    } else {
        int rc = set->count == set->capacity ? grow(set) : 0;
        if (rc < 0)
            return rc;
        index = set->count++;
        set->slots[index].generation = 0;
    }
    set->slots[index].owner = owner;
    *token = (uint64_t)set->slots[index].generation << 32 | index;
    return 0;
}

int zl_pollset_register(const struct zl_pollset *set, int fd, uint64_t token, uint32_t events)
{
    return control(set, EPOLL_CTL_ADD, fd, token, events);
}

int zl_pollset_modify(const struct zl_pollset *set, int fd, uint64_t token, uint32_t events)
{
    return control(set, EPOLL_CTL_MOD, fd, token, events);
}

void zl_pollset_unregister(const struct zl_pollset *set, int fd)
{
    control(set, EPOLL_CTL_DEL, fd, 0, 0);
}

void zl_pollset_release(struct zl_pollset *set, uint64_t token)
{
    uint32_t index = (uint32_t)token;
    struct zl_pollset_slot *slot = &set->slots[index];
    slot->owner = NULL;
    slot->generation = (slot->generation + 1) & 0x7FFFFFFF; /* never collides with the wake */
    slot->next_free = set->first_free;
    set->first_free = index;
}

void *zl_pollset_owner(const struct zl_pollset *set, uint64_t token)
{
    uint32_t index = (uint32_t)token;
    if (index >= set->count || set->slots[index].generation != (uint32_t)(token >> 32))
        return NULL;
    return set->slots[index].owner;
}

int zl_pollset_wait(const struct zl_pollset *set, struct epoll_event *events, int capacity,
                    int timeout_ms)
{
    int count = epoll_wait(set->fd, events, capacity, timeout_ms);
    return count < 0 ? -errno : count;
}
