/* SPDX-License-Identifier: MPL-2.0 */
/* Starting monitors, and the statistics that they tell on request. */
#include "core/monitor_control.h"

#include "core/ctx.h"
#include "core/endpoint.h"
#include "core/link_base.h"
#include "core/monitor.h"
#include "core/pipe_base.h"
#include "core/socket.h"
#include "core/stats.h"
#include "transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V1_EVENTS 0xFFFFu

/* ---- Starting --------------------------------------------------------------------------------- */

static int check_usable(struct zl_socket *socket)
{
    zl_socket_lock(socket);
    int rc = zl_socket_usable_locked(socket);
    zl_socket_unlock(socket);
    return rc;
}

/* 0 for "inproc://...". */
static int check_address(const char *address)
{
    char scheme[ZL_ENDPOINT_SCHEME_SIZE];
    const char *name;
    int rc = zl_endpoint_split(address, scheme, sizeof scheme, &name);
    if (rc == 0 && strcmp(scheme, "inproc") != 0)
        rc = -EPROTONOSUPPORT;
    return rc;
}

/* A monitor with its bound socket. */
static int open_monitor(struct zl_ctx *ctx, const char *address, struct zl_monitor *monitor,
                        int type)
{
    struct zl_socket *socket;
    int rc = zl_ctx_create_socket(ctx, type, true, &socket);
    if (rc < 0) {
        free(monitor);
        return rc;
    }
    zl_monitor_take_over(monitor, socket);
    rc = zl_socket_bind(socket, address);
    if (rc < 0)
        zl_socket_close(socket);
    return rc;
}

int zl_monitor_start(struct zl_socket *socket, const char *address, uint64_t events, int version,
                     int type)
{
    int rc = check_usable(socket);
    if (rc < 0)
        return rc;
    if ((version != 1 && version != 2) || (version == 1 && (events & ~(uint64_t)V1_EVENTS)))
        return -EINVAL;
    if (!address) {
        zl_socket_stop_monitor(socket);
        return 0;
    }
    rc = check_address(address);
    if (rc < 0)
        return rc;
    zl_socket_stop_monitor(socket);
    if (type != ZMQ_PAIR && type != ZMQ_PUB && type != ZMQ_PUSH)
        return -EINVAL;
    struct zl_monitor *monitor = zl_monitor_new(events, version);
    if (!monitor)
        return -ENOMEM;
    rc = open_monitor(socket->ctx, address, monitor, type);
    if (rc < 0)
        return rc;
    struct zl_socket *old = zl_monitor_replace(socket, monitor);
    if (old)
        zl_socket_close(old); /* another thread has started one meanwhile */
    return 0;
}

/* ---- Statistics of the pipes ----------------------------------------------------------------- */

struct pipe_stats {
    uint64_t outbound;
    uint64_t inbound;
    bool bound;
    char local[ZL_ADDRESS_TEXT_SIZE];
    char remote[ZL_ADDRESS_TEXT_SIZE];
};

/* Longer texts are those of no connection that can exist. */
static void copy_text(char *destination, const char *text)
{
    strncpy(destination, text ? text : "", ZL_ADDRESS_TEXT_SIZE - 1);
    destination[ZL_ADDRESS_TEXT_SIZE - 1] = '\0';
}

static void name_connection(const struct zl_pipe *pipe, struct pipe_stats *stats)
{
    const struct zl_link *link = pipe->link;
    if (!link) {
        copy_text(stats->remote, pipe->endpoint);
        return;
    }
    /* While the link is ready under the gate its descriptor stays open; asking for its names does
       not wait. */
    if (link->ready)
        zl_transport_names(link->transport, link->stream.fd, stats->local, stats->remote,
                           sizeof stats->local);
    stats->bound = link->accepted;
    copy_text(stats->bound ? stats->local : stats->remote, link->uri);
}

static void measure_pipe(struct zl_pipe *pipe, struct pipe_stats *stats)
{
    stats->outbound = zl_stats_queued_out(pipe);
    stats->inbound = zl_stats_queued_in(pipe);
    if (pipe->peer)
        copy_text(stats->remote, pipe->endpoint);
    else
        name_connection(pipe, stats);
}

/* All open pipes. The count, or -ENOMEM. */
static int measure_pipes(struct zl_socket *socket, struct pipe_stats **out)
{
    int count = 0, capacity = 0;
    zl_socket_lock(socket);
    zl_list_for(node, &socket->pipes) capacity++;
    *out = calloc((size_t)capacity + 1, sizeof **out);
    zl_list_for(node, &socket->pipes)
    {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, node);
        if (!*out || pipe->state != ZL_PIPE_OPEN)
            continue;
        measure_pipe(pipe, &(*out)[count++]);
    }
    zl_socket_unlock(socket);
    return *out ? count : -ENOMEM;
}

int zl_monitor_pipes_stats(struct zl_socket *socket)
{
    int rc = check_usable(socket);
    if (rc < 0)
        return rc;
    if (!zl_monitor_wants(socket, ZMQ_EVENT_PIPES_STATS))
        return -EINVAL;
    struct pipe_stats *stats;
    int count = measure_pipes(socket, &stats);
    for (int i = 0; i < count; i++) {
        struct zl_report report = {
            .event = ZMQ_EVENT_PIPES_STATS,
            .values = {stats[i].outbound, stats[i].inbound},
            .value_count = 2,
            .local = stats[i].local,
            .remote = stats[i].remote,
            .bound = stats[i].bound,
        };
        zl_monitor_report(socket, &report);
    }
    free(stats);
    if (count < 0)
        return count;
    return count > 0 ? 0 : -EAGAIN;
}
