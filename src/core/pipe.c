/* SPDX-License-Identifier: MPL-2.0 */
/* Pipes. */
#include "core/pipe.h"

#include "base/branch.h"
#include "core/inproc_io.h"
#include "core/link_io.h"
#include "core/socket_base.h"
#include "wire/zmtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_input(struct zl_pipe *pipe);
static int queue_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more);
static bool take_newest(struct zl_pipe *pipe, struct zl_msg *msg);

struct zl_pipe *zl_pipe_new(struct zl_socket *socket, int sndhwm, int rcvhwm)
{
    struct zl_pipe *pipe = aligned_alloc(_Alignof(struct zl_pipe), sizeof *pipe);
    if (!pipe)
        return NULL;
    memset(pipe, 0, sizeof *pipe);
    atomic_init(&pipe->socket, socket);
    if (socket)
        zl_socket_acquire(socket);
    atomic_init(&pipe->references, 1);
    atomic_init(&pipe->sndhwm, sndhwm);
    atomic_init(&pipe->rcvhwm, rcvhwm);
    atomic_init(&pipe->reader_idle, 1);
    pipe->in_idle = true;
    pipe->conflate = socket && zl_socket_conflates(socket);
    zl_list_init(&pipe->node);
    zl_list_init(&pipe->release_node);
    zl_list_init(&pipe->in_node);
    zl_list_init(&pipe->out_node);
    zl_outq_init(&pipe->outq);
    zl_ring_init(&pipe->ring);
    return pipe;
}

int zl_pipe_set_routing_id(struct zl_pipe *pipe, const void *id, size_t size)
{
    uint8_t *copy = NULL;
    if (size) {
        copy = malloc(size);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, id, size);
    }
    free(pipe->routing_id);
    pipe->routing_id = copy;
    pipe->routing_id_size = size;
    return 0;
}

/* ---- Life ------------------------------------------------------------------------------------- */

void zl_pipe_attach_locked(struct zl_pipe *pipe)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    pipe->state = ZL_PIPE_OPEN;
    zl_list_append(&socket->pipes, &pipe->node);
    socket->ops->attach(socket, pipe);
    zl_socket_wake_senders_locked(socket);
}

void zl_pipe_connected_locked(struct zl_pipe *pipe)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (pipe->state != ZL_PIPE_OPEN)
        return;
    pipe->is_connected = true;
    socket->ops->connected(socket, pipe);
    zl_socket_wake_senders_locked(socket);
}

/* Its counters stay with the socket. */
static void retire(struct zl_socket *socket, const struct zl_pipe *pipe)
{
    struct zl_retired *retired = &socket->retired;
    zl_traffic_add(&retired->traffic, &pipe->traffic);
    retired->sent += pipe->sent;
    retired->delivered += pipe->delivered;
    retired->dropped += pipe->dropped;
    retired->bytes_copied_out += pipe->outq.bytes_copied;
}

/* The pattern forgets the pipe; what it holds is released after the gate. */
static void detach(struct zl_pipe *pipe)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    pipe->state = ZL_PIPE_UNATTACHED;
    pipe->room_until = 0;
    socket->ops->detach(socket, pipe);
    zl_list_remove(&pipe->in_node);
    zl_list_remove(&pipe->out_node);
    zl_list_remove(&pipe->node);
    retire(socket, pipe);
    /* What an inproc connect has left behind ends with its peer. */
    if (pipe->peer && pipe->locally_initiated && zl_socket_drop_endpoint_locked(socket, pipe))
        zl_socket_release_pipe_locked(socket, pipe, false);
    zl_socket_release_pipe_locked(socket, pipe, pipe->peer != NULL);
}

void zl_pipe_end_locked(struct zl_pipe *pipe, bool drop_input)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (pipe->state == ZL_PIPE_UNATTACHED)
        return;
    if (pipe->state == ZL_PIPE_OPEN) {
        pipe->state = ZL_PIPE_ENDED;
        pipe->room_until = 0;
        pipe->is_connected = false;
        zl_pipe_rollback(pipe);
        zl_list_remove(&pipe->out_node);
        socket->ops->ended(socket, pipe);
        if (pipe->peer)
            zl_inproc_signal(pipe->peer, ZL_SIGNAL_ENDED);
    }
    /* A message that the application has begun to read is whole in the ring: it gets the rest. */
    if (drop_input && pipe->mid_message && !socket->closed)
        pipe->drops_rest = true;
    else if (drop_input || pipe->unread || !has_input(pipe))
        detach(pipe);
    /* It may be room for another one; if it is input as well, the pattern has said so. */
    zl_socket_wake_senders_locked(socket);
}

