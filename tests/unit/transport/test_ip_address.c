/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of IP addresses as written in endpoints. No test depends on the network; names of hosts and
 * interfaces are compared with what the system itself says about them. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport/ip_address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A label of more than 63 letters is refused by every resolver without asking anybody. */
#define IMPOSSIBLE_HOST                                                                            \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid"

typedef int parser(const char *text, bool ipv6, struct zl_ip_address *out);

/* `expected` is the printed address, or NULL when `error` is. */
static void parses(parser *parse, const char *text, bool ipv6, int error, const char *expected)
{
    struct zl_ip_address address;
    char printed[ZL_IP_TEXT_SIZE] = "";
    memset(&address, 0xA5, sizeof(address));
    int rc = parse(text, ipv6, &address);
    if (rc == 0)
        assert_int_equal(zl_ip_format(&address, printed, sizeof(printed)), 0);
    if (rc != error || (rc == 0 && strcmp(printed, expected) != 0))
        fail_msg("%s (IPV6=%d): %d '%s', expected %d '%s'", text, ipv6, rc, printed, error,
                 expected ? expected : "");
    if (rc == 0) {
        assert_int_equal(address.any.sa_family, ipv6 ? AF_INET6 : AF_INET);
        assert_int_equal(address.length, ipv6 ? sizeof(address.v6) : sizeof(address.v4));
    }
}

/* ---- local addresses -------------------------------------------------------------------- */

