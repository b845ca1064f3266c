/* SPDX-License-Identifier: MPL-2.0 */
/* The tcp transport: listeners, connections and the options of their sockets. */
#define _GNU_SOURCE
#include "transport/transport.h"

#include "core/options.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "tcp://"

/* ---- Sockets --------------------------------------------------------------------------------- */

/* A system without IPv6 does as well as it can with IPv4. */
static bool wants_ipv6(const struct zl_options *options)
{
    if (!options->ipv6)
        return false;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno != EAFNOSUPPORT;
    close(fd);
    return true;
}

static void set_int(int fd, int level, int option, int value)
{
    /* What the system refuses here makes a connection slower or less polite, not unusable. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

/* The options that have to be there before the first packet. Accepted connections inherit them,
   unless the listener is somebody else's. */
static void set_early_options(int fd, const struct zl_options *options)
{
    if (options->sndbuf >= 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUF, options->sndbuf);
    if (options->rcvbuf >= 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUF, options->rcvbuf);
    /* One of the two where the socket is not a dual-stack one. */
    if (options->tos > 0) {
        set_int(fd, IPPROTO_IP, IP_TOS, options->tos);
        set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, options->tos);
    }
    /* After IP_TOS, which changes the priority. */
    if (options->priority > 0)
        set_int(fd, SOL_SOCKET, SO_PRIORITY, options->priority);
    if (options->busy_poll > 0)
        set_int(fd, SOL_SOCKET, SO_BUSY_POLL, options->busy_poll);
}

static int bind_to_device(int fd, const struct zl_option_bytes *device)
{
    if (device->size == 0)
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device->data, (socklen_t)device->size) < 0)
        return -errno;
    return 0;
}

