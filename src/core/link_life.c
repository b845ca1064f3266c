/* SPDX-License-Identifier: MPL-2.0 */
/* What attempts, setting up and loss of a connection share: its descriptor, its pipe, its end, and what
   comes after it. Nothing here begins anything: a link that goes on waits for its timer. */
#define _GNU_SOURCE
#include "core/link_life.h"

#include "base/random.h"
#include "core/handshake.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "transport/tls_context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DRAIN_LIMIT = 256 * 1024 };

void zl_link_monitor(struct zl_link *link, uint64_t event, uint64_t value)
{
    zl_monitor_emit(link->socket, event, value, link->local_name,
                    link->accepted ? link->remote_name : link->uri, link->accepted);
}

bool zl_link_is_protocol_error(int error)
{
    return error == -EPROTO || error == -EPROTOTYPE || error == -EBADMSG || error == -EMSGSIZE ||
           error == -EPROTONOSUPPORT || error == -ENOTSUP;
}

bool zl_link_is_being_set_up(const struct zl_link *link)
{
    return link->state == ZL_LINK_AWAIT_TLS || link->state == ZL_LINK_AWAIT_HANDSHAKE;
}

bool zl_link_has_queued_output(struct zl_link *link)
{
    return link->pipe && link->pipe->outq.messages > 0;
}

/* ---- Descriptor, timers, pipe ----------------------------------------------------------------- */

int zl_link_watch(struct zl_link *link, uint32_t events)
{
    int rc = zl_loop_watch(link->loop, link->stream.fd, events, &link->io);
    if (rc == 0)
        link->watched = events;
    return rc;
}

void zl_link_watch_for(struct zl_link *link, uint32_t events)
{
    if (link->watched == events)
        return;
    link->watched = events;
    zl_loop_rewatch(link->loop, link->stream.fd, events, &link->io);
}

void zl_link_unwatch(struct zl_link *link)
{
    if (link->watched)
        zl_loop_unwatch(link->loop, link->stream.fd);
    link->watched = 0;
}

/* All but the linger timer: that goes on over lost connections. */
void zl_link_stop_timers(struct zl_link *link)
{
    zl_loop_timer_stop(link->loop, &link->timer);
    zl_loop_timer_stop(link->loop, &link->heartbeat_timer);
    zl_loop_timer_stop(link->loop, &link->timeout_timer);
    zl_loop_timer_stop(link->loop, &link->ttl_timer);
}

void zl_link_start_linger(struct zl_link *link)
{
    if (link->stop_linger > 0 && !zl_timer_running(&link->linger_timer))
        zl_loop_timer_start(link->loop, &link->linger_timer, link->stop_linger);
}

int zl_link_make_pipe(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    int sndhwm = socket->options.sndhwm, rcvhwm = socket->options.rcvhwm;
    zl_socket_unlock(socket);
    struct zl_pipe *pipe = zl_pipe_new(socket, sndhwm, rcvhwm);
    if (!pipe)
        return -ENOMEM;
    pipe->locally_initiated = !link->accepted;
    if (link->websocket) {
        pipe->outq.framing = link->accepted ? ZL_FRAMING_ZWS_SERVER : ZL_FRAMING_ZWS_CLIENT;
        pipe->outq.masks = &socket->masks;
    }
    /* Whoever stops the link looks for its pipe. */
    zl_socket_lock(socket);
    link->pipe = pipe;
    zl_socket_unlock(socket);
    return 0;
}

/* ---- The end ---------------------------------------------------------------------------------- */

void zl_link_free(void *object)
{
    struct zl_link *link = object;
    zl_handshake_free(link->handshake);
    if (link->pipe)
        zl_pipe_release(link->pipe);
    if (link->tls)
        zl_tls_context_release(link->tls);
    zl_options_release(link->options);
    free(link->uri);
    free(link->local_name);
    free(link->remote_name);
    zl_socket_release(link->socket);
    free(link);
}