/* What is the same for bind and for the source part of connect. */
static const struct local_row {
    const char *text;
    int error; /* of both families; 0 if the texts below count */
    const char *v4, *v6;
    int v4_error;
} local_rows[] = {
    /* ports */
    {"127.0.0.1:5555", 0, "127.0.0.1:5555", "[::ffff:127.0.0.1]:5555", 0},
    {"127.0.0.1:*", 0, "127.0.0.1:0", "[::ffff:127.0.0.1]:0", 0},
    {"127.0.0.1:0", 0, "127.0.0.1:0", "[::ffff:127.0.0.1]:0", 0},
    {"127.0.0.1:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"127.0.0.1:65535", 0, "127.0.0.1:65535", "[::ffff:127.0.0.1]:65535", 0},
    {"127.0.0.1:5555x", 0, "127.0.0.1:5555", "[::ffff:127.0.0.1]:5555", 0},
    {"127.0.0.1:0005", 0, "127.0.0.1:5", "[::ffff:127.0.0.1]:5", 0},
    {"127.0.0.1:65537", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"127.0.0.1:70000", 0, "127.0.0.1:4464", "[::ffff:127.0.0.1]:4464", 0},
    {"127.0.0.1:184467440737095516160005", 0, "127.0.0.1:5", "[::ffff:127.0.0.1]:5", 0},
    {"127.0.0.1:65536", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:00", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:0x5", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:x", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:-5", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:+5", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1: 5", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:**", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1:*5", -EINVAL, NULL, NULL, 0},
    {"*", -EINVAL, NULL, NULL, 0},
    {"", -EINVAL, NULL, NULL, 0},
    {":", -EINVAL, NULL, NULL, 0},
    /* wildcards */
    {"*:5555", 0, "0.0.0.0:5555", "[::]:5555", 0},
    {"*:*", 0, "0.0.0.0:0", "[::]:0", 0},
    {"[*]:*", 0, "0.0.0.0:0", "[::]:0", 0},
    /* IPv4 */
    {"0.0.0.0:1", 0, "0.0.0.0:1", "[::ffff:0.0.0.0]:1", 0},
    {"[127.0.0.1]:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"127.1:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"0x7f.1:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"2130706433:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"127.0.0.1%1:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    /* IPv6 */
    {"[::1]:1", 0, NULL, "[::1]:1", -ENODEV},
    {"::1:1", 0, NULL, "[::1]:1", -ENODEV},
    {"[::]:1", 0, NULL, "[::]:1", -ENODEV},
    {"[FD00::0:2]:1", 0, NULL, "[fd00::2]:1", -ENODEV},
    {"[::ffff:127.0.0.1]:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"[::ffff:7f00:1]:1", 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1", 0},
    {"[fe80::1%4000000000]:1", 0, NULL, "[fe80::1%4000000000]:1", -ENODEV},
    /* zones that are none */
    {"[::1%]:1", -EINVAL, NULL, NULL, 0},
    {"[::1%0]:1", -EINVAL, NULL, NULL, 0},
    {"::1%0:1", -EINVAL, NULL, NULL, 0},
    {"[::1%nosuchif]:1", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1%:1", -EINVAL, NULL, NULL, 0},
    {"127.0.0.1%nosuchif:1", -EINVAL, NULL, NULL, 0},
    {"[::1%-1]:1", -EINVAL, NULL, NULL, 0},
    /* no such thing */
    {":1", -ENODEV, NULL, NULL, 0},
    {"[]:1", -ENODEV, NULL, NULL, 0},
    {"[%1]:1", -ENODEV, NULL, NULL, 0},
    {"[::1:1", -ENODEV, NULL, NULL, 0},
    {"::1]:1", -ENODEV, NULL, NULL, 0},
    {"[[::1]]:1", -ENODEV, NULL, NULL, 0},
    {"[::1]", -ENODEV, NULL, NULL, 0}, /* host "[:", port "1]" */
    {"1:2:3:4", -ENODEV, NULL, NULL, 0},
    {":::::1", -ENODEV, NULL, NULL, 0},
    {IMPOSSIBLE_HOST ":1", -ENODEV, NULL, NULL, 0},
};

static void check_local_rows(parser *parse)
{
    for (size_t i = 0; i < COUNT(local_rows); i++) {
        const struct local_row *row = &local_rows[i];
        parses(parse, row->text, false, row->error ? row->error : row->v4_error, row->v4);
        parses(parse, row->text, true, row->error, row->v6);
    }
}

static void bind_addresses(void **state)
{
    (void)state;
    check_local_rows(zl_ip_parse_bind);
}

static void source_addresses(void **state)
{
    (void)state;
    check_local_rows(zl_ip_parse_source);
}

/* A host that fits no buffer cannot exist. */
static void overlong_hosts_do_not_exist(void **state)
{
    static char text[3000];
    (void)state;
    for (size_t length = ZL_IP_HOST_SIZE - 2; length < ZL_IP_HOST_SIZE + 2; length++) {
        memset(text, ':', sizeof(text));
        text[0] = '1';
        strcpy(text + length, ":5");
        parses(zl_ip_parse_bind, text, true, -ENODEV, NULL);
        text[length] = '\0';
        struct zl_ip_address address;
        assert_int_equal(zl_ip_parse_numeric(text, "5", true, &address), -ENODEV);
    }
}

/* The address of the first interface of that family, printed with port 77, and its name; false if
 * there is none. */
static bool find_interface(int family, char *name, char *expected)
{
    struct ifaddrs *list;
    bool found = false;
    assert_int_equal(getifaddrs(&list), 0);
    for (struct ifaddrs *entry = list; entry && !found; entry = entry->ifa_next) {
        struct zl_ip_address address;
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != family)
            continue;
        found = true;
        strcpy(name, entry->ifa_name);
        memset(&address, 0, sizeof(address));
        if (family == AF_INET) {
            memcpy(&address.v4, entry->ifa_addr, sizeof(address.v4));
            address.v4.sin_port = htons(77);
        } else {
            memcpy(&address.v6, entry->ifa_addr, sizeof(address.v6));
            address.v6.sin6_port = htons(77);
        }
        assert_int_equal(zl_ip_format(&address, expected, ZL_IP_TEXT_SIZE), 0);
    }
    freeifaddrs(list);
    return found;
}

static void interfaces_stand_for_their_first_address(void **state)
{
    char name[64], text[80], expected[ZL_IP_TEXT_SIZE];
    int checked = 0;
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        if (!find_interface(ipv6 ? AF_INET6 : AF_INET, name, expected))
            continue;
        snprintf(text, sizeof(text), "%s:77", name);
        parses(zl_ip_parse_bind, text, ipv6, 0, expected);
        parses(zl_ip_parse_source, text, ipv6, 0, expected);
        snprintf(text, sizeof(text), "[%s]:77", name);
        parses(zl_ip_parse_bind, text, ipv6, 0, expected);
        checked++;
    }
    if (checked == 0)
        skip();
}

static void zones_by_name_or_number(void **state)
{
    struct if_nameindex *interfaces = if_nameindex();
    char text[80], expected[ZL_IP_TEXT_SIZE];
    (void)state;
    if (!interfaces || interfaces[0].if_index == 0)
        skip();
    const char *name = interfaces[0].if_name;
    unsigned index = interfaces[0].if_index;
    snprintf(expected, sizeof(expected), "[fe80::1%%%s]:5", name);
    snprintf(text, sizeof(text), "[fe80::1%%%s]:5", name);
    parses(zl_ip_parse_bind, text, true, 0, expected);
    parses(zl_ip_parse_bind, text, false, -ENODEV, NULL);
    snprintf(text, sizeof(text), "fe80::1%%%u:5", index);
    parses(zl_ip_parse_bind, text, true, 0, expected);

    struct zl_ip_address address;
    snprintf(text, sizeof(text), "fe80::1%%%s", name);
    assert_int_equal(zl_ip_parse_numeric(text, "5", true, &address), 0);
    assert_int_equal(address.v6.sin6_scope_id, index);
    if_freenameindex(interfaces);
}

/* ---- host names ------------------------------------------------------------------------- */

/* What the resolver makes of localhost, printed with port 77; false if it knows nothing. */
static bool resolve_localhost(bool ipv6, char *expected)
{
    struct addrinfo hints = {.ai_family = ipv6 ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = ipv6 ? AI_V4MAPPED : 0};
    struct addrinfo *results;
    struct zl_ip_address address;
    if (getaddrinfo("localhost", "77", &hints, &results) != 0)
        return false;
    memset(&address, 0, sizeof(address));
    memcpy(&address.v6, results->ai_addr, results->ai_addrlen);
    assert_int_equal(zl_ip_format(&address, expected, ZL_IP_TEXT_SIZE), 0);
    freeaddrinfo(results);
    return true;
}

static int resolve_77(const char *host, bool ipv6, struct zl_ip_address *out)
{
    return zl_ip_resolve(host, "77", ipv6, out);
}

static void host_names_are_resolved(void **state)
{
    char expected[ZL_IP_TEXT_SIZE];
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        int error = resolve_localhost(ipv6, expected) ? 0 : -ENODEV;
        parses(zl_ip_parse_bind, "localhost:77", ipv6, error, expected);
        parses(resolve_77, "localhost", ipv6, error, expected);
        parses(zl_ip_parse_source, "localhost:77", ipv6, -ENODEV, NULL);
        parses(resolve_77, IMPOSSIBLE_HOST, ipv6, -ENODEV, NULL);
        parses(resolve_77, "127.0.0.1", ipv6, 0, ipv6 ? "[::ffff:127.0.0.1]:77" : "127.0.0.1:77");
        parses(resolve_77, "*", ipv6, -ENODEV, NULL);
        parses(resolve_77, "", ipv6, -ENODEV, NULL);
    }
}

