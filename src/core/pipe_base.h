/* SPDX-License-Identifier: MPL-2.0 */
/* What a pipe is: one peer as the socket sees it. Inbound it has a ring of messages; outbound either
   the queue of encoded bytes of a connection (its link writes it), or the ring of another socket's
   pipe (inproc). What can be done with one is in core/pipe.h.

   All fields are guarded by the gate of the owning socket unless their comment says otherwise.
   References: the owning socket holds one until the pipe is detached, a link one while it uses the
   pipe, the other end of an inproc pair one. They are counted in core/socket_base.c, as a pipe keeps
   its socket alive, and a socket lets pipes go after its gate. */
#ifndef ZL_CORE_PIPE_BASE_H
#define ZL_CORE_PIPE_BASE_H

#include "base/list.h"
#include "core/outq.h"
#include "core/pace.h"
#include "core/ring.h"
#include "core/traffic.h"
#include "io/gate.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct zl_socket;
struct zl_link;

/* News from the other end of an inproc pair, collected in pipe->signals. */
enum {
    ZL_SIGNAL_READABLE = 1,
    ZL_SIGNAL_WRITABLE = 2,
    ZL_SIGNAL_ENDED = 4,
    ZL_SIGNAL_CONNECTED = 8,
};

/* rcvhwm of an inproc end that waits for its binder: only the sender's limit counts. */
#define ZL_HWM_UNBOUND (-1)

enum zl_pipe_state {
    ZL_PIPE_UNATTACHED, /* not yet, or no longer, known to the pattern */
    ZL_PIPE_OPEN,
    ZL_PIPE_ENDED, /* no output any more; unread input remains */
};

struct zl_pipe {
    /* Set once. Atomic because the other end of an inproc pair reads it without our gate: pairs with
       the exchange of `signals` (both sequentially consistent). */
    _Atomic(struct zl_socket *) socket;
    atomic_uint references;
    struct zl_list node;         /* in socket->pipes */
    struct zl_list release_node; /* in socket->released_pipes: references to give back after the */
    unsigned releases;           /* gate, as the last one may run free functions */
    bool releases_peer;          /* and one of the other end */
    bool conflate;               /* only the newest message counts; constant once attached */
    enum zl_pipe_state state;
    bool out_full;          /* found full; waits for the low-water mark */
    bool in_idle;           /* not in the pattern's set of readable pipes */
    bool mid_message;       /* the part last read has successors */
    bool drops_rest;        /* ends with the message that is being read */
    bool unread;            /* the pattern never reads it: its input is not kept */
    bool rejected;          /* the pattern does not want it; it ends soon */
    bool locally_initiated; /* made by our connect */
    bool is_connected;      /* `connected` has been called for the current connection */

    /* For the pattern's helpers: membership in the readable and the writable set. */
    struct zl_list in_node;
    struct zl_list out_node;
    bool matched;       /* fan-out: gets the message being sent */
    void *pattern_data; /* the pattern's own; it frees it in detach */

    uint8_t *routing_id; /* owned; NULL when the size is 0 */
    size_t routing_id_size;
    char *endpoint; /* text given to connect; owned, NULL for accepted ones */

    atomic_int sndhwm; /* 0: no limit; read by an inproc peer */
    uint64_t sent;     /* whole messages written */
    /* `sent` up to which there is room for sure, as far as was known at the last look; 0 to force a
       look. Only the other side makes more room, so nothing less has become true since. */
    uint64_t room_until;
    uint64_t delivered;  /* whole messages read */
    uint64_t received;   /* links: whole messages published to the ring */
    uint64_t dropped;    /* whole messages refused at the high-water mark */
    struct zl_pace pace; /* of senders that run far ahead */
    bool awaits_drain;   /* such a sender waits until the queue is empty */
    struct zl_traffic traffic;

    /* A connection. */
    struct zl_link *link; /* NULL while there is none */
    struct zl_outq outq;

    /* An inproc pair. */
    struct zl_pipe *peer; /* constant after creation; counted */
    atomic_int rcvhwm;    /* 0: no limit, ZL_HWM_UNBOUND: no peer yet; read by an inproc peer */
    uint64_t tell_at;     /* reader: `delivered` at which to look for a waiting writer */
    struct zl_pipe *next_signalled;   /* owned by whoever set the first signal bit */
    _Alignas(64) atomic_uint signals; /* set by the other end, taken by us */
    /* 1: we found the ring empty. We store, fence, look at the ring; the peer publishes, fences,
       looks here. */
    atomic_uint reader_idle;
    /* 1: we want to be told when `told_from` messages have been read. We store, fence, look at
       acknowledged; the reader acknowledges, fences, looks here. */
    atomic_uint writer_blocked;
    atomic_uint_fast64_t told_from;
    /* Messages read; stored by us for every message, read by the writer when it has to know. */
    _Alignas(64) atomic_uint_fast64_t acknowledged;

    /* CONFLATE: the newest message. Inproc: inbound, instead of the ring. Connection: outbound,
       while the queue holds one that is being written. A leaf lock, as an inproc writer has only
       its own gate. */
    struct zl_gate newest_lock;
    bool newest_waits;    /* guarded by newest_lock */
    struct zl_msg newest; /* guarded by newest_lock */

    struct zl_ring ring; /* inbound */
};

static inline struct zl_socket *zl_pipe_owner(struct zl_pipe *pipe)
{
    return atomic_load_explicit(&pipe->socket, memory_order_relaxed);
}

static inline void zl_pipe_acquire(struct zl_pipe *pipe)
{
    atomic_fetch_add_explicit(&pipe->references, 1, memory_order_relaxed);
}

void zl_pipe_release(struct zl_pipe *pipe); /* may free messages: outside every lock */

#endif
