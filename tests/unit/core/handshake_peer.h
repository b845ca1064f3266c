/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests of the handshake share: making handshakes and feeding them. */
#ifndef ZL_TEST_UNIT_CORE_HANDSHAKE_PEER_H
#define ZL_TEST_UNIT_CORE_HANDSHAKE_PEER_H

#include "unit/wire/octets.h"

#include "core/handshake.h"
#include "core/options.h"

#include <errno.h>

/* Options and a handshake for them; freed together. */
struct party {
    struct zl_options options;
    struct zl_handshake *handshake;
};

static inline void party_set(struct party *party, int option, const void *value, size_t size)
{
    assert_int_equal(zl_options_set(&party->options, option, value, size), 0);
}

/* `id` NULL or "": no routing id. */
static inline void party_init(struct party *party, int socket_type, const char *id)
{
    zl_options_init(&party->options, socket_type, false, true);
    if (id && *id)
        party_set(party, ZMQ_ROUTING_ID, id, strlen(id));
    party->handshake = NULL;
}

/* Begins, with the options set until now. */
static inline struct zl_handshake *party_start(struct party *party)
{
    party->handshake = zl_handshake_new(&party->options, NULL);
    assert_non_null(party->handshake);
    return party->handshake;
}

static inline void party_end(struct party *party)
{
    zl_handshake_free(party->handshake);
    zl_options_clear(&party->options);
}

/* Feeds the octets in steps from memory of exactly the size of each step, until the handshake is
   complete or has failed; returns what it said last and how many octets it was given. */
static inline int feed(struct zl_handshake *handshake, const uint8_t *data, size_t size,
                       size_t step, size_t *given)
{
    int rc = 0;
    *given = 0;
    while (rc == 0 && *given < size) {
        size_t count = size - *given < step ? size - *given : step;
        struct octets piece = octets_copy(data + *given, count);
        rc = zl_handshake_input(handshake, piece.at, piece.size);
        *given += count;
        octets_free(piece);
    }
    return rc;
}

/* The greeting of 3.x as a peer sends it. */
#define GREETING(major_minor, mechanism)                                                           \
    "FF 00 00 00 00 00 00 00 01 7F " major_minor mechanism                                         \
    " 00 00000000000000 00000000000000 00000000000000 00000000000000 000000"
#define MECHANISM_NULL " 4E554C4C 00000000 00000000 00000000 00000000"
#define MECHANISM_PLAIN " 504C4149 4E000000 00000000 00000000 00000000"
#define GREETING_3_0 GREETING("03 00", MECHANISM_NULL)
#define GREETING_3_1 GREETING("03 01", MECHANISM_NULL)
/* READY of a DEALER whose identity is "abc". */
#define READY_DEALER_ABC                                                                           \
    " 04 2C 05 5245414459 0B 536F636B65742D54797065 00000006 4445414C4552"                         \
    " 08 4964656E74697479 00000003 616263"

#endif
