/* SPDX-License-Identifier: MPL-2.0 */
/* IP addresses as written in endpoints: parsing, resolving, printing, and filters on them. */
#include "transport/ip_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- characters, the same in every locale ----------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value of the decimal digits that `text` begins with, modulo 2^32. */
static uint32_t leading_number(const char *text)
{
    uint32_t value = 0;
    for (; is_digit(*text); text++)
        value = value * 10 + (uint32_t)(*text - '0');
    return value;
}

/* ---- addresses -------------------------------------------------------------------------- */

static void set_v4(struct zl_ip_address *out, struct in_addr address, uint16_t port)
{
    memset(out, 0, sizeof(*out));
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    out->v4.sin_addr = address;
    out->length = sizeof(out->v4);
}

static void set_v6(struct zl_ip_address *out, const struct in6_addr *address, uint32_t zone,
                   uint16_t port)
{
    memset(out, 0, sizeof(*out));
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    out->v6.sin6_addr = *address;
    out->v6.sin6_scope_id = zone;
    out->length = sizeof(out->v6);
}

static struct in6_addr map_v4(struct in_addr address)
{
    struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&mapped.s6_addr[12], &address, sizeof(address));
    return mapped;
}

static void set_any(struct zl_ip_address *out, bool ipv6, uint16_t port)
{
    if (ipv6)
        set_v6(out, &in6addr_any, 0, port);
    else
        set_v4(out, (struct in_addr){.s_addr = htonl(INADDR_ANY)}, port);
}

uint16_t zl_ip_port(const struct zl_ip_address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohs(address->v4.sin_port);
    return address->any.sa_family == AF_INET6 ? ntohs(address->v6.sin6_port) : 0;
}

bool zl_ip_equal(const struct zl_ip_address *a, const struct zl_ip_address *b)
{
    if (a->any.sa_family != b->any.sa_family || zl_ip_port(a) != zl_ip_port(b))
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->any.sa_family == AF_INET6 && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

/* ---- the parts of an address text ------------------------------------------------------- */

/* A port of a peer. Only the text "0" means port 0; other numbers that come to 0 are errors. */
static int parse_port(const char *text, uint16_t *port)
{
    if (!is_digit(text[0]))
        return -EINVAL;
    *port = (uint16_t)leading_number(text);
    return *port == 0 && strcmp(text, "0") != 0 ? -EINVAL : 0;
}

/* A port to bind to, where `*` leaves the choice to the system, as 0 does. */
static int parse_local_port(const char *text, uint16_t *port)
{
    if (strcmp(text, "*") != 0)
        return parse_port(text, port);
    *port = 0;
    return 0;
}

/* A host without its brackets and its zone. */
struct host {
    char name[ZL_IP_HOST_SIZE];
    uint32_t zone; /* 0 none */
};

/* A zone is an interface name, or the index of an interface. */
static int parse_zone(const char *text, uint32_t *zone)
{
    *zone = is_letter(text[0]) ? if_nametoindex(text) : leading_number(text);
    return *zone == 0 ? -EINVAL : 0;
}

static int parse_host(const char *text, size_t length, struct host *host)
{
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(host->name))
        return -ENODEV;
    memcpy(host->name, text, length);
    host->name[length] = '\0';
    host->zone = 0;
    char *percent = strrchr(host->name, '%');
    if (percent) {
        *percent = '\0';
        int rc = parse_zone(percent + 1, &host->zone);
        if (rc < 0)
            return rc;
    }
    return host->name[strcspn(host->name, "[]")] == '\0' ? 0 : -ENODEV;
}

/* Dotted or in one of the older forms of inet_aton ("127.1"), but without what that ignores. */
static bool parse_v4(const char *text, struct in_addr *out)
{
    if (inet_pton(AF_INET, text, out) == 1)
        return true;
    return is_digit(text[0]) && text[strspn(text, "0123456789abcdefABCDEFxX.")] == '\0' &&
           inet_aton(text, out) != 0;
}

/* A numeric host in the family that `ipv6` asks for. 0, -EAGAIN it is not numeric, -ENODEV it is
 * empty, or an address of the other family. */
static int numeric_host(const struct host *host, bool ipv6, uint16_t port,
                        struct zl_ip_address *out)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (parse_v4(host->name, &v4))
        v6 = map_v4(v4);
    else if (inet_pton(AF_INET6, host->name, &v6) != 1)
        return host->name[0] == '\0' ? -ENODEV : -EAGAIN;
    if (ipv6) {
        set_v6(out, &v6, IN6_IS_ADDR_V4MAPPED(&v6) ? 0 : host->zone, port);
        return 0;
    }
    if (!IN6_IS_ADDR_V4MAPPED(&v6))
        return -ENODEV;
    memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
    set_v4(out, v4, port);
    return 0;
}

/* The first address of the interface in the family that `ipv6` asks for. -EAGAIN if there is none,
 * so that the name may still be one of a host. */
