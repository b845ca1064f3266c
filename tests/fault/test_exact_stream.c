/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * The exact octets on the wire: a bare peer with small buffers reads 1 to n octets at a time, so
 * that writes are refused and cut anywhere, and compares what comes with an encoding of its own.
 */
#include "support/process.h"
#include "support/random.h"
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 1500, PART_MAX = 70000 };

/* ---- What is sent ----------------------------------------------------------------------------- */

struct part {
    size_t size;
    uint32_t pattern;
    bool more;
};

static struct part next_part(struct ts_random *random, bool last)
{
    static const size_t borders[] = {0, 1, 255, 256, 8183, 8191, 8192, 65526, 65536};
    struct part part = {.pattern = ts_random_next(random)};
    switch (ts_random_below(random, 24)) {
    case 0:
        part.size = borders[ts_random_below(random, TS_COUNT(borders))];
        break;
    case 1:
        part.size = ts_random_below(random, PART_MAX);
        break;
    default:
        part.size = ts_random_below(random, 300);
    }
    part.more = !last && ts_random_below(random, 4) == 0;
    return part;
}

struct flow {
    void *socket;
    uint64_t stream;
};

static void send_flow(void *argument)
{
    struct flow *flow = argument;
    static unsigned char body[PART_MAX];
    struct ts_random random = ts_random_stream(flow->stream), pauses = ts_random_stream(99);
    for (int n = 0; n < MESSAGES; ++n) {
        struct part part = next_part(&random, n + 1 == MESSAGES);
        ts_pattern(body, part.size, part.pattern);
        ts_send_bytes(flow->socket, body, part.size, part.more ? ZMQ_SNDMORE : 0);
        if (ts_random_below(&pauses, 100) == 0)
            ts_random_sleep(&pauses, 3000);
    }
}

/* ---- What has to come ------------------------------------------------------------------------- */

/* The next frames, encoded without the library. */
struct expected {
    struct ts_random random;
    int parts;
    unsigned char bytes[9 + PART_MAX];
    size_t size, used;
};

static void encode_next(struct expected *expected)
{
    struct part part = next_part(&expected->random, ++expected->parts == MESSAGES);
    bool is_long = part.size > 255;
    size_t at = 0;
    expected->bytes[at++] =
        (unsigned char)((part.more ? TS_FRAME_MORE : 0) | (is_long ? TS_FRAME_LONG : 0));
    for (int shift = is_long ? 56 : 0; shift >= 0; shift -= 8)
        expected->bytes[at++] = (unsigned char)((uint64_t)part.size >> shift);
    ts_pattern(expected->bytes + at, part.size, part.pattern);
    expected->size = at + part.size;
    expected->used = 0;
}

static void compare(struct expected *expected, const unsigned char *data, size_t size)
{
    while (size > 0) {
        if (expected->used == expected->size) {
            ts_check(expected->parts < MESSAGES);
            encode_next(expected);
        }
        size_t left = expected->size - expected->used;
        size_t piece = size < left ? size : left;
        if (memcmp(expected->bytes + expected->used, data, piece) != 0)
            ts_fail("part %d differs after octet %zu", expected->parts, expected->used);
        expected->used += piece;
        data += piece;
        size -= piece;
    }
}

static void read_and_compare(int fd, uint64_t stream)
{
    static struct expected expected;
    static unsigned char buffer[20000];
    struct ts_random random = ts_random_stream(98);
    expected = (struct expected){.random = ts_random_stream(stream)};
    while (expected.parts < MESSAGES || expected.used < expected.size) {
        /* Single octets for a while, then up to some thousand. */
        uint32_t limit = ts_random_below(&random, 4) ? sizeof buffer : 5;
        ssize_t got = recv(fd, buffer, 1 + ts_random_below(&random, limit), 0);
        ts_check(got > 0);
        compare(&expected, buffer, (size_t)got);
        if (ts_random_below(&random, 1000) == 0)
            ts_random_sleep(&random, 3000);
    }
}

/* With less TCP itself waits for its window probes, for minutes. */
static int small_buffer(const char *transport)
{
    return strcmp(transport, "tcp") == 0 ? 16384 : 4096;
}

static void slow_reader_gets_the_exact_octets(void **state)
{
    static const int marks[] = {1000, 1};
    for (size_t i = 0; i < TS_COUNT(marks); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int small = small_buffer(*state);
        struct flow flow = {.stream = 10 + i};
        void *context = ts_context();
        flow.socket = ts_socket(context, ZMQ_PUSH);
        ts_set_int(flow.socket, ZMQ_SNDBUF, small);
        ts_set_int(flow.socket, ZMQ_SNDHWM, marks[i]);
        ts_bind(flow.socket, *state, endpoint);
        int fd = ts_raw_connect(endpoint);
        ts_value(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
        ts_raw_handshake(fd, "PULL", NULL, 0);
        struct ts_thread *thread = ts_thread_start(send_flow, &flow);
        read_and_compare(fd, flow.stream);
        ts_thread_join(thread);
        struct pollfd item = {.fd = fd, .events = POLLIN};
        ts_value(poll(&item, 1, 0), 0); /* and not an octet more */
        close(fd);
        ts_close(flow.socket);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(slow_reader_gets_the_exact_octets),
    };
    ts_seed();
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
