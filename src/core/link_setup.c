/* SPDX-License-Identifier: MPL-2.0 */
/* From an established transport connection to a ready link: TLS, upgrade, handshake. [loop] */
#define _GNU_SOURCE
#include "core/link_setup.h"

#include "base/random.h"
#include "core/drive.h"
#include "core/handshake.h"
#include "core/link_io.h"
#include "core/link_life.h"
#include "core/monitor.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/socket_base.h"
#include "transport/tls_stream.h"
#include "transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { HANDSHAKE_READ = 4096, READS_AT_ONCE = 8 };

/* ---- Handshake -------------------------------------------------------------------------------- */

static void tell_handshake_failure(struct zl_link *link, int error)
{
    const struct zl_mechanism *mechanism = &link->handshake->mechanism;
    if (mechanism->auth_status)
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, (uint64_t)mechanism->auth_status);
    else if (mechanism->protocol_error)
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
                        (uint64_t)mechanism->protocol_error);
    else if (!zl_link_is_protocol_error(error))
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, (uint64_t)-error);
}

static void handshake_failed(struct zl_link *link, int error)
{
    if (link->tls)
        zl_socket_set_tls_error(link->socket, zl_tls_reason(&link->stream));
    bool give_up = zl_link_is_protocol_error(error) ||
                   (link->options->reconnect_stop & ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED);
    if (give_up)
        zl_link_forget_endpoint(link);
    tell_handshake_failure(link, error);
    zl_link_disconnect(link, true);
    zl_link_go_on(link, !give_up);
}

/* Sends what the handshake wants to say. 0: all sent; 1: the rest waits for the kernel. */
static int send_handshake(struct zl_link *link)
{
    struct zl_handshake *handshake = link->handshake;
    while (handshake->out_sent < handshake->out_size) {
        struct iovec vector = {handshake->out + handshake->out_sent,
                               handshake->out_size - handshake->out_sent};
        ssize_t rc = link->stream.ops->write(&link->stream, &vector, 1);
        if (rc == -EAGAIN) {
            /* Input behind the last command is for later. */
            bool complete = handshake->state == ZL_HANDSHAKE_COMPLETE;
            zl_link_watch_for(link, complete ? EPOLLOUT : EPOLLIN | EPOLLOUT);
            return 1;
        }
        if (rc < 0)
            return (int)rc;
        handshake->out_sent += (size_t)rc;
    }
    zl_link_watch_for(link, EPOLLIN);
    return 0;
}

static int add_property(struct zl_metadata *metadata, const char *name, const char *value)
{
    return zl_metadata_add(metadata, name, strlen(name), value, strlen(value));
}

/* Peer-Address comes before the peer's own properties, which cannot replace it. */
static struct zl_metadata *connection_metadata(struct zl_link *link,
                                               const struct zl_metadata *properties)
{
    struct zl_metadata *metadata = zl_metadata_new();
    if (!metadata)
        return NULL;
    metadata->fd = link->stream.fd;
    char text[ZL_ADDRESS_TEXT_SIZE];
    int rc = 0;
    if (zl_transport_carrier(link->transport)->peer_address(link->stream.fd, text, sizeof text))
        rc = add_property(metadata, "Peer-Address", text);
    const char *at = properties ? properties->text : NULL;
    const char *end = at ? at + properties->size : NULL;
    while (rc == 0 && at < end) {
        const char *value = at + strlen(at) + 1;
        rc = add_property(metadata, at, value);
        at = value + strlen(value) + 1;
    }
    if (rc < 0) {
        zl_metadata_release(metadata, 1);
        return NULL;
    }
    return metadata;
}

static bool has_pending(const struct zl_link *link)
{
    return link->stream.ops->pending && link->stream.ops->pending(&link->stream);
}

static void start_heartbeats(struct zl_link *link)
{
    if (link->options->heartbeat_ivl > 0 && (link->websocket || link->version >= ZL_ZMTP_3_0))
        zl_loop_timer_start(link->loop, &link->heartbeat_timer, link->options->heartbeat_ivl);
}

/* Before anybody else knew of it. */
static void drop_pipe(struct zl_link *link)
{
    zl_socket_lock(link->socket);
    struct zl_pipe *pipe = link->pipe;
    link->pipe = NULL;
    zl_socket_unlock(link->socket);
    if (pipe)
        zl_pipe_release(pipe);
}

