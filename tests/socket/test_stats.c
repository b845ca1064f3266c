/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* zlink_socket_stats: what moves each of its numbers. */
#define _GNU_SOURCE
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlink.h>

/* Payloads from here on are not copied into output buffers. */
enum { LONG = 8192 };

static zlink_stats_t stats_at(void *socket, int line)
{
    zlink_stats_t stats;
    memset(&stats, 0xA5, sizeof stats); /* nothing but the size is read */
    stats.size = sizeof stats;
    ts_expect_value_at(zlink_socket_stats(socket, &stats, NULL, NULL), 0, "zlink_socket_stats",
                       __FILE__, line);
    ts_check(stats.size == sizeof stats);
    ts_check(stats.version == ZLINK_STATS_VERSION);
    return stats;
}

#define stats_of(socket) stats_at(socket, __LINE__)

/* Waits until the field has at least this value, and returns all of that moment. */
static zlink_stats_t await_at(void *socket, size_t field, uint64_t wanted, const char *name,
                              int line)
{
    int64_t until = ts_now_ms() + TS_TIMEOUT_MS;
    for (;;) {
        zlink_stats_t stats = stats_at(socket, line);
        uint64_t value;
        memcpy(&value, (char *)&stats + field, sizeof value);
        if (value >= wanted)
            return stats;
        if (ts_now_ms() > until)
            ts_fail_at(__FILE__, line, "%s stays at %llu, below %llu", name,
                       (unsigned long long)value, (unsigned long long)wanted);
        zmq_poll(NULL, 0, 1);
    }
}

#define await_least(socket, field, wanted)                                                         \
    await_at((socket), offsetof(zlink_stats_t, field), (wanted), #field, __LINE__)

/* Waits until the field has sunk to this value. */
static zlink_stats_t sinks_at(void *socket, size_t field, uint64_t wanted, const char *name,
                              int line)
{
    int64_t until = ts_now_ms() + TS_TIMEOUT_MS;
    for (;;) {
        zlink_stats_t stats = stats_at(socket, line);
        uint64_t value;
        memcpy(&value, (char *)&stats + field, sizeof value);
        if (value <= wanted)
            return stats;
        if (ts_now_ms() > until)
            ts_fail_at(__FILE__, line, "%s stays at %llu, above %llu", name,
                       (unsigned long long)value, (unsigned long long)wanted);
        zmq_poll(NULL, 0, 1);
    }
}

#define await_most(socket, field, wanted)                                                          \
    sinks_at((socket), offsetof(zlink_stats_t, field), (wanted), #field, __LINE__)

static bool is_inproc(void *const *state)
{
    return strcmp(*state, "inproc") == 0;
}

static size_t frame_size(size_t payload)
{
    return payload + (payload > 255 ? 9 : 2);
}

static void send_size(void *socket, size_t size, int flags)
{
    static char payload[1 << 20];
    ts_check(size <= sizeof payload);
    ts_value(zmq_send(socket, payload, size, flags), (long long)size);
}

static void send_message(void *socket, size_t size)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, size));
    memset(zmq_msg_data(&message), 0, size);
    ts_value(zmq_msg_send(&message, socket, 0), (long long)size);
}

static void recv_size(void *socket, size_t size)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    ts_value(zmq_msg_recv(&message, socket, 0), (long long)size);
    ts_ok(zmq_msg_close(&message));
}

struct pair {
    void *context, *out, *in;
};

/* PUSH connected to PULL. */
static struct pair open_pair(void **state)
{
    void *context = ts_context();
    struct pair pair = {context, ts_socket(context, ZMQ_PUSH), ts_socket(context, ZMQ_PULL)};
    ts_connect_pair(context, pair.in, pair.out, *state);
    await_least(pair.out, peers, 1);
    await_least(pair.in, peers, 1);
    return pair;
}

static void close_pair(struct pair *pair)
{
    ts_close(pair->out);
    ts_close(pair->in);
    ts_terminate(pair->context);
}

/* ---- messages and bytes ----------------------------------------------------------------- */

static void a_new_socket_has_done_nothing(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_DEALER);
    zlink_stats_t expected, stats = stats_of(socket);
    memset(&expected, 0, sizeof expected);
    expected.size = sizeof expected;
    expected.version = ZLINK_STATS_VERSION;
    assert_memory_equal(&stats, &expected, sizeof stats);
    ts_close(socket);
    ts_terminate(context);
}

