/* SPDX-License-Identifier: MPL-2.0 */
/* XSUB and SUB: the subscriptions go up to every publisher, the messages come down in turn.

   Subscriptions are kept here as well, for they are told to every publisher that appears. SUB also
   filters what arrives, as publishers may send more than was asked for. */
#include "pattern/pattern.h"

#include "core/pipe.h"
#include "core/socket_base.h"
#include "pattern/fair_queue.h"
#include "pattern/fan_out.h"
#include "pattern/topic_tree.h"

#include <errno.h>
#include <limits.h>

struct xsub {
    struct zl_fair_queue in;
    struct zl_topics topics;
    struct zl_fan_out out;

    /* SUB: the local filter. */
    struct zl_msg ahead; /* passed the filter while somebody asked for events */
    bool has_ahead;
    bool in_message; /* in the middle of a message from the queue */
    bool accepted;   /* that message passes */

    /* XSUB: a message on its way up. */
    bool sending;        /* in the middle of it */
    bool opened;         /* some part of it has gone to the targets */
    bool has_late_peers; /* some pipe is connected and untold */
    bool only_first;
    bool verbose_unsubscribe;
};

/* What a part that XSUB sends is. */
enum part_kind {
    PART_USER,
    PART_SUBSCRIPTION,
    PART_REDUNDANT, /* an unsubscription that the publishers need not know of */
};

static struct xsub *state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int xsub_init(struct zl_socket *socket)
{
    struct xsub *xsub = state(socket);
    zl_fair_queue_init(&xsub->in);
    zl_topics_init(&xsub->topics);
    zl_fan_out_init(&xsub->out);
    return 0;
}

static void xsub_destroy(struct zl_socket *socket)
{
    struct xsub *xsub = state(socket);
    if (xsub->has_ahead)
        zl_msg_close(&xsub->ahead);
    zl_fan_out_free(&xsub->out);
    zl_topics_free(&xsub->topics);
}

/* ---- Peers ------------------------------------------------------------------------------------ */

static void write_topic(const void *topic, size_t size, void *arg)
{
    zl_pipe_write_subscription(arg, true, topic, size);
}

static void tell_topics(struct xsub *xsub, struct zl_pipe *pipe)
{
    zl_topics_walk(&xsub->topics, write_topic, pipe);
}

/* The pipe has to be told all topics as soon as it is connected and between two messages. */
static void set_untold(struct zl_pipe *pipe, bool untold)
{
    pipe->pattern_data = untold ? pipe : NULL;
}

static bool is_untold(const struct zl_pipe *pipe)
{
    return pipe->pattern_data != NULL;
}

/* An inproc pipe can be written at once, and is never connected anew: what is put in now is there
   for a binder that comes later, whether or not this socket is called again until then. To others
   the topics are told when it is known in which form; but what XSUB sends from now on is queued
   like any message. */
static void xsub_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xsub *xsub = state(socket);
    if (pipe->peer) {
        pipe->is_connected = true;
        tell_topics(xsub, pipe);
    } else {
        bool is_sub = !(socket->ops->flags & ZL_PATTERN_CAN_SEND);
        set_untold(pipe, is_sub || zl_topics_count(&xsub->topics) > 0);
    }
}

static void xsub_connected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xsub *xsub = state(socket);
    if (!is_untold(pipe))
        return;
    if (pipe->matched) {
        xsub->has_late_peers = true; /* at the end of that message */
    } else {
        set_untold(pipe, false);
        tell_topics(xsub, pipe);
    }
}

static void tell_late_peers(struct zl_socket *socket)
{
    struct xsub *xsub = state(socket);
    xsub->has_late_peers = false;
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        if (is_untold(pipe) && pipe->is_connected) {
            set_untold(pipe, false);
            tell_topics(xsub, pipe);
        }
    }
}

/* What was queued is gone, the beginning of a message with it: its rest must not follow. */
static void xsub_disconnected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fan_out_remove(&state(socket)->out, pipe);
    set_untold(pipe, true);
}

static void xsub_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xsub *xsub = state(socket);
    if (xsub->in.current == pipe) {
        /* The rest of its message will not come. */
        xsub->in_message = false;
        if (xsub->has_ahead)
            zl_socket_dispose(socket, &xsub->ahead);
        xsub->has_ahead = false;
    }
    zl_fair_queue_remove(&xsub->in, pipe);
    zl_fan_out_remove(&xsub->out, pipe);
}

