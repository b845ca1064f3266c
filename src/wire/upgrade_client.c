/* SPDX-License-Identifier: MPL-2.0 */
/* The connecting side of the upgrade to WebSocket. */

#include "wire/upgrade.h"

#include <stdio.h>
#include <string.h>

#include "wire/bytes.h"

enum {
    HAS_UPGRADE = 1 << 0,
    HAS_CONNECTION = 1 << 1,
    HAS_ACCEPT = 1 << 2,
    HAS_PROTOCOL = 1 << 3,
    HAS_ALL = HAS_UPGRADE | HAS_CONNECTION | HAS_ACCEPT | HAS_PROTOCOL,
};

enum { SWITCHING_PROTOCOLS = 101 };

int zl_upgrade_client_init(struct zl_upgrade_client *client,
                           const uint8_t nonce[ZL_WEBSOCKET_NONCE_SIZE],
                           const char *const *protocols)
{
    client->protocol = NULL;
    client->status = 0;
    client->result = 0;
    client->protocols = protocols;
    client->fields = 0;
    client->facts = 0;
    zl_http_reader_init(&client->reader);
    zl_websocket_key(client->key, nonce);
    return zl_websocket_accept(client->accept, client->key);
}

/* ---- The request ---- */

/* What is being written; nothing more once `failed`. */
struct text_writer {
    char *at;
    size_t room;
    bool failed;
};

static void put(struct text_writer *writer, const char *text, size_t size)
{
    writer->failed |= size > writer->room;
    if (writer->failed || size == 0)
        return;
    memcpy(writer->at, text, size);
    writer->at += size;
    writer->room -= size;
}

static void put_text(struct text_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* An octet that ends the word or the line would let whoever chose it write the request. */
static bool is_one_word(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7F)
            return false;
    return true;
}

static void put_host(struct text_writer *writer, const struct zl_upgrade_target *target)
{
    const char *host = target->host;
    size_t size = strlen(host);
    if (host[0] != '[' && !strchr(host, ':')) {
        put(writer, host, size);
    } else {
        /* The zone of an IPv6 address means something on this machine only. */
        host += host[0] == '[';
        put_text(writer, "[");
        put(writer, host, strcspn(host, "%]"));
        put_text(writer, "]");
    }
    if (target->port == (target->secure ? 443 : 80))
        return;
    char port[8];
    snprintf(port, sizeof port, ":%u", (unsigned)target->port);
    put_text(writer, port);
}

static void put_protocols(struct text_writer *writer, const char *const *protocols)
{
    for (const char *const *name = protocols; *name; name++) {
        if (name != protocols)
            put_text(writer, ",");
        put_text(writer, *name);
    }
}

int zl_upgrade_client_request(const struct zl_upgrade_client *client,
                              const struct zl_upgrade_target *target, uint8_t *dst, size_t cap)
{
    struct text_writer writer = {.at = (char *)dst, .room = cap};
    const char *path = target->path && target->path[0] ? target->path : "/";
    if (path[0] != '/' || !is_one_word(path) || !target->host[0] || !is_one_word(target->host))
        return -EINVAL;
    put_text(&writer, "GET ");
    put_text(&writer, path);
    put_text(&writer, " HTTP/1.1\r\nHost: ");
    put_host(&writer, target);
    put_text(&writer, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
    put_text(&writer, client->key);
    put_text(&writer, "\r\nSec-WebSocket-Protocol: ");
    put_protocols(&writer, client->protocols);
    put_text(&writer, "\r\nSec-WebSocket-Version: 13\r\n\r\n");
    return writer.failed ? -ENOBUFS : (int)(cap - writer.room);
}

/* ---- The response ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Any reason phrase will do, and none. */
static int on_status_line(struct zl_upgrade_client *client, struct zl_http_text line)
{
    struct zl_http_text version = zl_http_word(&line);
    struct zl_http_text code = zl_http_word(&line);
    if (!zl_http_is_version_1_1(version) || code.size != 3)
        return -EPROTO;
    int status = 0;
    for (size_t i = 0; i < code.size; i++) {
        if (!is_digit(code.at[i]))
            return -EPROTO;
        status = 10 * status + (code.at[i] - '0');
    }
    if (status < 100)
        return -EPROTO;
    client->status = status;
    return status == SWITCHING_PROTOCOLS ? 0 : -ECONNREFUSED;
}

static int on_upgrade(struct zl_upgrade_client *client, struct zl_http_text value)
{
    if (zl_http_has(value, "websocket"))
        client->facts |= HAS_UPGRADE;
    return 0;
}

static int on_connection(struct zl_upgrade_client *client, struct zl_http_text value)
{
    if (zl_http_has(value, "upgrade"))
        client->facts |= HAS_CONNECTION;
    return 0;
}

static int on_accept(struct zl_upgrade_client *client, struct zl_http_text value)
{
    if (client->facts & HAS_ACCEPT || !zl_http_equals(value, client->accept))
        return -EPROTO;
    client->facts |= HAS_ACCEPT;
    return 0;
}

static int on_protocol(struct zl_upgrade_client *client, struct zl_http_text value)
{
    if (client->facts & HAS_PROTOCOL)
        return -EPROTO;
    for (const char *const *ours = client->protocols; *ours; ours++)
        if (zl_http_equals(value, *ours)) {
            client->protocol = *ours;
            client->facts |= HAS_PROTOCOL;
            return 0;
        }
    return -EPROTO;
}

/* We have offered none. */
static int on_extensions(struct zl_upgrade_client *client, struct zl_http_text value)
{
    (void)client;
    return value.size ? -EPROTO : 0;
}

static const struct {
    const char *name;
    int (*take)(struct zl_upgrade_client *client, struct zl_http_text value);
} known_fields[] = {
    {"Upgrade", on_upgrade},
    {"Connection", on_connection},
    {"Sec-WebSocket-Accept", on_accept},
    {"Sec-WebSocket-Protocol", on_protocol},
    {"Sec-WebSocket-Extensions", on_extensions},
};

static int on_field(struct zl_upgrade_client *client, struct zl_http_text line)
{
    struct zl_http_field field;
    if (++client->fields > ZL_HTTP_FIELDS_MAX)
        return -EMSGSIZE;
    if (zl_http_parse_field(line, &field) < 0)
        return -EPROTO;
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (zl_http_is(field.name, known_fields[i].name))
            return known_fields[i].take(client, field.value);
    return 0;
}

static int on_line(struct zl_upgrade_client *client)
{
    struct zl_http_text line = zl_http_line_text(&client->reader);
    if (client->status == 0)
        return on_status_line(client, line);
    if (line.size)
        return on_field(client, line);
    return client->facts == HAS_ALL ? 1 : -EPROTO;
}

int zl_upgrade_client_input(struct zl_upgrade_client *client, const uint8_t *src, size_t n,
                            size_t *consumed)
{
    struct zl_reader rest = zl_reader_over(src, n);
    while (client->result == 0 && zl_reader_left(&rest)) {
        int rc = zl_http_line(&client->reader, &rest.at, rest.end);
        if (rc != 0)
            client->result = rc < 0 ? rc : on_line(client);
    }
    *consumed = n - zl_reader_left(&rest);
    return client->result;
}
