/* SPDX-License-Identifier: MPL-2.0 */
/* IP addresses as written in endpoints: parsing, resolving, printing, and filters on them.
 *
 * Nothing here keeps state. Only zl_ip_parse_bind() and zl_ip_resolve() may block.
 * With `ipv6` set an address is always an AF_INET6 one, IPv4 ones in their v4-mapped form, to suit
 * dual-stack sockets; without it always an AF_INET one. */
#ifndef ZL_TRANSPORT_IP_ADDRESS_H
#define ZL_TRANSPORT_IP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Buffers that hold every host, port and printed address we accept or make, with their NUL. */
#define ZL_IP_HOST_SIZE 1025
#define ZL_IP_PORT_SIZE 64
#define ZL_IP_TEXT_SIZE 96

/* Where the system has no IPv6 the caller, whose socket() fails with EAFNOSUPPORT, asks again with
 * `ipv6` unset. */
struct zl_ip_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length; /* of the member that `any.sa_family` names */
};

/* `host:port` for bind. The host is `*`, numeric, an interface name or a DNS name (this blocks);
 * the port is `*` or `0` (any), or a number.
 * 0; -EINVAL bad syntax, port or zone; -ENODEV no such interface or host; -ENOMEM. */
int zl_ip_parse_bind(const char *text, bool ipv6, struct zl_ip_address *out);

/* What zmq_connect checks at once in the address of a tcp endpoint: allowed characters, the first
 * character, a colon, and a digit after the last colon. 0 or -EINVAL. */
int zl_tcp_connect_check(const char *text);

/* Splits `[source;]host:port` at the last ';' and the last ':' behind it. `source` becomes "" when
 * there is none. 0; -EINVAL no colon; -ENAMETOOLONG a part does not fit (with the sizes above: no
 * such host can exist). */
int zl_tcp_connect_split(const char *text, char *source, size_t source_capacity, char *host,
                         size_t host_capacity, char *port, size_t port_capacity);

/* Host and port of a peer, when no resolver is needed. The port begins with a digit; what follows
 * the digits is ignored and the value is taken modulo 65536.
 * 0; -EAGAIN the host is a name: use zl_ip_resolve(); -EINVAL bad port, or an unusable zone;
 * -ENODEV no resolver could do better (an IPv6 address without `ipv6`, mismatched brackets, an
 * empty host, `*`). */
int zl_ip_parse_numeric(const char *host, const char *port, bool ipv6, struct zl_ip_address *out);

/* Host and port of a peer, by name if need be. Blocks: only for the resolver thread.
 * 0; -EINVAL as above; -ENODEV cannot be resolved; -ENOMEM. */
int zl_ip_resolve(const char *host, const char *port, bool ipv6, struct zl_ip_address *out);

/* As zl_ip_parse_bind() without DNS, so that it never blocks: the source part of a tcp connect, and
 * the address of a ws bind. */
int zl_ip_parse_source(const char *text, bool ipv6, struct zl_ip_address *out);

/* Port in host byte order; 0 for anything that is not an IP address. */
uint16_t zl_ip_port(const struct zl_ip_address *address);

/* Same family, address, port and zone. */
bool zl_ip_equal(const struct zl_ip_address *a, const struct zl_ip_address *b);

/* "127.0.0.1:5555", "[::1]:5555", "[fe80::1%eth0]:5555": as in ZMQ_LAST_ENDPOINT, where a v4-mapped
 * address stays one. 0; -EINVAL not an IP address; -ENOSPC does not fit. */
int zl_ip_format(const struct zl_ip_address *address, char *destination, size_t capacity);

/* The same without port and brackets: "127.0.0.1", "::1", "::ffff:127.0.0.1" (Peer-Address). */
int zl_ip_format_host(const struct zl_ip_address *address, char *destination, size_t capacity);

/* A network: the first `bits` bits of `bytes`, which is an IPv6 or a v4-mapped IPv4 address. */
struct zl_ip_filter {
    uint8_t bytes[16];
    uint8_t bits;
};

/* "address[/prefix]" of `size` bytes, or up to a NUL; numeric and without zone. The prefix counts
 * in the family in which the address is written: 0..32 for IPv4, which covers the v4-mapped form of
 * its addresses too; 0..128 for IPv6, which needs `ipv6`. 0 or -EINVAL. */
int zl_ip_filter_parse(const char *text, size_t size, bool ipv6, struct zl_ip_filter *out);
bool zl_ip_filter_match(const struct zl_ip_filter *filter, const struct zl_ip_address *peer);

#endif