static void xsub_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_add(&state(socket)->in, pipe);
}

static void xsub_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

/* ---- XSUB: sending ---------------------------------------------------------------------------- */

/* Applies a part that is a subscription or its end. An enum part_kind or a negative errno. */
static int apply(struct xsub *xsub, const struct zl_msg *msg, bool alone)
{
    size_t size = zl_msg_size(msg);
    const uint8_t *bytes = zl_msg_bytes(msg);
    if (size == 0 || bytes[0] > 1)
        return PART_USER;
    if (bytes[0] == 1) {
        int rc = zl_topics_add(&xsub->topics, bytes + 1, size - 1);
        return rc < 0 ? -ENOMEM : PART_SUBSCRIPTION;
    }
    int rc = zl_topics_remove(&xsub->topics, bytes + 1, size - 1);
    /* Inside a longer message the end of what never was goes along: it does no harm. */
    bool needed = rc == 1 || xsub->verbose_unsubscribe || (rc == -ENOENT && !alone);
    return needed ? PART_SUBSCRIPTION : PART_REDUNDANT;
}

/* A subscription is not lost to a full queue, as nothing would repair that; but a queue that nobody
   takes from does not grow for ever. Untold pipes will be told it with all others. */
static bool takes_subscription(struct zl_pipe *pipe)
{
    if (!pipe->is_connected && !is_untold(pipe))
        set_untold(pipe, !zl_pipe_can_write(pipe));
    return !is_untold(pipe);
}

static void choose_targets(struct zl_socket *socket, bool is_subscription)
{
    struct xsub *xsub = state(socket);
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        if (pipe->state == ZL_PIPE_OPEN && (!is_subscription || takes_subscription(pipe)))
            zl_fan_out_add(&xsub->out, pipe);
    }
    if (!is_subscription)
        zl_fan_out_settle(&xsub->out, false);
}

static void send_part(struct zl_socket *socket, struct zl_msg *msg, bool more, bool is_subscription)
{
    struct xsub *xsub = state(socket);
    if (!xsub->opened)
        choose_targets(socket, is_subscription);
    xsub->opened = more;
    if (xsub->out.count == 0)
        zl_socket_dispose(socket, msg);
    else
        zl_fan_out_send(&xsub->out, socket, msg, more);
    if (!more && xsub->has_late_peers)
        tell_late_peers(socket);
}

/* Gives up the message that is on its way. */
static void abandon(struct zl_socket *socket)
{
    struct xsub *xsub = state(socket);
    for (size_t i = 0; i < xsub->out.count; i++)
        zl_pipe_rollback(xsub->out.targets[i]);
    zl_fan_out_clear(&xsub->out);
}

/* A part that the publishers must not see: it is left out. But the last part of a message cannot be;
   in its place they are told again of the subscription, which still holds. */
static void leave_out(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    if (!more && state(socket)->opened) {
        struct zl_msg again;
        if (zl_msg_init_copy_of(&again, zl_msg_bytes(msg), zl_msg_size(msg)) < 0) {
            abandon(socket);
            zl_msg_init(&again);
        } else {
            zl_msg_data(&again)[0] = 1;
        }
        send_part(socket, &again, false, true);
    }
    zl_socket_dispose(socket, msg);
}

static int xsub_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct xsub *xsub = state(socket);
    bool examine = !xsub->sending || !xsub->only_first;
    int kind = examine ? apply(xsub, msg, !xsub->sending && !more) : PART_USER;
    if (kind < 0)
        return kind;
    xsub->sending = more;
    if (kind == PART_REDUNDANT)
        leave_out(socket, msg, more);
    else
        send_part(socket, msg, more, kind == PART_SUBSCRIPTION);
    return 0;
}

static bool xsub_can_send(struct zl_socket *socket)
{
    (void)socket;
    return true;
}

static int xsub_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    return zl_fair_queue_recv(&state(socket)->in, msg, NULL);
}

static bool xsub_can_recv(struct zl_socket *socket)
{
    return zl_fair_queue_readable(&state(socket)->in);
}

/* ---- SUB: the filter -------------------------------------------------------------------------- */