/* Gate held, read claim free. A message of the library's own in the peer's input: it keeps its place
   among the peer's messages. */
void zl_link_inject(struct zl_link *link, const uint8_t *data, uint8_t size)
{
    struct zl_pipe *pipe = link->pipe;
    struct zl_msg *slot = zl_ring_slot(&pipe->ring);
    if (!slot)
        return;
    zl_msg_init(slot);
    if (size)
        memcpy(slot->u.inline_data, data, size);
    slot->inline_size = size;
    slot->metadata = link->metadata;
    if (link->metadata)
        zl_metadata_acquire(link->metadata, 1);
    zl_ring_push(&pipe->ring);
    zl_ring_commit(&pipe->ring);
    pipe->received++;
    zl_ring_publish(&pipe->ring);
    zl_pipe_input_locked(pipe);
    zl_socket_wake(link->socket);
}

/* A subscriber of before 2.0 never says what it wants: it gets everything. */
static void subscribe_to_everything(struct zl_link *link)
{
    bool publisher = link->options->type == ZMQ_PUB || link->options->type == ZMQ_XPUB;
    if (publisher && link->version == ZL_ZMTP_1_0_UNVERSIONED)
        zl_link_inject(link, (const uint8_t *)"\1", 1);
}

/* Gate held. The pattern learns about the connection, and may write to it. The read claim stays with
   us, so that nobody receives a message before the monitor has told of the connection. */
static void join_pattern_locked(struct zl_link *link, bool new_pipe)
{
    struct zl_pipe *pipe = link->pipe;
    link->ready = true;
    link->reading = true;
    pipe->link = link;
    link->socket->heartbeats |= link->options->heartbeat_ivl > 0;
    pipe->traffic.reconnects += link->was_ready;
    link->was_ready = true;
    if (new_pipe) {
        zl_pipe_acquire(pipe); /* the socket's reference */
        zl_pipe_attach_locked(pipe);
    }
    zl_pipe_connected_locked(pipe);
}

/* Gate held. Gives the claim back: input flows. error: the connection cannot be watched. */
static void begin_traffic_locked(struct zl_link *link, int error)
{
    /* Octets that came with the handshake, and edges reported since the registration. */
    bool waits = link->reader.partial || has_pending(link);
    link->reading = false;
    if (error < 0)
        zl_link_mark_broken(link, error);
    if (link->ready && !link->stopping) {
        if (link->socket->notify & ZMQ_NOTIFY_CONNECT)
            zl_link_inject(link, NULL, 0);
        subscribe_to_everything(link);
        if (waits)
            zl_link_flag_locked(link, EPOLLIN);
    }
    zl_link_claim_returned(link);
    zl_drive_for_a_while_locked(link->socket);
}

/* Takes over what the handshake has found out. */
static int adopt_handshake(struct zl_link *link)
{
    struct zl_handshake *handshake = link->handshake;
    size_t early = 0; /* octets of frames that came with the handshake */
    link->version = handshake ? handshake->version : ZL_ZMTP_UNKNOWN;
    if (link->websocket)
        zl_zws_reader_init(&link->reader.zws,
                           link->accepted ? ZL_WEBSOCKET_SERVER : ZL_WEBSOCKET_CLIENT,
                           link->options->maxmsgsize);
    link->metadata = connection_metadata(link, handshake ? handshake->metadata : NULL);
    if (!link->metadata)
        return -ENOMEM;
    if (handshake) {
        link->reader.partial = handshake->in_size ? handshake->in : NULL;
        link->reader.partial_size = handshake->in_size;
        if (handshake->in_size)
            handshake->in = NULL;
        early = handshake->in_size;
    }
    int rc = 0;
    zl_socket_lock(link->socket);
    if (link->pipe)
        link->pipe->traffic.bytes_in += early;
    if (link->pipe && handshake && !link->pipe->routing_id)
        rc = zl_pipe_set_routing_id(link->pipe, handshake->identity, handshake->identity_size);
    zl_socket_unlock(link->socket);
    return rc;
}

