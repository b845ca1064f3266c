/* SPDX-License-Identifier: MPL-2.0 */
/* How a connection comes and goes: resolving, connecting, heartbeats, loss, linger. Everything here
   runs on the socket's loop, except making a link and asking it to stop. */
#define _GNU_SOURCE
#include "core/link.h"

#include "core/ctx_base.h"
#include "core/drive.h"
#include "core/link_io.h"
#include "core/link_life.h"
#include "core/link_setup.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "core/tls_options.h"
#include "io/resolver.h"
#include "transport/tls_stream.h"
#include "transport/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void connect_again(struct zl_link *link);

/* ---- Making ----------------------------------------------------------------------------------- */

static void on_events(struct zl_io *io, uint32_t events);
static void on_task(struct zl_task *task);
static void on_timer(struct zl_timer *timer);
static void on_heartbeat(struct zl_timer *timer);
static void on_silence(struct zl_timer *timer);
static void on_ttl(struct zl_timer *timer);
static void on_linger(struct zl_timer *timer);

struct zl_link *zl_link_new(struct zl_socket *socket, const struct zl_transport_ops *transport,
                            const char *uri, const struct zl_options *options)
{
    struct zl_link *link = calloc(1, sizeof *link);
    char *copy = strdup(uri);
    if (!link || !copy) {
        free(link);
        free(copy);
        return NULL;
    }
    zl_socket_acquire(socket);
    link->socket = socket;
    link->loop = socket->loop;
    link->transport = transport;
    link->options = zl_options_acquire(options);
    link->uri = copy;
    link->address = strstr(copy, "://") + 3;
    link->raw = atomic_load(&socket->raw);
    link->websocket = transport->layers & ZL_LAYER_WEBSOCKET;
    link->stream.fd = -1;
    link->io.on_events = on_events;
    zl_task_init(&link->task, on_task);
    zl_timer_init(&link->timer, on_timer);
    zl_timer_init(&link->heartbeat_timer, on_heartbeat);
    zl_timer_init(&link->timeout_timer, on_silence);
    zl_timer_init(&link->ttl_timer, on_ttl);
    zl_timer_init(&link->linger_timer, on_linger);
    zl_list_init(&link->node);
    zl_list_init(&link->readable_node);
    zl_list_init(&link->unflushed_node);
    return link;
}

/* ---- Connecting ------------------------------------------------------------------------------- */

static void attempt_failed(struct zl_link *link, int fd, int error)
{
    zl_loop_timer_stop(link->loop, &link->timer);
    if (fd >= 0) {
        zl_link_unwatch(link);
        close(fd);
        link->stream.fd = -1;
    }
    zl_link_monitor(link, ZMQ_EVENT_CLOSED, (uint64_t)fd);
    bool give_up =
        error == -ECONNREFUSED && (link->options->reconnect_stop & ZMQ_RECONNECT_STOP_CONN_REFUSED);
    zl_link_go_on(link, !give_up);
}

static bool is_connected_to_itself(int fd)
{
    struct sockaddr_storage a, b;
    socklen_t a_size = sizeof a, b_size = sizeof b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    if (getsockname(fd, (struct sockaddr *)&a, &a_size) < 0 ||
        getpeername(fd, (struct sockaddr *)&b, &b_size) < 0)
        return false;
    return a.ss_family != AF_UNIX && a_size == b_size && memcmp(&a, &b, a_size) == 0;
}

static void connection_decided(struct zl_link *link)
{
    int fd = link->stream.fd, error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0 && is_connected_to_itself(fd))
        error = ECONNREFUSED;
    int rc = error ? -error : zl_transport_carrier(link->transport)->tune(fd, link->options, false);
    if (rc < 0) {
        attempt_failed(link, fd, rc);
        return;
    }
    zl_loop_timer_stop(link->loop, &link->timer);
    zl_link_unwatch(link);
    zl_link_established(link);
}

/* On this machine a peer has often answered already. */
static bool is_decided(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    return poll(&item, 1, 0) == 1;
}

static void connect_to(struct zl_link *link, const struct zl_target *target)
{
    int fd = -1;
    int rc = zl_transport_carrier(link->transport)->connect(target, link->options, &fd);
    if (rc < 0 && rc != -EINPROGRESS) {
        attempt_failed(link, -1, rc);
        return;
    }
    link->stream.fd = fd;
    link->state = ZL_LINK_AWAIT_CONNECTION;
    if (rc == -EINPROGRESS) {
        zl_link_monitor(link, ZMQ_EVENT_CONNECT_DELAYED, EINPROGRESS);
        if (is_decided(fd))
            connection_decided(link);
        else if (zl_link_watch(link, EPOLLOUT) < 0)
            attempt_failed(link, fd, -ENOMEM);
        else if (link->options->connect_timeout > 0)
            zl_loop_timer_start(link->loop, &link->timer, link->options->connect_timeout);
        return;
    }
    connection_decided(link);
}

