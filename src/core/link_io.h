/* SPDX-License-Identifier: MPL-2.0 */
/* The data path of links: flags and lists for everybody, and below them what link_io.c, link_decode.c,
   link_read.c and link_write.c have to know of each other. Runs on whichever thread drives. */
#ifndef ZL_CORE_LINK_IO_H
#define ZL_CORE_LINK_IO_H

#include "core/link_base.h"
#include "core/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct zl_slab;

enum {
    ZL_BODY_MIN = 8192,         /* bodies from here on are read straight into their memory */
    ZL_BODY_TRUST = 256 * 1024, /* allocated on the word of the header alone */
    ZL_BODY_GROWTH = 4,         /* and so many times what has arrived */
};

/* A batch is worth writing when it has about this size. */
#define ZL_BATCH_SIZE ((size_t)60 * 1024)

/* ---- link_io.c: flags and lists, gate held ----------------------------------------------------- */

/* One side of the link may be claimed now. */
static inline bool zl_link_may_read(const struct zl_link *link)
{
    return !link->reading && !(link->writing && link->stream.ops->half_duplex);
}
static inline bool zl_link_may_write(const struct zl_link *link)
{
    return !link->writing && !(link->reading && link->stream.ops->half_duplex);
}

static inline size_t zl_link_batch_size(const struct zl_link *link)
{
    return link->options->out_batch_size_set ? (size_t)link->options->out_batch_size
                                             : ZL_BATCH_SIZE;
}

/* The queue holds ZMTP 2+ frames; these connections want other bytes. */
static inline bool zl_link_is_staged(const struct zl_link *link)
{
    return link->raw || link->version <= ZL_ZMTP_1_0;
}

/* Gate held. The pipe has a new committed message: decides about writing (DESIGN.md idea 3). */
void zl_link_written_locked(struct zl_link *link);

/* Gate held: whether a flush now would begin to write at once, so that a long payload may stay in the
   sender's memory (zl_outq_append_borrowed). */
bool zl_link_writes_directly(const struct zl_link *link);

/* Gate held: what epoll has said about the link. */
void zl_link_flag_locked(struct zl_link *link, uint32_t events);

/* Gate held: the pipe's ring has drained so far that reading may go on. */
void zl_link_resume_locked(struct zl_link *link);

/* Gate held: the queue needs writing (again): puts the link where the next driver finds it. */
void zl_link_want_flush_locked(struct zl_link *link);

/* The link ends as soon as its queue is empty or `linger` ms have passed: tells the loop. The caller
   ends the pipe at once (zl_link_stop_locked does both). False when it was asked before. */
bool zl_link_ask_to_stop(struct zl_link *link, int linger);
/* What has been received goes with the link: after disconnect. After unbind it stays readable. */
bool zl_link_drops_input(const struct zl_link *link);

/* [loop], gate not held. Frees what the data path holds; the claims are free. */
void zl_link_reset_io(struct zl_link *link);

bool zl_link_has_output(const struct zl_link *link);
void zl_link_list_readable(struct zl_link *link);
/* The connection is over; the loop takes it down. */
void zl_link_mark_broken(struct zl_link *link, int error);
/* A claim was given back: whoever waited for it, of a stream that has only one, gets his turn. */
void zl_link_claim_returned(struct zl_link *link);

/* ---- link_read.c, link_write.c -------------------------------------------------------------- */

/* Gate held, let go meanwhile. Makes one read and publishes what it brought: at most `room` bytes, and
   what a begun long body wants. The link must be ready and unclaimed. */
void zl_link_read_locked(struct zl_link *link, size_t room);

/* Why a link is flushed. */
struct zl_flush {
    bool at_once; /* by a sender for the message that it has just sent, not for a gathered batch */
    /* Until when (ms of zl_now_ms) to wait for the kernel, claim in hand, before it counts as
       blocked; 0: not at all. */
    uint64_t patient_until;
};

/* Gate held, let go meanwhile. Writes until nothing is left, the kernel says no, or the claim is
   somebody else's. True when it has let the gate go: whoever is about to sleep has to look again. */
bool zl_link_flush_locked(struct zl_link *link, struct zl_flush flush);

/* ---- link_decode.c: the read claim is held, the gate is not ------------------------------------ */

/* What one read has brought; published together. */
struct zl_harvest {
    struct zl_slab *slab;
    unsigned slices;   /* references to the slab */
    unsigned parts;    /* references to the metadata */
    unsigned messages; /* whole ones */
    unsigned frames;
    size_t bytes;        /* that the stream gave */
    size_t copied;       /* between the library's own buffers */
    unsigned ping_frame; /* which of the frames was the last PING */
    size_t room;         /* for one read */
    bool envelopes;      /* every message begins with one: envelope_is_wrong */
    bool pong;
    unsigned ping_ttl; /* tenths of a second */
    uint8_t pong_context_size;
    uint8_t pong_context[ZL_PONG_CONTEXT_MAX];
};

/* Decodes whole frames; returns how many octets were used, or a negative errno. What is left over is
   the beginning of a frame. A long body is begun in the reader, and takes all that is there. Octets
   may be changed in place. */
ssize_t zl_link_decode(struct zl_link *link, struct zl_harvest *harvest, uint8_t *data,
                       size_t size);

/* A long body is being read straight into its memory. */
static inline bool zl_link_in_body(const struct zl_link_reader *reader)
{
    return reader->body && reader->body_filled < reader->body_size;
}

/* `size` more octets of the body are in place. 0 or a negative errno. */
int zl_link_take_body(struct zl_link *link, struct zl_harvest *harvest, size_t size);

#endif
