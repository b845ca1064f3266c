/* SPDX-License-Identifier: MPL-2.0 */
/* ROUTER and STREAM: every message is preceded by a frame with the id of its peer. */
#include "pattern/pattern.h"

#include "base/random.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "pattern/fair_queue.h"
#include "pattern/peer_map.h"
#include "wire/bytes.h"

#include <errno.h>
#include <string.h>

struct router {
    struct zl_fair_queue in;
    struct zl_peer_map peers; /* those that can be addressed */
    uint32_t next_id;

    /* Receiving: the first part waits while its id frame is delivered. */
    struct zl_msg first;
    bool first_waits;
    bool in_message; /* the part last delivered has successors */

    /* Sending. */
    struct zl_pipe *to; /* NULL while out_message: the message goes nowhere */
    bool out_message;   /* the id frame has been taken, parts follow */

    bool mandatory;
    bool handover;
    bool probe;
    uint8_t connect_id[ZL_ROUTING_ID_MAX];
    size_t connect_id_size;             /* for the next connect; 0 none */
    uint8_t last_id[ZL_ROUTING_ID_MAX]; /* STREAM: of the connection attached last */
    size_t last_id_size;
};

static struct router *state(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static bool is_stream(const struct zl_socket *socket)
{
    return socket->ops->type == ZMQ_STREAM;
}

static bool is_raw(const struct zl_socket *socket)
{
    return atomic_load_explicit(&socket->raw, memory_order_relaxed);
}

static int router_init(struct zl_socket *socket)
{
    struct router *router = state(socket);
    zl_fair_queue_init(&router->in);
    zl_peer_map_init(&router->peers);
    router->next_id = zl_random_u32();
    if (is_stream(socket))
        socket->notify = ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT;
    return 0;
}

static void router_destroy(struct zl_socket *socket)
{
    struct router *router = state(socket);
    if (router->first_waits)
        zl_msg_close(&router->first);
    zl_peer_map_free(&router->peers);
}

/* ---- Identities ------------------------------------------------------------------------------- */

/* pipe->pattern_data of a peer that has its place in the map; anything else is not addressable. */
static char known;

static int generate_id(struct router *router, struct zl_pipe *pipe)
{
    uint8_t id[5] = {0};
    do
        zl_put_u32(id + 1, router->next_id++);
    while (zl_peer_map_find(&router->peers, id, sizeof id));
    return zl_pipe_set_routing_id(pipe, id, sizeof id);
}

/* The newcomer has an id that is taken. True when it may have it. */
static bool take_over(struct router *router, struct zl_pipe *holder)
{
    if (!router->handover)
        return false;
    zl_peer_map_remove(&router->peers, holder);
    holder->pattern_data = NULL;
    if (router->to == holder)
        router->to = NULL;
    zl_pipe_reject(holder);
    return true;
}

static void identify(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct router *router = state(socket);
    if (pipe->pattern_data)
        return;
    if (pipe->routing_id_size > 0) {
        struct zl_pipe *holder =
            zl_peer_map_find(&router->peers, pipe->routing_id, pipe->routing_id_size);
        if (holder && !take_over(router, holder)) {
            pipe->unread = true; /* stays connected, but is neither read nor addressed */
            return;
        }
    } else if (generate_id(router, pipe) < 0) {
        zl_pipe_reject(pipe);
        return;
    }
    if (zl_peer_map_add(&router->peers, pipe) < 0) {
        zl_pipe_reject(pipe);
        return;
    }
    pipe->pattern_data = &known;
    pipe->unread = false;
    if (pipe->routing_id_size <= sizeof router->last_id) {
        memcpy(router->last_id, pipe->routing_id, pipe->routing_id_size);
        router->last_id_size = pipe->routing_id_size;
    }
    if (!pipe->in_idle)
        zl_fair_queue_add(&router->in, pipe);
}

static int router_check_connect(struct zl_socket *socket)
{
    struct router *router = state(socket);
    if (router->connect_id_size &&
        zl_peer_map_find(&router->peers, router->connect_id, router->connect_id_size))
        return -EINVAL;
    return 0;
}

static void router_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct router *router = state(socket);
    if (pipe->locally_initiated && router->connect_id_size) {
        if (zl_pipe_set_routing_id(pipe, router->connect_id, router->connect_id_size) == 0)
            identify(socket, pipe);
        router->connect_id_size = 0;
    } else if (is_stream(socket)) {
        identify(socket, pipe);
    }
    if (router->probe && !is_raw(socket))
        zl_pipe_write_probe(pipe);
}

static void router_connected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    identify(socket, pipe);
}