/* ---- Resolving -------------------------------------------------------------------------------- */

/* Owned by the resolver until its task runs; the link waits for that even when it is stopped. */
struct zl_resolution {
    struct zl_request request;
    struct zl_link *link;
    int result;
    struct zl_target target;
};

static void resolve_work(struct zl_request *request)
{
    struct zl_resolution *resolution = zl_container_of(request, struct zl_resolution, request);
    const struct zl_link *link = resolution->link;
    resolution->result = zl_transport_resolve(link->transport, link->address, link->options, true,
                                              &resolution->target);
}

static void on_resolved(struct zl_task *task)
{
    struct zl_resolution *resolution = zl_container_of(task, struct zl_resolution, request.done);
    struct zl_link *link = resolution->link;
    link->resolution = NULL;
    if (link->state == ZL_LINK_DEAD)
        zl_link_free_when_unused(link);
    else if (resolution->result < 0)
        zl_link_go_on(link, true);
    else
        connect_to(link, &resolution->target);
    free(resolution);
}

static int resolve_elsewhere(struct zl_link *link)
{
    struct zl_resolution *resolution = calloc(1, sizeof *resolution);
    if (!resolution)
        return -ENOMEM;
    zl_task_init(&resolution->request.done, on_resolved);
    zl_list_init(&resolution->request.node);
    resolution->request.loop = link->loop;
    resolution->request.work = resolve_work;
    resolution->result = -ECANCELED;
    resolution->link = link;
    link->resolution = resolution;
    link->state = ZL_LINK_AWAIT_ADDRESS;
    int rc = zl_resolver_submit(zl_ctx_resolver(link->socket->ctx), &resolution->request);
    if (rc < 0) {
        link->resolution = NULL;
        free(resolution);
    }
    return rc;
}

static void connect_again(struct zl_link *link)
{
    struct zl_target target;
    int rc = zl_transport_resolve(link->transport, link->address, link->options, false, &target);
    if (rc == 0)
        connect_to(link, &target);
    else if (rc != -EAGAIN || resolve_elsewhere(link) < 0)
        zl_link_go_on(link, true);
}

/* ---- Loss and stopping of a ready link -------------------------------------------------------- */

static bool claimed(const struct zl_link *link)
{
    return link->reading || link->writing;
}

/* Gate held. Takes a ready link off the data path; false while a claim is out: whoever holds it posts
   the task when it is given back. */
static bool leave_data_path_locked(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    link->ready = false;
    zl_list_remove(&link->readable_node);
    zl_list_remove(&link->unflushed_node);
    if (claimed(link))
        return false;
    if (link->blocked) {
        link->blocked = false;
        socket->blocked_links--;
    }
    zl_pollset_release(&socket->pollset, link->token);
    return true;
}

/* Gate held, claims free. A frame may follow what the kernel has got. */
static bool has_clean_output(const struct zl_link *link)
{
    return zl_outq_at_boundary(&link->pipe->outq) && link->control_sent == 0 &&
           !link->stream.owed && !link->staging;
}

/* Gate held. What becomes of the pipe when its connection is gone. */
static void drop_connection_locked(struct zl_link *link)
{
    struct zl_pipe *pipe = link->pipe;
    bool keeps_pipe = !link->accepted && !link->options->immediate && !link->stopping;
    zl_ring_rollback(&pipe->ring);
    if ((link->socket->notify & ZMQ_NOTIFY_DISCONNECT) && !link->stopping)
        zl_link_inject(link, NULL, 0);
    if (keeps_pipe || link->stopping) {
        zl_pipe_disconnected_locked(pipe);
        return;
    }
    zl_pipe_end_locked(pipe, false);
    pipe->link = NULL;
    link->pipe = NULL;
}

