/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink.h: what zlink offers beyond the interface of libzmq (zmq.h). Conventions are those of
 * zmq.h. A program that uses this header does not run on other implementations.
 *
 * Numbers: socket and context options of zlink start at 1000, so that they never meet one of
 * libzmq.
 */
#ifndef ZLINK_H_INCLUDED
#define ZLINK_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

/* The version of this header; zlink_version() tells that of the library in use. */
#define ZLINK_VERSION_MAJOR 0
#define ZLINK_VERSION_MINOR 1
#define ZLINK_VERSION_PATCH 0

/* Marks what the library exports. */
#if defined ZMQ_NO_EXPORT
#define ZLINK_EXPORT
#elif defined _WIN32
#if defined ZMQ_STATIC
#define ZLINK_EXPORT
#elif defined DLL_EXPORT
#define ZLINK_EXPORT __declspec(dllexport)
#else
#define ZLINK_EXPORT __declspec(dllimport)
#endif
#elif defined __GNUC__ && __GNUC__ >= 4
#define ZLINK_EXPORT __attribute__((visibility("default")))
#else
#define ZLINK_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the version of zlink itself, 0.1.0 for this one; zmq_version() tells which libzmq it
 * stands in for. The pointers must not be NULL. Never fails. Any thread. */
ZLINK_EXPORT void zlink_version(int *major, int *minor, int *patch);

/* ---- Statistics -------------------------------------------------------------------------------
 * What a socket has done since it was made, and what is queued in it now. Counting is always on; it
 * costs a few additions per message. */

/* Grows when fields are added, always at the end; none is ever removed or changes its meaning. */
#define ZLINK_STATS_VERSION 1

typedef struct zlink_stats {
    uint32_t size; /* set by the caller: sizeof(zlink_stats_t) */
    uint32_t
        version; /* set by the library: its ZLINK_STATS_VERSION. Fields that came later than the
                         library's version are 0. */

    uint64_t messages_in;  /* whole messages handed to the application */
    uint64_t messages_out; /* whole messages accepted for sending; fan-out counts one per peer */
    uint64_t bytes_in;     /* read from the connection, framing included; inproc: payloads */
    uint64_t bytes_out;    /* given to the kernel, framing included; inproc: payloads */
    uint64_t queued_in;    /* messages now waiting to be received (inproc: parts) */
    uint64_t queued_out;   /* messages now waiting to be sent (inproc: to be received) */
    uint64_t dropped;      /* messages thrown away at the high-water mark (PUB, ROUTER) */

    /* System calls of connections; all 0 for inproc. */
    uint64_t reads;                  /* that brought something */
    uint64_t writes;                 /* of which the kernel took something */
    uint64_t writes_at_once;         /* tried by a sender right in its send */
    uint64_t writes_at_once_refused; /* those that the kernel did not take completely: the rest went
                                        out when the connection was writable again */
    uint64_t would_blocks;           /* all writes that the kernel did not take completely */
    uint64_t gathered_writes;        /* that finished more than one message */
    uint64_t gathered_messages;      /* messages in those: divided by gathered_writes, the batch */

    uint64_t bytes_copied_out; /* payload copied into output buffers; long messages are not */
    uint64_t bytes_copied_in;  /* moved between receive buffers before delivery */
    uint64_t reconnects;       /* connections made again after one was lost */
    uint64_t peers;            /* now connected; in the struct of a peer 0 or 1 */

    /* Waits, socket only: looking for a moment before going to sleep. */
    uint64_t spins_paid;   /* the wait ended while looking */
    uint64_t spins_unpaid; /* the thread had to sleep all the same */

    /* Peers only. */
    uint32_t routing_id_size;
    uint8_t routing_id[256 + 4]; /* as the peer told it, or as ROUTER made it up */
    char endpoint[256];          /* given to connect, or of the listener that accepted it */
} zlink_stats_t;

/*
 * Fills in the statistics of a socket and, if wanted, of each of its peers.
 *
 *   socket      the socket
 *   stats       stats->size has to be set; gets the sums over all peers, those that are gone included
 *   peers       NULL, or an array of structs of stats->size bytes each, which needs no preparation
 *   peer_count  NULL if peers is; else *peer_count is the length of the array (ignored without one), and
 *               becomes the number of peers. More than fit are counted, but not described.
 *
 * A peer that this socket connects to counts from zmq_connect on, one that connects to us when its
 * handshake is complete. The numbers of one call belong together, except that an inproc peer may go on
 * meanwhile.
 *
 * Returns 0, or -1 and errno:
 *   ENOTSOCK  socket is not a socket
 *   EINVAL    stats is NULL, stats->size is not that of any version of the struct, or peers is given
 *             without peer_count
 *   EINTR     the socket belongs to the parent of this forked process
 * Any thread, also while others use the socket.
 */
ZLINK_EXPORT int zlink_socket_stats(void *socket, zlink_stats_t *stats, zlink_stats_t *peers,
                                    size_t *peer_count);

#ifdef __cplusplus
}
#endif

#undef ZLINK_EXPORT

#endif /* ZLINK_H_INCLUDED */
