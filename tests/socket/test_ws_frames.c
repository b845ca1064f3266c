/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* What flows over ws:// as a bare peer sees it: messages and their fragments, pings, goodbyes, and
 * frames that no peer may send. */
#include "support/process.h"
#include "support/raw_websocket.h"
#include "support/transports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket of ours that listens, and a bare client of it. */
struct scene {
    void *context, *socket;
    struct ts_ws ws;
};

static void connect_bare(struct scene *scene, const char *peer_type)
{
    char endpoint[TS_ENDPOINT_MAX];
    ts_bind(scene->socket, "ws", endpoint);
    scene->ws = ts_ws_open(endpoint, "ZWS2.0/NULL");
    ts_ws_handshake(scene->ws, peer_type);
}

static struct scene open_scene(int type, const char *peer_type)
{
    struct scene scene = {.context = ts_context()};
    scene.socket = ts_socket(scene.context, type);
    connect_bare(&scene, peer_type);
    return scene;
}

static void close_scene(struct scene *scene)
{
    close(scene->ws.fd);
    ts_close(scene->socket);
    ts_terminate(scene->context);
}

/* ---- Messages --------------------------------------------------------------------------------- */

static void sizes_around_the_forms_of_the_length(void **state)
{
    static const size_t sizes[] = {0, 1, 123, 124, 125, 126, 255, 8190, 8191, 8192, 65534, 65535};
    static unsigned char frame[1 + 70000];
    (void)state;
    struct scene scene = open_scene(ZMQ_DEALER, "DEALER");
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) {
        frame[0] = i % 3 == 1;
        ts_pattern(frame + 1, sizes[i], (uint32_t)i);
        ts_ws_send(scene.ws, TS_WS_BINARY, frame, 1 + sizes[i]);
        if (i % 3 == 1)
            ts_ws_send(scene.ws, TS_WS_BINARY, "\0end", 4);
        ts_recv_bytes(scene.socket, frame + 1, sizes[i], i % 3 == 1);
        if (i % 3 == 1)
            ts_recv(scene.socket, "end");
        ts_send_bytes(scene.socket, frame + 1, sizes[i], i % 3 == 1 ? ZMQ_SNDMORE : 0);
        if (i % 3 == 1)
            ts_send(scene.socket, "end", 0);
        ts_ws_expect(scene.ws, TS_WS_BINARY, frame, 1 + sizes[i]);
        if (i % 3 == 1)
            ts_ws_expect(scene.ws, TS_WS_BINARY, "\0end", 4);
    }
    close_scene(&scene);
}

/* What our sending side has to say must have the shortest length and, as a client, ever new masks. */
static void frames_of_our_client(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX], request[2048];
    unsigned char frame[8 + 3], last[4] = {0};
    (void)state;
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context(), *push = ts_socket(context, ZMQ_PUSH);
    snprintf(text, sizeof text, "ws%.200s", endpoint + 3);
    ts_ok(zmq_connect(push, text));
    struct ts_ws ws = ts_ws_accept(listener, "ZWS2.0/NULL", request);
    ts_ws_handshake(ws, "PULL");
    for (int i = 0; i < 50; ++i) {
        ts_send(push, "abcd", 0);
        ts_raw_recv(ws.fd, frame, sizeof frame);
        ts_value(frame[0], TS_WS_BINARY);
        ts_value(frame[1], 0x80 | 5);
        ts_check(memcmp(frame + 2, last, 4) != 0);
        memcpy(last, frame + 2, 4);
        for (int k = 0; k < 5; ++k)
            ts_value(frame[6 + k] ^ last[k % 4], "\0abcd"[k]);
    }
    close(ws.fd);
    close(listener);
    ts_close(push);
    ts_terminate(context);
}

