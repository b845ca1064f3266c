/* SPDX-License-Identifier: MPL-2.0 */
/* Messages. */
#include "core/msg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void set_reference(struct zl_msg *msg, uint8_t kind, uint8_t *data, size_t size, void *owner)
{
    msg->kind = kind;
    msg->u.ref.data = data;
    msg->u.ref.size = size;
    msg->u.ref.owner = owner;
}

void zl_msg_init_content(struct zl_msg *msg, struct zl_content *content)
{
    zl_msg_init(msg);
    set_reference(msg, ZL_MSG_CONTENT, content->data, content->size, content);
}

int zl_msg_init_size(struct zl_msg *msg, size_t size)
{
    if (size <= ZL_MSG_INLINE_MAX) {
        zl_msg_init(msg);
        msg->inline_size = (uint8_t)size;
        return 0;
    }
    struct zl_content *content = zl_content_new(size);
    if (!content)
        return -ENOMEM;
    zl_msg_init_content(msg, content);
    return 0;
}

int zl_msg_init_copy_of(struct zl_msg *msg, const void *data, size_t size)
{
    int rc = zl_msg_init_size(msg, size);
    if (rc == 0 && size)
        memcpy(zl_msg_data(msg), data, size);
    return rc;
}

int zl_msg_init_data(struct zl_msg *msg, void *data, size_t size, zl_msg_free_fn *free_fn,
                     void *hint)
{
    if (!free_fn) {
        zl_msg_init(msg);
        set_reference(msg, ZL_MSG_CONSTANT, data, size, NULL);
        return 0;
    }
    struct zl_content *content = zl_content_wrap(data, size, free_fn, hint);
    if (!content)
        return -ENOMEM;
    zl_msg_init_content(msg, content);
    return 0;
}

static void release_payload(struct zl_msg *msg)
{
    if (msg->kind == ZL_MSG_CONTENT)
        zl_content_release(msg->u.ref.owner);
    else if (msg->kind == ZL_MSG_SLICE)
        zl_slab_release(msg->u.ref.owner, 1);
}

static void release_group(struct zl_msg *msg)
{
    if (msg->group &&
        atomic_fetch_sub_explicit(&msg->group->references, 1, memory_order_acq_rel) == 1)
        free(msg->group);
    msg->group = NULL;
}

void zl_msg_clear_metadata(struct zl_msg *msg)
{
    if (msg->metadata) {
        zl_metadata_release(msg->metadata, 1);
        msg->metadata = NULL;
    }
}

void zl_msg_close(struct zl_msg *msg)
{
    zl_msg_clear_metadata(msg);
    release_group(msg);
    release_payload(msg);
    msg->kind = 0;
}

void zl_msg_reset(struct zl_msg *msg)
{
    zl_msg_close(msg);
    zl_msg_init(msg);
}

static void share_attributes(struct zl_msg *dst, const struct zl_msg *src)
{
    dst->metadata = src->metadata;
    if (dst->metadata)
        zl_metadata_acquire(dst->metadata, 1);
    dst->group = src->group;
    if (dst->group)
        atomic_fetch_add_explicit(&dst->group->references, 1, memory_order_relaxed);
    dst->routing_id = src->routing_id;
    dst->flags = src->flags;
}

int zl_msg_share(struct zl_msg *dst, const struct zl_msg *src)
{
    if (src->kind == ZL_MSG_BORROWED) {
        int rc = zl_msg_init_copy_of(dst, src->u.ref.data, src->u.ref.size);
        if (rc < 0)
            return rc;
    } else {
        *dst = *src;
        if (src->kind == ZL_MSG_CONTENT) {
            zl_content_acquire(src->u.ref.owner);
        } else if (src->kind == ZL_MSG_SLICE) {
            zl_slab_acquire(src->u.ref.owner, 1);
        }
    }
    share_attributes(dst, src);
    return 0;
}

int zl_msg_detach(struct zl_msg *msg)
{
    bool small_slice = msg->kind == ZL_MSG_SLICE && msg->u.ref.size < ZL_MSG_SLICE_MIN;
    if (!small_slice && msg->kind != ZL_MSG_BORROWED)
        return 0;
    struct zl_msg copy;
    int rc = zl_msg_init_copy_of(&copy, msg->u.ref.data, msg->u.ref.size);
    if (rc < 0)
        return rc;
    /* Metadata and group move over; only the payload is given back. */
    copy.metadata = msg->metadata;
    copy.group = msg->group;
    copy.routing_id = msg->routing_id;
    copy.flags = msg->flags;
    release_payload(msg);
    *msg = copy;
    return 0;
}

bool zl_msg_is_shared(const struct zl_msg *msg)
{
    switch (msg->kind) {
    case ZL_MSG_CONSTANT:
        return true;
    case ZL_MSG_CONTENT:
        return atomic_load(&((struct zl_content *)msg->u.ref.owner)->references) > 1;
    case ZL_MSG_SLICE:
        return atomic_load(&((struct zl_slab *)msg->u.ref.owner)->references) > 1;
    default:
        return false;
    }
}

int zl_msg_set_group(struct zl_msg *msg, const char *group, size_t size)
{
    if (size > 255)
        return -EINVAL;
    struct zl_group *fresh = NULL;
    if (size) {
        fresh = calloc(1, sizeof *fresh);
        if (!fresh)
            return -ENOMEM;
        atomic_init(&fresh->references, 1);
        memcpy(fresh->name, group, size);
    }
    release_group(msg);
    msg->group = fresh;
    return 0;
}
