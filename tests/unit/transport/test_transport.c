/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the schemes that layer something over another transport: which part of an address is whose,
   and that endpoints come out in the form in which they can be given again. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/options.h"
#include "transport/transport.h"

static const struct zl_transport_ops *const layered[] = {&zl_tls_ops, &zl_ws_ops, &zl_wss_ops};
enum { LAYERED = sizeof layered / sizeof *layered };

static struct zl_options options;

static int default_options(void **state)
{
    (void)state;
    zl_options_init(&options, ZMQ_PAIR, false, true);
    return 0;
}

static int clear_options(void **state)
{
    (void)state;
    zl_options_clear(&options);
    return 0;
}

static bool has_path(const struct zl_transport_ops *transport)
{
    return transport->layers & ZL_LAYER_WEBSOCKET;
}

/* "scheme://" is written to text; where it ends. */
static size_t put_scheme(char *text, size_t size, const struct zl_transport_ops *transport)
{
    return (size_t)snprintf(text, size, "%s://", transport->scheme);
}

static void tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERED; i++) {
        assert_ptr_equal(layered[i]->carrier, &zl_tcp_ops);
        assert_ptr_equal(zl_transport_carrier(layered[i]), &zl_tcp_ops);
    }
    assert_ptr_equal(zl_transport_carrier(&zl_tcp_ops), &zl_tcp_ops);
    assert_ptr_equal(zl_transport_carrier(&zl_ipc_ops), &zl_ipc_ops);
    assert_int_equal(zl_tls_ops.layers, ZL_LAYER_TLS);
    assert_int_equal(zl_ws_ops.layers, ZL_LAYER_WEBSOCKET);
    assert_int_equal(zl_wss_ops.layers, ZL_LAYER_TLS | ZL_LAYER_WEBSOCKET);
}

