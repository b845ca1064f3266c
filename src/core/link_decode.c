/* SPDX-License-Identifier: MPL-2.0 */
/* From octets of a connection to parts in the pipe's ring: ZMTP, ZWS, and raw octets. */
#define _GNU_SOURCE
#include "core/link_io.h"

#include "base/branch.h"
#include "base/copy.h"
#include "core/pipe_base.h"
#include "core/slab.h"
#include "core/socket_base.h"

#include <errno.h>
#include <string.h>

static inline struct zl_msg *new_part(struct zl_link *link, struct zl_harvest *harvest)
{
    struct zl_msg *slot = zl_ring_slot(&link->pipe->ring);
    if (!slot)
        return NULL;
    zl_msg_init(slot);
    slot->metadata = link->metadata;
    if (link->metadata)
        harvest->parts++;
    return slot;
}

static inline void finish_part(struct zl_link *link, struct zl_harvest *harvest,
                               struct zl_msg *slot, bool more)
{
    slot->flags = more ? ZL_MSG_MORE : 0;
    zl_ring_push(&link->pipe->ring);
    link->reader.in_message = more;
    if (more) {
        link->reader.frame_index++;
        return;
    }
    link->reader.frame_index = 0;
    zl_ring_commit(&link->pipe->ring);
    harvest->messages++;
}

/* REQ: replies begin with an optional 4-octet id and an empty frame, and go on after it. */
static bool envelope_is_wrong(const struct zl_link *link, const struct zl_harvest *harvest,
                              uint64_t size, bool more)
{
    return harvest->envelopes && link->reader.frame_index == 0 &&
           (!more || (size != 0 && size != 4));
}

/* Every short message passes here: inline, so that the decoder's state stays in registers. */
static inline __attribute__((always_inline)) int
push_slice(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data, size_t size, bool more)
{
    if (zl_unlikely(envelope_is_wrong(link, harvest, size, more)))
        return -EPROTO;
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    if (size <= ZL_MSG_INLINE_MAX) {
        slot->inline_size = (uint8_t)size;
        zl_copy(slot->u.inline_data, data, size);
    } else {
        slot->kind = ZL_MSG_SLICE;
        slot->u.ref.data = data;
        slot->u.ref.size = size;
        slot->u.ref.owner = harvest->slab;
        harvest->slices++;
    }
    finish_part(link, harvest, slot, more);
    return 0;
}

static int push_body(struct zl_link *link, struct zl_harvest *harvest)
{
    struct zl_link_reader *reader = &link->reader;
    bool more = reader->body_flags & ZL_FRAME_MORE;
    if (envelope_is_wrong(link, harvest, reader->body_size, more))
        return -EPROTO;
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    reader->body->size = (size_t)reader->body_size;
    slot->kind = ZL_MSG_CONTENT;
    slot->u.ref.data = reader->body->data;
    slot->u.ref.size = reader->body->size;
    slot->u.ref.owner = reader->body;
    reader->body = NULL;
    finish_part(link, harvest, slot, more);
    return 0;
}

/* The topic as applications see it: one octet and the topic, as a message of its own. */
static int push_subscription(struct zl_link *link, struct zl_harvest *harvest,
                             const struct zl_command *command)
{
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    struct zl_metadata *metadata = slot->metadata;
    if (zl_msg_init_size(slot, command->size + 1) < 0) {
        if (metadata)
            harvest->parts--;
        return -ENOMEM;
    }
    slot->metadata = metadata;
    zl_msg_data(slot)[0] = command->kind == ZL_COMMAND_SUBSCRIBE;
    memcpy(zl_msg_data(slot) + 1, command->data, command->size);
    finish_part(link, harvest, slot, false);
    return 0;
}

static int take_ping(struct zl_harvest *harvest, const struct zl_command *command)
{
    struct zl_ping ping;
    int rc = zl_ping_parse(command, &ping);
    if (rc < 0)
        return rc;
    harvest->pong = true;
    harvest->ping_frame = harvest->frames;
    harvest->ping_ttl = ping.ttl;
    harvest->pong_context_size = (uint8_t)ping.context_size;
    if (ping.context_size)
        memcpy(harvest->pong_context, ping.context, ping.context_size);
    return 0;
}

static int take_command(struct zl_link *link, struct zl_harvest *harvest, const uint8_t *body,
                        size_t size)
{
    struct zl_command command;
    int rc = zl_command_parse(body, size, &command);
    if (rc < 0)
        return rc;
    switch (command.kind) {
    case ZL_COMMAND_SUBSCRIBE:
    case ZL_COMMAND_CANCEL:
        /* Between the frames of a message it would be taken for a part of it. */
        if (link->reader.in_message)
            return -EPROTO;
        return push_subscription(link, harvest, &command);
    case ZL_COMMAND_PING:
        /* Over WebSocket heartbeats are control frames, and this one means nothing. */
        return link->websocket ? 0 : take_ping(harvest, &command);
    default:
        return 0;
    }
}

static uint64_t on_trust(uint64_t size, size_t have)
{
    uint64_t limit = ZL_BODY_GROWTH * (uint64_t)have;
    if (limit < ZL_BODY_TRUST)
        limit = ZL_BODY_TRUST;
    return size < limit ? size : limit;
}