/* A task or a resolution on its way finds the state DEAD, and comes here again. */
void zl_link_free_when_unused(struct zl_link *link)
{
    if (!link->resolution && !atomic_load(&link->task.queued))
        zl_loop_free_later(link->loop, &link->garbage, link, zl_link_free);
}

void zl_link_forget_endpoint(struct zl_link *link)
{
    zl_socket_lock(link->socket);
    zl_socket_drop_endpoint_locked(link->socket, link);
    zl_socket_unlock(link->socket);
}

/* The end. The connection is closed already, claims are free. */
void zl_link_die(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_link_stop_timers(link);
    zl_loop_timer_stop(link->loop, &link->linger_timer);
    link->state = ZL_LINK_DEAD;
    zl_socket_lock(socket);
    zl_list_remove(&link->node);
    zl_socket_drop_endpoint_locked(socket, link);
    if (link->pipe) {
        zl_pipe_end_locked(link->pipe, socket->closed);
        link->pipe->link = NULL;
    }
    zl_socket_check_finished_locked(socket);
    zl_socket_unlock(socket);
    zl_link_free_when_unused(link);
}

/* ---- Closing a connection --------------------------------------------------------------------- */

/* A TCP socket that is closed with unread input resets the connection, and the peer may lose what
   we wrote last. So what is there is thrown away first. */
static void drain_input(int fd)
{
    char scratch[8192];
    size_t total = 0;
    ssize_t rc;
    while (total < DRAIN_LIMIT && (rc = recv(fd, scratch, sizeof scratch, MSG_DONTWAIT)) > 0)
        total += (size_t)rc;
}

static void close_stream(struct zl_link *link)
{
    if (link->stream.fd < 0)
        return;
    link->stream.ops->close(&link->stream);
    drain_input(link->stream.fd);
    close(link->stream.fd);
    link->stream.fd = -1;
}

/* The connection was at least established: says so to the monitor and closes it. */
void zl_link_disconnect(struct zl_link *link, bool tell)
{
    int fd = link->stream.fd;
    zl_loop_timer_stop(link->loop, &link->timer);
    if (zl_link_is_being_set_up(link))
        zl_link_unwatch(link);
    zl_handshake_free(link->handshake);
    link->handshake = NULL;
    close_stream(link);
    if (tell)
        zl_link_monitor(link, ZMQ_EVENT_DISCONNECTED, (uint64_t)fd);
}

/* ---- Retrying -------------------------------------------------------------------------------- */

static int next_delay(struct zl_link *link)
{
    int interval = link->options->reconnect_ivl;
    int maximum = link->options->reconnect_ivl_max;
    if (maximum <= 0)
        return interval + (int)(zl_random_u32() % (uint32_t)interval);
    if (link->retry_delay == 0)
        link->retry_delay = interval;
    else
        link->retry_delay = link->retry_delay > maximum / 2 ? maximum : link->retry_delay * 2;
    if (link->retry_delay > maximum)
        link->retry_delay = maximum;
    return link->retry_delay;
}

/* A connecting link that may still be wanted waits and tries again. */
static void retry_later(struct zl_link *link, bool stopping)
{
    link->state = ZL_LINK_AWAIT_RETRY;
    if (stopping)
        zl_link_start_linger(link);
    if (link->options->reconnect_ivl <= 0)
        return; /* stays as it is until it is disconnected */
    int delay = next_delay(link);
    zl_loop_timer_start(link->loop, &link->timer, delay);
    zl_link_monitor(link, ZMQ_EVENT_CONNECT_RETRIED, (uint64_t)delay);
}

/* What follows a failed attempt or a lost connection. */
void zl_link_go_on(struct zl_link *link, bool may_retry)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    bool stopping = link->stopping;
    bool wanted = !stopping || (link->stop_linger != 0 && zl_link_has_queued_output(link));
    zl_socket_unlock(socket);
    if (link->accepted || !may_retry || !wanted)
        zl_link_die(link);
    else
        retry_later(link, stopping);
}