static int reserve_token(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    zl_socket_lock(socket);
    int rc = link->stopping && (link->accepted || link->stop_linger == 0) ? -ECANCELED : 0;
    if (rc == 0)
        rc = zl_drive_open_locked(socket);
    if (rc == 0)
        rc = zl_pollset_reserve(&socket->pollset, link, &link->token);
    zl_socket_unlock(socket);
    return rc;
}

static void become_ready(struct zl_link *link)
{
    struct zl_socket *socket = link->socket;
    bool new_pipe = link->pipe == NULL;
    int rc = new_pipe ? zl_link_make_pipe(link) : 0;
    if (rc == 0)
        rc = adopt_handshake(link);
    if (rc == 0)
        rc = reserve_token(link);
    if (rc < 0) {
        zl_link_reset_io(link);
        if (new_pipe)
            drop_pipe(link);
        zl_link_disconnect(link, rc != -ECANCELED);
        zl_link_go_on(link, rc != -ECANCELED);
        return;
    }
    bool handshaken = link->version >= ZL_ZMTP_3_0 || link->websocket;
    zl_loop_timer_stop(link->loop, &link->timer);
    zl_link_unwatch(link);
    zl_handshake_free(link->handshake);
    link->handshake = NULL;
    link->state = ZL_LINK_READY;
    link->retry_delay = 0;
    rc = zl_pollset_register(&socket->pollset, link->stream.fd, link->token,
                             EPOLLIN | EPOLLRDHUP | EPOLLET);
    zl_socket_lock(socket);
    join_pattern_locked(link, new_pipe);
    zl_socket_unlock(socket);
    if (handshaken)
        zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
    zl_socket_lock(socket);
    begin_traffic_locked(link, rc);
    zl_socket_unlock(socket);
    start_heartbeats(link);
}

static void advance_handshake(struct zl_link *link, int rc)
{
    int sent = send_handshake(link);
    if (sent < 0 && rc >= 0)
        rc = sent;
    if (rc < 0)
        handshake_failed(link, rc);
    else if (rc == 1 && sent == 0)
        become_ready(link);
}

/* What goes wrong below the frames is no protocol error of the peer's. */
static int stream_failure(int error)
{
    return zl_link_is_protocol_error(error) ? -ECONNABORTED : error;
}

static void on_handshake_events(struct zl_link *link, uint32_t events)
{
    struct zl_handshake *handshake = link->handshake;
    int rc = handshake->state == ZL_HANDSHAKE_COMPLETE;
    bool again = events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP);
    for (int reads = 0; again && rc == 0; reads++) {
        /* What a stream still has decrypted shows in no descriptor; others get their turn first. */
        if (reads == READS_AT_ONCE) {
            zl_loop_post(link->loop, &link->task);
            break;
        }
        uint8_t buffer[HANDSHAKE_READ];
        struct iovec vector = {buffer, sizeof buffer};
        ssize_t size = link->stream.ops->read(&link->stream, &vector, 1);
        if (size > 0)
            rc = zl_handshake_input(handshake, buffer, (size_t)size);
        else if (size != -EAGAIN)
            rc = stream_failure((int)size);
        again = size > 0 && has_pending(link);
    }
    advance_handshake(link, rc);
}

static struct zl_handshake *new_handshake(struct zl_link *link)
{
    if (!link->websocket)
        return zl_handshake_new(link->options, NULL);
    const char *path = zl_transport_path(link->transport, link->address);
    char host[ZL_ADDRESS_TEXT_SIZE];
    struct zl_handshake_websocket websocket = {.side = ZL_WEBSOCKET_SERVER, .path = path};
    if (!link->accepted) {
        websocket.side = ZL_WEBSOCKET_CLIENT;
        websocket.target.host = host;
        websocket.target.path = path;
        websocket.target.secure = link->tls != NULL;
        if (zl_transport_host(link->transport, link->address, host, &websocket.target.port) < 0)
            return NULL;
    }
    return zl_handshake_new(link->options, &websocket);
}

/* The stream is usable; what it carries begins. */
static void begin_protocol(struct zl_link *link)
{
    if (link->raw) {
        become_ready(link);
        return;
    }
    link->handshake = new_handshake(link);
    if (!link->handshake) {
        zl_link_disconnect(link, true);
        zl_link_go_on(link, true);
        return;
    }
    link->state = ZL_LINK_AWAIT_HANDSHAKE;
    /* Who connected spoke while we were on the way to accept: the first answer goes out in one. */
    if (link->accepted) {
        on_handshake_events(link, EPOLLIN);
        return;
    }
    advance_handshake(link, 0);
    if (link->state == ZL_LINK_AWAIT_HANDSHAKE && has_pending(link))
        on_handshake_events(link, EPOLLIN);
}