void zl_pipe_disconnected_locked(struct zl_pipe *pipe)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    zl_ring_rollback(&pipe->ring);
    pipe->is_connected = false;
    if (socket->ops->flags & ZL_PATTERN_NO_REDELIVERY) {
        zl_outq_clear(&pipe->outq, &socket->garbage);
        zl_pipe_drained_locked(pipe);
    } else {
        zl_outq_rewind(&pipe->outq);
    }
    if (socket->ops->disconnected && pipe->state == ZL_PIPE_OPEN)
        socket->ops->disconnected(socket, pipe);
}

void zl_pipe_reject(struct zl_pipe *pipe)
{
    struct zl_link *link = pipe->link;
    pipe->rejected = true;
    if (!link)
        zl_pipe_end_locked(pipe, true);
    else if (zl_link_ask_to_stop(link, 0))
        zl_pipe_end_locked(pipe, zl_link_drops_input(link));
}

/* ---- News from inproc peers ------------------------------------------------------------------- */

void zl_pipe_take_signals_locked(struct zl_pipe *pipe)
{
    unsigned signals = atomic_exchange(&pipe->signals, 0);
    if (pipe->state == ZL_PIPE_UNATTACHED)
        return;
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (signals & ZL_SIGNAL_CONNECTED)
        zl_pipe_connected_locked(pipe);
    if (signals & ZL_SIGNAL_READABLE)
        zl_pipe_input_locked(pipe);
    if (signals & ZL_SIGNAL_WRITABLE)
        pipe->room_until = 0;
    if ((signals & ZL_SIGNAL_WRITABLE) && pipe->out_full && pipe->state == ZL_PIPE_OPEN) {
        pipe->out_full = false;
        socket->ops->writable(socket, pipe);
    }
    if (signals & ZL_SIGNAL_ENDED)
        zl_pipe_end_locked(pipe, false);
}

static void take_signals(struct zl_socket *socket, struct zl_pipe *replacement)
{
    /* acquire: pairs with the release in zl_inproc_signal */
    struct zl_pipe *stack =
        atomic_exchange_explicit(&socket->signalled, replacement, memory_order_acquire);
    /* Oldest first: CONNECTED of one peer before the news of the next. */
    struct zl_pipe *ordered = NULL;
    while (stack) {
        struct zl_pipe *next = stack->next_signalled;
        stack->next_signalled = ordered;
        ordered = stack;
        stack = next;
    }
    while (ordered) {
        struct zl_pipe *pipe = ordered;
        ordered = pipe->next_signalled; /* before its signals are taken: it may be pushed again */
        zl_pipe_take_signals_locked(pipe);
        zl_socket_release_pipe_locked(socket, pipe, false); /* the stack's reference */
    }
}

void zl_socket_take_signals_locked(struct zl_socket *socket)
{
    if (!socket->closed && atomic_load_explicit(&socket->signalled, memory_order_relaxed))
        take_signals(socket, NULL);
}

void zl_socket_refuse_signals_locked(struct zl_socket *socket)
{
    take_signals(socket, ZL_SIGNALS_CLOSED);
}

/* CONFLATE on a connection: the older messages in the ring are thrown away. */
static void keep_newest_input(struct zl_pipe *pipe)
{
    while (pipe->received - pipe->delivered > 1 && zl_ring_readable(&pipe->ring)) {
        struct zl_msg *oldest = zl_ring_front(&pipe->ring);
        if (!(oldest->flags & ZL_MSG_MORE)) {
            pipe->received--;
            pipe->dropped++;
        }
        zl_socket_dispose(zl_pipe_owner(pipe), oldest);
        zl_ring_pop(&pipe->ring);
    }
}

