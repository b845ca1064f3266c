/* SPDX-License-Identifier: MPL-2.0 */
/* Reading from a ready connection, and publishing what came. */
#define _GNU_SOURCE
#include "core/link_io.h"

#include "core/pipe.h"
#include "core/slab.h"
#include "core/socket_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_ROOM_MIN = 16 * 1024, /* with less room a new slab is taken */
    BODY_ALONE = 16 * 1024,    /* a read that brings so much of a body brings little else */
    ROOM_BEHIND_BODY = 4096,
    BATCH_MIN = 512, /* of ZMQ_IN_BATCH_SIZE: less would only split short messages */
};

static bool above_high_water(struct zl_pipe *pipe)
{
    int limit = atomic_load_explicit(&pipe->rcvhwm, memory_order_relaxed);
    return limit > 0 && !pipe->conflate && pipe->received - pipe->delivered >= (uint64_t)limit;
}

/* A slab with room for at least `need` bytes; NULL when out of memory. */
static struct zl_slab *provide_slab(struct zl_slab *slab, size_t need)
{
    if (slab && zl_slab_unshared(slab))
        slab->used = 0;
    if (slab && slab->capacity - slab->used >= need)
        return slab;
    zl_slab_release(slab, 1);
    return zl_slab_new((uint32_t)(need > ZL_SLAB_SIZE ? need : ZL_SLAB_SIZE));
}

static int keep_partial(struct zl_link_reader *reader, struct zl_harvest *harvest,
                        const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    harvest->copied += size;
    reader->partial = malloc(size);
    if (!reader->partial)
        return -ENOMEM;
    memcpy(reader->partial, data, size);
    reader->partial_size = size;
    return 0;
}

/* Protocol errors are those of frames, and end a link for good; what goes wrong below them is the loss
   of a connection. */
static int stream_error(int error)
{
    bool means_protocol = error == -EPROTO || error == -EPROTONOSUPPORT || error == -EMSGSIZE;
    return means_protocol ? -ECONNABORTED : error;
}

/* One read. Returns octets placed at `place` in the slab (a body's share is taken off), -EAGAIN, or
   another negative errno; *full: the kernel filled all the room. */
static ssize_t fill(struct zl_link *link, struct zl_harvest *harvest, uint8_t *place, size_t room,
                    bool *full)
{
    struct zl_link_reader *reader = &link->reader;
    struct iovec vectors[2];
    int count = 0;
    size_t body_room = 0;
    bool in_body = zl_link_in_body(reader);
    bool to_end = in_body && reader->body->size >= reader->body_size;
    if (in_body) {
        uint64_t until = to_end ? reader->body_size : reader->body->size;
        body_room = (size_t)until - reader->body_filled;
        vectors[count].iov_base = reader->body->data + reader->body_filled;
        vectors[count++].iov_len = body_room;
        /* What follows is likely to be a long body again: its beginning would have to be copied. */
        if (body_room >= BODY_ALONE && room > ROOM_BEHIND_BODY)
            room = ROOM_BEHIND_BODY;
    }
    /* What follows a body that is not allocated to its end yet belongs to the body. */
    if (!in_body || to_end) {
        vectors[count].iov_base = place;
        vectors[count++].iov_len = room;
    } else {
        room = 0;
    }
    ssize_t rc = link->stream.ops->read(&link->stream, vectors, count);
    if (rc < 0)
        return stream_error((int)rc);
    harvest->bytes += (size_t)rc;
    *full = (size_t)rc == body_room + room;
    if (!in_body)
        return rc;
    size_t taken = (size_t)rc < body_room ? (size_t)rc : body_room;
    int result = zl_link_take_body(link, harvest, taken);
    return result < 0 ? result : rc - (ssize_t)taken;
}

/* Reads once and decodes. Returns 1 when something came, 0 when nothing was there, negative errno
   when the connection has to end; what was decoded before the error is in the harvest. */
