/* SPDX-License-Identifier: MPL-2.0 */
/* The data path of a ready connection: what is flagged, listed and due. The claims `reading` and
   `writing` are taken and given back under the gate; between them their holder works without it:
   link_read.c, link_decode.c and link_write.c. */
#define _GNU_SOURCE
#include "core/link_io.h"

#include "core/drive_post.h"
#include "core/pipe_base.h"
#include "core/socket_base.h"
#include "core/staging.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

void zl_link_list_readable(struct zl_link *link)
{
    if (link->ready && link->readable && zl_link_may_read(link) && !link->paused &&
        !zl_list_linked(&link->readable_node))
        zl_list_append(&link->socket->readable_links, &link->readable_node);
}

bool zl_link_has_output(const struct zl_link *link)
{
    return zl_outq_pending(&link->pipe->outq) > 0 || link->control_size > 0 || link->ping_due ||
           link->pong_due || link->staging;
}

/* Messages between two looks at the age of a batch. */
enum { GROWTH_LOOKED_AT = 16 };

void zl_link_written_locked(struct zl_link *link)
{
    if (!link->ready || !zl_link_may_write(link) || link->blocked)
        return; /* whoever holds the claim, or gets the readiness, goes on */
    struct zl_socket *socket = link->socket;
    struct zl_outq *queue = &link->pipe->outq;
    if (!zl_list_linked(&link->unflushed_node)) {
        zl_list_append(&socket->unflushed_links, &link->unflushed_node);
        socket->flush_wanted = true;
    } else if (++socket->batch_growth >= GROWTH_LOOKED_AT) {
        socket->batch_growth = 0;
        socket->batch_grown = true;
    }
    uint64_t limit = (uint64_t)atomic_load_explicit(&link->pipe->sndhwm, memory_order_relaxed);
    if (zl_outq_pending(queue) >= zl_link_batch_size(link) || (limit && queue->messages >= limit))
        socket->batch_full = true;
}

bool zl_link_writes_directly(const struct zl_link *link)
{
    return link->ready && zl_link_may_write(link) && !link->blocked && !zl_link_is_staged(link);
}

void zl_link_want_flush_locked(struct zl_link *link)
{
    if (link->ready && zl_link_may_write(link) && !link->blocked && zl_link_has_output(link) &&
        !zl_list_linked(&link->unflushed_node))
        zl_list_append(&link->socket->unflushed_links, &link->unflushed_node);
}

void zl_link_flag_locked(struct zl_link *link, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        link->hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        link->readable = true;
        zl_link_list_readable(link);
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

void zl_link_resume_locked(struct zl_link *link)
{
    uint64_t limit = (uint64_t)atomic_load_explicit(&link->pipe->rcvhwm, memory_order_relaxed);
    uint64_t queued = link->pipe->received - link->pipe->delivered;
    if (!link->paused || (limit != 0 && queued > limit - (limit + 1) / 2))
        return;
    link->paused = false;
    zl_link_list_readable(link);
    if (zl_list_linked(&link->readable_node) && zl_drive_needs_post(link->socket))
        zl_drive_post_locked(link->socket);
}

void zl_link_claim_returned(struct zl_link *link)
{
    if (link->broken || link->stopping) {
        zl_loop_post(link->loop, &link->task);
        return;
    }
    zl_link_list_readable(link);
    zl_link_want_flush_locked(link);
    /* What came up while the one claim was ours may be nobody's now. */
    bool left = zl_list_linked(&link->readable_node) || zl_list_linked(&link->unflushed_node);
    if (left && link->stream.ops->half_duplex && zl_drive_needs_post(link->socket))
        zl_drive_post_locked(link->socket);
}

void zl_link_mark_broken(struct zl_link *link, int error)
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

bool zl_link_ask_to_stop(struct zl_link *link, int linger)
{
    if (link->stopping)
        return false;
    link->stopping = true;
    link->stop_linger = linger;
    zl_loop_post(link->loop, &link->task);
    return true;
}

bool zl_link_drops_input(const struct zl_link *link)
{
    return !link->accepted || link->socket->closed;
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