void zl_pipe_input_locked(struct zl_pipe *pipe)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (pipe->conflate && !pipe->peer)
        keep_newest_input(pipe);
    if (pipe->in_idle && pipe->state != ZL_PIPE_UNATTACHED) {
        pipe->in_idle = false;
        socket->ops->readable(socket, pipe);
    }
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static bool queue_can_write(struct zl_pipe *pipe)
{
    uint64_t limit = (uint64_t)atomic_load_explicit(&pipe->sndhwm, memory_order_relaxed);
    uint64_t messages = pipe->outq.messages;
    if (limit != 0 && messages >= limit)
        return false;
    pipe->room_until = limit ? pipe->sent + (limit - messages) : UINT64_MAX;
    return true;
}

bool zl_pipe_can_write_now(struct zl_pipe *pipe)
{
    if (pipe->state != ZL_PIPE_OPEN || pipe->out_full)
        return false;
    if (pipe->conflate)
        return true;
    if (pipe->peer ? zl_inproc_can_write(pipe) : queue_can_write(pipe))
        return true;
    pipe->out_full = true;
    return false;
}

bool zl_pipe_may_overfill(const struct zl_pipe *pipe)
{
    uint64_t limit = (uint64_t)atomic_load_explicit(&pipe->sndhwm, memory_order_relaxed);
    return pipe->state == ZL_PIPE_OPEN && pipe->link && pipe->link->writing &&
           pipe->outq.messages < 2 * limit;
}

void zl_pipe_drained_locked(struct zl_pipe *pipe)
{
    struct zl_msg newest;
    if (pipe->conflate && pipe->outq.messages == 0 && take_newest(pipe, &newest)) {
        queue_write(pipe, &newest, false);
        zl_socket_dispose(zl_pipe_owner(pipe), &newest);
    }
    if (pipe->awaits_drain && zl_outq_pending(&pipe->outq) == 0) {
        pipe->awaits_drain = false;
        zl_socket_wake_senders_locked(zl_pipe_owner(pipe));
    }
    if (!pipe->out_full)
        return;
    /* Resume at about half, so that a blocked sender is not woken for every single message. */
    uint64_t limit = (uint64_t)atomic_load_explicit(&pipe->sndhwm, memory_order_relaxed);
    if (limit != 0 && pipe->outq.messages > limit - (limit + 1) / 2)
        return;
    pipe->out_full = false;
    if (pipe->state == ZL_PIPE_OPEN) {
        struct zl_socket *socket = zl_pipe_owner(pipe);
        socket->ops->writable(socket, pipe);
        zl_socket_wake_senders_locked(socket);
    }
}

void zl_pipe_set_hwm_locked(struct zl_pipe *pipe, int sndhwm, int rcvhwm)
{
    atomic_store(&pipe->sndhwm, sndhwm);
    atomic_store(&pipe->rcvhwm, rcvhwm);
    pipe->room_until = 0;
    if (!pipe->peer) {
        zl_pipe_drained_locked(pipe);
        if (pipe->link)
            zl_link_resume_locked(pipe->link);
        return;
    }
    /* Both limits may have grown: let either side look again. */
    if (pipe->out_full && (pipe->conflate || zl_inproc_can_write(pipe))) {
        pipe->out_full = false;
        zl_pipe_owner(pipe)->ops->writable(zl_pipe_owner(pipe), pipe);
    }
    atomic_store(&pipe->peer->writer_blocked, 0);
    zl_inproc_signal(pipe->peer, ZL_SIGNAL_WRITABLE);
}

/* CONFLATE: puts the message where only the newest one is kept. */
static int keep_newest(struct zl_pipe *pipe, struct zl_msg *msg, struct zl_socket *socket)
{
    if (zl_msg_detach(msg) < 0)
        return -ENOMEM;
    zl_msg_clear_metadata(msg);
    msg->flags = 0;
    struct zl_msg older;
    zl_gate_lock(&pipe->newest_lock);
    bool replaces = pipe->newest_waits;
    if (replaces)
        older = pipe->newest;
    zl_msg_take(&pipe->newest, msg);
    pipe->newest_waits = true;
    zl_gate_unlock(&pipe->newest_lock);
    if (replaces)
        zl_socket_dispose(socket, &older);
    return 0;
}

