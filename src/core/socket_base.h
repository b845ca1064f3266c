/* SPDX-License-Identifier: MPL-2.0 */
/* What a socket is: its state, its gate, its references and those of its pipes, the records of its
   endpoints, and waking who sleeps on it. What can be done with one is in core/socket.h and
   core/drive.h, above links and pipes; this is below them.

   Everything in it is guarded by its gate unless a comment says otherwise. The gate is held for short
   stretches of memory work. Around system calls it is let go: the reading or writing side of a link is
   claimed instead (core/link_base.h). */
#ifndef ZL_CORE_SOCKET_BASE_H
#define ZL_CORE_SOCKET_BASE_H

#include "base/branch.h"
#include "base/list.h"
#include "core/msg.h"
#include "core/options.h"
#include "core/outq.h"
#include "core/spent.h"
#include "core/traffic.h"
#include "io/gate.h"
#include "io/loop.h"
#include "io/pollset.h"
#include "io/spin.h"
#include "pattern/pattern.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct zl_ctx;
struct zl_pipe;
struct zl_link;
struct zl_monitor;

#define ZL_SOCKET_MAGIC 0xbaddecafu
#define ZL_SOCKET_DEAD 0xdeadbeefu

/* Unwritten or unread bytes between a sender and its only receiver that are likely to stay in a
   cache. */
#define ZL_AHEAD_BYTES ((uint64_t)1024 * 1024)

/* socket->signalled of a closed socket: nobody takes news in any more. */
#define ZL_SIGNALS_CLOSED ((struct zl_pipe *)1)

/* Bits of socket->sleeping. The others count its wakers: who is on the way to the futex sees that
   it was woken, though somebody else sleeps there again by then. */
enum {
    ZL_SLEEP_FUTEX = 1,   /* a caller sleeps on the word itself (no descriptors involved) */
    ZL_SLEEP_EVENTFD = 2, /* a caller sleeps in epoll or poll */
    ZL_SLEEP_FD_USER = 4, /* ZMQ_FD is not signalled and has to be at the next change */
    ZL_SLEEP_ANY = 7,
    ZL_SLEEP_WAKER = 8,
};

enum zl_endpoint_kind {
    ZL_ENDPOINT_LISTENER,
    ZL_ENDPOINT_LINK,
    ZL_ENDPOINT_INPROC_BOUND,
    ZL_ENDPOINT_INPROC_CONNECTED
};

/* One successful bind or connect. */
struct zl_endpoint {
    struct zl_list node;
    enum zl_endpoint_kind kind;
    void *object; /* struct zl_listener, zl_link; zl_pipe (counted) for inproc connections */
    char text[];
};

struct zl_socket {
    uint32_t magic;           /* first: programs probe foreign pointers for being a socket */
    unsigned fork_generation; /* of the process that made it */
    struct zl_gate gate;
    const struct zl_pattern_ops *ops;
    struct zl_ctx *ctx;
    atomic_uint references; /* the handle, every pipe, every link and listener */

    /* See io/gate.h zl_futex_wait. A sleeper sets its bit, fences and looks again; whoever publishes
       something fences and looks here (zl_socket_wake). */
    atomic_uint sleeping;
    /* Inproc pipes whose other end has news: a stack pushed by any thread, emptied under the gate.
       ZL_SIGNALS_CLOSED once the socket is closed. */
    _Atomic(struct zl_pipe *) signalled;

    bool terminated;    /* the context is being terminated */
    bool closed;        /* zmq_close was called */
    bool finished;      /* closed, and nothing is left to do */
    atomic_bool raw;    /* octets instead of ZMTP; for the connections made from now on */
    bool rcvmore;       /* the part last received has successors */
    bool sending_parts; /* the part last sent has successors */
    bool fd_user;       /* ZMQ_FD was asked for: no lease any more */
    bool wake_watched;  /* wake_fd is in the pollset */
    unsigned notify;    /* ZMQ_NOTIFY_*: connections announce themselves with an empty message */
    bool internal;      /* the library's own (monitor): not told about termination */

    struct zl_options options;
    struct zl_list pipes;
    struct zl_list released_pipes; /* with references to give back after the gate */
    struct zl_list endpoints;
    struct zl_list links; /* all links, in every state */
    unsigned listeners;
    char *last_endpoint;
    char *tls_error;           /* why TLS failed last; NULL: it has not */
    struct zl_retired retired; /* counters of pipes that are gone */

    /* Driving: see core/drive.h. */
    struct zl_loop *loop; /* home loop; constant once set */
    struct zl_pollset pollset;
    struct zl_io pollset_io; /* the pollset's entry in the loop */
    int wake_fd;             /* -1 until needed */
    bool leased;             /* the loop's entry is disarmed; callers drive */
    bool tick_listed;        /* the loop's tick looks after the lease */
    int tick_ms;             /* until the next */
    bool heartbeats;         /* a connection has sent or got a PING */
    bool driver_waits;       /* one of the waiting callers waits on the pollset */
    unsigned in_wait;        /* callers inside a wait */
    unsigned input_waits;    /* those of them that only input can help */
    unsigned fd_waiters;     /* those that look at or sleep on the pollset or the wake descriptor */
    struct zl_spin spin;
    uint64_t calls;          /* grows with every send and receive */
    uint64_t calls_at_sleep; /* on the futex */
    uint64_t collects;       /* grows when somebody collects the pollset's events */
    uint64_t collects_at_tick;
    bool look_due;            /* no collects for a tick: the next call looks, or loses the lease */
    struct zl_timer tick;     /* [loop] */
    struct zl_task tick_task; /* starts the tick */
    struct zl_list readable_links;  /* flagged readable, unclaimed, below the high-water mark */
    struct zl_list unflushed_links; /* bytes to write, unclaimed, kernel takes them */
    unsigned blocked_links;         /* bytes to write, kernel said would-block */
    unsigned since_drive;           /* messages received since links were last looked at */
    struct zl_slab *slab;           /* spare receive slab; the claim holder takes it along */
    struct zl_chunk_cache chunks;
    uint64_t inproc_bytes;        /* payload sent over inproc since the last look at the reader */
    struct zl_random_pool masks;  /* of WebSocket clients */
    struct zl_slab_filler filler; /* payloads on their way to inproc peers */
    struct zl_spent spent;        /* references of what was received, to be given back */