/* ---- TLS --------------------------------------------------------------------------------------- */

static void tls_failed(struct zl_link *link, int error, const char *reason)
{
    zl_socket_set_tls_error(link->socket, reason);
    zl_link_monitor(link, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, (uint64_t)-error);
    zl_link_disconnect(link, true);
    zl_link_go_on(link, !(link->options->reconnect_stop & ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED));
}

static void advance_tls(struct zl_link *link)
{
    int rc = link->stream.ops->handshake(&link->stream);
    if (rc == -EAGAIN) {
        bool write = link->stream.want == ZL_STREAM_WANT_WRITE;
        zl_link_watch_for(link, write ? EPOLLOUT : EPOLLIN);
        return;
    }
    if (rc < 0) {
        tls_failed(link, rc, zl_tls_reason(&link->stream));
        return;
    }
    zl_link_watch_for(link, EPOLLIN);
    begin_protocol(link);
}

static void begin_tls(struct zl_link *link)
{
    struct zl_tls_error error = {0};
    /* New files that do not work are reported, and the old ones stay in use. */
    if (zl_tls_context_refresh(link->tls, &error) < 0)
        zl_socket_set_tls_error(link->socket, error.text);
    int rc = zl_tls_stream_open(&link->stream, link->tls, &error);
    if (rc < 0) {
        tls_failed(link, rc, error.text);
        return;
    }
    link->state = ZL_LINK_AWAIT_TLS;
    advance_tls(link);
}

/* ---- Events ------------------------------------------------------------------------------------ */

void zl_link_on_setup_events(struct zl_link *link, uint32_t events)
{
    if (link->state == ZL_LINK_AWAIT_TLS)
        advance_tls(link);
    else
        on_handshake_events(link, events);
}

void zl_link_setup_timed_out(struct zl_link *link)
{
    if (link->state == ZL_LINK_AWAIT_TLS)
        tls_failed(link, -ETIMEDOUT, "the peer did not complete the TLS handshake in time");
    else
        handshake_failed(link, -ETIMEDOUT);
}

/* The transport connection is there. */
void zl_link_established(struct zl_link *link)
{
    char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
    link->stream = (struct zl_stream){.ops = &zl_fd_stream_ops, .fd = link->stream.fd};
    zl_transport_names(link->transport, link->stream.fd, local, remote, sizeof local);
    free(link->local_name);
    free(link->remote_name);
    link->local_name = strdup(link->accepted ? link->uri : local);
    link->remote_name = strdup(remote);
    zl_link_monitor(link, link->accepted ? ZMQ_EVENT_ACCEPTED : ZMQ_EVENT_CONNECTED,
                    (uint64_t)link->stream.fd);
    bool needs_setup = link->tls || !link->raw;
    if (needs_setup && zl_link_watch(link, EPOLLIN) < 0) {
        zl_link_disconnect(link, true);
        zl_link_go_on(link, true);
        return;
    }
    if (needs_setup && link->options->handshake_ivl > 0)
        zl_loop_timer_start(link->loop, &link->timer, link->options->handshake_ivl);
    if (link->tls)
        begin_tls(link);
    else
        begin_protocol(link);
}

/* ---- Goodbye ----------------------------------------------------------------------------------- */

void zl_link_say_goodbye(struct zl_link *link, bool clean, int error)
{
    if (!link->websocket || !clean)
        return;
    uint8_t frame[ZL_WEBSOCKET_CONTROL_MAX];
    uint16_t code = link->reader.close_code;
    if (!code)
        code = zl_websocket_close_code(zl_link_is_protocol_error(error) ? error : 0);
    enum zl_websocket_side side = link->accepted ? ZL_WEBSOCKET_SERVER : ZL_WEBSOCKET_CLIENT;
    struct iovec vector = {frame, zl_websocket_put_close(frame, side, code, zl_random_u32())};
    /* Who does not take it now will see the end of the connection. */
    (void)link->stream.ops->write(&link->stream, &vector, 1);
}