static bool take_newest(struct zl_pipe *pipe, struct zl_msg *msg)
{
    zl_gate_lock(&pipe->newest_lock);
    bool waits = pipe->newest_waits;
    if (waits)
        *msg = pipe->newest;
    pipe->newest_waits = false;
    zl_gate_unlock(&pipe->newest_lock);
    return waits;
}

static bool has_newest(struct zl_pipe *pipe)
{
    zl_gate_lock(&pipe->newest_lock);
    bool waits = pipe->newest_waits;
    zl_gate_unlock(&pipe->newest_lock);
    return waits;
}

/* CONFLATE: true when the message was put aside, because the one in the queue is on its way. */
static zl_cold bool conflate_queue(struct zl_pipe *pipe, struct zl_msg *msg)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (pipe->outq.messages == 0)
        return false;
    bool untouched = !pipe->link || (!pipe->link->writing && !pipe->link->stream.owed);
    if (untouched && zl_outq_at_boundary(&pipe->outq)) {
        zl_outq_clear(&pipe->outq, &socket->garbage);
        return false;
    }
    return keep_newest(pipe, msg, socket) == 0;
}

/* A long payload in the caller's memory goes to the kernel from there, when nothing is in its way. */
static bool may_borrow(const struct zl_pipe *pipe, const struct zl_msg *msg, uint8_t flags)
{
    return msg->kind == ZL_MSG_BORROWED && zl_msg_size(msg) >= ZL_WRITE_ALONE_MIN && flags == 0 &&
           !pipe->conflate && pipe->outq.framing != ZL_FRAMING_ZWS_CLIENT && pipe->link &&
           zl_link_writes_directly(pipe->link);
}

/* What needs another chunk. */
static zl_cold int append(struct zl_pipe *pipe, struct zl_msg *msg, uint8_t flags)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    int rc;
    if (may_borrow(pipe, msg, flags)) {
        rc = zl_outq_append_borrowed(&pipe->outq, &socket->chunks, msg, flags);
        if (rc == 0)
            socket->borrower = pipe;
    } else {
        rc = zl_outq_append(&pipe->outq, &socket->chunks, msg, flags);
    }
    if (rc < 0)
        zl_outq_rollback(&pipe->outq, &socket->garbage);
    return rc;
}

static int queue_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    if (zl_unlikely(pipe->conflate)) {
        more = false;
        if (conflate_queue(pipe, msg))
            return 0;
    }
    uint8_t flags = more ? ZL_FRAME_MORE : 0;
    if (zl_unlikely(
            !zl_outq_append_here(&pipe->outq, zl_msg_bytes(msg), zl_msg_size(msg), flags))) {
        int rc = append(pipe, msg, flags);
        if (rc < 0)
            return rc;
    }
    zl_socket_dispose(socket, msg);
    if (more)
        return 0;
    zl_outq_commit(&pipe->outq);
    pipe->sent++;
    if (pipe->link)
        zl_link_written_locked(pipe->link);
    return 0;
}

/* CONFLATE over inproc: there is no queue, only the newest message at the reader. */
static zl_cold int replace_newest(struct zl_pipe *pipe, struct zl_msg *msg)
{
    size_t size = zl_msg_size(msg);
    int rc = keep_newest(pipe->peer, msg, zl_pipe_owner(pipe));
    if (rc < 0)
        return rc;
    pipe->sent++;
    pipe->traffic.bytes_out += size;
    zl_inproc_wake_reader(pipe->peer);
    return 0;
}

int zl_pipe_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more)
{
    if (zl_unlikely(pipe->state != ZL_PIPE_OPEN))
        return -EPIPE;
    if (!pipe->peer)
        return queue_write(pipe, msg, more);
    return pipe->conflate ? replace_newest(pipe, msg) : zl_inproc_write(pipe, msg, more);
}

void zl_pipe_write_probe(struct zl_pipe *pipe)
{
    struct zl_msg probe;
    zl_msg_init(&probe);
    zl_pipe_write(pipe, &probe, false);
}

void zl_pipe_rollback(struct zl_pipe *pipe)
{
    if (pipe->peer)
        zl_inproc_rollback(pipe);
    else
        zl_outq_rollback(&pipe->outq, &zl_pipe_owner(pipe)->garbage);
}