static void messages_and_bytes_are_counted(void **state)
{
    static const size_t sizes[] = {0, 1, 33, 34, 255, 256, 1000, 8191, 8192, 100000};
    struct pair pair = open_pair(state);
    uint64_t bytes = 0, count = 0;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < TS_COUNT(sizes); i++) {
            send_size(pair.out, sizes[i], 0);
            recv_size(pair.in, sizes[i]);
            bytes += is_inproc(state) ? sizes[i] : frame_size(sizes[i]);
            count++;
            zlink_stats_t in = stats_of(pair.in);
            ts_check(in.messages_in == count);
            ts_check(in.bytes_in == bytes);
        }
    }
    /* The loop may have written: it counts after it has, so the receiver may be faster. */
    zlink_stats_t out = await_least(pair.out, bytes_out, bytes);
    zlink_stats_t in = stats_of(pair.in);
    ts_check(out.messages_out == count && out.messages_in == 0);
    ts_check(in.messages_in == count && in.messages_out == 0);
    ts_check(out.bytes_out == bytes && out.bytes_in == 0);
    ts_check(in.bytes_in == bytes && in.bytes_out == 0);
    ts_check(out.queued_out == 0 && in.queued_in == 0);
    ts_check(out.dropped == 0 && in.dropped == 0 && out.reconnects == 0 && in.reconnects == 0);
    close_pair(&pair);
}

static void both_directions_are_separate(void **state)
{
    void *context = ts_context();
    void *a = ts_socket(context, ZMQ_PAIR), *b = ts_socket(context, ZMQ_PAIR);
    ts_connect_pair(context, a, b, *state);
    for (int i = 0; i < 10; i++) {
        send_size(a, 20, 0);
        recv_size(b, 20);
    }
    for (int i = 0; i < 3; i++) {
        send_size(b, 500, 0);
        recv_size(a, 500);
    }
    zlink_stats_t at_a = stats_of(a), at_b = stats_of(b);
    ts_check(at_a.messages_out == 10 && at_a.messages_in == 3);
    ts_check(at_b.messages_out == 3 && at_b.messages_in == 10);
    ts_check(at_a.bytes_in == 3 * (is_inproc(state) ? 500 : frame_size(500)));
    ts_check(at_b.bytes_in == 10 * (is_inproc(state) ? 20 : frame_size(20)));
    ts_close(a);
    ts_close(b);
    ts_terminate(context);
}

static void parts_make_one_message(void **state)
{
    struct pair pair = open_pair(state);
    for (int i = 0; i < 5; i++) {
        ts_send_parts(pair.out, "one", "two", "three");
        ts_recv_parts(pair.in, "one", "two", "three");
    }
    zlink_stats_t out = stats_of(pair.out), in = stats_of(pair.in);
    ts_check(out.messages_out == 5);
    ts_check(in.messages_in == 5);
    ts_check(in.bytes_in == 5u * (is_inproc(state) ? 11 : 17));
    close_pair(&pair);
}

static void fan_out_counts_every_peer(void **state)
{
    enum { SUBSCRIBERS = 3, NEWS = 7 };
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_XPUB), *subs[SUBSCRIBERS];
    ts_set_int(pub, ZMQ_XPUB_VERBOSE, 1);
    ts_bind(pub, *state, endpoint);
    ts_send(pub, "to nobody", 0);
    ts_check(stats_of(pub).messages_out == 0);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        subs[i] = ts_socket(context, ZMQ_SUB);
        ts_set_text(subs[i], ZMQ_SUBSCRIBE, i ? "" : "other");
        ts_ok(zmq_connect(subs[i], endpoint));
    }
    for (int i = 0; i < SUBSCRIBERS; i++) {
        char subscription[16];
        ts_recv_any(pub, subscription, sizeof subscription);
    }
    ts_check(stats_of(pub).peers == SUBSCRIBERS);
    uint64_t before = stats_of(pub).messages_out;
    for (int i = 0; i < NEWS; i++)
        ts_send(pub, "news", 0);
    ts_check(stats_of(pub).messages_out == before + 2 * NEWS);
    for (int i = 1; i < SUBSCRIBERS; i++)
        for (int n = 0; n < NEWS; n++)
            ts_recv(subs[i], "news");
    ts_check(stats_of(subs[0]).messages_in == 0);
    for (int i = 0; i < SUBSCRIBERS; i++)
        ts_close(subs[i]);
    ts_close(pub);
    ts_terminate(context);
}

