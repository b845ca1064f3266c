/* SPDX-License-Identifier: MPL-2.0 */
/* XPUB and PUB: a message goes to every peer that subscribed to a prefix of its first part.

   Input is taken off a pipe as soon as it is there, whether the application receives or not, so that
   subscriptions always take effect. What XPUB has to tell waits in `pending`. */
#include "pattern/pattern.h"

#include "core/pipe.h"
#include "core/socket_base.h"
#include "pattern/fan_out.h"
#include "pattern/topic_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One part for the application. */
struct entry {
    struct zl_list node;
    struct zl_msg msg;
    struct zl_pipe *from; /* of a peer's notice, while that peer is there */
    bool is_notice;       /* tells of a subscription or its end; otherwise a part of a message */
};

struct xpub {
    struct zl_subscriptions subscriptions; /* these decide who gets what */
    struct zl_subscriptions requested;     /* manual mode: what the peers asked for */
    struct zl_fan_out out;
    struct zl_list pending;  /* of struct entry */
    size_t pending_messages; /* the peers' messages in it; notices do not count */
    struct zl_pipe *noticed; /* whose notice was received last; NULL: gone, or nobody's */
    struct zl_pipe *only;    /* the next message is for this one only (manual, last value) */
    struct zl_option_bytes welcome;
    bool sending; /* in the middle of a message */
    bool nodrop;
    bool verbose_subscribe;
    bool verbose_unsubscribe;
    bool manual;
    bool last_value;
    bool only_first;
};

/* A message of a peer while it is being taken apart. */
struct intake {
    struct zl_list parts; /* those for the application */
    struct zl_list late;  /* notices that came after the first of them: not to be put between */
    bool failed;          /* out of memory */
};

static struct xpub *state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static bool reports(const struct zl_socket *socket)
{
    return socket->ops->flags & ZL_PATTERN_CAN_RECV && !socket->closed;
}

static int xpub_init(struct zl_socket *socket)
{
    struct xpub *xpub = state(socket);
    zl_subscriptions_init(&xpub->subscriptions);
    zl_subscriptions_init(&xpub->requested);
    zl_fan_out_init(&xpub->out);
    zl_list_init(&xpub->pending);
    return 0;
}

static void xpub_destroy(struct zl_socket *socket)
{
    struct xpub *xpub = state(socket);
    struct zl_list *node;
    while ((node = zl_list_pop(&xpub->pending)) != NULL) {
        struct entry *entry = zl_container_of(node, struct entry, node);
        zl_msg_close(&entry->msg);
        free(entry);
    }
    zl_option_bytes_clear(&xpub->welcome);
    zl_fan_out_free(&xpub->out);
    zl_subscriptions_free(&xpub->requested);
    zl_subscriptions_free(&xpub->subscriptions);
}

/* ---- What the application will receive -------------------------------------------------------- */

/* On success the message is empty. */
static bool append(struct zl_list *list, struct zl_msg *msg, bool is_notice, struct zl_pipe *from)
{
    struct entry *entry = zl_msg_detach(msg) == 0 ? malloc(sizeof *entry) : NULL;
    if (!entry)
        return false;
    zl_list_init(&entry->node);
    zl_msg_take(&entry->msg, msg);
    entry->is_notice = is_notice;
    entry->from = from;
    zl_list_append(list, &entry->node);
    return true;
}

static void append_all(struct zl_list *to, struct zl_list *from)
{
    struct zl_list *node;
    while ((node = zl_list_pop(from)) != NULL)
        zl_list_append(to, node);
}

static void discard_all(struct zl_socket *socket, struct zl_list *list)
{
    struct zl_list *node;
    while ((node = zl_list_pop(list)) != NULL) {
        struct entry *entry = zl_container_of(node, struct entry, node);
        zl_socket_dispose(socket, &entry->msg);
        free(entry);
    }
}

