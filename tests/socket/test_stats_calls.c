/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* zlink_socket_stats: system calls and copies. */
#include "stats_reading.h"
#include "support/raw_peer.h"

#include <errno.h>
#include <unistd.h>

/* Payloads from here on are not copied into output buffers: of messages, and of the caller's memory. */
enum { LONG = 8192, LONG_BUFFER = 32768 };

/* ---- system calls ----------------------------------------------------------------------- */

static void inproc_makes_no_system_calls_for_messages(void **state)
{
    struct pair pair = open_pair(state);
    for (int i = 0; i < 100; i++) {
        send_size(pair.out, i % 2 ? 100 : 20000, 0);
        recv_size(pair.in, i % 2 ? 100 : 20000);
    }
    zlink_stats_t out = stats_of(pair.out), in = stats_of(pair.in);
    ts_check(in.reads == 0 && in.bytes_copied_in == 0);
    ts_check(out.writes == 0 && out.writes_at_once == 0 && out.writes_at_once_refused == 0);
    ts_check(out.would_blocks == 0 && out.gathered_writes == 0 && out.gathered_messages == 0);
    close_pair(&pair);
}

/* A socket and a peer that reads only when the test does. */
struct stalled {
    void *context, *socket;
    int fd;
};

static struct stalled open_stalled(int type, const char *peer_type)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct stalled stalled = {.context = ts_context()};
    stalled.socket = ts_socket(stalled.context, type);
    ts_set_int(stalled.socket, ZMQ_SNDBUF, 8192);
    ts_bind(stalled.socket, "tcp", endpoint);
    stalled.fd = ts_raw_connect(endpoint);
    ts_raw_handshake(stalled.fd, peer_type, "", 0);
    await_least(stalled.socket, peers, 1);
    return stalled;
}

static void close_stalled(struct stalled *stalled)
{
    close(stalled->fd);
    ts_close(stalled->socket);
    ts_terminate(stalled->context);
}

/* Reads the bytes of so many frames. */
static void drain(struct stalled *stalled, uint64_t bytes)
{
    static char buffer[65536];
    while (bytes > 0) {
        size_t piece = bytes < sizeof buffer ? (size_t)bytes : sizeof buffer;
        ts_raw_recv(stalled->fd, buffer, piece);
        bytes -= piece;
    }
}

static void a_write_is_one_when_the_sender_waits(void **state)
{
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    for (uint64_t i = 1; i <= 20; i++) {
        send_size(stalled.socket, 100, 0);
        drain(&stalled, 102);
        zlink_stats_t stats = await_least(stalled.socket, bytes_out, 102 * i);
        ts_check(stats.writes == i);
        ts_check(stats.writes_at_once <= i);
        ts_check(stats.writes_at_once_refused == 0 && stats.would_blocks == 0);
        ts_check(stats.gathered_writes == 0 && stats.gathered_messages == 0);
    }
    ts_check(stats_of(stalled.socket).writes_at_once > 0);
    close_stalled(&stalled);
}

/* Sends until the kernel has refused something. Returns how many. */
static uint64_t send_until_refused(struct stalled *stalled, size_t size)
{
    uint64_t count = 0;
    while (stats_of(stalled->socket).would_blocks == 0 || count < 2) {
        send_size(stalled->socket, size, ZMQ_DONTWAIT);
        if (++count == 900)
            ts_fail("the kernel takes everything");
    }
    return count;
}

static void a_peer_that_stops_reading_refuses_writes(void **state)
{
    enum { SIZE = 100000 };
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    uint64_t count = send_until_refused(&stalled, SIZE);
    zlink_stats_t blocked = stats_of(stalled.socket);
    ts_check(blocked.would_blocks >= 1);
    ts_check(blocked.writes_at_once_refused >= 1);
    ts_check(blocked.writes_at_once_refused <= blocked.writes_at_once);
    ts_check(blocked.writes_at_once_refused <= blocked.would_blocks);
    ts_check(blocked.queued_out >= 1 && blocked.queued_out <= count);
    ts_check(blocked.messages_out == count);
    ts_check(blocked.bytes_out < count * frame_size(SIZE));
    drain(&stalled, count * frame_size(SIZE));
    zlink_stats_t after = await_most(stalled.socket, queued_out, 0);
    ts_check(after.bytes_out == count * frame_size(SIZE));
    ts_check(after.writes > blocked.writes);
    close_stalled(&stalled);
}

