/* SPDX-License-Identifier: MPL-2.0 */
/* What the command knows about each socket type. */
#ifndef ZLINK_CLI_TYPES_H
#define ZLINK_CLI_TYPES_H

#include <stddef.h>

enum cli_type_flag {
    CLI_CAN_SEND = 1 << 0,
    CLI_CAN_RECV = 1 << 1,
    CLI_ASKS = 1 << 2,       /* every message sent is answered before the next may be sent */
    CLI_ANSWERS = 1 << 3,    /* can only send in answer to a message it received */
    CLI_ADDRESSED = 1 << 4,  /* the first part names the peer */
    CLI_RAW = 1 << 5,        /* no ZMTP, so no handshake events */
    CLI_PUBLISHES = 1 << 6,  /* a message nobody subscribed to is lost */
    CLI_SUBSCRIBES = 1 << 7, /* receives what it subscribed to */
    CLI_SINGLE = 1 << 8,     /* no multipart messages */
    CLI_GROUPS = 1 << 9,     /* messages carry a group */
    CLI_PEER_IDS = 1 << 10,  /* the peer is named by the message's routing id */
    CLI_DRAFT = 1 << 11,     /* only in libraries with the draft interface */
};

struct cli_type {
    const char *name;
    int number; /* ZMQ_... */
    unsigned flags;
    const char *peers; /* what may be at the other end, for the help text */
};

/* The row for a name in any case ("PUSH", "push"), or NULL. */
const struct cli_type *cli_type_find(const char *name);

/* The nearest existing name, or NULL. */
const char *cli_type_closest(const char *name);

/* The table: name, direction, peers. */
void cli_type_print_table(void);

#endif