/* A socket of that family with its early options. The descriptor or a negative errno. */
static int open_socket(int family, const struct zl_options *options)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    if (family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_early_options(fd, options);
    int rc = bind_to_device(fd, &options->bind_to_device);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static int bind_socket(int fd, const struct zl_ip_address *address)
{
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return bind(fd, &address->any, address->length) < 0 ? -errno : 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

typedef int name_fn(int fd, struct sockaddr *address, socklen_t *length);

static int address_of(int fd, name_fn *ask, struct zl_ip_address *out)
{
    memset(out, 0, sizeof *out);
    out->length = sizeof out->v6;
    return ask(fd, &out->any, &out->length) < 0 ? -errno : 0;
}

/* "tcp://ip:port" of one end. 0, or a negative errno with an empty text. */
static int name_of(int fd, name_fn *ask, char *text, size_t capacity)
{
    struct zl_ip_address address;
    char printed[ZL_IP_TEXT_SIZE];
    text[0] = '\0';
    int rc = address_of(fd, ask, &address);
    if (rc == 0)
        rc = zl_ip_format(&address, printed, sizeof printed);
    if (rc < 0)
        return rc;
    if (strlen(SCHEME) + strlen(printed) >= capacity)
        return -ENOSPC;
    snprintf(text, capacity, SCHEME "%s", printed);
    return 0;
}

static void tcp_names(int fd, char *local, char *remote, size_t capacity)
{
    name_of(fd, getsockname, local, capacity);
    name_of(fd, getpeername, remote, capacity);
}

static bool tcp_peer_address(int fd, char *text, size_t capacity)
{
    struct zl_ip_address address;
    return address_of(fd, getpeername, &address) == 0 &&
           zl_ip_format_host(&address, text, capacity) == 0;
}

/* ---- Listening ------------------------------------------------------------------------------- */

/* USE_FD: a descriptor that listens already. It becomes the listener's own on success. */
static int adopt(struct zl_listen *listener, int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    int rc = name_of(fd, getsockname, listener->endpoint, sizeof listener->endpoint);
    if (rc < 0)
        return rc;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0)
        return -errno;
    if (!listening)
        return -EINVAL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    listener->fd = fd;
    listener->foreign_fd = true;
    return 0;
}

static int tcp_listen(struct zl_listen *listener, const char *address,
                      const struct zl_options *options)
{
    memset(listener, 0, sizeof *listener);
    listener->fd = -1;
    if (options->use_fd >= 0)
        return adopt(listener, options->use_fd);

    struct zl_ip_address local;
    int rc = zl_ip_parse_bind(address, wants_ipv6(options), &local);
    if (rc < 0)
        return rc;
    int fd = open_socket(local.any.sa_family, options);
    if (fd < 0)
        return fd;
    rc = bind_socket(fd, &local);
    if (rc == 0 && listen(fd, options->backlog) < 0)
        rc = -errno;
    if (rc == 0)
        rc = name_of(fd, getsockname, listener->endpoint, sizeof listener->endpoint);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    listener->fd = fd;
    return 0;
}

static int tcp_unlisten(struct zl_listen *listener)
{
    close(listener->fd);
    listener->fd = -1;
    return 0;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

struct parts {
    char source[ZL_IP_HOST_SIZE + ZL_IP_PORT_SIZE];
    char host[ZL_IP_HOST_SIZE];
    char port[ZL_IP_PORT_SIZE];
};

static int split(const char *address, struct parts *parts)
{
    return zl_tcp_connect_split(address, parts->source, sizeof parts->source, parts->host,
                                sizeof parts->host, parts->port, sizeof parts->port);
}

static bool is_printed_as(const struct zl_ip_address *address, const char *text)
{
    char printed[ZL_IP_TEXT_SIZE];
    return zl_ip_format(address, printed, sizeof printed) == 0 && strcmp(printed, text) == 0;
}

/* The text is read as the address of a peer, then as that of a listener ("*:5555", "lo:5555"). Only
   when the port fits are names looked up, as this may take long. */
static bool tcp_same(const char *bound_endpoint, const char *address,
                     const struct zl_options *options)
{
    const char *bound = bound_endpoint + strlen(SCHEME);
    const char *bound_port = strrchr(bound, ':');
    struct parts parts;
    struct zl_ip_address found;
    if (!bound_port || split(address, &parts) < 0 || parts.source[0] ||
        strcmp(parts.port, bound_port + 1) != 0)
        return false;
    bool ipv6 = wants_ipv6(options);
    if (zl_ip_parse_numeric(parts.host, parts.port, ipv6, &found) == 0)
        return is_printed_as(&found, bound);
    if (zl_ip_parse_source(address, ipv6, &found) == 0 && is_printed_as(&found, bound))
        return true;
    return zl_ip_resolve(parts.host, parts.port, ipv6, &found) == 0 && is_printed_as(&found, bound);
}

static int tcp_resolve(const char *address, const struct zl_options *options, bool may_block,
                       struct zl_target *target)
{
    struct parts parts;
    memset(target, 0, sizeof *target);
    int rc = split(address, &parts);
    if (rc < 0)
        return rc;
    bool ipv6 = wants_ipv6(options);
    target->has_source = parts.source[0] != '\0';
    if (target->has_source)
        rc = zl_ip_parse_source(parts.source, ipv6, &target->source);
    if (rc < 0)
        return rc;
    if (may_block)
        return zl_ip_resolve(parts.host, parts.port, ipv6, &target->to.ip);
    return zl_ip_parse_numeric(parts.host, parts.port, ipv6, &target->to.ip);
}

/* ---- Connections ----------------------------------------------------------------------------- */

static int tcp_connect(const struct zl_target *target, const struct zl_options *options, int *fd)
{
    const struct zl_ip_address *to = &target->to.ip;
    int opened = open_socket(to->any.sa_family, options);
    if (opened < 0)
        return opened;
    int rc = target->has_source ? bind_socket(opened, &target->source) : 0;
    if (rc == 0 && connect(opened, &to->any, to->length) < 0)
        rc = errno == EINTR ? -EINPROGRESS : -errno; /* a signal does not end the attempt */
    if (rc < 0 && rc != -EINPROGRESS) {
        close(opened);
        return rc;
    }
    *fd = opened;
    return rc;
}

static void set_keepalive(int fd, const struct zl_options *options)
{
    if (options->tcp_keepalive < 0)
        return;
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, options->tcp_keepalive);
    if (options->tcp_keepalive == 0)
        return;
    if (options->tcp_keepalive_cnt >= 0)
        set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, options->tcp_keepalive_cnt);
    if (options->tcp_keepalive_idle >= 0)
        set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, options->tcp_keepalive_idle);
    if (options->tcp_keepalive_intvl >= 0)
        set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, options->tcp_keepalive_intvl);
}

/* Without filters everybody is welcome. */
static bool is_welcome(int fd, const struct zl_option_list *filters)
{
    const struct zl_ip_filter *filter = filters->items;
    struct zl_ip_address peer;
    if (filters->count == 0)
        return true;
    if (address_of(fd, getpeername, &peer) < 0)
        return false;
    for (size_t i = 0; i < filters->count; i++)
        if (zl_ip_filter_match(&filter[i], &peer))
            return true;
    return false;
}

static int tcp_tune(int fd, const struct zl_options *options, bool accepted)
{
    if (accepted && !is_welcome(fd, &options->accept_filters))
        return -EACCES;
    if (accepted && options->use_fd >= 0)
        set_early_options(fd, options);
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_keepalive(fd, options);
    if (options->tcp_maxrt > 0)
        set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, options->tcp_maxrt);
    return 0;
}

const struct zl_transport_ops zl_tcp_ops = {
    .scheme = "tcp",
    .check = zl_tcp_connect_check,
    .listen = tcp_listen,
    .unlisten = tcp_unlisten,
    .same = tcp_same,
    .resolve = tcp_resolve,
    .connect = tcp_connect,
    .tune = tcp_tune,
    .names = tcp_names,
    .peer_address = tcp_peer_address,
};
