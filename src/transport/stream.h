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

/* What an operation that said -EAGAIN waits for. */
enum zl_stream_want {
    ZL_STREAM_WANT_READ,
    ZL_STREAM_WANT_WRITE,
};

struct zl_stream_ops {
    bool half_duplex;
    /* Makes a new stream usable; called until it says 0, before any read or write. NULL: it is at
       once. 0: done; -EAGAIN: call again when the descriptor is what `want` says (level triggered,
       or tried again after registering); another negative errno: failed for good. What the peer
       has sent behind its handshake may be inside already: ask `pending`. */
    int (*handshake)(struct zl_stream *stream);
    /* Bytes read (> 0), -EPIPE at the end of the stream, -EAGAIN, or another negative errno. Fills
       less than all the room only when the descriptor had no more, or `pending` is true. */
    ssize_t (*read)(struct zl_stream *stream, const struct iovec *vectors, int count);
    /* Bytes written (> 0), -EAGAIN, or another negative errno. Never raises SIGPIPE. What was
       reported as written is with the kernel. See `owed`. */
    ssize_t (*write)(struct zl_stream *stream, const struct iovec *vectors, int count);
    /* True when a read would bring something, or tell the end, without the descriptor becoming
       readable first: who has this read again and does not wait. NULL: never. Same claim as read. */
    bool (*pending)(const struct zl_stream *stream);
    /* Tells the peer nothing more will come where the protocol has a way, then frees what the
       stream holds. Does not close the descriptor. Idempotent. */
    void (*close)(struct zl_stream *stream);
};

struct zl_stream {
    const struct zl_stream_ops *ops;
    int fd;
    void *state;              /* the implementation's */
    enum zl_stream_want want; /* after -EAGAIN */
    /* So many of the bytes that the last write was given, but did not report, have been encoded for
       the peer and will go out. The next write must offer the same ones first, anything behind
       them: while this is not 0 nothing may be put in front of the unreported bytes, and they may
       not be replaced. Always 0 for streams that do not encode. Written under the write claim. */
    size_t owed;
};

/* tcp and ipc: the descriptor itself. */
extern const struct zl_stream_ops zl_fd_stream_ops;

#endif
