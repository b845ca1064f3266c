/* SPDX-License-Identifier: MPL-2.0 */
/* Fair queueing. */
#include "pattern/fair_queue.h"

#include "core/pipe.h"

#include <errno.h>

void zl_fair_queue_init(struct zl_fair_queue *queue)
{
    zl_list_init(&queue->active);
    queue->current = NULL;
}

void zl_fair_queue_add(struct zl_fair_queue *queue, struct zl_pipe *pipe)
{
    if (!zl_list_linked(&pipe->in_node))
        zl_list_append(&queue->active, &pipe->in_node);
}

void zl_fair_queue_remove(struct zl_fair_queue *queue, struct zl_pipe *pipe)
{
    zl_list_remove(&pipe->in_node);
    if (queue->current == pipe)
        queue->current = NULL;
}

static struct zl_pipe *next(struct zl_fair_queue *queue)
{
    if (queue->current)
        return queue->current;
    if (zl_list_empty(&queue->active))
        return NULL;
    return zl_container_of(queue->active.next, struct zl_pipe, in_node);
}

static void rotate(struct zl_fair_queue *queue, struct zl_pipe *pipe)
{
    if (queue->active.next == queue->active.prev)
        return; /* alone */
    zl_list_remove(&pipe->in_node);
    zl_list_append(&queue->active, &pipe->in_node);
}

int zl_fair_queue_recv(struct zl_fair_queue *queue, struct zl_msg *msg, struct zl_pipe **from)
{
    struct zl_pipe *pipe;
    while ((pipe = next(queue)) != NULL) {
        if (zl_pipe_read(pipe, msg) < 0) {
            /* It left the set by itself; messages are whole, so it was between two of them. */
            queue->current = NULL;
            continue;
        }
        if (msg->flags & ZL_MSG_MORE) {
            queue->current = pipe;
        } else {
            queue->current = NULL;
            rotate(queue, pipe);
        }
        if (from)
            *from = pipe;
        return 0;
    }
    return -EAGAIN;
}

bool zl_fair_queue_readable(struct zl_fair_queue *queue)
{
    struct zl_pipe *pipe;
    while ((pipe = next(queue)) != NULL) {
        if (zl_pipe_readable(pipe))
            return true;
        queue->current = NULL;
    }
    return false;
}
