/* SPDX-License-Identifier: MPL-2.0 */
/* ZWS 2.0: the flags octet, fragments put together again, sub-protocols. */

#include "wire/zws.h"

#include <string.h>

enum { WIRE_MORE = 1, WIRE_COMMAND = 2 };

/* ---- Sub-protocols ---- */

const char *const *zl_zws_protocols(const char *mechanism, bool authenticated)
{
    static const struct {
        const char *mechanism;
        bool authenticated;
        const char *names[3];
    } rows[] = {
        {"NULL", false, {ZL_ZWS_BARE "/NULL", ZL_ZWS_BARE}},
        {"NULL", true, {ZL_ZWS_BARE "/NULL"}},
        {"PLAIN", false, {ZL_ZWS_BARE "/PLAIN"}},
        {"PLAIN", true, {ZL_ZWS_BARE "/PLAIN"}},
        {"CURVE", false, {ZL_ZWS_BARE "/CURVE"}},
        {"CURVE", true, {ZL_ZWS_BARE "/CURVE"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].authenticated == authenticated && strcmp(rows[i].mechanism, mechanism) == 0)
            return rows[i].names;
    return NULL;
}

/* ---- Reading ---- */

void zl_zws_reader_init(struct zl_zws_reader *reader, enum zl_websocket_side side, int64_t body_max)
{
    *reader = (struct zl_zws_reader){
        .websocket = {.side = side},
        .body_max = body_max < 0 ? ZL_ZMTP_BODY_MAX : (uint64_t)body_max,
        .flags = ZL_ZWS_FLAGS_PENDING,
    };
}

static int flags_from_wire(uint8_t octet)
{
    switch (octet) {
    case 0:
        return 0;
    case WIRE_MORE:
        return ZL_FRAME_MORE;
    case WIRE_COMMAND:
        return ZL_FRAME_COMMAND;
    default:
        return -EPROTO;
    }
}

static enum zl_zws_kind control_kind(uint8_t opcode)
{
    switch (opcode) {
    case ZL_WEBSOCKET_PING:
        return ZL_ZWS_PING;
    case ZL_WEBSOCKET_PONG:
        return ZL_ZWS_PONG;
    default:
        return ZL_ZWS_CLOSE;
    }
}

static enum zl_zws_kind data_kind(const struct zl_websocket_header *header)
{
    if (!header->last)
        return ZL_ZWS_FRAGMENT;
    return header->opcode == ZL_WEBSOCKET_CONTINUATION ? ZL_ZWS_LAST_FRAGMENT : ZL_ZWS_FRAME;
}

/* The flags octet, the first of the payload at [at, end), becomes a part of the header. */
static int get_flags(const uint8_t *at, const uint8_t *end, struct zl_zws_header *out)
{
    if (at == end)
        return 0;
    int flags = flags_from_wire(*at ^ (uint8_t)(out->mask >> 24));
    if (flags < 0)
        return flags;
    out->frame.flags = (uint8_t)flags;
    out->frame.header_size++;
    out->mask = zl_websocket_mask_after(out->mask, 1);
    return out->frame.header_size;
}

static int get_data(const struct zl_zws_reader *reader, const struct zl_websocket_header *header,
                    const uint8_t *payload, const uint8_t *end, struct zl_zws_header *out)
{
    bool has_flags = reader->flags == ZL_ZWS_FLAGS_PENDING && header->payload_size > 0;
    out->kind = data_kind(header);
    out->frame.flags = reader->flags;
    out->frame.body_size = header->payload_size - has_flags;
    if (out->frame.body_size > reader->body_max - reader->fragments_size)
        return -EMSGSIZE;
    if (has_flags)
        return get_flags(payload, end, out);
    bool is_empty_message = header->last && reader->flags == ZL_ZWS_FLAGS_PENDING;
    return is_empty_message ? -EPROTO : header->header_size;
}

int zl_zws_get_header_slow(const struct zl_zws_reader *reader, const uint8_t *src,
                           const uint8_t *end, struct zl_zws_header *out)
{
    struct zl_websocket_header header;
    int size = zl_websocket_get_header(&reader->websocket, src, end, &header);
    if (size <= 0)
        return size;
    struct zl_zws_header found = {
        .frame = {.header_size = header.header_size, .body_size = header.payload_size},
        .mask = header.mask,
    };
    if (zl_websocket_is_control(header.opcode))
        found.kind = control_kind(header.opcode);
    else
        size = get_data(reader, &header, src + size, end, &found);
    if (size > 0)
        *out = found;
    return size;
}

void zl_zws_take(struct zl_zws_reader *reader, const struct zl_zws_header *header)
{
    switch (header->kind) {
    case ZL_ZWS_FRAGMENT:
        reader->websocket.in_message = true;
        reader->fragments_size += header->frame.body_size;
        reader->flags = header->frame.flags;
        break;
    case ZL_ZWS_LAST_FRAGMENT:
        reader->websocket.in_message = false;
        reader->fragments_size = 0;
        reader->flags = ZL_ZWS_FLAGS_PENDING;
        break;
    default:
        break;
    }
}

/* ---- Writing ---- */

size_t zl_zws_put_header_long(uint8_t *dst, enum zl_websocket_side side, uint8_t flags,
                              uint64_t body_size, uint32_t *mask)
{
    if (side == ZL_WEBSOCKET_SERVER)
        *mask = 0;
    size_t size = zl_websocket_put_header(dst, side, ZL_WEBSOCKET_BINARY, body_size + 1, *mask);
    dst[size] = zl_zws_flags_octet(flags) ^ (uint8_t)(*mask >> 24);
    *mask = zl_websocket_mask_after(*mask, 1);
    return size + 1;
}

size_t zl_zws_put_frame(uint8_t *dst, enum zl_websocket_side side, uint8_t flags, const void *body,
                        size_t n, uint32_t mask)
{
    size_t size = zl_zws_put_header(dst, side, flags, n, &mask);
    zl_websocket_mask(dst + size, body, n, mask);
    return size + n;
}
