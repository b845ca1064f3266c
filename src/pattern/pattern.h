/* SPDX-License-Identifier: MPL-2.0 */
/* The pattern interface: what PAIR, DEALER, PUB... do with the pipes of a socket.

   A pattern is one const table of operations. Its state is `state_size` zeroed bytes that the
   socket allocates with itself; zl_pattern_state(socket) gives them.

   Every operation runs under the socket's gate, on whichever thread holds it: a caller's, or the
   loop's. None may block, make system calls or run user code. Where a message has to be closed that
   might run a user's free function, it goes to zl_socket_dispose(socket, msg), which does it after
   the gate. */
#ifndef ZL_PATTERN_PATTERN_H
#define ZL_PATTERN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct zl_socket;
struct zl_pipe;
struct zl_msg;

enum zl_pattern_flags {
    ZL_PATTERN_CAN_SEND = 1,
    ZL_PATTERN_CAN_RECV = 2,
    ZL_PATTERN_SENDS_IDENTITY = 4,   /* READY carries the routing id */
    ZL_PATTERN_RAW = 8,              /* no ZMTP: octets as they come (STREAM) */
    ZL_PATTERN_THREAD_SAFE = 16,     /* single-part types without ZMQ_FD */
    ZL_PATTERN_NO_REDELIVERY = 32,   /* queued output is worthless after a reconnect (SUB, XSUB) */
    ZL_PATTERN_UNIQUE_CONNECT = 64,  /* a second connect to the same endpoint does nothing */
    ZL_PATTERN_REPLY_ENVELOPE = 128, /* connections are dropped when a reply lacks its envelope */
};

struct zl_pattern_ops {
    int type; /* ZMQ_PAIR ... */
    unsigned flags;
    size_t state_size;

    /* 0 or a negative errno. */
    int (*init)(struct zl_socket *socket);
    void (*destroy)(struct zl_socket *socket); /* pipes are gone already */

    /* Whether a connect may be made now: 0 or a negative errno (a routing id given in advance that is
       taken). Optional. */
    int (*check_connect)(struct zl_socket *socket);

    /* A pipe joins the socket. From now on it may be written, and read when it has input. A pattern
       that does not want it calls zl_pipe_reject (PAIR). */
    void (*attach)(struct zl_socket *socket, struct zl_pipe *pipe);
    /* The far end is there: after every handshake (again after a reconnect), and once for inproc.
       pipe->routing_id is the peer's. */
    void (*connected)(struct zl_socket *socket, struct zl_pipe *pipe);
    /* The connection of a connecting pipe was lost; it may come back. Optional. */
    void (*disconnected)(struct zl_socket *socket, struct zl_pipe *pipe);
    /* Nothing can be written any more; unread input may remain. */
    void (*ended)(struct zl_socket *socket, struct zl_pipe *pipe);
    /* The pipe leaves for good; forget it. Called after `ended`. */
    void (*detach)(struct zl_socket *socket, struct zl_pipe *pipe);

    /* The pipe has input (again). */
    void (*readable)(struct zl_socket *socket, struct zl_pipe *pipe);
    /* The pipe was full and takes messages again. */
    void (*writable)(struct zl_socket *socket, struct zl_pipe *pipe);

    /* Sends one part; `more`: others follow. 0: the message is taken (msg is empty now).
       -EAGAIN: cannot be sent now. Another negative errno: cannot be sent at all. On failure the
       caller keeps the message. */
    int (*send)(struct zl_socket *socket, struct zl_msg *msg, bool more);
    /* Receives one part into msg, which holds nothing. 0, -EAGAIN or another negative errno. The
       more flag is in msg->flags. */
    int (*recv)(struct zl_socket *socket, struct zl_msg *msg);
    /* What ZMQ_EVENTS reports. */
    bool (*can_send)(struct zl_socket *socket);
    bool (*can_recv)(struct zl_socket *socket);

    /* ROUTER: ZMQ_POLLOUT or 0 for the peer of that id, -EHOSTUNREACH. Optional. */
    int (*peer_state)(struct zl_socket *socket, const void *routing_id, size_t size);

    /* Options of the pattern's own. -EOPNOTSUPP: not mine, ask the generic table. NULL: none. */
    int (*set_option)(struct zl_socket *socket, int option, const void *value, size_t size);
    int (*get_option)(struct zl_socket *socket, int option, void *value, size_t *size);
};

/* The patterns; the table that maps a socket type to one of them is in core/ctx.c. */
extern const struct zl_pattern_ops zl_pair_ops;
extern const struct zl_pattern_ops zl_push_ops;
extern const struct zl_pattern_ops zl_pull_ops;
extern const struct zl_pattern_ops zl_dealer_ops;
extern const struct zl_pattern_ops zl_router_ops;
extern const struct zl_pattern_ops zl_req_ops;
extern const struct zl_pattern_ops zl_rep_ops;
extern const struct zl_pattern_ops zl_pub_ops;
extern const struct zl_pattern_ops zl_xpub_ops;
extern const struct zl_pattern_ops zl_sub_ops;
extern const struct zl_pattern_ops zl_xsub_ops;
extern const struct zl_pattern_ops zl_stream_ops;

#endif