    /* Write now or gather: DESIGN.md idea 3. */
    bool flush_wanted;        /* a link has its first unwritten message */
    bool batch_full;          /* a link has a full batch, or its high-water mark was reached */
    bool batch_grown;         /* a batch has grown, and may have become too old */
    unsigned batch_growth;    /* messages since that was last looked at */
    bool flush_posted;        /* the loop has been told */
    uint64_t flush_ended;     /* ticks when the last write by a caller ended */
    uint64_t write_cost;      /* ticks that a small write takes on one link, smoothed */
    unsigned round_links;     /* links that the last round of writes went over */
    struct zl_pipe *borrower; /* during a send: its queue refers to the caller's memory */
    struct zl_task flush_task;
    struct zl_task drive_task;       /* the loop should drive flagged links */
    struct zl_task close_task;       /* [loop] after zmq_close */
    struct zl_garbage finished_item; /* [loop] */

    /* Messages and chunks to be released after the gate (free functions are user code). */
    struct zl_chunk *garbage;

    pthread_mutex_t monitor_lock; /* taken without the gate; inside it the monitor's own gate */
    struct zl_monitor *monitor;   /* guarded by monitor_lock */

    struct zl_list ctx_node;            /* guarded by ctx->lock */
    _Alignas(16) unsigned char state[]; /* the pattern's */
};

static inline void *zl_pattern_state(struct zl_socket *socket)
{
    return socket->state;
}

/* CONFLATE is set, and the type heeds it. */
static inline bool zl_socket_conflates(const struct zl_socket *socket)
{
    int type = socket->ops->type;
    return socket->options.conflate && (type == ZMQ_PUSH || type == ZMQ_PULL || type == ZMQ_SUB ||
                                        type == ZMQ_PUB || type == ZMQ_DEALER);
}

/* ---- Any thread, gate held or not ------------------------------------------------------------- */

void zl_socket_acquire(struct zl_socket *socket);
void zl_socket_release(struct zl_socket *socket);

/* Wakes whoever sleeps on this socket, and signals ZMQ_FD. Call after publishing the change. */
void zl_socket_wake(struct zl_socket *socket);

/* Gate held. The same for news that help nobody who only waits for input: room, a peer that has
   brought nothing yet. */
void zl_socket_wake_senders_locked(struct zl_socket *socket);

/* Keeps why TLS failed, for ZLINK_TLS_ERROR; "" leaves what is there. Takes the gate. */
void zl_socket_set_tls_error(struct zl_socket *socket, const char *reason);

/* ---- Gate held -------------------------------------------------------------------------------- */

/* Lets the gate go and releases what was disposed of meanwhile. */
void zl_socket_unlock_slow(struct zl_socket *socket);
static inline void zl_socket_unlock(struct zl_socket *socket)
{
    if (zl_unlikely(socket->garbage || !zl_list_empty(&socket->released_pipes)))
        zl_socket_unlock_slow(socket);
    else
        zl_gate_unlock(&socket->gate);
}
static inline void zl_socket_lock(struct zl_socket *socket)
{
    zl_gate_lock(&socket->gate);
}

/* Gives a reference to the pipe back after the gate; also_peer: and one to its other end. */
void zl_socket_release_pipe_locked(struct zl_socket *socket, struct zl_pipe *pipe, bool also_peer);

/* Gate held. 0, -ENOTSOCK once it is closed, or -ETERM once the context is shutting down. */
static inline int zl_socket_usable_locked(const struct zl_socket *socket)
{
    if (socket->closed || socket->terminated)
        return socket->closed ? -ENOTSOCK : -ETERM;
    return 0;
}

/* Closes the message after the gate, and makes it an empty one. */
void zl_socket_dispose_content(struct zl_socket *socket, struct zl_msg *msg);
static inline void zl_socket_dispose(struct zl_socket *socket, struct zl_msg *msg)
{
    bool holds_nothing = (msg->kind == ZL_MSG_BORROWED || msg->kind == ZL_MSG_INLINE) &&
                         !msg->metadata && !msg->group;
    if (holds_nothing)
        zl_msg_empty(msg);
    else
        zl_socket_dispose_content(socket, msg);
}

/* Tells the context once when a closed socket has no link and no listener left. */
void zl_socket_check_finished_locked(struct zl_socket *socket);

/* A record of a bind or connect. 0 or -ENOMEM. */
int zl_socket_add_endpoint_locked(struct zl_socket *socket, enum zl_endpoint_kind kind,
                                  const char *text, void *object);
/* Forgets the endpoint of that object. False if it is not there. */
bool zl_socket_drop_endpoint_locked(struct zl_socket *socket, const void *object);
int zl_socket_set_last_endpoint_locked(struct zl_socket *socket, const char *text);

#endif
