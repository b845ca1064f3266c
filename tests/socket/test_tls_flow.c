/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * Messages and octets over tls:// where TLS makes a difference: raw octets, refused writes in the
 * middle of a record, heartbeats, addresses. What all transports do alike is in the other tests.
 */
#include "tls_world.h"

#include "support/process.h"
#include "support/raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Raw octets ------------------------------------------------------------------------------- */

/* Collects octets of one peer: how they are cut is the stream's affair. */
static void recv_octets(void *stream, const void *data, size_t size)
{
    unsigned char id[256], piece[8192];
    for (size_t got = 0; got < size;) {
        ts_ok(zmq_recv(stream, id, sizeof id, 0));
        int rc = (int)ts_ok(zmq_recv(stream, piece, sizeof piece, 0));
        ts_check((size_t)rc <= size - got);
        assert_memory_equal(piece, (const char *)data + got, (size_t)rc);
        got += (size_t)rc;
    }
}

/* The notice of a new or of a lost connection; its id. */
static size_t recv_notice(void *stream, unsigned char id[256])
{
    size_t size = ts_recv_any(stream, id, 256);
    ts_recv_bytes(stream, "", 0, false);
    return size;
}

static void send_octets(void *stream, const unsigned char *id, size_t id_size, const void *data,
                        size_t size)
{
    ts_send_bytes(stream, id, id_size, ZMQ_SNDMORE);
    ts_send_bytes(stream, data, size, 0);
}

