/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_msg_*. */
#include "core/msg.h"

#include "core/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct zl_msg *cast(const zmq_msg_t *message)
{
    return (struct zl_msg *)(uintptr_t)message;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int zmq_msg_init(zmq_msg_t *message)
{
    zl_msg_init(cast(message));
    return 0;
}

int zmq_msg_init_size(zmq_msg_t *message, size_t size)
{
    return zl_msg_init_size(cast(message), size) < 0 ? fail(ENOMEM) : 0;
}

int zmq_msg_init_buffer(zmq_msg_t *message, const void *buffer, size_t size)
{
    return zl_msg_init_copy_of(cast(message), buffer, size) < 0 ? fail(ENOMEM) : 0;
}

int zmq_msg_init_data(zmq_msg_t *message, void *data, size_t size, zmq_free_fn *free_fn, void *hint)
{
    return zl_msg_init_data(cast(message), data, size, free_fn, hint) < 0 ? fail(ENOMEM) : 0;
}

int zmq_msg_close(zmq_msg_t *message)
{
    if (!zl_msg_is_valid(cast(message)))
        return fail(EFAULT);
    zl_msg_close(cast(message));
    return 0;
}

int zmq_msg_move(zmq_msg_t *destination, zmq_msg_t *source)
{
    if (!zl_msg_is_valid(cast(source)) || !zl_msg_is_valid(cast(destination)))
        return fail(EFAULT);
    if (source == destination)
        return 0;
    zl_msg_close(cast(destination));
    zl_msg_take(cast(destination), cast(source));
    return 0;
}

int zmq_msg_copy(zmq_msg_t *destination, zmq_msg_t *source)
{
    if (!zl_msg_is_valid(cast(source)) || !zl_msg_is_valid(cast(destination)))
        return fail(EFAULT);
    if (source == destination)
        return 0;
    struct zl_msg copy;
    if (zl_msg_share(&copy, cast(source)) < 0)
        return fail(ENOMEM);
    zl_msg_close(cast(destination));
    *cast(destination) = copy;
    return 0;
}

void *zmq_msg_data(zmq_msg_t *message)
{
    return zl_msg_is_valid(cast(message)) ? zl_msg_data(cast(message)) : NULL;
}

size_t zmq_msg_size(const zmq_msg_t *message)
{
    return zl_msg_is_valid(cast(message)) ? zl_msg_size(cast(message)) : 0;
}

int zmq_msg_more(const zmq_msg_t *message)
{
    return (cast(message)->flags & ZL_MSG_MORE) != 0;
}

static int source_fd(const struct zl_msg *msg)
{
    if (!msg->metadata || msg->metadata->fd < 0)
        return fail(EINVAL);
    return msg->metadata->fd;
}

int zmq_msg_get(const zmq_msg_t *message, int property)
{
    switch (property) {
    case ZMQ_MORE:
        return zmq_msg_more(message);
    case ZMQ_SHARED:
        return zl_msg_is_shared(cast(message));
    case ZMQ_SRCFD:
        return source_fd(cast(message));
    default:
        return fail(EINVAL);
    }
}

int zmq_msg_set(zmq_msg_t *message, int property, int value)
{
    (void)message;
    (void)property;
    (void)value;
    return fail(EINVAL);
}

const char *zmq_msg_gets(const zmq_msg_t *message, const char *property)
{
    const struct zl_metadata *metadata = cast(message)->metadata;
    const char *value = metadata ? zl_metadata_find(metadata, property) : NULL;
    if (!value)
        errno = EINVAL;
    return value;
}

int zmq_msg_set_routing_id(zmq_msg_t *message, uint32_t routing_id)
{
    if (routing_id == 0)
        return fail(EINVAL);
    cast(message)->routing_id = routing_id;
    return 0;
}

uint32_t zmq_msg_routing_id(zmq_msg_t *message)
{
    return cast(message)->routing_id;
}

int zmq_msg_set_group(zmq_msg_t *message, const char *group)
{
    size_t size = strnlen(group, ZMQ_GROUP_MAX_LENGTH);
    int rc = zl_msg_set_group(cast(message), group, size);
    return rc < 0 ? fail(-rc) : 0;
}

const char *zmq_msg_group(zmq_msg_t *message)
{
    const struct zl_group *group = cast(message)->group;
    return group ? group->name : "";
}
