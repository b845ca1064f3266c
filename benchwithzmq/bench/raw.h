/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The raw ceiling: what plain sockets of this machine can do for the same messages. No queue, no
 * reconnection, no threads: each side is one process that calls the kernel directly.
 */
#ifndef ZRAW_H
#define ZRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "meter.h"

enum raw_layer { RAW_PLAIN, RAW_MASKED, RAW_TLS };

struct raw_run {
    struct shared *shared;
    const char *transport; /* tcp, ipc, or, over tcp: ws (masking), tls */
    enum raw_layer layer;
    bool latency;
    size_t size;
    size_t gather_below; /* messages of this size and more are written from where they are */
    unsigned spin;       /* non-blocking tries before a blocking read */
    double window_seconds, warmup_seconds;
    int socket[2]; /* connected to each other; peer i uses socket[i] */
};

struct raw_peer {
    const struct raw_run *run;
    int index;
    int fd;
    void *tls; /* RAW_TLS */
    struct meter meter;
};

/* Two connected sockets, no delay on tcp. */
void raw_connect(struct raw_run *run);

void raw_write(struct raw_peer *peer, const void *data, size_t size);

/* Plain sockets only: writes all of both vectors; changes them. */
void raw_write_two(int fd, struct iovec vectors[2]);

/* Reads what has come, at most `size`; 0 at the end of the stream. */
size_t raw_read_some(struct raw_peer *peer, void *data, size_t size);

/* Reads exactly that much. False at the end of the stream. */
bool raw_read_all(struct raw_peer *peer, void *data, size_t size);

/* Plain sockets only: reads all of both vectors; changes them. False at the end of the stream. */
bool raw_read_two(int fd, struct iovec vectors[2]);

/* Round trips of whole messages, unframed. */
void raw_pingpong(struct raw_peer *peer);

/* One way: frames, gathered into large writes, parsed and copied out at the other end. */
void raw_flood(struct raw_peer *peer);

/* Messages that are large enough not to be gathered. They return when the window, or the stream,
 * is over. */
void raw_send_large(struct raw_peer *peer, char *message);
void raw_receive_large(struct raw_peer *peer, char *message);

#endif
