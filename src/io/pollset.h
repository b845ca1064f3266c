/* SPDX-License-Identifier: MPL-2.0 */
/* A pollset: the socket's own epoll set. It holds all ready connections of the socket, edge
   triggered, and the socket's wake descriptor. It can be waited on by a caller and be nested in a
   loop's epoll set.

   What epoll hands out are tokens, not pointers: a token names a slot and a generation, so that an
   event collected by one thread while another closes the connection is recognised as stale.

   Guarded by the owner's gate, except zl_pollset_wait and the descriptor itself, which may be
   used by any thread at any time. */
#ifndef ZL_IO_POLLSET_H
#define ZL_IO_POLLSET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct zl_pollset_slot {
    void *owner;
    uint32_t generation;
    uint32_t next_free;
};

struct zl_pollset {
    int fd;
    struct zl_pollset_slot *slots;
    uint32_t count;
    uint32_t capacity;
    uint32_t first_free; /* UINT32_MAX: none */
};

/* Tokens of the wake descriptor; never a connection's. */
#define ZL_POLLSET_WAKE UINT64_MAX

void zl_pollset_init(struct zl_pollset *set); /* no descriptor yet: fd = -1 */
int zl_pollset_open(struct zl_pollset *set);  /* 0 or a negative errno */
void zl_pollset_close(struct zl_pollset *set);

/* Watches the wake descriptor, level triggered. */
int zl_pollset_add_wake(struct zl_pollset *set, int fd);

/* Reserves a token for the owner, then (second call, no gate needed) registers the descriptor. */
int zl_pollset_reserve(struct zl_pollset *set, void *owner, uint64_t *token);
int zl_pollset_register(const struct zl_pollset *set, int fd, uint64_t token, uint32_t events);
int zl_pollset_modify(const struct zl_pollset *set, int fd, uint64_t token, uint32_t events);
void zl_pollset_unregister(const struct zl_pollset *set, int fd);

/* The token is dead from here on. */
void zl_pollset_release(struct zl_pollset *set, uint64_t token);

/* The owner of a collected token, or NULL when the token is stale. */
void *zl_pollset_owner(const struct zl_pollset *set, uint64_t token);

/* Collects events; timeout in ms, -1 forever. Count or a negative errno. */
int zl_pollset_wait(const struct zl_pollset *set, struct epoll_event *events, int capacity,
                    int timeout_ms);

#endif
