/* SPDX-License-Identifier: MPL-2.0 */
/* Messages over a ready connection: reading into slabs and the pipe's ring, writing the pipe's
   queue. The claims `reading` and `writing` are taken and given back under the gate; between them
   their holder works without it. */
#define _GNU_SOURCE
#include "core/link.h"

#include "base/branch.h"
#include "base/copy.h"
#include "core/drive.h"
#include "core/pipe.h"
#include "core/slab.h"
#include "core/socket.h"
#include "core/staging.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    BODY_MIN = 8192,           /* bodies from here on are read straight into their memory */
    BODY_TRUST = 1024 * 1024,  /* allocated on the word of the header alone */
    SLAB_ROOM_MIN = 16 * 1024, /* with less room a new slab is taken */
    BODY_ALONE = 16 * 1024,    /* a read that brings so much of a body brings little else */
    ROOM_BEHIND_BODY = 4096,
    GATHER_VECTORS = 64,
    GATHER_LIMIT = 512 * 1024, /* bytes in one write */
};
/* A batch is worth writing when it has about this size. */
#define BATCH_SIZE ((size_t)60 * 1024)

/* ---- Flags and lists, gate held --------------------------------------------------------------- */

static void list_readable(struct zl_link *link)
{
    if (link->ready && link->readable && !link->reading && !link->paused &&
        !zl_list_linked(&link->readable_node))
        zl_list_append(&link->socket->readable_links, &link->readable_node);
}

static bool has_output(const struct zl_link *link)
{
    return zl_outq_pending(&link->pipe->outq) > 0 || link->control_size > 0 || link->ping_due ||
           link->pong_due || link->staging;
}

void zl_link_want_flush_locked(struct zl_link *link)
{
    if (link->ready && !link->writing && !link->blocked && has_output(link) &&
        !zl_list_linked(&link->unflushed_node))
        zl_list_append(&link->socket->unflushed_links, &link->unflushed_node);
}

