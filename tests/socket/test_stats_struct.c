/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* zlink_socket_stats: the structs of peers, other versions of the struct, wrong arguments. */
#include "stats_reading.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(every_peer_is_described),
        TS_ON_CONNECTIONS(the_connecting_side_knows_what_it_connected_to),
        TS_ON_ALL(a_short_array_gets_what_fits),
        TS_ON_ALL(a_larger_struct_is_filled_up),
        cmocka_unit_test(sizes_of_no_version_are_refused),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_forked_child_has_no_numbers),
    };
    return TS_RUN(tests);
}