/* Room for more of the body than there is now; memory grows with what has arrived. */
static int grow_body(struct zl_link_reader *reader)
{
    uint64_t size = on_trust(reader->body_size, reader->body_filled);
    struct zl_content *grown = zl_content_grow(reader->body, (size_t)size);
    if (!grown)
        return -ENOMEM;
    reader->body = grown;
    return 0;
}

int zl_link_take_body(struct zl_link *link, struct zl_harvest *harvest, size_t size)
{
    struct zl_link_reader *reader = &link->reader;
    uint8_t *place = reader->body->data + reader->body_filled;
    if (reader->body_mask)
        reader->body_mask = zl_websocket_mask(place, place, size, reader->body_mask);
    reader->body_filled += size;
    if (reader->body_filled == reader->body_size)
        return reader->fragmented ? 0 : push_body(link, harvest);
    return reader->body_filled == reader->body->size ? grow_body(reader) : 0;
}

/* Copies what is already here of the body's next part. */
static int take_body_copy(struct zl_link *link, struct zl_harvest *harvest, const uint8_t *data,
                          size_t have)
{
    struct zl_link_reader *reader = &link->reader;
    int rc = 0;
    while (rc == 0 && have > 0) {
        size_t room = reader->body->size - reader->body_filled;
        size_t piece = have < room ? have : room;
        memcpy(reader->body->data + reader->body_filled, data, piece);
        harvest->copied += piece;
        data += piece;
        have -= piece;
        rc = zl_link_take_body(link, harvest, piece);
    }
    return rc;
}

/* Begins a long body of which `have` octets are already here. */
static int begin_body(struct zl_link *link, struct zl_harvest *harvest,
                      const struct zl_frame_header *header, const uint8_t *data, size_t have)
{
    struct zl_link_reader *reader = &link->reader;
    reader->body = zl_content_new((size_t)on_trust(header->body_size, have));
    if (!reader->body)
        return -ENOMEM;
    reader->body_filled = 0;
    reader->body_size = header->body_size;
    reader->body_flags = header->flags;
    reader->body_mask = 0;
    reader->fragmented = false;
    return take_body_copy(link, harvest, data, have);
}

static int parse_header(const struct zl_link *link, const uint8_t *at, const uint8_t *end,
                        struct zl_frame_header *header)
{
    int rc = link->version <= ZL_ZMTP_1_0 ? zl_zmtp1_get_header(at, end, header)
                                          : zl_zmtp_get_header(at, end, header);
    if (rc <= 0)
        return rc;
    if ((header->flags & ZL_FRAME_COMMAND) && link->version < ZL_ZMTP_3_0)
        return -EPROTO;
    int64_t limit = link->options->maxmsgsize;
    if (limit >= 0 && header->body_size > (uint64_t)limit)
        return -EMSGSIZE;
    if (header->body_size > SIZE_MAX / 2)
        return -EMSGSIZE;
    /* Commands are small; nobody needs one that does not fit a slab. */
    if ((header->flags & ZL_FRAME_COMMAND) && header->body_size > ZL_SLAB_SIZE / 2)
        return -EMSGSIZE;
    return rc;
}

static ssize_t decode_zmtp(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data,
                           size_t size)
{
    uint8_t *at = data, *end = data + size;
    while (at < end) {
        struct zl_frame_header header;
        int rc = parse_header(link, at, end, &header);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        harvest->frames++;
        uint8_t *body = at + header.header_size;
        size_t have = (size_t)(end - body);
        if (header.body_size > have) {
            if (header.body_size < ZL_BODY_MIN || (header.flags & ZL_FRAME_COMMAND))
                break;
            rc = begin_body(link, harvest, &header, body, have);
            at = end;
        } else {
            size_t body_size = (size_t)header.body_size;
            if (header.flags & ZL_FRAME_COMMAND)
                rc = take_command(link, harvest, body, body_size);
            else
                rc = push_slice(link, harvest, body, body_size, header.flags & ZL_FRAME_MORE);
            at = body + body_size;
        }
        if (rc < 0)
            return rc;
    }
    return at - data;
}

/* Raw connections: what one read brought is one message. */
static ssize_t decode_raw(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data,
                          size_t size)
{
    int rc = size ? push_slice(link, harvest, data, size, false) : 0;
    return rc < 0 ? rc : (ssize_t)size;
}

/* ---- ZWS --------------------------------------------------------------------------------------- */

static int take_control(struct zl_link *link, struct zl_harvest *harvest,
                        const struct zl_zws_header *header, const uint8_t *payload)
{
    size_t size = (size_t)header->frame.body_size;
    if (header->kind == ZL_ZWS_PING) {
        harvest->pong = true;
        harvest->ping_frame = harvest->frames;
        harvest->ping_ttl = 0;
        harvest->pong_context_size = (uint8_t)size;
        memcpy(harvest->pong_context, payload, size);
    } else if (header->kind == ZL_ZWS_CLOSE) {
        int code = zl_websocket_parse_close(payload, size);
        if (code < 0)
            return code;
        link->reader.close_code = (uint16_t)code;
        return -EPIPE;
    }
    return 0;
}