/* ---- addresses of peers ----------------------------------------------------------------- */

static void peers_that_need_no_resolver(void **state)
{
    static const struct {
        const char *host, *port;
        int v4_error, v6_error;
        const char *v4, *v6;
    } rows[] = {
        {"127.0.0.1", "5555", 0, 0, "127.0.0.1:5555", "[::ffff:127.0.0.1]:5555"},
        {"127.0.0.1", "5555x", 0, 0, "127.0.0.1:5555", "[::ffff:127.0.0.1]:5555"},
        {"127.0.0.1", "0", 0, 0, "127.0.0.1:0", "[::ffff:127.0.0.1]:0"},
        {"[127.0.0.1]", "1", 0, 0, "127.0.0.1:1", "[::ffff:127.0.0.1]:1"},
        {"::1", "1", -ENODEV, 0, NULL, "[::1]:1"},
        {"[::1]", "1", -ENODEV, 0, NULL, "[::1]:1"},
        {"127.0.0.1", "65536", -EINVAL, -EINVAL, NULL, NULL},
        {"127.0.0.1", "*", -EINVAL, -EINVAL, NULL, NULL},
        {"127.0.0.1", "", -EINVAL, -EINVAL, NULL, NULL},
        {"127.0.0.1", "http", -EINVAL, -EINVAL, NULL, NULL},
        {"example.org", "*", -EINVAL, -EINVAL, NULL, NULL},
        {"::1%nosuchif", "1", -EINVAL, -EINVAL, NULL, NULL},
        {"*", "1", -ENODEV, -ENODEV, NULL, NULL},
        {"", "1", -ENODEV, -ENODEV, NULL, NULL},
        {"[::1", "1", -ENODEV, -ENODEV, NULL, NULL},
        {"a:b", "1", -ENODEV, -ENODEV, NULL, NULL},
        {"localhost", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"example.org", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"1.2.3.4.5", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"256.1.1.1", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"1a.example.org", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"127.0.0.1 x", "1", -EAGAIN, -EAGAIN, NULL, NULL},
        {"beef", "1", -EAGAIN, -EAGAIN, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            struct zl_ip_address address;
            char printed[ZL_IP_TEXT_SIZE];
            int expected = ipv6 ? rows[i].v6_error : rows[i].v4_error;
            int rc = zl_ip_parse_numeric(rows[i].host, rows[i].port, ipv6, &address);
            if (rc != expected)
                fail_msg("%s %s: %d", rows[i].host, rows[i].port, rc);
            if (rc == 0) {
                assert_int_equal(zl_ip_format(&address, printed, sizeof(printed)), 0);
                assert_string_equal(printed, ipv6 ? rows[i].v6 : rows[i].v4);
            }
        }
    }
}