/* The plain sub-protocol: identities first, no commands. */
static void protocol_without_mechanism(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context(), *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_text(router, ZMQ_ROUTING_ID, "server");
    ts_bind(router, "ws", endpoint);
    struct ts_ws ws = ts_ws_open(endpoint, "ZWS2.0");
    ts_ws_send(ws, TS_WS_BINARY, "\0alice", 6);
    ts_ws_expect(ws, TS_WS_BINARY, "\0server", 7);
    ts_ws_send(ws, TS_WS_BINARY, "\1one", 4);
    ts_ws_send(ws, TS_WS_BINARY, "\0two", 4);
    ts_recv_parts(router, "alice", "one", "two");
    ts_send_parts(router, "alice", "", "back");
    ts_ws_expect(ws, TS_WS_BINARY, "\1", 1);
    ts_ws_expect(ws, TS_WS_BINARY, "\0back", 5);
    ts_ws_send(ws, TS_WS_PING, "here too", 8);
    ts_ws_expect(ws, TS_WS_PONG, "here too", 8);
    close(ws.fd);
    ts_close(router);
    ts_terminate(context);
}

/* Subscriptions travel as messages, and are taken as commands, too. */
static void subscriptions_are_messages(void **state)
{
    (void)state;
    struct scene scene = open_scene(ZMQ_XPUB, "SUB");
    ts_ws_send(scene.ws, TS_WS_BINARY, "\0\1A", 3);
    ts_recv_bytes(scene.socket, "\1A", 2, false);
    ts_ws_send(scene.ws, TS_WS_BINARY, "\2\11SUBSCRIBEB", 12);
    ts_recv_bytes(scene.socket, "\1B", 2, false);
    ts_send(scene.socket, "C", 0);
    ts_send(scene.socket, "B1", 0);
    ts_send(scene.socket, "A1", 0);
    ts_ws_expect(scene.ws, TS_WS_BINARY, "\0B1", 3);
    ts_ws_expect(scene.ws, TS_WS_BINARY, "\0A1", 3);
    ts_ws_send(scene.ws, TS_WS_BINARY, "\0\0A", 3);
    ts_recv_bytes(scene.socket, "\0A", 2, false);
    close_scene(&scene);
    scene = open_scene(ZMQ_SUB, "PUB");
    ts_set_text(scene.socket, ZMQ_SUBSCRIBE, "topic");
    ts_ws_expect(scene.ws, TS_WS_BINARY, "\0\1topic", 7);
    ts_set_text(scene.socket, ZMQ_UNSUBSCRIBE, "topic");
    ts_ws_expect(scene.ws, TS_WS_BINARY, "\0\0topic", 7);
    close_scene(&scene);
}

/* ---- Fragments -------------------------------------------------------------------------------- */

static void fragments_with_pings_between(void **state)
{
    (void)state;
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    for (int pings = 0; pings < 2; ++pings) {
        static const char *const pieces[] = {"\1he", "", "l", "lo"};
        for (int i = 0; i < 4; ++i) {
            ts_ws_send(scene.ws, (i == 0 ? 2 : 0) | (i == 3 ? 0x80 : 0), pieces[i],
                       strlen(pieces[i]));
            if (pings) {
                ts_ws_send(scene.ws, TS_WS_PING, &i, sizeof i);
                ts_ws_expect(scene.ws, TS_WS_PONG, &i, sizeof i);
            }
        }
        ts_ws_send(scene.ws, 2, "", 0); /* the flags may come later */
        ts_ws_send(scene.ws, 0, "\0", 1);
        ts_ws_send(scene.ws, 0x80, "world", 5);
        ts_recv_parts(scene.socket, "hello", "world");
    }
    close_scene(&scene);
}