/* 1.0 to 3.0, and inproc: a message of one octet and the topic. */
static int write_subscription_message(struct zl_pipe *pipe, bool subscribe, const void *topic,
                                      size_t size)
{
    struct zl_msg msg;
    int rc = zl_msg_init_size(&msg, size + 1);
    if (rc < 0)
        return rc;
    zl_msg_data(&msg)[0] = subscribe;
    if (size)
        memcpy(zl_msg_data(&msg) + 1, topic, size);
    rc = zl_pipe_write(pipe, &msg, false);
    zl_msg_close(&msg);
    return rc;
}

static int write_subscription_command(struct zl_pipe *pipe, bool subscribe, const void *topic,
                                      size_t size)
{
    const char *name = subscribe ? "SUBSCRIBE" : "CANCEL";
    struct zl_socket *socket = zl_pipe_owner(pipe);
    struct zl_msg msg;
    int rc = zl_msg_init_size(&msg, zl_command_size(name, size));
    if (rc < 0)
        return rc;
    zl_command_put(zl_msg_data(&msg), name, topic, size);
    rc = zl_outq_append(&pipe->outq, &socket->chunks, &msg, ZL_FRAME_COMMAND);
    zl_msg_close(&msg);
    if (rc < 0)
        return rc;
    zl_outq_commit(&pipe->outq);
    zl_link_written_locked(pipe->link);
    return 0;
}

int zl_pipe_write_subscription(struct zl_pipe *pipe, bool subscribe, const void *topic, size_t size)
{
    if (!pipe->is_connected || pipe->state != ZL_PIPE_OPEN)
        return 0; /* `connected` sends the whole set */
    if (pipe->link && pipe->link->version >= ZL_ZMTP_3_1)
        return write_subscription_command(pipe, subscribe, topic, size);
    return write_subscription_message(pipe, subscribe, topic, size);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static bool has_input(struct zl_pipe *pipe)
{
    return zl_ring_readable(&pipe->ring) || (pipe->conflate && pipe->peer && has_newest(pipe));
}

/* Nothing to read. True: something came while we said so. */
static zl_cold bool became_idle(struct zl_pipe *pipe)
{
    bool over = pipe->drops_rest && !pipe->mid_message;
    if (pipe->peer && !over) {
        zl_inproc_set_idle(pipe, true);
        if (has_input(pipe)) {
            zl_inproc_set_idle(pipe, false);
            return false;
        }
    }
    pipe->in_idle = true;
    zl_list_remove(&pipe->in_node);
    if (pipe->state == ZL_PIPE_ENDED)
        detach(pipe);
    return true;
}

bool zl_pipe_readable(struct zl_pipe *pipe)
{
    bool over = pipe->drops_rest && !pipe->mid_message;
    return (!over && has_input(pipe)) || !became_idle(pipe);
}

static inline void message_delivered(struct zl_pipe *pipe, size_t size)
{
    pipe->delivered++;
    if (pipe->peer)
        zl_inproc_delivered(pipe, size);
    else if (zl_unlikely(pipe->link && pipe->link->paused))
        zl_link_resume_locked(pipe->link);
}

/* No part is in the ring, or none that may be read. */
static zl_cold int read_rest(struct zl_pipe *pipe, struct zl_msg *msg)
{
    bool ended = pipe->state == ZL_PIPE_ENDED;
    if (!zl_pipe_readable(pipe))
        return ended ? -EPIPE : -EAGAIN;
    if (zl_ring_readable(&pipe->ring))
        return zl_pipe_read(pipe, msg);
    if (!take_newest(pipe, msg))
        return -EAGAIN;
    pipe->delivered++;
    pipe->traffic.bytes_in += zl_msg_size(msg);
    return 0;
}

int zl_pipe_read(struct zl_pipe *pipe, struct zl_msg *msg)
{
    if (zl_unlikely(!zl_ring_readable(&pipe->ring) || (pipe->drops_rest && !pipe->mid_message)))
        return read_rest(pipe, msg);
    *msg = *zl_ring_front(&pipe->ring);
    zl_ring_pop(&pipe->ring);
    size_t size = zl_msg_size(msg);
    if (pipe->peer)
        pipe->traffic.bytes_in += size;
    pipe->mid_message = msg->flags & ZL_MSG_MORE;
    if (!pipe->mid_message)
        message_delivered(pipe, size);
    return 0;
}
