/* SPDX-License-Identifier: MPL-2.0 */
/* Sockets: sending and receiving. */
#include "core/socket.h"

#include "base/branch.h"
#include "base/clock.h"
#include "base/copy.h"
#include "core/drive.h"
#include "core/inproc_io.h"
#include "core/link_io.h"
#include "core/pipe.h"

#include <errno.h>

/* Links that have input wait at most this many received messages while others keep us busy. */
enum { DRIVE_EVERY = 64 };

/* A send that may not wait drives so often at most. */
enum { DRIVE_ONCE = 4 };

/* A sender over inproc looks how far its reader is after so many bytes. */
enum { LOOK_BYTES = 64 * 1024 };

/* A queue of more bytes lies in cold memory before it is written. */
#define CACHED_BYTES ((uint64_t)2 * 1024 * 1024)

/* ---- News ------------------------------------------------------------------------------------- */

static inline bool has_signals(struct zl_socket *socket)
{
    return atomic_load_explicit(&socket->signalled, memory_order_relaxed) != NULL;
}

static zl_cold void take_news(struct zl_socket *socket)
{
    zl_socket_take_signals_locked(socket);
    if (socket->look_due) {
        zl_drive_poll_locked(socket);
        /* The lease may have gone meanwhile, and a call that finds what it wants drives no more. */
        zl_drive_leave_locked(socket);
    }
}

/* What every send and receive begins with: news of inproc peers, and connections that nobody has
   looked at for long. */
static inline void begin_call(struct zl_socket *socket)
{
    socket->calls++;
    if (zl_unlikely(has_signals(socket) || socket->look_due))
        take_news(socket);
}

/* ---- Sending ---------------------------------------------------------------------------------- */

static uint64_t deadline_after(int timeout, int flags)
{
    if ((flags & ZMQ_DONTWAIT) || timeout == 0)
        return 0;
    return timeout < 0 ? ZL_NO_DEADLINE : zl_now_ms() + (uint64_t)timeout;
}

static bool is_over(uint64_t deadline)
{
    return deadline != ZL_NO_DEADLINE && (deadline == 0 || zl_now_ms() >= deadline);
}

static int usable_locked(const struct zl_socket *socket, unsigned ability)
{
    int rc = zl_socket_usable_locked(socket);
    if (zl_unlikely(rc < 0))
        return rc;
    return socket->ops->flags & ability ? 0 : -ENOTSUP;
}

/* Makes progress where a call cannot go on: takes news in, drives, or sleeps. 0: try again. */
static int make_progress(struct zl_socket *socket, uint64_t deadline, bool *polled, bool receiving)
{
    if (has_signals(socket)) {
        zl_socket_take_signals_locked(socket);
        return 0;
    }
    if (zl_drive_flagged_locked(socket))
        return 0;
    if (deadline == 0 && !*polled && !socket->fd_user) {
        *polled = true;
        if (zl_drive_poll_locked(socket))
            return 0;
    }
    return zl_drive_wait_locked(socket, deadline, receiving);
}

static zl_cold int send_slowly(struct zl_socket *socket, struct zl_msg *msg, bool more, int flags)
{
    uint64_t deadline = deadline_after(socket->options.sndtimeo, flags);
    bool polled = false;
    int rc = -EAGAIN;
    for (unsigned rounds = 1; rc == -EAGAIN; rounds++) {
        /* Input that nobody asked for is progress for ever. */
        if (rounds % (deadline ? DRIVE_EVERY : DRIVE_ONCE) == 0 && is_over(deadline))
            break;
        if (zl_list_empty(&socket->unflushed_links) || !zl_drive_flush_locked(socket)) {
            rc = make_progress(socket, deadline, &polled, false);
            if (rc < 0)
                break;
        }
        rc = usable_locked(socket, ZL_PATTERN_CAN_SEND);
        if (rc == 0)
            rc = socket->ops->send(socket, msg, more);
    }
    zl_drive_leave_locked(socket);
    return rc;
}

/* A sender of long messages that is far ahead of its only receiver waits a little for it: the messages
   stay in the caches, where a full queue of them (the high-water mark counts messages, not bytes)
   would lie in cold memory, and they go to the kernel without a copy. Where there are several
   receivers none may hold up the others. NULL: no wait. */
static struct zl_pipe *pipe_to_wait_for(struct zl_socket *socket, int flags)
{
    bool may_wait = !(flags & ZMQ_DONTWAIT) && socket->options.sndtimeo != 0;
    bool single = socket->pipes.next == socket->pipes.prev && !zl_list_empty(&socket->pipes);
    if (!may_wait || !single)
        return NULL;
    struct zl_pipe *pipe = zl_container_of(socket->pipes.next, struct zl_pipe, node);
    return pipe->state == ZL_PIPE_OPEN && !pipe->conflate ? pipe : NULL;
}

