/* SPDX-License-Identifier: MPL-2.0 */
/* The accepting side of the upgrade to WebSocket. */

#include "wire/upgrade.h"

#include <stdio.h>
#include <string.h>

#include "wire/bytes.h"

enum {
    IS_GET = 1 << 0,
    IS_OUR_PATH = 1 << 1,
    HAS_HOST = 1 << 2,
    HAS_UPGRADE = 1 << 3,
    HAS_CONNECTION = 1 << 4,
    HAS_VERSION = 1 << 5,
    IS_VERSION_13 = 1 << 6,
    HAS_KEY = 1 << 7,
    HAS_PROTOCOL = 1 << 8,
};

/* What must have been found when the head ends, and what to answer if it has not. */
static const struct {
    unsigned fact;
    int status;
} demands[] = {
    {IS_GET, 405},        {IS_OUR_PATH, 404},    {HAS_HOST, 400},
    {HAS_UPGRADE, 400},   {HAS_CONNECTION, 400}, {HAS_VERSION, 400},
    {IS_VERSION_13, 426}, {HAS_KEY, 400},        {HAS_PROTOCOL, 400},
};

void zl_upgrade_server_init(struct zl_upgrade_server *server, const char *path,
                            const char *const *protocols)
{
    server->protocol = NULL;
    server->status = 0;
    server->result = 0;
    server->path = path;
    server->protocols = protocols;
    server->in_fields = false;
    server->fields = 0;
    server->facts = 0;
    zl_http_reader_init(&server->reader);
}

static int refuse(struct zl_upgrade_server *server, int status, int error)
{
    server->status = status;
    return error;
}

/* ---- The request line ---- */

/* The path of a target. Servers must understand the absolute form too, with scheme and host. */
static struct zl_http_text path_of(struct zl_http_text target)
{
    static const struct zl_http_text root = {"/", 1};
    const char *end = target.at + target.size;
    const char *at = target.at[0] == '/' ? NULL : memchr(target.at, ':', target.size);
    if (!at || at == target.at || end - at < 3 || memcmp(at, "://", 3) != 0)
        return target;
    at += 3;
    while (at < end && *at != '/' && *at != '?')
        at++;
    return at < end && *at == '/' ? (struct zl_http_text){at, (size_t)(end - at)} : root;
}

static bool is_our_path(const struct zl_upgrade_server *server, struct zl_http_text target)
{
    struct zl_http_text path = path_of(target);
    size_t size = strlen(server->path);
    if (path.size < size || memcmp(path.at, server->path, size) != 0)
        return false;
    return path.size == size || path.at[size] == '?';
}

static int on_request_line(struct zl_upgrade_server *server, struct zl_http_text line)
{
    struct zl_http_text method = zl_http_word(&line);
    struct zl_http_text target = zl_http_word(&line);
    server->in_fields = true;
    if (!zl_http_is_token(method) || target.size == 0 || !zl_http_is_version_1_1(line))
        return refuse(server, 400, -EPROTO);
    if (zl_http_equals(method, "GET"))
        server->facts |= IS_GET;
    if (is_our_path(server, target))
        server->facts |= IS_OUR_PATH;
    return 0;
}

/* ---- Fields ---- */

/* These may appear once: two readers could take different ones. */
static int once(struct zl_upgrade_server *server, unsigned fact)
{
    if (server->facts & fact)
        return -EPROTO;
    server->facts |= fact;
    return 0;
}

static int on_host(struct zl_upgrade_server *server, struct zl_http_text value)
{
    (void)value; /* we are whom the client has connected to, by whatever name */
    return once(server, HAS_HOST);
}

static int on_upgrade(struct zl_upgrade_server *server, struct zl_http_text value)
{
    if (zl_http_has(value, "websocket"))
        server->facts |= HAS_UPGRADE;
    return 0;
}

static int on_connection(struct zl_upgrade_server *server, struct zl_http_text value)
{
    if (zl_http_has(value, "upgrade"))
        server->facts |= HAS_CONNECTION;
    return 0;
}

static int on_version(struct zl_upgrade_server *server, struct zl_http_text value)
{
    if (zl_http_equals(value, "13"))
        server->facts |= IS_VERSION_13;
    return once(server, HAS_VERSION);
}

static int on_key(struct zl_upgrade_server *server, struct zl_http_text value)
{
    if (!zl_websocket_key_is_valid(value.at, value.size))
        return -EPROTO;
    memcpy(server->key, value.at, ZL_WEBSOCKET_KEY_SIZE);
    return once(server, HAS_KEY);
}

static int on_protocol(struct zl_upgrade_server *server, struct zl_http_text value)
{
    struct zl_http_text offered;
    while (!server->protocol && zl_http_next(&value, &offered))
        for (const char *const *ours = server->protocols; *ours; ours++)
            if (zl_http_equals(offered, *ours)) {
                server->protocol = *ours;
                server->facts |= HAS_PROTOCOL;
            }
    return 0;
}