/* ---- queues ----------------------------------------------------------------------------- */

static void a_receiver_that_does_not_read_has_them_queued(void **state)
{
    enum { COUNT = 50 };
    struct pair pair = open_pair(state);
    for (int i = 0; i < COUNT; i++)
        send_size(pair.out, 40, 0);
    zlink_stats_t in = await_least(pair.in, queued_in, COUNT);
    ts_check(in.queued_in == COUNT && in.messages_in == 0);
    /* inproc has one queue, which both sides see. */
    if (is_inproc(state))
        ts_check(stats_of(pair.out).queued_out == COUNT);
    else
        await_most(pair.out, queued_out, 0);
    for (int i = 1; i <= COUNT; i++) {
        recv_size(pair.in, 40);
        in = stats_of(pair.in);
        ts_check(in.queued_in == (uint64_t)(COUNT - i) && in.messages_in == (uint64_t)i);
    }
    ts_check(stats_of(pair.out).queued_out == 0);
    close_pair(&pair);
}

static void without_a_server_they_wait_here(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_connect(push, address.endpoint));
    for (uint64_t i = 1; i <= 20; i++) {
        send_size(push, i % 2 ? 10 : 20000, 0);
        zlink_stats_t stats = stats_of(push);
        ts_check(stats.queued_out == i && stats.messages_out == i);
        ts_check(stats.peers == 0);
    }
    if (!is_inproc(state))
        ts_check(stats_of(push).bytes_out == 0 && stats_of(push).writes == 0);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_address_release(&address);
    ts_rebind(pull, address.endpoint);
    for (int i = 1; i <= 20; i++)
        recv_size(pull, i % 2 ? 10 : 20000);
    zlink_stats_t stats = await_most(push, queued_out, 0);
    ts_check(stats.messages_out == 20);
    ts_check(stats_of(pull).messages_in == 20);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- drops ------------------------------------------------------------------------------ */

static void a_publisher_counts_what_a_slow_subscriber_misses(void **state)
{
    enum { COUNT = 3000, SIZE = 2000 };
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_PUB), *sub = ts_socket(context, ZMQ_SUB);
    ts_set_int(pub, ZMQ_SNDHWM, 3);
    ts_set_int(pub, ZMQ_SNDBUF, 8192);
    ts_set_int(sub, ZMQ_RCVHWM, 4);
    ts_set_int(sub, ZMQ_RCVBUF, 8192);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "");
    ts_connect_pair(context, pub, sub, *state);
    ts_pubsub_sync(pub, sub, "");
    zlink_stats_t before = stats_of(pub);
    for (int i = 0; i < COUNT; i++)
        send_size(pub, SIZE, 0);
    zlink_stats_t after = stats_of(pub);
    uint64_t taken = after.messages_out - before.messages_out;
    ts_check(after.dropped > before.dropped);
    ts_check(taken + after.dropped - before.dropped == COUNT);
    if (is_inproc(state))
        ts_check(taken == 7);
    /* What was taken arrives. */
    uint64_t read = stats_of(sub).messages_in;
    for (uint64_t i = 0; i < taken; i++)
        recv_size(sub, SIZE);
    ts_recv_nothing(sub);
    ts_check(stats_of(sub).messages_in == read + taken);
    ts_check(stats_of(sub).dropped == 0);
    ts_close(pub);
    ts_close(sub);
    ts_terminate(context);
}

