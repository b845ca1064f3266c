/* SPDX-License-Identifier: MPL-2.0 */
/* Messages between inproc pipes. */
#include "core/inproc_io.h"

#include "base/branch.h"
#include "base/copy.h"
#include "base/fence.h"
#include "core/socket_base.h"
#include "io/gate.h"

#include <errno.h>

enum {
    COPY_MAX = 1024, /* counted payloads up to here are cheaper copied than shared */
    TELL_EVERY = 64, /* messages between two looks for a waiting writer */
};

/* ---- News ------------------------------------------------------------------------------------- */

void zl_inproc_signal(struct zl_pipe *pipe, unsigned signals)
{
    if (atomic_fetch_or(&pipe->signals, signals) != 0)
        return; /* already on its way */
    struct zl_socket *socket = atomic_load(&pipe->socket);
    if (!socket)
        return;            /* the binder looks at the signals itself when it attaches the pipe */
    zl_pipe_acquire(pipe); /* the stack's reference */
    struct zl_pipe *head = atomic_load_explicit(&socket->signalled, memory_order_relaxed);
    do {
        if (head == ZL_SIGNALS_CLOSED) {
            zl_pipe_release(pipe); /* never the last: the caller's end holds one */
            return;
        }
        pipe->next_signalled = head;
        /* release: pairs with the acquire exchange in zl_socket_take_signals_locked */
    } while (!atomic_compare_exchange_weak_explicit(&socket->signalled, &head, pipe,
                                                    memory_order_release, memory_order_relaxed));
    zl_socket_wake(socket);
}

/* ---- Room ------------------------------------------------------------------------------------- */

/* The limit of a direction is the sum of both shares; no limit on one side is no limit. */
static uint64_t limit_of(const struct zl_pipe *writer, const struct zl_pipe *reader)
{
    int sndhwm = atomic_load_explicit(&writer->sndhwm, memory_order_relaxed);
    int rcvhwm = atomic_load_explicit(&reader->rcvhwm, memory_order_relaxed);
    if (rcvhwm == ZL_HWM_UNBOUND)
        return (uint64_t)sndhwm;
    if (sndhwm == 0 || rcvhwm == 0 || sndhwm > INT32_MAX - rcvhwm)
        return 0;
    return (uint64_t)sndhwm + (uint64_t)rcvhwm;
}

static uint64_t unread(const struct zl_pipe *pipe)
{
    /* acquire: pairs with the release in zl_inproc_delivered */
    return pipe->sent - atomic_load_explicit(&pipe->peer->acknowledged, memory_order_acquire);
}

static bool has_room(struct zl_pipe *pipe, uint64_t limit)
{
    uint64_t waiting = unread(pipe);
    if (limit != 0 && waiting >= limit)
        return false;
    pipe->room_until = limit ? pipe->sent + (limit - waiting) : UINT64_MAX;
    return true;
}

/* "Tell me when this many have been read", fence; the caller takes its second look. Pairs with
   zl_inproc_tell_writer and zl_inproc_set_idle. */
static void ask_to_be_told(struct zl_pipe *pipe, uint64_t wanted)
{
    atomic_store_explicit(&pipe->told_from, wanted, memory_order_relaxed);
    /* release: the reader that sees the flag sees what is wanted */
    atomic_store_explicit(&pipe->writer_blocked, 1, memory_order_release);
    zl_fence();
}

bool zl_inproc_can_write(struct zl_pipe *pipe)
{
    uint64_t limit = limit_of(pipe, pipe->peer);
    if (has_room(pipe, limit))
        return true;
    /* At half, so that a blocked writer is not woken for every single message. */
    ask_to_be_told(pipe, pipe->sent - limit / 2);
    if (!has_room(pipe, limit))
        return false;
    atomic_store_explicit(&pipe->writer_blocked, 0, memory_order_relaxed);
    return true;
}

/* Reader's side, after the fence: the writer may wait for what has been read. */
static void tell_if_enough(struct zl_pipe *pipe, uint64_t *next)
{
    struct zl_pipe *writer = pipe->peer;
    if (!atomic_load_explicit(&writer->writer_blocked, memory_order_acquire))
        return;
    uint64_t wanted = atomic_load_explicit(&writer->told_from, memory_order_relaxed);
    if (pipe->delivered < wanted) {
        if (wanted < *next)
            *next = wanted;
    } else if (atomic_exchange(&writer->writer_blocked, 0)) {
        zl_inproc_signal(writer, ZL_SIGNAL_WRITABLE);
    }
}

void zl_inproc_tell_writer(struct zl_pipe *pipe)
{
    uint64_t step = (limit_of(pipe->peer, pipe) + 1) / 2;
    if (step == 0 || step > TELL_EVERY)
        step = TELL_EVERY;
    uint64_t next = pipe->delivered + step;
    /* `acknowledged` is published; fence, look: pairs with ask_to_be_told. */
    zl_fence();
    tell_if_enough(pipe, &next);
    pipe->tell_at = next;
}

void zl_inproc_set_idle(struct zl_pipe *pipe, bool idle)
{
    atomic_store_explicit(&pipe->reader_idle, idle, memory_order_relaxed);
    if (!idle)
        return;
    /* Pairs with zl_inproc_wake_reader, and with ask_to_be_told. */
    zl_fence();
    tell_if_enough(pipe, &pipe->tell_at);
}

