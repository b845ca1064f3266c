/* SPDX-License-Identifier: MPL-2.0 */
/* The table of socket types. */
#include "types.h"
#include "cli.h"

#include <stdio.h>
#include <strings.h>
#include <zmq.h>

/* Numbers of the draft types, which zmq.h shows only with ZMQ_BUILD_DRAFT_API. */
enum {
    TYPE_SERVER = 12,
    TYPE_CLIENT = 13,
    TYPE_RADIO = 14,
    TYPE_DISH = 15,
    TYPE_GATHER = 16,
    TYPE_SCATTER = 17,
    TYPE_DGRAM = 18,
    TYPE_PEER = 19,
    TYPE_CHANNEL = 20
};

enum { BOTH = CLI_CAN_SEND | CLI_CAN_RECV, DRAFT = CLI_DRAFT | CLI_SINGLE };

static const struct cli_type types[] = {
    {"pair", ZMQ_PAIR, BOTH, "pair"},
    {"pub", ZMQ_PUB, CLI_CAN_SEND | CLI_PUBLISHES, "sub, xsub"},
    {"sub", ZMQ_SUB, CLI_CAN_RECV | CLI_SUBSCRIBES, "pub, xpub"},
    {"req", ZMQ_REQ, BOTH | CLI_ASKS, "rep, router"},
    {"rep", ZMQ_REP, BOTH | CLI_ANSWERS, "req, dealer"},
    {"dealer", ZMQ_DEALER, BOTH, "rep, dealer, router"},
    {"router", ZMQ_ROUTER, BOTH | CLI_ADDRESSED, "req, dealer, router"},
    {"push", ZMQ_PUSH, CLI_CAN_SEND, "pull"},
    {"pull", ZMQ_PULL, CLI_CAN_RECV, "push"},
    {"xpub", ZMQ_XPUB, BOTH | CLI_PUBLISHES, "sub, xsub"},
    {"xsub", ZMQ_XSUB, BOTH | CLI_SUBSCRIBES, "pub, xpub"},
    {"stream", ZMQ_STREAM, BOTH | CLI_ADDRESSED | CLI_RAW, "any plain TCP program"},
    {"server", TYPE_SERVER, BOTH | CLI_ANSWERS | CLI_PEER_IDS | DRAFT, "client"},
    {"client", TYPE_CLIENT, BOTH | DRAFT, "server"},
    {"radio", TYPE_RADIO, CLI_CAN_SEND | CLI_PUBLISHES | CLI_GROUPS | DRAFT, "dish"},
    {"dish", TYPE_DISH, CLI_CAN_RECV | CLI_GROUPS | DRAFT, "radio"},
    {"scatter", TYPE_SCATTER, CLI_CAN_SEND | DRAFT, "gather"},
    {"gather", TYPE_GATHER, CLI_CAN_RECV | DRAFT, "scatter"},
    {"dgram", TYPE_DGRAM, BOTH | CLI_ADDRESSED | CLI_RAW | CLI_DRAFT, "any UDP program"},
    {"peer", TYPE_PEER, BOTH | CLI_PEER_IDS | DRAFT, "peer"},
    {"channel", TYPE_CHANNEL, BOTH | DRAFT, "channel"},
};

enum { TYPE_COUNT = sizeof types / sizeof *types };

const struct cli_type *cli_type_find(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcasecmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

const char *cli_type_closest(const char *name)
{
    const char *names[TYPE_COUNT];
    for (size_t i = 0; i < TYPE_COUNT; i++)
        names[i] = types[i].name;
    return cli_closest(name, names, TYPE_COUNT);
}

void cli_type_print_table(void)
{
    printf("  %-9s %-10s %s\n", "type", "can", "talks to");
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        const struct cli_type *type = &types[i];
        bool send = type->flags & CLI_CAN_SEND;
        bool recv = type->flags & CLI_CAN_RECV;
        printf("  %-9s %-10s %s%s\n", type->name,
               send && recv ? "send, recv"
               : send       ? "send"
                            : "recv",
               type->peers, type->flags & CLI_DRAFT ? "  (draft type)" : "");
    }
}