static void a_router_counts_what_a_full_peer_misses(void **state)
{
    enum { COUNT = 3000, SIZE = 2000 };
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = ts_socket(context, ZMQ_DEALER);
    ts_set_int(router, ZMQ_SNDHWM, 2);
    ts_set_int(router, ZMQ_SNDBUF, 8192);
    ts_set_int(dealer, ZMQ_RCVHWM, 2);
    ts_set_int(dealer, ZMQ_RCVBUF, 8192);
    ts_set_text(dealer, ZMQ_ROUTING_ID, "d");
    ts_connect_pair(context, router, dealer, *state);
    ts_send(dealer, "hello", 0);
    ts_recv_parts(router, "d", "hello");
    ts_send_parts(router, "nobody", "is no drop at the mark");
    ts_check(stats_of(router).dropped == 0 && stats_of(router).messages_out == 0);
    for (int i = 0; i < COUNT; i++) {
        ts_send(router, "d", ZMQ_SNDMORE);
        send_size(router, SIZE, 0);
    }
    zlink_stats_t stats = stats_of(router);
    ts_check(stats.dropped > 0);
    ts_check(stats.messages_out + stats.dropped == COUNT);
    for (uint64_t i = 0; i < stats.messages_out; i++)
        recv_size(dealer, SIZE);
    ts_recv_nothing(dealer);
    ts_close(router);
    ts_close(dealer);
    ts_terminate(context);
}

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
    static const size_t sizes[] = {0, 1, 33, 34, 1000, LONG - 1};
    struct pair pair = open_pair(state);
    uint64_t payload = 0;
    for (int i = 0; i < 60; i++) {
        size_t size = sizes[(size_t)i % TS_COUNT(sizes)];
        if (i % 4 < 2)
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
    struct pair pair = open_roomy_pair(state);
    for (uint64_t i = 1; i <= 40; i++) {
        size_t size = i % 2 ? LONG : 20000;
        send_size(pair.out, size, 0);
        zlink_stats_t stats = stats_of(pair.out);
        ts_check(stats.bytes_copied_out == 0);
        ts_check(stats.writes_at_once == i && stats.writes_at_once_refused == 0);
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

/* ---- connections ------------------------------------------------------------------------ */

static void a_restarted_server_is_a_reconnect(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_address_reserve(&address, *state);
    ts_address_release(&address);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 10);
    for (uint64_t round = 0; round < 3; round++) {
        void *pull = ts_socket(context, ZMQ_PULL);
        ts_rebind(pull, address.endpoint);
        if (round == 0)
            ts_ok(zmq_connect(push, address.endpoint));
        zlink_stats_t stats = await_least(push, peers, 1);
        ts_check(stats.reconnects == round);
        ts_check(stats.messages_out == round); /* the sum of all connections */
        ts_send(push, "hello", 0);
        ts_recv(pull, "hello");
        ts_check(stats_of(pull).reconnects == 0);
        ts_close(pull);
        await_most(push, peers, 0);
    }
    zlink_stats_t stats = stats_of(push);
    ts_check(stats.reconnects == 2 && stats.messages_out == 3);
    ts_check(stats.bytes_out == 3 * frame_size(5));
    ts_close(push);
    ts_terminate(context);
}

static void peers_come_and_go_and_the_sums_stay(void **state)
{
    enum { PEERS = 4 };
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *pushes[PEERS];
    ts_bind(pull, *state, endpoint);
    for (uint64_t i = 0; i < PEERS; i++) {
        ts_check(stats_of(pull).peers == i);
        pushes[i] = ts_socket(context, ZMQ_PUSH);
        ts_ok(zmq_connect(pushes[i], endpoint));
        await_least(pull, peers, i + 1);
        send_size(pushes[i], 10, 0);
        recv_size(pull, 10);
    }
    zlink_stats_t before = stats_of(pull);
    ts_check(before.messages_in == PEERS);
    for (uint64_t i = PEERS; i-- > 0;) {
        size_t count = 0;
        ts_close(pushes[i]);
        zlink_stats_t after = await_most(pull, peers, i);
        ts_check(after.peers == i);
        ts_check(after.messages_in == PEERS && after.bytes_in == before.bytes_in);
        ts_check(after.reads == before.reads);
        ts_value(zlink_socket_stats(pull, &after, NULL, &count), 0);
        ts_check(count == i);
    }
    void *late = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_connect(late, endpoint));
    send_size(late, 10, 0);
    recv_size(pull, 10);
    ts_check(stats_of(pull).messages_in == PEERS + 1);
    ts_close(late);
    ts_close(pull);
    ts_terminate(context);
}

