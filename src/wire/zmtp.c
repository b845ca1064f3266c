/* SPDX-License-Identifier: MPL-2.0 */
/* Frame headers and commands of ZMTP. */

#include "wire/zmtp.h"

#include <string.h>

/* ---- Frame headers ---- */

/* Bit n is set when n is a legal flags octet: COMMAND excludes MORE, bits 3-7 are reserved. */
static const unsigned legal_flags = 1u << 0 | 1u << ZL_FRAME_MORE | 1u << ZL_FRAME_LONG |
                                    1u << (ZL_FRAME_MORE | ZL_FRAME_LONG) | 1u << ZL_FRAME_COMMAND |
                                    1u << (ZL_FRAME_LONG | ZL_FRAME_COMMAND);

int zl_zmtp_get_header_slow(const uint8_t *src, const uint8_t *end, struct zl_frame_header *out)
{
    if (src == end)
        return 0;
    uint8_t flags = src[0];
    if (flags > 7 || !(legal_flags >> flags & 1))
        return -EPROTO;
    int header_size = flags & ZL_FRAME_LONG ? 9 : 2;
    if (end - src < header_size)
        return 0;
    uint64_t body_size = flags & ZL_FRAME_LONG ? zl_get_u64(src + 1) : src[1];
    if (body_size > ZL_ZMTP_BODY_MAX)
        return -EPROTO;
    out->flags = flags & (ZL_FRAME_MORE | ZL_FRAME_COMMAND);
    out->header_size = (uint8_t)header_size;
    out->body_size = body_size;
    return header_size;
}

/* The length of 1.0 counts the flags octet, and FF announces the long form. */

size_t zl_zmtp1_header_size(uint64_t body_size)
{
    return body_size < 254 ? 2 : 10;
}

size_t zl_zmtp1_put_header(uint8_t *dst, uint8_t flags, uint64_t body_size)
{
    if (body_size < 254) {
        dst[0] = (uint8_t)(body_size + 1);
        dst[1] = flags & ZL_FRAME_MORE;
        return 2;
    }
    dst[0] = 0xFF;
    zl_put_u64(dst + 1, body_size + 1);
    dst[9] = flags & ZL_FRAME_MORE;
    return 10;
}

int zl_zmtp1_get_header(const uint8_t *src, const uint8_t *end, struct zl_frame_header *out)
{
    if (src == end)
        return 0;
    bool is_long = src[0] == 0xFF;
    int header_size = is_long ? 10 : 2;
    if (is_long && end - src < header_size)
        return 0;
    uint64_t length = is_long ? zl_get_u64(src + 1) : src[0];
    if (length - 1 > ZL_ZMTP_BODY_MAX) /* of length 0 too */
        return -EPROTO;
    if (end - src < header_size)
        return 0;
    out->flags = src[header_size - 1] & ZL_FRAME_MORE;
    out->header_size = (uint8_t)header_size;
    out->body_size = length - 1;
    return header_size;
}

/* ---- Commands: parsing ---- */

static const struct {
    const char *name;
    uint8_t size;
    enum zl_command_kind kind;
} known_commands[] = {
    {"MESSAGE", 7, ZL_COMMAND_MESSAGE}, {"SUBSCRIBE", 9, ZL_COMMAND_SUBSCRIBE},
    {"CANCEL", 6, ZL_COMMAND_CANCEL},   {"PING", 4, ZL_COMMAND_PING},
    {"PONG", 4, ZL_COMMAND_PONG},       {"JOIN", 4, ZL_COMMAND_JOIN},
    {"LEAVE", 5, ZL_COMMAND_LEAVE},     {"READY", 5, ZL_COMMAND_READY},
    {"ERROR", 5, ZL_COMMAND_ERROR},     {"HELLO", 5, ZL_COMMAND_HELLO},
    {"WELCOME", 7, ZL_COMMAND_WELCOME}, {"INITIATE", 8, ZL_COMMAND_INITIATE},
};

static enum zl_command_kind kind_of(const uint8_t *name, size_t size)
{
    for (size_t i = 0; i < sizeof known_commands / sizeof *known_commands; i++)
        if (known_commands[i].size == size && memcmp(known_commands[i].name, name, size) == 0)
            return known_commands[i].kind;
    return ZL_COMMAND_UNKNOWN;
}

int zl_command_parse(const uint8_t *body, size_t n, struct zl_command *out)
{
    struct zl_reader rest = zl_reader_over(body, n);
    uint8_t name_size;
    const uint8_t *name;
    if (!zl_reader_u8(&rest, &name_size) || name_size == 0 ||
        !zl_reader_bytes(&rest, name_size, &name))
        return -EPROTO;
    out->kind = kind_of(name, name_size);
    out->data = rest.at;
    out->size = zl_reader_left(&rest);
    return 0;
}

int zl_command_parse_plain(const uint8_t *body, size_t n, struct zl_command *out)
{
    static const uint8_t misspelt[] = {0x5E, 'R', 'R', 'O', 'R'};
    int rc = zl_command_parse(body, n, out);
    /* 5E read as a name length overruns any such body that libzmq sends. */
    if (rc != -EPROTO || n < sizeof misspelt || memcmp(body, misspelt, sizeof misspelt) != 0)
        return rc;
    out->kind = ZL_COMMAND_ERROR;
    out->data = body + sizeof misspelt;
    out->size = n - sizeof misspelt;
    return 0;
}