static void connect_checks_only_the_surface(void **state)
{
    static const char *const good[] = {
        "127.0.0.1:5555",
        "localhost:5555x",
        "[::1]:5",
        ":5",
        "::5",
        "127.0.0.1:0",
        "a:70000",
        "a*b:1",
        "a_b:1",
        "f:1",
        "fe80::1%eth0:1",
        "a:1;",
        "b;a:4",
        "eth1:0;server1:5555",
        "127.0.0.1:0;localhost:1234",
        "192.168.1.17:5555;192.168.1.1:5555",
        "[fe80::1%eth0]:1;[::1]:9",
        "9]]:1",
    };
    static const char *const bad[] = {
        "",           "*:5555",       "localhost:*", "localhost:", "localhost", "local host:1",
        "_x:1",       "-x:1",         ".x:1",        "%x:1",       " a:1",      ";a:4",
        "a/b:4",      "a:4/b",        "a:b",         "a:1:",       "]:1",       "a:-1",
        "a:1;b:*",    "\xc3\xa4:1",   "a\xc3\xa4:1", "a:1\n",      "a,b:1",     "a@b:1",
        "user:1@b:2", "127.0.0.1:;x",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (zl_tcp_connect_check(good[i]) != 0)
            fail_msg("refuses %s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (zl_tcp_connect_check(bad[i]) != -EINVAL)
            fail_msg("takes %s", bad[i]);
    }
}

static void connect_addresses_are_split(void **state)
{
    static const struct {
        const char *text, *source, *host, *port;
    } rows[] = {
        {"localhost:5555", "", "localhost", "5555"},
        {"eth1:0;server1:5555", "eth1:0", "server1", "5555"},
        {"[fe80::1%eth0]:1;[::1]:9", "[fe80::1%eth0]:1", "[::1]", "9"},
        {"a;b;c:1", "a;b", "c", "1"},
        {"a:1;b:2;c:3:4", "a:1;b:2", "c:3", "4"},
        {"::1:5", "", "::1", "5"},
        {":5", "", "", "5"},
        {"x:", "", "x", ""},
        {";x:1", "", "x", "1"},
    };
    char source[32], host[32], port[32];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(zl_tcp_connect_split(rows[i].text, source, sizeof(source), host,
                                              sizeof(host), port, sizeof(port)),
                         0);
        assert_string_equal(source, rows[i].source);
        assert_string_equal(host, rows[i].host);
        assert_string_equal(port, rows[i].port);
    }
    assert_int_equal(zl_tcp_connect_split("abc", source, 32, host, 32, port, 32), -EINVAL);
    assert_int_equal(zl_tcp_connect_split("a:1;b", source, 32, host, 32, port, 32), -EINVAL);
    assert_int_equal(zl_tcp_connect_split("abc;def:ghi", source, 4, host, 4, port, 4), 0);
    assert_int_equal(zl_tcp_connect_split("abc;def:ghi", source, 3, host, 4, port, 4),
                     -ENAMETOOLONG);
    assert_int_equal(zl_tcp_connect_split("abc;def:ghi", source, 4, host, 3, port, 4),
                     -ENAMETOOLONG);
    assert_int_equal(zl_tcp_connect_split("abc;def:ghi", source, 4, host, 4, port, 3),
                     -ENAMETOOLONG);
}