static void connection_lost(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    int error = link->broken;
    if (!leave_data_path_locked(link)) {
        zl_socket_unlock(socket);
        return;
    }
    link->broken = 0;
    bool tell = !link->stopping, clean = has_clean_output(link);
    struct zl_pipe *pipe = link->pipe;
    drop_connection_locked(link);
    zl_socket_unlock(socket);
    if (!link->pipe)
        zl_pipe_release(pipe); /* free functions may run: outside the gate */

    zl_link_stop_timers(link);
    zl_pollset_unregister(&socket->pollset, link->stream.fd);
    if (link->tls && error != -EPIPE)
        zl_socket_set_tls_error(socket, zl_tls_reason(&link->stream));
    zl_link_say_goodbye(link, clean, error);
    zl_link_reset_io(link);
    if (tell && link->version < ZL_ZMTP_3_0 && !zl_link_is_protocol_error(error))
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, (uint64_t)-error);
    bool may_retry = !zl_link_is_protocol_error(error);
    bool stays_away = link->options->reconnect_ivl <= 0 && !link->accepted;
    if (!may_retry || stays_away)
        zl_link_forget_endpoint(link);
    zl_link_disconnect(link, tell);
    if (stays_away)
        zl_link_die(link);
    else
        zl_link_go_on(link, may_retry);
}

/* Ends a ready link when nothing is left to write; otherwise goes on writing. */
static void stop_ready_link(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    if (link->stop_linger != 0)
        zl_link_flush_locked(link, (struct zl_flush){0});
    bool done = link->stop_linger == 0 || !zl_link_has_queued_output(link);
    done = done && !link->broken && leave_data_path_locked(link);
    bool clean = done && has_clean_output(link);
    zl_socket_unlock(socket);
    if (!done) {
        zl_link_start_linger(link);
        return;
    }
    zl_pollset_unregister(&socket->pollset, link->stream.fd);
    zl_link_say_goodbye(link, clean, 0);
    zl_link_reset_io(link);
    zl_link_disconnect(link, false);
    zl_link_die(link);
}

static void stop_unready_link(struct zl_link *link)
{
    if (!link->accepted && link->stop_linger != 0 && zl_link_has_queued_output(link) &&
        link->options->reconnect_ivl > 0) {
        zl_link_start_linger(link);
        return;
    }
    if (link->state == ZL_LINK_AWAIT_CONNECTION) {
        int fd = link->stream.fd;
        zl_link_unwatch(link);
        close(fd);
        link->stream.fd = -1;
        zl_link_monitor(link, ZMQ_EVENT_CLOSED, (uint64_t)fd);
    } else if (zl_link_is_being_set_up(link)) {
        zl_link_disconnect(link, false);
    }
    zl_link_die(link);
}

/* The loop sees the link for the first time; it may have been stopped before. */
static void begin(struct zl_link *link, bool stopping)
{
    if (stopping && (link->stop_linger == 0 || !zl_link_has_queued_output(link))) {
        zl_link_die(link);
        return;
    }
    if (stopping)
        zl_link_start_linger(link);
    connect_again(link);
}

static void start_ttl(struct zl_link *link, unsigned ttl, uint64_t activity)
{
    link->ttl_activity_seen = activity;
    zl_loop_timer_start(link->loop, &link->ttl_timer, ttl);
}

static void on_task(struct zl_task *task)
{
    struct zl_link *link = zl_container_of(task, struct zl_link, task);
    struct zl_socket *socket = link->socket;
    if (link->state == ZL_LINK_DEAD) {
        zl_link_free_when_unused(link);
        return;
    }
    zl_socket_lock(socket);
    bool stopping = link->stopping, broken = link->broken != 0, ttl_due = link->ttl_due;
    unsigned ttl = link->peer_ttl;
    uint64_t activity = link->activity;
    link->ttl_due = false;
    zl_socket_unlock(socket);

    bool ready = link->state == ZL_LINK_READY;
    if (ready && broken)
        connection_lost(link);
    else if (ready && stopping)
        stop_ready_link(link);
    else if (stopping && link->state != ZL_LINK_NEW)
        stop_unready_link(link);
    else if (link->state == ZL_LINK_NEW)
        begin(link, stopping);
    else if (ready && ttl_due)
        start_ttl(link, ttl, activity);
    else if (link->state == ZL_LINK_AWAIT_HANDSHAKE)
        zl_link_on_setup_events(link, EPOLLIN);
}

static void on_linger(struct zl_timer *timer)
{
    struct zl_link *link = zl_container_of(timer, struct zl_link, linger_timer);
    zl_socket_lock(link->socket);
    link->stop_linger = 0;
    zl_socket_unlock(link->socket);
    on_task(&link->task);
}

void zl_link_stop_locked(struct zl_link *link, int linger)
{
    /* After unbind what has been received stays readable; after disconnect it is dropped. */
    if (zl_link_ask_to_stop(link, linger) && link->pipe)
        zl_pipe_end_locked(link->pipe, zl_link_drops_input(link));
}

/* ---- Events and timers ------------------------------------------------------------------------ */

