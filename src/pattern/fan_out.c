/* SPDX-License-Identifier: MPL-2.0 */
/* Fan-out. */
#include "pattern/fan_out.h"

#include "core/inproc_io.h"
#include "core/pipe.h"
#include "core/socket_base.h"

#include <stdlib.h>

/* Shorter payloads are copied faster than a shared counter is changed. */
enum { SHARE_MIN = 256 };

void zl_fan_out_init(struct zl_fan_out *fan)
{
    fan->targets = NULL;
    fan->count = 0;
    fan->capacity = 0;
}

void zl_fan_out_free(struct zl_fan_out *fan)
{
    free(fan->targets);
    zl_fan_out_init(fan);
}

bool zl_fan_out_add(struct zl_fan_out *fan, struct zl_pipe *pipe)
{
    if (pipe->matched)
        return true;
    if (fan->count == fan->capacity) {
        size_t capacity = fan->capacity ? fan->capacity * 2 : 8;
        struct zl_pipe **targets = realloc(fan->targets, capacity * sizeof *targets);
        if (!targets)
            return false;
        fan->targets = targets;
        fan->capacity = capacity;
    }
    pipe->matched = true;
    fan->targets[fan->count++] = pipe;
    return true;
}

static void drop_target(struct zl_fan_out *fan, size_t index)
{
    fan->targets[index]->matched = false;
    fan->targets[index] = fan->targets[--fan->count];
}

void zl_fan_out_remove(struct zl_fan_out *fan, struct zl_pipe *pipe)
{
    for (size_t i = 0; pipe->matched && i < fan->count; i++)
        if (fan->targets[i] == pipe)
            drop_target(fan, i);
}

void zl_fan_out_clear(struct zl_fan_out *fan)
{
    while (fan->count > 0)
        fan->targets[--fan->count]->matched = false;
}

bool zl_fan_out_settle(struct zl_fan_out *fan, bool nodrop)
{
    for (size_t i = 0; i < fan->count;) {
        struct zl_pipe *target = fan->targets[i];
        if (zl_pipe_can_write(target) || (!nodrop && zl_pipe_may_overfill(target))) {
            i++;
        } else if (nodrop) {
            zl_fan_out_clear(fan);
            return false;
        } else {
            target->dropped++;
            drop_target(fan, i);
        }
    }
    return true;
}

/* A copy for one target: a view of short content, which each pipe copies into its own queue anyway;
   a counted reference of long content. */
static bool copy_for_target(struct zl_msg *copy, struct zl_msg *msg)
{
    if (zl_msg_size(msg) >= ZL_REFERENCE_MIN || msg->kind == ZL_MSG_SLICE)
        return zl_msg_share(copy, msg) == 0;
    zl_msg_borrow(copy, zl_msg_data(msg), zl_msg_size(msg));
    return true;
}

/* One copy of a short payload for all inproc peers. */
static bool shares_slab(const struct zl_fan_out *fan, const struct zl_msg *msg)
{
    size_t size = zl_msg_size(msg);
    return fan->count > 1 && fan->targets[0]->peer && size >= SHARE_MIN &&
           size < ZL_REFERENCE_MIN && !msg->group;
}

void zl_fan_out_send(struct zl_fan_out *fan, struct zl_socket *socket, struct zl_msg *msg,
                     bool more)
{
    /* Long content in the caller's memory is copied once for all. */
    bool whole = zl_msg_size(msg) < ZL_REFERENCE_MIN || zl_msg_detach(msg) == 0;
    if (shares_slab(fan, msg))
        (void)zl_inproc_stage(socket, msg); /* without memory each target copies for itself */
    for (size_t i = 0; i < fan->count;) {
        struct zl_msg copy;
        if (!whole || !copy_for_target(&copy, msg)) {
            zl_pipe_rollback(fan->targets[i]);
            drop_target(fan, i);
            continue;
        }
        if (zl_pipe_write(fan->targets[i], &copy, more) < 0) {
            zl_msg_close(&copy);
            drop_target(fan, i);
            continue;
        }
        i++;
    }
    if (!more)
        zl_fan_out_clear(fan);
    zl_socket_dispose(socket, msg);
}