/* Several megabytes in fragments of odd sizes, from less than a header to more than a slab. */
static void long_message_in_fragments(void **state)
{
    enum { SIZE = TS_ROUNDS(5000003, 1000003) };
    static const size_t sizes[] = {1, 7, 4095, 8191, 8192, 65537, 131, 300001, 0, 16385};
    (void)state;
    unsigned char *frame = malloc(1 + SIZE);
    ts_check(frame != NULL);
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    frame[0] = 0;
    ts_pattern(frame + 1, SIZE, 1);
    for (size_t at = 0, i = 0; at < 1 + SIZE; ++i) {
        size_t size = sizes[i % TS_COUNT(sizes)], left = 1 + SIZE - at;
        size = size < left ? size : left;
        ts_ws_send(scene.ws, (at == 0 ? 2 : 0) | (size == left ? 0x80 : 0), frame + at, size);
        at += size;
    }
    ts_ws_send(scene.ws, TS_WS_BINARY, "\0next", 5);
    ts_recv_bytes(scene.socket, frame + 1, SIZE, false);
    ts_recv(scene.socket, "next");
    free(frame);
    close_scene(&scene);
}

/* ---- Pings ------------------------------------------------------------------------------------ */

static void pings_are_answered_with_their_payload(void **state)
{
    char payload[125];
    (void)state;
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    ts_pattern(payload, sizeof payload, 1);
    for (size_t size = 0; size <= sizeof payload; ++size) {
        ts_ws_send(scene.ws, TS_WS_PING, payload, size);
        ts_ws_expect(scene.ws, TS_WS_PONG, payload, size);
    }
    ts_ws_send(scene.ws, TS_WS_PONG, "nobody asked", 12);
    ts_ws_send(scene.ws, TS_WS_BINARY, "\0x", 2);
    ts_recv(scene.socket, "x");
    close_scene(&scene);
}

/* A flood of pings is not queued: the last one is answered, in between some. */
static void flood_of_pings(void **state)
{
    enum { PINGS = 20000 };
    (void)state;
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    for (int i = 0; i < PINGS; ++i)
        ts_ws_send(scene.ws, TS_WS_PING, &i, sizeof i);
    int last = -1, octet, number;
    while (last != PINGS - 1) {
        ts_value((long long)ts_ws_recv(scene.ws, &octet, &number, sizeof number), sizeof number);
        ts_value(octet, TS_WS_PONG);
        ts_check(number > last);
        last = number;
    }
    close_scene(&scene);
}

/* HEARTBEAT_IVL: pings of ours, and the end of who does not answer. */
static void heartbeats_are_pings(void **state)
{
    (void)state;
    for (int answers = 0; answers < 2; ++answers) {
        struct scene scene = {.context = ts_context()};
        scene.socket = ts_socket(scene.context, ZMQ_PULL);
        ts_set_int(scene.socket, ZMQ_HEARTBEAT_IVL, 10);
        ts_set_int(scene.socket, ZMQ_HEARTBEAT_TIMEOUT, answers ? TS_TIMEOUT_MS : 50);
        connect_bare(&scene, "PUSH");
        for (int i = 0; i < (answers ? 10 : 1); ++i) {
            ts_ws_expect(scene.ws, TS_WS_PING, "", 0);
            if (answers)
                ts_ws_send(scene.ws, TS_WS_PONG, "", 0);
        }
        if (answers) {
            ts_ws_send(scene.ws, TS_WS_BINARY, "\0alive", 6);
            ts_recv(scene.socket, "alive");
        } else {
            ts_raw_expect_closed(scene.ws.fd);
        }
        close_scene(&scene);
    }
}

/* Pongs wait until a long message that has begun is out, and do not get into it. */
static void pong_behind_a_long_message(void **state)
{
    enum { SIZE = 4000000 };
    (void)state;
    unsigned char *frame = malloc(1 + SIZE), *got = malloc(1 + SIZE);
    ts_check(frame && got);
    struct scene scene = {.context = ts_context()};
    scene.socket = ts_socket(scene.context, ZMQ_PUSH);
    connect_bare(&scene, "PULL");
    frame[0] = 0;
    ts_pattern(frame + 1, SIZE, 2);
    for (int i = 0; i < 3; ++i) {
        zmq_msg_t message;
        ts_ok(zmq_msg_init_size(&message, SIZE));
        memcpy(zmq_msg_data(&message), frame + 1, SIZE);
        ts_value(zmq_msg_send(&message, scene.socket, 0), SIZE);
    }
    ts_ws_send(scene.ws, TS_WS_PING, "are you there", 13);
    for (int messages = 0, pongs = 0, octet; messages < 3 || pongs < 1;) {
        size_t size = ts_ws_recv(scene.ws, &octet, got, 1 + SIZE);
        if (octet == TS_WS_PONG) {
            ts_value((long long)size, 13);
            assert_memory_equal(got, "are you there", 13);
            ++pongs;
        } else {
            ts_value(octet, TS_WS_BINARY);
            ts_value((long long)size, 1 + SIZE);
            ts_check(memcmp(got, frame, 1 + SIZE) == 0);
            ++messages;
        }
    }
    free(frame);
    free(got);
    close_scene(&scene);
}