static int interface_host(const struct host *host, bool ipv6, uint16_t port,
                          struct zl_ip_address *out)
{
    int family = ipv6 ? AF_INET6 : AF_INET;
    struct ifaddrs *interfaces;
    if (getifaddrs(&interfaces) < 0)
        return -errno;
    const struct ifaddrs *entry = interfaces;
    while (entry && !(entry->ifa_addr && entry->ifa_addr->sa_family == family &&
                      strcmp(entry->ifa_name, host->name) == 0))
        entry = entry->ifa_next;
    if (entry && ipv6) {
        struct sockaddr_in6 found;
        memcpy(&found, entry->ifa_addr, sizeof(found));
        set_v6(out, &found.sin6_addr, found.sin6_scope_id, port);
    } else if (entry) {
        struct sockaddr_in found;
        memcpy(&found, entry->ifa_addr, sizeof(found));
        set_v4(out, found.sin_addr, port);
    }
    freeifaddrs(interfaces);
    return entry ? 0 : -EAGAIN;
}

static int look_up(const char *name, int family, struct addrinfo **results)
{
    struct addrinfo hints = {
        .ai_family = family,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = family == AF_INET6 ? AI_V4MAPPED : 0,
    };
    return getaddrinfo(name, NULL, &hints, results);
}

/* Names of interfaces may have a colon ("eth0:1"), those of hosts never. */
static bool may_be_host_name(const char *name)
{
    return strchr(name, ':') == NULL;
}

/* The first address that the system's resolver knows. Blocks. */
static int named_host(const struct host *host, bool ipv6, uint16_t port, struct zl_ip_address *out)
{
    struct addrinfo *results = NULL;
    if (!may_be_host_name(host->name))
        return -ENODEV;
    int rc = look_up(host->name, ipv6 ? AF_INET6 : AF_INET, &results);
    if (rc == EAI_FAMILY && ipv6)
        rc = look_up(host->name, AF_INET, &results);
    if (rc != 0)
        return rc == EAI_MEMORY ? -ENOMEM : -ENODEV;
    if (results->ai_family == AF_INET6) {
        struct sockaddr_in6 found;
        memcpy(&found, results->ai_addr, sizeof(found));
        set_v6(out, &found.sin6_addr, host->zone ? host->zone : found.sin6_scope_id, port);
    } else {
        struct sockaddr_in found;
        memcpy(&found, results->ai_addr, sizeof(found));
        set_v4(out, found.sin_addr, port);
    }
    freeaddrinfo(results);
    return 0;
}

/* ---- local addresses -------------------------------------------------------------------- */

/* All that bind takes but names of hosts, for which it returns -EAGAIN with `host` and `port`. */
static int parse_local(const char *text, bool ipv6, struct host *host, uint16_t *port,
                       struct zl_ip_address *out)
{
    const char *colon = strrchr(text, ':');
    int rc = colon ? parse_local_port(colon + 1, port) : -EINVAL;
    if (rc == 0)
        rc = parse_host(text, (size_t)(colon - text), host);
    if (rc < 0)
        return rc;
    if (strcmp(host->name, "*") == 0) {
        set_any(out, ipv6, *port);
        return 0;
    }
    rc = numeric_host(host, ipv6, *port, out);
    return rc == -EAGAIN ? interface_host(host, ipv6, *port, out) : rc;
}

int zl_ip_parse_bind(const char *text, bool ipv6, struct zl_ip_address *out)
{
    struct host host;
    uint16_t port;
    int rc = parse_local(text, ipv6, &host, &port, out);
    return rc == -EAGAIN ? named_host(&host, ipv6, port, out) : rc;
}

int zl_ip_parse_source(const char *text, bool ipv6, struct zl_ip_address *out)
{
    struct host host;
    uint16_t port;
    int rc = parse_local(text, ipv6, &host, &port, out);
    return rc == -EAGAIN ? -ENODEV : rc;
}

/* ---- addresses of peers ----------------------------------------------------------------- */

int zl_tcp_connect_check(const char *text)
{
    if (!is_digit(text[0]) && !is_letter(text[0]) && text[0] != '[' && text[0] != ':')
        return -EINVAL;
    for (const char *c = text; *c; c++) {
        if (!is_digit(*c) && !is_letter(*c) && !strchr(".-:%;[]_*", *c))
            return -EINVAL;
    }
    const char *colon = strrchr(text, ':');
    return colon && is_digit(colon[1]) ? 0 : -EINVAL;
}

static int copy_part(const char *text, size_t length, char *destination, size_t capacity)
{
    if (length >= capacity)
        return -ENAMETOOLONG;
    memcpy(destination, text, length);
    destination[length] = '\0';
    return 0;
}

int zl_tcp_connect_split(const char *text, char *source, size_t source_capacity, char *host,
                         size_t host_capacity, char *port, size_t port_capacity)
{
    const char *semicolon = strrchr(text, ';');
    const char *peer = semicolon ? semicolon + 1 : text;
    const char *colon = strrchr(peer, ':');
    if (!colon)
        return -EINVAL;
    int rc = copy_part(text, semicolon ? (size_t)(semicolon - text) : 0, source, source_capacity);
    if (rc == 0)
        rc = copy_part(peer, (size_t)(colon - peer), host, host_capacity);
    if (rc == 0)
        rc = copy_part(colon + 1, strlen(colon + 1), port, port_capacity);
    return rc;
}

