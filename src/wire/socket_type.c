/* SPDX-License-Identifier: MPL-2.0 */
/* What ZMTP says about socket types: names, octets of the 2.0 greeting, who may talk to whom; and
 * what it allows as identity and as group. */

#include "wire/zmtp.h"

#include <string.h>

/* The numbers of zmq.h, which hides some of them without its draft switch. */
enum type {
    PAIR,
    PUB,
    SUB,
    REQ,
    REP,
    DEALER,
    ROUTER,
    PULL,
    PUSH,
    XPUB,
    XSUB,
    STREAM,
    SERVER,
    CLIENT,
    RADIO,
    DISH,
    GATHER,
    SCATTER,
    DGRAM,
    PEER,
    CHANNEL,
    TYPE_COUNT
};

#define PEER_TYPE(type) (1u << (type))

static const struct {
    char name[8];
    uint8_t octet;
    bool sends_identity;
    uint32_t peers; /* set of compatible types */
} types[TYPE_COUNT] = {
    [PAIR] = {"PAIR", PAIR, false, PEER_TYPE(PAIR)},
    [PUB] = {"PUB", PUB, false, PEER_TYPE(SUB) | PEER_TYPE(XSUB)},
    [SUB] = {"SUB", SUB, false, PEER_TYPE(PUB) | PEER_TYPE(XPUB)},
    [REQ] = {"REQ", REQ, true, PEER_TYPE(REP) | PEER_TYPE(ROUTER)},
    [REP] = {"REP", REP, false, PEER_TYPE(REQ) | PEER_TYPE(DEALER)},
    [DEALER] = {"DEALER", DEALER, true, PEER_TYPE(REP) | PEER_TYPE(DEALER) | PEER_TYPE(ROUTER)},
    [ROUTER] = {"ROUTER", ROUTER, true, PEER_TYPE(REQ) | PEER_TYPE(DEALER) | PEER_TYPE(ROUTER)},
    [PULL] = {"PULL", PULL, false, PEER_TYPE(PUSH)},
    [PUSH] = {"PUSH", PUSH, false, PEER_TYPE(PULL)},
    [XPUB] = {"XPUB", PUB, false, PEER_TYPE(SUB) | PEER_TYPE(XSUB)},
    [XSUB] = {"XSUB", SUB, false, PEER_TYPE(PUB) | PEER_TYPE(XPUB)},
    [STREAM] = {"STREAM", STREAM, false, 0},
    [SERVER] = {"SERVER", SERVER, false, PEER_TYPE(CLIENT)},
    [CLIENT] = {"CLIENT", CLIENT, false, PEER_TYPE(SERVER)},
    [RADIO] = {"RADIO", RADIO, false, PEER_TYPE(DISH)},
    [DISH] = {"DISH", DISH, false, PEER_TYPE(RADIO)},
    [GATHER] = {"GATHER", GATHER, false, PEER_TYPE(SCATTER)},
    [SCATTER] = {"SCATTER", SCATTER, false, PEER_TYPE(GATHER)},
    [DGRAM] = {"DGRAM", DGRAM, false, 0},
    [PEER] = {"PEER", PEER, false, PEER_TYPE(PEER)},
    [CHANNEL] = {"CHANNEL", CHANNEL, false, PEER_TYPE(CHANNEL)},
};

static bool is_known(int type)
{
    return type >= 0 && type < TYPE_COUNT;
}

const char *zl_socket_type_name(int type)
{
    return is_known(type) ? types[type].name : NULL;
}

int zl_socket_type_from_name(const uint8_t *name, size_t size)
{
    for (int type = 0; type < TYPE_COUNT; type++)
        if (strlen(types[type].name) == size && memcmp(types[type].name, name, size) == 0)
            return type;
    return -1;
}

bool zl_socket_types_compatible(int ours, int theirs)
{
    return is_known(ours) && is_known(theirs) && (types[ours].peers & PEER_TYPE(theirs)) != 0;
}

bool zl_socket_type_sends_identity(int type)
{
    return is_known(type) && types[type].sends_identity;
}

uint8_t zl_socket_type_to_octet(int type)
{
    return is_known(type) ? types[type].octet : (uint8_t)type;
}

int zl_socket_type_from_octet(uint8_t octet)
{
    return is_known(octet) ? types[octet].octet : -1;
}

bool zl_identity_is_valid(const uint8_t *identity, size_t size)
{
    return size == 0 || (size <= 255 && identity[0] != 0);
}

bool zl_group_is_valid(const uint8_t *group, size_t size)
{
    return size == 0 || (size <= 255 && memchr(group, 0, size) == NULL);
}
