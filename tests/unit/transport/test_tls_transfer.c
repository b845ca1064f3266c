/* SPDX-License-Identifier: MPL-2.0 */
/* Long transfers in both directions at once, while the kernel takes and gives as little as it likes:
   system calls that move part of what they were asked for, or nothing, at random but the same in
   every run. */
#define _GNU_SOURCE
#include "unit/transport/tls_peers.h"

static uint64_t chance; /* of the shim */
static bool moody;      /* it does less than asked */

/* What a call may move of `size`; 0: it would block. */
static size_t allowance(size_t size)
{
    if (!moody)
        return size;
    switch (octets_random(&chance) % 4) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return 1 + octets_random(&chance) % size;
    default:
        return size;
    }
}

static ssize_t moody_send(int fd, const void *data, size_t size, int flags)
{
    size = allowance(size);
    if (size > 0)
        return send(fd, data, size, flags);
    errno = EAGAIN;
    return -1;
}

/* A short read means to the stream that the kernel has no more; so it is, until the next call. */
static ssize_t moody_recv(int fd, void *place, size_t size, int flags)
{
    size = allowance(size);
    if (size > 0)
        return recv(fd, place, size, flags);
    errno = EAGAIN;
    return -1;
}

#define send moody_send
#define recv moody_recv
#include "transport/tls_wire.c"
#undef send
#undef recv

/* One direction of a transfer. */
struct flow {
    struct zl_stream *from;
    struct zl_stream *to;
    const uint8_t *source;
    size_t size;
    size_t written; /* as reported */
    size_t read;
    uint8_t place[70000];
};

/* Up to 8 pieces of what is to come, of all sizes; the bytes that are owed are among them. */
static int cut(const struct flow *flow, struct iovec *vectors)
{
    static const size_t sizes[] = {1, 9, 40, 700, 5000, 16383, 16384, 16385, 40000};
    size_t at = flow->written, offered = 0;
    int count = 0;
    while (at < flow->size && (count < 1 || octets_random(&chance) % 8 != 0) && count < 8) {
        size_t size = sizes[octets_random(&chance) % (sizeof sizes / sizeof *sizes)];
        if (count == 7 && offered + size < flow->from->owed)
            size = flow->from->owed - offered;
        if (size > flow->size - at)
            size = flow->size - at;
        vectors[count++] = (struct iovec){(void *)(flow->source + at), size};
        at += size;
        offered += size;
    }
    if (count > 0 && offered < flow->from->owed)
        vectors[count - 1].iov_len += flow->from->owed - offered;
    return count;
}

static void move_out(struct flow *flow)
{
    struct iovec vectors[8];
    int count = cut(flow, vectors);
    if (count == 0)
        return;
    ssize_t rc = flow->from->ops->write(flow->from, vectors, count);
    if (rc > 0)
        flow->written += (size_t)rc;
    else
        assert_int_equal(rc, -EAGAIN);
    assert_true(flow->written + flow->from->owed <= flow->size);
}

static void move_in(struct flow *flow)
{
    size_t half = 1 + octets_random(&chance) % (sizeof flow->place / 2);
    struct iovec vectors[2] = {
        {flow->place, half},
        {flow->place + half, octets_random(&chance) % (sizeof flow->place / 2)},
    };
    ssize_t rc = flow->to->ops->read(flow->to, vectors, 2);
    if (rc == -EAGAIN)
        return;
    assert_true(rc > 0);
    assert_true(flow->read + (size_t)rc <= flow->size);
    assert_memory_equal(flow->place, flow->source + flow->read, (size_t)rc);
    flow->read += (size_t)rc;
}

static bool is_done(const struct flow *flow)
{
    return flow->read == flow->size && flow->written == flow->size;
}

/* Each step moves one side of one direction; which one is drawn. */
static void run(struct flow flows[2])
{
    for (long steps = 0; !is_done(&flows[0]) || !is_done(&flows[1]); steps++) {
        uint32_t drawn = octets_random(&chance);
        assert_true(steps < 2000000);
        if (drawn & 16)
            move_out(&flows[drawn >> 8 & 1]);
        else
            move_in(&flows[drawn >> 8 & 1]);
    }
}

static void transfer(uint64_t seed, size_t size)
{
    static struct flow flows[2];
    struct zl_tls_context *client = new_context(client_settings());
    struct zl_tls_context *server = new_context(server_settings());
    struct pair pair;
    int buffer = 1 + (int)(seed % 7) * 3000;
    uint8_t *source = malloc(size + 1);
    chance = seed;
    for (size_t i = 0; i < size; i++)
        source[i] = (uint8_t)octets_random(&chance);
    begin_pair(&pair, client, server);
    for (int i = 0; i < 2; i++) {
        setsockopt(pair.side[i].fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        setsockopt(pair.side[i].fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    }
    moody = true;
    for (int rounds = 0; pair.result[0] == -EAGAIN || pair.result[1] == -EAGAIN; rounds++) {
        assert_true(rounds < 100000);
        step_handshake(&pair, (int)(octets_random(&chance) >> 4 & 1));
    }
    assert_int_equal(pair.result[0], 0);
    assert_int_equal(pair.result[1], 0);
    for (int i = 0; i < 2; i++)
        flows[i] = (struct flow){
            .from = &pair.side[i], .to = &pair.side[1 - i], .source = source + i, .size = size};
    run(flows);
    moody = false;
    close_pair(&pair);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
    free(source);
}

static void everything_arrives_whatever_the_kernel_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        transfer(seed, 700000);
}

static void short_flows_end_cleanly(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 140; seed++)
        transfer(seed, 1 + (size_t)seed % 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_whatever_the_kernel_does),
        cmocka_unit_test(short_flows_end_cleanly),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, make_world, free_world);
}
