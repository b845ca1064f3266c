/* SPDX-License-Identifier: MPL-2.0 */
/* Endpoints: errors of bind, connect, unbind and disconnect, wildcards, LAST_ENDPOINT. */
#define _GNU_SOURCE
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_108                                                                                   \
    "/tmp/0123456789012345678901234567890123456789012345678901234567890123456789"                  \
    "0123456789012345678901234567890123"

static void bad_endpoints(void **state)
{
    (void)state;
    /* 0: the call succeeds; -1: not tried */
    static const struct {
        const char *endpoint;
        int bind_error, connect_error;
    } rows[] = {
        {"", EINVAL, EINVAL},
        {"foo", EINVAL, EINVAL},
        {"://x", EINVAL, EINVAL},
        {"tcp://", EINVAL, EINVAL},
        {"ipc://", EINVAL, EINVAL},
        {"inproc://", EINVAL, EINVAL},
        {"tcp:/127.0.0.1:1", EINVAL, EINVAL},
        {"bogus://127.0.0.1:1", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"TCP://127.0.0.1:1", EPROTONOSUPPORT, EPROTONOSUPPORT},
        {"udp://127.0.0.1:5555", ENOCOMPATPROTO, ENOCOMPATPROTO},
        {"tcp://127.0.0.1", EINVAL, EINVAL},
        {"tcp://127.0.0.1:", EINVAL, EINVAL},
        {"tcp://127.0.0.1:x", EINVAL, EINVAL},
        {"tcp://127.0.0.1:65536", EINVAL, -1},
        {"tcp://127.0.0.1:*", 0, EINVAL},
        {"tcp://*:*", 0, EINVAL},
        {"tcp://*:0", 0, EINVAL},
        {"tcp://127.0.0.1:0", 0, 0},
        {"tcp://*:5555", -1, EINVAL},
        {"tcp://a b:5555", -1, EINVAL},
        {"tcp://127.0.0.1:5555x", -1, 0},
        {"tcp://host.invalid:5555", ENODEV, 0},
        {"tcp://[::1]:5555", ENODEV, -1},
        {"tcp://192.0.2.1:*", EADDRNOTAVAIL, EINVAL},
        {"ipc://@", EINVAL, EINVAL},
        {"ipc://" TEXT_108, ENAMETOOLONG, ENAMETOOLONG},
        {"ipc:///no/such/directory/socket", ENOENT, 0},
        {"ipc:///tmp", EADDRINUSE, 0},
    };
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        for (int connecting = 0; connecting < 2; ++connecting) {
            int wanted = connecting ? rows[i].connect_error : rows[i].bind_error;
            if (wanted == -1)
                continue;
            void *socket = ts_socket(context, ZMQ_PAIR);
            int rc = connecting ? zmq_connect(socket, rows[i].endpoint)
                                : zmq_bind(socket, rows[i].endpoint);
            int error = rc == 0 ? 0 : zmq_errno();
            if (error != wanted)
                ts_fail("%s to \"%s\": %s instead of %s", connecting ? "connect" : "bind",
                        rows[i].endpoint, zmq_strerror(error), zmq_strerror(wanted));
            ts_close(socket);
        }
    }
    ts_terminate(context);
}

static void bad_handles_and_names(void **state)
{
    (void)state;
    static char no_socket[4096];
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_bind(NULL, "inproc://x"), ENOTSOCK);
    ts_error(zmq_connect(NULL, "inproc://x"), ENOTSOCK);
    ts_error(zmq_unbind(NULL, "inproc://x"), ENOTSOCK);
    ts_error(zmq_disconnect(NULL, "inproc://x"), ENOTSOCK);
    ts_error(zmq_bind(no_socket, "inproc://x"), ENOTSOCK);
    ts_error(zmq_close(no_socket), ENOTSOCK);
    ts_error(zmq_close(NULL), ENOTSOCK);
    static int (*const removers[])(void *, const char *) = {zmq_unbind, zmq_disconnect};
    for (size_t i = 0; i < TS_COUNT(removers); ++i) {
        ts_error(removers[i](socket, NULL), EINVAL);
        ts_error(removers[i](socket, "foo"), EINVAL);
        ts_error(removers[i](socket, "bogus://x"), EPROTONOSUPPORT);
        ts_error(removers[i](socket, "tcp://127.0.0.1:1"), ENOENT);
        ts_error(removers[i](socket, "ipc:///tmp/nobody"), ENOENT);
        ts_error(removers[i](socket, "inproc://nobody"), ENOENT);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* libzmq aborts the process. */
static void null_endpoint_is_an_error_beyond_stock(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_value(zmq_bind(socket, NULL), -1);
    ts_check(zmq_errno() == EINVAL || zmq_errno() == EFAULT);
    ts_value(zmq_connect(socket, NULL), -1);
    ts_check(zmq_errno() == EINVAL || zmq_errno() == EFAULT);
    ts_close(socket);
    ts_terminate(context);
}

static void used_address_is_refused(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *first = ts_socket(context, ZMQ_PULL), *second = ts_socket(context, ZMQ_PULL);
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_bind(first, *state, endpoint);
    ts_error(zmq_bind(second, endpoint), EADDRINUSE);
    ts_error(zmq_bind(first, endpoint), EADDRINUSE);
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "x", 0);
    ts_recv(first, "x");
    ts_close(first);
    ts_rebind(second, endpoint);
    ts_close(second);
    ts_close(push);
    ts_terminate(context);
}