void zl_link_flag_locked(struct zl_link *link, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        link->hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        link->readable = true;
        list_readable(link);
    }
    if (!(events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
        return;
    link->write_event = true;
    if (link->blocked) {
        link->blocked = false;
        link->socket->blocked_links--;
        zl_link_want_flush_locked(link);
    }
}

static bool above_high_water(struct zl_pipe *pipe)
{
    int limit = atomic_load_explicit(&pipe->rcvhwm, memory_order_relaxed);
    return limit > 0 && !pipe->conflate && pipe->received - pipe->delivered >= (uint64_t)limit;
}

void zl_link_resume_locked(struct zl_link *link)
{
    uint64_t limit = (uint64_t)atomic_load_explicit(&link->pipe->rcvhwm, memory_order_relaxed);
    uint64_t queued = link->pipe->received - link->pipe->delivered;
    if (!link->paused || (limit != 0 && queued > limit - (limit + 1) / 2))
        return;
    link->paused = false;
    list_readable(link);
    if (zl_list_linked(&link->readable_node) && !link->socket->leased)
        zl_drive_post_locked(link->socket);
}

static void mark_broken(struct zl_link *link, int error)
{
    if (link->broken)
        return;
    link->broken = error;
    link->ready = false;
    zl_list_remove(&link->readable_node);
    zl_list_remove(&link->unflushed_node);
    if (link->blocked) {
        link->blocked = false;
        link->socket->blocked_links--;
    }
    zl_loop_post(link->loop, &link->task);
}

/* ---- Decoding: the read claim is held, the gate is not ---------------------------------------- */

/* What one read has brought; published together. */
struct harvest {
    struct zl_slab *slab;
    unsigned slices;   /* references to the slab */
    unsigned parts;    /* references to the metadata */
    unsigned messages; /* whole ones */
    unsigned frames;
    size_t bytes;        /* that the stream gave */
    size_t copied;       /* between the library's own buffers */
    unsigned ping_frame; /* which of the frames was the last PING */
    bool envelopes;      /* every message begins with one: envelope_is_wrong */
    bool pong;
    bool ttl;
    struct zl_ping ping;
    uint8_t pong_context[ZL_HEARTBEAT_CONTEXT_MAX];
};

static inline struct zl_msg *new_part(struct zl_link *link, struct harvest *harvest)
{
    struct zl_msg *slot = zl_ring_slot(&link->pipe->ring);
    if (!slot)
        return NULL;
    zl_msg_init(slot);
    slot->metadata = link->metadata;
    if (link->metadata)
        harvest->parts++;
    return slot;
}

static inline void finish_part(struct zl_link *link, struct harvest *harvest, struct zl_msg *slot,
                               bool more)
{
    slot->flags = more ? ZL_MSG_MORE : 0;
    zl_ring_push(&link->pipe->ring);
    link->reader.in_message = more;
    if (more) {
        link->reader.frame_index++;
        return;
    }
    link->reader.frame_index = 0;
    zl_ring_commit(&link->pipe->ring);
    harvest->messages++;
}

/* REQ: replies begin with an optional 4-octet id and an empty frame, and go on after it. */
static bool envelope_is_wrong(const struct zl_link *link, const struct harvest *harvest,
                              uint64_t size, bool more)
{
    return harvest->envelopes && link->reader.frame_index == 0 &&
           (!more || (size != 0 && size != 4));
}

/* Every short message passes here: inline, so that the decoder's state stays in registers. */
static inline __attribute__((always_inline)) int
push_slice(struct zl_link *link, struct harvest *harvest, uint8_t *data, size_t size, bool more)
{
    if (zl_unlikely(envelope_is_wrong(link, harvest, size, more)))
        return -EPROTO;
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    if (size <= ZL_MSG_INLINE_MAX) {
        slot->inline_size = (uint8_t)size;
        zl_copy(slot->u.inline_data, data, size);
    } else {
        slot->kind = ZL_MSG_SLICE;
        slot->u.ref.data = data;
        slot->u.ref.size = size;
        slot->u.ref.owner = harvest->slab;
        harvest->slices++;
    }
    finish_part(link, harvest, slot, more);
    return 0;
}

static int push_body(struct zl_link *link, struct harvest *harvest)
{
    struct zl_link_reader *reader = &link->reader;
    bool more = reader->body_flags & ZL_FRAME_MORE;
    if (envelope_is_wrong(link, harvest, reader->body_size, more))
        return -EPROTO;
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    reader->body->size = (size_t)reader->body_size;
    slot->kind = ZL_MSG_CONTENT;
    slot->u.ref.data = reader->body->data;
    slot->u.ref.size = reader->body->size;
    slot->u.ref.owner = reader->body;
    reader->body = NULL;
    finish_part(link, harvest, slot, more);
    return 0;
}

/* The topic as applications see it: one octet and the topic, as a message of its own. */
static int push_subscription(struct zl_link *link, struct harvest *harvest,
                             const struct zl_command *command)
{
    struct zl_msg *slot = new_part(link, harvest);
    if (!slot)
        return -ENOMEM;
    struct zl_metadata *metadata = slot->metadata;
    if (zl_msg_init_size(slot, command->size + 1) < 0) {
        if (metadata)
            harvest->parts--;
        return -ENOMEM;
    }
    slot->metadata = metadata;
    zl_msg_data(slot)[0] = command->kind == ZL_COMMAND_SUBSCRIBE;
    memcpy(zl_msg_data(slot) + 1, command->data, command->size);
    finish_part(link, harvest, slot, false);
    return 0;
}

static int take_command(struct zl_link *link, struct harvest *harvest, const uint8_t *body,
                        size_t size)
{
    struct zl_command command;
    int rc = zl_command_parse(body, size, &command);
    if (rc < 0)
        return rc;
    switch (command.kind) {
    case ZL_COMMAND_SUBSCRIBE:
    case ZL_COMMAND_CANCEL:
        /* Between the frames of a message it would be taken for a part of it. */
        if (link->reader.in_message)
            return -EPROTO;
        return push_subscription(link, harvest, &command);
    case ZL_COMMAND_PING:
        rc = zl_ping_parse(&command, &harvest->ping);
        if (rc < 0)
            return rc;
        harvest->pong = true;
        harvest->ping_frame = harvest->frames;
        harvest->ttl = harvest->ping.ttl > 0;
        if (harvest->ping.context_size)
            memcpy(harvest->pong_context, harvest->ping.context, harvest->ping.context_size);
        return 0;
    case ZL_COMMAND_PONG: {
        const uint8_t *context;
        size_t context_size;
        return zl_pong_parse(&command, &context, &context_size);
    }
    default:
        return 0;
    }
}

/* Begins a long body of which `have` octets are already here. */
static int begin_body(struct zl_link *link, const struct zl_frame_header *header,
                      const uint8_t *data, size_t have)
{
    struct zl_link_reader *reader = &link->reader;
    uint64_t first = header->body_size;
    if (first > BODY_TRUST && first > 2 * (uint64_t)have)
        first = BODY_TRUST > 2 * have ? BODY_TRUST : 2 * have;
    reader->body = zl_content_new((size_t)first);
    if (!reader->body)
        return -ENOMEM;
    memcpy(reader->body->data, data, have);
    reader->body_filled = have;
    reader->body_size = header->body_size;
    reader->body_flags = header->flags;
    return 0;
}

static int parse_header(const struct zl_link *link, const uint8_t *at, const uint8_t *end,
                        struct zl_frame_header *header)
{
    int rc = link->version <= ZL_ZMTP_1_0 ? zl_zmtp1_get_header(at, end, header)
                                          : zl_zmtp_get_header(at, end, header);
    if (rc <= 0)
        return rc;
    if ((header->flags & ZL_FRAME_COMMAND) && link->version < ZL_ZMTP_3_0)
        return -EPROTO;
    int64_t limit = link->options->maxmsgsize;
    if (limit >= 0 && header->body_size > (uint64_t)limit)
        return -EMSGSIZE;
    if (header->body_size > SIZE_MAX / 2)
        return -EMSGSIZE;
    /* Commands are small; nobody needs one that does not fit a slab. */
    if ((header->flags & ZL_FRAME_COMMAND) && header->body_size > ZL_SLAB_SIZE / 2)
        return -EMSGSIZE;
    return rc;
}

/* Decodes whole frames from [at, end); returns how many octets were used, or a negative errno. What
   is left over is the beginning of a frame. */
static ssize_t decode(struct zl_link *link, struct harvest *harvest, uint8_t *data, size_t size)
{
    uint8_t *at = data, *end = data + size;
    while (at < end) {
        struct zl_frame_header header;
        int rc = parse_header(link, at, end, &header);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        harvest->frames++;
        uint8_t *body = at + header.header_size;
        size_t have = (size_t)(end - body);
        if (header.body_size > have) {
            if (header.body_size < BODY_MIN || (header.flags & ZL_FRAME_COMMAND))
                break;
            harvest->copied += have;
            rc = begin_body(link, &header, body, have);
            at = end;
        } else {
            size_t body_size = (size_t)header.body_size;
            if (header.flags & ZL_FRAME_COMMAND)
                rc = take_command(link, harvest, body, body_size);
            else
                rc = push_slice(link, harvest, body, body_size, header.flags & ZL_FRAME_MORE);
            at = body + body_size;
        }
        if (rc < 0)
            return rc;
    }
    return at - data;
}

/* Raw connections: what one read brought is one message. */
static ssize_t decode_raw(struct zl_link *link, struct harvest *harvest, uint8_t *data, size_t size)
{
    int rc = size ? push_slice(link, harvest, data, size, false) : 0;
    return rc < 0 ? rc : (ssize_t)size;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

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

static int keep_partial(struct zl_link_reader *reader, struct harvest *harvest, const uint8_t *data,
                        size_t size)
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

static int grow_body(struct zl_link_reader *reader)
{
    uint64_t size = 2 * (uint64_t)reader->body->size;
    if (size > reader->body_size)
        size = reader->body_size;
    struct zl_content *grown = zl_content_grow(reader->body, (size_t)size);
    if (!grown)
        return -ENOMEM;
    reader->body = grown;
    return 0;
}

/* One read. Returns octets placed at `place` in the slab (a body's share is taken off), -EAGAIN, or
   another negative errno; *full: the kernel filled all the room. */
static ssize_t fill(struct zl_link *link, struct harvest *harvest, uint8_t *place, size_t room,
                    bool *full)
{
    struct zl_link_reader *reader = &link->reader;
    struct iovec vectors[2];
    int count = 0;
    size_t body_room = 0;
    if (reader->body) {
        body_room = reader->body->size - reader->body_filled;
        vectors[count].iov_base = reader->body->data + reader->body_filled;
        vectors[count++].iov_len = body_room;
        /* What follows is likely to be a long body again: its beginning would have to be copied. */
        if (body_room >= BODY_ALONE && room > ROOM_BEHIND_BODY)
            room = ROOM_BEHIND_BODY;
    }
    /* What follows a body that is not allocated to its end yet belongs to the body. */
    if (!reader->body || reader->body->size == reader->body_size) {
        vectors[count].iov_base = place;
        vectors[count++].iov_len = room;
    } else {
        room = 0;
    }
    ssize_t rc = link->stream.ops->read(&link->stream, vectors, count);
    if (rc < 0)
        return rc;
    harvest->bytes += (size_t)rc;
    *full = (size_t)rc == body_room + room;
    if (!reader->body)
        return rc;
    size_t taken = (size_t)rc < body_room ? (size_t)rc : body_room;
    reader->body_filled += taken;
    int result = 0;
    if (reader->body_filled == reader->body_size)
        result = push_body(link, harvest);
    else if (reader->body_filled == reader->body->size)
        result = grow_body(reader);
    return result < 0 ? result : rc - (ssize_t)taken;
}

/* Reads once and decodes. Returns 1 when something came, 0 when nothing was there, negative errno
   when the connection has to end; what was decoded before the error is in the harvest. */
static int read_once(struct zl_link *link, struct harvest *harvest, bool *full)
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
    if (link->options->in_batch_size_set && room > (size_t)link->options->in_batch_size)
        room = (size_t)link->options->in_batch_size;
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
    ssize_t used =
        link->raw ? decode_raw(link, harvest, place, size) : decode(link, harvest, place, size);
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

static void publish_locked(struct zl_link *link, struct harvest *harvest)
{
    struct zl_pipe *pipe = link->pipe;
    if (harvest->pong) {
        link->pong_due = true;
        link->pong_context_size = (uint8_t)harvest->ping.context_size;
        memcpy(link->pong_context, harvest->pong_context, sizeof link->pong_context);
        /* Traffic behind the PING cancels its limit already. */
        if (harvest->ttl && harvest->ping_frame == harvest->frames) {
            link->ttl_due = true;
            link->peer_ttl = harvest->ping.ttl * 100u;
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

void zl_link_read_locked(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_list_remove(&link->readable_node);
    if (above_high_water(link->pipe)) {
        link->paused = true;
        return;
    }
    zl_spent_clear(&socket->spent); /* so that a slab that was read can be filled again */
    struct harvest harvest = {
        .slab = socket->slab,
        .envelopes = socket->ops->flags & ZL_PATTERN_REPLY_ENVELOPE,
    };
    bool full = false;
    socket->slab = NULL;
    link->reading = true;
    link->readable = false;
    zl_gate_unlock(&socket->gate);

    int rc = read_once(link, &harvest, &full);
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
        mark_broken(link, rc);
    } else {
        if (full || link->hung_up)
            link->readable = true;
        if (link->readable)
            list_readable(link);
    }
    if (link->broken || link->stopping)
        zl_loop_post(link->loop, &link->task);
    zl_slab_release(spare, 1);
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static size_t batch_size(const struct zl_link *link)
{
    return link->options->out_batch_size_set ? (size_t)link->options->out_batch_size : BATCH_SIZE;
}

void zl_link_written_locked(struct zl_link *link)
{
    if (!link->ready || link->writing || link->blocked)
        return; /* whoever holds the claim, or gets the readiness, goes on */
    struct zl_socket *socket = link->socket;
    struct zl_outq *queue = &link->pipe->outq;
    if (!zl_list_linked(&link->unflushed_node)) {
        zl_list_append(&socket->unflushed_links, &link->unflushed_node);
        socket->flush_wanted = true;
    }
    uint64_t limit = (uint64_t)atomic_load_explicit(&link->pipe->sndhwm, memory_order_relaxed);
    if (zl_outq_pending(queue) >= batch_size(link) || (limit && queue->messages >= limit))
        socket->batch_full = true;
}

/* Encodes what is due between messages. */
static void prepare_control(struct zl_link *link)
{
    if (link->control_size > 0)
        return;
    size_t size = 0;
    if (link->pong_due) {
        size +=
            zl_zmtp_put_command(link->control, "PONG", link->pong_context, link->pong_context_size);
        link->pong_due = false;
    }
    if (link->ping_due) {
        uint8_t body[ZL_PING_BODY_MAX];
        size_t n =
            zl_command_put_ping(body, (unsigned)link->options->heartbeat_ttl_tenths, NULL, 0);
        size += zl_zmtp_put_header(link->control + size, ZL_FRAME_COMMAND, n);
        memcpy(link->control + size, body, n);
        size += n;
        link->ping_due = false;
    }
    link->control_size = (uint8_t)size;
    link->control_sent = 0;
}

/* The queue holds ZMTP 2+ frames; these connections want other bytes. */
static bool is_staged(const struct zl_link *link)
{
    return link->raw || link->version <= ZL_ZMTP_1_0;
}

/* What the next write should send. Control goes only where a message begins; a started control
   frame goes before everything. */
static int gather(struct zl_link *link, struct iovec *vectors, size_t *control, size_t *total)
{
    struct zl_outq *queue = &link->pipe->outq;
    int count = 0;
    *control = 0;
    if (zl_outq_at_boundary(queue))
        prepare_control(link);
    if (link->control_size > 0 && (link->control_sent > 0 || zl_outq_at_boundary(queue))) {
        vectors[0].iov_base = link->control + link->control_sent;
        vectors[0].iov_len = (size_t)(link->control_size - link->control_sent);
        *control = vectors[0].iov_len;
        count = 1;
    }
    size_t limit = GATHER_LIMIT;
    if (link->options->out_batch_size_set)
        limit = (size_t)link->options->out_batch_size;
    size_t queued = 0;
    if (is_staged(link))
        count += zl_staging_gather(&link->staging, queue, link->raw, vectors + count, &queued);
    else
        count += zl_outq_gather(queue, vectors + count, GATHER_VECTORS - count, limit, &queued);
    *total = *control + queued;
    return count;
}

static void consume(struct zl_link *link, size_t control, size_t written)
{
    struct zl_socket *socket = link->socket;
    size_t from_control = written < control ? written : control;
    link->control_sent += (uint8_t)from_control;
    if (link->control_sent == link->control_size)
        link->control_size = link->control_sent = 0;
    written -= from_control;
    if (written == 0)
        return;
    size_t from_queue = written;
    if (is_staged(link))
        from_queue = zl_staging_consume(&link->staging, written);
    if (from_queue)
        zl_outq_consume(&link->pipe->outq, &socket->chunks, from_queue, &socket->garbage);
    zl_pipe_drained_locked(link->pipe);
}

/* EPOLLOUT is watched only between a would-block and the next drained queue: Unix sockets report
   it for every datagram that the peer reads. The write claim is held, the gate is not. */
static void watch_output(struct zl_link *link, bool watch)
{
    if (link->output_watched == watch)
        return;
    uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET | (watch ? (uint32_t)EPOLLOUT : 0);
    if (zl_pollset_modify(&link->socket->pollset, link->stream.fd, link->token, events) == 0)
        link->output_watched = watch;
}

/* Waits until the kernel takes bytes again. The write claim is held, the gate is not. */
static bool becomes_writable(const struct zl_link *link, int patience_ms)
{
    struct pollfd item = {.fd = link->stream.fd, .events = POLLOUT};
    return poll(&item, 1, patience_ms) > 0;
}

enum write_outcome { WROTE_ALL, WROTE_PART, BLOCKED };

/* One write without the gate. Returns what the stream said. BLOCKED: not everything went out, and the
   readiness event is armed. */
static ssize_t write_unlocked(struct zl_link *link, const struct iovec *vectors, int count,
                              size_t total, int patience_ms, enum write_outcome *outcome)
{
    struct zl_socket *socket = link->socket;
    link->write_event = false;
    zl_gate_unlock(&socket->gate);
    ssize_t rc = link->stream.ops->write(&link->stream, vectors, count);
    *outcome = WROTE_ALL;
    if (rc == -EAGAIN || (rc >= 0 && (size_t)rc < total))
        *outcome = patience_ms && becomes_writable(link, patience_ms) ? WROTE_PART : BLOCKED;
    watch_output(link, *outcome == BLOCKED);
    zl_gate_lock(&socket->gate);
    return rc;
}

/* After a write of `total` bytes that ended `messages`. */
static void count_write(struct zl_link *link, const struct zl_flush *flush, ssize_t rc,
                        uint64_t messages, size_t total)
{
    struct zl_traffic *traffic = &link->pipe->traffic;
    bool is_short = rc < 0 || (size_t)rc < total;
    traffic->would_blocks += is_short;
    traffic->writes_at_once += flush->at_once;
    traffic->refused_at_once += flush->at_once && is_short;
    if (rc <= 0)
        return;
    traffic->writes++;
    traffic->bytes_out += (uint64_t)rc;
    if (messages > 1) {
        traffic->gathered_writes++;
        traffic->gathered_messages += messages;
    }
}

/* Gathers and writes once, with the claim. True when another round should follow. */
static bool flush_round(struct zl_link *link, const struct zl_flush *flush, bool *any)
{
    struct iovec vectors[GATHER_VECTORS];
    size_t control, total;
    enum write_outcome outcome;
    int count = gather(link, vectors, &control, &total);
    if (count == 0)
        return false;
    ssize_t rc = write_unlocked(link, vectors, count, total, flush->patience_ms, &outcome);
    if (rc < 0 && rc != -EAGAIN) {
        mark_broken(link, (int)rc);
        return false;
    }
    uint64_t queued = link->pipe->outq.messages;
    if (rc > 0) {
        *any = true;
        consume(link, control, (size_t)rc);
    }
    count_write(link, flush, rc, queued - link->pipe->outq.messages, total);
    if (outcome == WROTE_ALL)
        return has_output(link) && total >= batch_size(link);
    /* The event may have come, to another thread, before we got the gate back. */
    if (outcome == WROTE_PART || link->write_event)
        return true;
    link->blocked = true;
    link->socket->blocked_links++;
    return false;
}

bool zl_link_writes_directly(const struct zl_link *link)
{
    return link->ready && !link->writing && !link->blocked && !is_staged(link);
}

bool zl_link_flush_locked(struct zl_link *link, struct zl_flush flush)
{
    zl_list_remove(&link->unflushed_node);
    if (!link->ready || link->writing || link->blocked || !has_output(link))
        return false;
    bool any = false;
    link->writing = true;
    while (!link->broken && flush_round(link, &flush, &any)) {
    }
    link->writing = false;
    if (link->broken || link->stopping)
        zl_loop_post(link->loop, &link->task);
    else
        zl_link_want_flush_locked(link);
    return any;
}

void zl_link_reset_io(struct zl_link *link)
{
    struct zl_link_reader *reader = &link->reader;
    free(reader->partial);
    if (reader->body)
        zl_content_release(reader->body);
    memset(reader, 0, sizeof *reader);
    zl_staging_free(&link->staging);
    link->control_size = link->control_sent = 0;
    link->output_watched = false;
    zl_metadata_release(link->metadata, 1);
    link->metadata = NULL;
    zl_socket_lock(link->socket);
    link->ping_due = link->pong_due = link->ttl_due = false;
    link->readable = link->hung_up = link->paused = link->write_event = false;
    zl_socket_unlock(link->socket);
}