/* Drops, too, outlive the peer that missed them. */
static void drops_outlive_their_peer(void **state)
{
    (void)state;
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_PUB), *sub = ts_socket(context, ZMQ_SUB);
    ts_set_int(pub, ZMQ_SNDHWM, 1);
    ts_set_int(sub, ZMQ_RCVHWM, 1);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "");
    ts_connect_pair(context, pub, sub, "inproc");
    ts_pubsub_sync(pub, sub, "");
    for (int i = 0; i < 10; i++)
        send_size(pub, 10, 0);
    zlink_stats_t before = stats_of(pub);
    ts_check(before.dropped >= 8);
    ts_close(sub);
    zlink_stats_t after = await_most(pub, peers, 0);
    ts_check(after.dropped == before.dropped && after.messages_out == before.messages_out);
    ts_check(after.queued_out == 0);
    ts_close(pub);
    ts_terminate(context);
}

/* ---- the struct of a peer --------------------------------------------------------------- */

enum { DEALERS = 3 };

struct routed {
    void *context, *router, *dealers[DEALERS];
    char endpoint[TS_ENDPOINT_MAX];
};

/* Dealer i is called "dealer" and i, and has sent i + 1 messages; the last one has no name. */
static void open_routed(struct routed *routed, const char *transport)
{
    routed->context = ts_context();
    routed->router = ts_socket(routed->context, ZMQ_ROUTER);
    ts_bind(routed->router, transport, routed->endpoint);
    for (int i = 0; i < DEALERS; i++) {
        char id[] = "dealer0";
        void *dealer = routed->dealers[i] = ts_socket(routed->context, ZMQ_DEALER);
        id[6] = (char)('0' + i);
        if (i < DEALERS - 1)
            ts_set_text(dealer, ZMQ_ROUTING_ID, id);
        ts_ok(zmq_connect(dealer, routed->endpoint));
        for (int n = 0; n <= i; n++) {
            char from[16], text[16];
            ts_send(dealer, "hi", 0);
            ts_recv_any(routed->router, from, sizeof from);
            ts_recv_any(routed->router, text, sizeof text);
        }
    }
}

static void close_routed(struct routed *routed)
{
    for (int i = 0; i < DEALERS; i++)
        ts_close(routed->dealers[i]);
    ts_close(routed->router);
    ts_terminate(routed->context);
}

static void every_peer_is_described(void **state)
{
    struct routed routed;
    zlink_stats_t stats = {.size = sizeof stats}, peers[DEALERS + 2];
    size_t count = TS_COUNT(peers);
    uint64_t seen = 0;
    open_routed(&routed, *state);
    memset(peers, 0xA5, sizeof peers);
    ts_value(zlink_socket_stats(routed.router, &stats, peers, &count), 0);
    ts_check(count == DEALERS && stats.peers == DEALERS);
    ts_check(stats.routing_id_size == 0 && stats.endpoint[0] == '\0');
    uint64_t messages = 0, bytes = 0, reads = 0;
    for (size_t i = 0; i < count; i++) {
        zlink_stats_t *peer = &peers[i];
        ts_check(peer->size == sizeof *peer && peer->version == ZLINK_STATS_VERSION);
        ts_check(peer->peers == 1);
        ts_check(peer->spins_paid == 0 && peer->spins_unpaid == 0);
        if (!is_inproc(state))
            ts_check(strcmp(peer->endpoint, routed.endpoint) == 0);
        uint64_t number = peer->messages_in - 1;
        ts_check(number < DEALERS);
        seen |= 1u << number;
        if (number < DEALERS - 1) {
            ts_check(peer->routing_id_size == 7);
            ts_check(memcmp(peer->routing_id, "dealer", 6) == 0);
            ts_check(peer->routing_id[6] == '0' + number);
        } else {
            ts_check(peer->routing_id_size == 5 && peer->routing_id[0] == 0);
        }
        messages += peer->messages_in;
        bytes += peer->bytes_in;
        reads += peer->reads;
    }
    ts_check(seen == (1u << DEALERS) - 1);
    ts_check(messages == stats.messages_in && bytes == stats.bytes_in && reads == stats.reads);
    for (size_t i = count * sizeof *peers; i < sizeof peers; i++)
        ts_check(((unsigned char *)peers)[i] == 0xA5); /* no more than there are */
    close_routed(&routed);
}

