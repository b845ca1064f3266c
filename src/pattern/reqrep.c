/* SPDX-License-Identifier: MPL-2.0 */
/* REQ and REP: a strict alternation, and the envelope that carries a reply back. */
#include "pattern/pattern.h"

#include "base/random.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "pattern/fair_queue.h"
#include "pattern/load_balancer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- REQ -------------------------------------------------------------------------------------- */

struct req {
    struct zl_fair_queue in;
    struct zl_load_balancer out;
    struct zl_pipe *asked; /* whom the request went to; NULL: gone, anybody may answer */
    uint32_t request_id;
    bool awaiting_reply; /* the request is complete */
    bool out_message;    /* in the middle of the request */
    bool in_message;     /* in the middle of the reply */
    bool correlate;
    bool relaxed;
    bool probe;
};

static struct req *req_state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int req_init(struct zl_socket *socket)
{
    struct req *req = req_state(socket);
    zl_fair_queue_init(&req->in);
    zl_load_balancer_init(&req->out);
    req->request_id = zl_random_u32();
    return 0;
}

static void no_destroy(struct zl_socket *socket)
{
    (void)socket;
}

static void nothing(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

static void req_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_add(&req_state(socket)->out, pipe);
    if (req_state(socket)->probe)
        zl_pipe_write_probe(pipe);
}

static void req_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_remove(&req_state(socket)->out, pipe);
}

static void req_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct req *req = req_state(socket);
    zl_fair_queue_remove(&req->in, pipe);
    if (req->asked == pipe)
        req->asked = NULL;
}

static void req_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_add(&req_state(socket)->in, pipe);
}

static void req_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_add(&req_state(socket)->out, pipe);
}

/* Throws away the rest of a message whose part `msg` says that more follow. */
static void skip_rest(struct zl_socket *socket, struct zl_fair_queue *in, struct zl_msg *msg)
{
    bool more = msg->flags & ZL_MSG_MORE;
    zl_socket_dispose(socket, msg);
    while (more && zl_fair_queue_recv(in, msg, NULL) == 0) {
        more = msg->flags & ZL_MSG_MORE;
        zl_socket_dispose(socket, msg);
    }
}

/* What came before the request cannot be its answer. */
static void skip_everything(struct zl_socket *socket)
{
    struct zl_msg msg;
    while (zl_fair_queue_recv(&req_state(socket)->in, &msg, NULL) == 0)
        zl_socket_dispose(socket, &msg);
}

static int send_envelope(struct zl_socket *socket)
{
    struct req *req = req_state(socket);
    struct zl_msg frame;
    int rc;
    if (req->correlate) {
        req->request_id++;
        zl_msg_borrow(&frame, &req->request_id, sizeof req->request_id);
        rc = zl_load_balancer_send(&req->out, socket, &frame, true, &req->asked);
        if (rc < 0)
            return rc;
    }
    zl_msg_init(&frame);
    return zl_load_balancer_send(&req->out, socket, &frame, true, &req->asked);
}

static int req_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct req *req = req_state(socket);
    if (req->awaiting_reply && !req->relaxed)
        return -EFSM;
    if (!req->out_message) {
        if (!zl_load_balancer_writable(&req->out))
            return -EAGAIN;
        req->awaiting_reply = false;
        req->in_message = false;
        skip_everything(socket);
        int rc = send_envelope(socket);
        if (rc < 0)
            return rc;
        req->out_message = true;
    }
    int rc = zl_load_balancer_send(&req->out, socket, msg, more, NULL);
    if (rc < 0) {
        req->out_message = false;
        return rc;
    }
    req->out_message = more;
    req->awaiting_reply = !more;
    return 0;
}

static bool is_envelope_id(const struct req *req, const struct zl_msg *msg)
{
    return (msg->flags & ZL_MSG_MORE) && zl_msg_size(msg) == sizeof req->request_id &&
           memcmp(zl_msg_bytes(msg), &req->request_id, sizeof req->request_id) == 0;
}

static bool is_delimiter(const struct zl_msg *msg)
{
    return (msg->flags & ZL_MSG_MORE) && zl_msg_size(msg) == 0;
}

/* Reads the envelope of the next message. 1: it is the awaited reply, msg is its delimiter; 0: it is
   not and has been skipped; -EAGAIN: nothing there. */
