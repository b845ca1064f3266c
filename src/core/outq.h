/* SPDX-License-Identifier: MPL-2.0 */
/* The outbound queue of a connection: encoded bytes, ready for the kernel.

   A message is encoded once, by the thread that sends it: as ZMTP 2+ frames, or for a WebSocket
   connection as ZWS frames (a client's are masked while they are copied). Short ones are copied into
   chunks; long ones are referenced by a chunk of their own and gathered by writev. A frame
   header always lies in one piece, followed by its body in the same chunk or by a referencing
   chunk. Frames are self-delimiting, so message boundaries need no table: they are found by
   walking headers, and only after a partial write.

   Positions, in stream order:
     start <= scan <= sent <= committed <= appended
     start      first byte of the first message that the kernel does not have completely
     scan       first byte of the first frame that the kernel does not have completely
     sent       next byte for the kernel
     committed  end of the last complete message; never written beyond
   After a lost connection `sent` goes back to `start`: what the kernel had only in part is sent
   again, from its first part.

   Lifetime: bytes between `sent` and `committed` do not move and are not freed until zl_outq_consume
   passes them, so a write may use them without the gate while others append.

   A long payload in the sender's own memory (zmq_send) is written from there during the call:
   zl_outq_append_borrowed refers to it, and before the call returns zl_outq_keep_borrowed copies it
   if the kernel has not taken all of it. The memory for that is set aside before, so that it cannot
   fail.

   Guarded by the socket's gate. */
#ifndef ZL_CORE_OUTQ_H
#define ZL_CORE_OUTQ_H

#include "base/branch.h"
#include "base/copy.h"
#include "base/random.h"
#include "core/msg.h"
#include "wire/zws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define ZL_CHUNK_SIZE (64u * 1024u)
/* The first chunk of an empty queue, when no spare one is there: most connections of a socket with
   many carry little at a time. With its header less than allocators keep at hand per thread. */
#define ZL_FIRST_CHUNK_SIZE 768u
/* Payloads from this size on are referenced, not copied, if they may be kept. */
#define ZL_REFERENCE_MIN 8192u
/* Messages from this size on get a write of their own: below, what several of them save in system calls
   is worth the copy of a payload that must not be kept (zmq_send). */
#define ZL_WRITE_ALONE_MIN 32768u

struct zl_chunk {
    struct zl_chunk *next;
    uint8_t *data;
    size_t size;     /* bytes filled */
    size_t capacity; /* 0: this chunk references msg's payload */
    struct zl_msg msg;
    uint8_t bytes[];
};

/* A few spare chunks, so that a streaming sender neither allocates nor keeps memory per idle link. */
struct zl_chunk_cache {
    struct zl_chunk *spare;
    unsigned count;
};

struct zl_outq_position {
    struct zl_chunk *chunk;
    size_t at;
    uint64_t offset; /* since the queue was made; compares positions */
};

/* How frames are encoded; constant once something was appended. */
enum zl_framing {
    ZL_FRAMING_ZMTP,
    ZL_FRAMING_ZWS_CLIENT, /* masked, so everything is copied */
    ZL_FRAMING_ZWS_SERVER,
};

/* No header of any framing is longer. */
#define ZL_FRAME_HEADER_MAX ZL_ZWS_HEADER_MAX

struct zl_outq {
    enum zl_framing framing;
    struct zl_random_pool *masks; /* ZWS_CLIENT: the socket's */
    struct zl_chunk *head;
    struct zl_chunk *tail;
    struct zl_outq_position start;
    struct zl_outq_position scan;
    struct zl_outq_position sent;
    struct zl_outq_position committed;
    uint64_t appended;         /* offset behind the last byte */
    uint64_t messages;         /* whole messages from start to committed */
    uint64_t bytes_copied;     /* statistics */
    struct zl_chunk *borrowed; /* refers to a sender's own memory: zl_outq_append_borrowed */
};

void zl_outq_init(struct zl_outq *queue);

static inline size_t zl_outq_pending(const struct zl_outq *queue)
{
    return (size_t)(queue->committed.offset - queue->sent.offset);
}

static inline bool zl_outq_has_open_message(const struct zl_outq *queue)
{
    return queue->appended != queue->committed.offset;
}

