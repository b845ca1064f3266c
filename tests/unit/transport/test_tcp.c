/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the tcp transport: real sockets on the loopback interface, through the table of
   operations. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
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

static const struct zl_transport_ops *const tcp = &zl_tcp_ops;

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

static void set_option(int option, int value)
{
    assert_int_equal(zl_options_set(&options, option, &value, sizeof value), 0);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static struct zl_listen listening(const char *address)
{
    struct zl_listen listener;
    assert_int_equal(tcp->listen(&listener, address, &options), 0);
    assert_true(listener.fd >= 0);
    return listener;
}

/* The part of a bound endpoint that connect takes. */
static const char *address_of(const struct zl_listen *listener)
{
    return listener->endpoint + strlen("tcp://");
}

static const char *port_of(const struct zl_listen *listener)
{
    return strrchr(listener->endpoint, ':') + 1;
}

static void unlisten(struct zl_listen *listener)
{
    assert_int_equal(tcp->unlisten(listener), 0);
}

static void wait_until(int fd, short events)
{
    struct pollfd item = {.fd = fd, .events = events};
    assert_int_equal(poll(&item, 1, 10000), 1);
}

static int connect_to(const char *address)
{
    struct zl_target target;
    int fd = -1;
    assert_int_equal(tcp->resolve(address, &options, false, &target), 0);
    int rc = tcp->connect(&target, &options, &fd);
    assert_true(rc == 0 || rc == -EINPROGRESS);
    assert_true(fd >= 0);
    wait_until(fd, POLLOUT);
    return fd;
}

static int accept_from(const struct zl_listen *listener)
{
    wait_until(listener->fd, POLLIN);
    int fd = accept(listener->fd, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static int lowest_free_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void is_ours(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

/* ---- Listening ------------------------------------------------------------------------------- */

static void wildcard_listener_tells_its_endpoint(void **state)
{
    (void)state;
    struct zl_listen listener = listening("*:*");
    assert_memory_equal(listener.endpoint, "tcp://0.0.0.0:", strlen("tcp://0.0.0.0:"));
    assert_true(atoi(port_of(&listener)) > 0);
    assert_false(listener.foreign_fd);
    is_ours(listener.fd);
    assert_int_equal(option_of(listener.fd, SOL_SOCKET, SO_REUSEADDR), 1);
    unlisten(&listener);
}

static void used_port_is_refused_and_free_again_after_unlisten(void **state)
{
    (void)state;
    struct zl_listen first = listening("127.0.0.1:*"), second;
    char address[ZL_ADDRESS_TEXT_SIZE];
    strcpy(address, address_of(&first));
    int before = lowest_free_descriptor();
    assert_int_equal(tcp->listen(&second, address, &options), -EADDRINUSE);
    assert_int_equal(lowest_free_descriptor(), before);
    unlisten(&first);
    second = listening(address);
    unlisten(&second);
}

static void bad_binds_leave_nothing_open(void **state)
{
    static const struct {
        const char *address;
        int error;
    } cases[] = {
        {"127.0.0.1", -EINVAL},
        {"127.0.0.1:", -EINVAL},
        {"127.0.0.1:x", -EINVAL},
        {"192.0.2.1:0", -EADDRNOTAVAIL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zl_listen listener;
        int before = lowest_free_descriptor();
        assert_int_equal(tcp->listen(&listener, cases[i].address, &options), cases[i].error);
        assert_int_equal(lowest_free_descriptor(), before);
    }
}

static void unknown_device_makes_bind_fail(void **state)
{
    (void)state;
    struct zl_listen listener;
    assert_int_equal(zl_options_set(&options, ZMQ_BINDTODEVICE, "nosuchdev0", 10), 0);
    int before = lowest_free_descriptor();
    int rc = tcp->listen(&listener, "127.0.0.1:*", &options);
    assert_true(rc == -ENODEV || rc == -EPERM);
    assert_int_equal(lowest_free_descriptor(), before);
}

static void foreign_descriptor_becomes_the_listener(void **state)
{
    (void)state;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    set_option(ZMQ_USE_FD, fd);
    struct zl_listen listener;
    /* It has to listen already, and stays the caller's when it does not. */
    assert_int_equal(tcp->listen(&listener, "ignored:1", &options), -EINVAL);
    assert_int_equal(listen(fd, 1), 0);
    listener = listening("ignored:1");
    assert_int_equal(listener.fd, fd);
    assert_true(listener.foreign_fd);
    is_ours(fd);
    assert_memory_equal(listener.endpoint, "tcp://127.0.0.1:", strlen("tcp://127.0.0.1:"));
    unlisten(&listener);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void descriptor_of_something_else_is_refused(void **state)
{
    (void)state;
    struct zl_listen listener;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    set_option(ZMQ_USE_FD, ends[0]);
    assert_int_equal(tcp->listen(&listener, "ignored:1", &options), -ENOTSOCK);
    close(ends[0]);
    assert_int_equal(tcp->listen(&listener, "ignored:1", &options), -EBADF);
    close(ends[1]);
}

static void ipv6_listener_takes_both_families(void **state)
{
    (void)state;
    set_option(ZMQ_IPV6, 1);
    struct zl_listen listener;
    int rc = tcp->listen(&listener, "*:*", &options);
    if (rc == -EADDRNOTAVAIL)
        skip();
    assert_int_equal(rc, 0);
    if (strncmp(listener.endpoint, "tcp://0.0.0.0:", 14) == 0) { /* a system without IPv6 */
        unlisten(&listener);
        skip();
    }
    assert_memory_equal(listener.endpoint, "tcp://[::]:", strlen("tcp://[::]:"));
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%s", port_of(&listener));
    int fd = connect_to(address);
    int accepted = accept_from(&listener);
    char peer[ZL_ADDRESS_TEXT_SIZE];
    assert_true(tcp->peer_address(accepted, peer, sizeof peer));
    assert_string_equal(peer, "::ffff:127.0.0.1");
    close(fd);
    close(accepted);
    unlisten(&listener);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static void same_compares_what_addresses_mean(void **state)
{
    static const struct {
        const char *bound;
        const char *address;
        bool same;
    } cases[] = {
        {"tcp://127.0.0.1:5555", "127.0.0.1:5555", true},
        {"tcp://127.0.0.1:5555", "127.0.0.1:5556", false},
        {"tcp://127.0.0.1:5555", "127.0.0.2:5555", false},
        {"tcp://127.0.0.1:5555", "127.0.0.1:*", false},
        {"tcp://127.0.0.1:5555", "*:5555", false},
        {"tcp://0.0.0.0:5555", "*:5555", true},
        {"tcp://0.0.0.0:5555", "*:*", false},
        {"tcp://0.0.0.0:5555", "0.0.0.0:0", false},
        {"tcp://127.0.0.1:5555", "lo:5555", true},
        {"tcp://127.0.0.1:5555", "localhost:5555", true},
        {"tcp://127.0.0.1:5555", "1.2.3.4:0;127.0.0.1:5555", false},
        {"tcp://127.0.0.1:5555", "nonsense", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (tcp->same(cases[i].bound, cases[i].address, &options) != cases[i].same)
            fail_msg("%s and %s", cases[i].bound, cases[i].address);
}

static void same_knows_mapped_addresses(void **state)
{
    (void)state;
    set_option(ZMQ_IPV6, 1);
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    if (probe < 0)
        skip();
    close(probe);
    assert_true(tcp->same("tcp://[::ffff:127.0.0.1]:5555", "127.0.0.1:5555", &options));
    assert_true(tcp->same("tcp://[::]:5555", "*:5555", &options));
    assert_true(tcp->same("tcp://[::1]:5555", "[::1]:5555", &options));
    assert_false(tcp->same("tcp://[::1]:5555", "127.0.0.1:5555", &options));
}

/* ---- Resolving ------------------------------------------------------------------------------- */

static void names_are_left_to_the_resolver_thread(void **state)
{
    (void)state;
    struct zl_target target;
    assert_int_equal(tcp->resolve("localhost:80", &options, false, &target), -EAGAIN);
    assert_int_equal(tcp->resolve("localhost:80", &options, true, &target), 0);
    assert_int_equal(target.to.ip.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(zl_ip_port(&target.to.ip), 80);
    assert_false(target.has_source);
}

static void bad_sources_and_targets_are_told(void **state)
{
    (void)state;
    struct zl_target target;
    assert_int_equal(tcp->resolve("nosuchdev0:0;127.0.0.1:80", &options, false, &target), -ENODEV);
    assert_int_equal(tcp->resolve("[::1]:80", &options, false, &target), -ENODEV);
    assert_int_equal(tcp->resolve("nothing", &options, false, &target), -EINVAL);
    assert_int_equal(tcp->check("*:5555"), -EINVAL);
    assert_int_equal(tcp->check("localhost:5555"), 0);
}

/* ---- Connecting ------------------------------------------------------------------------------ */

static void both_ends_know_their_names(void **state)
{
    (void)state;
    struct zl_listen listener = listening("127.0.0.1:*");
    int fd = connect_to(address_of(&listener));
    int accepted = accept_from(&listener);
    is_ours(fd);
    assert_int_equal(tcp->tune(fd, &options, false), 0);
    assert_int_equal(tcp->tune(accepted, &options, true), 0);

    char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
    char accepted_local[ZL_ADDRESS_TEXT_SIZE], accepted_remote[ZL_ADDRESS_TEXT_SIZE];
    tcp->names(fd, local, remote, sizeof local);
    tcp->names(accepted, accepted_local, accepted_remote, sizeof accepted_local);
    assert_string_equal(remote, listener.endpoint);
    assert_string_equal(accepted_local, listener.endpoint);
    assert_string_equal(local, accepted_remote);
    assert_memory_equal(local, "tcp://127.0.0.1:", strlen("tcp://127.0.0.1:"));

    char peer[ZL_ADDRESS_TEXT_SIZE];
    assert_true(tcp->peer_address(accepted, peer, sizeof peer));
    assert_string_equal(peer, "127.0.0.1");
    close(fd);
    close(accepted);
    unlisten(&listener);
}

static void unconnected_sockets_have_no_peer(void **state)
{
    (void)state;
    struct zl_listen listener = listening("127.0.0.1:*");
    char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
    tcp->names(listener.fd, local, remote, sizeof local);
    assert_string_equal(local, listener.endpoint);
    assert_string_equal(remote, "");
    assert_false(tcp->peer_address(listener.fd, remote, sizeof remote));
    unlisten(&listener);
}

static void source_address_is_used(void **state)
{
    (void)state;
    struct zl_listen listener = listening("127.0.0.1:*");
    char address[ZL_ADDRESS_TEXT_SIZE];
    snprintf(address, sizeof address, "127.0.0.2:*;%s", address_of(&listener));
    int fd = connect_to(address);
    int accepted = accept_from(&listener);
    char peer[ZL_ADDRESS_TEXT_SIZE];
    assert_true(tcp->peer_address(accepted, peer, sizeof peer));
    assert_string_equal(peer, "127.0.0.2");
    close(fd);
    close(accepted);
    unlisten(&listener);
}

static void foreign_source_address_fails_without_descriptor(void **state)
{
    (void)state;
    struct zl_target target;
    int fd = -1;
    assert_int_equal(tcp->resolve("192.0.2.1:0;127.0.0.1:9", &options, false, &target), 0);
    int before = lowest_free_descriptor();
    assert_int_equal(tcp->connect(&target, &options, &fd), -EADDRNOTAVAIL);
    assert_int_equal(fd, -1);
    assert_int_equal(lowest_free_descriptor(), before);
}

static void refused_connection_shows_in_so_error(void **state)
{
    (void)state;
    struct zl_listen listener = listening("127.0.0.1:*");
    struct zl_target target;
    int fd = -1;
    assert_int_equal(tcp->resolve(address_of(&listener), &options, false, &target), 0);
    unlisten(&listener);
    int rc = tcp->connect(&target, &options, &fd);
    if (rc == -ECONNREFUSED)
        return;
    assert_int_equal(rc, -EINPROGRESS);
    wait_until(fd, POLLOUT);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    close(fd);
}

/* ---- Tuning ---------------------------------------------------------------------------------- */

static void options_reach_both_ends(void **state)
{
    (void)state;
    set_option(ZMQ_TOS, 0x28);
    set_option(ZMQ_PRIORITY, 3);
    set_option(ZMQ_TCP_KEEPALIVE, 1);
    set_option(ZMQ_TCP_KEEPALIVE_CNT, 7);
    set_option(ZMQ_TCP_KEEPALIVE_IDLE, 42);
    set_option(ZMQ_TCP_KEEPALIVE_INTVL, 11);
    set_option(ZMQ_TCP_MAXRT, 5000);
    set_option(ZMQ_SNDBUF, 20000);
    set_option(ZMQ_RCVBUF, 30000);
    struct zl_listen listener = listening("127.0.0.1:*");
    int ends[2];
    ends[0] = connect_to(address_of(&listener));
    ends[1] = accept_from(&listener);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tcp->tune(ends[i], &options, i == 1), 0);
        assert_int_equal(option_of(ends[i], IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option_of(ends[i], SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(option_of(ends[i], IPPROTO_TCP, TCP_KEEPCNT), 7);
        assert_int_equal(option_of(ends[i], IPPROTO_TCP, TCP_KEEPIDLE), 42);
        assert_int_equal(option_of(ends[i], IPPROTO_TCP, TCP_KEEPINTVL), 11);
        assert_int_equal(option_of(ends[i], IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
        assert_int_equal(option_of(ends[i], IPPROTO_IP, IP_TOS), 0x28);
        /* The kernel doubles what it is asked for. */
        assert_int_equal(option_of(ends[i], SOL_SOCKET, SO_SNDBUF), 40000);
        assert_int_equal(option_of(ends[i], SOL_SOCKET, SO_RCVBUF), 60000);
    }
    assert_int_equal(option_of(ends[0], SOL_SOCKET, SO_PRIORITY), 3);
    close(ends[0]);
    close(ends[1]);
    unlisten(&listener);
}

static void filters_decide_who_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(zl_options_set(&options, ZMQ_TCP_ACCEPT_FILTER, "10.0.0.0/8", 10), 0);
    struct zl_listen listener = listening("127.0.0.1:*");
    int fd = connect_to(address_of(&listener));
    int accepted = accept_from(&listener);
    assert_int_equal(tcp->tune(accepted, &options, true), -EACCES);
    assert_int_equal(tcp->tune(accepted, &options, false), 0);
    assert_int_equal(zl_options_set(&options, ZMQ_TCP_ACCEPT_FILTER, "127.0.0.1", 9), 0);
    assert_int_equal(tcp->tune(accepted, &options, true), 0);
    close(fd);
    close(accepted);
    unlisten(&listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, default_options, clear_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wildcard_listener_tells_its_endpoint),
        TEST(used_port_is_refused_and_free_again_after_unlisten),
        TEST(bad_binds_leave_nothing_open),
        TEST(unknown_device_makes_bind_fail),
        TEST(foreign_descriptor_becomes_the_listener),
        TEST(descriptor_of_something_else_is_refused),
        TEST(ipv6_listener_takes_both_families),
        TEST(same_compares_what_addresses_mean),
        TEST(same_knows_mapped_addresses),
        TEST(names_are_left_to_the_resolver_thread),
        TEST(bad_sources_and_targets_are_told),
        TEST(both_ends_know_their_names),
        TEST(unconnected_sockets_have_no_peer),
        TEST(source_address_is_used),
        TEST(foreign_source_address_fails_without_descriptor),
        TEST(refused_connection_shows_in_so_error),
        TEST(options_reach_both_ends),
        TEST(filters_decide_who_is_accepted),
    };
    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
