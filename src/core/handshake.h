/* SPDX-License-Identifier: MPL-2.0 */
/* The handshake of one connection: greeting, then mechanism (3.x) or identity frames (1.0, 2.0).
   Bytes in, bytes out; no descriptor, no lock, no clock. Used on the loop, freed when the connection
   is ready. */
#ifndef ZL_CORE_HANDSHAKE_H
#define ZL_CORE_HANDSHAKE_H

#include "core/metadata.h"
#include "security/mechanism.h"
#include "wire/zmtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zl_options;

enum zl_handshake_state {
    ZL_HANDSHAKE_AWAIT_GREETING,
    ZL_HANDSHAKE_AWAIT_COMMAND,
    ZL_HANDSHAKE_AWAIT_IDENTITY,
    ZL_HANDSHAKE_COMPLETE,
};

struct zl_handshake {
    enum zl_handshake_state state;
    const struct zl_options *options;
    struct zl_greeting greeting;
    struct zl_mechanism mechanism;
    uint8_t *in; /* received, not yet used */
    size_t in_size;
    uint8_t *out; /* to be sent: [out_sent, out_size) */
    size_t out_size;
    size_t out_sent;
    size_t out_capacity;
    struct zl_metadata *metadata; /* of the peer, for messages; NULL for 1.0 and 2.0 */
    uint8_t identity[255];        /* of the peer */
    size_t identity_size;
    enum zl_zmtp_version version; /* once complete */
};

/* NULL when out of memory. The first octets are ready to be sent. */
struct zl_handshake *zl_handshake_new(const struct zl_options *options);
void zl_handshake_free(struct zl_handshake *handshake);

/* Takes octets from the peer. 1: complete, what is left in `in` are frames; 0: needs more; a negative
   errno: failed for good (-EPROTO, -EPROTOTYPE, -EBADMSG: other mechanism, -EPROTONOSUPPORT: peer
   too old, -EMSGSIZE, -ENOMEM). Output may be there in every case. */
int zl_handshake_input(struct zl_handshake *handshake, const uint8_t *data, size_t size);

#endif