static void streams_carry_octets(void **state)
{
    enum { SIZE = 500000 };
    static unsigned char octets[SIZE];
    unsigned char at_server[256], at_client[256];
    char endpoint[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context();
    void *server = tls_server(context, ZMQ_STREAM), *client = tls_client(context, ZMQ_STREAM);
    ts_pattern(octets, SIZE, 1);
    ts_bind(server, "tls", endpoint);
    ts_ok(zmq_connect(client, endpoint));
    size_t server_size = recv_notice(server, at_server);
    size_t client_size = recv_notice(client, at_client);
    send_octets(client, at_client, client_size, "GET /\r\n", 7);
    recv_octets(server, "GET /\r\n", 7);
    send_octets(server, at_server, server_size, octets, SIZE);
    recv_octets(client, octets, SIZE);
    send_octets(server, at_server, server_size, "", 0); /* closes */
    recv_notice(client, at_client);
    ts_close(client);
    ts_close(server);
    ts_terminate(context);
}

static void raw_router_serves_a_stream(void **state)
{
    unsigned char at_client[256], id[256];
    char endpoint[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context();
    void *server = tls_server(context, ZMQ_ROUTER), *client = tls_client(context, ZMQ_STREAM);
    ts_set_int(server, ZMQ_ROUTER_RAW, 1);
    ts_bind(server, "tls", endpoint);
    ts_ok(zmq_connect(client, endpoint));
    size_t client_size = recv_notice(client, at_client);
    send_octets(client, at_client, client_size, "request", 7);
    size_t size = ts_recv_any(server, id, sizeof id);
    ts_recv_bytes(server, "request", 7, false);
    send_octets(server, id, size, "answer", 6);
    recv_octets(client, "answer", 6);
    ts_close(client);
    ts_close(server);
    ts_terminate(context);
}

/* ---- Addresses -------------------------------------------------------------------------------- */

static void wildcards_and_ipv6(void **state)
{
    static const struct {
        const char *bind, *connect;
        int ipv6;
    } rows[] = {{"tls://*:*", "tls://127.0.0.1", 0},
                {"tls://0.0.0.0:*", "tls://localhost", 0},
                {"tls://lo:*", "tls://127.0.0.1", 0},
                {"tls://[::1]:*", "tls://[::1]", 1},
                {"tls://*:*", "tls://[::1]", 1}};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
        ts_set_int(pull, ZMQ_IPV6, rows[i].ipv6);
        ts_set_int(push, ZMQ_IPV6, rows[i].ipv6);
        if (zmq_bind(pull, rows[i].bind) == 0) { /* there may be no IPv6 here */
            ts_last_endpoint(pull, endpoint);
            assert_memory_equal(endpoint, "tls://", 6);
            snprintf(text, sizeof text, "%s%s", rows[i].connect, strrchr(endpoint, ':'));
            ts_ok(zmq_connect(push, text));
            expect_flow(push, pull);
            ts_ok(zmq_disconnect(push, text));
            ts_ok(zmq_unbind(pull, endpoint));
        } else {
            ts_check(rows[i].ipv6);
        }
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* One socket on several transports at once; unbinding one leaves the others. */
static void one_socket_on_all_transports(void **state)
{
    static const char *const names[] = {"inproc", "ipc", "tcp", "tls", "ws", "wss"};
    char endpoints[TS_COUNT(names)][TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context();
    void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    for (size_t i = 0; i < TS_COUNT(names); ++i)
        ts_bind(pull, names[i], endpoints[i]);
    for (size_t i = 0; i < TS_COUNT(names); ++i) {
        ts_ok(zmq_connect(push, endpoints[i]));
        expect_flow(push, pull);
        ts_ok(zmq_disconnect(push, endpoints[i]));
        ts_ok(zmq_unbind(pull, endpoints[i]));
        ts_error(zmq_unbind(pull, endpoints[i]), ENOENT);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* The scheme is a part of the endpoint. */
static void other_scheme_does_not_unbind(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], other[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context(), *pull = tls_server(context, ZMQ_PULL);
    ts_bind(pull, "tls", endpoint);
    snprintf(other, sizeof other, "tcp%s", endpoint + 3);
    ts_error(zmq_unbind(pull, other), ENOENT);
    ts_error(zmq_bind(pull, other), EADDRINUSE);
    for (int round = 0; round < 5; ++round) {
        ts_ok(zmq_unbind(pull, endpoint));
        ts_rebind(pull, endpoint);
    }
    ts_close(pull);
    ts_terminate(context);
}

/* ---- Refused writes --------------------------------------------------------------------------- */

static void *squeezed(void *socket)
{
    ts_set_int(socket, ZMQ_SNDBUF, 8192);
    ts_set_int(socket, ZMQ_RCVBUF, 8192);
    return socket;
}

static void send_numbered(void *socket, int number, size_t size, bool from_own_memory)
{
    static unsigned char body[300000];
    zmq_msg_t message;
    ts_pattern(body, size, (uint32_t)number);
    if (from_own_memory) { /* which changes before it is needed again */
        ts_send_bytes(socket, body, size, 0);
        memset(body, 0xEE, size);
        return;
    }
    ts_ok(zmq_msg_init_size(&message, size));
    memcpy(zmq_msg_data(&message), body, size);
    ts_value(zmq_msg_send(&message, socket, 0), (long long)size);
}

static void recv_numbered(void *socket, int number, size_t size)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    ts_value(zmq_msg_recv(&message, socket, 0), (long long)size);
    if (!ts_pattern_ok(zmq_msg_data(&message), size, (uint32_t)number))
        ts_fail("message %d is corrupt", number);
    ts_ok(zmq_msg_close(&message));
}

static size_t size_of(int number)
{
    static const size_t sizes[] = {300000, 1, 8192, 16384, 20, 16385, 0, 100000, 8191, 70000};
    return sizes[(size_t)number % TS_COUNT(sizes)];
}

/* Long messages of the caller's memory and of the library's, beyond what the kernel takes. */
static void long_messages_beyond_the_buffers(void **state)
{
    enum { COUNT = 60 };
    (void)state;
    for (int from_own_memory = 0; from_own_memory < 2; ++from_own_memory) {
        void *context = ts_context();
        void *pull = squeezed(tls_server(context, ZMQ_PULL));
        void *push = squeezed(tls_client(context, ZMQ_PUSH));
        ts_connect_pair(context, pull, push, "tls");
        for (int n = 0; n < COUNT; ++n)
            send_numbered(push, n, size_of(n), from_own_memory);
        for (int n = 0; n < COUNT; ++n)
            recv_numbered(pull, n, size_of(n));
        ts_recv_nothing(pull);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* CONFLATE behind a record that the kernel has taken in part: it stays, what waits is replaced. */
static void conflating_sender_is_stopped_in_a_record(void **state)
{
    enum { COUNT = 200, SIZE = 30000 };
    (void)state;
    void *context = ts_context();
    void *pull = squeezed(tls_server(context, ZMQ_PULL));
    void *push = squeezed(tls_client(context, ZMQ_PUSH));
    ts_set_int(push, ZMQ_CONFLATE, 1);
    ts_set_int(pull, ZMQ_RCVHWM, 1);
    ts_connect_pair(context, pull, push, "tls");
    for (int n = 0; n < COUNT; ++n) {
        static unsigned char body[SIZE];
        ts_pattern(body, SIZE, (uint32_t)n);
        memcpy(body, &n, sizeof n);
        ts_send_bytes(push, body, SIZE, ZMQ_DONTWAIT);
    }
    for (int last = -1, number; last != COUNT - 1; last = number) {
        static unsigned char body[SIZE], expected[SIZE];
        ts_value(zmq_recv(pull, body, SIZE, 0), SIZE);
        memcpy(&number, body, sizeof number);
        ts_check(number > last && number < COUNT);
        ts_pattern(expected, SIZE, (uint32_t)number);
        assert_memory_equal(body + sizeof number, expected + sizeof number, SIZE - sizeof number);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- Heartbeats ------------------------------------------------------------------------------- */

static void set_heartbeats(void *socket, int interval, int timeout)
{
    ts_set_int(socket, ZMQ_HEARTBEAT_IVL, interval);
    ts_set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, timeout);
}

/* Pings cross with messages, one at a time, each way: every one arrives. */
static void heartbeats_beside_exchanges(void **state)
{
    enum { COUNT = 3000 };
    (void)state;
    void *context = ts_context();
    void *rep = tls_server(context, ZMQ_REP), *req = tls_client(context, ZMQ_REQ);
    set_heartbeats(rep, 1, TS_TIMEOUT_MS);
    set_heartbeats(req, 1, TS_TIMEOUT_MS);
    ts_connect_pair(context, rep, req, "tls");
    for (int n = 0; n < COUNT; ++n) {
        ts_send_bytes(req, &n, sizeof n, 0);
        ts_recv_bytes(rep, &n, sizeof n, false);
        ts_send_bytes(rep, &n, sizeof n, 0);
        ts_recv_bytes(req, &n, sizeof n, false);
    }
    ts_close(req);
    ts_close(rep);
    ts_terminate(context);
}

static void answer(void *socket)
{
    int number = -1;
    for (;;) {
        int rc = zmq_recv(socket, &number, sizeof number, 0);
        if (rc == -1 || number < 0)
            break;
        ts_send_bytes(socket, &number, sizeof number, 0);
    }
}

/* One way in bursts that the loop writes, while the owner waits for the first answer. */
static void answers_overtake_bursts(void **state)
{
    enum { ROUNDS = 300, BURST = 20 };
    (void)state;
    void *context = ts_context();
    void *server = tls_server(context, ZMQ_DEALER), *client = tls_client(context, ZMQ_DEALER);
    ts_connect_pair(context, server, client, "tls");
    struct ts_thread *thread = ts_thread_start(answer, server);
    for (int round = 0; round < ROUNDS; ++round) {
        for (int n = 0; n < BURST; ++n)
            ts_send_bytes(client, &n, sizeof n, 0);
        for (int n = 0; n < BURST; ++n)
            ts_recv_bytes(client, &n, sizeof n, false);
    }
    ts_send_bytes(client, &(int){-1}, sizeof(int), 0);
    ts_thread_join(thread);
    ts_close(client);
    ts_close(server);
    ts_terminate(context);
}

struct child {
    struct ts_address address;
    int ready[2];
};

/* Connects, says so, and is stopped by a signal. */
static void connect_and_stall(void *argument)
{
    struct child *child = argument;
    void *context = ts_context(), *push = tls_client(context, ZMQ_PUSH);
    ts_ok(zmq_connect(push, child->address.endpoint));
    ts_send(push, "here", 0);
    ts_value(write(child->ready[1], "x", 1), 1);
    pause();
}

/* A peer whose machine is gone, as far as we can see: no more answers, no end of the connection. */
static void stalled_peer_is_dropped(void **state)
{
    struct child child;
    char octet;
    (void)state;
    ts_address_reserve(&child.address, "tls");
    ts_value(pipe(child.ready), 0);
    pid_t process = ts_child_start(connect_and_stall, &child);
    void *context = ts_context(), *pull = tls_server(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
    set_heartbeats(pull, 20, 100);
    ts_rebind(pull, child.address.endpoint);
    ts_recv(pull, "here");
    ts_value(read(child.ready[0], &octet, 1), 1);
    kill(process, SIGSTOP);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    ts_child_kill(process);
    close(child.ready[0]);
    close(child.ready[1]);
    ts_unmonitor(pull, monitor);
    ts_close(pull);
    ts_terminate(context);
    ts_address_release(&child.address);
}

static void idle_peers_stay_connected(void **state)
{
    (void)state;
    void *context = ts_context();
    void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    set_heartbeats(pull, 10, 5000);
    set_heartbeats(push, 10, 5000);
    ts_connect_pair(context, pull, push, "tls");
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_DISCONNECTED);
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    ts_value(zmq_poll(&item, 1, 300), 0);
    expect_flow(push, pull);
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- Many ------------------------------------------------------------------------------------- */

/* Half of them say nothing and stay in their handshake: the others are served. */
static void many_connections_beside_silent_ones(void **state)
{
    enum { MANY = 60 };
    char endpoint[TS_ENDPOINT_MAX], plain[TS_ENDPOINT_MAX];
    void *pushes[MANY];
    int silent[MANY], seen[MANY] = {0};
    (void)state;
    void *context = ts_context(), *pull = tls_server(context, ZMQ_PULL);
    ts_bind(pull, "tls", endpoint);
    snprintf(plain, sizeof plain, "tcp%s", endpoint + 3);
    for (int i = 0; i < MANY; ++i) {
        silent[i] = ts_raw_connect(plain);
        pushes[i] = tls_client(context, ZMQ_PUSH);
        ts_ok(zmq_connect(pushes[i], endpoint));
        ts_send_bytes(pushes[i], &i, sizeof i, 0);
    }
    for (int i = 0, number; i < MANY; ++i) {
        ts_value(zmq_recv(pull, &number, sizeof number, 0), sizeof number);
        ts_check(number >= 0 && number < MANY && !seen[number]++);
    }
    for (int i = 0; i < MANY; ++i) {
        close(silent[i]);
        ts_close(pushes[i]);
    }
    ts_close(pull);
    ts_terminate(context);
}

/* A peer that shuts its sending side down behind the client's hello. */
static void half_open_peers_are_dropped(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], plain[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context(), *pull = tls_server(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, HANDSHAKES);
    ts_bind(pull, "tls", endpoint);
    snprintf(plain, sizeof plain, "tcp%s", endpoint + 3);
    for (size_t said = 0; said < 6; ++said) {
        int fd = ts_raw_connect(plain);
        ts_raw_send(fd, "\x16\3\1\1\0", said);
        ts_value(shutdown(fd, SHUT_WR), 0);
        ts_raw_expect_closed(fd);
        ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        close(fd);
    }
    ts_unmonitor(pull, monitor);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_carry_octets),
        cmocka_unit_test(raw_router_serves_a_stream),
        cmocka_unit_test(wildcards_and_ipv6),
        cmocka_unit_test(one_socket_on_all_transports),
        cmocka_unit_test(other_scheme_does_not_unbind),
        cmocka_unit_test(long_messages_beyond_the_buffers),
        cmocka_unit_test(conflating_sender_is_stopped_in_a_record),
        cmocka_unit_test(heartbeats_beside_exchanges),
        cmocka_unit_test(answers_overtake_bursts),
        cmocka_unit_test(stalled_peer_is_dropped),
        cmocka_unit_test(idle_peers_stay_connected),
        cmocka_unit_test(many_connections_beside_silent_ones),
        cmocka_unit_test(half_open_peers_are_dropped),
    };
    make_world();
    return TS_RUN(tests);
}