static void router_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    struct router *router = state(socket);
    if (pipe->pattern_data)
        zl_peer_map_remove(&router->peers, pipe);
    if (router->to == pipe)
        router->to = NULL;
}

static void router_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_remove(&state(socket)->in, pipe);
    pipe->pattern_data = NULL;
}

static void router_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    /* An inproc peer's first message may be noticed before the news that it is connected. */
    if (!pipe->pattern_data && pipe->peer)
        identify(socket, pipe);
    if (pipe->pattern_data)
        zl_fair_queue_add(&state(socket)->in, pipe);
}

static void router_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    (void)socket;
    (void)pipe;
}

/* ---- Receiving -------------------------------------------------------------------------------- */

static int make_id_frame(const struct zl_pipe *pipe, struct zl_msg *msg,
                         struct zl_metadata *metadata)
{
    int rc = zl_msg_init_copy_of(msg, pipe->routing_id, pipe->routing_id_size);
    if (rc < 0)
        return rc;
    msg->flags = ZL_MSG_MORE;
    msg->metadata = metadata;
    if (metadata)
        zl_metadata_acquire(metadata, 1);
    return 0;
}

static int router_recv(struct zl_socket *socket, struct zl_msg *msg)
{
    struct router *router = state(socket);
    if (router->first_waits) {
        *msg = router->first;
        router->first_waits = false;
        router->in_message = msg->flags & ZL_MSG_MORE;
        return 0;
    }
    struct zl_pipe *from;
    int rc = zl_fair_queue_recv(&router->in, msg, &from);
    if (rc < 0)
        return rc;
    if (router->in_message) {
        router->in_message = msg->flags & ZL_MSG_MORE;
        return 0;
    }
    router->first = *msg;
    router->first_waits = true;
    /* Without memory for the id frame the message cannot be delivered; it is not lost. */
    rc = make_id_frame(from, msg, router->first.metadata);
    if (rc < 0) {
        zl_socket_dispose(socket, &router->first);
        router->first_waits = false;
    }
    return rc;
}

static bool router_can_recv(struct zl_socket *socket)
{
    return state(socket)->first_waits || zl_fair_queue_readable(&state(socket)->in);
}

/* ---- Sending ---------------------------------------------------------------------------------- */

/* Chooses the peer that the id frame names. */
static int address(struct zl_socket *socket, const struct zl_msg *id)
{
    struct router *router = state(socket);
    bool strict = router->mandatory || is_stream(socket);
    struct zl_pipe *pipe = zl_peer_map_find(&router->peers, zl_msg_bytes(id), zl_msg_size(id));
    if (!pipe) {
        router->to = NULL;
        return strict ? -EHOSTUNREACH : 0;
    }
    if (!zl_pipe_can_write(pipe) && (strict || !zl_pipe_may_overfill(pipe))) {
        router->to = NULL;
        if (strict)
            return -EAGAIN;
        pipe->dropped++;
        return 0;
    }
    router->to = pipe;
    return 0;
}

static int send_id(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct router *router = state(socket);
    if (!more && !is_stream(socket)) {
        zl_socket_dispose(socket, msg); /* an id without a message */
        return 0;
    }
    int rc = more ? address(socket, msg) : 0;
    if (rc < 0)
        return rc;
    if (!more)
        router->to = NULL;
    router->out_message = true;
    zl_socket_dispose(socket, msg);
    return 0;
}

/* Raw: one part of octets; an empty one closes the connection. */
static int send_octets(struct zl_socket *socket, struct zl_msg *msg)
{
    struct router *router = state(socket);
    struct zl_pipe *pipe = router->to;
    router->to = NULL;
    router->out_message = false;
    if (pipe && zl_msg_size(msg) > 0) {
        int rc = zl_pipe_write(pipe, msg, false);
        if (rc == -ENOMEM)
            return rc;
    } else if (pipe) {
        zl_pipe_reject(pipe);
    }
    if (msg->kind == ZL_MSG_BORROWED)
        zl_msg_init(msg);
    else
        zl_socket_dispose(socket, msg);
    return 0;
}

static int router_send(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    struct router *router = state(socket);
    if (!router->out_message)
        return send_id(socket, msg, more);
    if (is_raw(socket))
        return send_octets(socket, msg);
    router->out_message = more;
    if (router->to) {
        int rc = zl_pipe_write(router->to, msg, more);
        if (rc < 0)
            router->to = NULL;
        if (rc == -ENOMEM)
            return rc;
    }
    zl_socket_dispose(socket, msg);
    if (!more)
        router->to = NULL;
    return 0;
}

static bool router_can_send(struct zl_socket *socket)
{
    struct router *router = state(socket);
    if (!router->mandatory || router->out_message)
        return true;
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        if (pipe->pattern_data && zl_pipe_can_write(pipe))
            return true;
    }
    return false;
}

