/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* ctest-serial */
/* What messages cost in memory: kept ones about their own size, promised ones nothing. */
#define _GNU_SOURCE
#include "support/process.h"
#include "support/raw_peer.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB ((long)1024 * 1024)

/* Bytes in use, as the process and, where it can be asked, the allocator sees them. */
struct memory {
    long resident, allocated;
};

static struct memory memory_now(void)
{
    struct memory memory = {.resident = (long)ts_resident_bytes()};
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    memory.allocated = (long)(info.uordblks + info.hblkhd);
#endif
    return memory;
}

/* Under a sanitizer memory is the sanitizer's. */
static void expect_growth_below(struct memory before, long limit)
{
    struct memory now = memory_now();
    print_message("    grown by %ld KiB resident, %ld KiB allocated\n",
                  (now.resident - before.resident) / 1024,
                  (now.allocated - before.allocated) / 1024);
    if (TS_SANITIZER)
        return;
    if (now.resident - before.resident > limit || now.allocated - before.allocated > limit)
        ts_fail("more than %ld KiB", limit / 1024);
}

/* ---- Kept messages ---------------------------------------------------------------------------- */

struct flood {
    const char *transport;
    struct ts_address address;
    int count, every; /* one in so many is kept */
    int smallest, largest;
};

static size_t flood_size(const struct flood *flood, int number)
{
    return (size_t)(flood->smallest + number % (flood->largest - flood->smallest + 1));
}

static void send_flood(void *argument)
{
    static unsigned char body[100000];
    struct flood *flood = argument;
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_connect_over(push, flood->transport, flood->address.endpoint);
    for (int n = 0; n < flood->count; ++n) {
        size_t size = flood_size(flood, n);
        if (n % flood->every == 0)
            ts_pattern(body, size, (uint32_t)n);
        ts_send_bytes(push, body, size, 0);
    }
    ts_close(push);
    ts_terminate(context);
}

static void receive_keeping(void *pull, const struct flood *flood, zmq_msg_t *kept)
{
    zmq_msg_t passing;
    ts_ok(zmq_msg_init(&passing));
    for (int n = 0; n < flood->count; ++n) {
        zmq_msg_t *message = n % flood->every ? &passing : kept++;
        ts_value(zmq_msg_recv(message, pull, 0), (long long)flood_size(flood, n));
    }
    ts_ok(zmq_msg_close(&passing));
}

static void keep_some(struct flood *flood, long limit)
{
    size_t count = (size_t)(flood->count + flood->every - 1) / (size_t)flood->every;
    zmq_msg_t *kept = calloc(count, sizeof *kept);
    ts_check(kept != NULL);
    for (size_t i = 0; i < count; ++i)
        ts_ok(zmq_msg_init(&kept[i]));
    ts_address_reserve(&flood->address, flood->transport);
    pid_t sender = ts_child_start(send_flood, flood);
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    struct memory before = memory_now();
    ts_rebind_over(pull, flood->transport, flood->address.endpoint);
    receive_keeping(pull, flood, kept);
    expect_growth_below(before, limit);
    ts_child_join(sender);
    ts_close(pull);
    ts_terminate(context);
    /* Also without the socket they came from. */
    for (size_t i = 0; i < count; ++i) {
        uint32_t number = (uint32_t)i * (uint32_t)flood->every;
        ts_check(ts_pattern_ok(zmq_msg_data(&kept[i]), zmq_msg_size(&kept[i]), number));
        ts_ok(zmq_msg_close(&kept[i]));
    }
    free(kept);
    ts_address_release(&flood->address);
}

static void kept_small_messages_pin_nothing(void **state)
{
    struct flood flood = {.transport = *state,
                          .count = TS_ROUNDS(1000000, 20000),
                          .every = 1000,
                          .smallest = 64,
                          .largest = 100};
    keep_some(&flood, 8 * MIB);
}

