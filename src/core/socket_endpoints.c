/* SPDX-License-Identifier: MPL-2.0 */
/* bind, connect, unbind, disconnect. */
#define _GNU_SOURCE
#include "core/socket.h"

#include "core/ctx_base.h"
#include "core/drive.h"
#include "core/endpoint.h"
#include "core/inproc.h"
#include "core/link.h"
#include "core/listener.h"
#include "core/pipe.h"
#include "transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Ending ----------------------------------------------------------------------------------- */

void zl_endpoint_stop_locked(struct zl_socket *socket, struct zl_endpoint *endpoint, int linger)
{
    switch (endpoint->kind) {
    case ZL_ENDPOINT_LISTENER:
        zl_listener_stop_locked(endpoint->object, linger);
        break;
    case ZL_ENDPOINT_LINK:
        zl_link_stop_locked(endpoint->object, linger);
        break;
    case ZL_ENDPOINT_INPROC_CONNECTED: {
        struct zl_pipe *pipe = endpoint->object;
        zl_pipe_end_locked(pipe, true);
        zl_socket_release_pipe_locked(socket, pipe, false); /* the record's reference */
        break;
    }
    case ZL_ENDPOINT_INPROC_BOUND:
        break; /* the name has been given up before, outside the gate */
    }
    free(endpoint);
}

/* ---- bind and connect ------------------------------------------------------------------------- */

static int check_state(struct zl_socket *socket)
{
    zl_socket_lock(socket);
    zl_socket_take_signals_locked(socket);
    int rc = zl_socket_usable_locked(socket);
    zl_socket_unlock(socket);
    return rc;
}

/* The scheme and the address of a URI, and the transport (NULL for inproc). */
static int parse(const char *uri, const char **address, const struct zl_transport_ops **transport)
{
    char scheme[ZL_ENDPOINT_SCHEME_SIZE];
    int rc = zl_endpoint_split(uri, scheme, sizeof scheme, address);
    if (rc < 0)
        return rc;
    *transport = zl_ctx_transport(scheme);
    /* Known, but only for the draft types RADIO, DISH and DGRAM, which are not there yet. */
    if (strcmp(scheme, "udp") == 0)
        return -ENOCOMPATPROTO;
    return *transport || strcmp(scheme, "inproc") == 0 ? 0 : -EPROTONOSUPPORT;
}

/* Raw octets have no frames, and WebSocket has nothing else. */
static int check_layers(struct zl_socket *socket, const struct zl_transport_ops *transport)
{
    bool frames = transport && (transport->layers & ZL_LAYER_WEBSOCKET);
    return frames && atomic_load(&socket->raw) ? -ENOCOMPATPROTO : 0;
}

static int assign_loop(struct zl_socket *socket)
{
    if (socket->loop)
        return 0;
    struct zl_loop *loop = NULL;
    int rc = zl_ctx_choose_loop(socket->ctx, socket->options.affinity, &loop);
    if (rc < 0)
        return rc;
    zl_socket_lock(socket);
    if (!socket->loop)
        socket->loop = loop;
    zl_socket_unlock(socket);
    return 0;
}

static const struct zl_options *snapshot(struct zl_socket *socket)
{
    zl_socket_lock(socket);
    const struct zl_options *options = zl_options_snapshot(&socket->options);
    zl_socket_unlock(socket);
    return options;
}

static int bind_inproc(struct zl_socket *socket, const char *uri)
{
    int rc = zl_inproc_bind(socket, uri);
    if (rc < 0)
        return rc;
    zl_socket_lock(socket);
    rc = zl_socket_add_endpoint_locked(socket, ZL_ENDPOINT_INPROC_BOUND, uri, NULL);
    if (rc == 0)
        rc = zl_socket_set_last_endpoint_locked(socket, uri);
    zl_socket_unlock(socket);
    if (rc < 0)
        zl_inproc_unbind(socket, uri);
    return rc;
}

