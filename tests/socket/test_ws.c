/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* ws://: endpoints with paths, the upgrade on both sides, and requests that are refused. */
#include "support/raw_websocket.h"
#include "support/transports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlink.h>

/* ---- Endpoints -------------------------------------------------------------------------------- */

static void endpoints_have_paths(void **state)
{
    static const char *const rows[][2] = {
        {"", "/"}, {"/", "/"}, {"/a", "/a"}, {"/a/b.c-d_e~f", "/a/b.c-d_e~f"}, {"/%41", "/%41"}};
    const char *transport = *state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX], again[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
        snprintf(text, sizeof text, "%s://127.0.0.1:*%s", transport, rows[i][0]);
        ts_ok(zmq_bind(pull, text));
        ts_last_endpoint(pull, endpoint);
        assert_string_equal(strrchr(strstr(endpoint, "127.0.0.1"), ':') +
                                strcspn(strrchr(endpoint, ':'), "/"),
                            rows[i][1]);
        ts_ok(zmq_connect(push, endpoint));
        ts_send(push, "by path", 0);
        ts_recv(pull, "by path");
        ts_ok(zmq_disconnect(push, endpoint));
        ts_ok(zmq_unbind(pull, endpoint));
        ts_rebind(pull, endpoint);
        ts_last_endpoint(pull, again);
        assert_string_equal(again, endpoint);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

static void bad_endpoints(void **state)
{
    static const char *const rows[] = {
        "127.0.0.1",         "127.0.0.1:80/a b", "127.0.0.1:80/\x01", "/path",
        "127.0.0.1:80/\xe9", "127.0.0.1/p:80",   "127.0.0.1:x/p",     ""};
    const char *transport = *state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char text[TS_ENDPOINT_MAX];
        snprintf(text, sizeof text, "%s://%s", transport, rows[i]);
        ts_error(zmq_bind(socket, text), EINVAL);
        ts_error(zmq_connect(socket, text), EINVAL);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* Unbinding takes the same path: others are not bound. */
static void unbind_needs_the_path(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], other[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PULL);
    ts_ok(zmq_bind(socket, "ws://127.0.0.1:*/right"));
    ts_last_endpoint(socket, endpoint);
    snprintf(other, sizeof other, "%.*s/wrong", (int)(strlen(endpoint) - 6), endpoint);
    ts_error(zmq_unbind(socket, other), ENOENT);
    other[strlen(other) - 6] = '\0';
    ts_error(zmq_unbind(socket, other), ENOENT);
    ts_ok(zmq_unbind(socket, endpoint));
    ts_error(zmq_unbind(socket, endpoint), ENOENT);
    ts_close(socket);
    ts_terminate(context);
}

/* A client that asks for another path is refused, and for good: trying again changes nothing. */
static void other_path_is_refused(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], other[TS_ENDPOINT_MAX];
    (void)state;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    void *monitor =
        ts_monitor(context, push,
                   ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    struct ts_event event;
    ts_ok(zmq_bind(pull, "ws://127.0.0.1:*/right"));
    ts_last_endpoint(pull, endpoint);
    snprintf(other, sizeof other, "%.*s/wrong", (int)(strlen(endpoint) - 6), endpoint);
    ts_ok(zmq_connect(push, other));
    ts_next_event(monitor, &event);
    ts_check(event.event != ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    ts_unmonitor(push, monitor);
    ts_ok(zmq_connect(push, endpoint));
    ts_wait_writable(push);
    ts_send(push, "x", 0);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* There are no raw octets inside WebSocket. */
static void stream_is_refused(void **state)
{
    const char *transport = *state;
    char text[TS_ENDPOINT_MAX];
    void *context = ts_context(), *stream = ts_socket(context, ZMQ_STREAM);
    snprintf(text, sizeof text, "%s://127.0.0.1:*", transport);
    ts_error(zmq_bind(stream, text), ENOCOMPATPROTO);
    snprintf(text, sizeof text, "%s://127.0.0.1:9", transport);
    ts_error(zmq_connect(stream, text), ENOCOMPATPROTO);
    ts_close(stream);
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_int(router, ZMQ_ROUTER_RAW, 1);
    ts_error(zmq_connect(router, text), ENOCOMPATPROTO);
    ts_close(router);
    ts_terminate(context);
}

/* ---- What our client asks for -------------------------------------------------------------------- */

static void request_of_our_client(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX + 16], request[2048];
    char wanted[TS_ENDPOINT_MAX + 16];
    (void)state;
    int listener = ts_raw_listen(endpoint);
    void *context = ts_context(), *push = ts_socket(context, ZMQ_PUSH);
    snprintf(text, sizeof text, "ws%s/some/path?q", endpoint + 3);
    ts_ok(zmq_connect(push, text));
    struct ts_ws ws = ts_ws_accept(listener, "ZWS2.0/NULL", request);
    ts_check(strncmp(request, "GET /some/path?q HTTP/1.1\r\n", 27) == 0);
    snprintf(wanted, sizeof wanted, "\r\nHost: %s\r\n", endpoint + 6);
    ts_check(strstr(request, wanted) != NULL);
    ts_check(strstr(request, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
    ts_check(strstr(request, "\r\nSec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n") != NULL ||
             strstr(request, "\r\nSec-WebSocket-Protocol: ZWS2.0/NULL, ZWS2.0\r\n") != NULL);
    ts_ws_handshake(ws, "PULL");
    ts_send_parts(push, "", "parts");
    ts_ws_expect(ws, TS_WS_BINARY, "\1", 1);
    ts_ws_expect(ws, TS_WS_BINARY, "\0parts", 6);
    close(ws.fd);
    close(listener);
    ts_close(push);
    ts_terminate(context);
}

/* Answers of servers that our client must not take. */
static void bad_answers_end_the_connection(void **state)
{
#define UPGRADED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        UPGRADED "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                 "Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n\r\n", /* of another key */
        UPGRADED "Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n\r\n",
        "\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL",
        "SSH-2.0-OpenSSH_9.0\r\n",
    };
    (void)state;
    for (size_t i = 0; i < TS_COUNT(answers); ++i) {
        char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX], request[2048];
        int listener = ts_raw_listen(endpoint);
        void *context = ts_context(), *push = ts_socket(context, ZMQ_PUSH);
        snprintf(text, sizeof text, "ws%s", endpoint + 3);
        ts_ok(zmq_connect(push, text));
        int fd = ts_raw_accept(listener);
        ts_ws_recv_head(fd, request);
        ts_raw_send_if_open(fd, answers[i], answers[i][0] == '\xff' ? 16 : strlen(answers[i]));
        ts_raw_expect_closed(fd);
        close(fd);
        close(listener);
        ts_close(push);
        ts_terminate(context);
    }
}

/* ---- What our server takes ----------------------------------------------------------------------- */

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define HOST "Host: localhost\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static void requests_are_judged(void **state)
{
    static const struct {
        const char *request;
        int status; /* 0: closed without a word */
    } rows[] = {
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n", 101},
        {"GET /p?query HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n", 101},
        {"GET /p HTTP/1.1\r\nhost: a\r\nUPGRADE: WebSocket\r\nconnection: keep-alive , upgrade\r\n"
         "Origin: x\r\n" KEY VERSION "Sec-WebSocket-Protocol: chat\r\n" PROTOCOL "\r\n",
         101},
        {"GET /q HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n", 404},
        {"GET / HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n", 404},
        {"POST /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n", 405},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n\r\n", 426},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "\r\n", 400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "Sec-WebSocket-Protocol: chat\r\n\r\n",
         400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY VERSION
         "Sec-WebSocket-Protocol: ZWS2.0/CURVE\r\n\r\n",
         400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE PROTOCOL VERSION "\r\n", 400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE "Sec-WebSocket-Key: short\r\n" PROTOCOL VERSION "\r\n",
         400},
        {"GET /p HTTP/1.1\r\n" HOST KEY PROTOCOL VERSION "\r\n", 400},
        {"GET /p HTTP/1.1\r\n" UPGRADE KEY PROTOCOL VERSION "\r\n", 400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "Bad\x01Name: x\r\n\r\n", 400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "No colon\r\n\r\n", 400},
        {"GET /p HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "A: b\r\n folded\r\n\r\n", 400},
        {"\xff garbage, no HTTP at all, and long enough\r\n\r\n", 0},
    };
    (void)state;
    void *context = ts_context(), *pull = ts_socket(context, ZMQ_PULL);
    char endpoint[TS_ENDPOINT_MAX], head[2048];
    ts_ok(zmq_bind(pull, "ws://127.0.0.1:*/p"));
    ts_last_endpoint(pull, endpoint);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        struct ts_ws ws = ts_ws_connect(endpoint);
        ts_raw_send(ws.fd, rows[i].request, strlen(rows[i].request));
        if (rows[i].status) {
            ts_ws_recv_head(ws.fd, head);
            if (strncmp(head, "HTTP/1.1 ", 9) != 0 || atoi(head + 9) != rows[i].status)
                ts_fail("request %zu: %s", i, head);
        }
        if (rows[i].status != 101)
            ts_raw_expect_closed(ws.fd);
        close(ws.fd);
    }
    ts_close(pull);
    ts_terminate(context);
}

/* Heads without an end, and heads that come octet by octet. */
static void long_and_slow_requests(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], head[2048];
    static const char request[] = "GET / HTTP/1.1\r\n" HOST UPGRADE KEY PROTOCOL VERSION "\r\n";
    void *context = ts_context(), *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, "ws", endpoint);
    struct ts_ws ws = ts_ws_connect(endpoint);
    ts_raw_send(ws.fd, "GET / HTTP/1.1\r\n", 16);
    for (int i = 0; i < 3000; ++i)
        ts_raw_send_if_open(ws.fd, "X-More: and more\r\n", 18);
    ts_raw_expect_closed(ws.fd);
    close(ws.fd);
    ws = ts_ws_connect(endpoint);
    char *line = malloc(20000);
    ts_check(line != NULL);
    memset(line, 'x', 20000);
    ts_raw_send(ws.fd, "GET / HTTP/1.1\r\nX: ", 19);
    ts_raw_send_if_open(ws.fd, line, 20000);
    free(line);
    ts_raw_expect_closed(ws.fd);
    close(ws.fd);
    ws = ts_ws_connect(endpoint);
    for (size_t i = 0; i < sizeof request - 1; ++i)
        ts_raw_send(ws.fd, request + i, 1);
    ts_ws_recv_head(ws.fd, head);
    ts_check(strncmp(head, "HTTP/1.1 101 ", 13) == 0);
    ts_ws_handshake(ws, "PUSH");
    ts_ws_send(ws, TS_WS_BINARY, "\0slow", 5);
    ts_recv(pull, "slow");
    close(ws.fd);
    ts_close(pull);
    ts_terminate(context);
}

