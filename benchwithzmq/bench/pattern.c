/* SPDX-License-Identifier: MPL-2.0 */

/* The table of patterns. */
#include "pattern.h"

#include <stddef.h>
#include <string.h>
#include <zmq.h>

static const struct pattern patterns[] = {
    {"pair", ZMQ_PAIR, ZMQ_PAIR, 1, 1, PATTERN_TWO_WAY},
    {"pushpull", ZMQ_PUSH, ZMQ_PULL, 1, 1, 0},
    {"dealerrouter", ZMQ_DEALER, ZMQ_ROUTER, 1, 1, PATTERN_TWO_WAY},
    {"routerrouter", ZMQ_ROUTER, ZMQ_ROUTER, 1, 1, PATTERN_TWO_WAY},
    {"reqrep", ZMQ_REQ, ZMQ_REP, 1, 1, PATTERN_TWO_WAY | PATTERN_LOCKSTEP},
    {"pubsub", ZMQ_PUB, ZMQ_SUB, 1, 1, PATTERN_LOSSY | PATTERN_SENDER_BINDS},
    {"fanout", ZMQ_PUB, ZMQ_SUB, 1, 8, PATTERN_LOSSY | PATTERN_SENDER_BINDS | PATTERN_MANY},
    {"fanin", ZMQ_PUSH, ZMQ_PULL, 8, 1, PATTERN_MANY},
    {"duplex", ZMQ_PAIR, ZMQ_PAIR, 1, 1, PATTERN_TWO_WAY | PATTERN_DUPLEX},
};

const struct pattern *pattern_find(const char *name)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(patterns[i].name, name) == 0)
            return &patterns[i];
    return NULL;
}