static void the_connecting_side_knows_what_it_connected_to(void **state)
{
    struct routed routed;
    zlink_stats_t stats = {.size = sizeof stats}, peer;
    size_t count = 1;
    open_routed(&routed, *state);
    ts_value(zlink_socket_stats(routed.dealers[1], &stats, &peer, &count), 0);
    ts_check(count == 1 && peer.messages_out == 2);
    ts_check(strcmp(peer.endpoint, routed.endpoint) == 0);
    close_routed(&routed);
}

static void a_short_array_gets_what_fits(void **state)
{
    struct routed routed;
    open_routed(&routed, *state);
    for (size_t room = 0; room <= DEALERS; room++) {
        zlink_stats_t stats = {.size = sizeof stats}, peers[DEALERS];
        size_t count = room;
        memset(peers, 0xA5, sizeof peers);
        ts_value(zlink_socket_stats(routed.router, &stats, peers, &count), 0);
        ts_check(count == DEALERS);
        for (size_t i = 0; i < room; i++)
            ts_check(peers[i].size == sizeof peers[i] && peers[i].peers == 1);
        for (size_t i = room * sizeof *peers; i < sizeof peers; i++)
            ts_check(((unsigned char *)peers)[i] == 0xA5);
    }
    /* Without an array only their number, whatever it was before. */
    zlink_stats_t stats = {.size = sizeof stats};
    size_t count = 1000000;
    ts_value(zlink_socket_stats(routed.router, &stats, NULL, &count), 0);
    ts_check(count == DEALERS);
    close_routed(&routed);
}

/* ---- versions and errors ---------------------------------------------------------------- */

/* A program made with a later header: what this library does not know is 0. */
static void a_larger_struct_is_filled_up(void **state)
{
    enum { MORE = 64 };
    union {
        zlink_stats_t stats;
        unsigned char bytes[sizeof(zlink_stats_t) + MORE];
    } sum, peers[DEALERS + 1];
    struct routed routed;
    size_t count = DEALERS;
    open_routed(&routed, *state);
    memset(&sum, 0xA5, sizeof sum);
    memset(peers, 0xA5, sizeof peers);
    sum.stats.size = sizeof sum;
    ts_value(zlink_socket_stats(routed.router, &sum.stats, &peers[0].stats, &count), 0);
    ts_check(count == DEALERS && sum.stats.peers == DEALERS);
    ts_check(sum.stats.size == sizeof sum && sum.stats.version == ZLINK_STATS_VERSION);
    for (size_t i = 0; i < count; i++) {
        ts_check(peers[i].stats.size == sizeof sum && peers[i].stats.peers == 1);
        for (size_t k = sizeof(zlink_stats_t); k < sizeof sum; k++)
            ts_check(peers[i].bytes[k] == 0 && sum.bytes[k] == 0);
    }
    ts_check(peers[DEALERS].bytes[0] == 0xA5);
    close_routed(&routed);
}

static void sizes_of_no_version_are_refused(void **state)
{
    static const uint32_t sizes[] = {0,
                                     4,
                                     8,
                                     sizeof(zlink_stats_t) - 8,
                                     sizeof(zlink_stats_t) - 1,
                                     sizeof(zlink_stats_t) + 1,
                                     sizeof(zlink_stats_t) + 4,
                                     0x10000000,
                                     UINT32_MAX};
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(sizes); i++) {
        zlink_stats_t stats, before;
        size_t count = 7;
        memset(&stats, 0x5A, sizeof stats);
        stats.size = sizes[i];
        before = stats;
        ts_error(zlink_socket_stats(socket, &stats, NULL, &count), EINVAL);
        assert_memory_equal(&stats, &before, sizeof stats);
        ts_check(count == 7);
    }
    ts_close(socket);
    ts_terminate(context);
}