bool zl_inproc_is_ahead(struct zl_pipe *pipe, size_t size)
{
    uint64_t ahead = unread(pipe);
    /* On one core a turn costs little and a small cache pays; else waking the writer takes as long as
       reading some hundred kilobytes. */
    uint64_t most = zl_usable_cpus() == 1 ? ZL_AHEAD_BYTES / 4 : ZL_AHEAD_BYTES;
    if (ahead * size < most)
        return false;
    ask_to_be_told(pipe, pipe->sent - ahead / 2);
    return zl_inproc_is_still_ahead(pipe);
}

bool zl_inproc_is_still_ahead(struct zl_pipe *pipe)
{
    uint64_t wanted = atomic_load_explicit(&pipe->told_from, memory_order_relaxed);
    if (pipe->sent - unread(pipe) >= wanted)
        return false;
    if (atomic_load_explicit(&pipe->writer_blocked, memory_order_relaxed))
        return true;
    /* What the reader answered was an earlier question, and it took this one for the same. */
    ask_to_be_told(pipe, wanted);
    return pipe->sent - unread(pipe) < wanted;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

/* Lies in the slab that the socket fills now (zl_inproc_stage): copies of it may share that. */
static inline bool is_staged(const struct zl_socket *socket, const struct zl_msg *msg)
{
    return msg->kind == ZL_MSG_SLICE && msg->u.ref.owner == socket->filler.current;
}

static zl_cold int store_whole(struct zl_socket *socket, struct zl_msg *slot, struct zl_msg *msg)
{
    int rc = is_staged(socket, msg) ? 0 : zl_msg_detach(msg);
    if (rc < 0)
        return rc;
    zl_msg_clear_metadata(msg);
    zl_msg_take(slot, msg);
    return 0;
}

/* Copies the payload into a slab of the writing socket. */
static int put(struct zl_socket *socket, struct zl_msg *slot, struct zl_msg *msg)
{
    struct zl_slab *slab;
    size_t size = zl_msg_size(msg);
    uint8_t *place = zl_slab_put(&socket->filler, zl_msg_bytes(msg), (uint32_t)size, &slab);
    if (!place)
        return -ENOMEM;
    zl_msg_init(slot);
    slot->kind = ZL_MSG_SLICE;
    slot->routing_id = msg->routing_id;
    slot->u.ref.data = place;
    slot->u.ref.size = size;
    slot->u.ref.owner = slab;
    return 0;
}

int zl_inproc_stage(struct zl_socket *socket, struct zl_msg *msg)
{
    struct zl_msg staged;
    int rc = put(socket, &staged, msg);
    if (rc < 0)
        return rc;
    zl_socket_dispose(socket, msg);
    *msg = staged;
    return 0;
}

/* What is not the library's own to keep, or so short that sharing would cost more, is copied. */
static inline bool is_copied(const struct zl_socket *socket, const struct zl_msg *msg, size_t size)
{
    if (msg->group)
        return false;
    if (msg->kind == ZL_MSG_CONTENT || msg->kind == ZL_MSG_CONSTANT)
        return size < COPY_MAX;
    return size < ZL_MSG_SLICE_MIN && !is_staged(socket, msg);
}

/* The payload fits into the slot. */
static inline void put_inline(struct zl_socket *socket, struct zl_msg *slot, struct zl_msg *msg,
                              size_t size)
{
    zl_msg_init(slot);
    slot->routing_id = msg->routing_id;
    slot->inline_size = (uint8_t)size;
    zl_copy(slot->u.inline_data, zl_msg_bytes(msg), size);
    zl_socket_dispose(socket, msg);
}

/* Moves the message into the slot. */
static inline int store(struct zl_pipe *pipe, struct zl_msg *slot, struct zl_msg *msg)
{
    struct zl_socket *socket = zl_pipe_owner(pipe);
    size_t size = zl_msg_size(msg);
    socket->inproc_bytes += size;
    if (size <= ZL_MSG_INLINE_MAX && !msg->group) {
        put_inline(socket, slot, msg, size);
        pipe->outq.bytes_copied += size;
        return 0;
    }
    if (!is_copied(socket, msg, size))
        return store_whole(socket, slot, msg);
    int rc = put(socket, slot, msg);
    if (rc < 0)
        return rc;
    pipe->outq.bytes_copied += size;
    zl_socket_dispose(socket, msg);
    return 0;
}

int zl_inproc_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more)
{
    struct zl_pipe *peer = pipe->peer;
    struct zl_msg *slot = zl_ring_slot(&peer->ring);
    if (zl_unlikely(!slot || store(pipe, slot, msg) < 0)) {
        zl_inproc_rollback(pipe);
        return -ENOMEM;
    }
    slot->flags = more ? ZL_MSG_MORE : 0;
    pipe->traffic.bytes_out += zl_msg_size(slot);
    zl_ring_push(&peer->ring);
    if (more)
        return 0;
    zl_ring_commit(&peer->ring);
    zl_ring_publish(&peer->ring);
    pipe->sent++;
    zl_inproc_wake_reader(peer);
    return 0;
}

static void dispose_part(void *socket, struct zl_msg *part)
{
    zl_socket_dispose(socket, part);
}

void zl_inproc_rollback(struct zl_pipe *pipe)
{
    zl_ring_rollback_with(&pipe->peer->ring, dispose_part, zl_pipe_owner(pipe));
}