/* A header that is too long is told: 431. */
static void too_long_headers_are_told(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], head[2048], request[9000];
    void *context = ts_context(), *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, "ws", endpoint);
    struct ts_ws ws = ts_ws_connect(endpoint);
    int size = snprintf(request, sizeof request, "GET / HTTP/1.1\r\n" HOST);
    memset(request + size, 'n', sizeof request - (size_t)size);
    ts_raw_send(ws.fd, request, sizeof request);
    ts_ws_recv_head(ws.fd, head);
    ts_check(strncmp(head, "HTTP/1.1 431 ", 13) == 0);
    ts_raw_expect_closed(ws.fd);
    close(ws.fd);
    ts_close(pull);
    ts_terminate(context);
}

/* HANDSHAKE_IVL: silence before the request, in it, and behind the upgrade. */
static void silent_peers_are_dropped(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context(), *pull = ts_socket(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    ts_set_int(pull, ZMQ_HANDSHAKE_IVL, 50);
    ts_bind(pull, "ws", endpoint);
    for (int stage = 0; stage < 3; ++stage) {
        struct ts_ws ws =
            stage == 2 ? ts_ws_open(endpoint, "ZWS2.0/NULL") : ts_ws_connect(endpoint);
        if (stage == 1)
            ts_raw_send(ws.fd, "GET / HT", 8);
        ts_raw_expect_closed(ws.fd);
        ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), ETIMEDOUT);
        close(ws.fd);
    }
    ts_unmonitor(pull, monitor);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_BEYOND_STOCK(endpoints_have_paths, "ws"),
        TS_ON_BEYOND_STOCK(endpoints_have_paths, "wss"),
        TS_ON_BEYOND_STOCK(bad_endpoints, "ws"),
        TS_ON_BEYOND_STOCK(bad_endpoints, "wss"),
        cmocka_unit_test(unbind_needs_the_path),
        cmocka_unit_test(other_path_is_refused),
        TS_ON_BEYOND_STOCK(stream_is_refused, "ws"),
        TS_ON_BEYOND_STOCK(stream_is_refused, "wss"),
        cmocka_unit_test(request_of_our_client),
        cmocka_unit_test(bad_answers_end_the_connection),
        cmocka_unit_test(requests_are_judged),
        cmocka_unit_test(long_and_slow_requests),
        cmocka_unit_test(too_long_headers_are_told),
        cmocka_unit_test(silent_peers_are_dropped),
    };
    return TS_RUN(tests);
}
