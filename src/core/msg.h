/* SPDX-License-Identifier: MPL-2.0 */
/* Messages as they lie in a zmq_msg_t and in the rings: 64 bytes, moved bitwise, so nothing points
   into them.

   A message object is used by one thread at a time; the content that copies share is counted
   atomically. */
#ifndef ZL_CORE_MSG_H
#define ZL_CORE_MSG_H

#include "core/content.h"
#include "core/metadata.h"
#include "core/slab.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest payload that lives inside the object; part of the observable ABI (spec/api.md 3). */
#define ZL_MSG_INLINE_MAX 33

/* Kinds double as the "is it initialised" tag: any other value is not a message. */
enum zl_msg_kind {
    ZL_MSG_INLINE = 0xA1,   /* payload inside the object */
    ZL_MSG_CONTENT = 0xA2,  /* owner: zl_content, counted */
    ZL_MSG_CONSTANT = 0xA3, /* user memory that outlives everything, never freed */
    ZL_MSG_SLICE = 0xA4,    /* owner: zl_slab, counted */
    ZL_MSG_BORROWED = 0xA5, /* caller's memory, valid during the call only; never stored */
};

/* Flags that travel with a message inside the library. */
enum {
    ZL_MSG_MORE = 1,
};

struct zl_msg {
    union {
        uint8_t inline_data[ZL_MSG_INLINE_MAX];
        struct {
            uint8_t *data;
            size_t size;
            void *owner;
        } ref;
    } u;
    struct zl_metadata *metadata; /* counted; NULL for none */
    struct zl_group *group;       /* RADIO/DISH group, counted; NULL for none */
    uint32_t routing_id;          /* SERVER/PEER; 0 none */
    uint8_t kind;
    uint8_t flags;
    uint8_t inline_size;
};

_Static_assert(sizeof(struct zl_msg) == 64, "zmq_msg_t is 64 bytes");

struct zl_group {
    atomic_uint references;
    char name[256];
};

static inline bool zl_msg_is_valid(const struct zl_msg *msg)
{
    return msg && msg->kind >= ZL_MSG_INLINE && msg->kind <= ZL_MSG_BORROWED;
}

static inline size_t zl_msg_size(const struct zl_msg *msg)
{
    return msg->kind == ZL_MSG_INLINE ? msg->inline_size : msg->u.ref.size;
}

static inline uint8_t *zl_msg_data(struct zl_msg *msg)
{
    return msg->kind == ZL_MSG_INLINE ? msg->u.inline_data : msg->u.ref.data;
}

static inline const uint8_t *zl_msg_bytes(const struct zl_msg *msg)
{
    return msg->kind == ZL_MSG_INLINE ? msg->u.inline_data : msg->u.ref.data;
}

static inline void zl_msg_init(struct zl_msg *msg)
{
    msg->metadata = NULL;
    msg->group = NULL;
    msg->routing_id = 0;
    msg->kind = ZL_MSG_INLINE;
    msg->flags = 0;
    msg->inline_size = 0;
}

/* Makes a message that holds nothing, neither payload of its own nor attributes, an empty one. */
static inline void zl_msg_empty(struct zl_msg *msg)
{
    msg->routing_id = 0;
    msg->kind = ZL_MSG_INLINE;
    msg->flags = 0;
    msg->inline_size = 0;
}

/* A view of the caller's memory, for zmq_send: whoever stores it must copy. */
static inline void zl_msg_borrow(struct zl_msg *msg, const void *data, size_t size)
{
    zl_msg_init(msg);
    msg->kind = ZL_MSG_BORROWED;
    msg->u.ref.data = (uint8_t *)(uintptr_t)data;
    msg->u.ref.size = size;
    msg->u.ref.owner = NULL;
}

/* 0 or -ENOMEM; contents undefined. */
int zl_msg_init_size(struct zl_msg *msg, size_t size);

/* Copies `size` bytes. 0 or -ENOMEM. */
int zl_msg_init_copy_of(struct zl_msg *msg, const void *data, size_t size);

/* Takes over user memory; free_fn NULL makes it constant. 0 or -ENOMEM (then not taken). */
int zl_msg_init_data(struct zl_msg *msg, void *data, size_t size, zl_msg_free_fn *free_fn,
                     void *hint);

/* Wraps a content whose one reference the message takes. */
void zl_msg_init_content(struct zl_msg *msg, struct zl_content *content);

/* Releases what it holds and makes it invalid. Runs a free function perhaps: outside every lock. */
void zl_msg_close(struct zl_msg *msg);

/* Closes the message and makes it an empty valid one. */
void zl_msg_reset(struct zl_msg *msg);

/* dst must hold nothing; src becomes an empty message. */
static inline void zl_msg_take(struct zl_msg *dst, struct zl_msg *src)
{
    *dst = *src;
    zl_msg_init(src);
}

/* dst must hold nothing. Shares the payload where possible, else copies it. 0 or -ENOMEM. */
int zl_msg_share(struct zl_msg *dst, const struct zl_msg *src);

/* Makes the message independent of a slab and of the caller's memory when it is small enough to be
   worth it, so that a kept message does not pin what it does not use: after it the kind is INLINE,
   CONTENT, CONSTANT, or SLICE for a payload of at least ZL_MSG_SLICE_MIN. 0 or -ENOMEM with the
   message unchanged. */
int zl_msg_detach(struct zl_msg *msg);
#define ZL_MSG_SLICE_MIN 8192

/* Removes what must not travel: metadata and old flags. */
void zl_msg_clear_metadata(struct zl_msg *msg);

/* ZMQ_SHARED: the payload has other holders, or is constant. */
bool zl_msg_is_shared(const struct zl_msg *msg);

/* RADIO/DISH. 0, -EINVAL (longer than 255) or -ENOMEM. */
int zl_msg_set_group(struct zl_msg *msg, const char *group, size_t size);

#endif
