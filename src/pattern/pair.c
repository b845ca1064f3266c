/* SPDX-License-Identifier: MPL-2.0 */
/* PAIR: exactly one peer; further ones are turned away. */
#include "pattern/pattern.h"

#include "core/pipe.h"
#include "core/socket_base.h"

#include <errno.h>

struct pair {
    struct zl_pipe *pipe; /* the peer; also while it has ended but has input left */
    bool sending;         /* in the middle of a message to it */
    bool dropping;        /* it went away: the rest of that message goes nowhere */
};

static struct pair *state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int pair_init(struct zl_socket *socket)
{
    (void)socket;
    return 0;
}

static void pair_destroy(struct zl_socket *socket)
{
    (void)socket;
}

static void pair_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (state(socket)->pipe)
        zl_pipe_reject(pipe);
    else
        state(socket)->pipe = pipe;
}

static void pair_connected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

static void pair_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct pair *pair = state(socket);
    if (pair->pipe == pipe && pair->sending) {
        pair->sending = false;
        pair->dropping = true;
    }
}

static void pair_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (state(socket)->pipe == pipe)
        state(socket)->pipe = NULL;
}

static void pair_ready(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

static int pair_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct pair *pair = state(socket);
    if (pair->dropping) {
        pair->dropping = more;
        zl_socket_dispose(socket, msg);
        return 0;
    }
    if (!pair->pipe || (!pair->sending && !zl_pipe_can_write(pair->pipe)))
        return -EAGAIN;
    int rc = zl_pipe_write(pair->pipe, msg, more);
    pair->sending = rc == 0 && more;
    return rc;
}

static int pair_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct pair *pair = state(socket);
    if (!pair->pipe || zl_pipe_read(pair->pipe, msg) < 0)
        return -EAGAIN;
    return 0;
}

static bool pair_can_send(struct zl_socket *socket)
{
    struct pair *pair = state(socket);
    return pair->pipe && (pair->sending || zl_pipe_can_write(pair->pipe));
}

static bool pair_can_recv(struct zl_socket *socket)
{
    return state(socket)->pipe && zl_pipe_readable(state(socket)->pipe);
}

const struct zl_pattern_ops zl_pair_ops = {
    .type = ZMQ_PAIR,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV,
    .state_size = sizeof(struct pair),
    .init = pair_init,
    .destroy = pair_destroy,
    .attach = pair_attach,
    .connected = pair_connected,
    .ended = pair_ended,
    .detach = pair_detach,
    .readable = pair_ready,
    .writable = pair_ready,
    .send = pair_send,
    .recv = pair_recv,
    .can_send = pair_can_send,
    .can_recv = pair_can_recv,
};