/* As zl_ip_parse_numeric(), which leaves host and port behind for the resolver. */
static int parse_peer(const char *host_text, const char *port_text, bool ipv6, struct host *host,
                      uint16_t *port, struct zl_ip_address *out)
{
    int rc = parse_port(port_text, port);
    if (rc == 0)
        rc = parse_host(host_text, strlen(host_text), host);
    if (rc < 0)
        return rc;
    if (strcmp(host->name, "*") == 0)
        return -ENODEV;
    rc = numeric_host(host, ipv6, *port, out);
    return rc == -EAGAIN && !may_be_host_name(host->name) ? -ENODEV : rc;
}

int zl_ip_parse_numeric(const char *host, const char *port, bool ipv6, struct zl_ip_address *out)
{
    struct host parsed;
    uint16_t number;
    return parse_peer(host, port, ipv6, &parsed, &number, out);
}

int zl_ip_resolve(const char *host, const char *port, bool ipv6, struct zl_ip_address *out)
{
    struct host parsed;
    uint16_t number;
    int rc = parse_peer(host, port, ipv6, &parsed, &number, out);
    return rc == -EAGAIN ? named_host(&parsed, ipv6, number, out) : rc;
}

/* ---- printing --------------------------------------------------------------------------- */

/* "%zone", by name where the interface still exists; "" without a zone. */
static void format_zone(uint32_t zone, char *destination, size_t capacity)
{
    char name[IF_NAMESIZE];
    if (zone == 0)
        destination[0] = '\0';
    else if (if_indextoname(zone, name))
        snprintf(destination, capacity, "%%%s", name);
    else
        snprintf(destination, capacity, "%%%u", (unsigned)zone);
}

int zl_ip_format_host(const struct zl_ip_address *address, char *destination, size_t capacity)
{
    char number[INET6_ADDRSTRLEN] = "";
    char zone[IF_NAMESIZE + 1] = "";
    if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, number, sizeof(number));
    } else if (address->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address->v6.sin6_addr, number, sizeof(number));
        format_zone(address->v6.sin6_scope_id, zone, sizeof(zone));
    } else {
        return -EINVAL;
    }
    int length = snprintf(destination, capacity, "%s%s", number, zone);
    return length >= 0 && (size_t)length < capacity ? 0 : -ENOSPC;
}

int zl_ip_format(const struct zl_ip_address *address, char *destination, size_t capacity)
{
    char host[ZL_IP_TEXT_SIZE];
    int rc = zl_ip_format_host(address, host, sizeof(host));
    if (rc < 0)
        return rc;
    const char *form = address->any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u";
    int length = snprintf(destination, capacity, form, host, (unsigned)zl_ip_port(address));
    return length >= 0 && (size_t)length < capacity ? 0 : -ENOSPC;
}

/* ---- filters ---------------------------------------------------------------------------- */

/* A prefix length in decimal digits, nothing else. */
static int parse_prefix(const char *text, unsigned longest, unsigned *out)
{
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
        return -EINVAL;
    *out = leading_number(text);
    return *out <= longest ? 0 : -EINVAL;
}

int zl_ip_filter_parse(const char *text, size_t size, bool ipv6, struct zl_ip_filter *out)
{
    char copy[INET6_ADDRSTRLEN + sizeof("[]/128")];
    size_t length = strnlen(text, size);
    if (copy_part(text, length, copy, sizeof(copy)) < 0)
        return -EINVAL;
    char *slash = strrchr(copy, '/');
    if (slash)
        *slash = '\0';

    struct host host;
    struct in_addr v4;
    struct in6_addr v6;
    if (parse_host(copy, strlen(copy), &host) < 0 || host.zone != 0)
        return -EINVAL;
    bool is_v4 = parse_v4(host.name, &v4);
    if (is_v4)
        v6 = map_v4(v4);
    else if (!ipv6 || inet_pton(AF_INET6, host.name, &v6) != 1)
        return -EINVAL;

    unsigned longest = is_v4 ? 32 : 128;
    unsigned prefix = longest;
    if (slash && parse_prefix(slash + 1, longest, &prefix) < 0)
        return -EINVAL;
    memcpy(out->bytes, &v6, sizeof(out->bytes));
    out->bits = (uint8_t)(prefix + 128 - longest);
    return 0;
}

bool zl_ip_filter_match(const struct zl_ip_filter *filter, const struct zl_ip_address *peer)
{
    struct in6_addr address;
    if (peer->any.sa_family == AF_INET)
        address = map_v4(peer->v4.sin_addr);
    else if (peer->any.sa_family == AF_INET6)
        address = peer->v6.sin6_addr;
    else
        return false;
    size_t whole = filter->bits / 8;
    unsigned rest = filter->bits % 8;
    if (memcmp(filter->bytes, address.s6_addr, whole) != 0)
        return false;
    return rest == 0 || ((filter->bytes[whole] ^ address.s6_addr[whole]) >> (8 - rest)) == 0;
}