/* ---- printing and comparing ------------------------------------------------------------- */

static struct zl_ip_address numeric(const char *host, const char *port, bool ipv6)
{
    struct zl_ip_address address;
    assert_int_equal(zl_ip_parse_numeric(host, port, ipv6, &address), 0);
    return address;
}

static void addresses_are_printed(void **state)
{
    static const struct {
        const char *host;
        bool ipv6;
        const char *with_port, *without;
    } rows[] = {
        {"127.0.0.1", false, "127.0.0.1:9", "127.0.0.1"},
        {"127.0.0.1", true, "[::ffff:127.0.0.1]:9", "::ffff:127.0.0.1"},
        {"0:0::1", true, "[::1]:9", "::1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", true,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:9",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295"},
    };
    char text[ZL_IP_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zl_ip_address address = numeric(rows[i].host, "9", rows[i].ipv6);
        size_t length = strlen(rows[i].with_port);
        assert_int_equal(zl_ip_format(&address, text, length + 1), 0);
        assert_string_equal(text, rows[i].with_port);
        assert_int_equal(zl_ip_format(&address, text, length), -ENOSPC);
        length = strlen(rows[i].without);
        assert_int_equal(zl_ip_format_host(&address, text, length + 1), 0);
        assert_string_equal(text, rows[i].without);
        assert_int_equal(zl_ip_format_host(&address, text, length), -ENOSPC);
        assert_int_equal(zl_ip_port(&address), 9);
    }
}

static void what_is_no_ip_address_is_not_printed(void **state)
{
    struct zl_ip_address address = {.any = {.sa_family = AF_UNIX}};
    struct zl_ip_filter filter = {{0}, 0};
    char text[ZL_IP_TEXT_SIZE];
    (void)state;
    assert_int_equal(zl_ip_format(&address, text, sizeof(text)), -EINVAL);
    assert_int_equal(zl_ip_format_host(&address, text, sizeof(text)), -EINVAL);
    assert_int_equal(zl_ip_port(&address), 0);
    assert_false(zl_ip_equal(&address, &address));
    assert_false(zl_ip_filter_match(&filter, &address));
}

static void addresses_are_compared_in_every_part(void **state)
{
    const struct zl_ip_address addresses[] = {
        numeric("127.0.0.1", "1", false), numeric("127.0.0.1", "2", false),
        numeric("127.0.0.2", "1", false), numeric("127.0.0.1", "1", true),
        numeric("::1", "1", true),        numeric("::1", "2", true),
        numeric("::2", "1", true),        numeric("::1%3", "1", true),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        for (size_t k = 0; k < COUNT(addresses); k++)
            assert_int_equal(zl_ip_equal(&addresses[i], &addresses[k]), i == k);
    }
}

/* ---- filters ---------------------------------------------------------------------------- */