static void paths(void **state)
{
    static const char *const rows[][2] = {
        {"host:1", "/"},        {"host:1/", "/"},           {"host:1/a", "/a"},
        {"host:1/a/b", "/a/b"}, {"host:1/a:2/b", "/a:2/b"}, {"[::1]:1/a?b=c;d", "/a?b=c;d"},
        {"*:*/x", "/x"},        {"lo:1;host:2/y", "/y"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(zl_transport_path(&zl_ws_ops, rows[i][0]), rows[i][1]);
        assert_string_equal(zl_transport_path(&zl_wss_ops, rows[i][0]), rows[i][1]);
        assert_string_equal(zl_transport_path(&zl_tls_ops, rows[i][0]), "/");
        assert_string_equal(zl_transport_path(&zl_tcp_ops, rows[i][0]), "/");
    }
}

static void addresses_are_checked(void **state)
{
    static const struct {
        const char *address;
        int plain, websocket; /* what tls and tcp say, and ws and wss */
    } rows[] = {
        {"127.0.0.1:80", 0, 0},
        {"localhost:80", 0, 0},
        {"[::1]:80", 0, 0},
        {"127.0.0.1:80/", -EINVAL, 0},
        {"127.0.0.1:80/a/b", -EINVAL, 0},
        {"127.0.0.1:80/a:b", -EINVAL, 0},
        {"127.0.0.1:80/%20~!", -EINVAL, 0},
        {"127.0.0.1:80/a b", -EINVAL, -EINVAL},
        {"127.0.0.1:80/a\tb", -EINVAL, -EINVAL},
        {"127.0.0.1:80/a\r\nX: y", -EINVAL, -EINVAL},
        {"127.0.0.1:80/\x7f", -EINVAL, -EINVAL},
        {"127.0.0.1:80/\xc3\xa9", -EINVAL, -EINVAL},
        {"127.0.0.1", -EINVAL, -EINVAL},
        {"127.0.0.1/a:80", -EINVAL, -EINVAL},
        {"/a", -EINVAL, -EINVAL},
        {"", -EINVAL, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(zl_transport_check(&zl_tcp_ops, rows[i].address), rows[i].plain);
        assert_int_equal(zl_transport_check(&zl_tls_ops, rows[i].address), rows[i].plain);
        assert_int_equal(zl_transport_check(&zl_ws_ops, rows[i].address), rows[i].websocket);
        assert_int_equal(zl_transport_check(&zl_wss_ops, rows[i].address), rows[i].websocket);
    }
}

/* The carrier's part has to fit its buffer, the path need not; together they have to fit an endpoint. */
static void long_addresses(void **state)
{
    char address[2 * ZL_ADDRESS_TEXT_SIZE];
    struct zl_listen listener;
    struct zl_target target;
    char host[ZL_ADDRESS_TEXT_SIZE];
    uint16_t port;
    (void)state;
    memset(address, 'a', sizeof address);
    address[sizeof address - 1] = '\0';
    for (size_t i = 0; i < LAYERED; i++) {
        assert_int_equal(zl_transport_check(layered[i], address), -EINVAL);
        assert_int_equal(zl_transport_listen(layered[i], &listener, address, &options), -EINVAL);
        assert_int_equal(zl_transport_resolve(layered[i], address, &options, false, &target),
                         -EINVAL);
        assert_int_equal(zl_transport_host(layered[i], address, host, &port), -EINVAL);
        assert_false(zl_transport_same(layered[i], address, address, &options));
    }
    memcpy(address, "127.0.0.1:*/", 12);
    assert_int_equal(zl_transport_listen(&zl_ws_ops, &listener, address, &options), -EINVAL);
    memcpy(address, "127.0.0.1:1/", 12);
    assert_int_equal(zl_transport_host(&zl_ws_ops, address, host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
}

static void hosts(void **state)
{
    static const struct {
        const char *address, *host;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1", 80},        {"some.host:5555", "some.host", 5555},
        {"[::1]:65535", "[::1]", 65535},          {"[fe80::1%lo]:1", "[fe80::1%lo]", 1},
        {"10.0.0.1:0;server:443", "server", 443}, {"[::1]:0;[::2]:444", "[::2]", 444},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < LAYERED; k++) {
            char address[ZL_ADDRESS_TEXT_SIZE], host[ZL_ADDRESS_TEXT_SIZE];
            uint16_t port = 0;
            snprintf(address, sizeof address, "%s%s", rows[i].address,
                     has_path(layered[k]) ? "/a:9/b;c:7" : "");
            assert_int_equal(zl_transport_host(layered[k], address, host, &port), 0);
            assert_string_equal(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
    }
    char host[ZL_ADDRESS_TEXT_SIZE];
    uint16_t port;
    assert_int_equal(zl_transport_host(&zl_ws_ops, "host", host, &port), -EINVAL);
    assert_int_equal(zl_transport_host(&zl_ws_ops, "host:x", host, &port), -EINVAL);
    assert_int_equal(zl_transport_host(&zl_ws_ops, "host:65536", host, &port), -EINVAL);
}

/* ---- Listeners -------------------------------------------------------------------------------- */

static struct zl_listen listening(const struct zl_transport_ops *transport, const char *address)
{
    struct zl_listen listener;
    assert_int_equal(zl_transport_listen(transport, &listener, address, &options), 0);
    assert_true(listener.fd >= 0);
    return listener;
}

static void unlisten(const struct zl_transport_ops *transport, struct zl_listen *listener)
{
    assert_int_equal(zl_transport_carrier(transport)->unlisten(listener), 0);
}

/* The endpoint has our scheme, the real port and, for WebSocket, a path; and it can be bound again. */
static void endpoints_can_be_given_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERED; i++) {
        for (int with_path = 0; with_path <= has_path(layered[i]); with_path++) {
            struct zl_listen listener =
                listening(layered[i], with_path ? "127.0.0.1:*/a/b" : "127.0.0.1:*");
            char expected[ZL_ADDRESS_TEXT_SIZE], endpoint[ZL_ADDRESS_TEXT_SIZE];
            struct sockaddr_in name;
            socklen_t size = sizeof name;
            assert_int_equal(getsockname(listener.fd, (struct sockaddr *)&name, &size), 0);
            snprintf(expected, sizeof expected, "%s://127.0.0.1:%d%s", layered[i]->scheme,
                     ntohs(name.sin_port),
                     with_path              ? "/a/b"
                     : has_path(layered[i]) ? "/"
                                            : "");
            assert_string_equal(listener.endpoint, expected);
            snprintf(endpoint, sizeof endpoint, "%s", listener.endpoint);
            unlisten(layered[i], &listener);
            listener = listening(layered[i], strstr(endpoint, "://") + 3);
            assert_string_equal(listener.endpoint, endpoint);
            unlisten(layered[i], &listener);
        }
    }
}

static void failed_listeners_leave_nothing(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    for (size_t i = 0; i < LAYERED; i++) {
        struct zl_listen listener;
        char path[ZL_ADDRESS_TEXT_SIZE];
        assert_int_equal(zl_transport_listen(layered[i], &listener, "127.0.0.1", &options),
                         -EINVAL);
        if (!has_path(layered[i]))
            continue;
        assert_int_equal(zl_transport_listen(layered[i], &listener, "127.0.0.1:*/a b", &options),
                         -EINVAL);
        /* Fits as an address, but not with the scheme: the listener is open by then. */
        memset(path, 'p', sizeof path);
        memcpy(path, "127.0.0.1:*/", 12);
        path[sizeof path - 3] = '\0';
        assert_int_equal(zl_transport_listen(layered[i], &listener, path, &options), -EINVAL);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

static void same_needs_the_same_path(void **state)
{
    static const struct {
        const char *bound, *address;
        bool plain, websocket;
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1:80", true, true},
        {"127.0.0.1:80", "127.0.0.1:81", false, false},
        {"127.0.0.1:80", "127.0.0.2:80", false, false},
        {"127.0.0.1:80/", "127.0.0.1:80", false, true},
        {"127.0.0.1:80/a", "127.0.0.1:80/a", false, true},
        {"127.0.0.1:80/a", "127.0.0.1:80/b", false, false},
        {"127.0.0.1:80/a", "127.0.0.1:80", false, false},
        {"127.0.0.1:80/a", "127.0.0.1:80/a/", false, false},
        {"127.0.0.1:80/a", "127.0.0.1:80/A", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < LAYERED; k++) {
            char bound[ZL_ADDRESS_TEXT_SIZE];
            size_t used = put_scheme(bound, sizeof bound, layered[k]);
            snprintf(bound + used, sizeof bound - used, "%s", rows[i].bound);
            if (has_path(layered[k]) || !strchr(rows[i].bound, '/'))
                assert_int_equal(zl_transport_same(layered[k], bound, rows[i].address, &options),
                                 has_path(layered[k]) ? rows[i].websocket : rows[i].plain);
        }
    }
}

/* ---- Connections ------------------------------------------------------------------------------ */

static void resolving_leaves_the_path_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERED; i++) {
        struct zl_target plain, target;
        memset(&plain, 0, sizeof plain);
        memset(&target, 0, sizeof target);
        assert_int_equal(zl_transport_resolve(&zl_tcp_ops, "127.0.0.1:80", &options, false, &plain),
                         0);
        assert_int_equal(zl_transport_resolve(
                             layered[i], has_path(layered[i]) ? "127.0.0.1:80/a:1" : "127.0.0.1:80",
                             &options, false, &target),
                         0);
        assert_memory_equal(&target, &plain, sizeof plain);
        assert_int_equal(
            zl_transport_resolve(layered[i], "some.name.invalid:80", &options, false, &target),
            -EAGAIN);
    }
}

/* Monitors show our scheme on both ends. */
static void names_have_our_scheme(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYERED; i++) {
        struct zl_listen listener = listening(layered[i], "127.0.0.1:*");
        struct sockaddr_in name;
        socklen_t size = sizeof name;
        assert_int_equal(getsockname(listener.fd, (struct sockaddr *)&name, &size), 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
        char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
        char expected[ZL_ADDRESS_TEXT_SIZE];
        zl_transport_names(layered[i], fd, local, remote, sizeof local);
        snprintf(expected, sizeof expected, "%s://127.0.0.1:%d", layered[i]->scheme,
                 ntohs(name.sin_port));
        assert_string_equal(remote, expected);
        size_t scheme = put_scheme(expected, sizeof expected, layered[i]);
        assert_memory_equal(local, expected, scheme);
        close(fd);
        unlisten(layered[i], &listener);
    }
}

/* Without names there is nothing to put a scheme in front of. */
static void no_names_stay_empty(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    char local[ZL_ADDRESS_TEXT_SIZE] = "x", remote[ZL_ADDRESS_TEXT_SIZE] = "x";
    zl_transport_names(&zl_ws_ops, ends[0], local, remote, sizeof local);
    assert_string_equal(local, "");
    assert_string_equal(remote, "");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(paths),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test_setup_teardown(long_addresses, default_options, clear_options),
        cmocka_unit_test(hosts),
        cmocka_unit_test_setup_teardown(endpoints_can_be_given_again, default_options,
                                        clear_options),
        cmocka_unit_test_setup_teardown(failed_listeners_leave_nothing, default_options,
                                        clear_options),
        cmocka_unit_test_setup_teardown(same_needs_the_same_path, default_options, clear_options),
        cmocka_unit_test_setup_teardown(resolving_leaves_the_path_out, default_options,
                                        clear_options),
        cmocka_unit_test_setup_teardown(names_have_our_scheme, default_options, clear_options),
        cmocka_unit_test(no_names_stay_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
