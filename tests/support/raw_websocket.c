/* SPDX-License-Identifier: MPL-2.0 */
/* WebSocket peers made of bare sockets. */
#include "support/raw_websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

/* ---- Upgrade ---------------------------------------------------------------------------------- */

struct ts_ws ts_ws_connect_at(const char *endpoint, const char *file, int line)
{
    char plain[TS_ENDPOINT_MAX];
    const char *address = strstr(endpoint, "://");
    snprintf(plain, sizeof plain, "tcp%.*s", (int)(3 + strcspn(address + 3, "/")), address);
    return (struct ts_ws){.fd = ts_raw_connect_at(plain, file, line), .is_client = true};
}

void ts_ws_recv_head_at(int fd, char head[2048], const char *file, int line)
{
    size_t size = 0;
    do {
        if (size == 2047)
            ts_fail_at(file, line, "an endless head: %s", head);
        ts_raw_recv_at(fd, head + size, 1, file, line);
        head[++size] = '\0';
    } while (size < 4 || strcmp(head + size - 4, "\r\n\r\n") != 0);
}

void ts_ws_request_at(struct ts_ws ws, const char *path, const char *protocols, char answer[2048],
                      const char *file, int line)
{
    char request[1024];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
                        "Sec-WebSocket-Protocol: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        path, protocols);
    ts_raw_send_at(ws.fd, request, (size_t)size, file, line);
    ts_ws_recv_head_at(ws.fd, answer, file, line);
}

struct ts_ws ts_ws_open_at(const char *endpoint, const char *protocol, const char *file, int line)
{
    char answer[2048], wanted[128];
    const char *path = strchr(strstr(endpoint, "://") + 3, '/');
    struct ts_ws ws = ts_ws_connect_at(endpoint, file, line);
    ts_ws_request_at(ws, path ? path : "/", protocol, answer, file, line);
    snprintf(wanted, sizeof wanted, "\r\nSec-WebSocket-Protocol: %s\r\n", protocol);
    if (strncmp(answer, "HTTP/1.1 101 ", 13) != 0 || !strstr(answer, wanted) ||
        !strstr(answer, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        ts_fail_at(file, line, "the upgrade is answered with: %s", answer);
    return ws;
}

static void accept_key(const char *request, char accept[32])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    char text[64 + sizeof guid];
    const char *key = strstr(request, "\r\nSec-WebSocket-Key: ");
    ts_check(key != NULL);
    int size = snprintf(text, sizeof text, "%.24s%s", key + 21, guid);
    SHA1((unsigned char *)text, (size_t)size, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

struct ts_ws ts_ws_accept_at(int listener, const char *protocol, char request[2048],
                             const char *file, int line)
{
    char answer[512], accept[32];
    struct ts_ws ws = {.fd = ts_raw_accept_at(listener, file, line)};
    ts_ws_recv_head_at(ws.fd, request, file, line);
    accept_key(request, accept);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                        "Sec-WebSocket-Protocol: %s\r\n\r\n",
                        accept, protocol);
    ts_raw_send_at(ws.fd, answer, (size_t)size, file, line);
    return ws;
}

void ts_ws_handshake_at(struct ts_ws ws, const char *socket_type, const char *file, int line)
{
    unsigned char ready[256] = "\2\5READY\13Socket-Type\0\0", got[512];
    size_t length = strlen(socket_type);
    int first_octet;
    ready[22] = (unsigned char)length;
    memcpy(ready + 23, socket_type, length);
    ts_ws_send_at(ws, TS_WS_BINARY, ready, 23 + length, file, line);
    size_t size = ts_ws_recv_at(ws, &first_octet, got, sizeof got, file, line);
    if (first_octet != TS_WS_BINARY || size < 7 || memcmp(got, "\2\5READY", 7) != 0)
        ts_fail_at(file, line, "frame %02x of %zu octets instead of READY", first_octet, size);
}

/* ---- Frames ----------------------------------------------------------------------------------- */

static void apply_mask(unsigned char *at, size_t size, const unsigned char mask[4])
{
    for (size_t i = 0; i < size; ++i)
        at[i] ^= mask[i % 4];
}

void ts_ws_send_at(struct ts_ws ws, int first_octet, const void *payload, size_t size,
                   const char *file, int line)
{
    static const unsigned char mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    unsigned char *frame = malloc(size + 14);
    ts_check(frame != NULL);
    size_t at = 0;
    unsigned char masked = ws.is_client ? 0x80 : 0;
    int length_octets = size > 65535 ? 8 : size > 125 ? 2 : 0;
    frame[at++] = (unsigned char)first_octet;
    frame[at++] = (unsigned char)(masked | (length_octets == 8   ? 127
                                            : length_octets == 2 ? 126
                                                                 : size));
    for (int i = length_octets - 1; i >= 0; --i)
        frame[at++] = (unsigned char)((uint64_t)size >> (8 * i));
    if (ws.is_client) {
        memcpy(frame + at, mask, 4);
        at += 4;
    }
    if (size)
        memcpy(frame + at, payload, size);
    if (ws.is_client)
        apply_mask(frame + at, size, mask);
    ts_raw_send_at(ws.fd, frame, at + size, file, line);
    free(frame);
}

size_t ts_ws_recv_at(struct ts_ws ws, int *first_octet, void *payload, size_t capacity,
                     const char *file, int line)
{
    unsigned char head[2], length[8], mask[4] = {0};
    ts_raw_recv_at(ws.fd, head, 2, file, line);
    *first_octet = head[0];
    if (!(head[1] & 0x80) != ws.is_client)
        ts_fail_at(file, line, "the mask bit is wrong: %02x %02x", head[0], head[1]);
    uint64_t size = head[1] & 0x7F;
    size_t octets = size == 127 ? 8 : size == 126 ? 2 : 0;
    ts_raw_recv_at(ws.fd, length, octets, file, line);
    if (octets)
        size = 0;
    for (size_t i = 0; i < octets; ++i)
        size = size << 8 | length[i];
    if (head[1] & 0x80)
        ts_raw_recv_at(ws.fd, mask, 4, file, line);
    if (size > capacity)
        ts_fail_at(file, line, "a frame of %llu octets", (unsigned long long)size);
    ts_raw_recv_at(ws.fd, payload, (size_t)size, file, line);
    apply_mask(payload, (size_t)size, mask);
    return (size_t)size;
}

void ts_ws_expect_at(struct ts_ws ws, int first_octet, const void *payload, size_t size,
                     const char *file, int line)
{
    static _Thread_local unsigned char got[300000];
    int got_octet;
    size_t got_size = ts_ws_recv_at(ws, &got_octet, got, sizeof got, file, line);
    if (got_octet != first_octet)
        ts_fail_at(file, line, "frame %02x instead of %02x", got_octet, first_octet);
    if (got_size != size || memcmp(got, payload, size) != 0)
        ts_fail_at(file, line, "payload of %zu octets \"%.*s\" differs from %zu wanted", got_size,
                   got_size < 40 ? (int)got_size : 40, (char *)got, size);
}

void ts_ws_expect_close_at(struct ts_ws ws, int code, const char *file, int line)
{
    unsigned char wanted[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    ts_ws_expect_at(ws, TS_WS_CLOSE, wanted, 2, file, line);
    ts_raw_expect_closed_at(ws.fd, file, line);
}