static void what_was_blocked_goes_out_gathered(void **state)
{
    enum { LARGE = 100000, SMALL = 50, SMALL_COUNT = 400 };
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    uint64_t count = send_until_refused(&stalled, LARGE);
    for (int i = 0; i < SMALL_COUNT; i++)
        send_size(stalled.socket, SMALL, ZMQ_DONTWAIT);
    drain(&stalled, count * frame_size(LARGE) + SMALL_COUNT * frame_size(SMALL));
    zlink_stats_t stats = await_most(stalled.socket, queued_out, 0);
    ts_check(stats.gathered_writes >= 1);
    ts_check(stats.gathered_writes < stats.writes);
    ts_check(stats.gathered_messages >= 2 * stats.gathered_writes);
    ts_check(stats.gathered_messages <= stats.messages_out);
    /* With an 8 kB buffer far fewer calls than messages. */
    ts_check(stats.gathered_messages / stats.gathered_writes >= 10);
    close_stalled(&stalled);
}

static void reads_are_counted_when_they_bring_something(void **state)
{
    struct stalled stalled = open_stalled(ZMQ_PULL, "PUSH");
    (void)state;
    for (uint64_t i = 1; i <= 10; i++) {
        ts_raw_send(stalled.fd, "\0\5whole", 7);
        ts_recv(stalled.socket, "whole");
        zlink_stats_t stats = stats_of(stalled.socket);
        ts_check(stats.reads == i);
        ts_check(stats.bytes_in == 7 * i);
        ts_check(stats.bytes_copied_in == 0);
    }
    close_stalled(&stalled);
}

static void half_a_frame_is_moved(void **state)
{
    static const unsigned char frame[] = {0, 6, 'h', 'a', 'l', 'v', 'e', 's'};
    struct stalled stalled = open_stalled(ZMQ_PULL, "PUSH");
    (void)state;
    ts_raw_send(stalled.fd, frame, 5);
    zlink_stats_t stats = await_least(stalled.socket, reads, 1);
    ts_check(stats.bytes_in == 5 && stats.queued_in == 0);
    ts_raw_send(stalled.fd, frame + 5, 3);
    ts_recv(stalled.socket, "halves");
    stats = stats_of(stalled.socket);
    ts_check(stats.reads == 2 && stats.bytes_in == 8 && stats.messages_in == 1);
    ts_check(stats.bytes_copied_in == 2 * 5); /* out of the slab, and into the next one */
    close_stalled(&stalled);
}

static void a_long_body_is_moved_only_where_it_began(void **state)
{
    enum { SIZE = 300000, FIRST = 1000 };
    static unsigned char frame[9 + SIZE] = {2,         0, 0, 0, 0, 0, SIZE >> 16, (SIZE >> 8) & 255,
                                            SIZE & 255};
    struct stalled stalled = open_stalled(ZMQ_PULL, "PUSH");
    (void)state;
    ts_raw_send(stalled.fd, frame, FIRST);
    await_least(stalled.socket, reads, 1);
    ts_raw_send(stalled.fd, frame + FIRST, sizeof frame - FIRST);
    recv_size(stalled.socket, SIZE);
    zlink_stats_t stats = stats_of(stalled.socket);
    ts_check(stats.bytes_in == sizeof frame);
    ts_check(stats.bytes_copied_in == FIRST - 9);
    close_stalled(&stalled);
}

/* ---- copies on the way out -------------------------------------------------------------- */

static void short_payloads_are_copied_once(void **state)
{
    static const size_t sizes[] = {0, 1, 33, 34, 1000, LONG - 1, LONG_BUFFER - 1};
    struct pair pair = open_pair(state);
    uint64_t payload = 0;
    for (int i = 0; i < 60; i++) {
        size_t size = sizes[(size_t)i % TS_COUNT(sizes)];
        if (i % 4 < 2 || size >= LONG)
            send_size(pair.out, size, 0);
        else
            send_message(pair.out, size);
        recv_size(pair.in, size);
        payload += size;
        ts_check(stats_of(pair.out).bytes_copied_out == payload);
    }
    zlink_stats_t out = await_least(pair.out, bytes_out, payload + 1);
    ts_check(out.bytes_copied_out < out.bytes_out);
    close_pair(&pair);
}

static struct pair open_roomy_pair(void **state)
{
    void *context = ts_context();
    struct pair pair = {context, ts_socket(context, ZMQ_PUSH), ts_socket(context, ZMQ_PULL)};
    ts_set_int(pair.out, ZMQ_SNDBUF, 1 << 20);
    ts_set_int(pair.in, ZMQ_RCVBUF, 1 << 20);
    ts_connect_pair(context, pair.in, pair.out, *state);
    await_least(pair.out, peers, 1); /* what waits for the connection would be copied */
    return pair;
}