int zl_ping_parse(const struct zl_command *command, struct zl_ping *out)
{
    struct zl_reader rest = zl_reader_over(command->data, command->size);
    if (!zl_reader_u16(&rest, &out->ttl) || zl_reader_left(&rest) > ZL_HEARTBEAT_CONTEXT_MAX)
        return -EPROTO;
    out->context = rest.at;
    out->context_size = zl_reader_left(&rest);
    return 0;
}

int zl_pong_parse(const struct zl_command *command, const uint8_t **context, size_t *context_size)
{
    if (command->size > ZL_HEARTBEAT_CONTEXT_MAX)
        return -EPROTO;
    *context = command->data;
    *context_size = command->size;
    return 0;
}

int zl_error_parse(const struct zl_command *command, struct zl_error *out)
{
    struct zl_reader rest = zl_reader_over(command->data, command->size);
    uint8_t size;
    if (!zl_reader_u8(&rest, &size) || zl_reader_left(&rest) != size)
        return -EPROTO;
    out->reason = rest.at;
    out->reason_size = size;
    return 0;
}

int zl_error_status(const struct zl_error *error)
{
    const uint8_t *text = error->reason;
    bool is_status = error->reason_size == 3 && text[0] >= '3' && text[0] <= '5' &&
                     text[1] == '0' && text[2] == '0';
    return is_status ? (text[0] - '0') * 100 : 0;
}

size_t zl_error_text(const struct zl_error *error, char *dst, size_t cap)
{
    size_t size = error->reason_size < cap ? error->reason_size : cap - 1;
    for (size_t i = 0; i < size; i++) {
        uint8_t octet = error->reason[i];
        dst[i] = octet >= 0x20 && octet < 0x7F ? (char)octet : '.';
    }
    dst[size] = '\0';
    return size;
}

/* ---- Commands: encoding ---- */

static uint8_t *put_bytes(uint8_t *dst, const void *data, size_t n)
{
    if (n)
        memcpy(dst, data, n);
    return dst + n;
}

size_t zl_command_size(const char *name, size_t n)
{
    return 1 + strlen(name) + n;
}

size_t zl_command_put(uint8_t *dst, const char *name, const void *data, size_t n)
{
    size_t name_size = strlen(name);
    uint8_t *at = dst;
    *at++ = (uint8_t)name_size;
    at = put_bytes(at, name, name_size);
    at = put_bytes(at, data, n);
    return (size_t)(at - dst);
}

size_t zl_command_put_ping(uint8_t *dst, unsigned ttl, const void *context, size_t context_size)
{
    uint8_t data[2 + ZL_HEARTBEAT_CONTEXT_MAX];
    if (context_size > ZL_HEARTBEAT_CONTEXT_MAX)
        context_size = ZL_HEARTBEAT_CONTEXT_MAX;
    zl_put_u16(data, (uint16_t)(ttl < ZL_PING_TTL_MAX ? ttl : ZL_PING_TTL_MAX));
    put_bytes(data + 2, context, context_size);
    return zl_command_put(dst, "PING", data, 2 + context_size);
}

size_t zl_command_put_error(uint8_t *dst, const void *reason, size_t reason_size)
{
    uint8_t data[1 + 255];
    if (reason_size > 255)
        reason_size = 255;
    data[0] = (uint8_t)reason_size;
    put_bytes(data + 1, reason, reason_size);
    return zl_command_put(dst, "ERROR", data, 1 + reason_size);
}

size_t zl_zmtp_command_size(const char *name, size_t n)
{
    size_t body_size = zl_command_size(name, n);
    return zl_zmtp_header_size(body_size) + body_size;
}

size_t zl_zmtp_put_command(uint8_t *dst, const char *name, const void *data, size_t n)
{
    size_t header_size = zl_zmtp_put_header(dst, ZL_FRAME_COMMAND, zl_command_size(name, n));
    return header_size + zl_command_put(dst + header_size, name, data, n);
}

/* ---- Subscriptions ---- */

static const char *subscription_command(bool subscribe)
{
    return subscribe ? "SUBSCRIBE" : "CANCEL";
}

size_t zl_zmtp_subscription_size(enum zl_zmtp_version version, bool subscribe, size_t topic_size)
{
    if (version >= ZL_ZMTP_3_1)
        return zl_zmtp_command_size(subscription_command(subscribe), topic_size);
    size_t body_size = 1 + topic_size;
    if (version >= ZL_ZMTP_2_0)
        return zl_zmtp_header_size(body_size) + body_size;
    return zl_zmtp1_header_size(body_size) + body_size;
}

size_t zl_zmtp_put_subscription(uint8_t *dst, enum zl_zmtp_version version, bool subscribe,
                                const void *topic, size_t topic_size)
{
    if (version >= ZL_ZMTP_3_1)
        return zl_zmtp_put_command(dst, subscription_command(subscribe), topic, topic_size);
    /* The header must announce the prefix octet too, or a topic of 255 corrupts the stream. */
    size_t body_size = 1 + topic_size;
    uint8_t *at = dst;
    at += version >= ZL_ZMTP_2_0 ? zl_zmtp_put_header(at, 0, body_size)
                                 : zl_zmtp1_put_header(at, 0, body_size);
    *at++ = subscribe ? 1 : 0;
    at = put_bytes(at, topic, topic_size);
    return (size_t)(at - dst);
}