/* Of a subscription that ended with its peer. Without memory nobody is told. */
static void append_loss(struct xpub *xpub, const void *topic, size_t size)
{
    struct zl_msg msg;
    if (zl_msg_init_size(&msg, size + 1) < 0)
        return;
    zl_msg_data(&msg)[0] = 0;
    if (size)
        memcpy(zl_msg_data(&msg) + 1, topic, size);
    if (!append(&xpub->pending, &msg, true, NULL))
        zl_msg_close(&msg);
}

/* ---- Input ------------------------------------------------------------------------------------ */

/* Whether the application hears of it: 1 or 0; or a negative errno. */
static int subscribe(struct xpub *xpub, struct zl_pipe *pipe, const void *topic, size_t size)
{
    struct zl_subscriptions *set = xpub->manual ? &xpub->requested : &xpub->subscriptions;
    int rc = zl_subscriptions_add(set, topic, size, pipe);
    if (rc < 0 && rc != -EEXIST)
        return rc;
    return rc == 1 || xpub->manual || xpub->verbose_subscribe;
}

/* As above. The end of what never was is told as well. */
static int unsubscribe(struct xpub *xpub, struct zl_pipe *pipe, const void *topic, size_t size)
{
    struct zl_subscriptions *set = xpub->manual ? &xpub->requested : &xpub->subscriptions;
    int rc = zl_subscriptions_remove(set, topic, size, pipe);
    return rc != 0 || xpub->manual || xpub->verbose_unsubscribe;
}

static bool is_subscription(const struct zl_msg *msg)
{
    return zl_msg_size(msg) > 0 && zl_msg_bytes(msg)[0] <= 1;
}

/* The part has just the form that the application is to see. */
static void take_subscription(struct zl_socket *socket, struct zl_pipe *pipe, struct zl_msg *msg,
                              struct intake *intake)
{
    struct xpub *xpub = state(socket);
    const uint8_t *bytes = zl_msg_bytes(msg);
    int rc = bytes[0] ? subscribe(xpub, pipe, bytes + 1, zl_msg_size(msg) - 1)
                      : unsubscribe(xpub, pipe, bytes + 1, zl_msg_size(msg) - 1);
    if (rc == 1 && reports(socket)) {
        msg->flags &= (uint8_t)~ZL_MSG_MORE;
        struct zl_list *list = zl_list_empty(&intake->parts) ? &xpub->pending : &intake->late;
        if (!append(list, msg, true, pipe))
            rc = -ENOMEM;
    }
    intake->failed = intake->failed || rc < 0;
}

/* The message is complete: queues what is for the application, unless too much waits already. */
static void finish_intake(struct zl_socket *socket, struct intake *intake)
{
    struct xpub *xpub = state(socket);
    size_t limit = (size_t)socket->options.rcvhwm;
    if (intake->failed || (limit != 0 && xpub->pending_messages >= limit))
        discard_all(socket, &intake->parts);
    if (!zl_list_empty(&intake->parts)) {
        /* The part at the end may have been a subscription. */
        struct entry *last = zl_container_of(intake->parts.prev, struct entry, node);
        last->msg.flags &= (uint8_t)~ZL_MSG_MORE;
        xpub->pending_messages++;
        append_all(&xpub->pending, &intake->parts);
    }
    append_all(&xpub->pending, &intake->late);
}

/* Messages become readable whole, so each is taken to its end here. */
static void xpub_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xpub *xpub = state(socket);
    struct intake intake = {.failed = false};
    struct zl_msg msg;
    bool first = true;
    zl_list_init(&intake.parts);
    zl_list_init(&intake.late);
    while (zl_pipe_read(pipe, &msg) == 0) {
        bool more = msg.flags & ZL_MSG_MORE;
        if (is_subscription(&msg) && (first || !xpub->only_first))
            take_subscription(socket, pipe, &msg, &intake);
        else if (reports(socket) && !append(&intake.parts, &msg, false, NULL))
            intake.failed = true;
        zl_socket_dispose(socket, &msg); /* what is left of it */
        first = !more;
        if (more)
            continue;
        finish_intake(socket, &intake);
        if (intake.failed) {
            /* Better no subscriber than one that silently misses a subscription. */
            zl_pipe_reject(pipe);
            return;
        }
    }
}

