/* SPDX-License-Identifier: MPL-2.0 */
/* Writing to a ready connection. */
#define _GNU_SOURCE
#include "core/link_io.h"

#include "base/clock.h"
#include "base/random.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "core/staging.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    GATHER_VECTORS = 64,
    GATHER_LIMIT = 512 * 1024, /* bytes in one write */
    CAPPED_MIN = 512,
};
static size_t put_pong(const struct zl_link *link, uint8_t *place)
{
    return zl_zmtp_put_command(place, "PONG", link->pong_context, link->pong_context_size);
}

static size_t put_ping(const struct zl_link *link, uint8_t *place)
{
    uint8_t body[ZL_PING_BODY_MAX];
    size_t n = zl_command_put_ping(body, (unsigned)link->options->heartbeat_ttl_tenths, NULL, 0);
    size_t size = zl_zmtp_put_header(place, ZL_FRAME_COMMAND, n);
    memcpy(place + size, body, n);
    return size + n;
}

static size_t put_websocket(const struct zl_link *link, uint8_t *place, uint8_t opcode,
                            const void *payload, size_t size)
{
    return zl_websocket_put_control(place, link->reader.zws.websocket.side, opcode, payload, size,
                                    zl_random_u32());
}

/* Encodes what is due between messages. */
static void prepare_control(struct zl_link *link)
{
    if (link->control_size > 0)
        return;
    uint8_t *place = link->control;
    size_t size = 0;
    if (link->pong_due)
        size = link->websocket ? put_websocket(link, place, ZL_WEBSOCKET_PONG, link->pong_context,
                                               link->pong_context_size)
                               : put_pong(link, place);
    if (link->ping_due)
        size += link->websocket ? put_websocket(link, place + size, ZL_WEBSOCKET_PING, NULL, 0)
                                : put_ping(link, place + size);
    link->pong_due = link->ping_due = false;
    link->control_size = (uint8_t)size;
    link->control_sent = 0;
}

/* ZMQ_OUT_BATCH_SIZE gathers less, but does not split messages. */
static size_t capped_write(const struct zl_link *link, const struct zl_outq *queue)
{
    size_t cap = (size_t)link->options->out_batch_size;
    size_t least = CAPPED_MIN; /* for the rest of a message that the kernel has split */
    if (!zl_link_is_staged(link) && zl_outq_at_boundary(queue))
        least = zl_outq_first_message_size(queue);
    return cap > least ? cap : least;
}

/* What the next write should send. Control goes only where a message begins; a started control
   frame goes before everything. */
static int gather(struct zl_link *link, struct iovec *vectors, size_t *control, size_t *total)
{
    struct zl_outq *queue = &link->pipe->outq;
    int count = 0;
    *control = 0;
    /* Nothing may come in front of bytes that a stream has encoded already. */
    if (zl_outq_at_boundary(queue) && !link->stream.owed)
        prepare_control(link);
    if (link->control_size > 0 && (link->control_sent > 0 || zl_outq_at_boundary(queue))) {
        vectors[0].iov_base = link->control + link->control_sent;
        vectors[0].iov_len = (size_t)(link->control_size - link->control_sent);
        *control = vectors[0].iov_len;
        count = 1;
    }
    size_t limit = GATHER_LIMIT;
    if (link->options->out_batch_size_set)
        limit = capped_write(link, queue);
    size_t queued = 0;
    if (zl_link_is_staged(link))
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
    if (zl_link_is_staged(link))
        from_queue = zl_staging_consume(&link->staging, written);
    if (from_queue)
        zl_outq_consume(&link->pipe->outq, &socket->chunks, from_queue, &socket->garbage);
    zl_pipe_drained_locked(link->pipe);
}

/* EPOLLOUT is watched only between a would-block and the next drained queue: Unix sockets report
   it for every datagram that the peer reads. The write claim is held, the gate is not. */
static bool watch_output(struct zl_link *link, bool watch)
{
    if (link->output_watched == watch)
        return true;
    uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET | (watch ? (uint32_t)EPOLLOUT : 0);
    if (zl_pollset_modify(&link->socket->pollset, link->stream.fd, link->token, events) == 0)
        link->output_watched = watch;
    return link->output_watched || !watch;
}

/* Waits until the kernel takes bytes again. The write claim is held, the gate is not. Input ends the
   wait: the peer may be waiting for us to take it. */
static bool becomes_writable(const struct zl_link *link, uint64_t until)
{
    uint64_t now = zl_now_ms();
    int left = until > now ? (int)(until - now) : 0;
    /* In one piece: a receiver that takes nothing for so long is slow. */
    if (left > zl_pace_patience_ms())
        left = zl_pace_patience_ms();
    struct pollfd item = {.fd = link->stream.fd, .events = POLLIN | POLLOUT};
    return left > 0 && poll(&item, 1, left) > 0 && (item.revents & POLLOUT);
}

enum write_outcome { WROTE_ALL, WROTE_PART, BLOCKED };

/* One write without the gate. Returns what the stream said. BLOCKED: not everything went out, and the
   readiness event is armed. */
static ssize_t write_unlocked(struct zl_link *link, const struct iovec *vectors, int count,
                              size_t total, uint64_t patient_until, enum write_outcome *outcome)
{
    struct zl_socket *socket = link->socket;
    link->write_event = false;
    zl_gate_unlock(&socket->gate);
    ssize_t rc = link->stream.ops->write(&link->stream, vectors, count);
    *outcome = WROTE_ALL;
    if (rc > 0 && (size_t)rc < total && link->stream.ops->half_duplex)
        *outcome = WROTE_PART; /* what stopped it shows in the next call */
    else if (rc == -EAGAIN || (rc >= 0 && (size_t)rc < total))
        *outcome = becomes_writable(link, patient_until) ? WROTE_PART : BLOCKED;
    if (!watch_output(link, *outcome == BLOCKED))
        rc = -ENOMEM;
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
static bool flush_round(struct zl_link *link, const struct zl_flush *flush, bool *tried)
{
    struct iovec vectors[GATHER_VECTORS];
    size_t control, total;
    enum write_outcome outcome;
    int count = gather(link, vectors, &control, &total);
    if (count == 0)
        return false;
    *tried = true;
    ssize_t rc = write_unlocked(link, vectors, count, total, flush->patient_until, &outcome);
    if (rc < 0 && rc != -EAGAIN) {
        zl_link_mark_broken(link, (int)rc);
        return false;
    }
    uint64_t queued = link->pipe->outq.messages;
    if (rc > 0)
        consume(link, control, (size_t)rc);
    count_write(link, flush, rc, queued - link->pipe->outq.messages, total);
    if (outcome == WROTE_ALL)
        return zl_link_has_output(link) && total >= zl_link_batch_size(link);
    /* The event may have come, to another thread, before we got the gate back. */
    if (outcome == WROTE_PART || link->write_event)
        return true;
    link->blocked = true;
    link->socket->blocked_links++;
    return false;
}

bool zl_link_flush_locked(struct zl_link *link, struct zl_flush flush)
{
    zl_list_remove(&link->unflushed_node);
    if (!link->ready || !zl_link_may_write(link) || link->blocked || !zl_link_has_output(link))
        return false;
    bool tried = false;
    link->writing = true;
    while (!link->broken && flush_round(link, &flush, &tried)) {
    }
    link->writing = false;
    zl_link_claim_returned(link);
    return tried;
}
