/* SPDX-License-Identifier: MPL-2.0 */
/* Frames and commands no honest peer sends: the connection ends, the socket lives on. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct bytes {
    const char *name, *data;
    size_t size;
};

#define BYTES(name, literal)                                                                       \
    {                                                                                              \
        name, literal, sizeof(literal) - 1                                                         \
    }

struct server {
    void *context, *pull;
    char endpoint[TS_ENDPOINT_MAX];
};

static struct server open_server(const char *transport, int64_t limit)
{
    struct server server = {.context = ts_context()};
    server.pull = ts_socket(server.context, ZMQ_PULL);
    ts_set_bytes(server.pull, ZMQ_MAXMSGSIZE, &limit, sizeof limit);
    ts_bind(server.pull, transport, server.endpoint);
    return server;
}

/* An honest peer is served, and what the other one sent is not seen. */
static void serve_good_peer(struct server *server)
{
    int fd = ts_raw_connect(server->endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    ts_raw_send_frame(fd, TS_FRAME_MORE, "good", 4);
    ts_raw_send_frame(fd, 0, "peer", 4);
    ts_recv_parts(server->pull, "good", "peer");
    close(fd);
}

static void close_server(struct server *server)
{
    serve_good_peer(server);
    ts_recv_nothing(server->pull);
    ts_close(server->pull);
    ts_terminate(server->context);
}

/* Each row, sent after the handshake, must end its connection. */
static void expect_closing(const struct bytes *rows, size_t count, const char *transport)
{
    struct server server = open_server(transport, -1);
    for (size_t i = 0; i < count; ++i) {
        print_message("    %s\n", rows[i].name);
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        ts_raw_send(fd, rows[i].data, rows[i].size);
        ts_raw_expect_closed(fd);
        close(fd);
        serve_good_peer(&server);
    }
    close_server(&server);
}

static void impossible_sizes(void **state)
{
    static const struct bytes rows[] = {
        BYTES("2^63", "\2\x80\0\0\0\0\0\0\0"),
        BYTES("2^64-1", "\2\xff\xff\xff\xff\xff\xff\xff\xff"),
        BYTES("2^63 with MORE", "\3\x80\0\0\0\0\0\0\0x"),
        BYTES("2^63, second part", "\1\1a\2\x80\0\0\0\0\0\0\0"),
    };
    expect_closing(rows, TS_COUNT(rows), *state);
}

/* libzmq lets these pass. */
static void malformed_frames_beyond_stock(void **state)
{
    static const struct bytes rows[] = {
        BYTES("bit 3", "\x08\1x"),
        BYTES("bit 4", "\x10\1x"),
        BYTES("bit 7", "\x80\1x"),
        BYTES("all bits", "\xff\1x"),
        BYTES("reserved bit in the second part", "\1\1a\x20\1x"),
        BYTES("MORE and COMMAND", "\5\7\4PING\0\0"),
        BYTES("MORE, LONG and COMMAND", "\7\0\0\0\0\0\0\0\7\4PING\0\0"),
        BYTES("empty command", "\4\0"),
        BYTES("name overruns the body", "\4\2\5A"),
        BYTES("PING without TTL", "\4\5\4PING"),
        BYTES("PING with half a TTL", "\4\6\4PING\0"),
        BYTES("PING with 17 octets of context", "\4\x18\4PING\0\0"
                                                "01234567890123456"),
    };
    expect_closing(rows, TS_COUNT(rows), *state);
}

/* Sent instead of READY, after the greetings. */
static void expect_refused_handshake(const struct bytes *rows, size_t count, const char *transport)
{
    struct server server = open_server(transport, -1);
    for (size_t i = 0; i < count; ++i) {
        print_message("    %s\n", rows[i].name);
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_greet(fd);
        ts_raw_send(fd, rows[i].data, rows[i].size);
        ts_raw_expect_closed(fd);
        close(fd);
        serve_good_peer(&server);
    }
    close_server(&server);
}

static void broken_handshakes(void **state)
{
    static const struct bytes rows[] = {
        BYTES("empty command", "\4\0"),
        BYTES("one octet", "\4\1\5"),
        BYTES("wrong command", "\4\6\5HELLO"),
        BYTES("PING", "\4\7\4PING\0\0"),
        BYTES("lower-case command", "\4\x1a\5ready\13Socket-Type\0\0\0\4PUSH"),
        BYTES("incompatible type", "\4\x19\5READY\13Socket-Type\0\0\0\3SUB"),
        BYTES("own type", "\4\x1a\5READY\13Socket-Type\0\0\0\4PULL"),
        BYTES("unknown type", "\4\x1a\5READY\13Socket-Type\0\0\0\4PASH"),
        BYTES("lower-case type", "\4\x1a\5READY\13Socket-Type\0\0\0\4push"),
        BYTES("empty type", "\4\x16\5READY\13Socket-Type\0\0\0\0"),
        BYTES("name overruns", "\4\x1a\5READY\xffSocket-Type\0\0\0\4PUSH"),
        BYTES("value overruns", "\4\x1a\5READY\13Socket-Type\0\0\0\5PUSH"),
        BYTES("value of 2^32-1", "\4\x1a\5READY\13Socket-Type\xff\xff\xff\xffPUSH"),
        BYTES("value length cut", "\4\x14\5READY\13Socket-Type\0\0"),
        BYTES("trailing octet", "\4\x1b\5READY\13Socket-Type\0\0\0\4PUSH\1"),
        BYTES("ERROR 400", "\4\12\5ERROR\3"
                           "400"),
        BYTES("ERROR without length", "\4\6\5ERROR"),
        BYTES("ERROR length overruns", "\4\12\5ERROR\4"
                                       "400"),
        BYTES("2^63 octets", "\6\x80\0\0\0\0\0\0\0"),
    };
    expect_refused_handshake(rows, TS_COUNT(rows), *state);
}

/* libzmq lets these pass, or waits for what it was promised. */
static void broken_handshakes_beyond_stock(void **state)
{
    static const struct bytes rows[] = {
        BYTES("READY in a message frame", "\0\x1a\5READY\13Socket-Type\0\0\0\4PUSH"),
        BYTES("READY with MORE", "\5\x1a\5READY\13Socket-Type\0\0\0\4PUSH"),
        BYTES("empty name", "\4\x20\5READY\13Socket-Type\0\0\0\4PUSH\0\0\0\0\1x"),
        BYTES("identity with leading zero",
              "\4\x29\5READY\13Socket-Type\0\0\0\4PUSH\10Identity\0\0\0\2\0x"),
        BYTES("a gigabyte of READY", "\6\0\0\0\0\x40\0\0\0\5READY"),
    };
    expect_refused_handshake(rows, TS_COUNT(rows), *state);
}

/* Commands that mean nothing here are passed over, also between the parts of a message. */
static void harmless_commands_are_ignored(void **state)
{
    static const struct bytes rows[] = {
        BYTES("unknown", "\4\10\7UNKNOWN"),
        BYTES("unknown with data", "\4\13\7UNKNOWNabc"),
        BYTES("unknown, long", "\6\0\0\0\0\0\0\0\10\7UNKNOWN"),
        BYTES("late READY", "\4\x1a\5READY\13Socket-Type\0\0\0\4PUSH"),
        BYTES("late ERROR", "\4\12\5ERROR\3"
                            "400"),
        BYTES("unsolicited PONG", "\4\5\4PONG"),
        BYTES("unsolicited PONG with context", "\4\11\4PONGctx1"),
        BYTES("lower-case ping", "\4\7\4ping\0\0"),
    };
    struct server server = open_server(*state, -1);
    int fd = ts_raw_connect(server.endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        print_message("    %s\n", rows[i].name);
        ts_raw_send_frame(fd, TS_FRAME_MORE, "one", 3);
        ts_raw_send(fd, rows[i].data, rows[i].size);
        ts_raw_send_frame(fd, 0, "two", 3);
        ts_recv_parts(server.pull, "one", "two");
    }
    close(fd);
    close_server(&server);
}

/* A PING in a message frame is data; a real one is answered with its context, also between the
 * parts of a message. */
static void pings_are_answered(void **state)
{
    static const char context[] = "0123456789abcdef";
    struct server server = open_server(*state, -1);
    int fd = ts_raw_connect(server.endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    for (size_t size = 0; size <= 16; ++size) {
        char ping[32] = "\4PING", pong[32] = "\4PONG";
        memcpy(ping + 7, context, size);
        memcpy(pong + 5, context, size);
        ts_raw_send_frame(fd, TS_FRAME_MORE, "one", 3);
        ts_raw_send_frame(fd, TS_FRAME_COMMAND, ping, 7 + size);
        ts_raw_expect_frame(fd, TS_FRAME_COMMAND, pong, 5 + size);
        ts_raw_send_frame(fd, 0, "two", 3);
        ts_recv_parts(server.pull, "one", "two");
    }
    ts_raw_send_frame(fd, 0, "\4PING\0\0", 7);
    ts_recv_bytes(server.pull, "\4PING\0\0", 7, false);
    close(fd);
    close_server(&server);
}

/* MAXMSGSIZE: the limit itself passes, one octet more ends the connection. */
static void size_limit(void **state)
{
    static const struct {
        int64_t limit;
        size_t size;
        bool passes;
    } rows[] = {{100, 100, true},       {100, 101, false},   {100, 300, false},
                {1000, 1000, true},     {1000, 1001, false}, {100000, 100000, true},
                {100000, 100001, false}};
    static char body[100001];
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        struct server server = open_server(*state, rows[i].limit);
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        ts_raw_send_frame(fd, TS_FRAME_MORE, "first part", 10);
        if (rows[i].passes) {
            ts_raw_send_frame(fd, 0, body, rows[i].size);
            ts_recv_bytes(server.pull, "first part", 10, true);
            ts_recv_bytes(server.pull, body, rows[i].size, false);
        } else {
            unsigned char header[9] = {TS_FRAME_LONG};
            for (int k = 0; k < 8; ++k)
                header[8 - k] = (unsigned char)((uint64_t)rows[i].size >> (8 * k));
            ts_raw_send(fd, header, sizeof header);
            ts_raw_send_if_open(fd, body, rows[i].size);
            ts_raw_expect_closed(fd);
        }
        close(fd);
        close_server(&server);
    }
}

static long virtual_megabytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ts_check(file != NULL);
    ts_value(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

/* A peer that only promises much must not make us allocate it. (libzmq does.) */
static void promised_size_is_not_allocated_beyond_stock(void **state)
{
    enum { PEERS = 16 };
    int fds[PEERS];
    struct server server = open_server(*state, -1);
    serve_good_peer(&server);
    long before = virtual_megabytes();
    for (int i = 0; i < PEERS; ++i) {
        fds[i] = ts_raw_connect(server.endpoint);
        ts_raw_handshake(fds[i], "PUSH", NULL, 0);
        ts_raw_send(fds[i], "\2\0\0\0\2\0\0\0\0only this", 18); /* 8 GiB */
    }
    serve_good_peer(&server);
    long growth = virtual_megabytes() - before;
    if (growth > 1000)
        ts_fail("the process has grown by %ld MiB", growth);
    for (int i = 0; i < PEERS; ++i)
        close(fds[i]);
    close_server(&server);
}

/* ZMTP 1.0 framing has its own traps. */
static void hostile_old_frames(void **state)
{
    static const struct bytes rows[] = {
        BYTES("length 0", "\1\0"
                          "\0"),
        BYTES("long length 0", "\1\0"
                               "\xff\0\0\0\0\0\0\0\0\0"),
        BYTES("long length 2^64-1", "\1\0"
                                    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\0"),
    };
    struct server server = open_server(*state, -1);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        print_message("    %s\n", rows[i].name);
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_send(fd, rows[i].data, rows[i].size);
        ts_raw_expect_closed(fd);
        close(fd);
        serve_good_peer(&server);
    }
    close_server(&server);
}

/* An answer without a proper envelope ends the connection or is dropped; it is never received. */
static void malformed_answers_to_a_request(void **state)
{
    (void)state;
    static const struct bytes rows[] = {
        BYTES("no delimiter", "\0\3bad"),
        BYTES("delimiter not empty", "\1\1x\0\3bad"),
        BYTES("delimiter alone", "\0\0"),
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context();
        void *req = ts_socket(context, ZMQ_REQ);
        ts_ok(zmq_connect(req, endpoint));
        ts_send(req, "q", 0);
        int fd = ts_raw_accept(listener);
        ts_raw_handshake(fd, "REP", NULL, 0);
        ts_raw_expect(fd, "\1\0\0\1q", 5);
        ts_raw_send(fd, rows[i].data, rows[i].size);
        ts_raw_send_if_open(fd, "\1\0\0\4good", 8);
        zmq_pollitem_t items[] = {{.socket = req, .events = ZMQ_POLLIN},
                                  {.fd = fd, .events = ZMQ_POLLIN}};
        ts_check(zmq_poll(items, 2, TS_TIMEOUT_MS) > 0);
        if (items[0].revents)
            ts_recv(req, "good");
        else
            ts_raw_expect_closed(fd);
        close(fd);
        close(listener);
        ts_close(req);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(impossible_sizes),
        TS_ON_NETWORK(malformed_frames_beyond_stock),
        TS_ON_NETWORK(broken_handshakes),
        TS_ON_NETWORK(broken_handshakes_beyond_stock),
        TS_ON_NETWORK(harmless_commands_are_ignored),
        TS_ON_NETWORK(pings_are_answered),
        TS_ON_NETWORK(size_limit),
        TS_ON_NETWORK(promised_size_is_not_allocated_beyond_stock),
        TS_ON_NETWORK(hostile_old_frames),
        cmocka_unit_test(malformed_answers_to_a_request),
    };
    return TS_RUN(tests);
}
