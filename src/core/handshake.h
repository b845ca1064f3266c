/* SPDX-License-Identifier: MPL-2.0 */
/* The handshake of one connection: greeting, or for WebSocket the HTTP upgrade, which takes its place;
   then mechanism (3.x) or identity frames (1.0, 2.0, plain ZWS 2.0). Bytes in, bytes out; no descriptor, no lock, no clock. Used on the loop, freed when the connection
   is ready. */
#ifndef ZL_CORE_HANDSHAKE_H
#define ZL_CORE_HANDSHAKE_H

#include "core/metadata.h"
#include "security/mechanism.h"
#include "wire/upgrade.h"
#include "wire/zws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zl_options;

enum zl_handshake_state {
    ZL_HANDSHAKE_AWAIT_UPGRADE,
    ZL_HANDSHAKE_AWAIT_GREETING,
    ZL_HANDSHAKE_AWAIT_COMMAND,
    ZL_HANDSHAKE_AWAIT_IDENTITY,
    ZL_HANDSHAKE_COMPLETE,
};

/* What a WebSocket handshake has to know. The strings are kept, not copied. */
struct zl_handshake_websocket {
    enum zl_websocket_side side;
    struct zl_upgrade_target target; /* client: where the request goes */
    const char *path;                /* server: the one it answers */
};

struct zl_handshake_upgrade; /* private */

struct zl_handshake {
    enum zl_handshake_state state;
    const struct zl_options *options;
    bool websocket;
    enum zl_websocket_side side;
    struct zl_handshake_upgrade *upgrade; /* while it lasts */
    struct zl_zws_reader zws;
    unsigned controls; /* WebSocket control frames so far */
    struct zl_greeting greeting;
    struct zl_mechanism mechanism;
    bool mechanism_begun;
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

/* websocket: NULL for ZMTP on the bare stream. NULL when out of memory, or the mechanism has no
   sub-protocol of WebSocket, or the target cannot be asked for. The first octets are ready to be
   sent. */
struct zl_handshake *zl_handshake_new(const struct zl_options *options,
                                      const struct zl_handshake_websocket *websocket);
void zl_handshake_free(struct zl_handshake *handshake);

/* Takes octets from the peer. 1: complete, what is left in `in` are frames; 0: needs more; a negative
   errno: failed for good (-EPIPE: the peer said goodbye, -ECONNREFUSED: another HTTP status, -EPROTO, -EPROTOTYPE, -EBADMSG: other mechanism, -EPROTONOSUPPORT: peer
   too old, -EMSGSIZE, -ENOMEM). Output may be there in every case. */
int zl_handshake_input(struct zl_handshake *handshake, const uint8_t *data, size_t size);

#endif
