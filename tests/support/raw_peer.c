/* SPDX-License-Identifier: MPL-2.0 */
/* Peers made of bare sockets, for the behaviour and fault tests. */
#define _GNU_SOURCE
#include "support/raw_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

/* ---- connections ------------------------------------------------------------------------ */

static socklen_t parse_endpoint(const char *endpoint, union address *address)
{
    memset(address, 0, sizeof *address);
    if (strncmp(endpoint, "ipc://", 6) == 0) {
        const char *path = endpoint + 6;
        size_t length = strlen(path);
        address->un.sun_family = AF_UNIX;
        memcpy(address->un.sun_path, path, length);
        if (*path == '@')
            address->un.sun_path[0] = 0;
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*path != '@'));
    }
    address->in.sin_family = AF_INET;
    address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->in.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    return sizeof address->in;
}

static void limit_waiting(int fd)
{
    struct timeval limit = {.tv_sec = TS_TIMEOUT_MS / 1000};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int ts_raw_connect_at(const char *endpoint, const char *file, int line)
{
    union address address;
    socklen_t size = parse_endpoint(endpoint, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        ts_fail_at(file, line, "socket: %s", strerror(errno));
    limit_waiting(fd);
    if (connect(fd, &address.any, size) != 0)
        ts_fail_at(file, line, "connect to %s: %s", endpoint, strerror(errno));
    return fd;
}

int ts_raw_listen_at(char endpoint[TS_ENDPOINT_MAX], const char *file, int line)
{
    union address address = {.in.sin_family = AF_INET};
    socklen_t size = sizeof address.in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd == -1 || bind(fd, &address.any, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, &address.any, &size) != 0)
        ts_fail_at(file, line, "raw listener: %s", strerror(errno));
    limit_waiting(fd);
    snprintf(endpoint, TS_ENDPOINT_MAX, "tcp://127.0.0.1:%d", ntohs(address.in.sin_port));
    return fd;
}

int ts_raw_accept_at(int listener, const char *file, int line)
{
    int fd = accept(listener, NULL, NULL);
    if (fd == -1)
        ts_fail_at(file, line, "accept: %s", strerror(errno));
    limit_waiting(fd);
    return fd;
}

/* ---- bytes ------------------------------------------------------------------------------ */

void ts_raw_send_at(int fd, const void *data, size_t size, const char *file, int line)
{
    for (size_t done = 0; done < size;) {
        ssize_t rc = send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (rc == -1 && errno != EINTR)
            ts_fail_at(file, line, "send of %zu bytes, at %zu: %s", size, done, strerror(errno));
        done += rc > 0 ? (size_t)rc : 0;
    }
}

void ts_raw_send_if_open(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t rc = send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (rc == -1 && errno != EINTR)
            return;
        done += rc > 0 ? (size_t)rc : 0;
    }
}

void ts_raw_recv_at(int fd, void *buffer, size_t size, const char *file, int line)
{
    for (size_t done = 0; done < size;) {
        ssize_t rc = recv(fd, (char *)buffer + done, size - done, 0);
        if (rc == 0)
            ts_fail_at(file, line, "closed after %zu of %zu bytes", done, size);
        if (rc == -1 && errno != EINTR)
            ts_fail_at(file, line, "%zu of %zu bytes: %s", done, size, strerror(errno));
        done += rc > 0 ? (size_t)rc : 0;
    }
}

void ts_raw_expect_at(int fd, const void *data, size_t size, const char *file, int line)
{
    unsigned char *got = malloc(size + 1);
    ts_raw_recv_at(fd, got, size, file, line);
    for (size_t i = 0; i < size; ++i)
        if (got[i] != ((const unsigned char *)data)[i])
            ts_fail_at(file, line, "byte %zu of %zu is %02x instead of %02x", i, size, got[i],
                       ((const unsigned char *)data)[i]);
    free(got);
}

void ts_raw_expect_closed_at(int fd, const char *file, int line)
{
    char skipped[4096];
    ssize_t rc;
    do
        rc = recv(fd, skipped, sizeof skipped, 0);
    while (rc > 0 || (rc == -1 && errno == EINTR));
    if (rc == -1 && errno != ECONNRESET)
        ts_fail_at(file, line, "the connection was not closed: %s", strerror(errno));
}

/* ---- ZMTP ------------------------------------------------------------------------------- */

void ts_raw_greeting(unsigned char greeting[64], int minor, const char *mechanism)
{
    memset(greeting, 0, 64);
    greeting[0] = 0xff;
    greeting[8] = 1;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = (unsigned char)minor;
    memcpy(greeting + 12, mechanism, strlen(mechanism));
}

