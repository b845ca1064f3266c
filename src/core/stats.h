/* SPDX-License-Identifier: MPL-2.0 */
/* Statistics: what zlink_socket_stats reports. Counters are kept where the work is done, under the
   gate that is held there anyway, so they are always on; here they are only added up. */
#ifndef ZL_CORE_STATS_H
#define ZL_CORE_STATS_H

#include <stddef.h>
#include <stdint.h>

struct zlink_stats;
struct zl_pipe;
struct zl_socket;

/* What went over connections; part of every pipe. */
struct zl_traffic {
    uint64_t bytes_in;          /* as read from the kernel, framing included; inproc: payloads */
    uint64_t bytes_out;         /* as taken by the kernel */
    uint64_t reads;             /* that brought something */
    uint64_t writes;            /* that the kernel took something of */
    uint64_t writes_at_once;    /* made by a sender for the message that it had just sent */
    uint64_t refused_at_once;   /* those of them that the kernel did not take completely */
    uint64_t would_blocks;      /* writes that the kernel did not take completely */
    uint64_t gathered_writes;   /* that ended more than one message */
    uint64_t gathered_messages; /* in those */
    uint64_t bytes_copied_in;   /* between the library's own buffers, before delivery */
    uint64_t reconnects;        /* connections after the first */
};

/* What pipes that are gone have counted. Guarded by the socket's gate. */
struct zl_retired {
    struct zl_traffic traffic;
    uint64_t sent;
    uint64_t delivered;
    uint64_t dropped;
    uint64_t bytes_copied_out;
};

/* Gate held. The pipe leaves its socket: its counters stay. */
void zl_stats_retire_locked(struct zl_socket *socket, const struct zl_pipe *pipe);

/* Gate held. Messages that wait in either direction; over inproc the inbound side counts parts, since
   messages are known only to the writer. */
uint64_t zl_stats_queued_in(struct zl_pipe *pipe);
uint64_t zl_stats_queued_out(const struct zl_pipe *pipe);

/* Fills one struct for the socket and, if peers is not NULL, one for each of its pipes, at most
   *peer_count of them; *peer_count becomes their number. Takes the gate. 0 or -EINVAL (a size that no
   version of the struct has). */
int zl_stats_read(struct zl_socket *socket, struct zlink_stats *stats, struct zlink_stats *peers,
                  size_t *peer_count);

#endif
