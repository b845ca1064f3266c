/* SPDX-License-Identifier: MPL-2.0 */
/* A stream: ordered bytes over something, non-blocking. Streams nest: TLS wraps a descriptor.

   Reading and writing are each done by one thread at a time (the holder of the link's claim),
   without any lock, and may run in parallel with each other unless `half_duplex` says that both
   sides are one state machine. */
#ifndef ZL_TRANSPORT_STREAM_H
#define ZL_TRANSPORT_STREAM_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

struct zl_stream;

struct zl_stream_ops {
    bool half_duplex;
    /* Bytes read (> 0), -EPIPE at the end of the stream, -EAGAIN, or another negative errno. */
    ssize_t (*read)(struct zl_stream *stream, const struct iovec *vectors, int count);
    /* Bytes written (> 0), -EAGAIN, or another negative errno. Never raises SIGPIPE. */
    ssize_t (*write)(struct zl_stream *stream, const struct iovec *vectors, int count);
    /* Tells the peer nothing more will come where the protocol has a way, then frees what the
       stream holds. Does not close the descriptor. Idempotent. */
    void (*close)(struct zl_stream *stream);
};

struct zl_stream {
    const struct zl_stream_ops *ops;
    int fd;
    void *state; /* the implementation's */
};

/* tcp and ipc: the descriptor itself. */
extern const struct zl_stream_ops zl_fd_stream_ops;

#endif
