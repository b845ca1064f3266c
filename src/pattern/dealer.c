/* SPDX-License-Identifier: MPL-2.0 */
/* DEALER, PUSH and PULL: load balancing out, fair queueing in, no envelopes. */
#include "pattern/pattern.h"

#include "core/pipe.h"
#include "core/socket_base.h"
#include "pattern/fair_queue.h"
#include "pattern/load_balancer.h"

#include <errno.h>

struct dealer {
    struct zl_fair_queue in;
    struct zl_load_balancer out;
    bool probe;
};

static struct dealer *state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int dealer_init(struct zl_socket *socket)
{
    zl_fair_queue_init(&state(socket)->in);
    zl_load_balancer_init(&state(socket)->out);
    return 0;
}

static void dealer_destroy(struct zl_socket *socket)
{
    (void)socket;
}

static void dealer_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (socket->ops->flags & ZL_PATTERN_CAN_SEND)
        zl_load_balancer_add(&state(socket)->out, pipe);
    if (state(socket)->probe)
        zl_pipe_write_probe(pipe);
}

static void dealer_connected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

static void dealer_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_remove(&state(socket)->out, pipe);
}

static void dealer_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_remove(&state(socket)->in, pipe);
}

static void dealer_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_add(&state(socket)->in, pipe);
}

/* PUSH never reads: what a peer sends against the rules is dropped. */
static void push_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct zl_msg msg;
    while (zl_pipe_read(pipe, &msg) == 0)
        zl_socket_dispose(socket, &msg);
}

static void dealer_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (socket->ops->flags & ZL_PATTERN_CAN_SEND)
        zl_load_balancer_add(&state(socket)->out, pipe);
}

static int dealer_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    return zl_load_balancer_send(&state(socket)->out, socket, msg, more, NULL);
}

static int dealer_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    return zl_fair_queue_recv(&state(socket)->in, msg, NULL);
}

static bool dealer_can_send(struct zl_socket *socket)
{
    return zl_load_balancer_writable(&state(socket)->out);
}

static bool dealer_can_recv(struct zl_socket *socket)
{
    return zl_fair_queue_readable(&state(socket)->in);
}

static int dealer_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    if (option != ZMQ_PROBE_ROUTER)
        return -EOPNOTSUPP;
    return zl_option_read_bool_nonneg(value, size, &state(socket)->probe);
}

const struct zl_pattern_ops zl_dealer_ops = {
    .type = ZMQ_DEALER,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV | ZL_PATTERN_UNIQUE_CONNECT,
    .state_size = sizeof(struct dealer),
    .init = dealer_init,
    .destroy = dealer_destroy,
    .attach = dealer_attach,
    .connected = dealer_connected,
    .ended = dealer_ended,
    .detach = dealer_detach,
    .readable = dealer_readable,
    .writable = dealer_writable,
    .send = dealer_send,
    .recv = dealer_recv,
    .can_send = dealer_can_send,
    .can_recv = dealer_can_recv,
    .set_option = dealer_set_option,
};

const struct zl_pattern_ops zl_push_ops = {
    .type = ZMQ_PUSH,
    .flags = ZL_PATTERN_CAN_SEND,
    .state_size = sizeof(struct dealer),
    .init = dealer_init,
    .destroy = dealer_destroy,
    .attach = dealer_attach,
    .connected = dealer_connected,
    .ended = dealer_ended,
    .detach = dealer_detach,
    .readable = push_readable,
    .writable = dealer_writable,
    .send = dealer_send,
    .can_send = dealer_can_send,
};

const struct zl_pattern_ops zl_pull_ops = {
    .type = ZMQ_PULL,
    .flags = ZL_PATTERN_CAN_RECV,
    .state_size = sizeof(struct dealer),
    .init = dealer_init,
    .destroy = dealer_destroy,
    .attach = dealer_attach,
    .connected = dealer_connected,
    .ended = dealer_ended,
    .detach = dealer_detach,
    .readable = dealer_readable,
    .writable = dealer_writable,
    .recv = dealer_recv,
    .can_recv = dealer_can_recv,
};