/* ---- Peers ------------------------------------------------------------------------------------ */

static void xpub_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xpub *xpub = state(socket);
    if (xpub->welcome.size == 0 || !zl_pipe_can_write(pipe))
        return;
    struct zl_msg msg;
    zl_msg_borrow(&msg, xpub->welcome.data, xpub->welcome.size);
    zl_pipe_write(pipe, &msg, false);
}

static void xpub_ignore(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

static void on_dropped(const void *topic, size_t size, bool last, void *arg)
{
    struct xpub *xpub = state(arg);
    if (last || xpub->manual || xpub->verbose_unsubscribe)
        append_loss(xpub, topic, size);
}

/* Ends the peer's subscriptions and forgets that its notices were its own. */
static void xpub_forget(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct xpub *xpub = state(socket);
    bool manual = xpub->manual, tell = reports(socket);
    zl_subscriptions_remove_subscriber(&xpub->subscriptions, pipe,
                                       tell && !manual ? on_dropped : NULL, socket);
    zl_subscriptions_remove_subscriber(&xpub->requested, pipe, tell && manual ? on_dropped : NULL,
                                       socket);
    if (xpub->noticed == pipe)
        xpub->noticed = NULL;
    if (xpub->only == pipe)
        xpub->only = NULL;
    zl_list_for(node, &xpub->pending)
    {
        struct entry *entry = zl_container_of(node, struct entry, node);
        if (entry->from == pipe)
            entry->from = NULL;
    }
    if (!zl_list_empty(&xpub->pending))
        zl_socket_wake(socket);
}

static void xpub_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fan_out_remove(&state(socket)->out, pipe);
    xpub_forget(socket, pipe);
}

/* ---- Sending ---------------------------------------------------------------------------------- */

static void add_target(void *subscriber, void *arg)
{
    struct xpub *xpub = arg;
    if (!xpub->only || xpub->only == subscriber)
        zl_fan_out_add(&xpub->out, subscriber);
}

static void mark(void *subscriber, void *arg)
{
    (void)arg;
    ((struct zl_pipe *)subscriber)->matched = true;
}

/* `matched` serves as the mark of those that do not get the message, and is taken off on the way. */
static void add_unmatched(struct zl_socket *socket, const struct zl_msg *msg)
{
    struct xpub *xpub = state(socket);
    zl_subscriptions_match(&xpub->subscriptions, zl_msg_bytes(msg), zl_msg_size(msg), mark, NULL);
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        if (pipe->matched)
            pipe->matched = false;
        else if (pipe->state == ZL_PIPE_OPEN && !pipe->rejected)
            add_target(pipe, xpub);
    }
}

static bool choose_targets(struct zl_socket *socket, const struct zl_msg *msg)
{
    struct xpub *xpub = state(socket);
    if (socket->options.invert_matching)
        add_unmatched(socket, msg);
    else
        zl_subscriptions_match(&xpub->subscriptions, zl_msg_bytes(msg), zl_msg_size(msg),
                               add_target, xpub);
    return zl_fan_out_settle(&xpub->out, xpub->nodrop);
}

static int xpub_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct xpub *xpub = state(socket);
    if (!xpub->sending) {
        if (!choose_targets(socket, msg))
            return -EAGAIN;
        xpub->only = NULL;
    }
    xpub->sending = more;
    if (xpub->out.count == 0)
        zl_socket_dispose(socket, msg);
    else
        zl_fan_out_send(&xpub->out, socket, msg, more);
    return 0;
}

static bool xpub_can_send(struct zl_socket *socket)
{
    (void)socket;
    return true;
}

/* ---- Receiving -------------------------------------------------------------------------------- */

static int xpub_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct xpub *xpub = state(socket);
    struct zl_list *node = zl_list_pop(&xpub->pending);
    if (!node)
        return -EAGAIN;
    struct entry *entry = zl_container_of(node, struct entry, node);
    *msg = entry->msg;
    if (entry->is_notice) {
        xpub->noticed = entry->from;
        xpub->only = xpub->last_value ? entry->from : NULL;
    } else if (!(msg->flags & ZL_MSG_MORE)) {
        xpub->pending_messages--;
    }
    free(entry);
    return 0;
}