static void last_endpoint_text(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *wanted; /* ends in a colon where a port number follows */
        bool connecting;
    } rows[] = {
        {"tcp://127.0.0.1:*", "tcp://127.0.0.1:", false},
        {"tcp://127.0.0.1:0", "tcp://127.0.0.1:", false},
        {"tcp://*:*", "tcp://0.0.0.0:", false},
        {"tcp://lo:*", "tcp://127.0.0.1:", false},
        {"tcp://localhost:1", "tcp://localhost:1", true},
        {"inproc://last endpoint", "inproc://last endpoint", false},
        {"inproc://last endpoint", "inproc://last endpoint", true},
        {"ipc://@zlink-test-last-endpoint", "ipc://@zlink-test-last-endpoint", false},
        {"ipc:///tmp/nobody", "ipc:///tmp/nobody", true},
    };
    char got[TS_ENDPOINT_MAX], wanted[TS_ENDPOINT_MAX];
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *socket = ts_socket(context, ZMQ_PAIR);
        ts_last_endpoint(socket, got);
        assert_string_equal(got, "");
        ts_ok(rows[i].connecting ? zmq_connect(socket, rows[i].endpoint)
                                 : zmq_bind(socket, rows[i].endpoint));
        ts_last_endpoint(socket, got);
        snprintf(wanted, sizeof wanted, "%s", rows[i].wanted);
        if (wanted[strlen(wanted) - 1] == ':') {
            int port = atoi(strrchr(got, ':') + 1);
            ts_check(port > 0 && port < 65536);
            snprintf(wanted, sizeof wanted, "%s%d", rows[i].wanted, port);
        }
        assert_string_equal(got, wanted);
        ts_close(socket);
    }
    ts_terminate(context);
}

static bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* The wildcard's file and directory exist while bound and are removed afterwards. */
static void ipc_wildcard_cleans_up(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], path[TS_ENDPOINT_MAX];
    struct stat status;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_bind(pull, "ipc://*"));
    ts_last_endpoint(pull, endpoint);
    ts_check(strncmp(endpoint, "ipc:///", 7) == 0);
    snprintf(path, sizeof path, "%s", endpoint + 6);
    ts_ok(stat(path, &status));
    ts_check(S_ISSOCK(status.st_mode));
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
    ts_check(!exists(path));
    *strrchr(path, '/') = 0;
    ts_check(!exists(path));
}

static void ipc_abstract_name(void **state)
{
    (void)state;
    char endpoint[64];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    snprintf(endpoint, sizeof endpoint, "ipc://@zlink-test-%d", (int)getpid());
    ts_ok(zmq_bind(pull, endpoint));
    void *second = ts_socket(context, ZMQ_PULL);
    ts_error(zmq_bind(second, endpoint), EADDRINUSE);
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_check(!exists(endpoint + 6));
    ts_close(second);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* A path that was left behind, by whomever, does not get in the way. */
static void ipc_bind_replaces_an_old_file(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    (void)state;
    ts_address_reserve(&address, "ipc");
    for (int round = 0; round < 3; ++round) {
        void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
        ts_ok(zmq_bind(pull, address.endpoint));
        ts_ok(zmq_connect(push, address.endpoint));
        ts_send(push, "x", 0);
        ts_recv(pull, "x");
        ts_close(push);
        ts_close(pull);
    }
    ts_terminate(context);
}

static void source_address_is_used(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], text[2 * TS_ENDPOINT_MAX];
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    snprintf(text, sizeof text, "tcp://127.0.0.9:0;%s", endpoint + 6);
    ts_ok(zmq_connect(socket, text));
    int fd = ts_raw_accept(listener);
    ts_ok(getpeername(fd, (struct sockaddr *)&peer, &size));
    assert_string_equal(inet_ntoa(peer.sin_addr), "127.0.0.9");
    ts_last_endpoint(socket, endpoint);
    assert_string_equal(endpoint, text);
    close(fd);
    close(listener);
    ts_close(socket);
    ts_terminate(context);
}

static bool ipv6_available(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool usable = fd != -1 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd != -1)
        close(fd);
    return usable;
}

static void ipv6_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *bind, *connect;
    } rows[] = {{"tcp://[::1]:*", "tcp://[::1]:%d"},
                {"tcp://::1:*", "tcp://[::1]:%d"},
                {"tcp://*:*", "tcp://[::1]:%d"},
                {"tcp://*:*", "tcp://127.0.0.1:%d"}};
    char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX];
    if (!ipv6_available())
        skip();
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
        ts_set_int(pull, ZMQ_IPV6, 1);
        ts_set_int(push, ZMQ_IPV6, 1);
        ts_ok(zmq_bind(pull, rows[i].bind));
        ts_last_endpoint(pull, endpoint);
        ts_check(strncmp(endpoint, i < 2 ? "tcp://[::1]:" : "tcp://[::]:", i < 2 ? 12 : 11) == 0);
        snprintf(text, sizeof text, rows[i].connect, atoi(strrchr(endpoint, ':') + 1));
        ts_ok(zmq_connect(push, text));
        ts_send(push, "x", 0);
        ts_recv(pull, "x");
        ts_ok(zmq_unbind(pull, endpoint));
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_endpoints),
        cmocka_unit_test(bad_handles_and_names),
        cmocka_unit_test(null_endpoint_is_an_error_beyond_stock),
        TS_ON(used_address_is_refused, "inproc"),
        TS_ON(used_address_is_refused, "tcp"),
        cmocka_unit_test(last_endpoint_text),
        cmocka_unit_test(ipc_wildcard_cleans_up),
        cmocka_unit_test(ipc_abstract_name),
        cmocka_unit_test(ipc_bind_replaces_an_old_file),
        cmocka_unit_test(source_address_is_used),
        cmocka_unit_test(ipv6_addresses),
    };
    return TS_RUN(tests);
}