/* A body would be taken for frames by us and for something else by whoever is between. */
static int on_content_length(struct zl_upgrade_server *server, struct zl_http_text value)
{
    (void)server;
    return zl_http_equals(value, "0") ? 0 : -EPROTO;
}

static int on_transfer_encoding(struct zl_upgrade_server *server, struct zl_http_text value)
{
    (void)server;
    (void)value;
    return -EPROTO;
}

static const struct {
    const char *name;
    int (*take)(struct zl_upgrade_server *server, struct zl_http_text value);
} known_fields[] = {
    {"Host", on_host},
    {"Upgrade", on_upgrade},
    {"Connection", on_connection},
    {"Sec-WebSocket-Key", on_key},
    {"Sec-WebSocket-Version", on_version},
    {"Sec-WebSocket-Protocol", on_protocol},
    {"Content-Length", on_content_length},
    {"Transfer-Encoding", on_transfer_encoding},
};

static int on_field(struct zl_upgrade_server *server, struct zl_http_text line)
{
    struct zl_http_field field;
    if (++server->fields > ZL_HTTP_FIELDS_MAX)
        return refuse(server, 431, -EMSGSIZE);
    if (zl_http_parse_field(line, &field) < 0)
        return refuse(server, 400, -EPROTO);
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (zl_http_is(field.name, known_fields[i].name) &&
            known_fields[i].take(server, field.value) < 0)
            return refuse(server, 400, -EPROTO);
    return 0;
}

/* ---- The verdict ---- */

static int judge(struct zl_upgrade_server *server)
{
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++)
        if (!(server->facts & demands[i].fact))
            return refuse(server, demands[i].status, -EPROTO);
    int rc = zl_websocket_accept(server->accept, server->key);
    return rc < 0 ? refuse(server, 500, rc) : 1;
}

static int on_line(struct zl_upgrade_server *server)
{
    struct zl_http_text line = zl_http_line_text(&server->reader);
    if (!server->in_fields)
        return on_request_line(server, line);
    return line.size ? on_field(server, line) : judge(server);
}

/* A line that is no line. Those who do not even begin like HTTP, with a greeting of ZMTP or of TLS,
 * get no answer. */
static int on_bad_line(struct zl_upgrade_server *server, int error)
{
    struct zl_http_text line = zl_http_line_text(&server->reader);
    if (server->in_fields)
        return refuse(server, error == -EMSGSIZE ? 431 : 400, error);
    line.size = line.size ? 1 : 0;
    if (!zl_http_is_token(line))
        return refuse(server, 0, error);
    return refuse(server, error == -EMSGSIZE ? 414 : 400, error);
}

int zl_upgrade_server_input(struct zl_upgrade_server *server, const uint8_t *src, size_t n,
                            size_t *consumed)
{
    struct zl_reader rest = zl_reader_over(src, n);
    while (server->result == 0 && zl_reader_left(&rest)) {
        int rc = zl_http_line(&server->reader, &rest.at, rest.end);
        if (rc != 0)
            server->result = rc < 0 ? on_bad_line(server, rc) : on_line(server);
    }
    *consumed = n - zl_reader_left(&rest);
    return server->result;
}

/* ---- The response ---- */

static const struct {
    int status;
    const char *text; /* reason, and the fields that belong to it */
} refusals[] = {
    {400, "400 Bad Request\r\n"},
    {404, "404 Not Found\r\n"},
    {405, "405 Method Not Allowed\r\nAllow: GET\r\n"},
    {414, "414 URI Too Long\r\n"},
    {426, "426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 13\r\n"},
    {431, "431 Request Header Fields Too Large\r\n"},
    {500, "500 Internal Server Error\r\n"},
};

static int put_refusal(char *dst, int status)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].status == status)
            return snprintf(dst, ZL_UPGRADE_RESPONSE_MAX,
                            "HTTP/1.1 %sConnection: close\r\nContent-Length: 0\r\n\r\n",
                            refusals[i].text);
    return 0;
}

/* To the letter: libzmq accepts no other reason phrase. */
static int put_acceptance(char *dst, const struct zl_upgrade_server *server)
{
    return snprintf(dst, ZL_UPGRADE_RESPONSE_MAX,
                    "HTTP/1.1 101 Switching Protocols\r\n"
                    "Upgrade: websocket\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: %s\r\n"
                    "Sec-WebSocket-Protocol: %s\r\n"
                    "\r\n",
                    server->accept, server->protocol);
}

size_t zl_upgrade_server_response(const struct zl_upgrade_server *server, uint8_t *dst)
{
    int size = 0;
    if (server->result == 1)
        size = put_acceptance((char *)dst, server);
    else if (server->result < 0)
        size = put_refusal((char *)dst, server->status);
    return size > 0 && size < ZL_UPGRADE_RESPONSE_MAX ? (size_t)size : 0;
}