static bool xpub_can_recv(struct zl_socket *socket)
{
    return !zl_list_empty(&state(socket)->pending);
}

/* ---- Options ---------------------------------------------------------------------------------- */

/* SUBSCRIBE and UNSUBSCRIBE in manual mode: for the peer whose notice was received last. */
static int apply_manually(struct xpub *xpub, int option, const void *topic, size_t size)
{
    if (!xpub->manual || (!topic && size))
        return -EINVAL;
    if (!xpub->noticed)
        return 0;
    int rc = option == ZMQ_SUBSCRIBE
                 ? zl_subscriptions_add(&xpub->subscriptions, topic, size, xpub->noticed)
                 : zl_subscriptions_remove(&xpub->subscriptions, topic, size, xpub->noticed);
    return rc == -ENOMEM || rc == -EOVERFLOW ? -ENOMEM : 0;
}

static int set_flag(struct xpub *xpub, int option, const void *value, size_t size)
{
    bool *flag;
    switch (option) {
    case ZMQ_XPUB_VERBOSE:
    case ZMQ_XPUB_VERBOSER:
        flag = &xpub->verbose_subscribe;
        break;
    case ZMQ_XPUB_MANUAL:
    case ZMQ_XPUB_MANUAL_LAST_VALUE:
        flag = &xpub->manual;
        break;
    case ZMQ_XPUB_NODROP:
        flag = &xpub->nodrop;
        break;
    case ZMQ_ONLY_FIRST_SUBSCRIBE:
        flag = &xpub->only_first;
        break;
    default:
        return -EOPNOTSUPP;
    }
    int rc = zl_option_read_bool_nonneg(value, size, flag);
    if (rc < 0)
        return rc;
    if (flag == &xpub->verbose_subscribe)
        xpub->verbose_unsubscribe = *flag && option == ZMQ_XPUB_VERBOSER;
    if (option == ZMQ_XPUB_MANUAL_LAST_VALUE)
        xpub->last_value = *flag;
    return 0;
}

static int xpub_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    struct xpub *xpub = state(socket);
    switch (option) {
    case ZMQ_SUBSCRIBE:
    case ZMQ_UNSUBSCRIBE:
        return apply_manually(xpub, option, value, size);
    case ZMQ_XPUB_WELCOME_MSG:
        return !value && size ? -EINVAL : zl_option_bytes_set(&xpub->welcome, value, size);
    default:
        return set_flag(xpub, option, value, size);
    }
}

static int xpub_get_option(struct zl_socket *socket, int option, void *value, size_t *size)
{
    if (option != ZMQ_TOPICS_COUNT)
        return -EOPNOTSUPP;
    size_t count = zl_subscriptions_count(&state(socket)->subscriptions);
    return zl_option_write_int_padded(count < INT_MAX ? (int)count : INT_MAX, value, size);
}

#define PUBLISHER_OPS                                                                              \
    .state_size = sizeof(struct xpub), .init = xpub_init, .destroy = xpub_destroy,                 \
    .attach = xpub_attach, .connected = xpub_ignore, .disconnected = xpub_forget,                  \
    .ended = xpub_ended, .detach = xpub_forget, .readable = xpub_readable,                         \
    .writable = xpub_ignore, .send = xpub_send, .can_send = xpub_can_send,                         \
    .set_option = xpub_set_option, .get_option = xpub_get_option

const struct zl_pattern_ops zl_xpub_ops = {
    .type = ZMQ_XPUB,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV,
    PUBLISHER_OPS,
    .recv = xpub_recv,
    .can_recv = xpub_can_recv,
};

/* Neither tells what it is asked for nor receives anything. */
const struct zl_pattern_ops zl_pub_ops = {
    .type = ZMQ_PUB,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_UNIQUE_CONNECT,
    PUBLISHER_OPS,
};