/* 2000 of about 1000 bytes: 2 MiB of content, but 128 MiB if each pinned what it was read into. */
static void kept_medium_messages_pin_little(void **state)
{
    struct flood flood = {.transport = *state,
                          .count = TS_ROUNDS(200000, 10000),
                          .every = 100,
                          .smallest = 900,
                          .largest = 1100};
    keep_some(&flood, 24 * MIB);
}

/* ---- Promised messages ------------------------------------------------------------------------ */

enum { PEERS = 64 };

static const struct {
    const char *name;
    unsigned char header[9];
} promises[] = {
    {"2^31 bytes", {2, 0, 0, 0, 0, 0x80, 0, 0, 0}},
    {"2^40 bytes", {2, 0, 0, 1, 0, 0, 0, 0, 0}},
    {"2^40 bytes, and more parts", {3, 0, 0, 1, 0, 0, 0, 0, 0}},
    {"2^62 bytes", {2, 0x40, 0, 0, 0, 0, 0, 0, 0}},
};

/* Another peer is served, so what was sent before has been looked at, or will be soon. */
static void exchange(void *pull, const char *endpoint)
{
    int fd = ts_raw_connect(endpoint);
    ts_raw_handshake(fd, "PUSH", NULL, 0);
    ts_raw_send_frame(fd, 0, "hello", 5);
    ts_recv(pull, "hello");
    close(fd);
}

static void send_pieces(int fds[PEERS], const void *data, size_t size)
{
    for (int i = 0; i < PEERS; ++i)
        ts_raw_send(fds[i], data, size);
}

/* Every byte of a promise that arrives may be stored, with room for as many again. */
static void promised_bytes_cost_nothing_until_they_come(void **state)
{
    enum { PIECE = 64 * 1024 };
    static unsigned char piece[PIECE];
    for (size_t i = 0; i < TS_COUNT(promises); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int fds[PEERS];
        print_message("    %s\n", promises[i].name);
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL);
        ts_bind(pull, *state, endpoint);
        exchange(pull, endpoint);
        for (int k = 0; k < PEERS; ++k) {
            fds[k] = ts_raw_connect(endpoint);
            ts_raw_handshake(fds[k], "PUSH", NULL, 0);
        }
        exchange(pull, endpoint);
        struct memory before = memory_now();
        long virtual_before = (long)ts_virtual_bytes();
        send_pieces(fds, promises[i].header, 9);
        send_pieces(fds, "some bytes", 10);
        exchange(pull, endpoint);
        expect_growth_below(before, PEERS * MIB / 2);
        if (!TS_SANITIZER)
            ts_check((long)ts_virtual_bytes() - virtual_before < PEERS * MIB);
        for (int n = 0; n < 8; ++n)
            send_pieces(fds, piece, PIECE); /* half a MiB each */
        exchange(pull, endpoint);
        expect_growth_below(before, PEERS * 2 * MIB);
        for (int k = 0; k < PEERS; ++k)
            close(fds[k]);
        ts_recv_nothing(pull);
        ts_close(pull);
        ts_terminate(context);
    }
}

static void promise_beyond_the_limit_ends_the_connection(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    int64_t limit = 1000000;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_bytes(pull, ZMQ_MAXMSGSIZE, &limit, sizeof limit);
    ts_bind(pull, *state, endpoint);
    for (size_t i = 0; i < TS_COUNT(promises); ++i) {
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        ts_raw_send_frame(fd, TS_FRAME_MORE, "fits", 4);
        ts_raw_send(fd, promises[i].header, 9); /* and not a byte of the body */
        ts_raw_expect_closed(fd);
        close(fd);
        exchange(pull, endpoint);
    }
    ts_recv_nothing(pull);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_CONNECTIONS(kept_small_messages_pin_nothing),
        TS_ON_CONNECTIONS(kept_medium_messages_pin_little),
        TS_ON_NETWORK(promised_bytes_cost_nothing_until_they_come),
        TS_ON_NETWORK(promise_beyond_the_limit_ends_the_connection),
    };
    return TS_RUN(tests);
}
