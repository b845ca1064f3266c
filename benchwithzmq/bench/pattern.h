/* SPDX-License-Identifier: MPL-2.0 */

/* The messaging patterns that can be measured, and what their differences mean to the load loops.
 */
#ifndef ZBENCH_PATTERN_H
#define ZBENCH_PATTERN_H

enum pattern_flags {
    PATTERN_TWO_WAY =
        1, /* answers go back through the same sockets; otherwise through a second pair */
    PATTERN_LOCKSTEP = 2,      /* every message must be answered before the next one */
    PATTERN_DUPLEX = 4,        /* both ends send and receive at once */
    PATTERN_LOSSY = 8,         /* a message without a ready receiver is lost, so it is repeated */
    PATTERN_SENDER_BINDS = 16, /* otherwise the receiver does */
    PATTERN_MANY = 32          /* any number of sockets on the side that connects */
};

struct pattern {
    const char *name;
    int sender_type, receiver_type;
    int senders, receivers; /* at least one of them is 1: the side that binds */
    unsigned flags;
};

/* NULL: no such pattern. */
const struct pattern *pattern_find(const char *name);

#endif
