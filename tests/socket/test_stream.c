/* SPDX-License-Identifier: MPL-2.0 */
/* STREAM: plain TCP peers, their ids, notifications, closing, reconnection. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <unistd.h>

struct id {
    unsigned char bytes[8];
};

/* The id frame of a message; an assigned id has five bytes, the first of them zero. */
static struct id recv_id(void *stream)
{
    struct id id = {{0}};
    ts_value(zmq_recv(stream, id.bytes, sizeof id.bytes, 0), 5);
    ts_value(id.bytes[0], 0);
    ts_value(ts_more(stream), 1);
    return id;
}

static void expect_id(void *stream, struct id id)
{
    ts_recv_bytes(stream, id.bytes, 5, true);
}

/* A notification: the id and an empty frame. */
static struct id recv_notice(void *stream)
{
    struct id id = recv_id(stream);
    ts_recv_bytes(stream, "", 0, false);
    return id;
}

/* Collects size bytes that may come in several chunks. */
static void recv_stream(void *stream, struct id id, const char *data, size_t size)
{
    char chunk[16384];
    for (size_t done = 0; done < size;) {
        expect_id(stream, id);
        size_t got = ts_recv_any(stream, chunk, sizeof chunk);
        ts_value(ts_more(stream), 0);
        ts_check(got > 0 && got <= size - done);
        assert_memory_equal(chunk, data + done, got);
        done += got;
    }
}

static void send_to(void *stream, struct id id, const void *data, size_t size)
{
    ts_send_bytes(stream, id.bytes, 5, ZMQ_SNDMORE);
    ts_send_bytes(stream, data, size, 0);
}

/* Waits for the raw side's descriptor while the socket is polled, too. */
static void wait_closed(void *stream, int fd)
{
    zmq_pollitem_t items[] = {{.socket = stream, .events = ZMQ_POLLIN},
                              {.fd = fd, .events = ZMQ_POLLIN}};
    do {
        ts_check(zmq_poll(items, 2, TS_TIMEOUT_MS) > 0);
        if (items[0].revents)
            ts_ok(zmq_recv(stream, NULL, 0, 0));
    } while (!items[1].revents);
    ts_raw_expect_closed(fd);
}

