/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * The exact octets on the wire: a bare peer with small buffers reads 1 to n octets at a time, so
 * that writes are refused and cut anywhere, and compares what comes with an encoding of its own. Not
 * over tls and wss: what is on the wire there is nobody's business.
 */
#include "support/process.h"
#include "support/random.h"
#include "support/raw_websocket.h"
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
    bool websocket; /* of a server */
    struct ts_random random;
    int parts;
    unsigned char bytes[11 + PART_MAX];
    size_t size, used;
};

static size_t put_number(unsigned char *place, uint64_t number, size_t octets)
{
    for (size_t i = 0; i < octets; ++i)
        place[i] = (unsigned char)(number >> (8 * (octets - 1 - i)));
    return octets;
}

static size_t put_zmtp_header(unsigned char *place, const struct part *part)
{
    bool is_long = part->size > 255;
    place[0] = (unsigned char)((part->more ? TS_FRAME_MORE : 0) | (is_long ? TS_FRAME_LONG : 0));
    return 1 + put_number(place + 1, part->size, is_long ? 8 : 1);
}

static size_t put_websocket_header(unsigned char *place, const struct part *part)
{
    size_t payload = part->size + 1, at = 2;
    place[0] = TS_WS_BINARY;
    place[1] = (unsigned char)(payload > 65535 ? 127 : payload > 125 ? 126 : payload);
    if (payload > 125)
        at += put_number(place + 2, payload, payload > 65535 ? 8 : 2);
    place[at] = part->more;
    return at + 1;
}

static void encode_next(struct expected *expected)
{
    struct part part = next_part(&expected->random, ++expected->parts == MESSAGES);
    size_t at = expected->websocket ? put_websocket_header(expected->bytes, &part)
                                    : put_zmtp_header(expected->bytes, &part);
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

static void read_and_compare(int fd, uint64_t stream, bool websocket)
{
    static struct expected expected;
    static unsigned char buffer[20000];
    struct ts_random random = ts_random_stream(98);
    expected = (struct expected){.websocket = websocket, .random = ts_random_stream(stream)};
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
    return strcmp(transport, "ipc") == 0 ? 4096 : 16384;
}

/* The reader's buffer is larger than what the sender's can put into one segment: where such a segment
 * does not fit into the window, the sender's TCP waits for its probe each time, 200 ms.
 * The buffer shrinks before anything is on its way: with a window that is too large by then TCP waits
 * for its probes as well. */
static int connect_bare(const char *endpoint, int buffer, bool websocket)
{
    char answer[2048];
    struct ts_ws ws = {.is_client = true};
    ws.fd = websocket ? ts_ws_connect(endpoint).fd : ts_raw_connect(endpoint);
    ts_value(setsockopt(ws.fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    if (websocket) {
        ts_ws_request(ws, "/", "ZWS2.0/NULL", answer);
        ts_ws_handshake(ws, "PULL");
    } else {
        ts_raw_handshake(ws.fd, "PULL", NULL, 0);
    }
    return ws.fd;
}

static void slow_reader_gets_the_exact_octets(void **state)
{
    static const int marks[] = {1000, 1};
    for (size_t i = 0; i < TS_COUNT(marks); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        int small = small_buffer(*state);
        bool websocket = strcmp(*state, "ws") == 0;
        struct flow flow = {.stream = 10 + i};
        void *context = ts_context();
        flow.socket = ts_socket(context, ZMQ_PUSH);
        ts_set_int(flow.socket, ZMQ_SNDBUF, small);
        ts_set_int(flow.socket, ZMQ_SNDHWM, marks[i]);
        ts_bind(flow.socket, *state, endpoint);
        int fd = connect_bare(endpoint, 4 * small, websocket);
        struct ts_thread *thread = ts_thread_start(send_flow, &flow);
        read_and_compare(fd, flow.stream, websocket);
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
        TS_ON_BEYOND_STOCK(slow_reader_gets_the_exact_octets, "ws"),
    };
    ts_seed();
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