/* True when the next byte for the kernel begins a message: commands may be written before it. */
static inline bool zl_outq_at_boundary(const struct zl_outq *queue)
{
    return queue->sent.offset == queue->start.offset;
}

/* Appends one frame with the message's payload; frame_flags: ZL_FRAME_MORE, ZL_FRAME_COMMAND.
   On success the payload belongs to the queue and msg is empty, or it was copied and msg is as it was;
   -ENOMEM: nothing has changed.
   The message stays invisible until zl_outq_commit. */
int zl_outq_append(struct zl_outq *queue, struct zl_chunk_cache *cache, struct zl_msg *msg,
                   uint8_t frame_flags);

/* The same for a long ZL_MSG_BORROWED payload, without copying it. Before the caller's memory may
   change, zl_outq_keep_borrowed has to be called. One at a time. */
int zl_outq_append_borrowed(struct zl_outq *queue, struct zl_chunk_cache *cache, struct zl_msg *msg,
                            uint8_t frame_flags);
/* No write may be in flight. */
void zl_outq_keep_borrowed(struct zl_outq *queue);

/* Encodes a whole ZWS frame at `place`; returns the size of its header. */
size_t zl_outq_put_zws(struct zl_outq *queue, uint8_t *place, const void *data, size_t size,
                       uint8_t frame_flags);

/* Encodes a whole frame into the last chunk, which has room for it. */
static inline void zl_outq_copy_here(struct zl_outq *queue, const void *data, size_t size,
                                     uint8_t frame_flags)
{
    struct zl_chunk *tail = queue->tail;
    uint8_t *place = tail->data + tail->size;
    size_t header;
    if (zl_likely(queue->framing == ZL_FRAMING_ZMTP)) {
        header = zl_zmtp_put_header(place, frame_flags, size);
        zl_copy(place + header, data, size);
    } else {
        header = zl_outq_put_zws(queue, place, data, size, frame_flags);
    }
    tail->size += header + size;
    queue->appended += header + size;
    queue->bytes_copied += size;
}

/* The common case of zl_outq_append, where every short message passes: copies the payload if the
   last chunk has room for it. False: nothing has changed, zl_outq_append is to be called. */
static inline bool zl_outq_append_here(struct zl_outq *queue, const void *data, size_t size,
                                       uint8_t frame_flags)
{
    struct zl_chunk *tail = queue->tail;
    if (!tail || size >= ZL_REFERENCE_MIN ||
        tail->size + ZL_FRAME_HEADER_MAX + size > tail->capacity)
        return false;
    zl_outq_copy_here(queue, data, size, frame_flags);
    return true;
}

/* Everything appended so far is complete and counts as one message. */
static inline void zl_outq_commit(struct zl_outq *queue)
{
    queue->committed.chunk = queue->tail;
    queue->committed.at = queue->tail->size;
    queue->committed.offset = queue->appended;
    queue->messages++;
}

/* Takes back what was appended since the last commit. Dropped chunks go to *garbage. */
void zl_outq_rollback(struct zl_outq *queue, struct zl_chunk **garbage);

/* Fills up to `capacity` vectors with at most `limit` bytes (at least one frame piece) from `sent`
   on. Returns the number of vectors; *total is their sum. */
int zl_outq_gather(const struct zl_outq *queue, struct iovec *vectors, int capacity, size_t limit,
                   size_t *total);

/* The kernel took `count` bytes. Referencing chunks it is done with go to *garbage, which the
   caller releases outside the gate (free functions run there). */
void zl_outq_consume(struct zl_outq *queue, struct zl_chunk_cache *cache, size_t count,
                     struct zl_chunk **garbage);

/* Bytes that the first message takes from `sent` on (which is at its start); 0 when none is
   committed. */
size_t zl_outq_first_message_size(const struct zl_outq *queue);

/* Copies `size` pending bytes from `sent` on. */
void zl_outq_copy(const struct zl_outq *queue, uint8_t *destination, size_t size);

/* The connection is lost: what it did not get completely will be sent again. */
void zl_outq_rewind(struct zl_outq *queue);

/* Drops everything, the open message too. */
void zl_outq_clear(struct zl_outq *queue, struct zl_chunk **garbage);

/* Frees a list of chunks and closes the messages in them. Outside every lock. */
void zl_chunks_free(struct zl_chunk *list);

#endif
