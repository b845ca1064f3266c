/* SPDX-License-Identifier: MPL-2.0 */
/* The handshake. */
#include "core/handshake.h"

#include "base/list.h"
#include "base/random.h"
#include "core/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No command of a handshake needs more. */
#define COMMAND_MAX 65536u
/* Nor more input at once, nor more unsent output: a peer that keeps us answering and does not read is
   not let in. */
#define INPUT_MAX (2 * COMMAND_MAX)
#define OUTPUT_MAX (2 * COMMAND_MAX)
/* Pings and pongs before a WebSocket connection is ready. */
#define CONTROLS_MAX 64u

static int append_out(struct zl_handshake *handshake, const void *data, size_t size)
{
    if (handshake->out_sent == handshake->out_size)
        handshake->out_sent = handshake->out_size = 0;
    if (handshake->out_size - handshake->out_sent + size > OUTPUT_MAX)
        return -ENOBUFS;
    size_t need = handshake->out_size + size;
    if (need > handshake->out_capacity) {
        size_t capacity = need > 512 ? need * 2 : 512;
        uint8_t *out = realloc(handshake->out, capacity);
        if (!out)
            return -ENOMEM;
        handshake->out = out;
        handshake->out_capacity = capacity;
    }
    if (size)
        memcpy(handshake->out + handshake->out_size, data, size);
    handshake->out_size += size;
    return 0;
}

/* One frame in the framing of the connection. */
static int append_frame(struct zl_handshake *handshake, uint8_t flags, const void *body,
                        size_t size)
{
    uint8_t *frame = malloc(ZL_ZWS_HEADER_MAX + size);
    if (!frame)
        return -ENOMEM;
    size_t total;
    if (handshake->websocket) {
        total = zl_zws_put_frame(frame, handshake->side, flags, body, size, zl_random_u32());
    } else {
        total = zl_zmtp_put_header(frame, flags, size);
        if (size)
            memcpy(frame + total, body, size);
        total += size;
    }
    int rc = append_out(handshake, frame, total);
    free(frame);
    return rc;
}

static int emit(struct zl_mechanism *mechanism, const char *name, const void *data, size_t size)
{
    struct zl_handshake *handshake = zl_container_of(mechanism, struct zl_handshake, mechanism);
    size_t body_size = zl_command_size(name, size);
    uint8_t *body = malloc(body_size);
    if (!body)
        return -ENOMEM;
    zl_command_put(body, name, data, size);
    int rc = append_frame(handshake, ZL_FRAME_COMMAND, body, body_size);
    free(body);
    return rc;
}