/* ---- Goodbyes --------------------------------------------------------------------------------- */

static void goodbyes_are_answered(void **state)
{
    static const int codes[] = {1000, 1001, 1011, 3000, 4999};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(codes); ++i) {
        struct scene scene = open_scene(ZMQ_PULL, "PUSH");
        void *monitor = ts_monitor(scene.context, scene.socket, ZMQ_EVENT_DISCONNECTED);
        unsigned char payload[5] = {(unsigned char)(codes[i] >> 8), (unsigned char)codes[i], 'b',
                                    'y', 'e'};
        ts_ws_send(scene.ws, TS_WS_BINARY, "\0last", 5);
        ts_ws_send(scene.ws, TS_WS_CLOSE, payload, sizeof payload);
        ts_ws_expect_close(scene.ws, codes[i]);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
        ts_recv(scene.socket, "last");
        ts_unmonitor(scene.socket, monitor);
        close_scene(&scene);
    }
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    ts_ws_send(scene.ws, TS_WS_CLOSE, "", 0); /* without a code, answered in kind */
    ts_ws_expect(scene.ws, TS_WS_CLOSE, "", 0);
    ts_raw_expect_closed(scene.ws.fd);
    close_scene(&scene);
}

static void we_say_goodbye(void **state)
{
    (void)state;
    struct scene scene = open_scene(ZMQ_PUSH, "PULL");
    ts_set_int(scene.socket, ZMQ_LINGER, -1);
    ts_send(scene.socket, "last", 0);
    ts_close(scene.socket);
    ts_ws_expect(scene.ws, TS_WS_BINARY, "\0last", 5);
    ts_ws_expect_close(scene.ws, 1000);
    close(scene.ws.fd);
    ts_terminate(scene.context);
}

/* ---- Frames that end the connection --------------------------------------------------------------- */

struct wrong {
    const char *what;
    const char *octets;
    size_t size;
    int code;
};

static void expect_refusal(const struct wrong *wrong)
{
    struct scene scene = open_scene(ZMQ_PULL, "PUSH");
    ts_ws_send(scene.ws, TS_WS_BINARY, "\0good", 5);
    ts_recv(scene.socket, "good");
    ts_raw_send(scene.ws.fd, wrong->octets, wrong->size);
    unsigned char got[125];
    int octet;
    size_t size = ts_ws_recv(scene.ws, &octet, got, sizeof got);
    if (octet != TS_WS_CLOSE || size < 2 || (got[0] << 8 | got[1]) != wrong->code)
        ts_fail("%s: %02x %d instead of a close frame with %d", wrong->what, octet,
                size < 2 ? -1 : got[0] << 8 | got[1], wrong->code);
    ts_raw_expect_closed(scene.ws.fd);
    ts_recv_nothing(scene.socket);
    close_scene(&scene);
}

/* The mask of all of them is 0. */
#define MASK "\0\0\0\0"
#define WRONG(what, octets, code)                                                                  \
    {                                                                                              \
        what, octets, sizeof(octets) - 1, code                                                     \
    }

