/* SPDX-License-Identifier: MPL-2.0 */
/* Statistics: what zlink_socket_stats reports. Here counters (core/traffic.h) are only added up. */
#ifndef ZL_CORE_STATS_H
#define ZL_CORE_STATS_H

#include <stddef.h>
#include <stdint.h>

struct zlink_stats;
struct zl_pipe;
struct zl_socket;

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
