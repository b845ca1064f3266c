/* SPDX-License-Identifier: MPL-2.0 */
/* Statistics. */
#include "core/stats.h"

#include "core/link_base.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "zlink.h"

#include <errno.h>
#include <string.h>

/* No version of the struct is smaller or larger. */
enum { SIZE_OF_VERSION_1 = sizeof(struct zlink_stats), SIZE_LIMIT = 64 * 1024 };

/* Every counter of zl_traffic has its place in the public struct. */
static const struct {
    size_t from, to;
} traffic_fields[] = {
#define FIELD(internal, public)                                                                    \
    {                                                                                              \
        offsetof(struct zl_traffic, internal), offsetof(struct zlink_stats, public)                \
    }
    FIELD(bytes_in, bytes_in),
    FIELD(bytes_out, bytes_out),
    FIELD(reads, reads),
    FIELD(writes, writes),
    FIELD(writes_at_once, writes_at_once),
    FIELD(refused_at_once, writes_at_once_refused),
    FIELD(would_blocks, would_blocks),
    FIELD(gathered_writes, gathered_writes),
    FIELD(gathered_messages, gathered_messages),
    FIELD(bytes_copied_in, bytes_copied_in),
    FIELD(reconnects, reconnects),
#undef FIELD
};

enum { TRAFFIC_FIELDS = sizeof traffic_fields / sizeof traffic_fields[0] };

_Static_assert(sizeof(struct zl_traffic) == TRAFFIC_FIELDS * sizeof(uint64_t), "one row each");

static uint64_t traffic_value(const struct zl_traffic *traffic, size_t field)
{
    uint64_t value;
    memcpy(&value, (const char *)traffic + traffic_fields[field].from, sizeof value);
    return value;
}

static void add_traffic(struct zlink_stats *stats, const struct zl_traffic *traffic)
{
    for (size_t i = 0; i < TRAFFIC_FIELDS; i++) {
        uint64_t *to = (uint64_t *)(void *)((char *)stats + traffic_fields[i].to);
        *to += traffic_value(traffic, i);
    }
}

uint64_t zl_stats_queued_in(struct zl_pipe *pipe)
{
    if (!pipe->peer)
        return pipe->received - pipe->delivered;
    return atomic_load_explicit(&pipe->ring.published, memory_order_acquire) - pipe->ring.popped;
}

uint64_t zl_stats_queued_out(const struct zl_pipe *pipe)
{
    if (!pipe->peer)
        return pipe->outq.messages;
    return pipe->sent - atomic_load_explicit(&pipe->peer->acknowledged, memory_order_acquire);
}

static void add_pipe(struct zlink_stats *stats, struct zl_pipe *pipe)
{
    stats->messages_in += pipe->delivered;
    stats->messages_out += pipe->sent;
    stats->dropped += pipe->dropped;
    stats->queued_in += zl_stats_queued_in(pipe);
    stats->queued_out += zl_stats_queued_out(pipe);
    stats->bytes_copied_out += pipe->outq.bytes_copied;
    stats->peers += pipe->is_connected;
    add_traffic(stats, &pipe->traffic);
}

static void describe_peer(struct zlink_stats *stats, const struct zl_pipe *pipe)
{
    const char *endpoint = pipe->link ? pipe->link->uri : pipe->endpoint;
    strncpy(stats->endpoint, endpoint ? endpoint : "", sizeof stats->endpoint - 1);
    if (pipe->routing_id_size <= sizeof stats->routing_id)
        stats->routing_id_size = (uint32_t)pipe->routing_id_size;
    if (stats->routing_id_size)
        memcpy(stats->routing_id, pipe->routing_id, stats->routing_id_size);
}

static void fill_socket(struct zl_socket *socket, struct zlink_stats *stats)
{
    const struct zl_retired *retired = &socket->retired;
    stats->messages_in = retired->delivered;
    stats->messages_out = retired->sent;
    stats->dropped = retired->dropped;
    stats->bytes_copied_out = retired->bytes_copied_out;
    add_traffic(stats, &retired->traffic);
    zl_list_for(node, &socket->pipes) add_pipe(stats, zl_container_of(node, struct zl_pipe, node));
    stats->spins_paid = socket->spin.paid;
    stats->spins_unpaid = socket->spin.unpaid;
}

/* The caller's struct may be of another version, shorter or longer: it gets what it has room for. */
static void hand_out(void *to, struct zlink_stats *from, uint32_t size)
{
    size_t known = size < sizeof *from ? size : sizeof *from;
    from->size = size;
    from->version = ZLINK_STATS_VERSION;
    memcpy(to, from, known);
    memset((char *)to + known, 0, size - known);
}

static size_t fill_peers(struct zl_socket *socket, char *to, uint32_t size, size_t capacity)
{
    size_t count = 0;
    zl_list_for(node, &socket->pipes)
    {
        if (count < capacity) {
            struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
            struct zlink_stats stats = {0};
            add_pipe(&stats, pipe);
            describe_peer(&stats, pipe);
            hand_out(to + count * size, &stats, size);
        }
        count++;
    }
    return count;
}

int zl_stats_read(struct zl_socket *socket, struct zlink_stats *stats, struct zlink_stats *peers,
                  size_t *peer_count)
{
    uint32_t size = stats->size;
    if (size < SIZE_OF_VERSION_1 || size % sizeof(uint64_t) != 0 || size > SIZE_LIMIT)
        return -EINVAL;
    struct zlink_stats sum = {0};
    zl_socket_lock(socket);
    zl_socket_take_signals_locked(socket);
    fill_socket(socket, &sum);
    if (peer_count)
        *peer_count = fill_peers(socket, (char *)peers, size, peers ? *peer_count : 0);
    zl_socket_unlock(socket);
    hand_out(stats, &sum, size);
    return 0;
}