static void filters_match_their_network(void **state)
{
    static const struct {
        const char *filter, *peer;
        bool peer_ipv6, matches;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", false, true},
        {"127.0.0.1", "127.0.0.1", true, true},
        {"127.0.0.1", "127.0.0.2", false, false},
        {"127.0.0.1/32", "127.0.0.1", false, true},
        {"127.0.0.1/32", "127.0.0.0", false, false},
        {"127.0.0.1/31", "127.0.0.0", false, true},
        {"127.0.0.1/31", "127.0.0.2", false, false},
        {"10.0.0.0/8", "10.255.255.255", false, true},
        {"10.0.0.0/8", "11.0.0.0", false, false},
        {"10.9.9.9/8", "10.1.2.3", true, true},
        {"10.0.0.0/8", "11.0.0.0", true, false},
        {"10.0.0.0/8", "::1", true, false},
        {"172.16.0.0/12", "172.31.255.1", false, true},
        {"172.16.0.0/12", "172.32.0.1", false, false},
        {"128.0.0.0/1", "255.1.1.1", false, true},
        {"128.0.0.0/1", "127.1.1.1", false, false},
        {"0.0.0.0/0", "1.2.3.4", false, true},
        {"0.0.0.0/0", "1.2.3.4", true, true},
        {"0.0.0.0/0", "::1", true, false},
        {"::1", "::1", true, true},
        {"::1", "::2", true, false},
        {"::1", "0.0.0.1", true, false},
        {"[::1]", "::1", true, true},
        {"[fd00::]/8", "fdff::1", true, true},
        {"fd00::/8", "fdff::1", true, true},
        {"fd00::/8", "fe00::1", true, false},
        {"fd00::/9", "fd7f::1", true, true},
        {"fd00::/9", "fd80::1", true, false},
        {"fe80::/10", "fe80::1%3", true, true},
        {"::/0", "::1", true, true},
        {"::/0", "1.2.3.4", false, true},
        {"::ffff:10.0.0.0/104", "10.1.1.1", true, true},
        {"::ffff:10.0.0.0/104", "10.1.1.1", false, true},
        {"::ffff:10.0.0.0/104", "11.1.1.1", true, false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zl_ip_filter filter;
        struct zl_ip_address peer = numeric(rows[i].peer, "1", rows[i].peer_ipv6);
        size_t size = strlen(rows[i].filter);
        assert_int_equal(zl_ip_filter_parse(rows[i].filter, size, true, &filter), 0);
        if (zl_ip_filter_match(&filter, &peer) != rows[i].matches)
            fail_msg("%s and %s", rows[i].filter, rows[i].peer);
    }
}

static void filters_are_numeric_networks(void **state)
{
    static const struct {
        const char *text;
        bool ipv6_only; /* well-formed, but for IPv6 */
    } rows[] = {
        {"", false},
        {"/8", false},
        {"localhost", false},
        {"lo", false},
        {"*", false},
        {"127.0.0.1/", false},
        {"127.0.0.1/33", false},
        {"127.0.0.1/256", false},
        {"127.0.0.1/4294967296", false},
        {"127.0.0.1/-1", false},
        {"127.0.0.1/+1", false},
        {"127.0.0.1/ 1", false},
        {"127.0.0.1/8x", false},
        {"127.0.0.1/8/8", false},
        {"127.0.0.1:80", false},
        {"[::1", false},
        {"::1]", false},
        {"::1/129", false},
        {"fe80::1%1", false},
        {"fe80::1%1/64", false},
        {"::1/", false},
        {"::1", true},
        {"::1/128", true},
        {"::ffff:10.0.0.0/104", true},
    };
    struct zl_ip_filter filter;
    char text[600];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t size = strlen(rows[i].text);
        assert_int_equal(zl_ip_filter_parse(rows[i].text, size, false, &filter), -EINVAL);
        if (zl_ip_filter_parse(rows[i].text, size, true, &filter) !=
            (rows[i].ipv6_only ? 0 : -EINVAL))
            fail_msg("%s", rows[i].text);
    }
    memset(text, '0', sizeof(text));
    assert_int_equal(zl_ip_filter_parse(text, sizeof(text), true, &filter), -EINVAL);
}

static void filters_end_with_their_size_or_a_nul(void **state)
{
    struct zl_ip_filter filter;
    (void)state;
    assert_int_equal(zl_ip_filter_parse("10.0.0.0/24", 10, false, &filter), 0);
    assert_int_equal(filter.bits, 96 + 2);
    assert_int_equal(zl_ip_filter_parse("10.0.0.0/24", 12, false, &filter), 0);
    assert_int_equal(filter.bits, 96 + 24);
    assert_int_equal(zl_ip_filter_parse("10.0.0.0\0/24", 12, false, &filter), 0);
    assert_int_equal(filter.bits, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bind_addresses),
        cmocka_unit_test(source_addresses),
        cmocka_unit_test(overlong_hosts_do_not_exist),
        cmocka_unit_test(interfaces_stand_for_their_first_address),
        cmocka_unit_test(zones_by_name_or_number),
        cmocka_unit_test(host_names_are_resolved),
        cmocka_unit_test(peers_that_need_no_resolver),
        cmocka_unit_test(connect_checks_only_the_surface),
        cmocka_unit_test(connect_addresses_are_split),
        cmocka_unit_test(addresses_are_printed),
        cmocka_unit_test(what_is_no_ip_address_is_not_printed),
        cmocka_unit_test(addresses_are_compared_in_every_part),
        cmocka_unit_test(filters_match_their_network),
        cmocka_unit_test(filters_are_numeric_networks),
        cmocka_unit_test(filters_end_with_their_size_or_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
