/* SPDX-License-Identifier: MPL-2.0 */

/* Plain sockets for the raw ceiling; any failure ends the program. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peers.h"
#include "raw.h"
#include "rawtls.h"

static void failed(const char *what)
{
    fatal(EXIT_FAILED, "%s: %s", what, strerror(errno));
}

static void connect_tcp(int pair[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || listen(listener, 1) != 0)
        failed("listening");
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair[1] < 0 || connect(pair[1], (struct sockaddr *)&address, size) != 0)
        failed("connecting");
    pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (pair[0] < 0)
        failed("accepting");
    close(listener);
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void raw_connect(struct raw_run *run)
{
    if (strcmp(run->transport, "ipc") != 0)
        connect_tcp(run->socket);
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->socket) != 0)
        failed("socketpair");
}

void raw_write(struct raw_peer *peer, const void *data, size_t size)
{
    const char *next = data;

    if (peer->tls != NULL) {
        rawtls_write(peer->tls, data, size);
        return;
    }
    while (size > 0) {
        ssize_t written = send(peer->fd, next, size, MSG_NOSIGNAL);
        if (written < 0)
            failed("send");
        next += written;
        size -= (size_t)written;
    }
}

static void skip(struct iovec vectors[2], size_t bytes)
{
    for (int i = 0; i < 2; i++) {
        size_t part = bytes < vectors[i].iov_len ? bytes : vectors[i].iov_len;
        vectors[i].iov_base = (char *)vectors[i].iov_base + part;
        vectors[i].iov_len -= part;
        bytes -= part;
    }
}

void raw_write_two(int fd, struct iovec vectors[2])
{
    while (vectors[0].iov_len + vectors[1].iov_len > 0) {
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
        ssize_t written = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (written < 0)
            failed("sendmsg");
        skip(vectors, (size_t)written);
    }
}

size_t raw_read_some(struct raw_peer *peer, void *data, size_t size)
{
    if (peer->tls != NULL)
        return rawtls_read_some(peer->tls, data, size);
    ssize_t got = recv(peer->fd, data, size, 0);
    if (got < 0)
        failed("recv");
    return (size_t)got;
}

bool raw_read_all(struct raw_peer *peer, void *data, size_t size)
{
    char *next = data;
    while (size > 0) {
        size_t got = raw_read_some(peer, next, size);
        if (got == 0)
            return false;
        next += got;
        size -= got;
    }
    return true;
}

/* MSG_WAITALL still returns early on a Unix socket once in a while, hence the loop. */
bool raw_read_two(int fd, struct iovec vectors[2])
{
    while (vectors[0].iov_len + vectors[1].iov_len > 0) {
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
        ssize_t got = recvmsg(fd, &message, MSG_WAITALL);
        if (got < 0)
            failed("recvmsg");
        if (got == 0)
            return false;
        skip(vectors, (size_t)got);
    }
    return true;
}
