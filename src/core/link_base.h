/* SPDX-License-Identifier: MPL-2.0 */
/* What a link is: one connection of a socket. How it comes and goes is in core/link.h, messages over it
   in core/link_io.h.

   Fields marked [loop] belong to the socket's loop. The reading and the writing side are each claimed
   under the gate; the holder makes the system call, decodes or encodes without the gate, takes it again
   and publishes. So at most one read and one write is in flight per link, and no system call is made
   under a gate.

   A caller that finds a connection broken only marks it (`broken`) and posts the link's task: taking
   it down is the loop's work. A link is freed on the loop only, when both claims are free. */
#ifndef ZL_CORE_LINK_BASE_H
#define ZL_CORE_LINK_BASE_H

#include "base/list.h"
#include "core/msg.h"
#include "io/loop.h"
#include "transport/stream.h"
#include "wire/zws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zl_socket;
struct zl_pipe;
struct zl_listener;
struct zl_options;
struct zl_transport_ops;
struct zl_handshake;
struct zl_resolution;
struct zl_staging;

/* What a PONG gives back: 16 octets in ZMTP, a control payload in WebSocket. */
#define ZL_PONG_CONTEXT_MAX ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX
/* Room for a PONG and a PING of either. */
#define ZL_CONTROL_SIZE (ZL_WEBSOCKET_CONTROL_MAX + 16)

struct zl_tls_context;

enum zl_link_state {
    ZL_LINK_NEW,
    ZL_LINK_AWAIT_RETRY,
    ZL_LINK_AWAIT_ADDRESS,
    ZL_LINK_AWAIT_CONNECTION,
    ZL_LINK_AWAIT_TLS,
    ZL_LINK_AWAIT_HANDSHAKE, /* greeting, then mechanism or identity: core/handshake.h */
    ZL_LINK_READY,
    ZL_LINK_DEAD,
};

/* What the reading side knows between two reads. Owned by the holder of the read claim. */
struct zl_link_reader {
    uint8_t *partial; /* an incomplete frame, or what followed the handshake */
    size_t partial_size;
    struct zl_content *body; /* a long body that is read straight into its final memory, or the
                                fragments of one so far */
    size_t body_filled;
    uint64_t body_size; /* of the frame, or up to the end of the fragment */
    uint32_t body_mask; /* WebSocket: of the next octet */
    uint8_t body_flags;
    bool fragmented;          /* further fragments of the body follow */
    struct zl_zws_reader zws; /* WebSocket */
    uint16_t close_code;      /* WebSocket: of the peer's goodbye */
    bool in_message;          /* parts of an unfinished message are in the ring */
    unsigned frame_index;     /* in the current message, for the envelope check */
};

struct zl_link {
    /* Constant. */
    struct zl_socket *socket; /* counted */
    struct zl_loop *loop;
    const struct zl_transport_ops *transport;
    const struct zl_options *options; /* snapshot, counted */
    struct zl_listener *listener;     /* NULL for a connecting link; [loop] */
    char *uri;                        /* connect: as given; accepted: the listener's endpoint */
    const char *address;              /* the part of uri behind :// */
    bool raw;                         /* octets instead of ZMTP */
    bool websocket;                   /* ZWS instead of ZMTP framing */
    struct zl_tls_context *tls;       /* counted; NULL without TLS */
    bool accepted;                    /* by a listener; else it connects */

    /* [loop] */
    enum zl_link_state state;
    struct zl_io io;
    uint32_t watched; /* events that the loop watches the descriptor for; 0: it does not */
    struct zl_task task;
    struct zl_garbage garbage;
    struct zl_timer timer;           /* retry, connect and handshake time */
    struct zl_timer heartbeat_timer; /* next PING */
    struct zl_timer timeout_timer;   /* silence after a PING */
    struct zl_timer ttl_timer;       /* silence the peer allows itself */
    struct zl_timer linger_timer;
    uint64_t activity_seen; /* activity when timeout_timer was started */
    uint64_t ttl_activity_seen;
    struct zl_handshake *handshake;
    struct zl_resolution *resolution;
    int retry_delay;  /* ms, of the last retry; 0 none yet */
    bool was_ready;   /* there was a connection before */
    char *local_name; /* for the monitor */
    char *remote_name;

    /* Guarded by the gate. */
    struct zl_list node;           /* socket->links */
    struct zl_list readable_node;  /* socket->readable_links */
    struct zl_list unflushed_node; /* socket->unflushed_links */
    struct zl_pipe *pipe;          /* counted; NULL before an accepted link is ready */
    uint64_t token;                /* in the pollset, while ready */
    bool ready;                    /* the data path may use it */
    bool reading;                  /* read claim */
    bool writing;                  /* write claim */
    bool readable;                 /* epoll said so, or the last read was full */
    bool hung_up;                  /* epoll said so: read until the end shows */
    bool paused;                   /* not read: the high-water mark is reached */
    bool blocked;                  /* the kernel said would-block */
    bool write_event;              /* it became writable while a write was in flight */
    bool stopping;                 /* disconnect, unbind or close asked for it */
    int stop_linger;               /* ms, -1 for ever; when stopping */
    int broken;                    /* negative errno; the loop takes it down */
    uint64_t activity;             /* grows with every read that brought something */
    bool ping_due;
    bool pong_due;
    bool ttl_due;      /* a PING with ttl came: the loop should start the timer */
    unsigned peer_ttl; /* ms */
    uint8_t pong_context[ZL_PONG_CONTEXT_MAX];
    uint8_t pong_context_size;

    /* Owned by the holder of the write claim. */
    bool output_watched;              /* EPOLLOUT is armed */
    uint8_t control[ZL_CONTROL_SIZE]; /* PING and PONG frames on their way */
    uint8_t control_size;
    uint8_t control_sent;
    struct zl_staging *staging; /* ZMTP 1.0: one re-encoded message */

    /* While ready; constant during a connection. */
    struct zl_stream stream;
    enum zl_zmtp_version version;
    struct zl_metadata *metadata; /* counted */
    struct zl_link_reader reader;
};

#endif
