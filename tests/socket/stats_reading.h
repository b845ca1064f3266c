/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests of zlink_socket_stats share: reading it, waiting for it, and two sockets to watch. */
#ifndef TESTS_SOCKET_STATS_READING_H
#define TESTS_SOCKET_STATS_READING_H

#include "support/test_support.h"

#include <zlink.h>

static inline zlink_stats_t stats_at(void *socket, const char *file, int line)
{
    zlink_stats_t stats;
    memset(&stats, 0xA5, sizeof stats); /* nothing but the size is read */
    stats.size = sizeof stats;
    ts_expect_value_at(zlink_socket_stats(socket, &stats, NULL, NULL), 0, "zlink_socket_stats",
                       file, line);
    ts_check(stats.size == sizeof stats);
    ts_check(stats.version == ZLINK_STATS_VERSION);
    return stats;
}

#define stats_of(socket) stats_at((socket), __FILE__, __LINE__)

/* Waits until a field lies between the two values, and returns all of that moment. */
static inline zlink_stats_t await_at(void *socket, size_t field, uint64_t lowest, uint64_t highest,
                                     const char *name, const char *file, int line)
{
    int64_t until = ts_now_ms() + TS_TIMEOUT_MS;
    for (;;) {
        zlink_stats_t stats = stats_at(socket, file, line);
        uint64_t value;
        memcpy(&value, (char *)&stats + field, sizeof value);
        if (value >= lowest && value <= highest)
            return stats;
        if (ts_now_ms() > until)
            ts_fail_at(file, line, "%s stays at %llu", name, (unsigned long long)value);
        zmq_poll(NULL, 0, 1);
    }
}

#define await_least(socket, field, lowest)                                                         \
    await_at((socket), offsetof(zlink_stats_t, field), (lowest), UINT64_MAX, #field, __FILE__,     \
             __LINE__)
#define await_most(socket, field, highest)                                                         \
    await_at((socket), offsetof(zlink_stats_t, field), 0, (highest), #field, __FILE__, __LINE__)

static inline bool is_inproc(void *const *state)
{
    return strcmp(*state, "inproc") == 0;
}

static inline size_t frame_size(size_t payload)
{
    return payload + (payload > 255 ? 9 : 2);
}

static inline bool is_websocket(void *const *state)
{
    return strcmp(*state, "ws") == 0 || strcmp(*state, "wss") == 0;
}

/* What counts as bytes of a part over the transport of the test: inside TLS, as plain text; from a
 * WebSocket client with a mask. */
static inline size_t wire_size(void *const *state, size_t payload, bool from_client)
{
    if (is_inproc(state))
        return payload;
    if (!is_websocket(state))
        return frame_size(payload);
    size_t message = payload + 1; /* the flags */
    return message + (message > 65535 ? 10 : message > 125 ? 4 : 2) + (from_client ? 4 : 0);
}

static inline void send_size(void *socket, size_t size, int flags)
{
    static char payload[1 << 20];
    ts_check(size <= sizeof payload);
    ts_value(zmq_send(socket, payload, size, flags), (long long)size);
}

static inline void send_message(void *socket, size_t size)
{
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, size));
    memset(zmq_msg_data(&message), 0, size);
    ts_value(zmq_msg_send(&message, socket, 0), (long long)size);
}

static inline void recv_size(void *socket, size_t size)
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
static inline struct pair open_pair(void **state)
{
    void *context = ts_context();
    struct pair pair = {context, ts_socket(context, ZMQ_PUSH), ts_socket(context, ZMQ_PULL)};
    ts_connect_pair(context, pair.in, pair.out, *state);
    await_least(pair.out, peers, 1);
    await_least(pair.in, peers, 1);
    return pair;
}

static inline void close_pair(struct pair *pair)
{
    ts_close(pair->out);
    ts_close(pair->in);
    ts_terminate(pair->context);
}

#endif