/* At least to twice the size: many small fragments must not each copy what is there. */
static int grow_to(struct zl_link_reader *reader, uint64_t wanted)
{
    uint64_t twice = 2 * (uint64_t)reader->body->size;
    struct zl_content *grown =
        zl_content_grow(reader->body, (size_t)(wanted > twice ? wanted : twice));
    if (!grown)
        return -ENOMEM;
    reader->body = grown;
    return 0;
}

/* A fragment of a message goes behind those before it; all of them are in memory of their own. */
static int begin_fragment(struct zl_link *link, struct zl_harvest *harvest,
                          const struct zl_zws_header *header, const uint8_t *data, size_t have)
{
    struct zl_link_reader *reader = &link->reader;
    uint64_t size = header->frame.body_size;
    /* Nobody splits the little that a command says. */
    if (header->kind == ZL_ZWS_LAST_FRAGMENT && (header->frame.flags & ZL_FRAME_COMMAND))
        return -EPROTO;
    if (!reader->body) {
        reader->body = zl_content_new((size_t)on_trust(size, have));
        reader->body_filled = 0;
    } else {
        uint64_t wanted = on_trust(reader->body_filled + size, reader->body_filled + have);
        if (wanted > reader->body->size && grow_to(reader, wanted) < 0)
            return -ENOMEM;
    }
    if (!reader->body)
        return -ENOMEM;
    reader->body_size = reader->body_filled + size;
    reader->body_flags = header->frame.flags;
    reader->body_mask = header->mask;
    reader->fragmented = header->kind == ZL_ZWS_FRAGMENT;
    if (size == 0)
        return reader->fragmented ? 0 : zl_link_take_body(link, harvest, 0);
    return take_body_copy(link, harvest, data, have);
}

static int take_zws_frame(struct zl_link *link, struct zl_harvest *harvest,
                          const struct zl_zws_header *header, uint8_t *body)
{
    size_t size = (size_t)header->frame.body_size;
    if (header->mask)
        zl_websocket_mask(body, body, size, header->mask);
    if (header->kind >= ZL_ZWS_PING)
        return take_control(link, harvest, header, body);
    if (header->frame.flags & ZL_FRAME_COMMAND)
        return take_command(link, harvest, body, size);
    return push_slice(link, harvest, body, size, header->frame.flags & ZL_FRAME_MORE);
}

/* What is not whole yet: waits for the rest of what is short, begins what is long. *waits: nothing was
   taken. */
static int take_incomplete(struct zl_link *link, struct zl_harvest *harvest,
                           const struct zl_zws_header *header, const uint8_t *body, size_t have,
                           bool *waits)
{
    bool is_short = header->frame.body_size < ZL_BODY_MIN;
    bool is_command = header->kind == ZL_ZWS_FRAME && (header->frame.flags & ZL_FRAME_COMMAND);
    if (is_command && !is_short && header->frame.body_size > ZL_SLAB_SIZE / 2)
        return -EMSGSIZE;
    *waits = is_short || is_command;
    if (*waits)
        return 0;
    zl_zws_take(&link->reader.zws, header);
    if (header->kind != ZL_ZWS_FRAME)
        return begin_fragment(link, harvest, header, body, have);
    int rc = begin_body(link, harvest, &header->frame, body, 0);
    if (rc < 0)
        return rc;
    link->reader.body_mask = header->mask;
    return take_body_copy(link, harvest, body, have);
}

static bool is_fragment(const struct zl_zws_header *header)
{
    return header->kind == ZL_ZWS_FRAGMENT || header->kind == ZL_ZWS_LAST_FRAGMENT;
}

static ssize_t decode_zws(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data,
                          size_t size)
{
    struct zl_zws_reader *zws = &link->reader.zws;
    uint8_t *at = data, *end = data + size;
    while (at < end) {
        struct zl_zws_header header;
        int rc = zl_zws_get_header(zws, at, end, &header);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        uint8_t *body = at + rc;
        size_t have = (size_t)(end - body);
        if (header.frame.body_size > SIZE_MAX / 2)
            return -EMSGSIZE;
        if (header.frame.body_size > have) {
            bool waits;
            rc = take_incomplete(link, harvest, &header, body, have, &waits);
            if (rc < 0)
                return rc;
            if (waits)
                break;
            harvest->frames++;
            return (ssize_t)size;
        }
        zl_zws_take(zws, &header);
        harvest->frames++;
        at = body + header.frame.body_size;
        if (is_fragment(&header))
            rc = begin_fragment(link, harvest, &header, body, (size_t)header.frame.body_size);
        else
            rc = take_zws_frame(link, harvest, &header, body);
        if (rc < 0)
            return rc;
    }
    return at - data;
}

ssize_t zl_link_decode(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data, size_t size)
{
    if (link->raw)
        return decode_raw(link, harvest, data, size);
    return link->websocket ? decode_zws(link, harvest, data, size)
                           : decode_zmtp(link, harvest, data, size);
}