/* The next part of a message that passes. 0 or -EAGAIN. */
static int fetch(struct zl_socket *socket, struct zl_msg *msg)
{
    struct xsub *sub = state(socket);
    int rc;
    while ((rc = zl_fair_queue_recv(&sub->in, msg, NULL)) == 0) {
        if (!sub->in_message)
            sub->accepted = zl_topics_match(&sub->topics, zl_msg_bytes(msg), zl_msg_size(msg)) !=
                            socket->options.invert_matching;
        sub->in_message = msg->flags & ZL_MSG_MORE;
        if (sub->accepted)
            return 0;
        zl_socket_dispose(socket, msg);
    }
    return rc;
}

static int sub_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct xsub *sub = state(socket);
    if (!sub->has_ahead)
        return fetch(socket, msg);
    sub->has_ahead = false;
    *msg = sub->ahead;
    return 0;
}

static bool sub_can_recv(struct zl_socket *socket)
{
    struct xsub *sub = state(socket);
    if (!sub->has_ahead)
        sub->has_ahead = fetch(socket, &sub->ahead) == 0;
    return sub->has_ahead;
}

/* ---- Options ---------------------------------------------------------------------------------- */

static int tell_all(struct zl_socket *socket, bool subscribe, const void *topic, size_t size)
{
    int result = 0;
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        int rc = zl_pipe_write_subscription(pipe, subscribe, topic, size);
        if (rc == -ENOMEM)
            result = rc;
    }
    return result;
}

/* Every subscription goes up. If somebody could not be told, it was none. */
static int sub_subscribe(struct zl_socket *socket, const void *topic, size_t size)
{
    struct xsub *sub = state(socket);
    if (zl_topics_add(&sub->topics, topic, size) < 0)
        return -ENOMEM;
    int rc = tell_all(socket, true, topic, size);
    if (rc < 0)
        zl_topics_remove(&sub->topics, topic, size);
    return rc;
}

/* Only the last one goes up. One that does not get there is made good by the filter. */
static int sub_unsubscribe(struct zl_socket *socket, const void *topic, size_t size)
{
    if (zl_topics_remove(&state(socket)->topics, topic, size) == 1)
        tell_all(socket, false, topic, size);
    return 0;
}

static int sub_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    if (option != ZMQ_SUBSCRIBE && option != ZMQ_UNSUBSCRIBE)
        return -EOPNOTSUPP;
    if (!value && size)
        return -EINVAL;
    return option == ZMQ_SUBSCRIBE ? sub_subscribe(socket, value, size)
                                   : sub_unsubscribe(socket, value, size);
}

static int xsub_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    struct xsub *xsub = state(socket);
    switch (option) {
    case ZMQ_ONLY_FIRST_SUBSCRIBE:
        return zl_option_read_bool_nonneg(value, size, &xsub->only_first);
    case ZMQ_XSUB_VERBOSE_UNSUBSCRIBE:
        return zl_option_read_bool_any(value, size, &xsub->verbose_unsubscribe);
    default:
        return -EOPNOTSUPP;
    }
}

static int xsub_get_option(struct zl_socket *socket, int option, void *value, size_t *size)
{
    if (option != ZMQ_TOPICS_COUNT)
        return -EOPNOTSUPP;
    size_t count = zl_topics_count(&state(socket)->topics);
    return zl_option_write_int_padded(count < INT_MAX ? (int)count : INT_MAX, value, size);
}

#define SUBSCRIBER_OPS                                                                             \
    .state_size = sizeof(struct xsub), .init = xsub_init, .destroy = xsub_destroy,                 \
    .attach = xsub_attach, .connected = xsub_connected, .disconnected = xsub_disconnected,         \
    .ended = xsub_disconnected, .detach = xsub_detach, .readable = xsub_readable,                  \
    .writable = xsub_writable, .get_option = xsub_get_option

const struct zl_pattern_ops zl_xsub_ops = {
    .type = ZMQ_XSUB,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV | ZL_PATTERN_NO_REDELIVERY,
    SUBSCRIBER_OPS,
    .send = xsub_send,
    .recv = xsub_recv,
    .can_send = xsub_can_send,
    .can_recv = xsub_can_recv,
    .set_option = xsub_set_option,
};

const struct zl_pattern_ops zl_sub_ops = {
    .type = ZMQ_SUB,
    .flags = ZL_PATTERN_CAN_RECV | ZL_PATTERN_UNIQUE_CONNECT | ZL_PATTERN_NO_REDELIVERY,
    SUBSCRIBER_OPS,
    .recv = sub_recv,
    .can_recv = sub_can_recv,
    .set_option = sub_set_option,
};