static void wrong_arguments_are_refused(void **state)
{
    zlink_stats_t stats = {.size = sizeof stats}, peer;
    size_t count = 1;
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zlink_socket_stats(NULL, &stats, NULL, NULL), ENOTSOCK);
    ts_error(zlink_socket_stats(context, &stats, NULL, NULL), ENOTSOCK);
    ts_error(zlink_socket_stats(socket, NULL, NULL, NULL), EINVAL);
    ts_error(zlink_socket_stats(socket, NULL, NULL, &count), EINVAL);
    ts_error(zlink_socket_stats(socket, &stats, &peer, NULL), EINVAL);
    ts_value(zlink_socket_stats(socket, &stats, &peer, &count), 0);
    ts_check(count == 0);
    /* The numbers can still be read when nothing else goes any more. */
    ts_ok(zmq_ctx_shutdown(context));
    ts_error(zmq_send(socket, "", 0, 0), ETERM);
    ts_value(zlink_socket_stats(socket, &stats, NULL, NULL), 0);
    ts_close(socket);
    ts_terminate(context);
}

static void a_forked_child_has_no_numbers(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    pid_t child = fork();
    ts_check(child >= 0);
    if (child == 0) {
        zlink_stats_t stats = {.size = sizeof stats};
        int rc = zlink_socket_stats(socket, &stats, NULL, NULL);
        _exit(rc == -1 && errno == EINTR ? 0 : 1);
    }
    int status;
    ts_value(waitpid(child, &status, 0), child);
    ts_check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stats_of(socket);
    ts_close(socket);
    ts_terminate(context);
}

/* ---- waits ------------------------------------------------------------------------------ */

static void echo(void *socket)
{
    char text[8];
    while (ts_recv_any(socket, text, sizeof text) > 0)
        ts_send(socket, text, 0);
}

/* Whoever was woken soon looks for a moment before the next sleep: answers that come at once pay it,
   later ones do not. */