/* A peer that is gone cannot be addressed any more, soon after the notice at the latest. */
static void wait_unreachable(void *stream, struct id id)
{
    zmq_pollitem_t item = {.socket = stream, .events = ZMQ_POLLIN};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    for (;;) {
        if (zmq_send(stream, id.bytes, 5, ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1)
            ts_send(stream, "lost", 0);
        else if (zmq_errno() != EAGAIN)
            break;
        ts_value(zmq_poll(&item, 1, 1), 0);
        ts_check(ts_now_ms() < deadline);
    }
    ts_value(zmq_errno(), EHOSTUNREACH);
}

static void accepted_peer(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_value(ts_get_int(stream, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_bind(stream, "tcp", endpoint);
    int fd = ts_raw_connect(endpoint);
    struct id id = recv_notice(stream);
    ts_raw_send(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    recv_stream(stream, id, "GET / HTTP/1.0\r\n\r\n", 18);
    send_to(stream, id, "HTTP/1.0 200 OK\r\n", 17);
    send_to(stream, id, "\r\n", 2);
    ts_raw_expect(fd, "HTTP/1.0 200 OK\r\n\r\n", 19);
    close(fd);
    struct id gone = recv_notice(stream);
    assert_memory_equal(gone.bytes, id.bytes, 5);
    ts_recv_nothing(stream);
    wait_unreachable(stream, id);
    ts_close(stream);
    ts_terminate(context);
}

/* MORE on the data means nothing, and the socket is ready for the next id afterwards. */
static void more_on_data_is_ignored(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_bind(stream, "tcp", endpoint);
    int fd = ts_raw_connect(endpoint);
    struct id id = recv_notice(stream);
    ts_send_bytes(stream, id.bytes, 5, ZMQ_SNDMORE);
    ts_send(stream, "one ", ZMQ_SNDMORE);
    send_to(stream, id, "two", 3);
    ts_raw_expect(fd, "one two", 7);
    ts_error(zmq_send(stream, "bogus", 5, ZMQ_SNDMORE), EHOSTUNREACH);
    send_to(stream, id, "!", 1);
    ts_raw_expect(fd, "!", 1);
    close(fd);
    ts_close(stream);
    ts_terminate(context);
}

static void peers_are_kept_apart(void **state)
{
    (void)state;
    enum { PEERS = 5 };
    char endpoint[TS_ENDPOINT_MAX];
    int fds[PEERS];
    struct id ids[PEERS];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_bind(stream, "tcp", endpoint);
    for (int i = 0; i < PEERS; ++i) {
        fds[i] = ts_raw_connect(endpoint);
        ids[i] = recv_notice(stream);
        for (int other = 0; other < i; ++other)
            assert_memory_not_equal(ids[i].bytes, ids[other].bytes, 5);
    }
    for (int i = 0; i < PEERS; ++i) {
        ts_raw_send(fds[i], &"01234"[i], 1);
        recv_stream(stream, ids[i], &"01234"[i], 1);
        send_to(stream, ids[PEERS - 1 - i], &"abcde"[i], 1);
    }
    for (int i = 0; i < PEERS; ++i) {
        ts_raw_expect(fds[i], &"abcde"[PEERS - 1 - i], 1);
        close(fds[i]);
    }
    ts_close(stream);
    ts_terminate(context);
}

/* Sending an empty frame closes the connection. */
static void empty_frame_closes(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_bind(stream, "tcp", endpoint);
    int closing = ts_raw_connect(endpoint);
    struct id id = recv_notice(stream);
    int staying = ts_raw_connect(endpoint);
    struct id other = recv_notice(stream);
    send_to(stream, id, "", 0);
    wait_closed(stream, closing);
    send_to(stream, other, "still here", 10);
    ts_raw_expect(staying, "still here", 10);
    close(closing);
    close(staying);
    ts_close(stream);
    ts_terminate(context);
}

static void without_notify_only_data_arrives(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_set_int(stream, ZMQ_STREAM_NOTIFY, 0);
    ts_bind(stream, "tcp", endpoint);
    for (int round = 0; round < 3; ++round) {
        int fd = ts_raw_connect(endpoint);
        ts_raw_send(fd, "data", 4);
        struct id id = recv_id(stream);
        char chunk[8];
        size_t got = ts_recv_any(stream, chunk, sizeof chunk);
        ts_check(got > 0);
        if (got < 4)
            recv_stream(stream, id, &"data"[got], 4 - got);
        close(fd);
    }
    ts_close(stream);
    ts_terminate(context);
}

/* The connecting side: an id of its own choice, or an assigned one it can ask for. */
static void connecting(void **state)
{
    (void)state;
    for (int named = 0; named < 2; ++named) {
        char endpoint[TS_ENDPOINT_MAX];
        unsigned char id[256] = "peer";
        size_t size = 4;
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context();
        void *stream = ts_socket(context, ZMQ_STREAM);
        if (named)
            ts_set_bytes(stream, ZMQ_CONNECT_ROUTING_ID, id, size);
        ts_ok(zmq_connect(stream, endpoint));
        if (!named) {
            size = sizeof id;
            ts_ok(zmq_getsockopt(stream, ZMQ_ROUTING_ID, id, &size));
            ts_value((long long)size, 5);
        }
        int fd = ts_raw_accept(listener);
        ts_recv_bytes(stream, id, size, true);
        ts_recv_bytes(stream, "", 0, false);
        ts_send_bytes(stream, id, size, ZMQ_SNDMORE);
        ts_send(stream, "request", 0);
        ts_raw_expect(fd, "request", 7);
        ts_raw_send(fd, "x", 1);
        ts_recv_bytes(stream, id, size, true);
        ts_recv(stream, "x");
        close(fd);
        close(listener);
        ts_close(stream);
        ts_terminate(context);
    }
}

/* A connection that we made and the peer closed comes back under the same id. */
static void connection_is_made_again(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_set_int(stream, ZMQ_RECONNECT_IVL, 1);
    ts_set_text(stream, ZMQ_CONNECT_ROUTING_ID, "peer");
    ts_ok(zmq_connect(stream, endpoint));
    for (int round = 0; round < 3; ++round) {
        int fd = ts_raw_accept(listener);
        ts_recv_parts(stream, "peer", ""); /* here */
        ts_send_parts(stream, "peer", "hello");
        ts_raw_expect(fd, "hello", 5);
        close(fd);
        ts_recv_parts(stream, "peer", ""); /* gone */
    }
    close(listener);
    ts_close(stream);
    ts_terminate(context);
}

/* More than any buffer holds, in both directions, byte for byte. */
static void long_streams(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static char data[SIZE], got[SIZE];
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *stream = ts_socket(context, ZMQ_STREAM);
    ts_pattern(data, SIZE, 7);
    ts_bind(stream, "tcp", endpoint);
    int fd = ts_raw_connect(endpoint);
    struct id id = recv_notice(stream);
    for (int at = 0; at < SIZE; at += SIZE / 8)
        send_to(stream, id, data + at, SIZE / 8);
    ts_raw_recv(fd, got, SIZE);
    assert_memory_equal(got, data, SIZE);
    for (int at = 0; at < SIZE; at += SIZE / 8) {
        ts_raw_send(fd, data + at, SIZE / 8);
        recv_stream(stream, id, data + at, SIZE / 8);
    }
    close(fd);
    ts_close(stream);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_peer),
        cmocka_unit_test(more_on_data_is_ignored),
        cmocka_unit_test(peers_are_kept_apart),
        cmocka_unit_test(empty_frame_closes),
        cmocka_unit_test(without_notify_only_data_arrives),
        cmocka_unit_test(connecting),
        cmocka_unit_test(connection_is_made_again),
        cmocka_unit_test(long_streams),
    };
    return TS_RUN(tests);
}