static void wrong_frames_end_the_connection(void **state)
{
    static const struct wrong rows[] = {
        WRONG("text", "\x81\x83" MASK "\0ab", 1003),
        WRONG("unmasked", "\x82\x03\0ab", 1002),
        WRONG("reserved opcode 3", "\x83\x83" MASK "\0ab", 1002),
        WRONG("reserved opcode 11", "\x8b\x80" MASK, 1002),
        WRONG("RSV1", "\xc2\x83" MASK "\0ab", 1002),
        WRONG("RSV3", "\x92\x83" MASK "\0ab", 1002),
        WRONG("continuation of nothing", "\x80\x83" MASK "\0ab", 1002),
        WRONG("message inside a message", "\x02\x83" MASK "\0ab\x82\x83" MASK "\0ab", 1002),
        WRONG("empty message", "\x82\x80" MASK, 1002),
        WRONG("reserved flags", "\x82\x83" MASK "\4ab", 1002),
        WRONG("MORE on a command", "\x82\x83" MASK "\3\1x", 1002),
        WRONG("fragmented ping", "\x09\x80" MASK, 1002),
        WRONG("long ping", "\x89\xfe\0\x7e" MASK, 1002),
        WRONG("close with one octet", "\x88\x81" MASK "\3", 1002),
        WRONG("close with code 1005", "\x88\x82" MASK "\3\xed", 1002),
        WRONG("close with code 999", "\x88\x82" MASK "\3\xe7", 1002),
        WRONG("length with the top bit", "\x82\xff\x80\0\0\0\0\0\0\0" MASK, 1002),
    };
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i)
        expect_refusal(&rows[i]);
}

/* MAXMSGSIZE, of one frame and of fragments together: told before anything is allocated. */
static void too_long_messages_are_refused(void **state)
{
    static char body[1 + 1000];
    (void)state;
    for (int way = 0; way < 3; ++way) {
        struct scene scene = {.context = ts_context()};
        int64_t limit = 1000;
        scene.socket = ts_socket(scene.context, ZMQ_PULL);
        ts_set_bytes(scene.socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit);
        connect_bare(&scene, "PUSH");
        ts_ws_send(scene.ws, TS_WS_BINARY, body, sizeof body); /* just so */
        ts_recv_bytes(scene.socket, body + 1, limit, false);
        if (way == 0)
            ts_raw_send(scene.ws.fd, "\x82\xfe\x03\xea" MASK "\0", 9);
        else if (way == 1)
            ts_raw_send(scene.ws.fd, "\x82\xff\x0f\0\0\0\0\0\0\0" MASK "\0", 15);
        else {
            ts_ws_send(scene.ws, 2, body, sizeof body);
            ts_raw_send(scene.ws.fd, "\x80\x81" MASK "x", 7);
        }
        ts_ws_expect_close(scene.ws, 1009);
        close_scene(&scene);
    }
}

/* Messages before READY. */
static void traffic_before_the_handshake_ends_it(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context(), *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, "ws", endpoint);
    struct ts_ws ws = ts_ws_open(endpoint, "ZWS2.0/NULL");
    ts_ws_send(ws, TS_WS_BINARY, "\0early", 6);
    ts_raw_expect_closed(ws.fd);
    close(ws.fd);
    ts_recv_nothing(pull);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_around_the_forms_of_the_length),
        cmocka_unit_test(frames_of_our_client),
        cmocka_unit_test(protocol_without_mechanism),
        cmocka_unit_test(subscriptions_are_messages),
        cmocka_unit_test(fragments_with_pings_between),
        cmocka_unit_test(long_message_in_fragments),
        cmocka_unit_test(pings_are_answered_with_their_payload),
        cmocka_unit_test(flood_of_pings),
        cmocka_unit_test(heartbeats_are_pings),
        cmocka_unit_test(pong_behind_a_long_message),
        cmocka_unit_test(goodbyes_are_answered),
        cmocka_unit_test(we_say_goodbye),
        cmocka_unit_test(wrong_frames_end_the_connection),
        cmocka_unit_test(too_long_messages_are_refused),
        cmocka_unit_test(traffic_before_the_handshake_ends_it),
    };
    return TS_RUN(tests);
}
