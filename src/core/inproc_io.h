/* SPDX-License-Identifier: MPL-2.0 */
/* Messages between the two pipes of an inproc pair. Each pipe has the ring in which its own side
   receives; a pipe's writer puts messages into `pipe->peer->ring` and holds only its own gate.

   Short payloads are copied into slabs of the writing socket (core/slab.h), so neither side calls the
   allocator for them; long ones are referenced.

   Who tells whom, without a lock: each "I am idle" or "I am blocked" flag is stored, fenced, and
   followed by a second look; whoever publishes something publishes, fences, and looks at the flag.

   All functions need the gate of the socket that owns `pipe`, zl_inproc_signal excepted. */
#ifndef ZL_CORE_INPROC_IO_H
#define ZL_CORE_INPROC_IO_H

#include "base/branch.h"
#include "base/fence.h"
#include "core/pipe_base.h"

#include <stdbool.h>
#include <stddef.h>

struct zl_msg;
struct zl_socket;

/* Whether a new message may begin. Before a "no" the reader has been asked to tell when half of the
   limit is free. */
bool zl_inproc_can_write(struct zl_pipe *pipe);

/* Writes one part; a complete message becomes visible to the reader, who is told if it is idle. On
   success msg is empty; -ENOMEM: msg stays with the caller, nothing of the message is left. */
int zl_inproc_write(struct zl_pipe *pipe, struct zl_msg *msg, bool more);

/* For fan-out: moves a short payload into a slab of the socket, so that copies of the message share it.
   0 or -ENOMEM with msg unchanged. */
int zl_inproc_stage(struct zl_socket *socket, struct zl_msg *msg);

/* Takes back the parts of an unfinished message. */
void zl_inproc_rollback(struct zl_pipe *pipe);

/* The reader of `peer` may have something new to read: tells it if it is idle. */
static inline void zl_inproc_wake_reader(struct zl_pipe *peer);

/* Reader: found nothing, and says so. The caller looks once more, and takes it back (idle = false) if
   it found something after all. */
void zl_inproc_set_idle(struct zl_pipe *pipe, bool idle);

/* Reader: a whole message has been taken out; `size` is that of its last part. */
static inline void zl_inproc_delivered(struct zl_pipe *pipe, size_t size);

/* Whether the writer is so far ahead of its reader, with messages of about `size` bytes, that the memory
   in between is more than a cache holds. Asks the reader to tell when half of that is read. */
bool zl_inproc_is_ahead(struct zl_pipe *pipe, size_t size);

/* Whether that half is still to be read; asks again if that may have been forgotten. */
bool zl_inproc_is_still_ahead(struct zl_pipe *pipe);

/* Tells the owner of this inproc end the news. No gate is needed. */
void zl_inproc_signal(struct zl_pipe *pipe, unsigned signals);

/* ---- Inline, as every message passes ---------------------------------------------------------- */

enum { ZL_INPROC_LONG = 8192 };

void zl_inproc_tell_writer(struct zl_pipe *pipe);

static inline void zl_inproc_wake_reader(struct zl_pipe *peer)
{
    /* Publish, fence, look: pairs with zl_inproc_set_idle. */
    zl_fence();
    if (zl_unlikely(atomic_load_explicit(&peer->reader_idle, memory_order_relaxed)) &&
        atomic_exchange(&peer->reader_idle, 0))
        zl_inproc_signal(peer, ZL_SIGNAL_READABLE);
}

static inline void zl_inproc_delivered(struct zl_pipe *pipe, size_t size)
{
    /* release: the slots and payloads of what was read are the writer's again; pairs with the
       acquire in the writer's look */
    atomic_store_explicit(&pipe->acknowledged, pipe->delivered, memory_order_release);
    if (pipe->delivered >= pipe->tell_at || size >= ZL_INPROC_LONG)
        zl_inproc_tell_writer(pipe);
}

#endif