static void long_payloads_that_the_kernel_takes_are_not_copied(void **state)
{
    /* A TLS stream is read or written, not both: a payload that meets one of the server's two session
       tickets has to wait, in the library's memory. */
    uint64_t copies = 0, copies_max = strcmp(*state, "tls") == 0 ? 2 : 0;
    uint64_t copied = 0;
    struct pair pair = open_roomy_pair(state);
    for (uint64_t i = 1; i <= 40; i++) {
        size_t size = i % 2 ? LONG_BUFFER : 50000;
        send_size(pair.out, size, 0);
        zlink_stats_t stats = stats_of(pair.out);
        copies += stats.bytes_copied_out > copied;
        copied = stats.bytes_copied_out;
        ts_check(copies <= copies_max);
        ts_check(stats.writes_at_once >= i - copies && stats.writes_at_once_refused == 0);
        recv_size(pair.in, size);
    }
    close_pair(&pair);
}

static void long_messages_are_not_copied(void **state)
{
    struct pair pair = open_roomy_pair(state);
    for (int i = 0; i < 40; i++)
        send_message(pair.out, i % 2 ? LONG : 20000);
    for (int i = 0; i < 40; i++)
        recv_size(pair.in, i % 2 ? LONG : 20000);
    ts_check(stats_of(pair.out).bytes_copied_out == 0);
    close_pair(&pair);
}

static void a_blocked_payload_of_the_caller_is_copied_once(void **state)
{
    enum { SIZE = 100000 };
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    uint64_t count = send_until_refused(&stalled, SIZE);
    for (int i = 0; i < 5; i++, count++)
        send_size(stalled.socket, SIZE, ZMQ_DONTWAIT);
    zlink_stats_t stats = stats_of(stalled.socket);
    ts_check(stats.bytes_copied_out >= 6 * (uint64_t)SIZE);
    ts_check(stats.bytes_copied_out <= count * SIZE);
    ts_check(stats.bytes_copied_out % SIZE == 0);
    uint64_t copied = stats.bytes_copied_out;
    drain(&stalled, count * frame_size(SIZE));
    stats = await_most(stalled.socket, queued_out, 0);
    ts_check(stats.bytes_copied_out == copied); /* no second time on the way out */
    close_stalled(&stalled);
}

static void a_blocked_message_is_never_copied(void **state)
{
    enum { SIZE = 100000, COUNT = 100 };
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    for (int i = 0; i < COUNT; i++)
        send_message(stalled.socket, SIZE);
    zlink_stats_t stats = await_least(stalled.socket, would_blocks, 1);
    ts_check(stats.queued_out > 0);
    drain(&stalled, COUNT * frame_size(SIZE));
    stats = await_most(stalled.socket, queued_out, 0);
    ts_check(stats.bytes_out == COUNT * frame_size(SIZE));
    ts_check(stats.bytes_copied_out == 0);
    close_stalled(&stalled);
}

static void blocked_short_payloads_are_copied_once(void **state)
{
    enum { SIZE = 5000, COUNT = 900 };
    struct stalled stalled = open_stalled(ZMQ_PUSH, "PULL");
    (void)state;
    for (int i = 0; i < COUNT; i++)
        send_size(stalled.socket, SIZE, 0);
    await_least(stalled.socket, would_blocks, 1);
    drain(&stalled, COUNT * frame_size(SIZE));
    zlink_stats_t stats = await_most(stalled.socket, queued_out, 0);
    ts_check(stats.bytes_copied_out == COUNT * (uint64_t)SIZE);
    ts_check(stats.bytes_copied_out < stats.bytes_out);
    close_stalled(&stalled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON(inproc_makes_no_system_calls_for_messages, "inproc"),
        cmocka_unit_test(a_write_is_one_when_the_sender_waits),
        cmocka_unit_test(a_peer_that_stops_reading_refuses_writes),
        cmocka_unit_test(what_was_blocked_goes_out_gathered),
        cmocka_unit_test(reads_are_counted_when_they_bring_something),
        cmocka_unit_test(half_a_frame_is_moved),
        cmocka_unit_test(a_long_body_is_moved_only_where_it_began),
        TS_ON_CONNECTIONS(short_payloads_are_copied_once),
        /* Not over WebSocket: a client masks what it sends, and has to copy it for that. */
        TS_ON_NETWORK(long_payloads_that_the_kernel_takes_are_not_copied),
        TS_ON_BEYOND_STOCK(long_payloads_that_the_kernel_takes_are_not_copied, "tls"),
        TS_ON_NETWORK(long_messages_are_not_copied),
        TS_ON_BEYOND_STOCK(long_messages_are_not_copied, "tls"),
        cmocka_unit_test(a_blocked_payload_of_the_caller_is_copied_once),
        cmocka_unit_test(a_blocked_message_is_never_copied),
        cmocka_unit_test(blocked_short_payloads_are_copied_once),
    };
    return TS_RUN(tests);
}