int zl_socket_bind(struct zl_socket *socket, const char *uri)
{
    const char *address;
    const struct zl_transport_ops *transport;
    int rc = check_state(socket);
    if (rc == 0)
        rc = parse(uri, &address, &transport);
    if (rc == 0)
        rc = check_layers(socket, transport);
    if (rc < 0)
        return rc;
    if (!transport)
        return bind_inproc(socket, uri);
    rc = assign_loop(socket);
    if (rc < 0)
        return rc;
    const struct zl_options *options = snapshot(socket);
    if (!options)
        return -ENOMEM;
    rc = zl_listener_open(socket, transport, address, options);
    zl_options_release(options);
    return rc;
}

static bool is_connected_to(struct zl_socket *socket, const char *uri)
{
    zl_list_for(node, &socket->endpoints)
    {
        const struct zl_endpoint *endpoint = zl_container_of(node, struct zl_endpoint, node);
        if (endpoint->kind == ZL_ENDPOINT_LINK && strcmp(endpoint->text, uri) == 0)
            return true;
    }
    return false;
}

static int begin_link(struct zl_socket *socket, const char *uri, struct zl_link *link)
{
    zl_socket_lock(socket);
    int rc = zl_drive_open_locked(socket);
    if (rc == 0)
        rc = zl_socket_set_last_endpoint_locked(socket, uri);
    if (rc == 0)
        rc = zl_socket_add_endpoint_locked(socket, ZL_ENDPOINT_LINK, uri, link);
    if (rc == 0)
        zl_link_begin_locked(link);
    zl_socket_unlock(socket);
    return rc;
}

static int connect_link(struct zl_socket *socket, const struct zl_transport_ops *transport,
                        const char *uri)
{
    int rc = assign_loop(socket);
    if (rc < 0)
        return rc;
    const struct zl_options *options = snapshot(socket);
    if (!options)
        return -ENOMEM;
    struct zl_link *link;
    rc = zl_link_connect(socket, transport, uri, options, &link);
    zl_options_release(options);
    if (rc < 0)
        return rc;
    rc = begin_link(socket, uri, link);
    if (rc < 0)
        zl_link_free_unused(link);
    return rc;
}

int zl_socket_connect(struct zl_socket *socket, const char *uri)
{
    const char *address;
    const struct zl_transport_ops *transport;
    int rc = check_state(socket);
    if (rc == 0)
        rc = parse(uri, &address, &transport);
    if (rc == 0)
        rc = check_layers(socket, transport);
    if (rc == 0 && transport)
        rc = zl_transport_check(transport, address);
    if (rc < 0)
        return rc;
    zl_socket_lock(socket);
    bool again = transport && (socket->ops->flags & ZL_PATTERN_UNIQUE_CONNECT) &&
                 is_connected_to(socket, uri);
    if (socket->ops->check_connect)
        rc = socket->ops->check_connect(socket);
    zl_socket_unlock(socket);
    if (rc < 0 || again)
        return rc;
    return transport ? connect_link(socket, transport, uri) : zl_inproc_connect(socket, uri);
}

/* ---- unbind and disconnect -------------------------------------------------------------------- */

static bool names(const struct zl_socket *socket, const struct zl_endpoint *endpoint,
                  const char *uri, const char *address, const struct zl_transport_ops *transport)
{
    if (strcmp(endpoint->text, uri) == 0)
        return true;
    return endpoint->kind == ZL_ENDPOINT_LISTENER && transport &&
           strncmp(endpoint->text, uri, (size_t)(address - uri)) == 0 &&
           zl_transport_same(transport, endpoint->text, address, &socket->options);
}

int zl_socket_unbind(struct zl_socket *socket, const char *uri)
{
    const char *address;
    const struct zl_transport_ops *transport;
    int rc = check_state(socket);
    if (rc == 0)
        rc = parse(uri, &address, &transport);
    if (rc < 0)
        return rc;
    if (!transport)
        zl_inproc_unbind(socket, uri);
    bool found = false;
    zl_socket_lock(socket);
    zl_list_for_safe(node, &socket->endpoints)
    {
        struct zl_endpoint *endpoint = zl_container_of(node, struct zl_endpoint, node);
        if (!names(socket, endpoint, uri, address, transport))
            continue;
        found = true;
        zl_list_remove(node);
        zl_endpoint_stop_locked(socket, endpoint, socket->options.linger);
    }
    zl_socket_unlock(socket);
    return found ? 0 : -ENOENT;
}