static int read_once(struct zl_link *link, struct zl_harvest *harvest, bool *full)
{
    struct zl_link_reader *reader = &link->reader;
    size_t limit = SLAB_ROOM_MIN;
    struct zl_slab *slab = harvest->slab =
        provide_slab(harvest->slab, reader->partial_size + limit);
    if (!slab)
        return -ENOMEM;
    uint8_t *place = slab->data + slab->used;
    size_t have = reader->partial_size;
    size_t room = slab->capacity - slab->used - have;
    if (room > harvest->room)
        room = harvest->room;
    size_t batch = (size_t)link->options->in_batch_size;
    if (batch < BATCH_MIN)
        batch = BATCH_MIN;
    if (link->options->in_batch_size_set && room > batch)
        room = batch;
    else if (link->raw && room > 8192)
        room = 8192;
    if (have) {
        memcpy(place, reader->partial, have);
        harvest->copied += have;
        free(reader->partial);
        reader->partial = NULL;
        reader->partial_size = 0;
    }
    ssize_t got = fill(link, harvest, place + have, room, full);
    size_t size = have + (size_t)(got > 0 ? got : 0);
    ssize_t used = zl_link_decode(link, harvest, place, size);
    if (used < 0) {
        /* What was decoded before the error is published and must not be written over. */
        if (harvest->slices)
            slab->used += (uint32_t)size;
        return (int)used;
    }
    if (harvest->slices)
        slab->used += (uint32_t)used;
    int rc = keep_partial(reader, harvest, place + used, size - (size_t)used);
    if (rc < 0)
        return rc;
    if (got == -EAGAIN)
        return have != 0;
    return got < 0 ? (int)got : 1;
}

static void publish_locked(struct zl_link *link, struct zl_harvest *harvest)
{
    struct zl_pipe *pipe = link->pipe;
    if (harvest->pong) {
        link->socket->heartbeats = true;
        link->pong_due = true;
        link->pong_context_size = harvest->pong_context_size;
        memcpy(link->pong_context, harvest->pong_context, sizeof link->pong_context);
        /* Traffic behind the PING cancels its limit already. */
        if (harvest->ping_ttl && harvest->ping_frame == harvest->frames) {
            link->ttl_due = true;
            link->peer_ttl = harvest->ping_ttl * 100u;
            zl_loop_post(link->loop, &link->task);
        }
        zl_link_want_flush_locked(link);
    }
    if (harvest->messages == 0)
        return;
    pipe->received += harvest->messages;
    zl_ring_publish(&pipe->ring);
    zl_pipe_input_locked(pipe);
    zl_socket_wake(link->socket);
}

void zl_link_read_locked(struct zl_link *link, size_t room)
{
    struct zl_socket *socket = link->socket;
    zl_list_remove(&link->readable_node);
    if (!zl_link_may_read(link))
        return; /* whoever has the one claim of this stream lists it again */
    if (above_high_water(link->pipe)) {
        link->paused = true;
        return;
    }
    zl_spent_clear(&socket->spent); /* so that a slab that was read can be filled again */
    struct zl_harvest harvest = {
        .slab = socket->slab,
        .room = room,
        .envelopes = socket->ops->flags & ZL_PATTERN_REPLY_ENVELOPE,
    };
    bool full = false;
    socket->slab = NULL;
    link->reading = true;
    link->readable = false;
    zl_gate_unlock(&socket->gate);

    int rc = read_once(link, &harvest, &full);
    bool pending = link->stream.ops->pending && link->stream.ops->pending(&link->stream);
    /* References first: from the publication on the messages may be closed by anybody. */
    if (harvest.slices)
        zl_slab_acquire(harvest.slab, harvest.slices);
    if (harvest.parts)
        zl_metadata_acquire(link->metadata, harvest.parts);

    zl_gate_lock(&socket->gate);
    link->reading = false;
    link->pipe->traffic.reads += harvest.bytes > 0;
    link->pipe->traffic.bytes_in += harvest.bytes;
    link->pipe->traffic.bytes_copied_in += harvest.copied;
    struct zl_slab *spare = harvest.slab;
    if (!socket->slab) {
        socket->slab = spare;
        spare = NULL;
    }
    if (rc > 0)
        link->activity++;
    if (link->ready || link->stopping || link->broken)
        publish_locked(link, &harvest);
    if (rc < 0) {
        zl_link_mark_broken(link, rc);
    } else if (full || pending || link->hung_up) {
        link->readable = true;
    }
    zl_link_claim_returned(link);
    zl_slab_release(spare, 1);
}
