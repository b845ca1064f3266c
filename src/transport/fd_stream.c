/* SPDX-License-Identifier: MPL-2.0 */
/* The stream of a connected socket descriptor. */
#define _GNU_SOURCE
#include "transport/stream.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t fd_read(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    ssize_t rc;
    do {
        /* recv is the cheaper call for the common single buffer. */
        if (count == 1)
            rc = recv(stream->fd, vectors[0].iov_base, vectors[0].iov_len, MSG_DONTWAIT);
        else
            rc = readv(stream->fd, vectors, count);
    } while (rc < 0 && errno == EINTR);
    if (rc > 0)
        return rc;
    return rc == 0 ? -EPIPE : -errno;
}

static ssize_t fd_write(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    ssize_t rc;
    struct msghdr message = {.msg_iov = (struct iovec *)vectors, .msg_iovlen = (size_t)count};
    do {
        if (count == 1)
            rc = send(stream->fd, vectors[0].iov_base, vectors[0].iov_len,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            rc = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

static void fd_close(struct zl_stream *stream)
{
    (void)stream;
}

const struct zl_stream_ops zl_fd_stream_ops = {
    .read = fd_read,
    .write = fd_write,
    .close = fd_close,
};