static bool pipe_socket_fans_out(const struct zl_pipe *pipe)
{
    int type = pipe->link->socket->ops->type;
    return type == ZMQ_PUB || type == ZMQ_XPUB;
}

/* A connection: until the kernel has taken what is queued. Only what has to be copied otherwise is
   worth waiting for, or a queue that has become long. */
static bool waits_for_kernel(struct zl_pipe *pipe, const struct zl_msg *msg)
{
    const struct zl_link *link = pipe->link;
    if (!link || !link->ready)
        return false;
    bool copied_anyway = pipe_socket_fans_out(pipe);
    if (msg->kind == ZL_MSG_BORROWED && !copied_anyway && !zl_link_writes_directly(link))
        return true;
    return zl_outq_pending(&pipe->outq) > ZL_AHEAD_BYTES;
}

static bool is_behind(struct zl_pipe *pipe)
{
    if (pipe->peer)
        return zl_inproc_is_still_ahead(pipe);
    pipe->awaits_drain = pipe->link && pipe->link->ready &&
                         (zl_outq_pending(&pipe->outq) > 0 || pipe->link->writing);
    return pipe->awaits_drain;
}

static void wait_until_caught_up(struct zl_socket *socket, struct zl_pipe *pipe)
{
    if (!zl_pace_allows(&pipe->pace))
        return;
    zl_pipe_acquire(pipe); /* it may go away meanwhile */
    uint64_t deadline = zl_now_ms() + (uint64_t)zl_pace_patience_ms();
    int rc = 0;
    while (rc == 0 && pipe->state == ZL_PIPE_OPEN && is_behind(pipe) &&
           usable_locked(socket, ZL_PATTERN_CAN_SEND) == 0) {
        rc = zl_drive_wait_locked(socket, deadline, false);
        if (rc == 0 && is_over(deadline))
            rc = -EAGAIN;
        zl_socket_take_signals_locked(socket);
    }
    pipe->awaits_drain = false;
    zl_pace_result(&pipe->pace, rc == -EAGAIN);
    zl_drive_leave_locked(socket);
    zl_socket_release_pipe_locked(socket, pipe, false);
}

static zl_cold void before_long_send(struct zl_socket *socket, const struct zl_msg *msg, int flags)
{
    struct zl_pipe *pipe = pipe_to_wait_for(socket, flags);
    if (pipe && !pipe->peer && waits_for_kernel(pipe, msg))
        wait_until_caught_up(socket, pipe);
}

/* Until when a write of so many bytes may wait for the kernel: a receiver that takes a quarter of a
   gigabyte per second is waited for to the end. */
static uint64_t patience_for(const struct zl_socket *socket, size_t size)
{
    uint64_t limit = (uint64_t)zl_pace_patience_ms() + (uint64_t)(size >> 18);
    int timeout = socket->options.sndtimeo;
    if (timeout >= 0 && limit > (uint64_t)timeout)
        limit = (uint64_t)timeout;
    return zl_now_ms() + limit;
}

/* Until when a batch of short messages may wait for the kernel. Messages of which a full queue fits
   into the caches need not: there the sender goes on while the receiver catches up. */
static zl_cold uint64_t patience_for_batch(struct zl_socket *socket, size_t size, int flags)
{
    struct zl_pipe *pipe = socket->batch_full ? pipe_to_wait_for(socket, flags) : NULL;
    if (!pipe || pipe->peer)
        return 0;
    uint64_t limit = (uint64_t)atomic_load_explicit(&pipe->sndhwm, memory_order_relaxed);
    return limit && limit * size <= CACHED_BYTES ? 0 : patience_for(socket, size);
}

/* Also after many bytes over inproc, in messages of any size. */
static zl_cold void after_long_send(struct zl_socket *socket, size_t size, bool more, int flags)
{
    uint64_t until = pipe_to_wait_for(socket, flags) ? patience_for(socket, size) : 0;
    if (socket->borrower) {
        zl_drive_write_borrowed_locked(socket, until);
        return;
    }
    if (more)
        return;
    /* Long enough for a write of its own. */
    socket->batch_full |= socket->flush_wanted && size >= ZL_WRITE_ALONE_MIN;
    zl_drive_after_send_locked(socket, until);
    socket->inproc_bytes = 0;
    struct zl_pipe *pipe = pipe_to_wait_for(socket, flags); /* the gate was let go */
    if (pipe && pipe->peer && zl_inproc_is_ahead(pipe, size))
        wait_until_caught_up(socket, pipe);
}