static void on_events(struct zl_io *io, uint32_t events)
{
    struct zl_link *link = zl_container_of(io, struct zl_link, io);
    if (link->state == ZL_LINK_AWAIT_CONNECTION)
        connection_decided(link);
    else if (zl_link_is_being_set_up(link))
        zl_link_on_setup_events(link, events);
}

static void on_timer(struct zl_timer *timer)
{
    struct zl_link *link = zl_container_of(timer, struct zl_link, timer);
    if (link->state == ZL_LINK_AWAIT_RETRY)
        connect_again(link);
    else if (link->state == ZL_LINK_AWAIT_CONNECTION)
        attempt_failed(link, link->stream.fd, -ETIMEDOUT);
    else if (zl_link_is_being_set_up(link))
        zl_link_setup_timed_out(link);
}

static void on_heartbeat(struct zl_timer *timer)
{
    struct zl_link *link = zl_container_of(timer, struct zl_link, heartbeat_timer);
    struct zl_socket *socket = link->socket;
    int timeout = link->options->heartbeat_timeout;
    zl_socket_lock(socket);
    link->ping_due = true;
    zl_link_flush_locked(link, (struct zl_flush){0});
    zl_drive_leave_locked(socket); /* what was appended while we wrote */
    uint64_t activity = link->activity;
    zl_socket_unlock(socket);
    if (timeout < 0)
        timeout = link->options->heartbeat_ivl;
    if (timeout > 0 && !zl_timer_running(&link->timeout_timer)) {
        link->activity_seen = activity;
        zl_loop_timer_start(link->loop, &link->timeout_timer, timeout);
    }
    zl_loop_timer_start(link->loop, &link->heartbeat_timer, link->options->heartbeat_ivl);
}

/* The peer was silent for too long, unless it is we who do not read. */
static void end_if_silent(struct zl_link *link, uint64_t activity_seen)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    bool silent =
        link->activity == activity_seen && !link->paused && !link->reading && !link->readable;
    if (silent && link->ready && !link->broken) {
        link->broken = -ETIMEDOUT;
        zl_loop_post(link->loop, &link->task);
    }
    zl_socket_unlock(socket);
}

static void on_silence(struct zl_timer *timer)
{
    struct zl_link *link = zl_container_of(timer, struct zl_link, timeout_timer);
    end_if_silent(link, link->activity_seen);
}

/* Whatever came after the PING cancels its limit; the next PING sets a new one. */
static void on_ttl(struct zl_timer *timer)
{
    struct zl_link *link = zl_container_of(timer, struct zl_link, ttl_timer);
    end_if_silent(link, link->ttl_activity_seen);
}

/* ---- Beginnings ------------------------------------------------------------------------------- */

/* Reads files. The reason of a failure goes to the socket and, as it would for a handshake, an event
   to the monitor. */
static int open_tls(struct zl_link *link)
{
    char host[ZL_ADDRESS_TEXT_SIZE];
    uint16_t port;
    struct zl_tls_settings settings;
    struct zl_tls_error error = {0};
    zl_options_tls_settings(link->options, false, &settings);
    int rc = 0;
    if (!settings.host || !settings.host[0]) {
        rc = zl_transport_host(link->transport, link->address, host, &port);
        settings.host = host;
    }
    if (rc == 0)
        rc = zl_tls_context_new(&settings, &link->tls, &error);
    if (rc < 0) {
        zl_socket_set_tls_error(link->socket, error.text);
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, (uint64_t)-rc);
    }
    return rc;
}

int zl_link_connect(struct zl_socket *socket, const struct zl_transport_ops *transport,
                    const char *uri, const struct zl_options *options, struct zl_link **out)
{
    struct zl_link *link = zl_link_new(socket, transport, uri, options);
    if (!link)
        return -ENOMEM;
    int rc = 0;
    if (transport->layers & ZL_LAYER_TLS)
        rc = open_tls(link);
    if (rc == 0 && !options->immediate)
        rc = zl_link_make_pipe(link);
    if (rc < 0) {
        zl_link_free(link);
        return rc;
    }
    *out = link;
    return 0;
}

void zl_link_free_unused(struct zl_link *link)
{
    zl_link_free(link);
}

void zl_link_begin_locked(struct zl_link *link)
{
    zl_list_append(&link->socket->links, &link->node);
    if (link->pipe) {
        link->pipe->link = link;
        zl_pipe_acquire(link->pipe); /* the socket's reference */
        zl_pipe_attach_locked(link->pipe);
    }
    zl_loop_post(link->loop, &link->task);
}