void ts_raw_greet_at(int fd, const char *file, int line)
{
    unsigned char ours[64], theirs[64];
    ts_raw_greeting(ours, 1, "NULL");
    ts_raw_send_at(fd, ours, sizeof ours, file, line);
    ts_raw_recv_at(fd, theirs, sizeof theirs, file, line);
    if (theirs[0] != 0xff || !(theirs[9] & 1) || theirs[10] != 3 || theirs[11] != 1 ||
        memcmp(theirs + 12, ours + 12, 20) != 0)
        ts_fail_at(file, line, "this is not a ZMTP 3.1 NULL greeting");
}

static size_t put_property(unsigned char *at, const char *name, const void *value, size_t size)
{
    size_t length = strlen(name);
    uint32_t big_endian = htonl((uint32_t)size);
    *at = (unsigned char)length;
    memcpy(at + 1, name, length);
    memcpy(at + 1 + length, &big_endian, 4);
    if (size)
        memcpy(at + 5 + length, value, size);
    return 5 + length + size;
}

void ts_raw_send_ready_at(int fd, const char *socket_type, const void *identity, size_t size,
                          const char *file, int line)
{
    unsigned char body[1024] = "\5READY";
    size_t length = 6;
    length += put_property(body + length, "Socket-Type", socket_type, strlen(socket_type));
    if (identity)
        length += put_property(body + length, "Identity", identity, size);
    ts_raw_send_frame_at(fd, TS_FRAME_COMMAND, body, length, file, line);
}

void ts_raw_handshake_at(int fd, const char *socket_type, const void *identity, size_t size,
                         const char *file, int line)
{
    unsigned char body[1024];
    int flags;
    ts_raw_greet_at(fd, file, line);
    ts_raw_send_ready_at(fd, socket_type, identity, size, file, line);
    size_t length = ts_raw_recv_frame_at(fd, &flags, body, sizeof body, file, line);
    if (!(flags & TS_FRAME_COMMAND) || length < 6 || memcmp(body, "\5READY", 6) != 0)
        ts_fail_at(file, line, "the library's first frame is not READY");
}

void ts_raw_dealer_opening(unsigned char opening[TS_DEALER_OPENING])
{
    static const char ready[] = "\4\x2a\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\1X";
    _Static_assert(sizeof ready - 1 == TS_DEALER_OPENING - 64, "the size of READY");
    ts_raw_greeting(opening, 1, "NULL");
    memcpy(opening + 64, ready, sizeof ready - 1);
}

void ts_raw_send_frame_at(int fd, int flags, const void *body, size_t size, const char *file,
                          int line)
{
    unsigned char header[9] = {(unsigned char)flags};
    size_t length = 2;
    if (size > 255 || (flags & TS_FRAME_LONG)) {
        header[0] |= TS_FRAME_LONG;
        for (int i = 0; i < 8; ++i)
            header[1 + i] = (unsigned char)((uint64_t)size >> (56 - 8 * i));
        length = 9;
    } else
        header[1] = (unsigned char)size;
    ts_raw_send_at(fd, header, length, file, line);
    ts_raw_send_at(fd, body, size, file, line);
}

size_t ts_raw_recv_frame_at(int fd, int *flags, void *body, size_t capacity, const char *file,
                            int line)
{
    unsigned char header[9];
    uint64_t size = 0;
    ts_raw_recv_at(fd, header, 1, file, line);
    *flags = header[0];
    int octets = header[0] & TS_FRAME_LONG ? 8 : 1;
    ts_raw_recv_at(fd, header + 1, (size_t)octets, file, line);
    for (int i = 0; i < octets; ++i)
        size = size << 8 | header[1 + i];
    if (size > capacity)
        ts_fail_at(file, line, "a frame of %llu bytes", (unsigned long long)size);
    ts_raw_recv_at(fd, body, size, file, line);
    return size;
}

void ts_raw_expect_frame_at(int fd, int flags, const void *body, size_t size, const char *file,
                            int line)
{
    static _Thread_local unsigned char got[65536];
    int got_flags;
    size_t got_size = ts_raw_recv_frame_at(fd, &got_flags, got, sizeof got, file, line);
    if ((got_flags & ~TS_FRAME_LONG) != flags)
        ts_fail_at(file, line, "frame flags %02x instead of %02x", got_flags, flags);
    if (got_size != size || memcmp(got, body, size) != 0)
        ts_fail_at(file, line, "frame body of %zu bytes \"%.*s\" differs from %zu bytes wanted",
                   got_size, got_size < 40 ? (int)got_size : 40, (char *)got, size);
}
