/* SPDX-License-Identifier: MPL-2.0 */
/* What is done with a pipe (core/pipe_base.h): its life in the socket, and reading and writing for the
   patterns. The gate of the owning socket is held, except in the first two functions. */
#ifndef ZL_CORE_PIPE_H
#define ZL_CORE_PIPE_H

#include "base/branch.h"
#include "core/pipe_base.h"

#include <stdbool.h>
#include <stddef.h>

struct zl_msg;
struct zl_socket;

/* One reference. NULL when out of memory. */
struct zl_pipe *zl_pipe_new(struct zl_socket *socket, int sndhwm, int rcvhwm);

/* 0 or -ENOMEM. */
int zl_pipe_set_routing_id(struct zl_pipe *pipe, const void *id, size_t size);

/* Puts the pipe into the socket and tells the pattern. */
void zl_pipe_attach_locked(struct zl_pipe *pipe);

/* The far end is complete. */
void zl_pipe_connected_locked(struct zl_pipe *pipe);

/* The connection of a connecting pipe is lost: takes back what it brought of an unfinished message,
   and keeps or drops the queue as the pattern wants. */
void zl_pipe_disconnected_locked(struct zl_pipe *pipe);

/* Parts were published to the ring. */
void zl_pipe_input_locked(struct zl_pipe *pipe);

/* The link took bytes out of the queue: may end the state "full". */
void zl_pipe_drained_locked(struct zl_pipe *pipe);

/* What the other end has told. */
void zl_pipe_take_signals_locked(struct zl_pipe *pipe);

/* Takes in the news of all inproc peers of the socket. */
void zl_socket_take_signals_locked(struct zl_socket *socket);

/* The same for the last time: the socket is closed, and peers keep their news from now on. */
void zl_socket_refuse_signals_locked(struct zl_socket *socket);

/* New high-water marks of the owning socket. */
void zl_pipe_set_hwm_locked(struct zl_pipe *pipe, int sndhwm, int rcvhwm);

/* No more output. Detaches at once when nothing is left to read, or when drop_input. */
void zl_pipe_end_locked(struct zl_pipe *pipe, bool drop_input);

/* ---- For patterns; gate held ------------------------------------------------------------------ */

/* Whether a new message may begin. Remembers a "no", so that `writable` comes later. */
bool zl_pipe_can_write_now(struct zl_pipe *pipe);
static inline bool zl_pipe_can_write(struct zl_pipe *pipe)
{
    return zl_likely(pipe->sent < pipe->room_until) || zl_pipe_can_write_now(pipe);
}

/* Before a message is dropped for want of room: whether it may be queued all the same. Messages of a
   write in flight count against the mark until it returns, although the peer may have them by now; so
   up to the mark is allowed once more. */
bool zl_pipe_may_overfill(const struct zl_pipe *pipe);

/* Writes one part; the caller has asked zl_pipe_can_write before the first one. On success the
   message is empty. -ENOMEM: the message stays with the caller, what was written of it is rolled
   back. -EPIPE: the pipe has ended. */
int zl_pipe_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more);

/* PROBE_ROUTER: an empty message, before everything else on a new pipe. */
void zl_pipe_write_probe(struct zl_pipe *pipe);

/* Takes back the parts of an unfinished message. */
void zl_pipe_rollback(struct zl_pipe *pipe);

/* Writes a subscription or a cancellation in the form the peer understands. Not subject to the
   high-water mark. 0 or -ENOMEM. */
int zl_pipe_write_subscription(struct zl_pipe *pipe, bool subscribe, const void *topic,
                               size_t size);

/* Reads one part into msg, which holds nothing. -EAGAIN: nothing there (the pipe is idle then, and
   `readable` will be called). When the pipe has ended and is empty it is detached: -EPIPE, and the
   pipe must not be touched any more. */
int zl_pipe_read(struct zl_pipe *pipe, struct zl_msg *msg);

/* Whether zl_pipe_read would return a part. Same side effects as a failing zl_pipe_read. */
bool zl_pipe_readable(struct zl_pipe *pipe);

/* The pattern does not want this peer: its connection is closed. */
void zl_pipe_reject(struct zl_pipe *pipe);

#endif