static int read_envelope(struct zl_socket *socket, struct zl_msg *msg)
{
    struct req *req = req_state(socket);
    struct zl_pipe *from;
    int rc = zl_fair_queue_recv(&req->in, msg, &from);
    if (rc < 0)
        return rc;
    bool mine = !req->asked || from == req->asked;
    if (mine && req->correlate) {
        mine = is_envelope_id(req, msg);
        if (mine) {
            zl_socket_dispose(socket, msg);
            rc = zl_fair_queue_recv(&req->in, msg, NULL);
            if (rc < 0)
                return rc;
        }
    }
    if (mine && is_delimiter(msg))
        return 1;
    skip_rest(socket, &req->in, msg);
    return 0;
}

static int req_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct req *req = req_state(socket);
    if (!req->awaiting_reply)
        return -EFSM;
    if (!req->in_message) {
        int rc;
        do
            rc = read_envelope(socket, msg);
        while (rc == 0);
        if (rc < 0)
            return rc;
        zl_socket_dispose(socket, msg);
    }
    int rc = zl_fair_queue_recv(&req->in, msg, NULL);
    if (rc < 0)
        return rc;
    req->in_message = msg->flags & ZL_MSG_MORE;
    req->awaiting_reply = req->in_message;
    return 0;
}

static bool req_can_send(struct zl_socket *socket)
{
    struct req *req = req_state(socket);
    if (req->awaiting_reply && !req->relaxed)
        return false;
    return zl_load_balancer_writable(&req->out);
}

static bool req_can_recv(struct zl_socket *socket)
{
    struct req *req = req_state(socket);
    return req->awaiting_reply && zl_fair_queue_readable(&req->in);
}

static int req_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    struct req *req = req_state(socket);
    switch (option) {
    case ZMQ_REQ_CORRELATE:
        return zl_option_read_bool_nonneg(value, size, &req->correlate);
    case ZMQ_REQ_RELAXED:
        return zl_option_read_bool_nonneg(value, size, &req->relaxed);
    case ZMQ_PROBE_ROUTER:
        return zl_option_read_bool_nonneg(value, size, &req->probe);
    default:
        return -EOPNOTSUPP;
    }
}

const struct zl_pattern_ops zl_req_ops = {
    .type = ZMQ_REQ,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV | ZL_PATTERN_UNIQUE_CONNECT |
             ZL_PATTERN_REPLY_ENVELOPE,
    .state_size = sizeof(struct req),
    .init = req_init,
    .destroy = no_destroy,
    .attach = req_attach,
    .connected = nothing,
    .ended = req_ended,
    .detach = req_detach,
    .readable = req_readable,
    .writable = req_writable,
    .send = req_send,
    .recv = req_recv,
    .can_send = req_can_send,
    .can_recv = req_can_recv,
    .set_option = req_set_option,
};

/* ---- REP -------------------------------------------------------------------------------------- */

struct rep {
    struct zl_fair_queue in;
    struct zl_pipe *asker;   /* whom the reply goes to; NULL: it went away, or nobody asked */
    struct zl_msg *envelope; /* frames up to the delimiter, in front of the reply */
    size_t envelope_count;
    size_t envelope_capacity;
    bool owes_reply;  /* the request has been read completely */
    bool in_message;  /* in the middle of the request */
    bool out_message; /* in the middle of the reply */
};

static struct rep *rep_state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int rep_init(struct zl_socket *socket)
{
    zl_fair_queue_init(&rep_state(socket)->in);
    return 0;
}

static void drop_envelope(struct zl_socket *socket)
{
    struct rep *rep = rep_state(socket);
    while (rep->envelope_count > 0)
        zl_socket_dispose(socket, &rep->envelope[--rep->envelope_count]);
}

static void rep_destroy(struct zl_socket *socket)
{
    struct rep *rep = rep_state(socket);
    while (rep->envelope_count > 0)
        zl_msg_close(&rep->envelope[--rep->envelope_count]);
    free(rep->envelope);
}

static void rep_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (rep_state(socket)->asker == pipe)
        rep_state(socket)->asker = NULL;
}

static void rep_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_remove(&rep_state(socket)->in, pipe);
}

static void rep_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_add(&rep_state(socket)->in, pipe);
}

