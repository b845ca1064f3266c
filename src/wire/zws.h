/* SPDX-License-Identifier: MPL-2.0 */
/* ZWS 2.0 (RFC 45): ZMTP frames as WebSocket binary messages. A message is one octet of flags and the
 * body of the frame, all of it masked if the sender is the client. Heartbeats are WebSocket pings and
 * pongs. Flags are those of zmtp.h here; on the wire COMMAND has another bit.
 *
 * Errors are those of websocket.h. */

#ifndef ZL_WIRE_ZWS_H
#define ZL_WIRE_ZWS_H

#include "wire/websocket.h"
#include "wire/zmtp.h"

/* ---- Sub-protocols ----------------------------------------------------------------------------
 * The upgrade chooses the mechanism: the client offers names of sub-protocols, the server takes one
 * of them. */

/* No mechanism: identity frames, then messages. Never safe where somebody wants to authenticate. */
#define ZL_ZWS_BARE "ZWS2.0"

/* What a client offers, best first, and what a server accepts, as a list that ends with NULL.
 * `authenticated`: ZAP applies; then ZL_ZWS_BARE, which would walk past it, is not in the list.
 * NULL: the mechanism has no sub-protocol. */
const char *const *zl_zws_protocols(const char *mechanism, bool authenticated);

/* ---- Reading ---------------------------------------------------------------------------------- */

enum zl_zws_kind {
    ZL_ZWS_FRAME,         /* a whole frame, message or command */
    ZL_ZWS_FRAGMENT,      /* a piece of one, more follow */
    ZL_ZWS_LAST_FRAGMENT, /* the last piece */
    ZL_ZWS_PING,          /* the body is for the pong */
    ZL_ZWS_PONG,
    ZL_ZWS_CLOSE, /* see zl_websocket_parse_close */
};

/* Flags of fragments that come before the flags octet: those without payload. */
#define ZL_ZWS_FLAGS_PENDING 0xFF

struct zl_zws_header {
    enum zl_zws_kind kind;
    /* header_size counts the flags octet, body_size is what follows, of a fragment its own part. Of
     * pings, pongs and closes the flags are 0. A fragmented frame has its flags in the last one. */
    struct zl_frame_header frame;
    uint32_t mask; /* of the body's first octet */
};

struct zl_zws_reader {
    struct zl_websocket_reader websocket;
    uint64_t body_max;
    /* Of the fragmented message, if there is one. */
    uint64_t fragments_size; /* octets of its body so far */
    uint8_t flags;
};

/* `side`: ours. `body_max`: limit for the body of a frame, fragmented or not; negative: none.
 * To walk along one's own output read it as the other side. */
void zl_zws_reader_init(struct zl_zws_reader *reader, enum zl_websocket_side side,
                        int64_t body_max);

/* Everything but a short unfragmented frame; same contract as zl_zws_get_header. */
int zl_zws_get_header_slow(const struct zl_zws_reader *reader, const uint8_t *src,
                           const uint8_t *end, struct zl_zws_header *out);

/* Looks at the header at `src`, which the flags octet is a part of. Returns its size (`*out` filled
 * in), 0 when more octets are needed, or an error. Changes neither the reader nor the octets: the
 * caller may wait for the whole frame and look again. When it steps over the header it calls
 * zl_zws_take, and only then unmasks the body: in place, at once or in pieces as they arrive, with
 * zl_websocket_mask and the mask given here.
 * Besides what zl_websocket_get_header refuses: -EPROTO for an empty message, reserved flags, MORE
 * on a command; -EMSGSIZE for a body over the limit, known before any of it is there. */
static inline int zl_zws_get_header(const struct zl_zws_reader *reader, const uint8_t *src,
                                    const uint8_t *end, struct zl_zws_header *out)
{
    bool masked = reader->websocket.side == ZL_WEBSOCKET_SERVER;
    size_t header_size = masked ? 7 : 3;
    if (__builtin_expect((size_t)(end - src) < header_size || src[0] != 0x82, 0))
        return zl_zws_get_header_slow(reader, src, end, out);
    uint32_t mask = masked ? zl_get_u32(src + 2) : 0;
    uint8_t size = (uint8_t)((masked ? src[1] ^ 0x80 : src[1]) - 1);
    uint8_t flags = src[header_size - 1] ^ (uint8_t)(mask >> 24);
    if (__builtin_expect(size >= 125 || flags > ZL_FRAME_MORE || reader->websocket.in_message ||
                             size > reader->body_max,
                         0))
        return zl_zws_get_header_slow(reader, src, end, out);
    out->kind = ZL_ZWS_FRAME;
    out->frame = (struct zl_frame_header){flags, (uint8_t)header_size, size};
    out->mask = zl_websocket_mask_after(mask, 1);
    return (int)header_size;
}

/* The header is stepped over: what follows its body is the next one. */
void zl_zws_take(struct zl_zws_reader *reader, const struct zl_zws_header *header);

/* ---- Writing ---------------------------------------------------------------------------------- */

#define ZL_ZWS_HEADER_MAX (ZL_WEBSOCKET_HEADER_MAX + 1)

/* Size of the header that zl_zws_put_header writes, flags octet included: 3 to 15. */
static inline size_t zl_zws_header_size(enum zl_websocket_side side, uint64_t body_size)
{
    return zl_websocket_header_size(side, body_size + 1) + 1;
}

/* A body of more than 124 octets; same contract as zl_zws_put_header. */
size_t zl_zws_put_header_long(uint8_t *dst, enum zl_websocket_side side, uint8_t flags,
                              uint64_t body_size, uint32_t *mask);

/* The flags octet as it is on the wire, before masking. */
static inline uint8_t zl_zws_flags_octet(uint8_t flags)
{
    return flags & ZL_FRAME_COMMAND ? 2 : flags & ZL_FRAME_MORE;
}

/* Writes the header and the flags octet (MORE or COMMAND) for a body of `body_size` octets, all
 * prefixes that are part of the body included, and returns their size. `*mask`: in, the client's
 * mask for this frame, new and unpredictable; out, the mask with which the body goes on, for
 * zl_websocket_mask to mask it while it is copied behind the header. The server's becomes 0. */
static inline size_t zl_zws_put_header(uint8_t *dst, enum zl_websocket_side side, uint8_t flags,
                                       uint64_t body_size, uint32_t *mask)
{
    if (body_size > 124)
        return zl_zws_put_header_long(dst, side, flags, body_size, mask);
    uint8_t octet = zl_zws_flags_octet(flags);
    dst[0] = 0x82;
    if (side == ZL_WEBSOCKET_SERVER) {
        dst[1] = (uint8_t)(body_size + 1);
        dst[2] = octet;
        *mask = 0;
        return 3;
    }
    dst[1] = (uint8_t)(0x80 | (body_size + 1));
    zl_put_u32(dst + 2, *mask);
    dst[6] = octet ^ (uint8_t)(*mask >> 24);
    *mask = zl_websocket_mask_after(*mask, 1);
    return 7;
}

/* A whole frame, for short ones: header, flags, masked body. `body` may be NULL when `n` is 0. */
size_t zl_zws_put_frame(uint8_t *dst, enum zl_websocket_side side, uint8_t flags, const void *body,
                        size_t n, uint32_t mask);

#endif