static int router_peer_state(struct zl_socket *socket, const void *id, size_t size)
{
    struct zl_pipe *pipe = zl_peer_map_find(&state(socket)->peers, id, size);
    if (!pipe)
        return -EHOSTUNREACH;
    return zl_pipe_can_write(pipe) ? ZMQ_POLLOUT : 0;
}

/* ---- Options ---------------------------------------------------------------------------------- */

static int set_connect_id(struct router *router, const void *value, size_t size)
{
    if (!value || size == 0 || size > sizeof router->connect_id)
        return -EINVAL;
    memcpy(router->connect_id, value, size);
    router->connect_id_size = size;
    return 0;
}

static int set_raw(struct zl_socket *socket, const void *value, size_t size)
{
    bool raw;
    int rc = zl_option_read_bool_nonneg(value, size, &raw);
    if (rc == 0 && raw)
        atomic_store(&socket->raw, true);
    return rc;
}

static int set_notify(struct zl_socket *socket, const void *value, size_t size)
{
    int mask;
    int rc = zl_option_read_int(value, size, &mask);
    if (rc < 0 || mask < 0 || mask > (ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT))
        return -EINVAL;
    socket->notify = (unsigned)mask;
    return 0;
}

static int router_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    struct router *router = state(socket);
    switch (option) {
    case ZMQ_ROUTER_MANDATORY:
        return zl_option_read_bool_nonneg(value, size, &router->mandatory);
    case ZMQ_ROUTER_HANDOVER:
        return zl_option_read_bool_nonneg(value, size, &router->handover);
    case ZMQ_PROBE_ROUTER:
        return zl_option_read_bool_nonneg(value, size, &router->probe);
    case ZMQ_ROUTER_RAW:
        return set_raw(socket, value, size);
    case ZMQ_ROUTER_NOTIFY:
        return set_notify(socket, value, size);
    case ZMQ_CONNECT_ROUTING_ID:
        return set_connect_id(router, value, size);
    default:
        return -EOPNOTSUPP;
    }
}

static int router_get_option(struct zl_socket *socket, int option, void *value, size_t *size)
{
    if (option == ZMQ_ROUTER_NOTIFY)
        return zl_option_write_int((int)socket->notify, value, size);
    return -EOPNOTSUPP;
}

static int stream_set_option(struct zl_socket *socket, int option, const void *value, size_t size)
{
    bool notify;
    switch (option) {
    case ZMQ_STREAM_NOTIFY: {
        int rc = zl_option_read_bool01(value, size, &notify);
        if (rc == 0)
            socket->notify = notify ? ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT : 0;
        return rc;
    }
    case ZMQ_CONNECT_ROUTING_ID:
        return set_connect_id(state(socket), value, size);
    default:
        return -EOPNOTSUPP;
    }
}

static int stream_get_option(struct zl_socket *socket, int option, void *value, size_t *size)
{
    struct router *router = state(socket);
    if (option != ZMQ_ROUTING_ID)
        return -EOPNOTSUPP;
    if (*size < router->last_id_size)
        return -EINVAL;
    memcpy(value, router->last_id, router->last_id_size);
    *size = router->last_id_size;
    return 0;
}

const struct zl_pattern_ops zl_router_ops = {
    .type = ZMQ_ROUTER,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV,
    .state_size = sizeof(struct router),
    .init = router_init,
    .destroy = router_destroy,
    .check_connect = router_check_connect,
    .attach = router_attach,
    .connected = router_connected,
    .ended = router_ended,
    .detach = router_detach,
    .readable = router_readable,
    .writable = router_writable,
    .send = router_send,
    .recv = router_recv,
    .can_send = router_can_send,
    .can_recv = router_can_recv,
    .peer_state = router_peer_state,
    .set_option = router_set_option,
    .get_option = router_get_option,
};

const struct zl_pattern_ops zl_stream_ops = {
    .type = ZMQ_STREAM,
    .flags = ZL_PATTERN_CAN_SEND | ZL_PATTERN_CAN_RECV | ZL_PATTERN_RAW,
    .state_size = sizeof(struct router),
    .init = router_init,
    .destroy = router_destroy,
    .check_connect = router_check_connect,
    .attach = router_attach,
    .connected = router_connected,
    .ended = router_ended,
    .detach = router_detach,
    .readable = router_readable,
    .writable = router_writable,
    .send = router_send,
    .recv = router_recv,
    .can_send = router_can_send,
    .can_recv = router_can_recv,
    .set_option = stream_set_option,
    .get_option = stream_get_option,
};
