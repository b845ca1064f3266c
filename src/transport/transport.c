/* SPDX-License-Identifier: MPL-2.0 */
/* Schemes that put something over the connections of another transport. */
#include "transport/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct zl_transport_ops zl_tls_ops = {
    .scheme = "tls",
    .carrier = &zl_tcp_ops,
    .layers = ZL_LAYER_TLS,
};

const struct zl_transport_ops zl_ws_ops = {
    .scheme = "ws",
    .carrier = &zl_tcp_ops,
    .layers = ZL_LAYER_WEBSOCKET,
};

const struct zl_transport_ops zl_wss_ops = {
    .scheme = "wss",
    .carrier = &zl_tcp_ops,
    .layers = ZL_LAYER_TLS | ZL_LAYER_WEBSOCKET,
};

/* What follows "scheme://", or the text itself. */
static const char *address_of(const char *endpoint)
{
    const char *behind = strstr(endpoint, "://");
    return behind ? behind + 3 : endpoint;
}

static const char *path_in(const char *address)
{
    const char *path = strchr(address, '/');
    return path ? path : address + strlen(address);
}

const char *zl_transport_path(const struct zl_transport_ops *transport, const char *address)
{
    const char *path = transport->layers & ZL_LAYER_WEBSOCKET ? path_in(address) : "";
    return *path ? path : "/";
}

/* The part of the address that the carrier understands. 0 or -EINVAL. */
static int carrier_address(const struct zl_transport_ops *transport, const char *address,
                           char carried[ZL_ADDRESS_TEXT_SIZE])
{
    size_t size = strlen(address);
    if (transport->layers & ZL_LAYER_WEBSOCKET)
        size = (size_t)(path_in(address) - address);
    if (size >= ZL_ADDRESS_TEXT_SIZE)
        return -EINVAL;
    memcpy(carried, address, size);
    carried[size] = '\0';
    return 0;
}

/* Blanks, control characters and what is not ASCII cannot stand in a request. */
static bool is_valid_path(const char *path)
{
    for (; *path; path++)
        if (*path <= ' ' || *path > '~')
            return false;
    return true;
}

int zl_transport_check(const struct zl_transport_ops *transport, const char *address)
{
    char carried[ZL_ADDRESS_TEXT_SIZE];
    if (!transport->carrier)
        return transport->check(address);
    int rc = carrier_address(transport, address, carried);
    if (rc == 0 && !is_valid_path(zl_transport_path(transport, address)))
        rc = -EINVAL;
    return rc < 0 ? rc : transport->carrier->check(carried);
}

/* Replaces the scheme, and adds the path. 0 or -EINVAL when it does not fit. */
static int restate(const struct zl_transport_ops *transport, const char *path, char *text,
                   size_t capacity)
{
    char plain[ZL_ADDRESS_TEXT_SIZE];
    if (!text[0])
        return 0;
    snprintf(plain, sizeof plain, "%s", address_of(text));
    int size = snprintf(text, capacity, "%s://%s%s", transport->scheme, plain, path);
    return size < 0 || (size_t)size >= capacity ? -EINVAL : 0;
}

int zl_transport_listen(const struct zl_transport_ops *transport, struct zl_listen *listener,
                        const char *address, const struct zl_options *options)
{
    char carried[ZL_ADDRESS_TEXT_SIZE];
    if (!transport->carrier)
        return transport->listen(listener, address, options);
    bool has_path = transport->layers & ZL_LAYER_WEBSOCKET;
    const char *path = zl_transport_path(transport, address);
    int rc = carrier_address(transport, address, carried);
    if (rc == 0 && !is_valid_path(path))
        rc = -EINVAL;
    if (rc == 0)
        rc = transport->carrier->listen(listener, carried, options);
    if (rc < 0)
        return rc;
    rc = restate(transport, has_path ? path : "", listener->endpoint, sizeof listener->endpoint);
    if (rc < 0)
        transport->carrier->unlisten(listener);
    return rc;
}

bool zl_transport_same(const struct zl_transport_ops *transport, const char *bound_endpoint,
                       const char *address, const struct zl_options *options)
{
    if (!transport->carrier)
        return transport->same && transport->same(bound_endpoint, address, options);
    const struct zl_transport_ops *carrier = transport->carrier;
    const char *bound = address_of(bound_endpoint);
    char carried_bound[ZL_ADDRESS_TEXT_SIZE], carried[ZL_ADDRESS_TEXT_SIZE];
    if (strcmp(zl_transport_path(transport, bound), zl_transport_path(transport, address)) != 0 ||
        carrier_address(transport, bound, carried_bound) < 0 ||
        carrier_address(transport, address, carried) < 0)
        return false;
    char endpoint[ZL_ADDRESS_TEXT_SIZE + 16];
    snprintf(endpoint, sizeof endpoint, "%s://%s", carrier->scheme, carried_bound);
    return carrier->same(endpoint, carried, options);
}

int zl_transport_resolve(const struct zl_transport_ops *transport, const char *address,
                         const struct zl_options *options, bool may_block, struct zl_target *target)
{
    char carried[ZL_ADDRESS_TEXT_SIZE];
    if (!transport->carrier)
        return transport->resolve(address, options, may_block, target);
    int rc = carrier_address(transport, address, carried);
    return rc < 0 ? rc : transport->carrier->resolve(carried, options, may_block, target);
}

void zl_transport_names(const struct zl_transport_ops *transport, int fd, char *local, char *remote,
                        size_t capacity)
{
    zl_transport_carrier(transport)->names(fd, local, remote, capacity);
    if (transport->carrier) {
        restate(transport, "", local, capacity);
        restate(transport, "", remote, capacity);
    }
}

int zl_transport_host(const struct zl_transport_ops *transport, const char *address,
                      char host[ZL_ADDRESS_TEXT_SIZE], uint16_t *port)
{
    char carried[ZL_ADDRESS_TEXT_SIZE];
    int rc = carrier_address(transport, address, carried);
    if (rc < 0)
        return rc;
    const char *from = strrchr(carried, ';'); /* behind a source address */
    from = from ? from + 1 : carried;
    const char *colon = strrchr(from, ':');
    if (!colon)
        return -EINVAL;
    unsigned number = 0;
    if (sscanf(colon + 1, "%5u", &number) != 1 || number > UINT16_MAX)
        return -EINVAL;
    size_t size = (size_t)(colon - from);
    memcpy(host, from, size);
    host[size] = '\0';
    *port = (uint16_t)number;
    return 0;
}
