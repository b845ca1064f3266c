/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* zlink_socket_stats: messages, queues, drops, connections, waits, and readers in other threads. */
#define _GNU_SOURCE
#include "stats_reading.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

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
            bytes += wire_size(state, sizes[i], true);
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
    ts_check(at_a.bytes_in == 3 * wire_size(state, 500, true));
    ts_check(at_b.bytes_in == 10 * wire_size(state, 20, false));
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
    ts_check(in.bytes_in == 5 * (2 * wire_size(state, 3, true) + wire_size(state, 5, true)));
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
    ts_check(stats.bytes_out == 3 * wire_size(state, 5, true));
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
        ts_check(after.messages_in == PEERS);
        if (!is_websocket(state)) /* there a goodbye is read, if it comes in time */
            ts_check(after.bytes_in == before.bytes_in && after.reads == before.reads);
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
        TS_ON_CONNECTIONS(a_restarted_server_is_a_reconnect),
        TS_ON_ALL(peers_come_and_go_and_the_sums_stay),
        cmocka_unit_test(drops_outlive_their_peer),
        TS_ON_CONNECTIONS(short_waits_are_counted),
        TS_ON_ALL(any_thread_may_look),
    };
    return TS_RUN(tests);
}
