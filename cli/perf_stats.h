/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the library counts itself (zlink_socket_stats in zlink.h), for one side of a measurement. The
 * function is looked up at run time: a library without it runs the measurement all the same.
 */
#ifndef ZLINK_CLI_PERF_STATS_H
#define ZLINK_CLI_PERF_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counters: what happened between two moments is a difference. */
#define PERF_COUNTERS(X)                                                                           \
    X(messages_in)                                                                                 \
    X(messages_out)                                                                                \
    X(bytes_in)                                                                                    \
    X(bytes_out)                                                                                   \
    X(dropped)                                                                                     \
    X(reads)                                                                                       \
    X(writes)                                                                                      \
    X(writes_at_once)                                                                              \
    X(writes_at_once_refused)                                                                      \
    X(would_blocks)                                                                                \
    X(gathered_writes)                                                                             \
    X(gathered_messages)                                                                           \
    X(bytes_copied_out)                                                                            \
    X(bytes_copied_in)                                                                             \
    X(reconnects)                                                                                  \
    X(spins_paid)                                                                                  \
    X(spins_unpaid)

/* What is so at a moment. */
#define PERF_GAUGES(X)                                                                             \
    X(queued_in)                                                                                   \
    X(queued_out)                                                                                  \
    X(peers)

/* All sockets of a side together; named as in zlink_stats_t. Zeros: nothing yet. */
struct perf_stats {
#define PERF_FIELD(name) uint64_t name;
    PERF_COUNTERS(PERF_FIELD)
    PERF_GAUGES(PERF_FIELD)
#undef PERF_FIELD
    bool unknown; /* the library does not count */
};

/* Adds the numbers of a socket; NULL adds nothing. */
void perf_stats_add(struct perf_stats *stats, void *socket);

/* Turns the counters into what happened since `before`. */
void perf_stats_since(struct perf_stats *stats, const struct perf_stats *before);

/* A table with a column for either side, named so. Prints nothing if the library does not count. */
void perf_stats_text(const char *near, const struct perf_stats *at_near, const char *far,
                     const struct perf_stats *at_far);

/* The member "statistics" of a JSON object, all fields of both sides as they are; or null. */
void perf_stats_json(const char *near, const struct perf_stats *at_near, const char *far,
                     const struct perf_stats *at_far);

#endif