/* Takes the message. 0 or -ENOMEM (then it stays with the caller). */
static int remember(struct rep *rep, struct zl_msg *msg)
{
    if (rep->envelope_count == rep->envelope_capacity) {
        size_t capacity = rep->envelope_capacity ? rep->envelope_capacity * 2 : 4;
        struct zl_msg *envelope = realloc(rep->envelope, capacity * sizeof *envelope);
        if (!envelope)
            return -ENOMEM;
        rep->envelope = envelope;
        rep->envelope_capacity = capacity;
    }
    if (zl_msg_detach(msg) < 0)
        return -ENOMEM;
    zl_msg_clear_metadata(msg);
    zl_msg_take(&rep->envelope[rep->envelope_count++], msg);
    return 0;
}

/* Reads frames up to and including the empty one. 1: done; 0: there was none, the message is gone;
   -EAGAIN: nothing there. */
static int rep_read_envelope(struct zl_socket *socket)
{
    struct rep *rep = rep_state(socket);
    struct zl_pipe *from;
    for (;;) {
        struct zl_msg msg;
        int rc = zl_fair_queue_recv(&rep->in, &msg, &from);
        if (rc < 0)
            return rc;
        bool more = msg.flags & ZL_MSG_MORE, empty = zl_msg_size(&msg) == 0;
        if (!more || remember(rep, &msg) < 0) {
            skip_rest(socket, &rep->in, &msg);
            drop_envelope(socket);
            return 0;
        }
        if (empty) {
            rep->asker = from->state == ZL_PIPE_OPEN ? from : NULL;
            return 1;
        }
    }
}

static int rep_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct rep *rep = rep_state(socket);
    if (rep->owes_reply)
        return -EFSM;
    if (!rep->in_message) {
        int rc;
        do
            rc = rep_read_envelope(socket);
        while (rc == 0);
        if (rc < 0)
            return rc;
    }
    int rc = zl_fair_queue_recv(&rep->in, msg, NULL);
    if (rc < 0)
        return rc;
    rep->in_message = msg->flags & ZL_MSG_MORE;
    rep->owes_reply = !rep->in_message;
    return 0;
}

static void rep_send_envelope(struct zl_socket *socket)
{
    struct rep *rep = rep_state(socket);
    if (rep->asker && !zl_pipe_can_write(rep->asker)) {
        rep->asker->dropped++;
        rep->asker = NULL;
    }
    for (size_t i = 0; rep->asker && i < rep->envelope_count; i++)
        if (zl_pipe_write(rep->asker, &rep->envelope[i], true) < 0)
            rep->asker = NULL;
    drop_envelope(socket);
}

static int rep_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct rep *rep = rep_state(socket);
    if (!rep->owes_reply)
        return -EFSM;
    if (!rep->out_message)
        rep_send_envelope(socket);
    if (rep->asker && zl_pipe_write(rep->asker, msg, more) < 0)
        rep->asker = NULL;
    zl_socket_dispose(socket, msg);
    rep->out_message = more;
    rep->owes_reply = more;
    if (!more)
        rep->asker = NULL;
    return 0;
}

static bool rep_can_send(struct zl_socket *socket)
{
    return rep_state(socket)->owes_reply;
}

static bool rep_can_recv(struct zl_socket *socket)
{
    return !rep_state(socket)->owes_reply && zl_fair_queue_readable(&rep_state(socket)->in);
}

/* ROUTER's options are accepted, as programs set them; none of them changes what REP does. */
static int rep_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    bool ignored;
    int mask;
    (void)socket;
    switch (option) {
    case ZMQ_ROUTER_MANDATORY:
    case ZMQ_ROUTER_HANDOVER:
    case ZMQ_ROUTER_RAW:
    case ZMQ_PROBE_ROUTER:
        return zl_option_read_bool_nonneg(value, size, &ignored);
    case ZMQ_ROUTER_NOTIFY:
        if (zl_option_read_int(value, size, &mask) < 0)
            return -EINVAL;
        return mask < 0 || mask > (ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT) ? -EINVAL : 0;
    case ZMQ_CONNECT_ROUTING_ID:
        return value && size > 0 ? 0 : -EINVAL;
    default:
        return -EOPNOTSUPP;
    }
}

const struct zl_pattern_ops zl_rep_ops = {
    .type = ZMQ_REP,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV,
    .state_size = sizeof(struct rep),
    .init = rep_init,
    .destroy = rep_destroy,
    .attach = nothing,
    .connected = nothing,
    .ended = rep_ended,
    .detach = rep_detach,
    .readable = rep_readable,
    .writable = nothing,
    .send = rep_send,
    .recv = rep_recv,
    .can_send = rep_can_send,
    .can_recv = rep_can_recv,
    .set_option = rep_set_option,
};
