/* SPDX-License-Identifier: MPL-2.0 */
/* WebSocket framing (RFC 6455, section 5), for binary messages without extensions.
 *
 * Bytes in, bytes out, as in zmtp.h. Parsers take hostile input. Their errors say why the connection
 * has to end; zl_websocket_close_code gives the code to send with the goodbye:
 *   -EPROTO    what no correct peer sends
 *   -ENOTSUP   a text message
 *   -EMSGSIZE  over a limit
 *
 * Masks. A mask is a number whose most significant octet applies to the octet that comes next. It is
 * rotated as octets go by, so that a payload may be worked on in pieces of any size and no position
 * has to be carried along. A mask of 0 changes nothing and stands for "not masked" as well. */

#ifndef ZL_WIRE_WEBSOCKET_H
#define ZL_WIRE_WEBSOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/* Which side we are. The client, that is who has connected, masks all that it sends, the server
 * nothing. */
enum zl_websocket_side { ZL_WEBSOCKET_CLIENT, ZL_WEBSOCKET_SERVER };

enum {
    ZL_WEBSOCKET_CONTINUATION = 0x0,
    ZL_WEBSOCKET_TEXT = 0x1,
    ZL_WEBSOCKET_BINARY = 0x2,
    ZL_WEBSOCKET_CLOSE = 0x8,
    ZL_WEBSOCKET_PING = 0x9,
    ZL_WEBSOCKET_PONG = 0xA,
};

/* No header is longer: 2 octets, 8 of length, 4 of mask. */
#define ZL_WEBSOCKET_HEADER_MAX 14
#define ZL_WEBSOCKET_PAYLOAD_MAX ((uint64_t)INT64_MAX)
/* Payload of a control frame (close, ping, pong), and the whole frame. */
#define ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX 125
#define ZL_WEBSOCKET_CONTROL_MAX (2 + 4 + ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX)

static inline bool zl_websocket_is_control(uint8_t opcode)
{
    return opcode & 0x8;
}

/* ---- Masking ---------------------------------------------------------------------------------- */

/* The mask after `n` more octets. */
static inline uint32_t zl_websocket_mask_after(uint32_t mask, size_t n)
{
    unsigned shift = 8 * (unsigned)(n % 4);
    return shift ? mask << shift | mask >> (32 - shift) : mask;
}

/* Masks or unmasks `n` octets from `src` to `dst`, which are the same or do not overlap, at any
 * alignment. Returns the mask for what follows. */
uint32_t zl_websocket_mask(uint8_t *dst, const uint8_t *src, size_t n, uint32_t mask);

/* ---- Reading ---------------------------------------------------------------------------------- */

struct zl_websocket_header {
    uint8_t opcode;
    uint8_t header_size; /* octets before the payload */
    bool last;           /* FIN: the message ends with this frame */
    uint32_t mask;       /* of the payload */
    uint64_t
        payload_size; /* announced, at most ZL_WEBSOCKET_PAYLOAD_MAX: never allocate on trust */
};

struct zl_websocket_reader {
    enum zl_websocket_side side;
    bool in_message; /* a fragmented message has begun and not ended */
};

/* Looks at the header at `src`. Returns its size (`*out` filled in), 0 when more octets are needed,
 * or an error, which is found as early as the octets allow. Changes nothing: the caller may look
 * again, with more octets, as often as it likes, and calls zl_websocket_take when it steps over the
 * header. Length forms longer than needed are read.
 * -EPROTO: reserved bits or opcodes; a mask missing or too much; control frames fragmented or over
 * 125 octets; a continuation of nothing or a new message inside another; a length over 2^63-1. */
int zl_websocket_get_header(const struct zl_websocket_reader *reader, const uint8_t *src,
                            const uint8_t *end, struct zl_websocket_header *out);

/* The frame with this header is taken: what follows is the next one. Control frames may come
 * between the fragments of a message and do not end it. */
static inline void zl_websocket_take(struct zl_websocket_reader *reader,
                                     const struct zl_websocket_header *header)
{
    if (!zl_websocket_is_control(header->opcode))
        reader->in_message = !header->last;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

/* Size of the header that zl_websocket_put_header writes: 2 to 14. */
static inline size_t zl_websocket_header_size(enum zl_websocket_side side, uint64_t payload_size)
{
    size_t size = payload_size <= 125 ? 2 : payload_size <= UINT16_MAX ? 4 : 10;
    return side == ZL_WEBSOCKET_CLIENT ? size + 4 : size;
}

/* Writes the header of an unfragmented frame in its shortest form and returns its size. `mask`: a
 * client's, new and unpredictable for each frame; the server's is not looked at. */
size_t zl_websocket_put_header(uint8_t *dst, enum zl_websocket_side side, uint8_t opcode,
                               uint64_t payload_size, uint32_t mask);

/* Writes a whole control frame, ZL_WEBSOCKET_CONTROL_MAX octets at most, and returns its size. The
 * payload is cut to 125 octets; it may be NULL when `n` is 0. */
size_t zl_websocket_put_control(uint8_t *dst, enum zl_websocket_side side, uint8_t opcode,
                                const void *payload, size_t n, uint32_t mask);

/* ---- Closing ---------------------------------------------------------------------------------- */

enum {
    ZL_WEBSOCKET_NORMAL = 1000,
    ZL_WEBSOCKET_GOING_AWAY = 1001,
    ZL_WEBSOCKET_PROTOCOL_ERROR = 1002,
    ZL_WEBSOCKET_UNSUPPORTED = 1003,
    ZL_WEBSOCKET_NO_CODE = 1005, /* stands for an absent code, never sent */
    ZL_WEBSOCKET_TOO_BIG = 1009,
    ZL_WEBSOCKET_INTERNAL_ERROR = 1011,
};

/* The code for the end of a connection: of an error of these parsers, or 0 for a normal one. */
uint16_t zl_websocket_close_code(int error);

/* The code in the (unmasked) payload of a close frame, ZL_WEBSOCKET_NO_CODE if it has none. What
 * follows the code is text for people, which we do not read. -EPROTO: one octet, over 125, or a code
 * that may not be sent. */
int zl_websocket_parse_close(const uint8_t *payload, size_t n);

/* A whole close frame; `code` ZL_WEBSOCKET_NO_CODE: without one. To answer a close frame send its
 * code back. */
size_t zl_websocket_put_close(uint8_t *dst, enum zl_websocket_side side, uint16_t code,
                              uint32_t mask);

#endif