int zl_socket_send(struct zl_socket *socket, struct zl_msg *msg, int flags)
{
    bool more = flags & ZMQ_SNDMORE;
    zl_socket_lock(socket);
    size_t size = zl_msg_size(msg);
    begin_call(socket);
    if (zl_unlikely(size >= ZL_WRITE_ALONE_MIN))
        before_long_send(socket, msg, flags);
    int rc = usable_locked(socket, ZL_PATTERN_CAN_SEND);
    if (zl_likely(rc == 0))
        rc = socket->ops->send(socket, msg, more);
    if (zl_unlikely(rc == -EAGAIN))
        rc = send_slowly(socket, msg, more, flags);
    if (zl_likely(rc == 0)) {
        socket->sending_parts = more;
        zl_drive_note_send();
        if (zl_unlikely(size >= ZL_WRITE_ALONE_MIN || socket->inproc_bytes >= LOOK_BYTES))
            after_long_send(socket, size, more, flags);
        else if (!more && (socket->flush_wanted || socket->batch_full || socket->batch_grown))
            zl_drive_after_send_locked(socket, patience_for_batch(socket, size, flags));
    }
    zl_socket_unlock(socket);
    return rc;
}

/* ---- Receiving -------------------------------------------------------------------------------- */

static zl_cold int recv_slowly(struct zl_socket *socket, struct zl_msg *msg, int flags)
{
    uint64_t deadline = deadline_after(socket->options.rcvtimeo, flags);
    bool polled = false;
    int rc = -EAGAIN;
    zl_drive_lease_locked(socket);
    for (unsigned rounds = 1; rc == -EAGAIN; rounds++) {
        /* A flood of what the pattern filters out is progress for ever. */
        if (rounds % DRIVE_EVERY == 0 && is_over(deadline))
            break;
        rc = make_progress(socket, deadline, &polled, true);
        if (rc == 0)
            rc = usable_locked(socket, ZL_PATTERN_CAN_RECV);
        else
            break;
        if (rc == 0)
            rc = socket->ops->recv(socket, msg);
    }
    zl_drive_leave_locked(socket);
    return rc;
}

/* More input waits behind what has been received. */
static zl_cold void drive_now_and_then(struct zl_socket *socket)
{
    if (++socket->since_drive < DRIVE_EVERY)
        return;
    socket->since_drive = 0;
    zl_drive_flagged_locked(socket);
    zl_drive_leave_locked(socket);
}

static inline int recv_locked(struct zl_socket *socket, struct zl_msg *msg, int flags)
{
    begin_call(socket);
    int rc = usable_locked(socket, ZL_PATTERN_CAN_RECV);
    if (zl_likely(rc == 0))
        rc = socket->ops->recv(socket, msg);
    if (zl_unlikely(rc == -EAGAIN))
        rc = recv_slowly(socket, msg, flags);
    if (zl_unlikely(rc < 0))
        return rc;
    socket->rcvmore = msg->flags & ZL_MSG_MORE;
    if (zl_unlikely(!zl_list_empty(&socket->readable_links)))
        drive_now_and_then(socket);
    return 0;
}

int zl_socket_recv(struct zl_socket *socket, struct zl_msg *msg, int flags)
{
    zl_socket_lock(socket);
    int rc = recv_locked(socket, msg, flags);
    zl_socket_unlock(socket);
    return rc;
}

static inline int64_t copy_out(const struct zl_msg *msg, void *buffer, size_t capacity)
{
    size_t size = zl_msg_size(msg);
    zl_copy(buffer, zl_msg_bytes(msg), size < capacity ? size : capacity);
    return (int64_t)size;
}

/* Short payloads are copied out under the gate, and what they held is given back many at a time. */
static int64_t take_short(struct zl_socket *socket, struct zl_msg *msg, void *buffer,
                          size_t capacity)
{
    int64_t size = copy_out(msg, buffer, capacity);
    zl_spent_add(&socket->spent, msg);
    return size;
}

static zl_cold int64_t take_long(struct zl_msg *msg, void *buffer, size_t capacity)
{
    int64_t size = copy_out(msg, buffer, capacity);
    zl_msg_close(msg);
    return size;
}

int64_t zl_socket_recv_buffer(struct zl_socket *socket, void *buffer, size_t capacity, int flags)
{
    struct zl_msg msg;
    zl_socket_lock(socket);
    int64_t rc = recv_locked(socket, &msg, flags);
    bool is_short = rc == 0 && zl_spent_takes(&msg);
    if (is_short)
        rc = take_short(socket, &msg, buffer, capacity);
    zl_socket_unlock(socket);
    return rc < 0 || is_short ? rc : take_long(&msg, buffer, capacity);
}

int zl_socket_peer_state(struct zl_socket *socket, const void *routing_id, size_t size)
{
    if (!socket->ops->peer_state)
        return -ENOTSUP;
    zl_socket_lock(socket);
    zl_socket_take_signals_locked(socket);
    int rc = socket->ops->peer_state(socket, routing_id, size);
    zl_socket_unlock(socket);
    return rc;
}

int zl_socket_events_locked(struct zl_socket *socket)
{
    const struct zl_pattern_ops *ops = socket->ops;
    int events = 0;
    if (ops->can_recv && ops->can_recv(socket))
        events |= ZMQ_POLLIN;
    if (ops->can_send && ops->can_send(socket))
        events |= ZMQ_POLLOUT;
    return events;
}
