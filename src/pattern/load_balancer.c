/* SPDX-License-Identifier: MPL-2.0 */
/* Load balancing. */
#include "pattern/load_balancer.h"

#include "core/pipe.h"
#include "core/socket_base.h"

#include <errno.h>

void zl_load_balancer_init(struct zl_load_balancer *balancer)
{
    zl_list_init(&balancer->active);
    balancer->current = NULL;
    balancer->dropping = false;
}

void zl_load_balancer_add(struct zl_load_balancer *balancer, struct zl_pipe *pipe)
{
    if (!zl_list_linked(&pipe->out_node))
        zl_list_append(&balancer->active, &pipe->out_node);
}

void zl_load_balancer_remove(struct zl_load_balancer *balancer, struct zl_pipe *pipe)
{
    zl_list_remove(&pipe->out_node);
    if (balancer->current == pipe) {
        balancer->current = NULL;
        balancer->dropping = true;
    }
}

/* The pipe for a new message, or NULL. */
static struct zl_pipe *choose(struct zl_load_balancer *balancer)
{
    while (!zl_list_empty(&balancer->active)) {
        struct zl_pipe *pipe = zl_container_of(balancer->active.next, struct zl_pipe, out_node);
        if (zl_pipe_can_write(pipe))
            return pipe;
        zl_list_remove(&pipe->out_node); /* `writable` brings it back */
    }
    return NULL;
}

static void rotate(struct zl_load_balancer *balancer, struct zl_pipe *pipe)
{
    if (!zl_list_linked(&pipe->out_node) || balancer->active.next == balancer->active.prev)
        return;
    zl_list_remove(&pipe->out_node);
    zl_list_append(&balancer->active, &pipe->out_node);
}

int zl_load_balancer_send(struct zl_load_balancer *balancer, struct zl_socket *socket,
                          struct zl_msg *msg, bool more, struct zl_pipe **to)
{
    if (balancer->dropping) {
        balancer->dropping = more;
        zl_socket_dispose(socket, msg);
        return 0;
    }
    struct zl_pipe *pipe = balancer->current ? balancer->current : choose(balancer);
    if (!pipe)
        return -EAGAIN;
    int rc = zl_pipe_write(pipe, msg, more);
    if (rc < 0) {
        balancer->current = NULL;
        return rc;
    }
    balancer->current = more ? pipe : NULL;
    if (!more)
        rotate(balancer, pipe);
    if (to)
        *to = pipe;
    return 0;
}

bool zl_load_balancer_writable(struct zl_load_balancer *balancer)
{
    return balancer->dropping || balancer->current || choose(balancer);
}