static int remember_properties(struct zl_handshake *handshake, const void *data, size_t size)
{
    handshake->metadata = zl_metadata_new();
    if (!handshake->metadata)
        return -ENOMEM;
    struct zl_metadata_reader reader;
    struct zl_property property;
    zl_metadata_reader_init(&reader, data, size);
    int rc;
    while ((rc = zl_metadata_next(&reader, &property)) == 1) {
        rc = zl_metadata_add(handshake->metadata, (const char *)property.name, property.name_size,
                             property.value, property.value_size);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int peer_metadata(struct zl_mechanism *mechanism, const void *data, size_t size)
{
    struct zl_handshake *handshake = zl_container_of(mechanism, struct zl_handshake, mechanism);
    struct zl_peer_metadata peer;
    int rc = zl_metadata_check(data, size, mechanism->socket_type, &peer);
    if (rc < 0)
        return rc;
    handshake->identity_size = peer.identity ? peer.identity_size : 0;
    if (handshake->identity_size)
        memcpy(handshake->identity, peer.identity, peer.identity_size);
    return remember_properties(handshake, data, size);
}

static int begin_mechanism(struct zl_handshake *handshake)
{
    if (handshake->mechanism_begun)
        return 0;
    handshake->mechanism_begun = true;
    return handshake->mechanism.ops->start(&handshake->mechanism);
}

/* The last piece of the greeting says that the peer speaks 3.x. What needs no answer goes with it, so
   that the connection is ready one turn earlier. */
static int drain_greeting(struct zl_handshake *handshake)
{
    uint8_t piece[ZL_GREETING_SIZE];
    size_t size;
    while ((size = zl_greeting_output(&handshake->greeting, piece, sizeof piece)) > 0) {
        int rc = append_out(handshake, piece, size);
        if (rc < 0)
            return rc;
    }
    bool unprompted =
        handshake->mechanism.ops->unprompted && handshake->options->zap_domain.size == 0;
    bool all_said = handshake->greeting.sent == ZL_GREETING_SIZE;
    return all_said && unprompted ? begin_mechanism(handshake) : 0;
}

/* ---- Upgrade ----------------------------------------------------------------------------------- */

struct zl_handshake_upgrade {
    union {
        struct zl_upgrade_server server;
        struct zl_upgrade_client client;
    } as;
};

static int send_request(struct zl_handshake *handshake, const struct zl_upgrade_target *target)
{
    size_t capacity = ZL_UPGRADE_REQUEST_FIXED + strlen(target->host) + strlen(target->path);
    uint8_t *request = malloc(capacity);
    if (!request)
        return -ENOMEM;
    int size = zl_upgrade_client_request(&handshake->upgrade->as.client, target, request, capacity);
    int rc = size < 0 ? size : append_out(handshake, request, (size_t)size);
    free(request);
    return rc;
}

static int start_upgrade(struct zl_handshake *handshake,
                         const struct zl_handshake_websocket *websocket)
{
    const char *const *protocols =
        zl_zws_protocols(handshake->mechanism.ops->name, handshake->options->zap_domain.size > 0);
    if (!protocols)
        return -EPROTONOSUPPORT;
    handshake->websocket = true;
    handshake->side = websocket->side;
    handshake->state = ZL_HANDSHAKE_AWAIT_UPGRADE;
    zl_zws_reader_init(&handshake->zws, websocket->side, COMMAND_MAX);
    handshake->upgrade = calloc(1, sizeof *handshake->upgrade);
    if (!handshake->upgrade)
        return -ENOMEM;
    if (websocket->side == ZL_WEBSOCKET_SERVER) {
        zl_upgrade_server_init(&handshake->upgrade->as.server, websocket->path, protocols);
        return 0;
    }
    uint32_t nonce[ZL_WEBSOCKET_NONCE_SIZE / sizeof(uint32_t)];
    for (size_t i = 0; i < sizeof nonce / sizeof nonce[0]; i++)
        nonce[i] = zl_random_u32();
    int rc =
        zl_upgrade_client_init(&handshake->upgrade->as.client, (const uint8_t *)nonce, protocols);
    return rc < 0 ? rc : send_request(handshake, &websocket->target);
}

static int start_greeting(struct zl_handshake *handshake)
{
    const struct zl_options *options = handshake->options;
    handshake->state = ZL_HANDSHAKE_AWAIT_GREETING;
    zl_greeting_init(&handshake->greeting, handshake->mechanism.ops->name, options->as_server,
                     options->routing_id_size, options->type);
    if (options->zap_domain.size)
        handshake->greeting.allow_old = false;
    return drain_greeting(handshake);
}

struct zl_handshake *zl_handshake_new(const struct zl_options *options,
                                      const struct zl_handshake_websocket *websocket)
{
    struct zl_handshake *handshake = calloc(1, sizeof *handshake);
    if (!handshake)
        return NULL;
    handshake->options = options;
    handshake->mechanism.ops = &zl_null_ops;
    handshake->mechanism.options = options;
    handshake->mechanism.socket_type = options->type;
    handshake->mechanism.emit = emit;
    handshake->mechanism.peer_metadata = peer_metadata;
    int rc = websocket ? start_upgrade(handshake, websocket) : start_greeting(handshake);
    if (rc < 0) {
        zl_handshake_free(handshake);
        return NULL;
    }
    return handshake;
}

void zl_handshake_free(struct zl_handshake *handshake)
{
    if (!handshake)
        return;
    if (handshake->mechanism.ops->destroy)
        handshake->mechanism.ops->destroy(&handshake->mechanism);
    zl_metadata_release(handshake->metadata, 1);
    free(handshake->upgrade);
    free(handshake->in);
    free(handshake->out);
    free(handshake);
}

static int append_in(struct zl_handshake *handshake, const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (handshake->in_size + size > INPUT_MAX)
        return -EMSGSIZE;
    uint8_t *in = realloc(handshake->in, handshake->in_size + size);
    if (!in)
        return -ENOMEM;
    memcpy(in + handshake->in_size, data, size);
    handshake->in = in;
    handshake->in_size += size;
    return 0;
}

static void drop_in(struct zl_handshake *handshake, size_t size)
{
    handshake->in_size -= size;
    if (handshake->in_size)
        memmove(handshake->in, handshake->in + size, handshake->in_size);
}

/* Our identity frame, in the form the version wants. */
static int send_identity(struct zl_handshake *handshake)
{
    const struct zl_options *options = handshake->options;
    if (handshake->websocket)
        return append_frame(handshake, 0, options->routing_id, options->routing_id_size);
    uint8_t header[ZL_ZMTP_HEADER_MAX];
    size_t size = 0;
    if (handshake->version == ZL_ZMTP_2_0)
        size = zl_zmtp_put_header(header, 0, options->routing_id_size);
    else if (handshake->version == ZL_ZMTP_1_0)
        size = zl_zmtp1_put_header(header, 0, options->routing_id_size);
    int rc = append_out(handshake, header, size);
    return rc < 0 ? rc : append_out(handshake, options->routing_id, options->routing_id_size);
}

/* The version is known: frames follow. */
static int begin_frames(struct zl_handshake *handshake)
{
    if (handshake->version >= ZL_ZMTP_3_0) {
        handshake->state = ZL_HANDSHAKE_AWAIT_COMMAND;
        return begin_mechanism(handshake);
    }
    handshake->state = ZL_HANDSHAKE_AWAIT_IDENTITY;
    return send_identity(handshake);
}

static int greeting_done(struct zl_handshake *handshake)
{
    int rc = drain_greeting(handshake);
    if (rc < 0)
        return rc;
    handshake->version = handshake->greeting.version;
    const uint8_t *replay;
    size_t replay_size;
    zl_greeting_replay(&handshake->greeting, &replay, &replay_size);
    if (replay_size) {
        /* They were the beginning of the frame stream; what is in `in` follows them. */
        size_t rest = handshake->in_size;
        rc = append_in(handshake, replay, replay_size);
        if (rc < 0)
            return rc;
        memmove(handshake->in + replay_size, handshake->in, rest);
        memcpy(handshake->in, replay, replay_size);
    }
    return begin_frames(handshake);
}

static int take_greeting(struct zl_handshake *handshake)
{
    size_t consumed = 0;
    int rc = zl_greeting_input(&handshake->greeting, handshake->in, handshake->in_size, &consumed);
    drop_in(handshake, consumed);
    if (rc == -EBADMSG)
        handshake->mechanism.protocol_error = ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH;
    if (rc < 0)
        return rc;
    if (rc == 0)
        return drain_greeting(handshake);
    rc = greeting_done(handshake);
    return rc < 0 ? rc : 1;
}

/* Feeds the upgrade; *protocol: what was agreed on, once it returns 1. */
static int feed_upgrade(struct zl_handshake *handshake, size_t *consumed, const char **protocol)
{
    struct zl_handshake_upgrade *upgrade = handshake->upgrade;
    int rc;
    if (handshake->side == ZL_WEBSOCKET_CLIENT) {
        rc = zl_upgrade_client_input(&upgrade->as.client, handshake->in, handshake->in_size,
                                     consumed);
        *protocol = upgrade->as.client.protocol;
        return rc;
    }
    rc = zl_upgrade_server_input(&upgrade->as.server, handshake->in, handshake->in_size, consumed);
    *protocol = upgrade->as.server.protocol;
    if (rc != 0) {
        uint8_t response[ZL_UPGRADE_RESPONSE_MAX];
        size_t size = zl_upgrade_server_response(&upgrade->as.server, response);
        int sent = append_out(handshake, response, size);
        if (rc > 0 && sent < 0)
            rc = sent;
    }
    return rc;
}

static int take_upgrade(struct zl_handshake *handshake)
{
    size_t consumed = 0;
    const char *protocol = NULL;
    int rc = feed_upgrade(handshake, &consumed, &protocol);
    drop_in(handshake, consumed);
    if (rc < 0) {
        handshake->mechanism.protocol_error = ZMQ_PROTOCOL_ERROR_WS_UNSPECIFIED;
        return rc;
    }
    if (rc == 0)
        return 0;
    handshake->version = strcmp(protocol, ZL_ZWS_BARE) == 0 ? ZL_ZMTP_2_0 : ZL_ZMTP_3_0;
    free(handshake->upgrade);
    handshake->upgrade = NULL;
    rc = begin_frames(handshake);
    return rc < 0 ? rc : 1;
}

static int answer_control(struct zl_handshake *handshake, const struct zl_zws_header *header,
                          const uint8_t *payload)
{
    uint8_t frame[ZL_WEBSOCKET_CONTROL_MAX];
    if (++handshake->controls > CONTROLS_MAX)
        return -EPROTO;
    if (header->kind == ZL_ZWS_PONG)
        return 0;
    if (header->kind == ZL_ZWS_CLOSE)
        return -EPIPE;
    size_t size = zl_websocket_put_control(frame, handshake->side, ZL_WEBSOCKET_PONG, payload,
                                           (size_t)header->frame.body_size, zl_random_u32());
    return append_out(handshake, frame, size);
}

/* The same as next_frame; pings are answered on the way, and the body is unmasked. */
static int next_zws_frame(struct zl_handshake *handshake, struct zl_frame_header *frame)
{
    struct zl_zws_header header;
    while (handshake->in_size > 0) {
        uint8_t *in = handshake->in;
        int rc = zl_zws_get_header(&handshake->zws, in, in + handshake->in_size, &header);
        if (rc <= 0)
            return rc;
        size_t body_size = (size_t)header.frame.body_size;
        if (handshake->in_size - header.frame.header_size < body_size)
            return 0;
        zl_zws_take(&handshake->zws, &header);
        zl_websocket_mask(in + rc, in + rc, body_size, header.mask);
        *frame = header.frame;
        if (header.kind == ZL_ZWS_FRAME)
            return rc;
        /* Nobody splits the little that a handshake says. */
        if (header.kind == ZL_ZWS_FRAGMENT || header.kind == ZL_ZWS_LAST_FRAGMENT)
            return -EPROTO;
        int answered = answer_control(handshake, &header, in + rc);
        if (answered < 0)
            return answered;
        drop_in(handshake, (size_t)rc + body_size);
    }
    return 0;
}

/* The next whole frame in `in`: its header size, 0 when it is not whole, or a negative errno. */
static int next_frame(struct zl_handshake *handshake, struct zl_frame_header *header)
{
    if (handshake->websocket)
        return next_zws_frame(handshake, header);
    const uint8_t *in = handshake->in, *end = in + handshake->in_size;
    if (handshake->in_size == 0)
        return 0;
    int rc = handshake->version <= ZL_ZMTP_1_0 ? zl_zmtp1_get_header(in, end, header)
                                               : zl_zmtp_get_header(in, end, header);
    if (rc <= 0)
        return rc;
    int64_t limit = handshake->options->maxmsgsize;
    if (header->body_size > COMMAND_MAX || (limit >= 0 && header->body_size > (uint64_t)limit))
        return -EMSGSIZE;
    return handshake->in_size - header->header_size < header->body_size ? 0 : rc;
}

static int take_command(struct zl_handshake *handshake)
{
    struct zl_frame_header header;
    int rc = next_frame(handshake, &header);
    if (rc <= 0)
        return rc;
    if (!(header.flags & ZL_FRAME_COMMAND)) {
        handshake->mechanism.protocol_error = ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND;
        return -EPROTO;
    }
    rc = handshake->mechanism.ops->command(
        &handshake->mechanism, handshake->in + header.header_size, (size_t)header.body_size);
    drop_in(handshake, header.header_size + (size_t)header.body_size);
    if (rc == 1)
        handshake->state = ZL_HANDSHAKE_COMPLETE;
    return rc < 0 ? rc : 1;
}

static int take_identity(struct zl_handshake *handshake)
{
    struct zl_frame_header header;
    int rc = next_frame(handshake, &header);
    if (rc <= 0)
        return rc;
    /* 1.0 does not look at the flags; in 2.0 it is one message frame (wire.md 14). */
    if (handshake->version >= ZL_ZMTP_2_0 && header.flags)
        return -EPROTO;
    const uint8_t *identity = handshake->in + header.header_size;
    if (!zl_identity_is_valid(identity, (size_t)header.body_size))
        return -EPROTO;
    handshake->identity_size = (size_t)header.body_size;
    memcpy(handshake->identity, identity, handshake->identity_size);
    drop_in(handshake, header.header_size + handshake->identity_size);
    handshake->state = ZL_HANDSHAKE_COMPLETE;
    return 1;
}

int zl_handshake_input(struct zl_handshake *handshake, const uint8_t *data, size_t size)
{
    int rc = append_in(handshake, data, size);
    /* Each step returns 1 when it took something, so that the next one may find more. */
    while (rc >= 0) {
        switch (handshake->state) {
        case ZL_HANDSHAKE_AWAIT_UPGRADE:
            rc = take_upgrade(handshake);
            break;
        case ZL_HANDSHAKE_AWAIT_GREETING:
            rc = take_greeting(handshake);
            break;
        case ZL_HANDSHAKE_AWAIT_COMMAND:
            rc = take_command(handshake);
            break;
        case ZL_HANDSHAKE_AWAIT_IDENTITY:
            rc = take_identity(handshake);
            break;
        case ZL_HANDSHAKE_COMPLETE:
            return 1;
        }
        if (rc == 0)
            return 0;
    }
    return rc;
}