static void short_waits_are_counted(void **state)
{
    cpu_set_t cpus;
    ts_check(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
    if (CPU_COUNT(&cpus) < 2)
        skip(); /* looking is useless there, and not done */
    void *context = ts_context();
    void *a = ts_socket(context, ZMQ_PAIR), *b = ts_socket(context, ZMQ_PAIR);
    ts_connect_pair(context, a, b, *state);
    ts_check(stats_of(b).spins_paid == 0 && stats_of(b).spins_unpaid == 0);
    struct ts_thread *thread = ts_thread_start(echo, b);
    int64_t until = ts_now_ms() + TS_TIMEOUT_MS;
    zlink_stats_t at_a, at_b;
    do {
        ts_send(a, "ping", 0);
        ts_recv(a, "ping");
        at_a = stats_of(a);
        at_b = stats_of(b);
    } while (at_a.spins_paid + at_a.spins_unpaid + at_b.spins_paid + at_b.spins_unpaid == 0 &&
             ts_now_ms() < until);
    if (!TS_THREAD_SANITIZER) /* which is too slow for a short wait, perhaps */
        ts_check(at_a.spins_paid + at_a.spins_unpaid + at_b.spins_paid + at_b.spins_unpaid > 0);
    ts_send(a, "", 0);
    ts_thread_join(thread);
    ts_close(a);
    ts_close(b);
    ts_terminate(context);
}

/* ---- while others work ------------------------------------------------------------------ */

enum { FLOW = 3000, VISITS = 30 };

struct watch {
    void *sockets[2];
    atomic_bool over;
};

static void expect_growth(const zlink_stats_t *before, const zlink_stats_t *now)
{
    ts_check(now->messages_in >= before->messages_in);
    ts_check(now->messages_out >= before->messages_out);
    ts_check(now->bytes_in >= before->bytes_in);
    ts_check(now->bytes_out >= before->bytes_out);
    ts_check(now->reads >= before->reads && now->writes >= before->writes);
    ts_check(now->dropped >= before->dropped && now->would_blocks >= before->would_blocks);
    ts_check(now->bytes_copied_out >= before->bytes_copied_out);
    ts_check(now->bytes_copied_in >= before->bytes_copied_in);
    ts_check(now->queued_in <= FLOW + VISITS && now->queued_out <= FLOW + VISITS);
}

static void watch_both(void *argument)
{
    struct watch *watch = argument;
    zlink_stats_t before[2] = {{0}};
    while (!atomic_load(&watch->over)) {
        for (int i = 0; i < 2; i++) {
            zlink_stats_t stats = {.size = sizeof stats}, peers[2];
            size_t count = TS_COUNT(peers);
            ts_value(zlink_socket_stats(watch->sockets[i], &stats, peers, &count), 0);
            expect_growth(&before[i], &stats);
            before[i] = stats;
        }
    }
}

static void send_flow(void *socket)
{
    for (int i = 0; i < FLOW; i++)
        send_size(socket, i % 50 ? 60 : 9000, 0);
}

/* Peers come and go meanwhile: their numbers move from the peer to the socket. */
static void visit(void *argument)
{
    struct pair *pair = argument;
    char endpoint[TS_ENDPOINT_MAX];
    ts_last_endpoint(pair->in, endpoint);
    for (int i = 0; i < VISITS; i++) {
        void *push = ts_socket(pair->context, ZMQ_PUSH);
        ts_set_int(push, ZMQ_LINGER, -1);
        ts_ok(zmq_connect(push, endpoint));
        send_size(push, 60, 0);
        ts_close(push);
    }
}

static void any_thread_may_look(void **state)
{
    struct pair pair = open_pair(state);
    struct watch watch = {.sockets = {pair.out, pair.in}};
    struct ts_thread *watchers[2] = {ts_thread_start(watch_both, &watch),
                                     ts_thread_start(watch_both, &watch)};
    struct ts_thread *sender = ts_thread_start(send_flow, pair.out);
    struct ts_thread *visitor = ts_thread_start(visit, &pair);
    char payload[9000];
    for (int i = 0; i < FLOW + VISITS; i++)
        ts_ok(zmq_recv(pair.in, payload, sizeof payload, 0));
    ts_thread_join(sender);
    ts_thread_join(visitor);
    atomic_store(&watch.over, true);
    ts_thread_join(watchers[0]);
    ts_thread_join(watchers[1]);
    zlink_stats_t out = stats_of(pair.out), in = stats_of(pair.in);
    ts_check(out.messages_out == FLOW && in.messages_in == FLOW + VISITS);
    ts_check(in.queued_in == 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_socket_has_done_nothing),
        TS_ON_ALL(messages_and_bytes_are_counted),
        TS_ON_ALL(both_directions_are_separate),
        TS_ON_ALL(parts_make_one_message),
        TS_ON_ALL(fan_out_counts_every_peer),
        TS_ON_ALL(a_receiver_that_does_not_read_has_them_queued),
        TS_ON_ALL(without_a_server_they_wait_here),
        TS_ON_ALL(a_publisher_counts_what_a_slow_subscriber_misses),
        TS_ON_ALL(a_router_counts_what_a_full_peer_misses),
        TS_ON(inproc_makes_no_system_calls_for_messages, "inproc"),
        cmocka_unit_test(a_write_is_one_when_the_sender_waits),
        cmocka_unit_test(a_peer_that_stops_reading_refuses_writes),
        cmocka_unit_test(what_was_blocked_goes_out_gathered),
        cmocka_unit_test(reads_are_counted_when_they_bring_something),
        cmocka_unit_test(half_a_frame_is_moved),
        cmocka_unit_test(a_long_body_is_moved_only_where_it_began),
        TS_ON_NETWORK(short_payloads_are_copied_once),
        TS_ON_NETWORK(long_payloads_that_the_kernel_takes_are_not_copied),
        TS_ON_NETWORK(long_messages_are_not_copied),
        cmocka_unit_test(a_blocked_payload_of_the_caller_is_copied_once),
        cmocka_unit_test(a_blocked_message_is_never_copied),
        cmocka_unit_test(blocked_short_payloads_are_copied_once),
        TS_ON_NETWORK(a_restarted_server_is_a_reconnect),
        TS_ON_ALL(peers_come_and_go_and_the_sums_stay),
        cmocka_unit_test(drops_outlive_their_peer),
        TS_ON_ALL(every_peer_is_described),
        TS_ON_NETWORK(the_connecting_side_knows_what_it_connected_to),
        TS_ON_ALL(a_short_array_gets_what_fits),
        TS_ON_ALL(a_larger_struct_is_filled_up),
        cmocka_unit_test(sizes_of_no_version_are_refused),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_forked_child_has_no_numbers),
        TS_ON_NETWORK(short_waits_are_counted),
        TS_ON_ALL(any_thread_may_look),
    };
    return TS_RUN(tests);
}
